"""JSON, JSON Lines and sequences: file -> object, or items while the rest is still coming."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from aios3_nb.errors import FormatError, TruncatedError
from aios3_nb.formats.codecs import peek_head
from aios3_nb.formats.collector import collector_paused
from aios3_nb.formats.decoding import split_lines
from aios3_nb.formats.json import decode
from aios3_nb.formats.json.encoding import Head, encoding_of, read_head, text_reader
from aios3_nb.formats.json.path import parse_path
from aios3_nb.formats.json.scan import CHUNK_SIZE, JsonScanner
from aios3_nb.formats.json.select import Selection
from aios3_nb.formats.json.sequence import is_sequence, no_path, records
from aios3_nb.text import visible

_IN_ORDER_TO_KNOW = 1024 * 1024
"""Characters of a document without items that are read to find whether it is the first of several."""

_HEAD = 64
"""Bytes in which the RS of a sequence is looked for, behind white space."""

_LONGEST_LINE = 8 * 1024 * 1024
"""Bytes without a newline that may still be a line; its values are built faster than those of a row."""


def load_json(file: BinaryIO, *, path: str | None = None, encoding: str | None = None) -> object:
    """Return the document, equal to what json.load returns for it, or the value at `path`.

    Several documents in a row (JSON Lines, with or without the newlines) are a list, and so is a JSON text sequence
    (RFC 7464), of one as well. A path is as `parse_path` reads
    it: ``a.b`` or ``/a/b`` is one value, and nothing behind it is read; ``users.item.name`` or ``/users/*/name`` is
    the list of all that there are. What lies beside the path is not checked beyond its brackets and quotes, and of
    members with the same name the first counts.

    Raises:
        FormatError: Malformed, with the byte offset; or nothing at `path`.
        TruncatedError: The file is empty, or ends within the document.
        OptionError: `path` is none.
    """
    with collector_paused():
        if not path:
            if _is_sequence(file, encoding):
                return list(records(_pieces(file)))
            return decode.document(file.read(), decode.fast_decoder(), encoding)
        steps = parse_path(path)
        selection = Selection(_scanner(file, encoding))
        values = list(selection.values_at(steps))
    if not values and not selection.in_empty:
        raise _nothing_at(path, selection.beside)
    return values if selection.in_array else values[0]


def iterate_json(file: BinaryIO, *, path: str | None = None, encoding: str | None = None) -> Iterator[object]:
    """Yield the elements of the array that the document is, or the values at `path`, as `load_json` describes it.

    The items of several documents in a row are these. No more is read than the item needs and one piece of 128 KiB; an
    item larger than that may read twice its size. After the last item at `path` nothing more is read.

    Raises:
        FormatError: The document is no array, or nothing is at `path`, or it is malformed, when that is reached.
        TruncatedError: The file is empty, or ends within the array.
        OptionError: `path` is none.
    """
    steps = parse_path(path or "")
    if not path and _is_sequence(file, encoding):
        yield from records(_pieces(file))
        return
    scanner = _scanner(file, encoding)
    if not path:
        yield from _elements(scanner)
        return
    selection = Selection(scanner)
    found = False
    for value in selection.values_at(steps):
        found = True
        yield value
    if not found and not selection.in_empty:
        raise _nothing_at(path, selection.beside)


def iterate_lines(file: BinaryIO, *, encoding: str | None = None) -> Iterator[object]:
    """Yield the value of each line of a JSON Lines file; blank lines are passed over.

    There may be several values in a line, or no newlines at all, or values over several lines; or records of RFC 7464.

    Raises:
        FormatError: A line is malformed, with the byte offset.
        TruncatedError: The last line is a beginning.

    See: https://jsonlines.org
    """
    if _is_sequence(file, encoding):
        yield from records(_pieces(file))
        return
    head, in_lines = _begun(file, encoding)
    if not in_lines:
        yield from JsonScanner(text_reader(file, head)).row()
        return
    fast = decode.fast_decoder()
    pieces = chain([head.data[head.mark_size :]], _pieces(file))
    for offset, line, at_end in split_lines(pieces, b"\n", len, head.mark_size):
        if line.strip(b" \t\r"):
            yield from decode.line(line, fast, offset=offset, at_end=at_end)


def iterate_lines_between(file: BinaryIO, start: int, stop: int, *, encoding: str | None = None) -> Iterator[object]:
    """Yield what `iterate_lines` does of the lines that begin from byte `start` to byte `stop`.

    Where the file has no lines, all its values begin at byte 0. Besides what lies between, its beginning is read, which
    tells that, and what the last line takes behind `stop`.
    """
    file.seek(0)
    if _is_sequence(file, encoding):
        if not start:
            yield from records(_pieces(file))
        return
    head, in_lines = _begun(file, encoding)
    if not in_lines:
        if not start:
            yield from JsonScanner(text_reader(file, head)).row()
        return
    fast = decode.fast_decoder()
    # From the byte before: if that is a newline, a line begins at `start`; else what comes first is the end of one.
    begin = max(start - 1, head.mark_size)
    file.seek(begin)
    for offset, line, at_end in split_lines(_pieces(file), b"\n", len, begin):
        if offset >= stop:
            return
        if offset >= start and line.strip(b" \t\r"):
            yield from decode.line(line, fast, offset=offset, at_end=at_end)


def _begun(file: BinaryIO, encoding: str | None) -> tuple[Head, bool]:
    """Read the beginning of the file; return it, and whether each line holds whole values."""
    head = read_head(file, encoding)
    if head.encoding != "utf-8":
        return head, False
    begin, in_lines = _first_line(file, head.data)
    return head._replace(data=begin), in_lines


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read1(CHUNK_SIZE), b"")  # type: ignore[attr-defined]


def load_lines(file: BinaryIO, *, encoding: str | None = None) -> list[object]:
    """Return the values of all lines, as `iterate_lines` yields them."""
    with collector_paused():
        return list(iterate_lines(file, encoding=encoding))


def _first_line(file: BinaryIO, head: bytes) -> tuple[bytes, bool]:
    """Read on to the end of the first line that is not blank, as far as it takes to know whether there are lines.

    Returns:
        `head` and what was read, and whether each line holds whole values.
    """
    read = bytearray(head)
    looked = CHUNK_SIZE // 2
    data = head
    while True:
        if b"\n" in data and (line := read.lstrip().partition(b"\n"))[1]:
            return bytes(read), not decode.is_cut(bytes(line[0]))
        if len(read) >= 2 * looked:
            looked = len(read)
            if looked >= _LONGEST_LINE or decode.begins_with_value(bytes(read)):
                return bytes(read), False  # more than one value, and yet no newline
        data = file.read1(CHUNK_SIZE)  # type: ignore[attr-defined]
        if not data:
            return bytes(read), True
        read += data


def _is_sequence(file: BinaryIO, encoding: str | None) -> bool:
    """Return whether the file is a sequence, which is UTF-8 and nothing else."""
    return encoding_of(b"", encoding)[0] == "utf-8" and is_sequence(peek_head(file, _HEAD))


def _scanner(file: BinaryIO, encoding: str | None) -> JsonScanner:
    if _is_sequence(file, encoding):
        raise no_path()
    scanner = JsonScanner(text_reader(file, read_head(file, encoding)))
    if scanner.is_empty():
        raise TruncatedError("The JSON document is empty.", offset=0)
    return scanner


def _elements(scanner: JsonScanner) -> Iterator[object]:
    is_array = scanner.peek() == "["
    # Of an array that is all there the first piece tells; more is not fetched for it.
    if scanner.is_row(0 if is_array else _IN_ORDER_TO_KNOW):
        yield from scanner.row()
        return
    if not is_array:
        raise FormatError(
            "The JSON document is not an array, so it has no items. Say with --path where the array is, "
            "such as --path data.item, or --format jsonl if there is one document a line.",
            offset=0,
        )
    yield from scanner.values()
    scanner.end()


def _nothing_at(path: str, beside: Sequence[str]) -> FormatError:
    there = f" Where it ends there are: {', '.join(visible(name, most=40) for name in beside)}." if beside else ""
    return FormatError(
        f"Nothing is at the path {visible(repr(path), most=120)}.{there} It is made of names, and of 'item' for the "
        "elements of an array: a.b.item; or it is a JSON Pointer: /a/b/0, /a/b/*"
    )
