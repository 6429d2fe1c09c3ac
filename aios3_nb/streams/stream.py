"""An object's bytes in order, fetched ahead of the reader in concurrent parts, verified on the way.

::

    ObjectSource.fill ──> part ─┐
    ObjectSource.fill ──> part ─┼─> Ahead, in order ──> Verifier ──> window() ──> reader
    ObjectSource.fill ──> slice of the caller's own buffer ──> readinto()

A large `readinto` has no part buffers between: its slices are filled by several connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from aios3_nb.s3 import waited_enough
from aios3_nb.settings import MIB, Settings
from aios3_nb.streams import bulk
from aios3_nb.streams.ahead import Ahead
from aios3_nb.streams.check import Check
from aios3_nb.streams.object import Monitor, ObjectInfo
from aios3_nb.streams.part import Part
from aios3_nb.streams.plan import FIRST, Plan, Share
from aios3_nb.streams.ranges import Wanted, read_ranges
from aios3_nb.streams.small import read_small
from aios3_nb.streams.source import ObjectSource

_DIRECT = 2 * MIB
"""From this length on, bytes that were not asked for yet go straight into the reader's buffer."""

_STEP = 4 * MIB
"""Bytes that are hashed, or copied, at once, while the next ones are received."""

_GLIMPSE = 128 * 1024
"""What a reader is shown first, if it asks for less; then twice as much each time, as long as it does not copy.

What it copies is hashed meanwhile, and so is what comes right behind that; else mostly before, see `Check.hash`.
"""


class Tee(Protocol):
    """Gets the bytes of an object beside the reader."""

    async def take(self, start: int, data: memoryview) -> None:
        """Take `data`, the bytes from `start` on; it is lent until this returns."""
        ...


