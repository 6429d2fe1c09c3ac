# Two commands: `make demo` and `make test`. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: help setup demo test lint format types browser clean

help:
	@echo "make demo    load samples from an embedded S3 server, then open JupyterLab (NO_LAB=1: stop before that)"
	@echo "make test    run all tests"
	@echo "make lint    check format, lint and types    make format    write the format"

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[demo]' --group dev
	touch $@

demo: setup
	$(BIN)/python -m aios3_nb demo $(if $(NO_LAB),--no-lab)

test: setup browser
	$(BIN)/python -m pytest $(ARGS)

browser: setup
	$(BIN)/python tests/browser.py

lint: setup
	$(BIN)/ruff format --check aios3_nb tests
	$(BIN)/ruff check aios3_nb tests
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format aios3_nb tests
	$(BIN)/ruff check --fix aios3_nb tests

clean:
	rm -rf $(VENV)
