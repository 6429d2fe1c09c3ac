"""How much an Arrow file or stream expands to, by its buffers and not by what it says of itself.

Each buffer of a batch may be compressed, and then begins with the length that it is decompressed to. What needs no
bytes there and some later is counted when the batch was read: nulls, and views of one text many times over.

See: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from aios3_nb.errors import FormatError
from aios3_nb.formats.codecs import peek_head
from aios3_nb.formats.expansion import ExpansionLimit

_MAGIC = b"ARROW1"
_PADDED_MAGIC = 8
"""Bytes of it at the beginning of a file."""

_POINTER = 8
_COLUMN = 300
"""Bytes that the description of one column takes."""

_VIEW = 16
"""Bytes of one entry that says where a text is."""

# Fields of the tables, by their order in the schemas: https://github.com/apache/arrow/tree/main/format
_KIND, _CONTENT = 1, 2
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_DATA_OF_DICTIONARY = 1
_LENGTH, _BUFFERS, _COMPRESSION = 0, 2, 3
_SCHEMA, _DICTIONARIES, _BATCHES = 1, 2, 3
_FIELDS, _CHILDREN = 1, 5


def check_arrow(data: memoryview, limit: ExpansionLimit) -> None:
    """Return if the batches of an Arrow file or stream may be made.

    Raises:
        TooLargeError: They would take more than `limit`.
        FormatError: Its messages cannot be followed.
        Exception: They are not what they say; whatever pyarrow raises.
    """
    import pyarrow as pa

    buffer = pa.py_buffer(data)
    expanded = 0
    try:
        if data[: len(_MAGIC)] == _MAGIC:
            footer = _footer(data)
            check_schema(footer, _table(footer, _root(footer), _SCHEMA), limit)
        for message in _messages(data, buffer):
            if message.type == "schema":
                metadata = memoryview(message.metadata)
                check_schema(metadata, _table(metadata, _root(metadata), _CONTENT), limit)
            expanded += sum(_lengths(memoryview(message.metadata), message.body))
            limit.check(expanded, len(data))
    except struct.error as exc:
        raise FormatError("One of its messages is cut short.") from exc
    for batch in _batches(data, buffer):
        batch.validate(full=True)  # else an offset may lead anywhere in memory
        expanded += sum(_besides(column) for column in batch.columns)
        limit.check(expanded, len(data))


def first_batches(file: BinaryIO, rows: int, limit: ExpansionLimit) -> Any:
    """Return the first rows of an Arrow file or stream as a table; no more batches are read than have them.

    A file is a stream between its magic and its footer, which is not asked.

    Raises:
        TooLargeError: They would take more than `limit`.
        FormatError: Its messages cannot be followed.
        Exception: They are not what they say; whatever pyarrow raises.
    """
    import pyarrow as pa

    if peek_head(file, len(_MAGIC)) == _MAGIC:
        file.read(_PADDED_MAGIC)
    head, left = io.BytesIO(), rows
    for message in pa.ipc.MessageReader.open_stream(file):
        head.write(message.serialize())
        left -= _rows(memoryview(message.metadata))
        if left <= 0:
            break
    data = head.getbuffer()
    check_arrow(data, limit)
    return pa.ipc.open_stream(pa.py_buffer(data)).read_all().slice(0, rows)


def check_described(file: BinaryIO, limit: ExpansionLimit) -> None:
    """Return if the columns may be made that an Arrow file or stream describes, and leave it at its beginning.

    Raises:
        TooLargeError: They would take more than `limit`.
        FormatError: The description cannot be followed.
        Exception: It is none; whatever pyarrow raises.
    """
    import pyarrow as pa

    try:
        if file.read(len(_MAGIC)) == _MAGIC:
            size = file.seek(-len(_MAGIC) - 4, io.SEEK_END)
            length = int.from_bytes(file.read(4), "little")
            file.seek(max(0, size - length))
            footer = memoryview(file.read(length))
            check_schema(footer, _table(footer, _root(footer), _SCHEMA), limit)
        else:
            file.seek(0)
            metadata = memoryview(pa.ipc.read_message(file).metadata)
            check_schema(metadata, _table(metadata, _root(metadata), _CONTENT), limit)
    except struct.error as exc:
        raise FormatError("Its description is cut short.") from exc
    file.seek(0)


def check_schema(metadata: memoryview, schema: int, limit: ExpansionLimit) -> None:
    """Return if the columns may be made that the schema at `schema` speaks of.

    One description may stand for any number of them, each with as many parts, and they with as many again.

    Raises:
        TooLargeError: They would take more than `limit`.
    """
    count, waiting = 0, [(schema, _FIELDS)]
    while waiting:
        table, field = waiting.pop()
        at, inner = _vector(metadata, table, field, 4)
        count += inner
        limit.check(count * _COLUMN, len(metadata))
        for place in range(at, at + 4 * inner, 4):
            waiting.append((_inside(metadata, place + struct.unpack_from("<I", metadata, place)[0]), _CHILDREN))


def _rows(metadata: memoryview) -> int:
    """Return the rows that a message says it has; 0 when it is about something else."""
    table = _root(metadata)
    place = _field(metadata, table, _KIND)
    if not place or metadata[place] != _RECORD_BATCH:
        return 0
    at = _field(metadata, _table(metadata, table, _CONTENT), _LENGTH)
    return max(0, struct.unpack_from("<q", metadata, at)[0]) if at else 0


def _batches(data: memoryview, buffer: Any) -> Iterator[Any]:
    import pyarrow as pa

    if data[: len(_MAGIC)] != _MAGIC:
        yield from pa.ipc.open_stream(buffer)
        return
    file = pa.ipc.open_file(buffer)
    for number in range(file.num_record_batches):
        yield file.get_batch(number)


def _messages(data: memoryview, buffer: Any) -> Iterator[Any]:
    """Yield the messages that a reader would; a file may name one many times."""
    import pyarrow as pa

    if data[: len(_MAGIC)] != _MAGIC:
        yield from pa.ipc.MessageReader.open_stream(buffer)
        return
    for offset in _blocks(data):
        yield pa.ipc.read_message(pa.BufferReader(buffer.slice(offset)))


def _footer(data: memoryview) -> memoryview:
    end = len(data) - len(_MAGIC) - 4
    (length,) = struct.unpack_from("<i", data, end)
    if not 0 < length <= end:
        raise FormatError("Its footer is not where it should be.")
    return data[end - length : end]


def _blocks(data: memoryview) -> Iterator[int]:
    footer = _footer(data)
    for field in (_DICTIONARIES, _BATCHES):
        at, count = _vector(footer, _root(footer), field, 24)
        for number in range(count):
            (offset,) = struct.unpack_from("<q", footer, at + 24 * number)
            if not 0 <= offset < len(data):
                raise FormatError("Its footer names what is not in the file.")
            yield offset


def _lengths(metadata: memoryview, body: Any) -> Iterator[int]:
    """Yield the bytes of each buffer of one message, decompressed."""
    table = _root(metadata)
    place = _field(metadata, table, _KIND)
    kind = metadata[place] if place else 0
    if kind not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return
    batch = _table(metadata, table, _CONTENT)
    if kind == _DICTIONARY_BATCH:
        batch = _table(metadata, batch, _DATA_OF_DICTIONARY)
    compressed = bool(_field(metadata, batch, _COMPRESSION))
    at, count = _vector(metadata, batch, _BUFFERS, 16)
    inside = memoryview(body) if body is not None else memoryview(b"")
    for number in range(count):
        offset, length = struct.unpack_from("<qq", metadata, at + 16 * number)
        if offset < 0 or length < 0 or offset + length > len(inside):
            raise FormatError("One of its buffers is not in the file.")
        if compressed and length:
            (expanded,) = struct.unpack_from("<q", inside, offset)
            length = max(length, expanded)
        yield length


def _besides(array: Any) -> int:
    """Return the bytes that the values of `array` will take, and that none of its buffers has."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_null(kind):
        return _POINTER * len(array)
    if str(kind) in ("string_view", "binary_view"):
        # Each view says its length in its first four bytes; a cast would make the texts themselves.
        views = memoryview(array.buffers()[1])[_VIEW * array.offset : _VIEW * (array.offset + len(array))]
        return sum(length for (length,) in struct.iter_unpack("<i12x", views))
    if pa.types.is_struct(kind):
        return sum(map(_besides, array.flatten()))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _besides(array.flatten())
    return 0


