"""How much a Parquet file expands to, by its pages and not by what its footer says of them.

A footer may say anything, and may name the same pages a thousand times over. A page says to how many bytes it is
decompressed and how many values it has, and the reader insists on both; but a value may be the number of an entry in a
dictionary, or repeat most of the one before it, so a short page may stand for long texts a million times. Columns of
which that could be true are read first, as numbers of entries where that is possible, and counted.

See: https://parquet.apache.org/docs/file-format/data-pages/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aios3_nb.errors import FormatError, TooLargeError
from aios3_nb.formats.expansion import ExpansionLimit
from aios3_nb.formats.thrift import Thrift

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_OFFSET = 4
"""Bytes that say where a text begins."""
_BATCH = 32 << 20
"""Bytes that one batch of texts that repeat each other may become."""

_ROWS = 65_536
"""Rows of one batch of other columns."""

_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_DELTA_BYTE_ARRAY = 7


Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a Parquet file, of which some or all are about to be decoded.

    Attributes:
        about: Its metadata, as pyarrow has them.
        size: Bytes of all of it.
        read: Returns the bytes from start to stop.
        open: Opens it as a `pyarrow.parquet.ParquetFile`, of which nothing may be read but the ranges; columns of these
            names are read as numbers of a dictionary's entries where they are.
        groups: Of rows; None means all.
        places: Columns, by their numbers; None means all.
        rows: How many of the first rows will be made; None means all.
        enough: Of a column of lists nobody knows how many pages have so many rows; after so many bytes no more of
            them are looked at, nor read. None means all.
    """

    about: Any
    size: int
    read: Callable[[int, int], bytes | memoryview]
    open: Callable[[Sequence[Range], Sequence[str]], Any]
    groups: Sequence[int] | None = None
    places: Sequence[int] | None = None
    rows: int | None = None
    enough: int | None = None

    def chunks(self) -> Iterator[tuple[Any, Any]]:
        """Yield what is said of each column in each group of rows, and of the column."""
        about = self.about
        for group in range(about.num_row_groups) if self.groups is None else self.groups:
            for place in range(about.num_columns) if self.places is None else self.places:
                yield about.row_group(group).column(place), about.schema.column(place)

    def cut(self) -> Range:
        """Return after how many values, and bytes, of a column of lists or of none, no more of its pages are read."""
        return (-1, -1) if self.rows is None else (self.rows, -1 if self.enough is None else self.enough)


def check_parquet(pages: Pages, limit: ExpansionLimit) -> list[Range]:
    """Return where the pages are that were looked at, when their rows may be made.

    Raises:
        TooLargeError: They would take more than `limit`.
        FormatError: They cannot be followed.
    """
    certain = packed = 0
    doubtful: dict[str, _Sum] = {}
    ranges = []
    for chunk, column in pages.chunks():
        found = _summed(pages, chunk, column)
        ranges.append(found.range)
        certain += found.bytes
        packed += found.range[1] - found.range[0]
        limit.check(certain, min(packed, pages.size))
        if found.most > found.bytes:
            doubtful[chunk.path_in_schema] = _larger(doubtful.get(chunk.path_in_schema), found)
    packed = min(packed, pages.size)
    if _is_too_much(certain + sum(each.most for each in doubtful.values()), packed, limit):
        _count(pages, ranges, doubtful, certain, packed, limit)
    return ranges


@dataclass(frozen=True, slots=True)
class _Page:
    kind: int
    expanded: int
    values: int
    encoding: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Sum:
    """What the pages of a column say.

    Attributes:
        bytes: What they are decompressed to, or their values take where that is more.
        most: What they could stand for.
        repeating: Bytes of the longest page whose texts repeat each other; 0 without one.
        range: Where they are.
    """

    bytes: int
    most: int
    repeating: int
    range: Range = (0, 0)


def _larger(one: _Sum | None, other: _Sum) -> _Sum:
    return (
        other
        if one is None
        else _Sum(one.bytes + other.bytes, one.most + other.most, max(one.repeating, other.repeating))
    )


