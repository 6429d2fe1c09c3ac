"""The owner's side of `supervisor.py`: a program that ends when this process does, however that comes about."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from aios3_nb.server import supervisor

END_TIMEOUT = 10.0
_LOG_LINES = 12


class Supervision:
    """One supervisor, for one program.

    Args:
        argv: The program and its arguments.
        folder: Where it runs and logs; removed at the end.
        leftovers: Files elsewhere to remove at the end.
        environment: Its environment variables.
    """

    def __init__(
        self, argv: Sequence[str], *, folder: Path, leftovers: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._log = folder / supervisor.LOG
        self._owner = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603  this interpreter, our own file
            [sys.executable, "-IS", supervisor.__file__, str(folder), json.dumps(leftovers), *argv],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Not the owner's: whoever reads that would wait for the supervisor to end as well.
            stderr=subprocess.DEVNULL,
            text=True,
            # Interrupting a kernel signals its whole process group.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
            | getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    @property
    def pid(self) -> int:
        """Of the supervisor; the program is its only child."""
        return self._process.pid

    @property
    def is_ours(self) -> bool:
        """Whether this process is the owner; a fork of it is not, though it has a copy of this object."""
        return self._owner == os.getpid()

    def ask(self, order: str) -> str:
        """Return the answer to an order of `aios3_nb.server.supervisor`; an empty one when the supervisor is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(order, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            return ""
        return self._process.stdout.readline().strip()

    def end(self) -> bool:
        """End the program and the supervisor, and return whether they have: its files are then removed.

        While other processes use the program it goes on without this one.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        is_kept = self.ask("leave") == "kept"
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if is_kept:
            self._process.stdout.close()
            self._process.returncode = 0  # nobody here waits for its end, and need not be warned of that
            return False
        try:
            self._process.wait(timeout=END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        return True

    def last_words(self) -> str:
        """Return the last lines of the program's log, indented."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "".join(f"\n  {line}" for line in lines[-_LOG_LINES:])
