"""An object as a file of ranges, for those who read tables of contents: a bounded number of bytes, and no more."""

from __future__ import annotations

from collections.abc import Callable

from aios3_nb.errors import S3Error
from aios3_nb.formats import Ranged
from aios3_nb.settings import KIB

_BLOCK = 32 * KIB


class TooMuchError(S3Error):
    """More of the object was wanted than a look may fetch."""


class RangedFile(Ranged):
    """A seekable file whose reads are ranges, fetched in blocks that are kept.

    Args:
        read_range: Returns the bytes from start to stop; each call is a request.
        size: Of the object.
        most: Bytes fetched at most.

    Raises:
        TooMuchError: When more is read.
    """

    def __init__(self, read_range: Callable[[int, int], bytes], size: int, *, most: int) -> None:
        super().__init__(size)
        self._read_range = read_range
        self._left = most
        self._blocks: dict[int, bytes] = {}

    def _fill(self, view: memoryview, start: int) -> None:
        view[:] = self._bytes(start, start + len(view))

    def _bytes(self, start: int, stop: int) -> bytes:
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
