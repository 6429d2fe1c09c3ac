"""What Binder needs: repo2docker takes it, the pins fit the package, and the start script brings the server along."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import aios3_nb

ROOT = Path(aios3_nb.__file__).parents[1]
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = ("crt", "zstd", "lz4", "fast", "fsspec", "dask", "local")
OF_REPO2DOCKER = {"ipython", "ipywidgets"}
"""What its own environment has; a pin would take JupyterLab apart."""


def pins() -> dict[str, str]:
    """Return the version of each package that is installed."""
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if not line.startswith("#")]
    return {each.name: str(each.specifier).removeprefix("==") for each in found}


def test_repo2docker_builds_from_it() -> None:
    """It recognises a Python environment, installs the pins, builds, and starts our way."""
    code = (
        "from repo2docker.app import Repo2Docker as App; from repo2docker.buildpacks import PythonBuildPack as Pack\n"
        "pack = Pack(App().base_image); pack.platform = 'linux/amd64'\n"
        "assert pack.detect(); print(pack.python_version); print(pack.render())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version, *dockerfile = done.stdout.splitlines()
    assert version in SpecifierSet(PROJECT["requires-python"])
    text = "\n".join(dockerfile)
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in text
    assert "RUN ./binder/postBuild" in text
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in text


def test_everything_that_the_package_needs_is_pinned_to_a_version_that_it_takes() -> None:
    texts = [*PROJECT["dependencies"], *(text for extra in EXTRAS for text in PROJECT["optional-dependencies"][extra])]
    pinned = pins()
    for requirement in map(Requirement, texts):
        if requirement.name not in OF_REPO2DOCKER:
            assert Version(pinned[requirement.name]) in requirement.specifier


def test_scripts_can_be_run() -> None:
    for name in ("postBuild", "start"):
        assert os.access(BINDER / name, os.X_OK)
        subprocess.run(["bash", "-n", BINDER / name], check=True)


def test_start_runs_its_command_with_the_server_and_passes_its_status_on() -> None:
    code = (
        "import aios3_nb, sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance(); shell.run_line_magic('load_ext', 'aios3_nb')\n"
        "shell.run_line_magic('s3demo', '')\n"
        "from aios3_nb.server import shared_server; assert not shared_server().running  # not one of its own\n"
        "sys.exit(len(aios3_nb.load('s3://demo/users.json', quiet=True)))"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [BINDER / "start", sys.executable, "-c", code],
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