# ---- flatbuffers: https://flatbuffers.dev/internals/


def _root(data: memoryview) -> int:
    return int(struct.unpack_from("<I", data, 0)[0])


def _field(data: memoryview, table: int, number: int) -> int:
    """Return where a field of the table at `table` is; 0 when it has no such field."""
    back, entry = struct.unpack_from("<i", data, _inside(data, table))[0], 4 + 2 * number
    fields = _inside(data, table - back)
    if entry + 2 > struct.unpack_from("<H", data, fields)[0]:
        return 0
    offset = struct.unpack_from("<H", data, fields + entry)[0]
    return _inside(data, table + offset) if offset else 0


def _table(data: memoryview, table: int, number: int) -> int:
    at = _field(data, table, number)
    if not at:
        raise FormatError("One of its messages says nothing of what is in it.")
    return _inside(data, at + struct.unpack_from("<I", data, at)[0])


def _vector(data: memoryview, table: int, number: int, width: int) -> tuple[int, int]:
    """Return where the items of a vector begin, and how many there are."""
    at = _field(data, table, number)
    if not at:
        return 0, 0
    at = _inside(data, at + struct.unpack_from("<I", data, at)[0])
    (count,) = struct.unpack_from("<I", data, at)
    if at + 4 + count * width > len(data):
        raise FormatError("One of its messages is cut short.")
    return at + 4, count


def _inside(data: memoryview, at: int) -> int:
    if not 0 <= at < len(data):
        raise FormatError("One of its messages is cut short.")
    return at
