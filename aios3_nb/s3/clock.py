"""Bounds on waiting that count only the time in which the loop turned.

In a notebook the loop stands still while Python unpickles or the user thinks between two reads. A plain
timeout that ran out meanwhile would cancel a request whose answer is already there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

_TICKS = 8
"""Looks at the clock within one bound; a loop that is away is noticed with that precision."""


class deadline:  # noqa: N801 - it is called like `asyncio.timeout`, and as a generator it would take twice the time
    """Bound the time of the body of an ``async with``, like `asyncio.timeout`, in time that the loop turned.

    Args:
        seconds: They are over: the body ends with a TimeoutError.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit = asyncio.timeout(seconds)
        self._ticker: Ticker | None = None

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        self._ticker = Ticker(self._seconds / _TICKS, self._extend)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._ticker is not None
        self._ticker.stop()
        self._ticker = None  # which holds this
        await self._limit.__aexit__(kind, error, trace)

    def _extend(self, late: float) -> None:
        when = self._limit.when()
        if late and when is not None and not self._limit.expired():
            self._limit.reschedule(when + late)


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
