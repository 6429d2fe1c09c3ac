"""Opcodes that may run as they were written, since their bytes alone show what they will do.

Whatever acts asks first (`aios3_nb.formats.pickle.feed`), which costs more than making a number of numpy or a UUID. In
a long row of such things the same few opcodes come again and again: put a callable of the memo on the stack, put plain
values there, make a tuple of them, call. Once a load has had thousands of asks, its memo is looked at, and a pattern is
made of what is there: with ``numpy.scalar`` at place 3 and a finished dtype of 8 bytes at place 9, the opcodes ``h 3 h
9 C 8 ........ TUPLE2 R`` can do one thing only, whatever stands before them and whatever the eight bytes are. They pass
unread, and run at the speed of C; all others ask as before.

That holds because

- a pattern begins between two opcodes and has whole opcodes only, each of which pushes what the pattern says or takes
  what the pattern has pushed: nothing that was on the stack before is called, changed or looked at;
- what stands at a place of the memo was read from the memo itself, after all that comes before had run, and stays
  there: a PUT to one of these places is in no pattern, and ends all of this for the load;
- what is called is harmless with any arguments of the kinds that the pattern has, for the reason that is given with it.

Nothing here is more than the checks of the careful way permit, and what fits no pattern meets these. In one thing that
way is stricter: while a dtype waits for its state it makes nothing else, and this does, of what cannot be that dtype.
"""

from __future__ import annotations

import datetime
import itertools
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from aios3_nb.formats.pickle.dtypes import DTypes
from aios3_nb.formats.pickle.grammar import CODE, TEXTS, UNITS, Known, any_compiled, patterns
from aios3_nb.formats.pickle.names import Entry
from aios3_nb.formats.pickle.opcodes import FIRST_FRAMED_PROTOCOL, runs_after

_FIRST_LOOK = 1000
"""Asks before the memo is looked at."""

_NEXT_LOOK = 6
"""Times as many before the next look."""

_ONLY_COMPILED = 2
"""Looks that use what is compiled by then. To ask as often as before the next one takes as long as to compile."""

_MOST_LOOKS = 6
_FEW, _MANY = 8 * 1024, 64
"""Bytes of a piece, where every so many bytes something asks."""

_SPARSE = 512
"""Bytes for each that asks, with which a look at the memo is not worth its while."""

_MOST_PLACES = 16
"""Of one kind. There are hardly more than one, unless each thing has one of its own."""

_LATEST_LOOK = 8 * 1024 * 1024
"""Bytes of opcodes, after which the memo is not looked at: to copy it takes time and memory."""


_LONGEST = max(map(len, (*TEXTS, CODE, *UNITS)))
"""Of the texts and bytes that are of use."""


def known_places(memo: Mapping[int, Any], protocol: int, entries: Mapping[int, Entry], dtypes: DTypes) -> Known | None:
    """Return what of use is in `memo`; None when what is there may not stay.

    Args:
        memo: All of it, by place.
        protocol: Of the pickle.
        entries: By the id of what this load imported, and keeps alive, what may be done with it.
        dtypes: Those that this load made, and keeps alive.
    """
    framed = protocol >= FIRST_FRAMED_PROTOCOL
    # MEMOIZE takes the place behind all others as long as there is no gap.
    if framed and max(memo, default=-1) != len(memo) - 1:
        return None
    places: defaultdict[str | int, list[int]] = defaultdict(list)
    ndarray = getattr(sys.modules.get("numpy"), "ndarray", None)
    # Nearly all are of types, or are texts, that are of no use; to look at each closely would take as long as the load.
    types = list(map(type, memo.values()))  # touches each of them once, which takes most of the time
    of_use = frozenset(filter(_may_be_of_use, set(types)))
    for place in itertools.compress(memo, map(of_use.__contains__, types)):
        value = memo[place]
        if (type(value) is str or type(value) is bytes) and len(value) > _LONGEST:
            continue
        kind = _kind(value, entries, dtypes)
        kind = "ndarray" if value is ndarray else kind
        if kind and len(places[kind]) < _MOST_PLACES:
            places[kind].append(place)
    return Known(framed, {kind: tuple(found) for kind, found in places.items()})


