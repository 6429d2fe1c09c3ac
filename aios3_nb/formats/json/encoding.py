"""Which encoding a JSON text is in, found as json.loads finds it: marks first, then where the zeros are."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from typing import BinaryIO, NamedTuple

from aios3_nb.formats.decoding import MARKS, TextReader, codec_and_mark

_HEAD_SIZE = 4  # what json.detect_encoding looks at


class Head(NamedTuple):
    """The beginning of a JSON text.

    Attributes:
        data: Its first bytes, mark and all; all there are, or as many as it takes to know the encoding.
        encoding: A codec that knows no byte order mark.
        mark_size: Length of the mark that `data` begins with.
    """

    data: bytes
    encoding: str
    mark_size: int


def read_head(file: BinaryIO, encoding: str | None = None) -> Head:
    """Read the first few bytes of a JSON file, which is in `encoding`, or in what they say."""
    data = b""
    while len(data) < _HEAD_SIZE and (more := file.read(_HEAD_SIZE - len(data))):
        data += more
    return Head(data, *encoding_of(data, encoding))


def text_reader(file: BinaryIO, head: Head) -> TextReader:
    """Return the text of a file whose beginning was read already, without the mark."""
    rest = head.data[head.mark_size :]
    return TextReader(file, head.encoding, head=rest, offset=head.mark_size, errors="surrogatepass")


def encoding_of(head: bytes | memoryview, encoding: str | None = None) -> tuple[str, int]:
    """Return the codec for a JSON text, and the length of the byte order mark that it begins with."""
    head = bytes(head[:_HEAD_SIZE])
    if encoding is not None:
        codec, size = codec_and_mark(encoding, head)
        # In JSON a mark is never text.
        return codec, len(BOM_UTF8) if codec == "utf-8" and head.startswith(BOM_UTF8) else size
    for mark, codec in MARKS:
        if head.startswith(mark):
            return codec, len(mark)
    return json.detect_encoding(head), 0
