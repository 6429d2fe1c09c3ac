"""How many connections bring an object fastest, found by trying.

S3 gives one connection some 90 MB/s, so that many bring more than one; and it takes so long to answer that to begin
with a few would cost more than it tells. A server on this machine, or next to it, answers at once and sends more than
the loop can take; others beside that only cost: 512 MB from loopback took 0.8 s over one connection where it took 1.0 s
over eight. A thin link is full with a few. So a load begins with all that may be, or near a server with one; takes all
when that one brings less than such a server does; tries half as many now and then; and goes back where it did not pay.

See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html
"""

from __future__ import annotations

import time
from collections.abc import Callable

_NEAR = 0.02
"""Seconds to the first answer, at most."""
_SWIFT = 150_000_000
"""Bytes per second of one connection to such a server, at least; twice what S3 gives one."""
_TELLING = 0.03
"""Seconds that tell of a rate; a shorter time may be one in which the loop did something else."""
_STANDSTILL = 0.015
"""Seconds without a byte, in which such a server looks for them: SeaweedFS for some 15 to 45 ms, now and then."""
_GRACE = 0.3
"""Seconds in which standstills are no reason for others; all of them at once take half as long again from SeaweedFS."""
_WORTH = 10
"""Times as long has a load to take, even from such a server, before one connection is thought of."""

_TRY = 0.15
"""Seconds for which another number of connections is looked at, once all of them are under way."""
_SETTLED = 0.02
"""Seconds that this takes at least."""
_GAIN = 1.15
"""Times the rate that more connections have to bring."""
_LOSS = 0.97
"""Times the rate that fewer of them still bring."""
_PAUSE = 2.0
"""Seconds to the first try of fewer, and after one that failed; after each try twice as many."""
_LONGEST_PAUSE = 60.0
"""Seconds between two tries, at most: what the link gives changes in a load of an hour."""
_LATELY = 1.0
"""Seconds over which the rate is averaged."""


class Pace:
    """Judges numbers of connections by the bytes that come, while a reader waits for them.

    Args:
        most: Connections, at most.
        clock: Seconds.

    Attributes:
        count: Connections that it should be just now.
        is_awaited: Whether the reader waits. What comes while it does not is as fast as the reader, and tells nothing.
        is_whole: Whether all of the object will be read.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.count = most
        self.is_awaited = self.is_whole = False
        self._most = most
        self._clock = clock
        self._usual = 0.0
        self._before: tuple[int, float] | None = None  # connections and their rate, while others are tried
        self._settles = _SETTLED
        self._pause = _PAUSE
        self._last = clock()
        self._next_try = self._last + _PAUSE
        self._measure(self._last)

    def answered(self, seconds: float, size: int) -> None:
        """Note how long the first answer took; the object has `size` bytes and will be read to its end."""
        is_near = seconds < _NEAR and size >= _WORTH * _TELLING * _SWIFT
        self.count = 1 if is_near else self._most
        self.is_whole = True
        self._settles = max(_SETTLED, 2 * seconds)
        self._last = now = self._clock()
        self._next_try = now if is_near else now + _PAUSE
        self._measure(now)

    def failed(self) -> None:
        """Note that a connection broke: where it was the only one, there should be others."""
        self._before = None
        self.count = self._most
        self._rest(self._clock())  # no longer than before: it tells nothing of how many there should be

    def resumed(self) -> None:
        """Note that something is asked for, and nothing was since the last bytes came: that time was the reader's."""
        idle = self._clock() - self._last
        self._since += idle
        self._last += idle

    @property
    def goes_on(self) -> bool:
        """Whether the one connection that there should be may as well bring all that is left."""
        return self.is_whole and self.count == 1

    def took(self, count: int, *, busy: int, allowed: int) -> None:
        """Note that `count` bytes came, over one of `busy` connections; there may be `allowed` just now."""
        now = self._clock()
        if allowed < self.count or (self._before is not None and busy > self.count):
            self._measure(max(now, self._since))  # it is not this that tells how many there are, or not yet
        pause, self._last = now - self._last, now
        if now < self._since:
            return
        self._stood += pause if pause > _STANDSTILL else 0.0
        self._bytes += count
        self._awaited += count if self.is_awaited else 0
        seconds = now - self._since
        if seconds < (_TELLING if self._before is None else _TRY):
            return
        rate = self._bytes / seconds
        if self._before is not None:
            self._judge(rate, now, *self._before)
        elif now >= self._next_try and 2 * self._awaited > self._bytes:
            self._begin_try(rate, now)
        elif seconds > _LATELY:
            self._usual = rate
            self._measure(now)

    def _begin_try(self, rate: float, now: float) -> None:
        # One hiccup is no reason to go on as if the rate had been that low.
        if self.count == self._most:
            self._try(self.count // 2, max(rate, self._usual), now)
        elif rate < _SWIFT * self.count:
            came = now - self._since - self._stood  # seconds in which bytes did come
            if now - self._since < _GRACE and (came < _STANDSTILL or self._bytes >= _SWIFT * self.count * came):
                return
            self._try(self._most, max(rate, self._usual), now)
        elif now - self._since > _LATELY:
            self._usual = rate
            self._measure(now)

    def _judge(self, rate: float, now: float, before: int, was: float) -> None:
        """Stay with the connections that were tried, or go back to those `before`, which brought the rate `was`."""
        self._before = None
        if self.count > before and rate > _GAIN * was:
            self._end_try(now)
        elif self.count < before and rate > _LOSS * was:
            self._try(self.count // 2, rate, now)
        else:
            self.count = before
            self._end_try(now)

    def _try(self, count: int, rate: float, now: float) -> None:
        if count < 1:
            self._end_try(now)
            return
        self._before = (self.count, rate)
        self.count = count
        self._measure(now + self._settles)

    def _end_try(self, now: float) -> None:
        """Stay with what was found, for twice as long as the last time."""
        self._rest(now)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _rest(self, now: float) -> None:
        """Leave it as it is for a while."""
        self._usual = 0.0
        self._next_try = now + self._pause
        self._measure(now)

    def _measure(self, since: float) -> None:
        self._since = since
        self._bytes = self._awaited = 0
        self._stood = 0.0
