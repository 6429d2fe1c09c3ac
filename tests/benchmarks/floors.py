"""What no way can be faster than: no network at all, or no more than the bytes; see `ways`."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.configuration import BUCKET
from tests.benchmarks.ways import RUN_OPTIONS, WARM_KEY, Load, path_of


def local_pickle(key: str) -> Load:
    """``pickle.load`` of the same file on this machine, from the page cache."""
    path = path_of(key)
    path.read_bytes()

    def load() -> Any:
        with path.open("rb") as file:
            return pickle.load(file)

    return load


def memory_pickle(key: str) -> Load:
    """``pickle.loads`` of bytes in memory, the collector paused."""
    return _paused(pickle.loads, path_of(key).read_bytes())


def memory_json(key: str) -> Load:
    """``json.loads`` of bytes in memory, the collector paused."""
    return _paused(json.loads, path_of(key).read_bytes())


def _paused(decode: Callable[[bytes], Any], data: bytes) -> Load:
    def load() -> Any:
        gc.disable()
        try:
            return decode(data)
        finally:
            gc.enable()

    return load


def bare_request(key: str) -> Load:
    """A request that botocore's signer signs and aiohttp sends, and ``pickle.loads``."""
    import aiohttp
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    name = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    signer = S3SigV4Auth(name, "s3", os.environ["AWS_REGION"])
    loop = asyncio.new_event_loop()

    async def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    client = loop.run_until_complete(session())

    async def load(name: str) -> Any:
        request = AWSRequest("GET", f"{os.environ['AWS_ENDPOINT_URL']}/{BUCKET}/{name}")
        request.context["payload_signing_enabled"] = False
        signer.add_auth(request)
        async with client.get(request.url, headers=dict(request.headers.items())) as answer:
            return pickle.loads(await answer.read())

    loop.run_until_complete(load(WARM_KEY))
    return lambda: loop.run_until_complete(load(key))


_RANGE = 8 << 20
_AT_ONCE = 1 << 18


def bare_buffer(key: str) -> Load:
    """Unsigned ranges over some connections into one buffer, in an event loop; nothing is unpickled or checked."""
    address = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    count, size = RUN_OPTIONS["concurrency"], path_of(key).stat().st_size

    async def worker(connection: _IntoBuffer, starts: list[int]) -> None:
        while starts:
            start = starts.pop()
            await connection.get(start, min(start + _RANGE, size))

    async def load() -> bytearray:
        buffer, starts = bytearray(size), list(range(0, size, _RANGE))[::-1]
        made = [
            asyncio.get_running_loop().create_connection(
                lambda: _IntoBuffer(f"/{BUCKET}/{key}", memoryview(buffer)), address.hostname, address.port
            )
            for _ in range(count)
        ]
        connections = await asyncio.gather(*made)
        await asyncio.gather(*(worker(connection, starts) for _, connection in connections))
        for transport, _ in connections:
            transport.close()
        return buffer

    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(load())  # `asyncio.run` would write out the repr of what it returns


class _IntoBuffer(asyncio.BufferedProtocol):
    """One connection; the body of an answer is received where it belongs in `target`."""

    def __init__(self, path: str, target: memoryview) -> None:
        self.path, self.target = path, target
        self.head, self.scratch = bytearray(), bytearray(1 << 16)
        self.at = self.stop = 0
        self.in_body = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    async def get(self, start: int, stop: int) -> None:
        """Receive the bytes ``[start, stop)``."""
        self.at, self.stop, self.in_body = start, stop, False
        self.head.clear()
        self.done = asyncio.get_running_loop().create_future()
        lines = f"GET {self.path} HTTP/1.1\r\nHost: benchmark\r\nRange: bytes={start}-{stop - 1}\r\n\r\n"
        self.transport.write(lines.encode())
        await self.done

    def get_buffer(self, sizehint: int) -> memoryview:
        if not self.in_body:
            return memoryview(self.scratch)
        # Some kernels set aside as much as they are offered, each time.
        return self.target[self.at : min(self.stop, self.at + _AT_ONCE)]

    def buffer_updated(self, nbytes: int) -> None:
        if self.in_body:
            self.at += nbytes
        else:
            self.head += self.scratch[:nbytes]
            head, end, body = bytes(self.head).partition(b"\r\n\r\n")
            if end:
                assert b" 206 " in head[:16], head
                self.in_body = True
                self.target[self.at : self.at + len(body)] = body
                self.at += len(body)
        if self.in_body and self.at == self.stop:
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.at != self.stop:
            self.done.set_exception(exc or ConnectionError("closed too early"))
