"""Parts of an object on their way, ahead of the reader, within a bound of memory.

Bytes that were received and wait for the reader, and those just being received, never exceed its part of ``budget``;
requests whose answer has not come need no memory, so that there may be more of them. See `pool` for what is whose.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from aios3_nb.s3 import waited_enough
from aios3_nb.settings import Settings
from aios3_nb.streams import bulk
from aios3_nb.streams.lag import Lag
from aios3_nb.streams.part import Part
from aios3_nb.streams.pieces import split
from aios3_nb.streams.plan import Plan
from aios3_nb.streams.source import ObjectSource
from aios3_nb.streams.straggler import Stragglers

_LOOK = 0.02
"""Seconds between two looks at the parts under way."""


class Ahead:
    """Fetches what the reader will want next, in parts side by side, and says when it is there.

    Args:
        source: The object; its size is known.
        plan: What comes next, and in parts of what length.
        settings: ``part_size`` and ``total_timeout`` count.
        position: Where the first request began; its body waits at the source.

    Attributes:
        next: Offset in the object of the first byte that was not asked for yet.
        origin: Offset at which the reader began to go straight on.
        size: Length of the object in bytes.
        waited: Seconds that the reader has waited for the network so far.
        direct: Reader's memory from an offset on, and who works on it, while it is received there; see `receive_into`.
    """

    def __init__(self, source: ObjectSource, plan: Plan, settings: Settings, position: int) -> None:
        self.next = self.origin = position
        self.size = plan.size
        self._source = source
        self._plan = plan
        self._settings = settings
        self._parts: deque[Part] = deque()
        self.direct: tuple[int, memoryview, bulk.Work] | None = None
        self._since = position  # where what the reader had in its own memory ended
        self._pool = source.portion.pool
        self._lag = Lag(self._freed)
        self._ending: set[asyncio.Task[None]] = set()
        self._waiter: asyncio.Future[None] | None = None
        self._stragglers = Stragglers()
        self._goal = 0  # offset that the reader waits for
        self.waited = 0.0
        self._failure: BaseException | None = None
        self._account()

    async def arrived(self, position: int, want: int, *, eager: bool) -> Part:
        """Return the part that has the bytes at `position`: at least `want`, or those to its end.

        Further parts are started, unless they are there already and it is not `eager`.
        """
        while True:
            if self._failure is not None:
                raise self._failure
            if eager or not self._parts:
                self._fetch(position, want)
            part = self._parts[0]
            end = min(position + want, part.stop)
            if part.filled >= end - part.start:
                return part
            if eager:
                await self._until(part, end)
                self.move(position)
            eager = True

    def move(self, position: int) -> None:
        """Let go of what lies before `position`, and of everything when it leads away from what is fetched."""
        parts = self._parts
        while parts and parts[0].stop <= position:
            self._recycle(parts.popleft())
        if parts and parts[0].start <= position:
            return
        if parts or position != self.next:
            self._drop_parts()
            self.next = self.origin = self._since = position

    def receive_into(self, view: memoryview, position: int, work: bulk.Work) -> None:
        """Have bytes that nobody asked for yet received straight into `view`, which begins at `position`."""
        self.direct, self._since = (self.next, view[self.next - position :], work), position + len(view)

    async def drop(self) -> None:
        """Stop fetching and wait until nothing writes any more; the next read begins anew."""
        self._drop_parts()
        cancelled: asyncio.CancelledError | None = None
        while self._ending:
            try:
                # Not gather(): from Python 3.12 on it returns at once when all have ended, before `_ended` was called.
                self._ending -= (await asyncio.wait(self._ending))[0]
            except asyncio.CancelledError as exc:
                cancelled = exc
                for task in self._ending:
                    task.cancel()
        if cancelled is not None:
            raise cancelled
        self._pool.cool()

    async def let_go(self) -> None:
        """Wait until the tasks have ended that are done with the reader's memory: it could not be resized before."""
        while self._ending:
            self._ending -= (await asyncio.wait(self._ending))[0]

    def abort(self, failure: BaseException) -> None:
        """Stop fetching; whoever waits gets `failure`. Must be called on the loop that fetches."""
        self._failure = self._failure or failure
        self._drop_parts()
        self._wake()

    # ---- fetching

    def _fetch(self, position: int, want: int) -> None:
        """Start the parts that should be under way now."""
        if self._parts and self._parts[0].done and self._parts[0].ranges_ignored:
            self._drop_parts()
            self.next = position
        alone = self._source.pace.goes_on
        run = position - (self._since if alone else self.origin)
        horizon = self._plan.horizon(position, run, want, alone=alone)
        while self.next < self.size and self._busy < self._source.concurrency:
            part = self._direct_part()
            if part is None:
                if self._parts and self.next >= horizon:
                    break
                part = Part(self.next, self._plan.part_stop(self.next, run, want, alone=alone))
            self._start(part)

    @property
    def _busy(self) -> int:
        return sum(not part.done for part in self._parts)

    def _direct_part(self) -> Part | None:
        """Return the next slice of the reader's own buffer; None when that is planned to its end."""
        if self.direct is None:
            return None
        begin, target, _ = self.direct
        offset = self.next - begin
        if not 0 <= offset < len(target):
            return None
        length = min(self._settings.part_size, len(target) - offset)
        return Part(self.next, self.next + length, target[offset : offset + length])

    def _start(self, part: Part) -> None:
        if not self._busy:
            self._source.pace.resumed()
        self.next = part.stop
        self._parts.append(part)
        self._account()
        self._ask(part, self._memory)

    def _ask(self, part: Part, memory: Callable[[Part], Awaitable[memoryview]]) -> None:
        self._stragglers.asked(part)
        fill = self._source.fill(part.start, part.stop, lambda: memory(part), self._note(part))
        part.task = asyncio.get_running_loop().create_task(fill, name=f"aios3_nb part {part.start}")
        part.task.add_done_callback(self._ended)

    def _ask_again(self, part: Part) -> None:
        """Have the rest of `part` come over other connections: all that are free, since the reader waits."""
        slow = part.task
        assert slow is not None

        async def memory(piece: Part) -> memoryview:
            await asyncio.wait([slow])  # from now on nobody else writes to it
            return await self._memory(piece)

        pieces = split(self._parts, part, 1 + max(0, self._source.concurrency - self._busy))
        self._source.retry.split(len(pieces))
        self._ending.add(slow)
        slow.cancel()
        for piece in pieces:
            self._ask(piece, memory)

    async def _memory(self, part: Part) -> memoryview:
        """Return where the bytes of `part` go, once there is room within the budget.

        Those before it get theirs first, and that which the reader waits for always, unless some is about to be free.
        """
        self._stragglers.answered(part)
        if part.has_memory and part.buffer is None and self.direct is not None:
            self.direct[2].populate(part.view[part.filled :])
        while not part.has_memory:
            held = self._lag.held
            for each in self._parts:
                if each is part or not each.has_memory:
                    break
                held += each.memory
            if each is part and ((not held and part is self._parts[0]) or self._source.portion.fits(held, part.length)):
                part.buffer = self._pool.buffer(part.length)
                part.view = memoryview(part.buffer)
                self._account()
            else:
                await self._pool.change()
        self._stragglers.began(part)
        return part.view

    def _note(self, part: Part) -> Callable[[int], None]:
        alone = self._source.concurrency == 1

        def progress(filled: int) -> None:
            nonlocal alone
            if part.full:
                return  # what it lacked is asked for again, in parts of their own
            self._source.pace.took(filled - part.filled, busy=self._busy, allowed=self._source.allowed)
            self._stragglers.came(part, filled)
            if part.full:
                self._account()
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
        buffer, part.task = part.release(), None  # its error has frames that have the part, and so its memory
        users = list(part.users)
        if buffer is not None and users:
            self._ending.add(task := self._lag.add(buffer, users))
            task.add_done_callback(self._ended)
        self._account()
        if not self._wants_memory:
            self._pool.cool()
        elif buffer is not None and not users:
            self._pool.give_back(buffer)

    @property
    def _wants_memory(self) -> bool:
        return self.next < self.size or not all(each.has_memory for each in self._parts)

    def _freed(self, buffer: bulk.Buffer | None) -> None:
        if buffer is not None and self._wants_memory:
            self._pool.give_back(buffer)
        self._account()

    def _drop_parts(self) -> None:
        while self._parts:
            self._recycle(self._parts.popleft())

    def _account(self) -> None:
        """Tell the pool what is left to fetch, and what memory is taken."""
        left = self._plan.ahead_of(self.next) + sum(part.length for part in self._parts if not part.full)
        self._source.portion.note(left, self._lag.held + sum(part.memory for part in self._parts))

    # ---- waiting

    async def _until(self, part: Part, position: int) -> None:
        """Wait until something changed that may bring the reader to `position`; raise what `part` failed of."""
        if part.ranges_ignored:
            return
        if part.task is not None and part.task.done():
            part.task.result()
        loop = asyncio.get_running_loop()
        alarm = loop.call_later(min(_LOOK, max(0.0, self._settings.total_timeout - self.waited)), self._wake)
        began = loop.time()
        self._goal = position
        self._waiter = loop.create_future()
        self._source.pace.is_awaited = True
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._source.pace.is_awaited = False
            alarm.cancel()
            self.waited += loop.time() - began
        if self._failure is not None:
            raise self._failure
        for slow in self._stragglers.among(self._parts):
            if self._source.hurries(slow.start + slow.filled):
                self._ask_again(slow)
        if self.waited >= self._settings.total_timeout:
            raise waited_enough(self._source.uri, self._settings, offset=part.start + part.filled)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
