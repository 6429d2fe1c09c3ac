"""Long rows of short texts, measured by numpy many at a time, where a pattern would go from one to the next.

Nothing is believed but this: where an opcode begins, and that is the one of a short text, its second byte says how long
the text is. So from the beginning of one, the next is known, and whether that is a text, too.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from aios3_nb.formats.pickle.opcodes import MEMOIZE, SHORT_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SMALLEST = 16 * 1024
"""Bytes of a window, below which going over it is as fast; and names at the beginning are short texts, too."""

_SAMPLE = 1024
_FEWEST_IN_SAMPLE = 4
"""Beginnings in the middle of a window; a text has up to 255 bytes."""

_FEWEST = 32
"""Texts of a row; a shorter one is split as fast as it is measured."""

_BETWEEN = MEMOIZE + SHORT_TEXT


class TextRows:
    """Finds the rows of one load, and looks for them in no byte twice.

    What ends a run of opcodes may end one after the other; from each of them, the same bytes would be measured again.
    """

    def __init__(self) -> None:
        self._until = 0

    def find(self, window: bytes, start: int, stop: int, position: int) -> Iterable[tuple[int, int]]:
        """Return what `text_rows` does, where `start` is at `position` in the object, unless it looked there before."""
        if position < self._until:
            return ()
        # The last opcode is cut, mostly, and comes again; and what is smaller than that is not measured.
        self._until = position + stop - start - _SMALLEST
        return text_rows(window, start, stop)


def text_rows(window: bytes, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield where in `window`, from `start` to `stop`, rows of short texts are, each text with a MEMOIZE behind it.

    They are that only if an opcode begins where the row does: the same bytes may stand in a string. Where numpy is not
    imported, whose arrays of texts are what this is for, there are none.
    """
    middle = (start + stop) // 2
    numpy = sys.modules.get("numpy")
    if stop - start < _SMALLEST or numpy is None:
        return
    if window.count(_BETWEEN, middle, middle + _SAMPLE) >= _FEWEST_IN_SAMPLE:
        yield from _rows(numpy, window, start, stop)


def _rows(np: Any, window: bytes, start: int, stop: int) -> Iterator[tuple[int, int]]:
    codes = np.frombuffer(window, np.uint8, stop - start, start)
    # Where a text may begin right behind the MEMOIZE of another one.
    begins = np.flatnonzero(codes[1:] == SHORT_TEXT[0]) + 1
    begins = begins[codes.take(begins - 1) == MEMOIZE[0]]
    lengths = begins[1:] - begins[:-1] - 3
    whole = np.concatenate(([False], codes.take(begins[:-1] + 1) == lengths, [False]))
    changes = np.flatnonzero(whole[1:] != whole[:-1])
    for first, last in changes.reshape(-1, 2).tolist():
        if last - first >= _FEWEST:
            yield start + int(begins[first]), start + int(begins[last])
