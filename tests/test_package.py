"""The package as a whole: cheap to import, arrows one way, one version, names that resolve."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import aios3_nb
from aios3_nb.notebook.magics import S3Magics

PACKAGE = Path(aios3_nb.__file__).parent

HEAVY = ("aiobotocore", "botocore", "aiohttp", "ipywidgets", "IPython", "numpy", "pandas", "nest_asyncio2", "asyncio")


def module_of(path: Path) -> str:
    """Return the dotted name of the module in `path`, without that of the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"}


def imports_of(path: Path) -> set[str]:
    """Return the modules of the package that `path` imports when it is imported, and those it imports later."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "aios3_nb":
            home = (node.module or "").partition(".")[2]
            found |= {home} | {f"{home}.{alias.name}".lstrip(".") for alias in node.names}
    return found & MODULES.keys()


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, aios3_nb; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_no_module_imports_in_a_circle() -> None:
    arrows = {module: imports_of(path) - {module} for module, path in MODULES.items()}
    done: set[str] = set()
    while ready := {name for name, needs in arrows.items() if name not in done and needs <= done}:
        done |= ready
    assert arrows.keys() - done == set()


@pytest.mark.parametrize("name", sorted(aios3_nb.__all__))
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(aios3_nb, name) is not None


def test_no_module_has_the_name_of_a_public_one() -> None:
    # Importing a submodule sets it on the package, over whatever stood there.
    tops = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert tops & set(aios3_nb.__all__) == set()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = aios3_nb.nothing_like_it


def test_the_reference_has_every_name_and_every_magic() -> None:
    text = (PACKAGE.parent / "docs" / "index.rst").read_text()
    shown = set(re.findall(r"^\.\. auto\w+:: aios3_nb\.(\w+)", text, re.MULTILINE))
    hooks = {"__version__", "load_ipython_extension", "unload_ipython_extension"}
    assert shown == set(aios3_nb.__all__) - hooks
    assert set(re.findall(r"^\.\. magic:: (\w+)", text, re.MULTILINE)) == set(S3Magics.magics["line"])
