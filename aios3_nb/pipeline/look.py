"""Looking into an object without loading it: bounded ranges, an outline, nothing executed."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import BinaryIO, cast

from aios3_nb.errors import S3Error
from aios3_nb.formats import HEAD_SIZE, codec_name, decompressed, recognise
from aios3_nb.loop import bridge, in_thread, interruptible, thread_bridge
from aios3_nb.pipeline.named import named
from aios3_nb.pipeline.order import Order
from aios3_nb.pipeline.peek import (
    MAX_BYTES,
    Outline,
    Peek,
    outline_contents,
    outline_json,
    outline_other,
    outline_pickle,
)
from aios3_nb.settings import KIB, MIB
from aios3_nb.streams import Monitor, ObjectInfo, ObjectSource

_HEAD = 128 * KIB
"""The first request; what most pickles of arrays need is in it."""

_EXPANDED = 1 * MIB
"""Bytes of a compressed object's content that are looked at."""

Reader = Callable[[int, int], bytes]


class _Counter(Monitor):
    """Counts what looking costs."""

    def __init__(self) -> None:
        self.fetched = 0
        self.requests = 0

    def requested(self) -> None:
        self.requests += 1

    def received(self, count: int) -> None:
        self.fetched += count


class _Ranges:
    """Ranges of one version of an object, each one request; the head is kept."""

    def __init__(self, order: Order, counter: _Counter) -> None:
        self._source = ObjectSource(order.uri, order.settings, counter)
        self._head = b""

    async def begin(self) -> ObjectInfo:
        info = await self._source.begin(0, _HEAD)
        self._head = await self._source.read(0, min(_HEAD, info.size))
        return info

    async def read(self, start: int, stop: int) -> bytes:
        """Return the bytes `start` to `stop`."""
        if stop <= len(self._head):
            return self._head[start:stop]
        return await self._source.read(start, stop)

    async def close(self) -> None:
        self._source.abort()


def look_into(order: Order) -> Peek:
    """Return what is in the object of `order`; works with and without a running loop."""
    counter = _Counter()
    way = bridge()
    ranges = _Ranges(order, counter)
    with interruptible(), named(order.uri):
        try:
            info = way.run(ranges.begin)
            return _outlined(order, info, lambda start, stop: way.run(ranges.read, start, stop), counter)
        finally:
            way.run(ranges.close)


async def alook_into(order: Order, *, max_bytes: int = MAX_BYTES) -> Peek:
    """Await what `peek` returns; `max_bytes` are fetched at most."""
    counter = _Counter()
    way = thread_bridge(asyncio.get_running_loop())
    ranges = _Ranges(order, counter)
    with named(order.uri):
        try:
            info = await ranges.begin()

            def read(start: int, stop: int) -> bytes:
                return way.run(ranges.read, start, stop)

            return await in_thread(lambda: _outlined(order, info, read, counter, max_bytes), lambda: None)
        finally:
            await ranges.close()


def _outlined(order: Order, info: ObjectInfo, read: Reader, counter: _Counter, max_bytes: int = MAX_BYTES) -> Peek:
    head = read(0, min(_HEAD, info.size))
    size, codec, is_cut = info.size, codec_name(head), False
    if codec:
        # What is inside can only be read from its start; a bounded piece of it stands for the whole.
        content = _expanded(head)
        head, size = content, len(content)
        is_cut = info.size > _HEAD or size >= _EXPANDED

        def read(start: int, stop: int) -> bytes:
            return content[start:stop]

    format = recognise(order.uri.key, head[:HEAD_SIZE], order.format)
    outline = _outline(format.name, head, size, read, max_bytes - counter.fetched, is_cut=is_cut)
    return Peek(
        uri=str(order.uri),
        size=info.size,
        etag=info.etag,
        format=format.name,
        codec=codec,
        fetched=counter.fetched,
        requests=counter.requests,
        outline=outline,
    )


def _outline(format: str, head: bytes, size: int, read: Reader, max_bytes: int, *, is_cut: bool) -> Outline:
    """Return the outline of what `read` reads; `is_cut` says that this is only a beginning."""
    if format == "pickle":
        return outline_pickle(read, size, max_bytes=max_bytes, is_cut=is_cut)
    if format in ("json", "jsonl"):
        return outline_json(head, size + 1 if is_cut else size)
    if is_cut:
        return outline_other(head, format)
    return outline_contents(format, read, size, max_bytes=max_bytes) or outline_other(head, format)


def _expanded(head: bytes) -> bytes:
    """Return what the beginning of a compressed object expands to, as far as it goes."""
    pieces = bytearray()
    try:
        plain = decompressed(cast(BinaryIO, io.BufferedReader(io.BytesIO(head))), max_bytes=None)
        while len(pieces) < _EXPANDED and (piece := plain.read1(64 * KIB)):  # type: ignore[attr-defined]
            pieces += piece
    except S3Error:  # cut short, of course
        pass
    return bytes(pieces)
