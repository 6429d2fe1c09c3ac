"""Does the package work where it gets installed? ``make smoke`` prints a table of Python and dependency versions.

    python -m tests.smoke [SET ...]

Wheel and sdist are built as for an upload. For every Python found, and every set of dependencies (all of them, or the
given), the wheel is installed into an empty environment, and a kernel there starts the embedded server, loads the
extension, loads samples, and is interrupted in the middle of a load.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.kernels import Kernel, kernel

ROOT = Path(__file__).parents[1]
MINORS = range(11, 20)
SHOWN = ("aiobotocore", "ipython", "ipywidgets", "ipykernel")

SETS = ("oldest", "ipykernel 6", "newest")
"""Oldest: every direct dependency at its lower bound. Both others: newest, but for what the name says."""

OLDEST_KERNEL = "ipykernel==6.17.1"
"""Google Colab's, as are the lower bounds of IPython and ipywidgets; the package itself asks for no ipykernel."""

VERSIONS = """
import importlib.metadata as metadata, json, sys
import aios3_nb
assert aios3_nb.__file__.startswith(sys.prefix), aios3_nb.__file__
assert metadata.version("aios3_nb") == aios3_nb.__version__
print(json.dumps({name: metadata.version(name) for name in sys.argv[1:]}))
"""


@dataclass(frozen=True)
class Outcome:
    """What came of one Python with one set of dependencies."""

    python: str
    chosen: str
    versions: dict[str, str]
    failure: str
    seconds: float

    def row(self) -> str:
        """Return it as a line of the table."""
        versions = " | ".join(self.versions.get(name, "?") for name in SHOWN)
        return f"| {self.python} | {self.chosen} | {versions} | {self.failure or 'ok'} | {self.seconds:.0f} s |"


def pythons() -> Iterator[Path]:
    """Yield one interpreter of each version that is supported and found, on the path or in pyenv."""
    for minor in MINORS:
        on_path = filter(None, [shutil.which(f"python3.{minor}")])
        in_pyenv = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
        for python in [*map(Path, on_path), *in_pyenv]:
            # pyenv puts programs on the path that only say which version to choose.
            if subprocess.run([python, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
                yield python
                break


def build(folder: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from it, into `folder`; return the paths of the wheel and of the sdist."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def requirements(chosen: str) -> list[str]:
    """Return what to ask pip for besides the package itself."""
    if chosen == "oldest":
        return [*oldest(), OLDEST_KERNEL]
    return ["ipykernel<7"] if chosen == "ipykernel 6" else ["ipykernel"]


def oldest() -> list[str]:
    """Return the direct dependencies, each at its lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = []
    for text in project["dependencies"]:
        requirement = Requirement(text)
        [bound] = [each.version for each in requirement.specifier if each.operator == ">="]
        found.append(f"{requirement.name}=={bound}")
    return found


def install(python: Path, wheel: Path, extra: list[str], folder: Path) -> Path:
    """Install `wheel` into an empty environment in `folder`; return the interpreter there."""
    run(python, "-m", "venv", folder)
    inside = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}[local]", *extra)
    return inside


def versions(inside: Path, folder: Path) -> dict[str, str]:
    """Return the versions that are installed, of what the table shows."""
    return dict(json.loads(run(inside, "-c", VERSIONS, *SHOWN, cwd=folder)))


def check(inside: Path, folder: Path) -> None:
    """Do in a kernel of the interpreter `inside` what everybody does first; AssertionError when something is wrong."""
    command = run(inside.with_name("aios3_nb"), "--version", cwd=folder)
    assert command.startswith("aios3_nb "), command
    with slow_server() as url, kernel(clean(), folder=str(folder), python=str(inside)) as running:
        assert "demo" in running.ok("%load_ext aios3_nb\n%s3demo").stdout
        assert "CRC32 ok" in running.ok("users = %s3load users.json").stdout
        assert running.ok("users['total']").result == "20000"
        assert running.ok("%%s3load many.pkl --iter --limit 2\nlen(list(many))").result == "2"
        assert running.ok("await __import__('aios3_nb').aload('users.json', path='total')").result == "20000"
        check_interrupt(running, url)


def check_interrupt(running: Kernel, url: str) -> None:
    """Interrupt a load that would take half a minute; it must end at once, and the next one work."""
    message = running.start(f"slow = %s3load s3://b/slow.pkl --endpoint-url {url}")
    time.sleep(1.0)
    running.interrupt()
    cell = running.collect(message, wait=20)
    assert [name for name, _ in cell.errors] == ["KeyboardInterrupt"], cell
    assert cell.seconds < 10, cell
    assert running.ok("users = %s3load users.json\n'slow' in globals(), len(users)").result == "(False, 2)"


@contextmanager
def slow_server() -> Iterator[str]:
    """Yield the address of a server whose only object is slow."""
    with FaultServer() as server:
        server.put("b", "slow.pkl", pickle.dumps([bytes(1_000_000) for _ in range(60)]))
        server.fault(Fault(kind=Kind.THROTTLE, rate=250_000, times=None))
        yield server.url


def clean() -> dict[str, str]:
    """Return variables that hide the developer's own configuration."""
    return {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": "",
    }


def run(*argv: object, cwd: Path | None = None) -> str:
    """Run a command and return what it printed; what it said goes into the error if it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(
        list(map(str, argv)), cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def tried(python: Path, chosen: str, wheel: Path) -> Outcome:
    """Return what comes of one combination."""
    began, found, failure = time.monotonic(), {}, ""
    name = re.sub(r"^Python ", "", run(python, "--version").strip())
    with tempfile.TemporaryDirectory() as folder:
        try:
            inside = install(python, wheel, requirements(chosen), Path(folder) / "environment")
            found = versions(inside, Path(folder))
            check(inside, Path(folder))
        except Exception as exc:
            print(f"{name}, {chosen}: {exc!r}", file=sys.stderr)
            failure = f"**{type(exc).__name__}**"
    return Outcome(name, chosen, found, failure, time.monotonic() - began)


def main(sets: list[str]) -> int:
    """Try every Python with every set of dependencies, print the table, and return the exit status."""
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        wheel, sdist = build(Path(folder))
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes. {sdist.name}: {sdist.stat().st_size:,} bytes.\n")
        print(f"| Python | set | {' | '.join(SHOWN)} | result | time |\n|{'---|' * (len(SHOWN) + 4)}")
        for python in pythons():
            for chosen in sets or SETS:
                outcomes.append(tried(python, chosen, wheel))
                print(outcomes[-1].row(), flush=True)
    return int(any(outcome.failure for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
