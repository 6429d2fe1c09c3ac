"""Hashing beside the loop: the parts that an object was stored in side by side, the bytes of each in their order.

MD5 and SHA take longer than a fast network, and hold no lock of Python's: what is hashed may lag behind what was handed
over, as far as its memory stays as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator

from aios3_nb.streams import bulk
from aios3_nb.streams.checksum import SLOW
from aios3_nb.streams.verify import Piece, Verifier

Job = asyncio.Task[None]

_BRIEF = 8 * bulk.LONG
"""Bytes up to which a CRC takes less time than handing them to a thread, and what comes with that."""

_HARDLY = 0.1
"""Share of the time that a load waits for the network which is slower than all else."""

_MUCH = 0.25
"""Share of the time that a reader may wait for hashing.

And share of what a load uses of the processor that may be for hashing where no core is free for it: on two cores that
others used as well, 512 MB took 2.2 s with MD5, and 1.1 s without, though the reader waited for 0.1 s only.
"""

_CROWDED = 1.5
"""Times as long as its own seconds that hashing takes where no core is free."""


class Hashing:
    """What is being hashed for a verifier; it belongs to the loop, and its coroutines run one at a time.

    Attributes:
        waited: Seconds for which hashes were waited for so far.
        busy: Seconds of the processor that threads have hashed.
        took: Seconds that they took for it; many more when no core was free.
    """

    def __init__(self, verifier: Verifier) -> None:
        self.waited = self.busy = self.took = 0.0
        self._verifier = verifier
        self._last: dict[int, Job] = {}
        self._left: dict[Job, int] = {}
        """Bytes of each job that has not ended."""

    def hash(self, start: int, data: memoryview, *, beside: bool = False) -> list[Job]:
        """Hash `data`, the object's bytes from `start` on; return the jobs until whose end it must stay as it is.

        Args:
            start: Where they are in the object.
            data: The bytes.
            beside: Nobody waits for these jobs: a thread is worth it sooner.
        """
        brief = bulk.LONG if beside or self._verifier.checksum.algorithm in SLOW else _BRIEF
        if len(data) < brief and not self._left:
            self._verifier.feed(start, data)
            return []
        jobs = []
        for pieces in _jobs(self._verifier.cut(start, data)):
            job = asyncio.get_running_loop().create_task(self._run(self._last.get(pieces[0].number), pieces))
            self._last[pieces[-1].number] = job
            self._left[job] = sum(len(piece.data) for piece in pieces)
            job.add_done_callback(self._ended)
            jobs.append(job)
        return jobs

    def holds_up(self, elapsed: float, used: float, waited: float) -> bool:
        """Say whether a load would be sooner done without: if it waits for hashing, or has too few cores for both.

        Args:
            elapsed: Seconds that it took so far.
            used: Seconds of the processor that it used, those for hashing among them.
            waited: Seconds that it waited for the network.
        """
        is_crowded = self.busy > _MUCH * used and self.took > _CROWDED * self.busy
        return waited < _HARDLY * elapsed and (is_crowded or self.waited > _MUCH * elapsed)

    async def catch_up(self, lag: int = 0) -> None:
        """Wait until at most `lag` bytes are left to be hashed; also when it is cancelled meanwhile."""
        began = time.perf_counter()
        cancelled: asyncio.CancelledError | None = None
        while sum(self._left.values()) > lag:
            try:
                await asyncio.wait(self._left, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError as exc:
                cancelled, lag = exc, 0
        self.waited += time.perf_counter() - began
        if cancelled is not None:
            raise cancelled

    def cancel(self) -> None:
        """Begin no more; what is being hashed just now is hashed to its end, see `catch_up`."""
        for job in self._left:
            job.cancel()

    async def _run(self, before: Job | None, pieces: list[Piece]) -> None:
        if before is not None:
            await asyncio.wait([before])
        stretches = [self._verifier.stretch(piece.number) for piece in pieces]

        busy = took = 0.0

        def feed() -> None:
            nonlocal busy, took
            began, used = time.perf_counter(), time.thread_time()
            for stretch, piece in zip(stretches, pieces, strict=True):
                if stretch is not None:
                    stretch.feed(piece.start, piece.data)
            busy, took = time.thread_time() - used, time.perf_counter() - began

        await bulk.beside(feed)
        self.busy += busy
        self.took += took
        self._verifier.took(pieces)

    def _ended(self, job: Job) -> None:
        del self._left[job]
        if not job.cancelled():
            with contextlib.suppress(asyncio.CancelledError):
                job.result()
        if not self._left:
            self._last.clear()


def _jobs(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield `pieces` of neighbouring parts together, as many as are worth a thread: there may be thousands."""
    together: list[Piece] = []
    length = 0
    for piece in pieces:
        together.append(piece)
        length += len(piece.data)
        if length >= bulk.LONG:
            yield together
            together, length = [], 0
    if together:
        yield together
