"""How much an Arrow file or stream expands to, by its buffers and not by what it says of itself.

Each buffer of a batch may be compressed, and then begins with the length that it is decompressed to. What needs no
bytes there and some later is counted when the batch was read: nulls, and views of one text many times over.

See: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.expansion import ExpansionLimit

_MAGIC = b"ARROW1"
_POINTER = 8
_VIEW = 16
"""Bytes of one entry that says where a text is."""

# Fields of the tables, by their order in the schemas: https://github.com/apache/arrow/tree/main/format
_KIND, _CONTENT = 1, 2
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_DATA_OF_DICTIONARY = 1
_BUFFERS, _COMPRESSION = 2, 3
_DICTIONARIES, _BATCHES = 2, 3


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
        for message in _messages(data, buffer):
            expanded += sum(_lengths(memoryview(message.metadata), message.body))
            limit.check(expanded, len(data))
    except struct.error as exc:
        raise FormatError("One of its messages is cut short.") from exc
    for batch in _batches(data, buffer):
        batch.validate(full=True)  # else an offset may lead anywhere in memory
        expanded += sum(_besides(column) for column in batch.columns)
        limit.check(expanded, len(data))


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


def _blocks(data: memoryview) -> Iterator[int]:
    end = len(data) - len(_MAGIC) - 4
    (length,) = struct.unpack_from("<i", data, end)
    if not 0 < length <= end:
        raise FormatError("Its footer is not where it should be.")
    footer = data[end - length : end]
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
