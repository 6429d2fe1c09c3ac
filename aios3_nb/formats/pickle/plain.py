"""Plain pickles, which import nothing: there is nothing to look into, so they are loaded at the speed of C."""

from __future__ import annotations

import io
import pickle
from typing import Any

from aios3_nb.formats.pickle.glance import extensions_known
from aios3_nb.formats.pickle.opcodes import COUNTED, FRAME

_FRAMED = 11
"""Bytes up to those of the first frame: the protocol in two, and in nine that there is a frame, and how long it is."""

_NOT_IN_SHORT = (FRAME, *(code for code, size in COUNTED.items() if size > 1))


class NotPlainError(Exception):
    """This pickle names something, or is too large, or broken: it is to be loaded the careful way."""


class PlainUnpickler(pickle.Unpickler):
    """Unpickles what imports nothing; without a name nothing can be called, and BUILD finds nothing to change."""

    def find_class(self, module: str, name: str) -> Any:
        raise NotPlainError

    def persistent_load(self, pid: Any) -> Any:
        raise NotPlainError


def load_plain(data: bytes, encoding: str) -> Any:
    """Return the object of the plain pickle that `data` is, no more and no less.

    Raises:
        NotPlainError: It is something else; the careful way finds out what.
    """
    if extensions_known() or not _has_one_frame(data):
        raise NotPlainError
    file = io.BufferedReader(io.BytesIO(data), len(data))  # shown all in advance, C takes no more than the pickle
    try:
        value = PlainUnpickler(file, encoding=encoding).load()
    except Exception as exc:
        raise NotPlainError from exc
    if file.tell() != len(data):
        raise NotPlainError
    return value


def _has_one_frame(data: bytes) -> bool:
    """Return whether all opcodes are in one frame: C does not notice one that crosses a frame's end.

    Or in none, as of numbers and short texts; and then with no length that is a lie, for which C asks for memory.
    """
    if data[2:3] == FRAME:
        return _FRAMED + int.from_bytes(data[3:_FRAMED], "little") == len(data)
    return not any(code in data for code in _NOT_IN_SHORT)
