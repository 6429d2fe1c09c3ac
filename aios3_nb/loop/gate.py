"""Who is let in while others wait outside, in the order in which they came.

`asyncio.Semaphore` is the same, but keeps the loop on which somebody waited; a gate is kept by loop, and would keep it.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Gate:
    """Lets so many bodies of ``async with`` run at once; all of them on one loop.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._free:  # then nobody waits: a place is handed on, and not given up, as long as somebody does
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was this one's turn already
                self._hand_on()
            raise

    async def __aexit__(self, *failure: object) -> None:
        self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
