"""The body of one answer: its bytes into buffers, watched for silence and dripping."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import aiohttp

from aios3_nb._clock import Ticker
from aios3_nb._failures import BodyEndedError, SilenceError
from aios3_nb._settings import Settings

_TICKS = 8
"""Looks at a body within its shortest bound."""


class Body:
    """Bytes `position` to `stop` of an object, as they come from one connection.

    Attributes:
        position: Offset in the object of the next byte.
        stop: Offset in the object after the last byte.
    """

    def __init__(self, streaming_body: Any, settings: Settings) -> None:
        # aiobotocore's body is a proxy of aiohttp's answer (2.x) or has it as raw_stream (3.x). Its content
        # is read directly: chunks come as they were received, without being joined or hashed on the way.
        self._response = getattr(streaming_body, "raw_stream", None) or streaming_body.__wrapped__
        self._content = self._response.content
        self._settings = settings
        self._rest = memoryview(b"")
        self._received = 0
        self._verdict = ""
        self.position = 0
        self.stop = 0

    @property
    def finished(self) -> bool:
        """Whether all bytes were taken."""
        return self.position >= self.stop

    @property
    def usable(self) -> bool:
        """Whether the connection can still bring bytes."""
        return not self._verdict and self._content.exception() is None

    async def read_into(self, view: memoryview) -> int:
        """Write the next bytes to the start of `view`; return how many, at least 1.

        Raises:
            BodyEndedError: The connection ended first.
            SilenceError: `watched` found that it brings nothing, or too little.
            aiohttp.ClientError: The connection broke.
        """
        data = await self._next(len(view))
        view[: len(data)] = data
        return len(data)

    async def skip(self, position: int) -> None:
        """Read on to offset `position` of the object and drop what comes before it."""
        if self.position < position:
            with self.watched():
                while self.position < position:
                    await self._next(position - self.position)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Give the connection up while the body of the ``with`` reads, when it falls silent or drips.

        A read timeout alone never fires on a drip of bytes; so there is a floor as well.
        """
        settings = self._settings
        step = min(settings.read_timeout, settings.floor_seconds) / _TICKS
        seen, slice_start = self._received, self._received
        silent = slice_time = 0.0

        def look(late: float) -> None:
            nonlocal seen, slice_start, silent, slice_time
            if late:  # the loop was away; what came meanwhile is not yet counted
                return
            silent = 0.0 if self._received > seen else silent + step
            slice_time += step
            seen = self._received
            if silent >= settings.read_timeout:
                self._give_up(f"no byte came for {settings.read_timeout:g} s")
            elif slice_time >= settings.floor_seconds:
                if seen - slice_start < settings.floor_bytes:
                    self._give_up(f"only {seen - slice_start:,} bytes came in {settings.floor_seconds:g} s")
                slice_start, slice_time = seen, 0.0

        ticker = Ticker(step, look)
        try:
            yield
        finally:
            ticker.stop()

    def close(self) -> None:
        """Drop the connection, unless it already went back to the pool because all was read."""
        self._rest = memoryview(b"")
        self._response.close()

    def _give_up(self, verdict: str) -> None:
        self._verdict = verdict
        self.close()  # the read that waits ends with a ClientConnectionError

    async def _next(self, most: int) -> memoryview:
        if not self._rest:
            self._rest = memoryview(await self._receive())
        data, self._rest = self._rest[:most], self._rest[most:]
        self.position += len(data)
        return data

    async def _receive(self) -> bytes:
        chunk: bytes
        try:
            chunk, _ = await self._content.readchunk()
        except aiohttp.ClientError:
            if self._verdict:
                raise SilenceError(self._verdict) from None
            raise
        if not chunk:
            raise BodyEndedError(f"the body ended {self.stop - self.position:,} bytes early")
        self._received += len(chunk)
        return chunk
