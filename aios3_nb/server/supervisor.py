"""Run one program for as long as an owner lives: a script of its own, which `local` starts.

    python -IS _supervisor.py FOLDER LEFTOVERS PROGRAM ARGUMENTS...

The owner holds the other end of this script's standard input. The end of that pipe means that the owner is gone,
however it went, SIGKILL included. Then the program is killed, and removed are FOLDER, which holds its data and its
log, and LEFTOVERS, a JSON list of files elsewhere. This works on every system, which "die with your parent" flags
do not (and on Linux theirs is tied to the parent's *thread*).

Orders are lines on standard input, answers lines on standard output:

    start   start the program         -> "started"
    kill    kill it, at once          -> "killed"
    poll    ask how it is             -> "running", or "ended STATUS"

The standard library only, and none of this package: it starts in some 20 ms.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

LOG = "log.txt"
ORPHAN_CHECK_SECONDS = 1.0


class Program:
    """The supervised program; at most one process of it at a time."""

    def __init__(self, argv: Sequence[str], folder: Path) -> None:
        self._argv = argv
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the program in its folder, its output appended to the log."""
        self.kill()
        with (self._folder / LOG).open("ab") as log:
            # The pipe to the owner is not for the program: it would take its orders, or keep it open.
            self._process = subprocess.Popen(  # noqa: S603  what the owner named
                self._argv, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return "started"

    def kill(self) -> str:
        """Kill the program, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        return "killed"

    def poll(self) -> str:
        """Return whether the program runs."""
        status = None if self._process is None else self._process.poll()
        return "running" if status is None else f"ended {status}"


def supervise(folder: Path, leftovers: Sequence[str], argv: Sequence[str]) -> None:
    """Follow the owner's orders until it is gone; then leave nothing behind."""
    program = Program(argv, folder)
    try:
        for order in _orders():
            print({"start": program.start, "kill": program.kill, "poll": program.poll}[order](), flush=True)
    finally:
        program.kill()
        for path in leftovers:
            Path(path).unlink(missing_ok=True)
        _remove(folder)


def _orders() -> Iterator[str]:
    """Yield order after order; ends when the owner has closed the pipe or is no longer our parent."""
    owner = os.getppid()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    # A process that the owner forked holds the pipe open after the owner has died, hence the second sign.
    while os.getppid() == owner:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=ORPHAN_CHECK_SECONDS)
            if not line:
                return
            yield line.strip()


def _read(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    lines.put("")


def _remove(folder: Path) -> None:
    """Remove `folder`; Windows lets go of a dead process's files only after a moment."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _exit(*_: object) -> NoReturn:
    raise SystemExit


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _exit)
    supervise(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:])
    # The reading thread may still sit on the pipe, whose lock an orderly exit would wait for.
    os._exit(0)