class ObjectStream:
    """The bytes of one version of one object, at any position, fastest in order.

    It belongs to the loop that its first coroutine runs on; its coroutines must not run concurrently.

    Args:
        source: The object.
        settings: ``part_size``, ``concurrency``, ``budget``, ``verify`` and ``total_timeout`` count.
        monitor: Told about phases.
        whole: Everything will be read: full speed from the start, by one plain first request. An attribute as well.
        tee: Is handed all bytes as the reader is.
        share: Of what the reader wants, when it stops once it has that.
    """

    def __init__(
        self,
        source: ObjectSource,
        settings: Settings,
        monitor: Monitor,
        *,
        whole: bool,
        tee: Tee | None = None,
        share: Share | None = None,
    ) -> None:
        self._source = source
        self._settings = settings
        self._monitor = monitor
        self.whole = whole
        self._share = share
        self._ahead: Ahead | None = None
        self._glimpse = _GLIMPSE
        self._failure: BaseException | None = None
        self._check = Check(source, settings)
        self._tee = tee
        self._ranging: asyncio.Future[list[bytes]] | None = None
        self._limit: asyncio.Timeout | None = None

    @property
    def info(self) -> ObjectInfo | None:
        """The version that is read; None before the first answer."""
        return self._source.info

    async def size(self) -> int:
        """Return the object's length; a HEAD request when nothing was asked before."""
        self._raise_failure()
        info = self._source.info or await self._source.head()
        return info.size

    async def begin(self, position: int, want: int, *, unless: str = "") -> None:
        """Ask for the object, so that `info` is known: `want` bytes at `position` will be read first.

        Raises:
            UnchangedError: Its ETag is `unless`.
        """
        self._raise_failure()
        await self._begun(position, want, unless)

    async def take_small(self, most: int) -> tuple[bytes, str] | None:
        """Return what `small.read_small` does, if nothing was asked for yet and all will be read; None otherwise."""
        self._raise_failure()
        if not self.whole or self._source.info is not None or self._tee is not None:
            return None
        self._limit = limit = asyncio.timeout(self._settings.total_timeout)
        try:
            async with limit:
                return await read_small(self._source, self._check, self._monitor, min(most, FIRST))
        except Exception as exc:
            self._raise_failure()
            if isinstance(exc, TimeoutError) and limit.expired():
                raise waited_enough(self._source.uri, self._settings, offset=0) from None
            raise
        finally:
            self._limit = None

    async def window(self, position: int, want: int = 1) -> memoryview:
        """Return the bytes at `position` that are there: at least `want`, or those to the end of a part.

        It is empty only at the end of the object, and valid until the next call.

        Raises:
            ChecksumError: These would be the last bytes, and the whole is not what was stored.
            S3Error: See `ObjectSource.fill`.
        """
        self._raise_failure()
        ahead = await self._begun(position, want)
        if position >= ahead.size:
            return memoryview(b"")
        ahead.move(position)
        # The reader goes on at once, and meanwhile the loop stands still: requests that can wait are made later.
        eager = ahead.next - position < self._source.portion.budget * 3 // 4
        part = await self._arrived(ahead, position, want, eager=eager)
        end = min(part.filled, max(part.handed, position - part.start + max(want, self._glimpse)))
        self._glimpse = min(2 * self._glimpse, self._settings.part_size)
        await self._hand_over(ahead, part, end)
        # Not up to `filled`: nobody has hashed what comes after `handed`.
        return part.view[position - part.start : part.handed]

    async def readinto(self, position: int, view: memoryview) -> int:
        """Fill `view` from `position` on, until it is full or the object ends; return the bytes written."""
        self._raise_failure()
        ahead = await self._begun(position, len(view))
        count = max(0, min(len(view), ahead.size - position))
        if not count:
            return 0
        ahead.move(position)
        direct = position + count - ahead.next >= _DIRECT
        try:
            async with bulk.Work() as work:
                if direct:
                    ahead.receive_into(view[:count], position, work)
                await self._copy(ahead, position, view[:count], work)
            ahead.move(position + count)  # what lies in the caller's memory need not stay what it was
            if direct:
                await ahead.let_go()
            return count
        except BaseException:
            # Nobody may write to the caller's memory after this returns.
            await ahead.drop()
            raise
        finally:
            ahead.direct = None
            if direct:
                await self._check.settle()  # the caller may write to it from now on

    async def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each of `ranges`, ``(start, stop)`` within the object, fetched side by side.

        They are of the same version, and are not held against the checksum, which is that of all bytes.
        """
        self._raise_failure()
        source = ObjectSource(self._source.uri, self._settings, self._monitor, self._source.info, self._source.portion)
        wanted = [Wanted(start, stop) for start, stop in ranges]
        self._ranging = asyncio.ensure_future(read_ranges(source, wanted, self._settings))
        try:
            return await self._ranging
        except asyncio.CancelledError:
            self._raise_failure()
            raise
        finally:
            self._ranging = None

    async def mapped(self) -> memoryview | None:
        """Return None: nothing of it is in memory, or on disk, as a whole."""
        return None

    async def finish(self) -> str:
        """Return what the closing line says of the checksum, after reading what little it still lacks.

        Raises:
            ChecksumError: The bytes are not those that were stored.
            NotVerifiedError: ``verify="require"``, and there was nothing to check with.
        """
        ahead = await self._begun(0, 1)
        if not ahead.size:
            return "empty"
        if not self._check.off:
            self._monitor.phase("verifying")
            await self._check.ready(0, ahead.size)
            await self._check.settle()
            for start, stop in self._check.unread():
                while start < stop:
                    start += len(await self.window(start, min(stop - start, self._settings.part_size)))
        if self._check.damage:
            raise self._check.damaged(ahead.size)
        return self._check.verdict()

    async def aclose(self) -> None:
        """Stop fetching, close every connection, and wait until all tasks have ended."""
        self.abort(ValueError("I/O operation on closed file."))
        await self._check.aclose()
        if self._ahead is not None:
            await self._ahead.drop()

    def abort(self, failure: BaseException) -> None:
        """Stop fetching; from now on every read raises `failure`. Must be called on the stream's loop."""
        if self._failure is None:
            self._failure = failure
        if self._ahead is not None:
            self._ahead.abort(self._failure)
        if self._ranging is not None:
            self._ranging.cancel()
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(0.0)
        self._check.cancel()
        self._source.abort()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    # ---- beginning

    async def _begun(self, position: int, want: int, unless: str = "") -> Ahead:
        if self._ahead is None:
            self._monitor.phase("waiting")
            at = 0
            if self._source.info is None or unless:
                length = None if self.whole and not position else max(FIRST, min(want, self._settings.part_size))
                await self._source.begin(position, length, unless=unless)
                at = position
            assert self._source.info is not None
            plan = Plan(self._source.info.size, self.whole, self._source.portion, self._share)
            self._check.begin(self._source.info)
            self._ahead = Ahead(self._source, plan, self._settings, at)
            if self.whole and not self._source.pace.goes_on:
                self._source.portion.pool.prepare(plan.part_stop(at, 0, 1) - at, plan.size - at)
            self._monitor.phase("downloading")
        return self._ahead

    # ---- handing over

    async def _arrived(self, ahead: Ahead, position: int, want: int, *, eager: bool) -> Part:
        self._check.reach(max(ahead.next, position + want) - ahead.origin)
        return await ahead.arrived(position, want, eager=eager)

    async def _copy(self, ahead: Ahead, position: int, view: memoryview, work: bulk.Work) -> None:
        done = 0
        while done < len(view):
            at = position + done
            ahead.move(at)
            eager = len(view) - done >= bulk.LONG or ahead.next - at < self._source.portion.budget * 3 // 4
            part = await self._arrived(ahead, at, min(_STEP, len(view) - done), eager=eager)
            self._glimpse = _GLIMPSE
            begin = at - part.start
            end = min(part.filled, begin + len(view) - done)
            is_copied = part.buffer is not None  # else the bytes are where they belong already
            if is_copied:
                part.note(work.copy(view[done : done + end - begin], part.view[begin:end]))
            await self._hand_over(ahead, part, end, beside=is_copied)
            done += end - begin

    async def _hand_over(self, ahead: Ahead, part: Part, end: int, *, beside: bool = False) -> None:
        """Hash what `part` has up to `end` and was not handed over before, and judge when nothing is missing."""
        begin = part.handed
        if begin >= end:
            self._check.again(part.start + end)
            return
        start, data = part.start + begin, part.view[begin:end]
        if self._check.off:
            part.handed = end
        else:
            await self._check.ready(start, len(data))
            try:
                part.note(await self._check.hash(start, data, ahead.waited, lent=part.buffer is None, beside=beside))
            finally:
                part.handed = end  # also when it was cancelled meanwhile: it was hashed nevertheless
        if self._tee is not None:
            await self._tee.take(start, data)
        await self._check.judge(part.start + end)
        self._raise_failure()  # it may have been aborted meanwhile, and the memory have gone to somebody else
