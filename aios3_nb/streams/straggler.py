"""Which part holds up all the others: many times slower than they were, when the reader waits for it."""

from __future__ import annotations

import statistics
import time
from collections import deque

from aios3_nb.streams.part import Part

_KNOWN = 8
"""Parts whose times are kept, those that ended last."""
_TELLING = 3
"""Parts that must have arrived before another one is called slow."""
_TIMES = 5
"""How many times slower than others a straggler is."""
_AGAIN = 2
"""Times that one part is asked for again."""
_PATIENCE = 0.25
"""Seconds that the reader has waited for a part before it may be one."""
_AWAY = 0.1
"""Seconds that count of those between two looks, twenty of which come in one: for longer, the loop or the machine stood
still, as when a laptop is opened again, and no server has had the time to answer."""


class Stragglers:
    """Compares the part that the reader waits for with those that have arrived.

    A connection that brings a trickle passes the floor of bytes below which it counts as broken, and everything behind
    it waits in memory. Such a part is worth a second request from the byte it reached, which goes over another
    connection. The loop may have been away while parts came, which makes theirs look slower than they were: then a
    part is called a straggler later, never sooner.
    """

    def __init__(self) -> None:
        self._delays: deque[float] = deque(maxlen=_KNOWN)
        self._rates: deque[float] = deque(maxlen=_KNOWN)
        self._part: Part | None = None
        self._began = 0.0
        self._filled = 0
        self._waited = 0.0
        self._watched = 0.0

    def answered(self, part: Part) -> None:
        """Note that the answer for `part` has come."""
        part.answered = time.monotonic()
        self._delays.append(part.answered - part.asked)

    def arrived(self, part: Part) -> None:
        """Note that `part` is complete."""
        self._rates.append((part.length - part.reached) / max(time.monotonic() - part.answered, 1e-6))

    def is_one(self, part: Part, waited: float) -> bool:
        """Say whether `part`, which the reader waits for, should be asked for again.

        Args:
            part: The first one.
            waited: Seconds that the reader has waited so far, for all parts.
        """
        self._watched += min(waited - self._waited, _AWAY)
        self._waited = waited
        if part is not self._part:
            self._part, self._began, self._filled = part, self._watched, part.filled
            return False
        seconds = self._watched - self._began
        # One that has ended without all its bytes has failed, and that is raised when it is looked at next.
        if seconds < _PATIENCE or len(self._rates) < _TELLING or part.full or part.done or part.again >= _AGAIN:
            return False
        delay = statistics.median(self._delays)
        if not part.answered:
            return seconds > _TIMES * delay
        usual = statistics.median(self._rates)
        rate = (part.filled - self._filled) / seconds
        rest = part.length - part.filled
        return rate * _TIMES < usual and rest / max(rate, 1.0) > _TIMES * (delay + rest / usual)

    def forget(self) -> None:
        """Begin to watch the first part anew, for it was asked for again."""
        self._part = None
