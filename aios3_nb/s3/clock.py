"""Bounds on waiting that count only the time in which the loop turned.

In a notebook the loop stands still while Python unpickles or the user thinks between two reads. A plain
timeout that ran out meanwhile would cancel a request whose answer is already there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

_TICKS = 8
"""Looks at the clock within one bound; a loop that is away is noticed with that precision."""


@contextlib.asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """Bound the time of the body, like `asyncio.timeout`, in time that the loop turned.

    Raises:
        TimeoutError: The body took longer.
    """
    async with asyncio.timeout(seconds) as limit:

        def extend(late: float) -> None:
            when = limit.when()
            if late and when is not None and not limit.expired():
                limit.reschedule(when + late)

        ticker = Ticker(seconds / _TICKS, extend)
        try:
            yield
        finally:
            ticker.stop()


class Ticker:
    """Calls ``on_tick(late)`` about every `step` seconds while the loop turns.

    ``late`` is the time in which the loop was away, 0.0 when it was not. After an absence the tick comes
    before the timers that ran out meanwhile, since it was due earlier than they were.
    """

    def __init__(self, step: float, on_tick: Callable[[float], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._step = step
        self._on_tick = on_tick
        self._handle = self._arm()

    def stop(self) -> None:
        self._handle.cancel()

    def _arm(self) -> asyncio.TimerHandle:
        self._due = self._loop.time() + self._step
        return self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        late = self._loop.time() - self._due
        self._handle = self._arm()
        self._on_tick(late if late > self._step else 0.0)
