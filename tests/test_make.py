"""`make` sets up an environment with a Python that is new enough, and gets over one that an older try has left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".ci" / "environment"

OLD = """#!/bin/sh
case "$*" in
    *sys.exit*) exit 1 ;;
    *print*) echo 3.9 ;;
esac
"""


def new(answer: str = f'exec {sys.executable} "$@"') -> str:
    """Return a Python whose venv takes no time: it is the one that runs the tests, which has pip."""
    return f"""#!/bin/sh
if [ "$1" != -m ]; then {answer}; exit; fi
for folder; do :; done
echo "$folder" >>"$(dirname "$0")/calls"
rm -rf "$folder"
mkdir -p "$folder/bin"
printf '#!/bin/sh\nexec {sys.executable} "$@"\n' >"$folder/bin/python"
chmod +x "$folder/bin/python"
"""


@pytest.fixture
def pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an ``old`` Python, a ``new`` one, and one of an ``other`` version."""
    for name, text in (("old", OLD), ("new", new()), ("other", new("echo 3.99"))):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return tmp_path


def made(pythons: Path, python: str, *asked: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, pythons / python, pythons / "venv", *asked], capture_output=True, text=True, check=False
    )


def calls(pythons: Path) -> int:
    """Return how often an environment was made."""
    path = pythons / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def left_by(pythons: Path, python: str) -> None:
    """Make an environment as an older `venv` has left it."""
    (pythons / "venv" / "bin").mkdir(parents=True)
    (pythons / "venv" / "bin" / "python").symlink_to(pythons / python)
    (pythons / "venv" / ".demo").touch()


def test_an_old_python_is_told_before_anything_is_made(pythons: Path) -> None:
    done = made(pythons, "old")
    assert done.returncode == 1
    assert f"aios3_nb needs Python 3.11 or later, and {pythons / 'old'} is version 3.9." in done.stderr
    assert "PYTHON=" in done.stderr
    assert not (pythons / "venv").exists()


def test_a_python_that_is_not_there_is_told(pythons: Path) -> None:
    done = made(pythons, "nowhere")
    assert done.returncode == 1
    assert f"{pythons / 'nowhere'} is not here." in done.stderr


@pytest.mark.parametrize("before", ["old", "gone"])
def test_what_a_failed_try_has_left_is_made_anew(pythons: Path, before: str) -> None:
    left_by(pythons, before)
    assert made(pythons, "new").returncode == 0
    assert calls(pythons) == 1
    assert not (pythons / "venv" / ".demo").exists()  # what was installed there is gone, and will be again


def test_what_works_stays_whatever_python3_is_now(pythons: Path) -> None:
    assert made(pythons, "new").returncode == 0
    assert made(pythons, "old").returncode == 0
    assert made(pythons, "new", "asked").returncode == 0
    assert calls(pythons) == 1


def test_another_python_that_is_asked_for_is_not_ignored(pythons: Path) -> None:
    assert made(pythons, "new").returncode == 0
    assert made(pythons, "old", "asked").returncode == 1
    assert made(pythons, "other", "asked").returncode == 0
    assert calls(pythons) == 2


def test_make_echoes_no_comments() -> None:
    targets = ["help", "demo", "test", "faults", "notebooks", "smoke", "bench", "docs", "lint", "format"]
    command = ["make", "--dry-run", "--always-make", *targets, "VENV=/nonexistent/venv"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "-m pytest" in shown
    assert not [line for line in shown.splitlines() if line.lstrip().startswith("#")]
