"""An object's bytes in order, fetched ahead of the reader in concurrent parts, verified on the way.

::

    ObjectSource.fill ──> part ─┐
    ObjectSource.fill ──> part ─┼─> in order ──> Verifier ──> window() ──> reader
    ObjectSource.fill ──> slice of the caller's own buffer ──> readinto()

Bytes that were received and wait for the reader, and those just being received, never exceed ``budget``; requests
whose answer has not come need no memory, so that there may be more of them. Buffers are reused while they are warm.
A large `readinto` has no part buffers between: its slices are filled by several connections.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from aios3_nb.errors import AccessDeniedError, ChecksumError, NotVerifiedError, ServiceError, StalledError
from aios3_nb.pipeline.monitor import Monitor
from aios3_nb.s3.object import ObjectInfo
from aios3_nb.settings import MIB, Settings
from aios3_nb.streams import bulk
from aios3_nb.streams.part import Part
from aios3_nb.streams.plan import FIRST, Plan
from aios3_nb.streams.source import ObjectSource
from aios3_nb.streams.verify import Checksum, Verifier, md5_of
from aios3_nb.text import visible

_DIRECT = 2 * MIB
"""From this length on, bytes that were not asked for yet go straight into the reader's buffer."""

_GLIMPSE = 128 * 1024
"""What a reader is shown first, if it asks for less; then twice as much each time, as long as it does not copy.

What it copies is hashed meanwhile, but what it is shown must be hashed before.
"""

_DRAIN = 64 * MIB
"""Bytes behind the end of what was decoded that are read only to finish the checksum."""