def _may_be_of_use(cls: type) -> bool:
    if cls in (str, bytes) or issubclass(cls, datetime.tzinfo):
        return True
    # Where what may be called is looked for, as `callable` does with an instance; or a dtype of numpy.
    return any("__call__" in vars(base) or base.__name__ == "dtype" for base in cls.__mro__)


def _kind(value: Any, entries: Mapping[int, Entry], dtypes: DTypes) -> str | int | None:
    """Return what `value` is to `Known`; None when it is of no use."""
    if id(value) in entries:
        entry = entries[id(value)]
        # What gets a state has to be noted as made here, so that it gets one only; a UUID gets it at once.
        return f"{entry.make} {entry.state}".strip()
    if id(value) in dtypes.of_objects:
        return "objects"
    if id(value) in dtypes.sizes:
        simple = value.names is None and value.subdtype is None and value.itemsize > 0
        return value.itemsize if simple else None
    if (type(value) is str and value in TEXTS) or (type(value) is bytes and value == CODE):
        return repr(value)
    if type(value) is bytes:
        return "unit" if value in UNITS else None
    return "zone" if issubclass(type(value), datetime.tzinfo) else None


class Proofs:
    """Says by which pattern the pieces of one load are split: the ordinary one, or one made for what it has.

    Args:
        look: Returns what is known by now; None when there is nothing.
        count: Returns how many things there are by now of which a pattern can be made: what was imported, and dtypes.
    """

    def __init__(self, look: Callable[[], Known | None], count: Callable[[], int]) -> None:
        self._look = look
        self._count = count
        self._counted = 0
        self._asked = 0
        self._seen = 0
        self._unread = 0
        self._looks = 0
        self._next = _FIRST_LOOK
        self._put: re.Pattern[bytes] | None = None
        self._pattern: re.Pattern[bytes] | None = None

    def pattern(self) -> re.Pattern[bytes]:
        """Return the pattern of the next piece; all that came before it has run."""
        if self._asked >= self._next and self._seen < _LATEST_LOOK and self._looks < _MOST_LOOKS and self._pays:
            self._looks += 1
            self._next = self._asked * _NEXT_LOOK
            # A look takes as long as some thousands of asks: not for what it cannot find.
            if (self._looks > _ONLY_COMPILED or any_compiled()) and not self._is_settled():
                self._look_again()
        return self._pattern or runs_after(self._seen)

    def _is_settled(self) -> bool:
        """Return whether there is a pattern, and nothing new; what is at its places stays, or ends all of this."""
        return self._put is not None and self._count() == self._counted

    def _look_again(self) -> None:
        self._counted = self._count()
        known = self._look()
        found = patterns(known, only_compiled=self._looks <= _ONLY_COMPILED) if known else None
        self._pattern, self._put = found or (None, None)

    @property
    def _pays(self) -> bool:
        """Whether so much has asked that a look pays: it takes as long as the memo is large, and that as bytes came."""
        return self._asked * _SPARSE >= self._seen + self._unread

    @property
    def span(self) -> int:
        """Bytes that the next piece has at most: few where much asks, until the memo was looked at."""
        return _LATEST_LOOK if self._looks or self._asked * _MANY < self._seen else _FEW

    def note(self, asked: int, size: int) -> None:
        """Note that a piece of `size` bytes has so many opcodes that ask."""
        self._asked += asked
        self._seen += size

    def note_unread(self, size: int) -> None:
        """Note that so many bytes passed unread."""
        self._unread += size

    def permits_put(self, opcode: bytes) -> bool:
        """Return whether `opcode` puts something to no place that is relied on."""
        return self._put is None or self._put.fullmatch(opcode) is not None

    def check_put(self, opcode: bytes) -> None:
        """Have everything ask from here on when `opcode`, in no piece yet, puts something where it must not."""
        if not self.permits_put(opcode):
            self._looks = _MOST_LOOKS
            self._pattern = None
