"""The command: ``aios3_nb demo``, ``server``, ``cache`` and ``doctor``; also as ``python -m aios3_nb``."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import aios3_nb
from aios3_nb.cache import cached
from aios3_nb.diagnosis import doctor
from aios3_nb.errors import S3Error
from aios3_nb.server import LocalServer, use_server


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the arguments `argv`, those of the process by default; return the exit status."""
    arguments = _parser().parse_args(argv)
    # An ended terminal or container sends this: leave by the same way as when all is done, closing everything.
    signal.signal(signal.SIGTERM, _exit)
    try:
        if arguments.action == "cache":
            return _cache(arguments.do, arguments.prefix)
        if arguments.action == "doctor":
            return _doctor(arguments.uri)
        with LocalServer() as server:
            use_server(server)
            if arguments.action == "demo":
                return _demo(server, with_lab=not arguments.no_lab)
            command = arguments.command
            return _serve(server, command[1:] if command[:1] == ["--"] else command)
    except S3Error as exc:
        print(f"{type(exc).__name__}: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="aios3_nb", description="Stream pickles and JSON from S3 into a notebook.")
    parser.add_argument("--version", action="version", version=f"aios3_nb {aios3_nb.__version__}")
    actions = parser.add_subparsers(dest="action", required=True, metavar="demo|server|cache|doctor")
    demo = actions.add_parser("demo", help="load samples from an embedded S3 server, then open JupyterLab")
    demo.add_argument("--no-lab", action="store_true", help="stop before JupyterLab")
    server = actions.add_parser("server", help="run the embedded S3 server with its samples")
    # All that follows is the command's, also what looks like an option.
    server.add_argument(
        "command", nargs=argparse.REMAINDER, help="run this, pointed at the server, and end with it: python -c ..."
    )
    cache = actions.add_parser("cache", help="list, check or clear the local cache of objects")
    cache.add_argument("do", nargs="?", choices=["list", "check", "clear"], default="list", help="list (the default)")
    cache.add_argument("prefix", nargs="?", default="", help="only what begins so: s3://bucket/models/")
    doctor = actions.add_parser("doctor", help="print what a report of a problem needs, and try a small load")
    doctor.add_argument("uri", nargs="?", help="the object to try: s3://bucket/key; else a sample")
    return parser


def _doctor(uri: str | None) -> int:
    print(found := doctor(uri))
    return 0 if found.is_well else 1


def _cache(do: str, prefix: str) -> int:
    found = cached(prefix)
    if do == "clear":
        print(found.clear())
    elif do == "check":
        print(report := found.check())
        return 1 if report.damaged else 0
    else:
        print(found)
    return 0


def _demo(server: LocalServer, *, with_lab: bool) -> int:
    from aios3_nb.server import all_samples, put_samples, run_demo

    with contextlib.closing(server.client()) as client:
        put_samples(client)
    if failed := run_demo(all_samples()):
        print(f"\nNot as expected: {', '.join(failed)}")
        return 1
    print("\nEvery sample was loaded and checked.", flush=True)
    return _open_lab() if with_lab else 0


def _open_lab() -> int:
    if not find_spec("jupyterlab"):
        print("To go on in a notebook: pip install jupyterlab", file=sys.stderr)
        return 1
    notebook = _quickstart()
    if notebook is None:
        print("The quickstart notebook is in the repository, under notebooks/. JupyterLab opens here without it.")
    # It says less, so that what it says last is its address.
    command = [sys.executable, "-m", "jupyterlab", "--log-level=WARN"]
    if notebook is not None:
        # Not the file as an argument: the address that is printed, for a machine without a browser, would not open it.
        command += [f"--ServerApp.root_dir={notebook.parent}", f"--LabApp.default_url=/lab/tree/{notebook.name}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container one is root, where Jupyter refuses to start; it still listens on loopback with a token.
        command.append("--allow-root")
    return _run(command)


def _quickstart() -> Path | None:
    """Return the notebook of the checkout that this package, or the working folder, is in."""
    for folder in (Path(aios3_nb.__file__).parents[1], Path.cwd()):
        path = folder / "notebooks" / "quickstart.ipynb"
        if path.is_file():
            return path
    return None


def _serve(server: LocalServer, command: Sequence[str]) -> int:
    from aios3_nb.server import put_samples

    with contextlib.closing(server.client()) as client:
        put_samples(client)
    if command:
        return _run(command)
    print("# An S3 server with samples in s3://demo, until Ctrl-C. To point a shell or a notebook at it:")
    for name, value in server.environ().items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
    while True:
        time.sleep(3600)


def _run(command: Sequence[str]) -> int:
    """Run a command to its end, and return its exit status. It alone decides what Ctrl-C means."""
    before = signal.signal(signal.SIGINT, _ignore)
    try:
        with subprocess.Popen(command) as process:  # noqa: S603  what the user asked for
            try:
                return process.wait()
            finally:
                process.terminate()
    except FileNotFoundError as exc:
        print(f"No such command: {exc.filename}", file=sys.stderr)
        return 127
    finally:
        signal.signal(signal.SIGINT, before)


def _ignore(signum: int, frame: FrameType | None) -> None:
    """Do nothing; SIG_IGN would be inherited by the command."""


def _exit(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


if __name__ == "__main__":
    sys.exit(main())
