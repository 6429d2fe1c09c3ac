"""Which encoding a JSON text is in, found as json.loads finds it: marks first, then where the zeros are."""

from __future__ import annotations

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from typing import BinaryIO

from aios3_nb.formats.decoding import TextReader

_MARKS = (
    # In this order: the UTF-32 mark begins with the UTF-16 one. As json.detect_encoding has it.
    (BOM_UTF32_BE, "utf-32-be"),
    (BOM_UTF32_LE, "utf-32-le"),
    (BOM_UTF16_BE, "utf-16-be"),
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF8, "utf-8"),
)
_HEAD_SIZE = 4  # what json.detect_encoding looks at


def read_head(file: BinaryIO) -> tuple[bytes, str, int]:
    """Read the first few bytes of a JSON file; return them, its encoding, and the length of its mark."""
    head = b""
    while len(head) < _HEAD_SIZE and (data := file.read(_HEAD_SIZE - len(head))):
        head += data
    return head, *encoding_of(head)


def text_reader(file: BinaryIO, head: bytes, encoding: str, mark_size: int) -> TextReader:
    """Return the text of the file that `read_head` has told this about, without the mark."""
    return TextReader(file, encoding, head=head[mark_size:], offset=mark_size, errors="surrogatepass")


def encoding_of(head: bytes | memoryview) -> tuple[str, int]:
    """Return the encoding of a JSON text, and the length of the byte order mark that it begins with."""
    head = bytes(head[:_HEAD_SIZE])
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return json.detect_encoding(head), 0
