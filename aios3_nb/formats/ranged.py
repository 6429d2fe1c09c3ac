"""A file that is read by ranges of something whose size is known."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Ranged(io.RawIOBase):
    """The place in such a file, and moving about in it; whoever inherits says how a range is filled.

    Args:
        size: Of the file, in bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to `offset`, and return it as counted from the beginning."""
        self._at = max(0, (0, self._at, self._size)[whence] + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`, or what of it the file still has."""
        view = memoryview(buffer).cast("B")
        count = min(len(view), max(0, self._size - self._at))
        if count:
            self._fill(view[:count], self._at)
        self._at += count
        return count

    def _fill(self, view: memoryview, start: int) -> None:
        """Fill all of `view` with the bytes from `start` on."""
        raise NotImplementedError
