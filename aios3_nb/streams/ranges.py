"""Several ranges of one version of an object, fetched side by side; those that lie close together as one.

Ranges are half open, ``[start, stop)``, as everywhere; only what the caller wants may leave bounds out, or count them
from the end, as slices of Python do.
"""

from __future__ import annotations

import asyncio
import bisect
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aios3_nb.settings import KIB, Settings
from aios3_nb.streams.judge import RangesIgnoredError
from aios3_nb.streams.object import ObjectInfo
from aios3_nb.streams.source import ObjectSource

MAX_GAP = 64 * KIB
"""Bytes between two ranges that cost less than a request of their own: some 2 ms of CPU, and a round trip."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bytes of an object, as a slice names them: None is the beginning or the end, negative counts from the end."""

    start: int | None = None
    stop: int | None = None

    def within(self, size: int) -> tuple[int, int]:
        """Return the range in an object of `size` bytes; it may be empty, and never reaches beyond the end."""
        start, stop, _ = slice(self.start, self.stop).indices(size)
        return start, max(start, stop)


def joined(ranges: Sequence[tuple[int, int]], *, max_gap: int = MAX_GAP) -> list[tuple[int, int]]:
    """Return the fewest ranges, in order, that hold all `ranges` and no gap of more than `max_gap` bytes."""
    spans: list[tuple[int, int]] = []
    for start, stop in sorted(one for one in ranges if one[0] < one[1]):
        if spans and start <= spans[-1][1] + max_gap:
            spans[-1] = spans[-1][0], max(spans[-1][1], stop)
        else:
            spans.append((start, stop))
    return spans


async def read_ranges(
    source: ObjectSource, wanted: Sequence[Wanted], settings: Settings, *, max_gap: int = MAX_GAP
) -> list[bytes]:
    """Return the bytes of each of `wanted`, in this order, all of one version of the object.

    Raises:
        ObjectChangedError: The object was replaced meanwhile.
        S3Error: See `ObjectSource.fill`.
    """
    if not wanted:
        return []
    try:
        info = source.info or await _begin(source, wanted, settings, max_gap)
        ranges = [one.within(info.size) for one in wanted]
        spans = joined(ranges, max_gap=max_gap)
        memory = {span: memoryview(bytearray(span[1] - span[0])) for span in spans}
        await _fill(source, memory, settings)
        return [_cut(spans, memory, start, stop) for start, stop in ranges]
    finally:
        source.abort()


async def _begin(source: ObjectSource, wanted: Sequence[Wanted], settings: Settings, max_gap: int) -> ObjectInfo:
    """Learn the object's version by the first request that is needed anyway, if its place is known already."""
    known = [(one.start or 0, one.stop) for one in wanted if (one.start or 0) >= 0]
    bounded = [(start, stop) for start, stop in known if stop is not None and stop > start]
    if bounded:
        start, stop = joined(bounded, max_gap=max_gap)[0]
        return await source.begin(start, min(stop - start, settings.part_size))
    if any(stop is None for _, stop in known):
        return await source.begin(min(start for start, stop in known if stop is None), settings.part_size)
    return await source.head()


async def _fill(source: ObjectSource, memory: dict[tuple[int, int], memoryview], settings: Settings) -> None:
    pieces = [
        (start, min(start + settings.part_size, span[1]), view[start - span[0] :])
        for span, view in memory.items()
        for start in range(span[0], span[1], settings.part_size)
    ]
    try:
        await _side_by_side(source, pieces)
    except RangesIgnoredError:  # and `source.sequential` is set now
        await _side_by_side(source, pieces)


async def _side_by_side(source: ObjectSource, pieces: Sequence[tuple[int, int, memoryview]]) -> None:
    gate = asyncio.Semaphore(source.concurrency)

    async def one(start: int, stop: int, view: memoryview) -> None:
        async with gate:
            await source.fill(start, stop, _in(view[: stop - start]), lambda _: None)

    tasks = [asyncio.get_running_loop().create_task(one(*piece)) for piece in pieces]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _in(view: memoryview) -> Callable[[], Awaitable[memoryview]]:
    async def memory() -> memoryview:
        return view

    return memory


def _cut(spans: Sequence[tuple[int, int]], memory: dict[tuple[int, int], memoryview], start: int, stop: int) -> bytes:
    if start == stop:
        return b""
    span = spans[bisect.bisect_right(spans, (start, math.inf)) - 1]
    return bytes(memory[span][start - span[0] : stop - span[0]])
