"""The package as a whole: cheap to import, arrows one way, one version, names that resolve."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import aios3_nb
from aios3_nb.notebook.magics import S3Magics

PACKAGE = Path(aios3_nb.__file__).parent

HEAVY = ("aiobotocore", "botocore", "aiohttp", "ipywidgets", "IPython", "numpy", "pandas", "nest_asyncio2", "asyncio")


ORDER = (
    *("faces", "text", "errors", "environment", "settings", "options", "address", "loop", "s3", "cache", "streams"),
    *("formats", "pipeline", "api", "aios3", "diagnosis", "filesystems", "dask", "progress", "server", "browser"),
    *("notebook", "__main__"),
)
"""What lies in the package, from the lowest up: each may use those before it, and no other."""


def name_of(path: Path) -> str:
    """Return the dotted name of the module or room in `path`."""
    return ".".join(("aios3_nb", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}
ROOMS = {name for name, path in MODULES.items() if path.name == "__init__.py"} - {"aios3_nb"}


@dataclass(frozen=True)
class Import:
    """One name that one module imports from another of the package, at once or later.

    Attributes:
        user: The module that imports.
        module: The module or room that the name is imported from.
        name: What is imported; empty for the module itself.
        is_for_types: Whether only type checkers see it.
    """

    user: str
    module: str
    name: str
    is_for_types: bool = False

    def __str__(self) -> str:
        return f"{self.user}: from {self.module} import {self.name or '...'}"


def imports_of(module: str) -> list[Import]:
    """Return what `module` imports from the package; a module that is imported from its room counts as that module."""
    tree = ast.parse(MODULES[module].read_text())
    guarded = [
        node.body for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    for_types = {inner for body in guarded for node in body for inner in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [Import(module, alias.name, "") for alias in node.names if alias.name in MODULES]
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                home, name = (inner, "") if inner in MODULES else (node.module, alias.name)
                found.append(Import(module, home, name, node in for_types))
    return found


def room_of(module: str) -> str:
    """Return the innermost room that `module` lies in, or is; empty for those directly in the package."""
    while module and module not in ROOMS:
        module = module.rpartition(".")[0]
    return module


IMPORTS = [found for module in MODULES for found in imports_of(module)]


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, aios3_nb; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_loading_the_extension_imports_no_room_but_that_of_the_magics() -> None:
    """And the lowest, whose words all use."""
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell;"
        "InteractiveShell.instance().run_line_magic('load_ext', 'aios3_nb');"
        f"print([name for name in {sorted(ROOMS)!r} if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert ast.literal_eval(loaded) == ["aios3_nb.notebook", "aios3_nb.notebook.complete", "aios3_nb.text"]


def test_a_room_is_used_from_outside_by_the_names_on_its_face_alone() -> None:
    """A room inside a room is one too: its modules are for itself alone, and it may use those of the room around it."""

    def goes_through_a_wall(found: Import) -> bool:
        room = room_of(found.module)
        is_inside = not room or f"{found.user}.".startswith(f"{room}.")
        return not is_inside and (found.module != room or not found.name)

    assert [str(found) for found in IMPORTS if goes_through_a_wall(found)] == []


def test_rooms_use_only_what_lies_below_them() -> None:
    """The package itself, which gives the public names, lies above all; it is no part of the order."""

    def place(module: str) -> int:
        return ORDER.index(module.split(".")[1])

    inner = [found for found in IMPORTS if "aios3_nb" not in (found.user, found.module)]
    assert [str(found) for found in inner if place(found.module) > place(found.user)] == []
    assert {module.split(".")[1] for module in MODULES if module != "aios3_nb"} == set(ORDER)


def test_the_map_for_contributors_has_every_room_from_the_lowest_up() -> None:
    text = (PACKAGE.parent / ".github" / "CONTRIBUTING.md").read_text()
    rows = [first for first in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) if "make " not in first]
    named = [name.removesuffix("/").removesuffix(".py") for row in rows for name in re.findall(r"[\w.]+/?", row)]
    assert [name for name in named if name in ORDER] == named
    assert {name.split(".")[1] for name in ROOMS} <= set(named)
    assert [name for name in ORDER if name in named and f"aios3_nb.{name}" in ROOMS] == [
        name for name in named if f"aios3_nb.{name}" in ROOMS
    ]


def test_a_module_of_more_than_300_lines_says_why_it_is_one() -> None:
    """Its docstring has a line ``Over 300 lines: why it would be worse in two.``."""
    texts = {name: path.read_text() for name, path in MODULES.items()}
    reason = re.compile(r"^Over 300 lines: \S.+", re.MULTILINE)
    long = {name: len(text.splitlines()) for name, text in texts.items() if len(text.splitlines()) > 300}
    said = {name for name in long if reason.search(ast.get_docstring(ast.parse(texts[name])) or "")}
    assert {name: lines for name, lines in long.items() if name not in said} == {}


def test_the_version_is_the_newest_one_of_the_changelog_and_that_of_the_citation() -> None:
    root = PACKAGE.parent
    newest = re.search(r"^## \[(.+)\] - (.+)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    cited = dict(re.findall(r"^(version|date-released): (.+)$", (root / "CITATION.cff").read_text(), re.MULTILINE))
    assert newest
    assert (aios3_nb.__version__, newest[2]) == (newest[1], cited["date-released"])
    assert cited["version"] == aios3_nb.__version__


def test_no_module_imports_in_a_circle() -> None:
    """A name on a face counts as the module that it comes from; what only type checkers see does not count."""
    homes = {(found.user, found.name): found.module for found in IMPORTS if found.user in ROOMS | {"aios3_nb"}}
    arrows: dict[str, set[str]] = {module: set() for module in MODULES}
    for found in IMPORTS:
        home = found.module
        while (home, found.name) in homes:
            home = homes[home, found.name]
        if not found.is_for_types and home != found.user:
            arrows[found.user].add(home)
    done: set[str] = set()
    while ready := {name for name, needs in arrows.items() if name not in done and needs <= done}:
        done |= ready
    left = arrows.keys() - done
    assert [str(found) for found in IMPORTS if found.user in left and found.module in left] == []


@pytest.mark.parametrize("room", sorted(ROOMS | {"aios3_nb"}))
def test_a_face_gives_what_it_shows_to_type_checkers_and_no_more(room: str) -> None:
    shown = {found.name: found.module for found in imports_of(room) if found.is_for_types}
    module = importlib.import_module(room)
    assert set(module.__all__) - {"__version__"} == shown.keys()
    for name, home in shown.items():
        assert getattr(module, name) is getattr(importlib.import_module(home), name)
    # Importing a module sets it on its package, over whatever stood there.
    assert not [name for name in shown if f"{room}.{name}" in MODULES]


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_face_says_what_comes_in_what_goes_out_and_what_the_room_must_not_know(room: str) -> None:
    said = " ".join((ast.get_docstring(ast.parse(MODULES[room].read_text())) or "").lower().split())
    assert [words for words in ("in come", "out come", "must not") if words not in said] == []


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_face_shows_only_what_others_use(room: str) -> None:
    shown = {found.name for found in imports_of(room) if found.is_for_types}
    used = {found.name for found in IMPORTS if found.module == room and not f"{found.user}.".startswith(f"{room}.")}
    assert shown - used == set()


def test_the_face_of_a_room_imports_nothing_until_a_name_is_used() -> None:
    code = f"import sys, {', '.join(sorted(ROOMS))}; print(sorted(name for name in sys.modules if 'aios3_nb' in name))"
    loaded = ast.literal_eval(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    assert set(loaded) == ROOMS | {"aios3_nb", "aios3_nb.faces"}


@pytest.mark.parametrize("name", sorted(aios3_nb.__all__))
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(aios3_nb, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = aios3_nb.nothing_like_it


def test_the_reference_has_every_name_and_every_magic() -> None:
    reference = PACKAGE.parent / "docs" / "reference"
    text = "".join((reference / name).read_text() for name in ("python.rst", "errors.md", "magics.md"))
    shown = set(re.findall(r"^\.\. auto\w+:: aios3_nb\.(\w+)", text, re.MULTILINE))
    hooks = {"__version__", "load_ipython_extension", "unload_ipython_extension"}
    assert shown == set(aios3_nb.__all__) - hooks
    assert set(re.findall(r"^```\{magic\} (\w+)", text, re.MULTILINE)) == set(S3Magics.magics["line"])


@pytest.mark.parametrize("name", ["conftest.py", "ending.py", "lab.py", "chromium.py", "faults/server.py"])
def test_what_all_tests_import_is_there_on_windows(name):
    """Where one of these is missing, no test runs at all; single tests skip themselves."""
    tree = ast.parse((Path(__file__).parent / name).read_text("utf-8"))
    names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert not names & {"fcntl", "grp", "pwd", "resource", "termios"}
