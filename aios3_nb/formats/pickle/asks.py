"""What takes the place of opcodes that act on an object: others that ask first; see `aios3_nb.formats.pickle.feed`."""

from __future__ import annotations

from collections.abc import Mapping

BUILD, NEWOBJ, APPENDS, SETITEMS, APPEND, SETITEM, ADDITEMS, NEWOBJ_EX, OBJ, INST = range(10)
"""What the hook is asked to do, the third of the tuple. INST has its arguments first, OBJ all of it in one."""


def asking(what: int, prepare: bytes = b"") -> bytes:
    """Return opcodes that ask for `what`, with what makes one argument of several before it."""
    return prepare + b"K" + bytes([what]) + b"\x87Q"


ASKS = {
    b"R": b"\x86Q",
    b"b": asking(BUILD),
    b"\x81": asking(NEWOBJ),
    b"e": asking(APPENDS, b"l"),
    b"u": asking(SETITEMS, b"d"),
    b"a": asking(APPEND),
    b"s": asking(SETITEM, b"\x86"),
    b"\x90": asking(ADDITEMS, b"l"),
    b"\x92": asking(NEWOBJ_EX, b"\x86"),
    b"o": asking(OBJ, b"tN"),
}
"""Opcode -> what takes its place."""

IN_PLACE: Mapping[bytes | None, bytes] = {None: b""} | ASKS
"""The same, with nothing in place of none."""

QUIET: Mapping[bytes | None, bytes] = {
    None: b"",
    **dict.fromkeys((b"R", b"b", b"\x81", b"a"), b"0"),
    **dict.fromkeys((b"e", b"u", b"\x90"), b"1"),
    **dict.fromkeys((b"s", b"\x92"), b"00"),
    b"o": b"1N",
}
"""What takes the place of each where only names are looked for: what it acts on stays, what it does it with goes."""
