"""A small S3 server in a thread of its own; it records every request, and misbehaves when told to.

    with FaultServer() as server:
        server.put("bucket", "key", data, checksum="crc32")
        server.fault(Kind.RESET, at=1000)
        ...                                        # read http://.../bucket/key with whatever is under test
        assert [r.range for r in server.requests] == [...]

It listens on 127.0.0.1, on a free port. Every wait of its own ends when it is stopped or the client hangs up.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.faults.fault import Fault, Kind, answer_bent
from tests.faults.store import NO_HEADERS, Answer, Request, Store, StoredObject, checksum_of, composite_of, etag_of
from tests.faults.wire import Connection

STOP_SECONDS = 60.0
"""Longest wait for the server's thread to begin, and to end: more than a busy machine takes."""


_TURNS = 20
"""Turns of a loop in which it accepts a connection, reads from it, and acts on that; each of them takes one or two."""


class FaultServer:
    """The server. The objects, the faults and the record may be used from any thread."""

    _here: ClassVar[set[FaultServer]] = set()
    """The servers that run in this process now."""

    def __init__(self) -> None:
        self.store = Store()
        self.connections = 0
        self.host = ""
        self.port = 0
        self._faults: list[_Armed] = []
        self._requests: list[Request] = []
        self._open: set[Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault-server", daemon=True)

    def __enter__(self) -> FaultServer:
        """Start to listen."""
        self._thread.start()
        if not self._started.wait(STOP_SECONDS):
            raise TimeoutError("The fault server did not start.")
        self._here.add(self)
        return self

    def __exit__(self, *exc: object) -> None:
        """Drop every connection and stop."""
        self._here.discard(self)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError("The fault server did not stop.")

    @classmethod
    def ends_here(cls) -> list[tuple[socket.socket, object]]:
        """Return this process's ends of the connections to its servers, each with the address of the other end."""
        return [connection.end for server in list(cls._here) for connection in list(server._open) if connection.end]

    @property
    def url(self) -> str:
        """The endpoint, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests so far, in the order in which they arrived."""
        return tuple(self._requests)

    @property
    def strikes(self) -> int:
        """How many times a fault has struck so far."""
        return sum(armed.strikes for armed in self._faults)

    def gets(self, key: str | None = None) -> list[tuple[int, int | None] | None]:
        """Return the ranges of the GETs of objects so far, or of one key; None stands for a plain GET."""
        found = (request for request in self.requests if request.method == "GET" and request.key)
        return [request.range for request in found if key in {None, request.key}]

    def put(
        self,
        bucket: str,
        key: str,
        data: bytes,
        *,
        etag: str | None = None,
        checksum: str | None = None,
        checksum_type: str = "FULL_OBJECT",
        version_id: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        parts: tuple[int, ...] = (),
        lists_parts: bool = False,
    ) -> StoredObject:
        """Store an object; its ETag is its MD5 (of `parts`) unless given, `checksum` names an algorithm."""
        value = checksum_of(checksum, data) if checksum else None
        if checksum and checksum_type == "COMPOSITE":
            value = composite_of(checksum, data, parts)
        etag = etag or etag_of(data, parts)
        stored = StoredObject(data, etag, version_id, value, checksum_type, headers, parts, lists_parts)
        self.store.put(bucket, key, stored)
        return stored

    def fault(self, kind: Kind | Fault, **options: Any) -> None:
        """Arm one more fault; its count of answers starts now."""
        self._faults.append(_Armed(kind if isinstance(kind, Fault) else Fault(kind=kind, **options)))

    @contextlib.contextmanager
    def holding(self, key: str, *, at: int | None = None) -> Iterator[None]:
        """Let no body of `key` go beyond byte `at` of the object meanwhile; beyond its middle if that is None."""
        held = _Armed(Fault(kind=Kind.HOLD, key=key, at=at, times=None))
        self._faults.append(held)
        try:
            yield
        finally:
            self._faults.remove(held)
            held.fault.released.set()

    def reset(self) -> None:
        """Forget faults and requests, those too that were sent and not yet read; objects and connections stay.

        A load that failed may have sent one just before, which would be counted among those of the next.
        """
        self._faults.clear()
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._read_what_was_sent(), self._loop).result(STOP_SECONDS)
        self._requests.clear()
        self.connections = 0

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Connection(self), "127.0.0.1", 0, backlog=512)
        self.host, self.port = server.sockets[0].getsockname()
        self._started.set()
        await self._stopping.wait()
        server.close()
        while self._open:
            for connection in list(self._open):
                connection.abort()
            await asyncio.sleep(0.001)

    async def _read_what_was_sent(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def connected(self, connection: Connection) -> int:
        """Take note of a new connection; return its number."""
        self.connections += 1
        self._open.add(connection)
        return self.connections

    def lost(self, connection: Connection) -> None:
        """Take note of a connection's end."""
        self._open.discard(connection)

    def answer(self, request: Request) -> tuple[int, Answer]:
        """Record `request`; return its number and what to send."""
        self._requests.append(request)
        stored = self.store.find(request.bucket, request.key, request.query.get("versionId"))
        size = None if stored is None else len(stored.data)
        due = [armed.fault for armed in self._faults if armed.is_due(request, size)]
        return len(self._requests) - 1, answer_bent(self.store, request, due)

    def note(self, number: int, request: Request) -> None:
        """Record how a request went."""
        # After a `reset` the number may be that of nobody, or of another request.
        if number < len(self._requests) and self._requests[number].at == request.at:
            self._requests[number] = request


@dataclass
class _Armed:
    fault: Fault
    seen: int = 0
    strikes: int = 0

    def is_due(self, request: Request, size: int | None) -> bool:
        if not self.fault.fits(request, size):
            return False
        self.seen += 1
        behind = self.seen - self.fault.first
        due = behind >= 0 and (self.fault.times is None or behind < self.fault.times)
        self.strikes += due
        return due
