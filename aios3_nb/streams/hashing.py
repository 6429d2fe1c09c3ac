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
from aios3_nb.streams.verify import Piece, Verifier

Job = asyncio.Task[None]


class Hashing:
    """What is being hashed for a verifier; it belongs to the loop, and its coroutines run one at a time.

    Attributes:
        waited: Seconds for which hashes were waited for so far.
    """

    def __init__(self, verifier: Verifier) -> None:
        self.waited = 0.0
        self._verifier = verifier
        self._last: dict[int, Job] = {}
        self._left: dict[Job, int] = {}
        """Bytes of each job that has not ended."""

    def hash(self, start: int, data: memoryview) -> list[Job]:
        """Hash `data`, the object's bytes from `start` on; return the jobs until whose end it must stay as it is."""
        if len(data) < bulk.LONG and not self._left:
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

        def feed() -> None:
            for stretch, piece in zip(stretches, pieces, strict=True):
                if stretch is not None:
                    stretch.feed(piece.start, piece.data)

        await bulk.beside(feed)
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
