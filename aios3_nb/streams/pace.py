"""Whether one connection brings an object as fast as it can be taken, so that more of them would only cost.

A server that answers at once and sends more than the loop can take is on this machine, or next to it. Requests side by
side only cost there: 512 MB from loopback took 0.8 s over one connection where it took 1.0 s over eight. S3 itself
takes several times as long to answer, and gives a connection half of this rate; one that falls below it is joined by
others.
"""

from __future__ import annotations

import time

from aios3_nb.settings import Settings

_NEAR = 0.01
"""Seconds to the first answer, at most."""
_TELLING = 0.03
"""Seconds that tell of a rate; a shorter time may be one in which the loop did something else."""
_SWIFT = 150_000_000
"""Bytes per second, at least."""


class Pace:
    """Judges the server by how soon it answers and how fast it sends.

    Attributes:
        is_near: One connection seems to be enough; until it fails or falls behind.
    """

    def __init__(self, settings: Settings) -> None:
        self.is_near = False
        self._settings = settings

    def answered(self, seconds: float, size: int) -> None:
        """Note how long the first answer took; the object has `size` bytes."""
        part = min(self._settings.part_size, size / self._settings.concurrency)
        # Parts have to be so long that a slow connection is noticed within one.
        self.is_near = seconds < _NEAR and part >= _SWIFT * _TELLING

    def took(self, count: int, *, since: float) -> None:
        """Note that one answer has brought `count` bytes `since` that reading of the performance counter."""
        if self.is_near and (seconds := time.perf_counter() - since) > _TELLING:
            self.is_near = count > _SWIFT * seconds
