"""File of bytes -> text in pieces, with the byte offset of what cannot be decoded."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import AnyStr, BinaryIO

from aios3_nb.errors import FormatError, TruncatedError

_CUT_SHORT = frozenset({"unexpected end of data", "truncated data"})
"""Reasons of a UnicodeDecodeError that more bytes would mend."""


class TextReader:
    """The text of a file, in pieces; a character whose bytes are in two pieces comes whole.

    Attributes:
        encoding: Name of a codec of the standard library that knows no byte order mark.
        offset: Byte of the object that the text begins at.
    """

    def __init__(
        self, file: BinaryIO, encoding: str, *, head: bytes = b"", offset: int = 0, errors: str = "strict"
    ) -> None:
        """Read `file`, from where it stands.

        Args:
            file: Has read1.
            encoding: See above.
            head: Bytes to decode before those of `file`.
            offset: See above.
            errors: Error handler of the codec, ``strict`` or ``surrogatepass``.
        """
        self.encoding = encoding
        self.offset = offset
        self._file = file
        self._head = head
        self._errors = errors
        self._taken = offset  # bytes given to the decoder, the object's first ones included
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)

    def read(self, size: int) -> str:
        """Return the characters of up to `size` more bytes; none only at the end.

        Raises:
            FormatError: The next bytes are no text; TruncatedError if only their end is missing.
        """
        while True:
            data: bytes = self._head or self._file.read1(size)  # type: ignore[attr-defined]
            self._head = b""
            held = len(self._decoder.getstate()[0])
            text = decoded(partial(self._decoder.decode, data, final=not data), self._taken - held, at_end=not data)
            self._taken += len(data)
            # A piece may be part of one character; only no bytes are the end.
            if text or not data:
                return text

    def size_of(self, text: str) -> int:
        """Return how many bytes `text`, as it came from this reader, takes in the file."""
        if self.encoding == "utf-8" and text.isascii():
            return len(text)
        return len(text.encode(self.encoding, self._errors))


def decoded(decode: Callable[[], str], start: int, *, at_end: bool) -> str:
    """Return what `decode` returns, for bytes of which the first is byte `start` of the object.

    Raises:
        FormatError: They are no text; TruncatedError if `at_end` and only their end is missing.
    """
    try:
        return decode()
    except UnicodeDecodeError as exc:
        offset = start + exc.start
        message = f"Not {exc.encoding.upper()} text: {exc.reason} at byte {offset:,}."
        kind = TruncatedError if at_end and exc.reason in _CUT_SHORT else FormatError
    # Outside the handler: the UnicodeDecodeError holds all the bytes, and ours would hold it.
    raise kind(message, offset=offset)


def split_lines(
    pieces: Iterable[AnyStr], newline: AnyStr, size_of: Callable[[AnyStr], int], offset: int
) -> Iterator[tuple[int, AnyStr, bool]]:
    """Yield where each line begins, the line without its newline, and whether the file ends instead of a newline.

    The last line is empty if the file ends with a newline.
    """
    empty = newline[:0]
    newline_size = size_of(newline)
    pending: list[AnyStr] = []
    for piece in pieces:
        parts = piece.split(newline)
        pending.append(parts[0])
        for part in parts[1:]:
            line = empty.join(pending)
            yield offset, line, False
            offset += size_of(line) + newline_size
            pending = [part]
    yield offset, empty.join(pending), True
