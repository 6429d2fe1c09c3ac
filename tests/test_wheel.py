"""The package as it is uploaded: what is in it, and that it works where nothing else is installed."""

from __future__ import annotations

import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import aios3_nb
from tests import smoke


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist; the wheel is built from the sdist, so that has all it takes."""
    return smoke.build(tmp_path_factory.mktemp("dist"))


def test_wheel_has_the_package_and_nothing_else(built: tuple[Path, Path]) -> None:
    wheel, _ = built
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    info = f"aios3_nb-{aios3_nb.__version__}.dist-info/"
    assert {name.partition("/")[0] + "/" for name in names} == {"aios3_nb/", info}
    parts = ("browser/static/browser", "progress/static/progress")
    page = {f"aios3_nb/{part}.{kind}" for part in parts for kind in ("js", "css")}
    assert page <= set(names)
    assert {"aios3_nb/py.typed", "aios3_nb/formats/pickle/names.toml", f"{info}licenses/LICENSE"} <= set(names)
    package = Path(aios3_nb.__file__).parent
    source = {path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    assert {name.partition("/")[2] for name in names if name.endswith(".py")} == source


def test_metadata_says_what_it_is(built: tuple[Path, Path]) -> None:
    wheel, _ = built
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"aios3_nb-{aios3_nb.__version__}.dist-info/METADATA").decode()
    metadata = Parser().parsestr(text)
    assert metadata["Version"] == aios3_nb.__version__
    assert metadata["License-Expression"] == "MIT"
    assert "Framework :: IPython" in metadata.get_all("Classifier", [])
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_sdist_has_what_tests_and_notebooks_need_and_nothing_of_the_checkout(built: tuple[Path, Path]) -> None:
    _, sdist = built
    with tarfile.open(sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames()}
    assert {"aios3_nb", "tests", "notebooks", "binder", "Makefile", "README.md", "LICENSE", "CHANGELOG.md"} <= tops
    assert {name for name in tops if name.startswith(".")} <= {".github", ".gitignore"}


@pytest.mark.timeout(400)  # what it downloads may come slowly
def test_works_in_an_empty_environment(built: tuple[Path, Path], tmp_path: Path) -> None:
    """With the newest dependencies and this Python; ``make smoke`` tries all."""
    wheel, _ = built
    inside = smoke.install(Path(sys.executable), wheel, smoke.requirements("newest"), tmp_path / "environment")
    smoke.check(inside, tmp_path)


def test_every_dependency_has_a_lower_bound_and_no_upper_one() -> None:
    """So that ``make smoke`` knows the oldest, and nobody is kept from the newest."""
    project = tomllib.loads((smoke.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert len(smoke.oldest()) == len(project["dependencies"])
    assert not [text for text in project["dependencies"] if "<" in text]
