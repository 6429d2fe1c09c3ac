"""The body of one answer: its bytes into buffers, watched for silence and dripping."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import aiohttp

from aios3_nb.errors import TooLargeError
from aios3_nb.s3 import BodyEndedError, SilenceError, Ticker
from aios3_nb.settings import Settings
from aios3_nb.streams.receive import Receiver, receiver
from aios3_nb.text import size_text

_TICKS = 8
"""Looks at a body within its shortest bound."""

_SKIP = 256 * 1024


def _ignore(count: int) -> None:
    pass


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
        self._receiver: Receiver | None = None
        self._verdict = ""
        self.position = 0
        self.stop = 0

    @property
    def length_is_unknown(self) -> bool:
        """Whether it does not say how long it is."""
        return "Content-Length" not in self._response.headers

    @property
    def tells_its_end(self) -> bool:
        """Whether it comes in pieces that tell where it ends; others end where the connection does: maybe anywhere."""
        return bool(self._response.headers.get("Transfer-Encoding", "").lower() == "chunked")

    @property
    def finished(self) -> bool:
        """Whether all bytes were taken."""
        return self.position >= self.stop

    def reaches(self, position: int) -> bool:
        """Whether reading on leads to `position`."""
        return self.position <= position

    @property
    def usable(self) -> bool:
        """Whether the connection can still bring bytes."""
        return not self._verdict and self._content.exception() is None

    async def read_into(self, view: memoryview, took: Callable[[int], None]) -> None:
        """Fill `view`, or as much of it as the body has; call ``took(count)`` as bytes come.

        Raises:
            BodyEndedError: The connection ended first.
            SilenceError: `watched` found that it brings nothing, or too little.
            aiohttp.ClientError: The connection broke.
        """
        view = view[: self.stop - self.position]
        while view:
            if self._is_direct():
                await self._receive_into(view, took)
                return
            data = await self._next(len(view))
            view[: len(data)] = data
            view = view[len(data) :]
            took(len(data))

    def here(self) -> bytes | None:
        """Return all of the body, if it is here already: then there is nothing to wait for, or to watch."""
        if self._rest or not self._content.is_eof() or not self.usable:
            return None
        data: bytes = self._content.read_nowait()
        self._received += len(data)
        if len(data) != self.stop - self.position:
            self._rest = memoryview(data)
            return None
        self.position = self.stop
        return data

    async def take_all(self, file: BinaryIO, most: int | None) -> int:
        """Write the body to its proper end into `file`, and return its length; for one that does not announce it.

        Raises:
            TooLargeError: It has more than `most` bytes.
            aiohttp.ClientError: It is cut short, or the connection broke.
            SilenceError: It brings nothing, or too little.
        """
        with self.watched():
            while chunk := await self._received_chunk():
                self._received += len(chunk)
                if most is not None and self._received > most:
                    raise TooLargeError(f"The object has more than --max-bytes {size_text(most)}.")
                file.write(chunk)
        return self._received

    async def skip(self, position: int) -> None:
        """Read on to offset `position` of the object and drop what comes before it."""
        if self.position < position:
            with self.watched():
                while self.position < position:
                    if self._receiver is not None:
                        await self._receive_into(memoryview(bytearray(min(_SKIP, position - self.position))), _ignore)
                    else:
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
        if self._receiver is not None:
            self._receiver.fail(aiohttp.ClientConnectionError("Connection closed"))
        self._response.close()

    def _give_up(self, verdict: str) -> None:
        self._verdict = verdict
        self.close()  # the read that waits ends with a ClientConnectionError

    def _is_direct(self) -> bool:
        if self._receiver is None and not self._rest:
            self._receiver = receiver(self._response, self._received, self.stop - self.position)
        return self._receiver is not None

    async def _receive_into(self, view: memoryview, took: Callable[[int], None]) -> None:
        assert self._receiver is not None

        def count(length: int) -> None:
            self._received += length
            self.position += length
            took(length)

        try:
            await self._receiver.fill(view, count)
        except aiohttp.ClientError:
            if self._verdict:
                raise SilenceError(self._verdict) from None
            raise

    async def _next(self, most: int) -> memoryview:
        if not self._rest:
            self._rest = memoryview(await self._receive())
        data, self._rest = self._rest[:most], self._rest[most:]
        self.position += len(data)
        return data

    async def _received_chunk(self) -> bytes:
        """Return what came; nothing at the end."""
        try:
            chunk: bytes = await self._content.readany()
        except aiohttp.ClientError:
            if self._verdict:
                raise SilenceError(self._verdict) from None
            raise
        return chunk

    async def _receive(self) -> bytes:
        chunk = await self._received_chunk()
        if not chunk:
            raise BodyEndedError(f"the body ended {self.stop - self.position:,} bytes early")
        self._received += len(chunk)
        return chunk
