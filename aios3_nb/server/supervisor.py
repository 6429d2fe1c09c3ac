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
    share   let others use it too     -> "shared"
    leave   ask whether others do     -> "kept", or "ending" and nobody is let in any more

To share takes JSON: the path of a note to write, and what to write besides the port where guests come in and the token
that they bring. The program then ends with the last of the owner and the guests. See `sharing.py`.

The standard library only, and none of this package: it starts in some 20 ms.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import queue
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

LOG = "log.txt"
ORPHAN_CHECK_SECONDS = 1.0
GUESTS_CHECK_SECONDS = 0.1
TOKEN_WITHIN_SECONDS = 30.0
"""A guest brings its token at once; a busy machine may keep it from doing so for a while."""
WELCOME = b"in"


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


class Guests:
    """Other processes that use the program: each holds a connection open for as long as it lives."""

    def __init__(self) -> None:
        self._count = 0
        self._is_closed = False
        self._lock = threading.Lock()
        self._token = secrets.token_hex()
        self._note: Path | None = None
        self._said = ""

    def share(self, argument: str) -> str:
        """Open the door, and write the note that says where it is."""
        wanted = json.loads(argument)
        door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._let_in, args=(door,), daemon=True).start()
        self._note = Path(wanted["note"])
        self._said = json.dumps({**wanted, "port": door.getsockname()[1], "token": self._token})
        draft = self._note.with_name(f"{self._note.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._said)
        draft.replace(self._note)
        return "shared"

    def leave(self) -> str:
        """Return whether there are guests; where there are none, let in no more."""
        with self._lock:
            self._is_closed = not self._count
            return "ending" if self._is_closed else "kept"

    def withdraw(self) -> None:
        """Remove the note, unless it has become another's."""
        if self._note is not None:
            with contextlib.suppress(OSError):
                if self._note.read_text() == self._said:
                    self._note.unlink()
                    self._note.parent.rmdir()  # when nothing else is in it

    def _let_in(self, door: socket.socket) -> None:
        while True:
            guest, _ = door.accept()
            threading.Thread(target=self._host, args=(guest,), daemon=True).start()

    def _host(self, guest: socket.socket) -> None:
        with guest, contextlib.suppress(OSError):
            guest.settimeout(TOKEN_WITHIN_SECONDS)
            with guest.makefile("rb") as lines:
                if not hmac.compare_digest(lines.readline(100).strip(), self._token.encode()):
                    return
            with self._lock:
                if self._is_closed:
                    return
                self._count += 1
            try:
                guest.settimeout(None)
                guest.sendall(WELCOME)
                while guest.recv(1024):
                    pass
            finally:
                with self._lock:
                    self._count -= 1


def supervise(folder: Path, leftovers: Sequence[str], argv: Sequence[str]) -> None:
    """Follow the owner's orders until it and all guests are gone; then leave nothing behind."""
    program, guests = Program(argv, folder), Guests()
    ways: dict[str, Callable[[str], str]] = {
        "start": lambda _: program.start(),
        "kill": lambda _: program.kill(),
        "poll": lambda _: program.poll(),
        "share": guests.share,
        "leave": lambda _: guests.leave(),
    }
    try:
        for order in _orders():
            name, _, argument = order.partition(" ")
            print(ways[name](argument), flush=True)
        while guests.leave() == "kept":
            time.sleep(GUESTS_CHECK_SECONDS)
    finally:
        guests.withdraw()
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
