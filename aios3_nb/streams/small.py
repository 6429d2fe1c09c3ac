"""A small object as a whole: it comes with the first answer, so that nothing has to be planned or fetched ahead.

What is left out, parts in tasks of their own and windows over them, takes a tenth of a millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

_BRIEF = 64 * 1024
"""Bytes that are hashed sooner than it takes to prepare for pieces of them: the slowest hash takes 0.1 ms."""

if TYPE_CHECKING:
    from aios3_nb.streams.check import Check
    from aios3_nb.streams.object import Monitor
    from aios3_nb.streams.source import ObjectSource


async def read_small(source: ObjectSource, check: Check, monitor: Monitor, most: int) -> tuple[bytes, str] | None:
    """Return all bytes of the object, with what the closing line says of its checksum; nobody has asked for it yet.

    Of an object with more than `most` bytes it is None, and the body of the first answer waits at `source`.

    Raises:
        ChecksumError: The bytes are not those that were stored; none, where there were some.
        NotVerifiedError: ``verify="require"``, and there is nothing to check with.
        S3Error: See `ObjectSource.begin` and `ObjectSource.fill`.
    """
    monitor.phase("waiting")
    info = await source.begin(0, None)
    if info.size > most:
        return None
    monitor.phase("downloading")
    data = await source.read_all()
    if not data:
        check.begin(info)
        return data, "empty"
    told = info.checksum or info.etag_checksum
    if told is not None and not check.off and len(data) <= _BRIEF and told.fits(data):
        return data, f"{told} ok"
    check.begin(info)  # which knows what else there may be, and what it means when they differ
    if not check.off:
        await check.ready(0, len(data))
        await check.hash(0, memoryview(data), 0.0, lent=True)
        monitor.phase("verifying")
        await check.judge(len(data))
    return data, check.verdict()
