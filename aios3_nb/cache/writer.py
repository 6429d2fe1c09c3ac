"""An object on its way into the cache: beside its place until it is whole, then there at once."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from aios3_nb.cache.entry import BLOCK, CacheEntry
from aios3_nb.cache.kept import crc_of

UNFINISHED = ".part"
"""End of the names of files that are being written."""


class Writer:
    """Takes an object's bytes in order, as far as they come so, and makes them a file of the cache.

    Attributes:
        position: Bytes that it has.
        why_not: Why it takes no more; empty while it does. Nothing is raised: what was to be kept is loaded anyway.

    Args:
        folder: Of the cached objects; it is there.
    """

    def __init__(self, folder: Path) -> None:
        self.position = 0
        self.why_not = ""
        self._crcs = bytearray()
        self._path = folder / unfinished_name()
        self._file: io.FileIO | None = None
        with self._noting():
            self._file = io.FileIO(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w")

    def put(self, start: int, data: memoryview) -> None:
        """Take `data`, the bytes from `start` on; what it has already is passed over, and so is what leaves a gap."""
        if self._file is None or start > self.position or start + len(data) <= self.position:
            return
        data = data[self.position - start :]
        with self._noting():
            self._hash(data)
            self._write(data)
            self.position += len(data)

    def keep(self, entry: CacheEntry, verdict: str) -> None:
        """Have the file in the place of `entry`, of whose content it has all; it was checked by `verdict`."""
        path = self._path.parent / entry.name[:2] / entry.name
        with self._noting():
            self._write(memoryview(replace(entry, verdict=verdict, crcs=bytes(self._crcs)).encoded()))
            self._close()
            path.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(self._path, path)

    def abandon(self) -> None:
        """Leave nothing."""
        self._close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            self.why_not = exc.strerror or str(exc)
            self.abandon()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _hash(self, data: memoryview) -> None:
        at = self.position
        while data:
            inside = at % BLOCK
            piece = data[: BLOCK - inside]
            value = int.from_bytes(self._crcs[-4:], "big") if inside else 0
            if inside:
                del self._crcs[-4:]
            self._crcs += crc_of(piece, value)
            at, data = at + len(piece), data[len(piece) :]

    def _write(self, data: memoryview) -> None:
        assert self._file is not None
        while data:
            data = data[self._file.write(data) :]


def unfinished_name() -> str:
    """Return a name that nobody else has, and that says who writes."""
    return f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(8)}{UNFINISHED}"


def is_left(name: str, age: float) -> bool:
    """Say whether the file called `name`, which nobody wrote to for `age` seconds, was left by one who is gone."""
    host, pid, _ = name.removesuffix(UNFINISHED).rsplit(".", 2)
    if age > _A_DAY:
        return True
    if host != socket.gethostname() or os.name != "posix":  # elsewhere a signal 0 ends the process
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return False


_A_DAY = 24 * 3600.0
