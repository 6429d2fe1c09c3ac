"""Which parts hold up all the others: many times slower than they were, while the reader waits."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence

from aios3_nb.streams.part import Part

_KNOWN = 8
"""Parts whose times are kept, those that ended last."""
_TELLING = 3
"""Parts that must have arrived before another one is called slow."""
_TIMES = 5
"""How many times slower than others a straggler is."""
_WELL = 2 / 3
"""Share of the usual rate of a part that came well."""
_AGAIN = 2
"""Times that one part is asked for again."""
_PATIENCE = 0.25
"""Seconds that a part has come slowly before it may be one."""
_SHORT = 0.08
"""... while several others came; or as long as one of them takes, if that is longer."""
_GROWS = 1.4
"""Times as fast as before comes a part that need not be asked for again: it speeds up by itself."""
_AWAY = 0.05
"""Seconds that count of those between two looks, of which there are fifty or more in one while the reader waits: for
longer, the loop or the machine stood still, as when a laptop is opened again, and no server has had time to answer."""


class Stragglers:
    """Compares the parts that are under way with those that have arrived.

    A connection that brings a trickle passes the floor of bytes below which it counts as broken, and everything behind
    it waits in memory. Such a part is worth further requests from the byte it reached, over other connections.
    The loop may have been away while parts came, which makes theirs look slower than they were: then a part is called
    a straggler later, never sooner.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: deque[tuple[float, float]] = deque(maxlen=_KNOWN)  # when asked for, and seconds to the answer
        self._arrivals: deque[tuple[float, float]] = deque(maxlen=_KNOWN)  # when, and bytes per second
        self._rates: deque[float] = deque(maxlen=_KNOWN)  # of those that were asked for once
        self._now = clock()
        self._watched = 0.0

    def asked(self, part: Part) -> None:
        """Note that `part` is asked for."""
        self._look()
        part.asked, part.answered, part.began = self._now, 0.0, 0.0
        self._watch(part)

    def answered(self, part: Part) -> None:
        """Note that the answer for `part` has come."""
        self._look()
        part.answered = self._now
        self._answers.append((part.asked, part.answered - part.asked))

    def began(self, part: Part) -> None:
        """Note that there is memory for `part`, whose answer has come."""
        self._look()
        part.began, part.reached = self._now, part.filled
        self._watch(part)

    def came(self, part: Part, filled: int) -> None:
        """Note that `part` has `filled` bytes now; if it had as many, the rest is asked for anew, after a failure."""
        self._look()
        if filled == part.filled:
            self.asked(part)
            return
        if part.middle is None and self._watched - part.watched >= self._span:
            part.middle = (part.watched + self._span, part.filled)  # which it had from before then
        part.filled = filled
        if part.full:
            rate = (part.length - part.reached) / max(self._now - part.began, 1e-6)
            self._arrivals.append((self._now, rate))
            if not part.again:  # short pieces have other rates: over new connections that have only begun, or at once
                self._rates.append(rate)

    def among(self, parts: Sequence[Part]) -> list[Part]:
        """Return those of `parts`, of which the reader waits for the first, that should be asked for again."""
        self._look()
        if len(self._rates) < _TELLING:
            return []
        # One that has ended without all its bytes has failed, and that is raised when the reader comes to it.
        going = [part for part in parts if not (part.full or part.done)]
        # The answer of one without memory waits until there is some: that is not its fault.
        coming = [part for part in going if part.began]
        are_few = len(coming) <= max(1, sum(part.full for part in parts))
        slow = [part for part in coming if self._trickles(part, are_few=are_few)]
        for part in coming:
            if self._watched - part.watched >= max(_PATIENCE, 3 * self._span):
                self._watch(part)
        slow += [part for part in going if not part.answered and self._is_silent(part, is_first=part is parts[0])]
        return [part for part in slow if part.again < _AGAIN]

    def _trickles(self, part: Part, *, are_few: bool) -> bool:
        """Say whether `part`, for which there is memory, comes many times slower than others did.

        When most are yet to come, it may be the link that has become slow: then others must come well just now.
        """
        seconds = self._watched - part.watched
        if self._speeds_up(part):
            return False
        usual = self._usual
        others = [at for at, rate in self._arrivals if at >= part.since and rate > _WELL * usual]
        if not are_few and (not others or others[-1] < self._now - seconds / 2):
            return False
        if seconds < (min(_PATIENCE, part.length / usual) if len(others) >= _TELLING else _PATIENCE):
            return False
        rate = (part.filled - part.seen) / seconds
        rest = part.length - part.filled
        ends_late = rest / max(rate, 1.0) > _TIMES * (self._delay + rest / usual)
        return rate * _TIMES < usual and ends_late

    def _speeds_up(self, part: Part) -> bool:
        """Say whether `part` comes much faster than it did, as over a new connection: twice as fast with every answer.

        See: https://www.rfc-editor.org/rfc/rfc5681#section-3.1
        """
        # Where nothing came after that, it had then what it has now.
        at, had = part.middle or (part.watched + self._span, part.filled)
        if self._watched - at < self._span:
            return True  # nobody knows yet
        before = (had - part.seen) / (at - part.watched)
        return (part.filled - had) / (self._watched - at) > _GROWS * before > 0.0

    @property
    def _span(self) -> float:
        """Seconds, at least, of each of two times that are compared: a new connection brings more after each answer."""
        return max(_SHORT / 2, self._delay)

    def _is_silent(self, part: Part, *, is_first: bool) -> bool:
        """Say whether `part` has no answer, when others had it long before."""
        if self._watched - part.watched < max(_PATIENCE, _TIMES * self._delay):
            return False
        # A server may have them queue; then those that were asked for later wait as well.
        return is_first or sum(asked > part.asked for asked, _ in self._answers) >= _TELLING

    @property
    def _usual(self) -> float:
        """Bytes per second of a part that has arrived."""
        return statistics.median(self._rates)

    @property
    def _delay(self) -> float:
        """Seconds to an answer."""
        return statistics.median(seconds for _, seconds in self._answers)

    def _watch(self, part: Part) -> None:
        """Have `part` be judged by what comes from now on."""
        part.since, part.watched, part.seen, part.middle = self._now, self._watched, part.filled, None

    def _look(self) -> None:
        now = self._clock()
        self._watched += min(now - self._now, _AWAY)
        self._now = now
