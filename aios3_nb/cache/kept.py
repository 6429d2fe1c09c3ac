"""One file of the cache, open: its content is read, and held against its checksums, a block at a time."""

from __future__ import annotations

import io
import mmap
import os
from pathlib import Path
from typing import Self

from aios3_nb.cache.entry import BLOCK, TAIL, CacheEntry, decoded, tail_length
from aios3_nb.cache.folder import is_on_local_disk
from aios3_nb.s3 import crc_named


class DamagedError(Exception):
    """A file of the cache does not hold what was written to it."""


class Kept:
    """An object in the cache; it stays readable when its file is removed meanwhile.

    Attributes:
        path: Its file.
        entry: What is known of it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file at `path`.

        Raises:
            DamagedError: It is no whole file of the cache.
            OSError: It is not there, or cannot be read.
        """
        self.path = path
        self._file = io.FileIO(path)
        try:
            self.entry = self._described()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def block(self, number: int, *, checked: bool = True) -> bytes:
        """Return a block of the content; the last one may be shorter.

        Raises:
            DamagedError: It is not what was written.
        """
        data = bytearray(min(BLOCK, self.entry.size - number * BLOCK))
        self._fill(number, memoryview(data), checked)
        return bytes(data)

    def read_into(self, position: int, view: memoryview, *, checked: bool = True) -> None:
        """Fill `view` from `position` on, which is all there.

        Raises:
            DamagedError: A block of it is not what was written; `view` may hold some of it.
        """
        done = 0
        while done < len(view):
            number, inside = divmod(position + done, BLOCK)
            length = min(BLOCK, self.entry.size - number * BLOCK)
            if not inside and len(view) - done >= length:  # a whole block, without a copy
                count = length
                self._fill(number, view[done : done + count], checked)
            else:
                count = min(length - inside, len(view) - done)
                view[done : done + count] = self.block(number, checked=checked)[inside : inside + count]
            done += count

    def mapped(self) -> memoryview | None:
        """Return the content as memory that is the file's own until it is written to; None where that is not safe.

        It may be changed, and the file stays as it is. What is in it is checked by `check`.
        """
        if not self.entry.size or not is_on_local_disk(self.path):
            return None
        # It keeps the file itself, also when that is removed or this is closed.
        return memoryview(mmap.mmap(self._file.fileno(), self.entry.size, access=mmap.ACCESS_COPY))

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.entry.size // BLOCK)

    def check(self, first: int = 0, stop: int | None = None) -> None:
        """Read the blocks from `first` up to `stop`, or to the end.

        Raises:
            DamagedError: One is not what was written.
        """
        buffer = memoryview(bytearray(min(BLOCK, self.entry.size)))
        for number in range(first, self.blocks if stop is None else min(stop, self.blocks)):
            self._fill(number, buffer[: self.entry.size - number * BLOCK], checked=True)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _described(self) -> CacheEntry:
        size = os.fstat(self._file.fileno()).st_size
        try:
            length = tail_length(self._read_at(max(0, size - TAIL), TAIL), size)
            entry = decoded(self._read_at(size - TAIL - length, TAIL + length), size)
        except (ValueError, TypeError, KeyError) as exc:
            raise DamagedError(f"{self.path.name}: {exc}") from None
        if entry.name != self.path.name:
            raise DamagedError(f"{self.path.name}: it is another object's")
        return entry

    def _read_at(self, position: int, size: int) -> bytes:
        self._file.seek(position)
        return self._file.read(size)

    def _fill(self, number: int, view: memoryview, checked: bool) -> None:
        self._file.seek(number * BLOCK)
        done = 0
        while done < len(view):
            count = self._file.readinto(view[done:])
            if not count:
                raise DamagedError(f"{self.path.name}: it ends too early")
            done += count
        if checked and crc_of(view) != self.entry.crcs[4 * number : 4 * number + 4]:
            raise DamagedError(f"{self.path.name}: block {number} is not what was written")


def crc_of(data: memoryview, value: int = 0) -> bytes:
    """Return the CRC32 of `data`, behind bytes whose CRC32 is `value`."""
    crc = crc_named("CRC32")
    assert crc is not None
    return crc.digest(crc.function(data, value))
