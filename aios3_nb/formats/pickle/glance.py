"""Whether a frame seems to import something: a guess that saves time, and that nothing is permitted by.

What a frame imports that passed unread is met by ``find_class`` all the same, and the pickle is then read once more,
with care from its beginning. A glance at each frame spares nearly all of them that.
"""

from __future__ import annotations

import copyreg
import re
import struct

from aios3_nb.formats.pickle.opcodes import BINGET, FIXED, LONG_BINGET, MEMOIZE, STACK_GLOBAL

_FEW, _MANY = 8, 128
"""Bytes that may be an import; after few it is asked whether there are hundreds, as in text and not among numbers."""

_BYTES_EACH = 256
"""Bytes of an opcode, on average, above which it is faster to go from one to the next than to look through all."""

_AHEAD = 16 * _BYTES_EACH
"""A frame may begin with some short ones."""

_IMPORT = re.compile(STACK_GLOBAL + MEMOIZE)
"""Python remembers what it imports. A pattern finds two bytes in a quarter of the time that `bytes.find` takes."""

_length = struct.Struct("<I").unpack_from
_LONG_TEXT, _SHORT_TEXT, _REMEMBER, _IMPORTS = b"X\x8c\x94\x93"
_SIZES = {code[0]: 1 + size for code, size in FIXED.items()}
"""Opcode -> its bytes with its argument."""


def extensions_known() -> bool:
    """Return whether an extension code could fetch an object past `find_class`; in C it is an error without any."""
    return bool(copyreg._extension_cache or copyreg._inverted_registry or copyreg._extension_registry)  # type: ignore[attr-defined]  # noqa: SLF001


def names_something(frame: bytes) -> bool:
    """Return whether `frame` seems to import something; true for one random frame of a hundred, too."""
    if extensions_known():
        return True
    at = -1
    for count in range(_MANY):
        if count == _FEW and (among_texts := _imports_among_texts(frame)) is not None:
            return among_texts
        at = frame.find(STACK_GLOBAL, at + 1)
        if at < 0:
            return False
        if _is_import(frame, at):
            return True
    return any(_is_import(frame, found.start()) for found in _IMPORT.finditer(frame, at))


def _imports_among_texts(frame: bytes) -> bool | None:
    """Return whether one of the opcodes of `frame` imports; None when they are too many, or of other kinds."""
    at, least, end = 0, -_AHEAD, len(frame)
    try:
        while least < at < end:
            least += _BYTES_EACH
            code = frame[at]
            if code == _LONG_TEXT:
                at += 5 + _length(frame, at + 1)[0]
                at += frame[at] == _REMEMBER
            elif code == _IMPORTS:
                return True
            else:
                at += 2 + frame[at + 1] if code == _SHORT_TEXT else _SIZES[code]
    except (LookupError, struct.error):  # cut short, or of no kind that is here
        return None
    return False if at == end else None


def _is_import(frame: bytes, at: int) -> bool:
    """Return whether what is at `at` looks like an import as Python writes it.

    It remembers what it imports (the next opcode), and got the name from a string that it remembers too (the last
    opcode), or remembered earlier.
    """
    if frame[at + 1 : at + 2] != MEMOIZE:
        return False
    if frame[at - 1 : at] == MEMOIZE or frame[at - 2 : at - 1] == BINGET:
        return True
    return frame[at - 5 : at - 4] == LONG_BINGET and frame[at - 1 : at] == b"\0"