class ObjectStream:
    """The bytes of one version of one object, at any position, fastest in order.

    It belongs to the loop that its first coroutine runs on; its coroutines must not run concurrently.

    Args:
        source: The object.
        settings: ``part_size``, ``concurrency``, ``budget``, ``verify`` and ``total_timeout`` count.
        monitor: Told about phases.
        whole: Everything will be read: full speed from the start, by one plain first request.
    """

    def __init__(self, source: ObjectSource, settings: Settings, monitor: Monitor, *, whole: bool) -> None:
        self._source = source
        self._settings = settings
        self._monitor = monitor
        self._whole = whole
        self._plan: Plan | None = None
        self._parts: deque[Part] = deque()
        self._next = 0
        self._origin = 0
        self._direct: tuple[int, memoryview] | None = None
        self._free: list[bulk.Buffer] = []
        self._room = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()
        self._waiter: asyncio.Future[None] | None = None
        self._goal = 0
        """Offset that the reader waits for."""
        self._waited = 0.0
        self._glimpse = _GLIMPSE
        self._failure: BaseException | None = None
        self._verifier = Verifier()
        self._checksum_task: asyncio.Task[None] | None = None
        self._checksum_known = False

    @property
    def info(self) -> ObjectInfo | None:
        """The version that is read; None before the first answer."""
        return self._source.info

    async def size(self) -> int:
        """Return the object's length; a HEAD request when nothing was asked before."""
        self._raise_failure()
        info = self._source.info or await self._source.head()
        return info.size

    async def window(self, position: int, want: int = 1) -> memoryview:
        """Return the bytes at `position` that are there: at least `want`, or those to the end of a part.

        It is empty only at the end of the object, and valid until the next call.

        Raises:
            ChecksumError: These would be the last bytes, and the whole is not what was stored.
            S3Error: See `ObjectSource.fill`.
        """
        self._raise_failure()
        plan = await self._begun(position, want)
        if position >= plan.size:
            return memoryview(b"")
        self._move(position)
        # The reader goes on at once, and meanwhile the loop stands still: requests that can wait are made later.
        eager = self._next - position < self._settings.budget * 3 // 4
        part = await self._arrived(plan, position, want, eager=eager)
        end = min(part.filled, max(part.handed, position - part.start + max(want, self._glimpse)))
        self._glimpse = min(2 * self._glimpse, self._settings.part_size)
        await self._hand_over(part, end)
        # Not up to `filled`: nobody has hashed what comes after `handed`.
        return part.view[position - part.start : part.handed]

    async def readinto(self, position: int, view: memoryview) -> int:
        """Fill `view` from `position` on, until it is full or the object ends; return the bytes written."""
        self._raise_failure()
        plan = await self._begun(position, len(view))
        count = max(0, min(len(view), plan.size - position))
        if not count:
            return 0
        self._move(position)
        if position + count - self._next >= _DIRECT:
            self._direct = (self._next, view[self._next - position : count])
        try:
            await self._copy(plan, position, view[:count])
            return count
        except BaseException:
            # Nobody may write to the caller's memory after this returns.
            await self.drop()
            raise
        finally:
            self._direct = None

    async def finish(self) -> str:
        """Return what the closing line says of the checksum, after reading what little it still lacks.

        Raises:
            ChecksumError: The bytes are not those that were stored.
            NotVerifiedError: ``verify="require"``, and there was nothing to check with.
        """
        plan = await self._begun(0, 1)
        if not plan.size:
            return "empty"
        required = self._settings.verify == "require"
        if self._settings.verify != "off":
            self._monitor.phase("verifying")
            verifier = self._verifier
            while verifier.in_order and verifier.position < plan.size:
                if plan.size - verifier.position > _DRAIN and not required:
                    break
                await self.window(verifier.position, self._settings.part_size)
        verdict = self._verifier.verdict(plan.size)
        if required and not verdict.endswith(" ok"):
            raise self._not_verified(verdict)
        return verdict

    async def drop(self) -> None:
        """Stop fetching and wait until nothing writes any more; the next read begins anew."""
        self._drop_parts()
        while self._ending:
            await asyncio.gather(*self._ending, return_exceptions=True)

    async def aclose(self) -> None:
        """Stop fetching, close every connection, and wait until all tasks have ended."""
        self.abort(ValueError("I/O operation on closed file."))
        if self._checksum_task is not None:
            await asyncio.gather(self._checksum_task, return_exceptions=True)
        await self.drop()
        self._free.clear()

    def abort(self, failure: BaseException) -> None:
        """Stop fetching; from now on every read raises `failure`. Must be called on the stream's loop."""
        if self._failure is None:
            self._failure = failure
        self._drop_parts()
        if self._checksum_task is not None:
            self._checksum_task.cancel()
        self._source.abort()
        self._wake()

    # ---- beginning

    async def _begun(self, position: int, want: int) -> Plan:
        if self._plan is None:
            self._monitor.phase("waiting")
            if self._source.info is None:
                length = None if self._whole and not position else max(FIRST, min(want, self._settings.part_size))
                await self._source.begin(position, length)
                self._next = self._origin = position
            assert self._source.info is not None
            self._plan = Plan(self._source.info.size, self._whole, self._settings)
            self._expect_checksum(self._source.info)
            self._monitor.phase("downloading")
        return self._plan

    def _expect_checksum(self, info: ObjectInfo) -> None:
        """Learn what the bytes must hash to: from this answer, from the ETag of a small object, or later by HEAD."""
        if self._settings.verify == "off":
            self._expect(Checksum(why_not="verify is off"))
        elif info.checksum is not None:
            self._expect(info.checksum)
        elif info.size <= FIRST and (md5 := md5_of(info.answer or {})):
            self._expect(md5)

    def _expect(self, checksum: Checksum) -> None:
        if self._settings.verify == "require" and not checksum.algorithm:
            raise self._not_verified(f"not checked ({checksum.why_not})")
        self._verifier.expect(checksum)
        self._checksum_known = True

    async def _ask_checksum(self) -> None:
        try:
            info = await self._source.head()
        except (AccessDeniedError, ServiceError) as exc:  # a store that knows no HEAD, or does not allow it
            self._expect(Checksum(why_not=f"HEAD failed: {type(exc).__name__}"))
        else:
            assert info.checksum is not None
            self._expect(info.checksum)

    # ---- fetching

    def _move(self, position: int) -> None:
        """Let go of what lies before `position`, and of everything when it leads away from what is fetched."""
        parts = self._parts
        while parts and parts[0].stop <= position:
            self._recycle(parts.popleft())
        if parts and parts[0].start <= position:
            return
        if parts or position != self._next:
            self._drop_parts()
            self._next = self._origin = position

    def _fetch(self, plan: Plan, position: int, want: int) -> None:
        """Start the parts that should be under way now."""
        if self._parts and self._parts[0].done and self._parts[0].ranges_ignored:
            self._drop_parts()
            self._next = position
        run = position - self._origin
        horizon = plan.horizon(position, run, want)
        busy = sum(not part.done for part in self._parts)
        while self._next < plan.size and busy < self._source.concurrency:
            part = self._direct_part()
            if part is None:
                if self._parts and self._next >= horizon:
                    break
                part = Part(self._next, plan.part_stop(self._next, run, want))
            self._start(part)
            busy += 1
        if self._next > FIRST and not self._checksum_known and self._checksum_task is None and not self._origin:
            self._checksum_task = asyncio.get_running_loop().create_task(self._ask_checksum())

    def _direct_part(self) -> Part | None:
        """Return the next slice of the reader's own buffer; None when that is planned to its end."""
        if self._direct is None:
            return None
        begin, target = self._direct
        offset = self._next - begin
        if not 0 <= offset < len(target):
            return None
        length = min(self._settings.part_size, len(target) - offset)
        return Part(self._next, self._next + length, target[offset : offset + length])

    def _start(self, part: Part) -> None:
        self._next = part.stop
        self._parts.append(part)
        task = asyncio.get_running_loop().create_task(
            self._source.fill(part.start, part.stop, lambda: self._memory(part), self._note(part)),
            name=f"aios3_nb part {part.start}",
        )
        part.task = task
        task.add_done_callback(self._ended)

    async def _memory(self, part: Part) -> memoryview:
        """Return where the bytes of `part` go, once there is room within the budget.

        The parts before it get theirs first: the reader waits for the first of them, which always gets it.
        """
        while not part.has_memory:
            held = 0
            for each in self._parts:
                if each is part or not each.has_memory:
                    break
                held += each.length if each.buffer is not None else 0
            if each is part and (each is self._parts[0] or held + part.length <= self._settings.budget):
                pooled = part.length == self._settings.part_size and self._free
                buffer = self._free.pop() if pooled else bulk.buffer(part.length)
                part.buffer, part.view = buffer, memoryview(buffer)
                self._room.set()  # for the next one
            else:
                self._room.clear()
                await self._room.wait()
        return part.view

    def _note(self, part: Part) -> Callable[[int], None]:
        alone = self._source.concurrency == 1

        def progress(filled: int) -> None:
            nonlocal alone
            part.filled = filled
            if alone and self._source.concurrency > 1:
                alone = False
                self._wake()  # further parts may be started
            if self._parts and self._parts[0] is part and part.start + filled >= self._goal:
                self._wake()

        return progress

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()  # it is raised where the reader arrives there; never reaching there is no error
        self._wake()

    def _recycle(self, part: Part) -> None:
        if part.task is not None and not part.task.done():
            self._ending.add(part.task)
            if not part.full:  # else it is about to end by itself
                part.task.cancel()
        self._room.set()
        buffer = part.release()
        if buffer is not None and len(buffer) == self._settings.part_size:
            self._free.append(buffer)

    def _drop_parts(self) -> None:
        while self._parts:
            self._recycle(self._parts.popleft())

    # ---- waiting

    async def _until(self, part: Part, position: int) -> None:
        """Wait until something changed that may bring the reader to `position`; raise what `part` failed of."""
        if part.done:
            if part.ranges_ignored:
                return
            assert part.task is not None
            part.task.result()
        loop = asyncio.get_running_loop()
        left = self._settings.total_timeout - self._waited
        alarm = loop.call_later(max(0.0, left), self._wake)
        began = loop.time()
        self._goal = position
        self._waiter = loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
            alarm.cancel()
            self._waited += loop.time() - began
        self._raise_failure()
        if self._waited >= self._settings.total_timeout:
            raise StalledError(
                f"{self._name()}: waited for the network for {self._settings.total_timeout:g} s in all "
                f"(total_timeout), and reached byte {part.start + part.filled:,}.",
                uri=str(self._source.info.uri if self._source.info else ""),
                offset=part.start + part.filled,
            )

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    # ---- handing over

    async def _arrived(self, plan: Plan, position: int, want: int, *, eager: bool = True) -> Part:
        """Return the part that has the bytes at `position`: at least `want`, or those to its end.

        Further parts are started, unless they are there already and it is not `eager`.
        """
        if (
            not eager
            and self._parts
            and (part := self._parts[0]).filled >= min(position + want, part.stop) - part.start
        ):
            return part
        while True:
            self._fetch(plan, position, want)
            part = self._parts[0]
            end = min(position + want, part.stop)
            if part.filled >= end - part.start:
                return part
            await self._until(part, end)

    async def _copy(self, plan: Plan, position: int, view: memoryview) -> None:
        done = 0
        while done < len(view):
            at = position + done
            self._move(at)
            eager = len(view) - done >= bulk.LONG or self._next - at < self._settings.budget * 3 // 4
            part = await self._arrived(plan, at, len(view) - done, eager=eager)
            self._glimpse = _GLIMPSE
            begin = at - part.start
            end = min(part.filled, begin + len(view) - done)
            if part.buffer is None:  # the bytes are where they belong already
                await self._hand_over(part, end)
            else:
                async with bulk.copying(view[done : done + end - begin], part.view[begin:end]):
                    await self._hand_over(part, end)
            done += end - begin

    async def _hand_over(self, part: Part, end: int) -> None:
        """Hash what `part` has up to `end` and was not handed over before, and judge when it is the last."""
        begin = part.handed
        if begin >= end or self._settings.verify == "off":
            part.handed = max(begin, end)
            return
        assert self._plan is not None
        stop = part.start + end
        last = stop == self._plan.size
        verifier = self._verifier
        if verifier.continues(part.start + begin) and not self._checksum_known and (last or stop > FIRST):
            if self._checksum_task is None:
                self._checksum_task = asyncio.get_running_loop().create_task(self._ask_checksum())
            await self._checksum_task
        data = part.view[begin:end]
        try:
            if len(data) < bulk.LONG or not self._checksum_known:
                verifier.feed(part.start + begin, data)
            else:
                await bulk.beside(lambda: verifier.feed(part.start + begin, data))
        finally:
            part.handed = end  # also when it was cancelled meanwhile: it was hashed nevertheless
        if last and verifier.in_order and (difference := verifier.mismatch()):
            raise ChecksumError(
                f"{self._name()} arrived damaged: {difference}. Nothing of it should be used. Run it again; if "
                "it fails again, the stored object is damaged.",
                uri=self._name(),
                offset=stop,
            )

    def _not_verified(self, verdict: str) -> NotVerifiedError:
        return NotVerifiedError(
            f"{self._name()}: verify is 'require', but the object was {verdict}. Use --verify=auto to load it anyway.",
            uri=self._name(),
        )

    def _name(self) -> str:
        return visible(str(self._source.info.uri)) if self._source.info else "the object"
