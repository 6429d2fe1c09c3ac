"""A body that did not say how long it is, once it is there: its bytes from a temporary file."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Awaitable, Callable

from aios3_nb.s3 import BodyEndedError
from aios3_nb.streams.body import Body

_IN_MEMORY = 8 * 1024 * 1024
"""Bytes that are held without a file."""


class Spooled:
    """Takes the place of a `Body`, and gives the bytes at any position.

    Attributes:
        position: Offset in the object of the next byte.
        stop: Offset in the object after the last byte.
    """

    usable = True
    finished = False
    """It can give every byte again."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed by `close`
        self._start = 0
        self.position = 0
        self.stop = 0

    async def fill(self, body: Body, most: int | None, length: Callable[[], Awaitable[int]]) -> int:
        """Take all of `body`, and return its length; see `Body.take_all`.

        Raises:
            BodyEndedError: It ended with the connection, before it had the `length` that is asked for then.
        """
        least = 0 if body.tells_its_end else await length()
        found = await body.take_all(self._file, most)  # type: ignore[arg-type]  # it is a BinaryIO in all but name
        if found < least:
            raise BodyEndedError(f"the body ended {least - found:,} bytes early")
        return found

    def place(self, start: int, stop: int) -> None:
        """Say which bytes of the object they are."""
        self._start = self.position = start
        self.stop = stop

    def reaches(self, position: int) -> bool:
        """Whether it has the byte at `position`."""
        return self._start <= position < self.stop

    async def read_into(self, view: memoryview, took: Callable[[int], None]) -> None:
        """Fill `view`, or as much of it as there is."""
        self._file.seek(self.position - self._start)
        data = self._file.read(min(len(view), self.stop - self.position))
        view[: len(data)] = data
        self.position += len(data)
        took(len(data))

    def here(self) -> None:
        """Return None: it is read as any other."""

    async def skip(self, position: int) -> None:
        """Go on at `position`."""
        self.position = position

    def watched(self) -> contextlib.AbstractContextManager[None]:
        """Nothing can fall silent any more."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
