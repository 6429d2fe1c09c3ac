"""Memory that the reader is done with, while threads still copy or hash what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aios3_nb.streams.bulk import Buffer


class Lag:
    """Keeps count of such buffers.

    Args:
        freed: Called with each that nobody uses any more; with None where the wait for that was cancelled.

    Attributes:
        held: Bytes of them.
    """

    def __init__(self, freed: Callable[[Buffer | None], None]) -> None:
        self.held = 0
        self._freed = freed

    def add(self, buffer: Buffer, users: Sequence[asyncio.Future[None]]) -> asyncio.Task[None]:
        """Count `buffer` from now on, and not only when a task has begun; return the one that waits for its `users`."""

        async def wait() -> None:
            await asyncio.wait(users)

        def ended(task: asyncio.Task[None]) -> None:
            self.held -= len(buffer)
            self._freed(None if task.cancelled() else buffer)

        self.held += len(buffer)
        task = asyncio.get_running_loop().create_task(wait())
        task.add_done_callback(ended)  # not at its end: it may be cancelled before it has begun
        return task
