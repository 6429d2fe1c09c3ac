"""JSON and JSON Lines: file -> object, or items while the rest is still coming."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from aios3_nb.errors import FormatError, TruncatedError
from aios3_nb.formats.collector import collector_paused
from aios3_nb.formats.decoding import split_lines
from aios3_nb.formats.json import decode
from aios3_nb.formats.json.encoding import read_head, text_reader
from aios3_nb.formats.json.scan import CHUNK_SIZE, JsonScanner


def load_json(file: BinaryIO, *, path: str | None = None) -> object:
    """Return the document, equal to what json.load returns for it, or the value at `path`.

    A path is names joined by dots, and ``item`` for each element of an array. ``a.b`` is one value, and nothing
    behind it is read; ``users.item.name`` is the list of all that there are. What lies beside the path is not
    checked beyond its brackets and quotes, and of members with the same name the first counts.

    Raises:
        FormatError: Malformed, with the byte offset; or nothing at `path`.
        TruncatedError: The file is empty, or ends within the document.
    """
    with collector_paused():
        if path is None:
            return decode.document(file.read(), decode.fast_decoder())
        scanner = _scanner(file)
        values = list(scanner.values_at(path.split(".")))
    if scanner.in_array:
        return values
    if not values:
        raise _nothing_at(path)
    return values[0]


def iterate_json(file: BinaryIO, *, path: str | None = None) -> Iterator[object]:
    """Yield the elements of the array that the document is, or the values at `path`, as `load` describes it.

    No more is read than the item needs and one piece of 128 KiB; an item larger than that may read twice its size.
    After the last item at `path` nothing more is read.

    Raises:
        FormatError: The document is no array, or nothing is at `path`, or it is malformed, when that is reached.
        TruncatedError: The file is empty, or ends within the array.
    """
    scanner = _scanner(file)
    if path is None:
        yield from _elements(scanner)
        return
    found = False
    for value in scanner.values_at(path.split(".")):
        found = True
        yield value
    if not found and not scanner.in_array:
        raise _nothing_at(path)


def iterate_lines(file: BinaryIO) -> Iterator[object]:
    """Yield the value of each line of a JSON Lines file; blank lines are passed over.

    Raises:
        FormatError: A line is malformed, with the byte offset.
        TruncatedError: The last line is a beginning.

    See: https://jsonlines.org
    """
    head, encoding, mark_size = read_head(file)
    if encoding == "utf-8":
        fast = decode.fast_decoder()
        pieces = chain([head[mark_size:]], iter(lambda: file.read1(CHUNK_SIZE), b""))  # type: ignore[attr-defined]
        for offset, line, at_end in split_lines(pieces, b"\n", len, mark_size):
            if line.strip(b" \t\r"):
                yield decode.line(line, fast, offset=offset, at_end=at_end)
        return
    reader = text_reader(file, head, encoding, mark_size)
    texts = iter(lambda: reader.read(CHUNK_SIZE), "")
    for offset, text, at_end in split_lines(texts, "\n", reader.size_of, mark_size):
        if text.strip(" \t\r"):
            yield decode.exact(text, encoding, offset, at_end=at_end)


def load_lines(file: BinaryIO) -> list[object]:
    """Return the values of all lines, as `iterate_lines` yields them."""
    with collector_paused():
        return list(iterate_lines(file))


def _scanner(file: BinaryIO) -> JsonScanner:
    scanner = JsonScanner(file)
    if scanner.is_empty():
        raise TruncatedError("The JSON document is empty.", offset=0)
    return scanner


def _elements(scanner: JsonScanner) -> Iterator[object]:
    if scanner.peek() != "[":
        raise FormatError(
            "The JSON document is not an array, so it has no items. Say with --path where the array is, "
            "such as --path data.item, or --format jsonl if there is one document a line.",
            offset=0,
        )
    yield from scanner.values()
    scanner.end()


def _nothing_at(path: str) -> FormatError:
    return FormatError(
        f"Nothing is at the path {path!r}. It is made of names, and of 'item' for the elements of an array: a.b.item"
    )
