"""Bytes of an object on request, in few ranges: those that are walked through, and not those stepped over."""

from __future__ import annotations

from collections.abc import Callable

_KIB = 1024
_FIRST = 128 * _KIB
_AFTER_A_STEP = 16 * _KIB
_SMALL_STEP = 256 * _KIB
"""After a step up to here there will be more like it soon, so ranges go on growing."""

_LARGEST = 1024 * _KIB


class EndError(Exception):
    """More bytes were asked for than there are."""


class EnoughError(Exception):
    """As much was fetched as was allowed."""


class Ranges:
    """A place in an object, moved forward by reading and by stepping over.

    Ranges grow while they are walked through, and start small again after a step beyond what is there.

    Args:
        reader: Returns the bytes from start to stop; each call is a request.
        size: Of the object.
        max_bytes: Fetched at most.
        max_requests: Made at most.

    Attributes:
        fetched: Bytes asked for so far.
    """

    def __init__(self, reader: Callable[[int, int], bytes], size: int, *, max_bytes: int, max_requests: int) -> None:
        self.fetched = 0
        self._reader = reader
        self._size = size
        self._bytes_left = max_bytes
        self._requests_left = max_requests
        self._window = b""
        self._start = 0
        self._at = 0
        self._next = _FIRST

    @property
    def position(self) -> int:
        """Offset of the next byte."""
        return self._start + self._at

    @property
    def left(self) -> int:
        """Bytes from here to the object's end."""
        return self._size - self.position

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        end = self._at + count
        if end > len(self._window):
            self._fetch(count)
            end = count
        data = self._window[self._at : end]
        self._at = end
        return data

    def take_line(self) -> bytes:
        """Return the bytes up to the next newline, without it."""
        end = self._window.find(b"\n", self._at)
        while end < 0:
            there = len(self._window) - self._at
            self._fetch(there + 1)
            end = self._window.find(b"\n", self._at)
        line = self._window[self._at : end]
        self._at = end + 1
        return line

    def step(self, count: int) -> None:
        """Move on by `count` bytes."""
        if count > self.left:
            raise EndError
        self._at += count
        beyond = self._at - len(self._window)
        if beyond > 0:
            self._start, self._at, self._window = self.position, 0, b""
            if beyond > _SMALL_STEP:
                self._next = _AFTER_A_STEP

    def _fetch(self, count: int) -> None:
        """Have at least `count` bytes from here in the window; what of them is there is kept."""
        if count > self.left:
            raise EndError
        kept = self._window[self._at :]
        start = self.position + len(kept)
        wanted = min(max(self._next, count - len(kept)), self._size - start)
        if wanted > self._bytes_left or not self._requests_left:
            raise EnoughError
        self._start, self._at = self.position, 0
        self._window = kept + self._reader(start, start + wanted)
        self.fetched += wanted
        self._bytes_left -= wanted
        self._requests_left -= 1
        self._next = min(2 * max(self._next, _FIRST // 2), _LARGEST)
        if len(self._window) < count:
            raise EndError
