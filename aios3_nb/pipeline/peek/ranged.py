"""An object as a file of ranges, for those who read tables of contents: a bounded number of bytes, and no more."""

from __future__ import annotations

import io
from collections.abc import Callable

from aios3_nb.errors import S3Error
from aios3_nb.settings import KIB

_BLOCK = 32 * KIB


class TooMuchError(S3Error):
    """More of the object was wanted than a look may fetch."""


class RangedFile(io.RawIOBase):
    """A seekable file whose reads are ranges, fetched in blocks that are kept.

    Args:
        read_range: Returns the bytes from start to stop; each call is a request.
        size: Of the object.
        most: Bytes fetched at most.

    Raises:
        TooMuchError: When more is read.
    """

    def __init__(self, read_range: Callable[[int, int], bytes], size: int, *, most: int) -> None:
        self._read_range = read_range
        self._size = size
        self._left = most
        self._at = 0
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        base = (0, self._at, self._size)[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # any writable buffer
        wanted = min(len(buffer), max(0, self._size - self._at))
        data = self._bytes(self._at, self._at + wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _bytes(self, start: int, stop: int) -> bytes:
        if start >= stop:
            return b""
        first, last = start // _BLOCK, (stop - 1) // _BLOCK
        missing = [number for number in range(first, last + 1) if number not in self._blocks]
        if missing:
            self._fetch(missing[0], missing[-1] + 1)
        joined = b"".join(self._blocks[number] for number in range(first, last + 1))
        return joined[start - first * _BLOCK : stop - first * _BLOCK]

    def _fetch(self, first: int, stop: int) -> None:
        begin, end = first * _BLOCK, min(stop * _BLOCK, self._size)
        if end - begin > self._left:
            raise TooMuchError("More of it would have to be fetched than a preview may.")
        self._left -= end - begin
        data = self._read_range(begin, end)
        for number in range(first, stop):
            self._blocks[number] = data[(number - first) * _BLOCK : (number - first + 1) * _BLOCK]
