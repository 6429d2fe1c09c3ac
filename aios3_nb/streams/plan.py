"""Which byte ranges come next: pure arithmetic, no I/O. Ranges are half open, ``[start, stop)``."""

from __future__ import annotations

from dataclasses import dataclass

from aios3_nb.settings import KIB
from aios3_nb.streams.pool import LEAST_PART, Portion

FIRST = 256 * KIB
"""Bytes of a lazy reader's first request: enough for a header, little enough to be free."""

_RAMP = 4
"""A lazy reader that went n bytes in a row gets up to 4n ahead: full speed after four round trips."""


@dataclass(slots=True)
class Share:
    """How far a reader is that stops when it has enough; it says so itself.

    Attributes:
        wanted: Items that it wants.
        got: Those that it has.
    """

    wanted: int
    got: int = 0

    def took(self, count: int) -> None:
        """Note that it has `count` items now."""
        self.got = count

    def left(self, run: int) -> int:
        """Return how many bytes are likely wanted yet, of items that took `run` bytes up to now."""
        if not self.got:
            return run
        # Somewhat more, for they differ. At most three times as much: what comes before the first may be no item.
        return min(3 * run, run * max(0, self.wanted - self.got) // self.got * 9 // 8)


@dataclass(frozen=True, slots=True)
class Plan:
    """How far ahead of the reader to fetch, and in parts of what length.

    Attributes:
        size: Length of the object.
        whole: The reader will read everything, so full speed at once; else it starts small.
        portion: Of connections and memory, just now.
        share: Of what the reader wants, when it stops then. Nothing is fetched ahead for one that may have enough
            soon, and for others no more than they are likely to want.
    """

    size: int
    whole: bool
    portion: Portion
    share: Share | None = None

    def ahead_of(self, offset: int) -> int:
        """Return how many bytes from `offset` on are to be fetched, as far as that can be said."""
        left = self.size - offset
        return left if self.whole else min(left, self.portion.pool.settings.budget)

    def part_stop(self, start: int, run: int, want: int, *, alone: bool = False) -> int:
        """Return where a part that begins at `start` ends.

        Args:
            start: Its first byte.
            run: Bytes that the reader has gone in a row, up to now.
            want: Bytes that the reader asks for right now.
            alone: Whether one connection brings all that is left; see `horizon`.
        """
        most = self.portion.part_size
        if self.whole and not alone:
            # A middling object is spread over all connections.
            even = -(-self.size // self.portion.concurrency)
            length = min(most, max(LEAST_PART, even))
        elif self.share is not None:
            length = min(most, max(FIRST, self.share.left(run), want))
        else:
            length = min(most, max(_doubled(run), want))
        return min(self.size, start + length)

    def horizon(self, position: int, run: int, want: int, *, alone: bool = False) -> int:
        """Return the offset up to which parts may begin, for a reader at `position`.

        A whole read has more requests under way than there is memory for their answers: the next answer is there
        when there is room for it, and no round trip is waited for.

        Over one connection that brings all that is left, asking for more takes no round trip. So no more is taken
        into our own memory than by a reader of whom nothing is known: what it wants next may have to go into its own,
        as each array of a pickle does, and until then waits at the socket.
        """
        portion = self.portion
        if self.whole and not alone:
            ahead = max(portion.budget, portion.concurrency * portion.part_size)
        elif self.share is not None:
            likely = self.share.left(run) if run >= portion.part_size else 0
            ahead = max(min(likely, portion.budget), want, 1)
        else:
            ahead = min(max(_RAMP * run, want, 1), portion.budget)
        return min(self.size, position + ahead)


def _doubled(run: int) -> int:
    """Return the smallest doubling of FIRST that is at least `run`."""
    return FIRST << max(0, (run - 1) // FIRST).bit_length()
