"""One range of an object on its way into memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from aios3_nb.streams.bulk import Buffer
from aios3_nb.streams.judge import RangesIgnoredError

_NOWHERE = memoryview(b"")


@dataclass(slots=True, eq=False)
class Part:
    """The bytes `start` to `stop`, and the task that fetches them.

    Attributes:
        start: Offset in the object of its first byte.
        stop: Offset in the object after its last byte.
        view: Where they go; empty until the answer has come and there is room for it.
        buffer: Whose memory the view is; None when it is the reader's own, or none yet.
        filled: Bytes that have come.
        handed: Bytes that were hashed, or are just being, and may be shown to the reader.
        asked: When it was asked for, by the monotonic clock.
        answered: When the answer came; 0.0 before.
        began: When there was memory for it as well; 0.0 before.
        reached: Bytes that had come then.
        since: From when on it is watched, by the same clock.
        watched: Seconds for which parts had been watched then.
        seen: Bytes that had come then.
        middle: Such seconds, and bytes that had come, in the middle of the time for which it is watched; None before.
        again: How many times it was asked for again because it was slow.
        task: Fetches them.
        users: Work that reads its memory still, or write to it.
        heir: The part after it whose memory it has a share of; None when it has its own. See `pieces`.
    """

    start: int
    stop: int
    view: memoryview = _NOWHERE
    buffer: Buffer | None = None
    filled: int = 0
    handed: int = 0
    asked: float = 0.0
    answered: float = 0.0
    began: float = 0.0
    reached: int = 0
    since: float = 0.0
    watched: float = 0.0
    seen: int = 0
    middle: tuple[float, int] | None = None
    again: int = 0
    task: asyncio.Task[None] | None = field(default=None, repr=False)
    users: set[asyncio.Future[None]] = field(default_factory=set, repr=False)
    heir: Part | None = field(default=None, repr=False)

    def note(self, tasks: Iterable[asyncio.Future[None]]) -> None:
        """Take note of `tasks` that use its memory until they end."""
        for task in tasks:
            if not task.done():
                self.users.add(task)
                task.add_done_callback(self.users.discard)

    @property
    def length(self) -> int:
        """Bytes it will have."""
        return self.stop - self.start

    @property
    def memory(self) -> int:
        """Bytes that it takes of ours."""
        return 0 if self.buffer is None or self.heir is not None else len(self.buffer)

    @property
    def has_memory(self) -> bool:
        """Whether its bytes have somewhere to go."""
        return bool(self.view)

    @property
    def full(self) -> bool:
        """Whether all its bytes have come; its task may have a step left."""
        return self.filled == self.length

    @property
    def done(self) -> bool:
        """Whether its task has ended, in whatever way."""
        return self.task is not None and self.task.done()

    @property
    def ranges_ignored(self) -> bool:
        """Whether the server answered it with the whole object."""
        task = self.task
        if task is None or not task.done() or task.cancelled():
            return False
        return isinstance(task.exception(), RangesIgnoredError)

    def release(self) -> Buffer | None:
        """Let go of the memory; return the buffer when it is its own, and its task does not write to it any more."""
        if self.heir is not None:
            heir = self.heir
            while heir.heir is not None:  # that was split as well, and may be gone already
                heir = heir.heir
            heir.note([*self.users, *([] if self.task is None else [self.task])])
            return None
        if not self.has_memory or self.task is None or not (self.full or self.task.done()) or self.task.cancelled():
            return None
        self.view.release()
        return self.buffer
