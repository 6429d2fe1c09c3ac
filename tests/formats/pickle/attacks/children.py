"""Work in a process of its own, which may crash, hang, or fill its memory."""

from __future__ import annotations

import faulthandler
import json
import mmap
import os
import resource
import signal
import struct
import tempfile
from collections.abc import Callable
from typing import IO, Any

_MEGABYTES = 4096
"""For one child."""


class Place:
    """Where a child is in its work, for its parent to see when it has died."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 16)

    def set(self, number: int, stage: int = 0) -> None:
        self._shared[:16] = struct.pack("<qq", number, stage)

    def get(self) -> tuple[int, int]:
        number, stage = struct.unpack("<qq", self._shared[:16])
        return number, stage


def in_child(work: Callable[[], Any]) -> tuple[dict[str, Any], int, str]:
    """Return what `work` returned in a child, how that ended (a signal; negative: a status), and its last words."""
    with tempfile.TemporaryFile() as result, tempfile.TemporaryFile() as log:
        child = os.fork()
        if child == 0:
            _work(work, result, log)
        _, status = os.waitpid(child, 0)
        result.seek(0)
        log.seek(0)
        told = result.read()
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
        return json.loads(told) if told else {}, ended, log.read().decode("utf-8", "replace")


def _work(work: Callable[[], Any], result: IO[bytes], log: IO[bytes]) -> None:
    try:
        os.dup2(log.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        faulthandler.enable(log)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEGABYTES << 20, _MEGABYTES << 20))
        result.write(json.dumps(work()).encode())
        result.flush()
    except BaseException as exc:
        os.write(2, repr(exc).encode("utf-8", "replace"))
        os._exit(3)
    os._exit(0)


def within(seconds: float) -> None:
    """End this child when it takes longer than `seconds` from now; 0 takes that back.

    The signal's own action ends it: what hangs in compiled code runs no handler.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)
