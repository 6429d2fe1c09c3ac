"""Formats without structure: text and bytes."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from aios3_nb.errors import FormatError
from aios3_nb.formats.codecs import peek_head
from aios3_nb.formats.decoding import TextReader, codec_and_mark, decoded, split_lines, told_encoding
from aios3_nb.formats.format import HEAD_SIZE, Format, LoadOptions

_CHUNK_SIZE = 1024 * 1024


@contextmanager
def _bytes_instead() -> Iterator[None]:
    try:
        yield
    except FormatError as exc:
        error = type(exc)(f"{exc.said} Say --format bytes to have the bytes as they are.", offset=exc.offset)
    else:
        return
    raise error


def _load_text(file: BinaryIO, options: LoadOptions) -> str:
    data = file.read()
    codec, mark_size = _codec_of(options, data[:HEAD_SIZE])
    with _bytes_instead():
        return decoded(partial(str, memoryview(data)[mark_size:], codec), mark_size, at_end=True)


def _iterate_text(file: BinaryIO, options: LoadOptions) -> Iterator[str]:
    head = peek_head(file, HEAD_SIZE)
    file.read(len(head))
    codec, mark_size = _codec_of(options, head)
    reader = TextReader(file, codec, head=head[mark_size:], offset=mark_size)
    texts = iter(lambda: reader.read(_CHUNK_SIZE), "")
    with _bytes_instead():
        for _, line, at_end in split_lines(texts, "\n", len, 0):
            # With its newline, as the lines of a file have it, so that all lines joined are the text.
            if line or not at_end:
                yield line if at_end else line + "\n"


def _codec_of(options: LoadOptions, head: bytes) -> tuple[str, int]:
    """Return the codec of a text, and the length of its mark; that of UTF-8 is text, as Python has it."""
    return codec_and_mark(options.encoding or told_encoding(head) or "utf-8", head)


def _is_text(head: bytes) -> bool:
    """Return whether `head`, which may end within a character, is nothing but text."""
    codec, mark_size = codec_and_mark(told_encoding(head) or "utf-8", head)
    try:
        text = codecs.getincrementaldecoder(codec)().decode(head[mark_size:])
    except UnicodeDecodeError:
        return False
    return bool(text) and all(char.isprintable() or char in "\t\n\r\f\x1b\ufeff" or ord(char) > 0x9F for char in text)


def _load_bytes(file: BinaryIO, options: LoadOptions) -> bytes:
    return file.read()


def _iterate_bytes(file: BinaryIO, options: LoadOptions) -> Iterator[bytes]:
    return iter(lambda: file.read1(_CHUNK_SIZE), b"")  # type: ignore[attr-defined]


def _dump_text(value: object, file: BinaryIO) -> None:
    if not isinstance(value, str):
        raise TypeError("text is a str")
    # In pieces, so that a long one is not in memory twice.
    for start in range(0, len(value), _CHUNK_SIZE):
        file.write(value[start : start + _CHUNK_SIZE].encode())


def _dump_bytes(value: object, file: BinaryIO) -> None:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError("bytes, a bytearray or a memoryview is meant")
    view = memoryview(value).cast("B")
    for start in range(0, len(view), _CHUNK_SIZE):
        file.write(view[start : start + _CHUNK_SIZE])


TEXT = Format(
    name="text",
    suffixes=(".txt", ".text", ".log", ".md", ".rst", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".xml", ".html", ".htm",
              ".py", ".sql", ".sh", ".svg"),
    matches=_is_text,
    loader=_load_text,
    items=_iterate_text,
    dumper=_dump_text,
    takes_encoding=True,
    way_on="aios3_nb.open(uri).read()",
    way_on_encoded='aios3_nb.open(uri).read().decode("cp1252")',
)  # fmt: skip
"""UTF-8, or the encoding that is said or that a mark of UTF-16 or UTF-32 says; exactly: newlines are not translated, a
byte order mark of UTF-8 stays."""

BYTES = Format(
    name="bytes",
    suffixes=(".bin", ".dat"),
    loader=_load_bytes,
    items=_iterate_bytes,
    has_counted_items=False,
    dumper=_dump_bytes,
)
"""As they are; the items are pieces of any length up to 1 MiB."""
