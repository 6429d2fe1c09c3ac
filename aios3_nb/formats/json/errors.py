"""What is wrong with a JSON text: cut short or malformed, where, and in which words.

The standard library tells a character and a phrase. Whether the text merely ends too early follows from what
stands at that character: an end, or a proper beginning of what may stand there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from json import JSONDecodeError

from aios3_nb.errors import FormatError, TruncatedError

_LITERALS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_LITERAL_STARTS = frozenset(word[:length] for word in _LITERALS for length in range(len(word)))

NUMBER_TAILS = frozenset({"", ".", "e", "E", "e+", "e-", "E+", "E-"})
"""What the scanner leaves behind a number that is cut: it takes ``1`` of ``1.``, and the next piece may say ``5``."""
_NUMBER_START = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.|(?:\.[0-9]+)?[eE][-+]?)")
_NUMBER_CHARS = "-+.0123456789eE"

_ESCAPE_START = re.compile(r"u[0-9a-fA-F]{0,4}")
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|-?[0-9]++(\.[0-9]+)?([eE][-+]?[0-9]+)?|[\[\]{}]', re.DOTALL)

DecodeFailure = ValueError | RecursionError
"""What the standard library's decoder raises: JSONDecodeError, a plain ValueError for an integer of too many
digits, and RecursionError."""


def is_cut_short(text: str, error: DecodeFailure) -> bool:
    """Return whether more characters behind `text` could mend what `error` complains of."""
    if isinstance(error, RecursionError):
        return False
    if not isinstance(error, JSONDecodeError):
        # An integer of too many digits. If it reaches the end it may yet turn out to be a float.
        return text.endswith(tuple("0123456789"))
    if error.msg.startswith("Unterminated string"):
        return True
    tail = text[error.pos : error.pos + max(map(len, _LITERALS))]
    if error.msg == "Expecting value":
        return tail in _LITERAL_STARTS
    if error.msg.startswith("Invalid \\u"):
        return _ESCAPE_START.fullmatch(tail) is not None
    return tail == "" or (tail in NUMBER_TAILS and _ends_in_number_start(text, error.pos))


def _ends_in_number_start(text: str, position: int) -> bool:
    start = position
    while start and text[start - 1] in _NUMBER_CHARS:
        start -= 1
    return _NUMBER_START.fullmatch(text, start) is not None


def format_error(
    text: str, error: DecodeFailure, size_of: Callable[[str], int], *, start: int = 0, cut_short: bool
) -> FormatError:
    """Return the error to raise for `text`; it keeps neither `text` nor `error` alive.

    Args:
        text: What was decoded.
        error: What the decoder raised for it.
        size_of: Returns the length of a text in bytes.
        start: Byte of the object that `text` begins at.
        cut_short: Whether the object ends where `text` does, and `is_cut_short` holds.
    """
    position, words = _described(text, error)
    offset = start + size_of(text[:position])
    if cut_short:
        return TruncatedError(f"The JSON text is cut short at byte {start + size_of(text):,}: {words}.", offset=offset)
    return FormatError(f"Not valid JSON at byte {offset:,}: {words}.", offset=offset)


def _described(text: str, error: DecodeFailure) -> tuple[int, str]:
    """Return the character of `text` that `error` is about, and what is wrong there."""
    if isinstance(error, JSONDecodeError):
        return error.pos, error.msg.rstrip(": ").removesuffix(" at")
    if isinstance(error, RecursionError):
        return _too_deep_at(text), "nested too deeply for Python's decoder"
    limit = sys.get_int_max_str_digits()
    return _long_integer_at(text, limit), f"an integer of more than {limit} digits"


def _too_deep_at(text: str) -> int:
    """Return where the nesting goes beyond the recursion limit, else where it is deepest."""
    depth = deepest = position = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > deepest:
                deepest, position = depth, token.start()
            if depth > sys.getrecursionlimit():
                break
        elif token[0] in "]}":
            depth -= 1
    return position


def _long_integer_at(text: str, limit: int) -> int:
    for token in _TOKEN.finditer(text):
        is_integer = token[0][0] in "-0123456789" and token[1] is None and token[2] is None
        if is_integer and len(token[0].lstrip("-")) > limit:
            return token.start()
    return 0