def _summed(pages: Pages, chunk: Any, column: Any) -> _Sum:
    expanded = values = entries = repeating = 0
    start, stop = range_of(chunk)
    most_values, most_bytes = pages.cut()
    is_cut = most_values >= 0 and (most_bytes >= 0 or not column.max_repetition_level)
    for page in _pages(pages, chunk, start, stop):
        expanded += page.expanded
        values += page.values
        if page.kind == _DICTIONARY:
            entries = page.expanded
        elif page.encoding == _DELTA_BYTE_ARRAY:
            repeating = max(repeating, page.expanded)
        if is_cut and values >= most_values and (not column.max_repetition_level or expanded >= most_bytes):
            stop = page.stop
            break
    if most_values >= 0 and not column.max_repetition_level:
        values = min(values, most_values)
    if chunk.physical_type != "BYTE_ARRAY":
        certain = max(expanded, values * _WIDTHS.get(chunk.physical_type, max(column.length, 0)))
        return _Sum(certain, certain, 0, (start, stop))
    certain = expanded + values * _OFFSET
    return _Sum(certain, certain + values * max(entries, repeating), repeating, (start, stop))


def _is_too_much(expanded: int, compressed: int, limit: ExpansionLimit) -> bool:
    try:
        limit.check(expanded, compressed)
    except TooLargeError:
        return True
    return False


def _count(
    pages: Pages,
    ranges: Sequence[Range],
    doubtful: dict[str, _Sum],
    certain: int,
    packed: int,
    limit: ExpansionLimit,
) -> None:
    """Read the columns that could be long, as numbers of a dictionary's entries where they are, and count."""
    file = pages.open(ranges, [name for name, found in doubtful.items() if not found.repeating])
    options: dict[str, Any] = {} if pages.groups is None else {"row_groups": list(pages.groups)}
    for name, found in doubtful.items():
        left = pages.rows
        rows = max(1, _BATCH // found.repeating) if found.repeating else _ROWS
        rows = rows if left is None else max(1, min(rows, left))
        for batch in file.iter_batches(batch_size=rows, columns=[name], use_threads=False, **options):
            if left is not None and batch.num_rows >= left:
                certain += sum(_length(column[:left]) for column in batch.columns)
                limit.check(certain, packed)
                break
            left = None if left is None else left - batch.num_rows
            certain += sum(map(_length, batch.columns))
            limit.check(certain, packed)


def _length(array: Any) -> int:
    """Return the bytes of `array` when each value has its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        lengths = pc.binary_length(array.dictionary)
        return int(pc.sum(pc.cast(lengths.take(array.indices), pa.int64())).as_py() or 0)
    if pa.types.is_map(kind):
        return _length(array.keys) + _length(array.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _length(array.flatten())
    if pa.types.is_struct(kind):
        return sum(map(_length, array.flatten()))
    return int(array.nbytes)


# ---- pages


def range_of(chunk: Any) -> Range:
    """Return where the pages of a column in a group of rows are, as the footer says."""
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        start = min(start, chunk.dictionary_page_offset)
    return start, start + chunk.total_compressed_size


def _pages(pages: Pages, chunk: Any, at: int, stop: int) -> Iterator[_Page]:
    if not 0 <= at <= stop <= pages.size:
        raise FormatError("Its footer names pages that are not in the file.")
    values = 0
    while at < stop and values < chunk.num_values:
        header = Thrift(pages.read, at, stop)
        fields = header.struct()
        size = fields.get(3)
        if not isinstance(size, int) or size < 0:
            raise FormatError("One of its pages has no length.")
        at = header.at + size
        page = _page_of(fields, min(at, stop))
        values += page.values
        yield page


def _page_of(fields: dict[int, Any], stop: int) -> _Page:
    """See: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift."""
    kind, expanded = fields.get(1, -1), fields.get(2, -1)
    about = fields.get({_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}.get(kind, 0)) or {}
    values = about.get(1, 0) if kind != _DICTIONARY else 0
    encoding = about.get(4 if kind == _DATA_V2 else 2, 0)
    if not all(isinstance(each, int) and each >= 0 for each in (kind, expanded, values, encoding)):
        raise FormatError("One of its pages says nothing of what is in it.")
    return _Page(kind, expanded, values, encoding, stop)
