"""One connection of the server: requests read, answers sent as bent as they are, and how that went noted."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from tests.faults.store import Answer, Request

PIECE = 64 * 1024
"""Bytes written at once; also what may wait in the server's own buffer."""


CATCH_UP = 0.5
"""Seconds for which a slow body makes up; after a longer standstill of the machine it would be there all at once."""


class Handler(Protocol):
    """What a connection needs from the server."""

    def connected(self, connection: Connection) -> int:
        """Take note of a new connection; return its number."""

    def lost(self, connection: Connection) -> None:
        """Take note of its end."""

    def answer(self, request: Request) -> tuple[int, Answer]:
        """Record a request; return its number and what to send."""

    def note(self, number: int, request: Request) -> None:
        """Record how it went."""


class Connection(asyncio.StreamReaderProtocol):
    """One connection of one client: requests in, answers out, until one side has enough.

    Attributes:
        gone: The client has hung up.
        end: The server's socket, and the client's address.
    """

    def __init__(self, handler: Handler) -> None:
        self.gone = asyncio.Event()
        self.end: tuple[socket.socket, object] | None = None
        self._handler = handler
        self._conversation: asyncio.Task[None] | None = None
        super().__init__(asyncio.StreamReader(limit=1 << 20), self._connected)

    def eof_received(self) -> bool:
        self.gone.set()
        super().eof_received()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        self._handler.lost(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """Drop the connection, whatever it is doing."""
        if self._conversation is not None:
            self._conversation.cancel()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.end = writer.get_extra_info("socket"), writer.get_extra_info("peername")
        number = self._handler.connected(self)
        self._conversation = asyncio.create_task(self._converse(reader, writer, number))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        # No buffer of our own: what was written is with the kernel, and a reset loses none of it here.
        writer.transport.set_write_buffer_limits(0)
        try:
            while await self._exchange(await _read_request(reader, writer, number), writer):
                pass
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _exchange(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answer one request and record how that went; return whether the connection may be used again."""
        number, answer = self._handler.answer(request)
        sending = _Sending(self.gone, writer, request.method)
        try:
            keep_alive = await sending.send(answer)
            return keep_alive and request.headers.get("connection", "").lower() != "close"
        finally:
            closed = self.gone.is_set() and not sending.complete
            noted = replace(request, status=answer.status, sent=sending.sent, client_closed=closed, done=True)
            self._handler.note(number, noted)


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    at = time.monotonic()
    method, target, _ = first.split(" ", 2)
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines) if k}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _read_body(reader, headers)
    path, _, query = target.partition("?")
    bucket, _, key = path.lstrip("/").partition("/")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    return Request(method, unquote(bucket), unquote(key), parameters, headers, body, at, connection)


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    if "aws-chunked" not in headers.get("content-encoding", ""):
        return body
    inner = asyncio.StreamReader()
    inner.feed_data(body)
    inner.feed_eof()
    return await _read_chunks(inner)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    """Return a body in chunks, those of HTTP or those of ``aws-chunked``; trailers are skipped."""
    pieces = []
    while length := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        pieces.append(await reader.readexactly(length))
        await reader.readexactly(2)
    while (await reader.readline()).strip():
        pass
    return b"".join(pieces)


class _Sending:
    """One answer on its way.

    Attributes:
        sent: Bytes of body handed to the socket so far.
        complete: The answer was sent to its end, as bent as that may be.
    """

    def __init__(self, gone: asyncio.Event, writer: asyncio.StreamWriter, method: str) -> None:
        self.sent = 0
        self.complete = False
        self._gone = gone
        self._writer = writer
        self._method = method

    async def send(self, answer: Answer) -> bool:
        """Send `answer`; return whether the connection may be used for another."""
        await self._pause(answer.delay)
        if not answer.status:
            await self._end(answer)
            return False
        self._writer.write(_head(answer))
        body = memoryview(b"" if self._method == "HEAD" else answer.body)
        breaks = len(body) if answer.breaks is None else min(answer.breaks, len(body))
        await self._write(body[:breaks], answer.rate)
        if answer.ending and answer.breaks is not None:
            await self._end(answer)
            if answer.ending in {"reset", "close"}:
                self.complete = True
                return False
            await self._write_on(body[breaks:], answer)
        self.complete = True
        return answer.length is not None

    async def _write(self, data: memoryview, rate: float | None) -> None:
        due, length = time.monotonic(), PIECE if rate is None else max(1, min(PIECE, int(rate / 50)))
        for offset in range(0, len(data), length):
            piece = data[offset : offset + length]
            self._writer.write(piece)
            await self._writer.drain()
            self.sent += len(piece)
            if rate is not None:
                now = time.monotonic()
                due = max(due + len(piece) / rate, now - CATCH_UP)
                await self._pause(due - now)
        await self._writer.drain()

    async def _write_on(self, data: memoryview, answer: Answer) -> None:
        if answer.ending in {"stall", "hold"}:
            await self._write(data, answer.rate)
        else:
            await self._write(data, 1 / answer.seconds)

    async def _end(self, answer: Answer) -> None:
        if answer.ending == "stall":
            await self._pause(answer.seconds)
        elif answer.ending == "hold":
            while answer.released is not None and not answer.released.is_set():
                await self._pause(0.02)
        elif answer.ending == "reset":
            _reset(self._writer)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the client hangs up meanwhile.

        Raises:
            ConnectionError: It did.
        """
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._gone.wait(), seconds)
        except TimeoutError:
            return
        raise ConnectionAbortedError


def _head(answer: Answer) -> bytes:
    status = HTTPStatus(answer.status)
    headers = dict(answer.headers)
    if answer.length is not None:
        headers["Content-Length"] = str(answer.length)
    else:
        headers["Connection"] = "close"
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a RST instead of a FIN, as a socket does that must not linger."""
    found: socket.socket = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
