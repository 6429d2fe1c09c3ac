"""Looking into an object without loading it: bounded ranges, an outline, nothing executed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from aios3_nb.errors import ObjectChangedError, S3Error, TruncatedError
from aios3_nb.formats import HEAD_SIZE, Held, codec_name, decompressed, mistaken_for, recognise
from aios3_nb.formats.pickle import other_kind
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
    outline_path,
    outline_pickle,
    outline_problem,
)
from aios3_nb.settings import KIB, MIB
from aios3_nb.streams import Checksum, Monitor, ObjectInfo, ObjectSource, stored_checksum

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
    """Ranges of one version of an object, each one request; the head is kept.

    Args:
        order: The object.
        counter: Told of every request.
        asks: Whether to ask for what the object is checked by, too.
    """

    def __init__(self, order: Order, counter: _Counter, *, asks: bool = True) -> None:
        self._source = ObjectSource(order.uri, order.settings, counter)
        self._head = b""
        self._asks = asks
        self._checksum: asyncio.Task[Checksum] | None = None

    async def begin(self) -> ObjectInfo:
        info = await self._source.begin(0, _HEAD)
        if self._asks and info.size:
            # Beside the looking: an answer to a range does not say it.
            self._checksum = asyncio.get_running_loop().create_task(stored_checksum(self._source))
        self._head = await self._source.read(0, min(_HEAD, info.size))
        return info

    async def read(self, start: int, stop: int) -> bytes:
        """Return the bytes `start` to `stop`."""
        if stop <= len(self._head):
            return self._head[start:stop]
        return await self._source.read(start, stop)

    async def checked_by(self) -> str:
        """Return what the object is checked by when it is loaded; empty if that was not asked."""
        if self._checksum is None:
            return ""
        try:
            return (await self._checksum).words
        except ObjectChangedError:
            raise
        except S3Error as exc:  # the looking itself went well
            return f"nothing (HEAD failed: {type(exc).__name__})"

    async def close(self) -> None:
        if self._checksum is not None:
            self._checksum.cancel()
            await asyncio.gather(self._checksum, return_exceptions=True)
        self._source.abort()


def look_into(order: Order) -> Peek:
    """Return what is in the object of `order`; works with and without a running loop."""
    counter = _Counter()
    way = bridge()
    ranges = _Ranges(order, counter)
    with interruptible(), named(order.uri):
        try:
            info = way.run(ranges.begin)
            peeked = _outlined(order, info, lambda start, stop: way.run(ranges.read, start, stop), counter)
            return replace(peeked, checked_by=way.run(ranges.checked_by), requests=counter.requests)
        finally:
            way.run(ranges.close)


async def alook_into(order: Order, *, max_bytes: int = MAX_BYTES, contents_only: bool = False) -> Peek:
    """Await what `peek` returns; `max_bytes` are fetched at most, and nothing is asked but the `contents_only`."""
    counter = _Counter()
    way = thread_bridge(asyncio.get_running_loop())
    ranges = _Ranges(order, counter, asks=not contents_only)
    with named(order.uri):
        try:
            info = await ranges.begin()

            def read(start: int, stop: int) -> bytes:
                return way.run(ranges.read, start, stop)

            peeked = await in_thread(lambda: _outlined(order, info, read, counter, max_bytes), lambda: None)
            return replace(peeked, checked_by=await ranges.checked_by(), requests=counter.requests)
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
    left = max_bytes - counter.fetched
    outline: Outline
    if (path := order.reading.path) is not None:
        outline = outline_path(format, path, read, size, max_bytes=left, is_cut=is_cut)
    elif order.format is None and (wrong := mistaken_for(format, head[:HEAD_SIZE])):
        outline = outline_problem(wrong)
    else:
        outline = _outline(format.name, head, size, read, left, is_cut=is_cut)
    return Peek(
        uri=str(order.uri),
        size=info.size,
        etag=info.etag,
        checked_by="",
        format=format.name,
        codec=codec,
        fetched=counter.fetched,
        requests=counter.requests,
        outline=outline,
    )


def _outline(format: str, head: bytes, size: int, read: Reader, max_bytes: int, *, is_cut: bool) -> Outline:
    """Return the outline of what `read` reads; `is_cut` says that this is only a beginning."""
    if format == "pickle" and (kind := other_kind(head)):
        return outline_problem(f"not a pickle: {kind}")
    if format == "pickle":
        return outline_pickle(read, size, max_bytes=max_bytes, is_cut=is_cut)
    if format in ("json", "jsonl", "json-seq"):
        return outline_json(head, size + 1 if is_cut else size)
    if is_cut:
        return outline_other(head, format)
    return outline_contents(format, read, size, max_bytes=max_bytes) or outline_other(head, format)


def _expanded(head: bytes) -> bytes:
    """Return what the beginning of a compressed object expands to, as far as it goes."""
    pieces = bytearray()
    try:
        plain = decompressed(Held(head), max_bytes=None)
        while len(pieces) < _EXPANDED and (piece := plain.read1(64 * KIB)):  # type: ignore[attr-defined]
            pieces += piece
    except TruncatedError:  # of course
        pass
    except S3Error:
        if not pieces:
            raise
    return bytes(pieces)
