"""A file that gives little at a time, as a slow network does."""

from __future__ import annotations

import io


class Dripping(io.BufferedIOBase):
    """A seekable file whose read1, readinto1, readinto and peek bring at most `chunk` bytes."""

    def __init__(self, data: bytes, chunk: int) -> None:
        self._inner = io.BytesIO(data)
        self._chunk = chunk

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._inner.tell()

    def seek(self, offset, whence=io.SEEK_SET):
        return self._inner.seek(offset, whence)

    def read(self, size=-1):
        return self._inner.read(size)

    def read1(self, size=-1):
        return self._inner.read(self._chunk if size is None or size < 0 else min(size, self._chunk))

    def readinto(self, buffer):
        view = memoryview(buffer).cast("B")[: self._chunk]
        return self._inner.readinto(view)

    readinto1 = readinto

    def readline(self, size=-1):
        return self._inner.readline(size)

    def peek(self, size=0):
        at = self._inner.tell()
        data = self._inner.read(min(max(size, 1), self._chunk))
        self._inner.seek(at)
        return data
