"""File of bytes -> text in pieces, with the byte offset of what cannot be decoded."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import AnyStr, BinaryIO

from aios3_nb.errors import FormatError, OptionError, TruncatedError

_ANOTHER = (
    " If it is written in another encoding, say in which: --encoding cp1252, which Western Windows "
    "writes, or utf-16, shift_jis, gb18030, ..."
)

_CUT_SHORT = frozenset({"unexpected end of data", "truncated data"})
"""Reasons of a UnicodeDecodeError that more bytes would mend."""


MARKS = (
    # In this order: the UTF-32 mark begins with the UTF-16 one. As json.detect_encoding has it.
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF8, "utf-8"),
)
"""Byte order marks, and the codecs that read what follows them."""


def codec_and_mark(encoding: str, head: bytes) -> tuple[str, int]:
    """Return the codec for a text in `encoding` that begins with `head`, and the length of the mark that is no text.

    The codec knows no marks itself. In ``utf-8`` a mark is text, as Python has it; in ``utf-8-sig`` it is none.

    Raises:
        OptionError: `encoding` is ``bytes``, which is for pickles.
    """
    if encoding == "bytes":
        raise OptionError("--encoding bytes is for pickles; this is text. --format bytes gives the bytes as they are.")
    name = codecs.lookup(encoding).name
    if name == "utf-8-sig":
        return "utf-8", len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    if name in ("utf-16", "utf-32"):
        marked = [(codec, len(mark)) for mark, codec in MARKS if head.startswith(mark) and codec.startswith(name)]
        return marked[0] if marked else (f"{name}-{sys.byteorder[0]}e", 0)
    return name, 0


def marked_encoding(head: bytes) -> str:
    """Return what the mark at the beginning of `head` says the encoding is, such as ``utf-16``; empty without one."""
    codec = next((codec for mark, codec in MARKS if head.startswith(mark)), "")
    return codec.removesuffix("-le").removesuffix("-be")


def told_encoding(head: bytes) -> str:
    """Return what `head` tells by its mark, or by its zeros: every second byte of Western text in UTF-16 is one."""
    if marked := marked_encoding(head):
        return marked
    sample = head[: min(len(head), _SAMPLE) & ~1]
    even, odd = sample[::2], sample[1::2]
    if len(sample) < 4:
        return ""
    if not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if not any(even) and all(odd) else ""


_SAMPLE = 64
"""Bytes by which UTF-16 without a mark is known."""


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
        if kind is FormatError:
            message += _ANOTHER
    # Outside the handler: the UnicodeDecodeError holds all the bytes, and ours would hold it.
    raise kind(message, offset=offset)


def not_this_encoding(wrong: UnicodeDecodeError) -> FormatError:
    """Return the error for bytes that a library could not decode; it tells no place, for it counts from any."""
    return FormatError(f"Not {wrong.encoding.upper()} text: {wrong.reason}.{_ANOTHER}")


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
