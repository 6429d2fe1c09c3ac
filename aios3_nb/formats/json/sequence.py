"""JSON text sequences: records in UTF-8, each behind a character RS (``0x1e``), which no JSON text holds as it stands.

See: https://www.rfc-editor.org/rfc/rfc7464
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator

from aios3_nb.errors import FormatError, TruncatedError
from aios3_nb.formats.decoding import split_lines
from aios3_nb.formats.json import decode

RS = b"\x1e"
_SPACE = b" \t\n\r"


def is_sequence(head: bytes) -> bool:
    """Return whether a file that begins with `head` is a sequence."""
    return head.removeprefix(BOM_UTF8).lstrip(_SPACE)[:1] == RS


def records(pieces: Iterable[bytes]) -> Iterator[object]:
    """Yield the value of each record of the file whose bytes are `pieces`.

    Raises:
        FormatError: A record is malformed, with the byte offset.
        TruncatedError: It is the beginning of one, or a number or word without anything behind it, which may be.
    """
    fast = decode.fast_decoder()
    for offset, record, _ in split_lines(pieces, RS, len, 0):
        if record.removeprefix(BOM_UTF8).strip(_SPACE):
            value = decode.whole(record, fast, offset=offset)
            if not isinstance(value, (dict, list, str)) and record[-1] not in _SPACE:
                raise TruncatedError(
                    f"The record that begins at byte {offset:,} may be cut short: in a JSON text sequence (RFC 7464) "
                    "a newline ends a number, true, false and null.",
                    offset=offset,
                )
            yield value


def no_path() -> FormatError:
    """Return the error for a path that leads into a sequence."""
    return FormatError(
        "This is a JSON text sequence (RFC 7464): many documents, and --path leads into one. Load it without.", offset=0
    )
