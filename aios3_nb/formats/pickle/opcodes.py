"""How long a pickle's opcodes are: the layout of their arguments, and a pattern for runs of plain ones.

See: Lib/pickletools.py of CPython, whose table this condenses; a test compares the two.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

PROTO = b"\x80"
STOP = b"."
FRAME = b"\x95"
BUILD = b"b"
INST = b"i"
GLOBAL = b"c"
BINGET = b"h"
LONG_BINGET = b"j"
MEMOIZE = b"\x94"
SHORT_TEXT = b"\x8c"
STACK_GLOBAL = b"\x93"

NEWEST_PROTOCOL = 5
FIRST_FRAMED_PROTOCOL = 4

FIXED: Mapping[bytes, int] = (
    dict.fromkeys(
        (bytes([code]) for code in b"(012Rabdelosut]})NQ.\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98"), 0
    )
    | dict.fromkeys((b"K", b"h", b"q", b"\x80", b"\x82"), 1)
    | dict.fromkeys((b"M", b"\x83"), 2)
    | dict.fromkeys((b"J", b"j", b"r", b"\x84"), 4)
    | dict.fromkeys((b"G", b"\x95"), 8)
)
"""Opcode -> bytes of its argument."""

COUNTED: Mapping[bytes, int] = (
    dict.fromkeys((b"U", b"C", b"\x8a", b"\x8c"), 1)
    | dict.fromkeys((b"T", b"B", b"X", b"\x8b"), 4)
    | dict.fromkeys((b"\x8d", b"\x8e", b"\x96"), 8)
)
"""Opcode -> bytes of the little-endian length that comes before its argument."""

LINES: Mapping[bytes, int] = dict.fromkeys((b"I", b"F", b"L", b"S", b"V", b"g", b"p", b"P"), 1) | {b"c": 2, b"i": 2}
"""Opcode -> lines of text that are its argument, each ended by a newline."""

TEXT = frozenset((b"X", b"\x8c", b"\x8d", b"V", b"S", b"T", b"U"))
"""Opcodes that push a str; the last three a bytes of Python 2, which is read as one."""

PUTS = frozenset((b"p", b"q", b"r", MEMOIZE))
PERSISTENT = frozenset((b"P", b"Q"))
EXTENSION = frozenset((b"\x82", b"\x83", b"\x84"))
OUT_OF_BAND = frozenset((b"\x97", b"\x98"))

GLOBAL_BY_LINES = re.compile(rb"(?<![\w.])(?=[\w.]++\r?\n[\w.]++\r?\n)[\w.]*?[ci][\w.]")
"""Found where a pickle of protocol 0 to 3 imports something, and now and then where it does not.

It begins only where a run of word characters does, and looks at none of them more than a few times: a search that
began again at each would take as long as the square of the longest run."""


def imports_by_lines(data: bytes) -> bool:
    """Return whether `data` has what `GLOBAL_BY_LINES` finds; most have no newline, which is known at once."""
    return b"\n" in data and GLOBAL_BY_LINES.search(data) is not None


ACTING = b"Rb\x81euas\x90\x92o"
"""Opcodes that call something, set a state, or put items into something; INST is one more, which is in `LINES`."""


@functools.cache
def counted(codes: bytes, high_bytes: int = 0, *, most: int = 255) -> bytes:
    """Return a pattern of any of `codes`, with each of its short lengths; a pattern cannot count by itself.

    Args:
        codes: Opcodes, of one byte each.
        high_bytes: Further bytes of the length, all of them zero.
        most: The longest one.
    """
    lengths = b"|".join(
        re.escape(bytes([count])) + rb"\x00" * high_bytes + (b".{%d}" % count if count else b"")
        for count in range(most + 1)
    )
    return b"[" + re.escape(codes) + b"](?:" + lengths + b")"


def acting_after(plain: bytes) -> re.Pattern[bytes]:
    """Return a pattern of as many `plain` as there are, and an acting opcode; see `runs`."""
    return re.compile(b"(?s)((?:" + plain + b")*+)(?:([" + re.escape(ACTING) + b"])|.*+)")


def bytes_of_arrays() -> bytes:
    """Return a pattern of a BYTEARRAY8 of 256 to 2047 bytes, if of whole numbers of 8: as small arrays mostly have.

    Each would end a run otherwise, which takes as long as a hundred opcodes.
    """
    low = (
        re.escape(bytes([count]))
        + b"(?:"
        + b"|".join(rb"\x%02x\x00{6}.{%d}" % (high, high << 8 | count) for high in range(1, 8))
        + b")"
        for count in range(0, 256, 8)
    )
    return rb"\x96(?:" + b"|".join(low) + b")"


_WITHOUT_STRINGS = (
    rb"[(012dlt\]})N\x85-\x89\x8f\x91\x93\x94]++",
    rb"[Khq].",
    rb"G.{8}",
    rb"M..",
    rb"[Jjr].{4}",
    rb"[IFLSVgp][^\n]*+\n",
    rb"c[^\n]*+\n[^\n]*+\n",
)

BRIEF = 16 * 1024
"""Bytes of opcodes, up to which to end a run at each string, at some 2 us, takes no longer than to compile `runs`."""


@functools.cache
def runs() -> re.Pattern[bytes]:
    """Return a pattern of a run of plain opcodes, the first group, and an acting one right behind it, the second.

    A run is as many whole opcodes as there are, up to one that is cut, long, or not plain. Not plain are those that
    `aios3_nb.formats.pickle.feed` changes or refuses: `ACTING`, INST, STOP, PROTO, FRAME, persistent ids, extension
    codes, buffers out of band. Where no acting one follows, the match has all the rest and no second group, so that a
    search never goes on inside an opcode. Compiling takes some 20 ms; see `runs_after`.
    """
    strings = counted(b"\x8cCU\x8a") + rb"\x94?+", counted(b"X", 3), counted(b"\x96", 7), bytes_of_arrays()
    return acting_after(b"|".join((strings[0], *_WITHOUT_STRINGS, *strings[1:])))


@functools.cache
def brief_runs() -> re.Pattern[bytes]:
    """Return a pattern like `runs` for which strings are not plain, however short: it is compiled at once."""
    return acting_after(b"|".join(_WITHOUT_STRINGS))


def runs_after(seen: int) -> re.Pattern[bytes]:
    """Return the one of both that takes less time, where `seen` bytes were looked at before.

    Most pickles, arrays and frames among them, never have so many.
    """
    return brief_runs() if seen < BRIEF and not runs.cache_info().currsize else runs()
