"""Many pickles in a row: the small and plain ones at the speed of C.

Most are plain data: they import nothing, so there is nothing to look into. Those go to a C unpickler that
refuses every name; what it refuses, or fails at, is given back byte for byte and loaded the careful way, which
also says what was wrong.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from aios3_nb.formats.pickle.glance import extensions_known
from aios3_nb.formats.pickle.plain import NotPlainError, PlainUnpickler

_SHALLOW = 4096
"""Bytes that the unpickler is shown in advance. It copies them for every pickle, and asks for 128 KiB."""

_CHUNK = 64 * 1024
"""Bytes taken from the file at once, as far as they are there."""

_LARGEST = 1024 * 1024
"""Bytes that are kept to be given back; a larger pickle is worth looking into from the start."""

_TRIES = 8
"""Pickles in a row that were not plain, after which no more are tried."""


class Row:
    """A file of pickles, from which plain ones are taken directly; itself the file for all others.

    Args:
        file: Besides what `BinaryIO` promises it has ``read1``, ``readinto`` and ``peek``.
        encoding: Of 8-bit strings of Python 2.
    """

    def __init__(self, file: BinaryIO, encoding: str = "ASCII") -> None:
        self._file: Any = file
        self._encoding = encoding
        self._data = b""
        self._at = 0
        self._mark = 0
        """Where the pickle that is tried begins."""
        self._trying = False
        self._tries = _TRIES

    @property
    def more(self) -> bool:
        """Whether another pickle begins here."""
        return self._at < len(self._data) or self._fill()

    def plain(self) -> Any:
        """Return the object of the next pickle, which imports nothing.

        Raises:
            NotPlainError: It is not one of those; the file stands where it stood.
        """
        if not self._tries or extensions_known():
            raise NotPlainError
        self._mark = self._at
        self._trying = True
        try:
            value = PlainUnpickler(self, encoding=self._encoding).load()
        except Exception as exc:
            self._at = self._mark
            self._tries -= 1
            raise NotPlainError from exc
        finally:
            self._trying = False
        self._tries = _TRIES
        return value

    # ---- the file that unpicklers see

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes."""
        while self._trying and 0 <= size > len(self._data) - self._at and self._fill():
            pass
        data = self._data[self._at :] if size < 0 else self._data[self._at : self._at + size]
        self._at += len(data)
        if len(data) == size or self._trying:
            return data
        rest: bytes = self._file.read(size if size < 0 else size - len(data))
        return data + rest

    def readline(self) -> bytes:
        """Return the next line."""
        while not (stop := self._data.find(b"\n", self._at) + 1) and self._fill():
            pass
        data = self._data[self._at : stop or len(self._data)]
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`."""
        view = memoryview(buffer).cast("B")
        data = self.read(min(len(view), len(self._data) - self._at) if not self._trying else len(view))
        view[: len(data)] = data
        if self._trying or len(data) == len(view):
            return len(data)
        count: int = self._file.readinto(view[len(data) :])
        return len(data) + count

    def peek(self, size: int = 1) -> bytes:
        """Return bytes that come next, without moving on."""
        if self._at == len(self._data) and not self._fill():
            return b""
        return self._data[self._at : self._at + (min(size, _SHALLOW) if self._trying else size)]

    def tell(self) -> int:
        """Return the offset of the next byte."""
        position: int = self._file.tell()
        return position - (len(self._data) - self._at)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to `offset`, as the file itself does."""
        if whence == 1:
            offset, whence = self.tell() + offset, 0
        self._data, self._at = b"", 0
        position: int = self._file.seek(offset, whence)
        return position

    def seekable(self) -> bool:
        """Return whether the file can move."""
        return bool(self._file.seekable())

    def _fill(self) -> bool:
        """Take more of the file; False at its end."""
        first = self._mark if self._trying else self._at
        if self._trying and len(self._data) - first > _LARGEST:
            raise NotPlainError
        more = self._file.read1(_CHUNK)
        self._data = self._data[first:] + more
        self._at -= first
        self._mark = 0
        return bool(more)
