"""The connections and the memory of one call, which its loads have together.

Each gets as much of both as it has of the bytes that are left to fetch. One large object beside small ones has nearly
all, and the rest when they are done; so that several loaded at once take no longer than one after the other.
"""

from __future__ import annotations

import asyncio

from aios3_nb.settings import KIB, MIB, Settings
from aios3_nb.streams import bulk

LEAST_PART = 1 * MIB
"""Parts of a whole read are not smaller: a request costs some 2 ms of CPU and a round trip."""

_LEAST = 256 * KIB
"""A shorter part is not worth keeping its buffer for the next one."""

_UNKNOWN = MIB
"""Bytes that a load counts for before its first answer says how many there are."""


class Pool:
    """What one call may have under way and in memory at once. All of its loads run on one loop.

    Args:
        settings: ``concurrency``, ``budget`` and ``part_size`` count.

    Attributes:
        lengths: Those that parts can have, longest first.
        left: Bytes that its loads have yet to fetch.
        held: Bytes of memory that they have.
        loads: How many there are.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lengths = _lengths(settings.part_size, LEAST_PART)
        self.left = 0
        self.held = 0
        self.loads = 0
        self._change = asyncio.Event()
        self._warm: dict[int, list[bulk.Buffer]] = {length: [] for length in _lengths(settings.part_size, _LEAST)}

    def portion(self, size: int | None = None) -> Portion:
        """Return that of one more load, of `size` bytes as far as is known."""
        return Portion(self, _UNKNOWN if size is None else size)

    def buffer(self, length: int) -> bulk.Buffer:
        """Return memory for `length` bytes; one that was used before, if there is."""
        if warm := self._warm.get(length):
            return warm.pop()
        if self.held + self._kept + length > self.settings.budget:
            self.cool()  # they are of another length, from when there were fewer loads, or more
        return bulk.buffer(length)

    def prepare(self, length: int, total: int) -> None:
        """Have memory for parts of `length` ready, while their answers are waited for: for `total` bytes at most."""
        warm = self._warm.get(length)
        room = self.settings.budget - self.held - self._kept
        if warm is not None and not warm and (count := min(room, total) // length) > 1:
            buffers = [bulk.buffer(length) for _ in range(count)]
            warm += reversed(buffers)  # the last one is taken first
            bulk.populate_soon(buffers)

    def give_back(self, buffer: bulk.Buffer) -> None:
        """Have `buffer`, which nobody reads any more, used again if there will be others of its length."""
        if len(buffer) in self._warm:
            self._warm[len(buffer)].append(buffer)

    def changed(self) -> None:
        """Wake who waits for memory: there may be some, or it may be another one's turn."""
        self._change.set()

    async def change(self) -> None:
        """Wait for that."""
        self._change.clear()
        await self._change.wait()

    @property
    def _kept(self) -> int:
        return sum(length * len(warm) for length, warm in self._warm.items())

    def cool(self) -> None:
        """Let go of the buffers that nobody uses just now."""
        for warm in self._warm.values():
            warm.clear()


class Portion:
    """What one load may have of its pool just now; it changes as this load and the others go on.

    Attributes:
        pool: Where it is from.
        left: Bytes that this load has yet to fetch.
        held: Bytes of memory that it has.
    """

    def __init__(self, pool: Pool, size: int) -> None:
        self.pool = pool
        self.left = self.held = 0
        self._ended = False
        pool.loads += 1
        self.note(size, 0)

    def note(self, left: int, held: int) -> None:
        """Take note of what this load has left to fetch, and of what memory it has."""
        if self._ended:
            return
        self.pool.left += left - self.left
        self.pool.held += held - self.held
        self.left, self.held = left, held
        self.pool.changed()

    def end(self) -> None:
        """Leave everything to the others: this load has ended, however."""
        self.pool.loads -= 1
        self.note(0, 0)
        self._ended = True

    @property
    def concurrency(self) -> int:
        """Requests that may be under way at once: one at least, and with those of all others hardly more than all."""
        return max(1, self._of(self.pool.settings.concurrency))

    @property
    def budget(self) -> int:
        """Bytes that may be arriving and waiting; as much as an equal part for all others would be, at least."""
        budget = self.pool.settings.budget
        return max(self._of(budget), budget // max(1, self.pool.loads))

    @property
    def part_size(self) -> int:
        """Length of a part that needs memory: the first one gets it always, so all first ones have to fit in."""
        most = max(LEAST_PART, self.budget)
        return next(length for length in self.pool.lengths if length <= most)

    def fits(self, held: int, length: int) -> bool:
        """Say whether `length` bytes more fit in, beside `held` of this load."""
        pool = self.pool
        return held + length <= self.budget and pool.held - self.held + held + length <= pool.settings.budget

    def _of(self, whole: int) -> int:
        """Return what this load gets of `whole`, rounded up."""
        left = self.pool.left
        return -(-whole * self.left // left) if left else whole


def _lengths(most: int, least: int) -> list[int]:
    """Return `most`, its half, and so on to `least`: few enough that there is a buffer of that length to be reused."""
    lengths = [most]
    while lengths[-1] > least:
        lengths.append(-(-lengths[-1] // 2))
    return lengths
