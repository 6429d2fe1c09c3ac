"""How much a Parquet file expands to, by its pages and not by what its footer says of them.

A footer may say anything, and may name the same pages a thousand times over. A page says to how many bytes it is
decompressed and how many values it has, and the reader insists on both; but a value may be the number of an entry in a
dictionary, or repeat most of the one before it, so a short page may stand for long texts a million times. Columns of
which that could be true are read first, as numbers of entries where that is possible, and counted.

See: https://parquet.apache.org/docs/file-format/data-pages/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aios3_nb.errors import FormatError, TooLargeError
from aios3_nb.formats.expansion import ExpansionLimit

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_OFFSET = 4
"""Bytes that say where a text begins."""
_BATCH = 32 << 20
"""Bytes that one batch of texts that repeat each other may become."""

_ROWS = 65_536
"""Rows of one batch of other columns."""

_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_DELTA_BYTE_ARRAY = 7


def check_parquet(data: memoryview, file: Any, limit: ExpansionLimit, places: Sequence[int] | None = None) -> None:
    """Return if the rows of a Parquet file may be made.

    Args:
        data: The bytes of all of it.
        file: Its `pyarrow.parquet.ParquetFile`.
        limit: What it may expand to.
        places: The columns that will be made; None for all.

    Raises:
        TooLargeError: They would take more than that.
        FormatError: Its pages cannot be followed.
    """
    about = file.metadata
    certain = 0
    doubtful: dict[str, _Sum] = {}
    for group in range(about.num_row_groups):
        for place in range(about.num_columns) if places is None else places:
            chunk = about.row_group(group).column(place)
            found = _summed(data, chunk, about.schema.column(place).length)
            certain += found.bytes
            limit.check(certain, len(data))
            if found.most > found.bytes:
                doubtful[chunk.path_in_schema] = _larger(doubtful.get(chunk.path_in_schema), found)
    if _is_too_much(certain + sum(each.most for each in doubtful.values()), len(data), limit):
        _count(data, doubtful, certain, limit)


@dataclass(frozen=True, slots=True)
class _Page:
    kind: int
    expanded: int
    values: int
    encoding: int


@dataclass(frozen=True, slots=True)
class _Sum:
    """What the pages of a column say.

    Attributes:
        bytes: What they are decompressed to, or their values take where that is more.
        most: What they could stand for.
        repeating: Bytes of the longest page whose texts repeat each other; 0 without one.
    """

    bytes: int
    most: int
    repeating: int


def _larger(one: _Sum | None, other: _Sum) -> _Sum:
    return (
        other
        if one is None
        else _Sum(one.bytes + other.bytes, one.most + other.most, max(one.repeating, other.repeating))
    )


def _summed(data: memoryview, chunk: Any, length: int) -> _Sum:
    expanded = values = entries = repeating = 0
    for page in _pages(data, chunk):
        expanded += page.expanded
        values += page.values
        if page.kind == _DICTIONARY:
            entries = page.expanded
        elif page.encoding == _DELTA_BYTE_ARRAY:
            repeating = max(repeating, page.expanded)
    if chunk.physical_type != "BYTE_ARRAY":
        certain = max(expanded, values * _WIDTHS.get(chunk.physical_type, max(length, 0)))
        return _Sum(certain, certain, 0)
    certain = expanded + values * _OFFSET
    return _Sum(certain, certain + values * max(entries, repeating), repeating)


def _is_too_much(expanded: int, compressed: int, limit: ExpansionLimit) -> bool:
    try:
        limit.check(expanded, compressed)
    except TooLargeError:
        return True
    return False


def _count(data: memoryview, doubtful: dict[str, _Sum], certain: int, limit: ExpansionLimit) -> None:
    """Read the columns that could be long, as numbers of a dictionary's entries where they are, and count."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    entries = [name for name, found in doubtful.items() if not found.repeating]
    file = pq.ParquetFile(pa.py_buffer(data), read_dictionary=entries)
    for name, found in doubtful.items():
        rows = max(1, _BATCH // found.repeating) if found.repeating else _ROWS
        for batch in file.iter_batches(batch_size=rows, columns=[name], use_threads=False):
            certain += sum(map(_length, batch.columns))
            limit.check(certain, len(data))


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


def _pages(data: memoryview, chunk: Any) -> Iterator[_Page]:
    at = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        at = min(at, chunk.dictionary_page_offset)
    stop = at + chunk.total_compressed_size
    if not 0 <= at <= stop <= len(data):
        raise FormatError("Its footer names pages that are not in the file.")
    values = 0
    while at < stop and values < chunk.num_values:
        header = _Header(data, at, stop)
        fields = header.struct()
        page = _page_of(fields)
        values += page.values
        size = fields.get(3)
        if not isinstance(size, int) or size < 0:
            raise FormatError("One of its pages has no length.")
        at = header.at + size
        yield page


def _page_of(fields: dict[int, Any]) -> _Page:
    """See: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift."""
    kind, expanded = fields.get(1, -1), fields.get(2, -1)
    about = fields.get({_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}.get(kind, 0)) or {}
    values = about.get(1, 0) if kind != _DICTIONARY else 0
    encoding = about.get(4 if kind == _DATA_V2 else 2, 0)
    if not all(isinstance(each, int) and each >= 0 for each in (kind, expanded, values, encoding)):
        raise FormatError("One of its pages says nothing of what is in it.")
    return _Page(kind, expanded, values, encoding)


class _Header:
    """Reads one header of a page, in Thrift's compact protocol.

    See: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
    """

    def __init__(self, data: memoryview, at: int, stop: int) -> None:
        self.at = at
        self._data, self._stop = data, stop

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields by their numbers; numbers and structs only, the rest is passed over."""
        fields: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != 0:
            step, kind = head >> 4, head & 15
            number = number + step if step else self._zigzag()
            fields[number] = self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if depth > 8:
            raise FormatError("One of its pages has a header of too many levels.")
        if kind in (1, 2):  # a boolean, in the kind itself
            return kind == 1
        if kind == 12:
            return self.struct(depth + 1)
        if kind in (4, 5, 6):
            return self._zigzag()
        lengths = {3: 1, 7: 8}
        self._skip(lengths[kind] if kind in lengths else self._bytes_of(kind))
        return None

    def _bytes_of(self, kind: int) -> int:
        if kind != 8:
            raise FormatError("One of its pages has a header that cannot be read.")
        return self._varint()

    def _skip(self, count: int) -> None:
        self.at += count
        if self.at > self._stop:
            raise FormatError("One of its pages is cut short.")

    def _byte(self) -> int:
        self._skip(1)
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise FormatError("One of its pages has a header that cannot be read.")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
