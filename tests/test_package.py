"""The package as a whole: cheap to import, arrows one way, one version, names that resolve."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import aios3_nb
from aios3_nb._magics import S3Magics

PACKAGE = Path(aios3_nb.__file__).parent

HEAVY = ("aiobotocore", "botocore", "aiohttp", "ipywidgets", "IPython", "numpy", "pandas", "nest_asyncio2", "asyncio")

LEVELS = [
    # A module imports only from lower levels, or from its own where no arrow leads back.
    {"_errors", "_text", "_gc", "_clock", "_bulk", "_receive"},
    {"_settings", "_glob", "_url", "_expansion", "_decoding"},
    {"_uri"},
    {"_loop", "_failures", "_verify", "_plan"},
    {"_object"},
    {"_monitor"},
    {"_client", "_transport", "_retry", "_body"},
    {"_source", "_request"},
    {"_stream", "_listing", "_save"},
    {"_file"},
    {"_order"},
    {"_load"},
    {"_items", "_background"},
    {"_api", "_aios3", "_progress"},
    {"_display"},
    {"_shown"},
    {"_magics"},
]


def imports_of(path: Path) -> set[str]:
    """Return the modules of the package that `path` imports when it is imported, and those it imports later."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "aios3_nb":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aios3_nb."):
            found.add(node.module.split(".")[1])
    return {name for name in found if (PACKAGE / f"{name}.py").exists()}


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, aios3_nb; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_no_module_imports_in_a_circle() -> None:
    arrows = {path.stem: imports_of(path) for path in PACKAGE.glob("_*.py") if path.stem != "__init__"}
    done: set[str] = set()
    while ready := {name for name, needs in arrows.items() if name not in done and needs - {name} <= done}:
        done |= ready
    assert arrows.keys() - done == set()


def test_imports_point_one_way() -> None:
    level = {name: number for number, names in enumerate(LEVELS) for name in names}
    wrong = [
        f"{path.stem} -> {name}"
        for path in PACKAGE.glob("_*.py")
        for name in imports_of(path)
        if level.get(name, -1) > level.get(path.stem, len(LEVELS))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(aios3_nb.__all__))
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(aios3_nb, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = aios3_nb.nothing_like_it


def test_the_reference_has_every_name_and_every_magic() -> None:
    text = (PACKAGE.parent / "docs" / "index.rst").read_text()
    shown = set(re.findall(r"^\.\. auto\w+:: aios3_nb\.(\w+)", text, re.MULTILINE))
    hooks = {"__version__", "load_ipython_extension", "unload_ipython_extension"}
    assert shown == set(aios3_nb.__all__) - hooks
    assert set(re.findall(r"^\.\. magic:: (\w+)", text, re.MULTILINE)) == set(S3Magics.magics["line"])
