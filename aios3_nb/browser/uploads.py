"""Files that the page sends: asked for piece by piece, each when there is room for it.

The page keeps the file and hands over slices of it, so a file may be of any size; nothing is held here but a few
pieces that wait for S3.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from aios3_nb.errors import S3Error
from aios3_nb.settings import MIB
from aios3_nb.text import visible

PIECE = 1 * MIB
"""Bytes of one message: Jupyter servers refuse those of 10 MB and more."""

_AHEAD = 4
"""Pieces that are asked for before the first of them is stored: a page far away answers late."""

_PATIENCE = 60.0
"""Seconds without a piece after which the page is taken for gone."""


class SentFile:
    """One file of the page, as a `LocalFile`; made on the background loop.

    Args:
        name: As the page calls it; only its last part counts.
        size: Bytes that the page says it has.
        ask: Asks the page for the piece that begins at a byte.
    """

    def __init__(self, name: str, size: int, ask: Callable[[int], None], done: Callable[[], None]) -> None:
        self.name = name.replace("\\", "/").rpartition("/")[2] or "upload"
        self.size = size
        self._ask = ask
        self._done = done
        self._wanted: set[int] = set()
        self._came: dict[int, bytes] = {}
        self._arrived = asyncio.Event()

    def take(self, at: int, data: bytes) -> None:
        """Take a piece that came, in whatever order the page has read them; on the loop."""
        if at in self._wanted:
            self._wanted.remove(at)
            self._came[at] = data
            self._arrived.set()

    async def pieces(self, size: int) -> AsyncIterator[bytes]:
        asked = done = 0
        while done < self.size:
            while asked < min(self.size, done + _AHEAD * PIECE):
                self._wanted.add(asked)
                self._ask(asked)
                asked += PIECE
            data = await self._piece(done)
            done += len(data)
            yield data

    def close(self) -> None:
        self._done()

    async def _piece(self, at: int) -> bytes:
        while at not in self._came:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), _PATIENCE)
            except TimeoutError:
                raise S3Error(
                    f"The page sends no more of {visible(self.name)}. Nothing was stored; drop it again."
                ) from None
        data = self._came.pop(at)
        if len(data) != min(PIECE, self.size - at):
            raise S3Error(f"{visible(self.name)} could not be read to its end by the page. Nothing was stored.")
        return data


class Uploads:
    """The files that one panel's page is sending, by the number that the page gave them.

    Args:
        ask: Sends the page a message.
    """

    def __init__(self, ask: Callable[[dict[str, Any]], None]) -> None:
        self._ask = ask
        self._files: dict[int, SentFile] = {}

    def begin(self, number: int, name: str, size: int) -> SentFile:
        """Return the file that the page calls `number`; nothing of it is asked for yet."""

        def ask(at: int) -> None:
            self._ask({"is": "piece", "file": number, "at": at, "size": PIECE})

        def done() -> None:
            if self._files.pop(number, None) is not None:
                self._ask({"is": "taken", "file": number})

        file = self._files[number] = SentFile(name, size, ask, done)
        return file

    def take(self, number: int, at: int, data: bytes) -> None:
        """Take a piece; one of a file that is not wanted any more is dropped."""
        file = self._files.get(number)
        if file is not None:
            file.take(at, data)
