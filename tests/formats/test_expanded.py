"""What Parquet and Arrow expand to is counted before it is made, whatever they say of themselves."""

import contextlib
import io
import struct

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from aios3_nb.errors import FormatError, TooLargeError
from aios3_nb.formats import LoadOptions, recognise

TEXT = "x" * 100_000
LONG = {
    "zeros": lambda: np.zeros(15_000_000),
    "one text": lambda: pa.array([TEXT] * 1000),
    "lists": lambda: pa.array([[TEXT] * 100] * 10),
    "one long list": lambda: pa.array([[TEXT] * 1000]),
    "structs": lambda: pa.array([{"a": TEXT}] * 1000),
    "maps": lambda: pa.array([[("k", TEXT)]] * 1000, pa.map_(pa.string(), pa.string())),
    "nulls": lambda: pa.array([None] * 15_000_000, pa.float64()),
    "binary of fixed length": lambda: pa.array([bytes(100_000)] * 1000, pa.binary(100_000)),
}
"""Each takes some 100 MB in memory while its test runs, and few bytes in a file."""

FINE = {
    "numbers": np.arange(100_000),
    "texts": pa.array([f"text {n}" for n in range(100_000)]),
    "few texts": pa.array(["a", "b"] * 50_000),
    "lists": pa.array([["a", "b"], [], None, ["c"]] * 1000),
    "structs": pa.array([{"a": 1, "b": "x"}] * 1000),
    "maps": pa.array([[("k", 1)]] * 1000, pa.map_(pa.string(), pa.int64())),
    "times": pa.array([1, 2, None] * 1000, pa.timestamp("us")),
    "nulls": pa.nulls(1000),
    "categories": pa.array(["a", "b"] * 1000).dictionary_encode(),
    "booleans": pa.array([True, None] * 1000),
    "none": pa.array([], pa.string()),
}


def parquet(values, **options):
    file = io.BytesIO()
    pq.write_table(pa.table({"c": values}), file, **{"compression": "zstd", **options})
    return file.getvalue()


def arrow(values, compression="zstd"):
    file = io.BytesIO()
    pa.feather.write_feather(pa.table({"c": values}), file, compression=compression, chunksize=1 << 30)
    return file.getvalue()


def stream(values):
    file, table = io.BytesIO(), pa.table({"c": values})
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(file, table.schema, options=options) as writer:
        writer.write_table(table)
    return file.getvalue()


def load(name, data, max_bytes=None, as_=None, rows=None):
    file = io.BufferedReader(io.BytesIO(data))
    return recognise("", b"", name).load(file, LoadOptions(max_bytes=max_bytes, as_=as_, limit=rows))


WRITERS = {
    "parquet": ("parquet", parquet),
    "parquet, v2 pages": ("parquet", lambda values: parquet(values, data_page_version="2.0")),
    "parquet, no dictionary": ("parquet", lambda values: parquet(values, use_dictionary=False)),
    "arrow": ("arrow", arrow),
    "stream": ("arrow", stream),
}


@contextlib.contextmanager
def counted():
    """Give a pool that counts what pyarrow takes meanwhile."""
    before = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(before)
    pa.set_memory_pool(pool)
    try:
        yield pool
    finally:
        pa.set_memory_pool(before)


@pytest.mark.parametrize("values", LONG)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_would_be_larger_is_refused_before_it_is_made(writer, values):
    name, write = WRITERS[writer]
    data = write(LONG[values]())
    assert len(data) < 2_000_000
    with counted() as pool, pytest.raises(TooLargeError, match="max_bytes"):
        load(name, data, 20_000_000)
    assert pool.max_memory() <= 60_000_000


@pytest.mark.parametrize("values", FINE.values(), ids=FINE)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_not_is_loaded_as_ever(writer, values):
    name, write = WRITERS[writer]
    data = write(values)
    expected = pd.read_parquet(io.BytesIO(data)) if name == "parquet" else pa.table({"c": values}).to_pandas()
    pd.testing.assert_frame_equal(load(name, data, 20_000_000), expected)
    pd.testing.assert_frame_equal(load(name, data), expected)


def test_texts_that_repeat_the_one_before_are_counted_too():
    data = parquet(pa.array([TEXT] * 1000), use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
    with pytest.raises(TooLargeError):
        load("parquet", data, 20_000_000)
    texts = pa.array([f"text {n}" for n in range(1000)])
    data = parquet(texts, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
    assert load("parquet", data, 1_000_000)["c"].tolist() == texts.to_pylist()


def test_views_of_one_text_are_counted_as_that_many_texts():
    with pytest.raises(TooLargeError):
        load("arrow", arrow(pa.array([TEXT] * 1000).cast(pa.string_view())), 20_000_000)
    with pytest.raises(TooLargeError):
        load("arrow", arrow(pa.nulls(15_000_000), None), 20_000_000)


def test_without_a_limit_of_the_users_a_bomb_is_one_still():
    data = parquet(pa.chunked_array([pa.array(["x" * 1_000_000] * 100)] * 12))
    with pytest.raises(TooLargeError, match="looks like a decompression bomb"):
        load("parquet", data)


def test_a_page_whose_header_is_cut_is_a_format_error():
    data = bytearray(parquet(np.arange(1000)))
    data[4:8] = b"\xff" * 4
    with pytest.raises(FormatError):
        load("parquet", bytes(data))


def test_an_offset_that_leads_out_of_the_file_is_a_format_error():
    """Arrow itself would follow it into the memory of the kernel."""
    offsets = np.arange(101, dtype="i4")
    offsets[50] = 1 << 30
    wrong = pa.Array.from_buffers(pa.string(), 100, [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"a" * 100)])
    with pytest.raises(FormatError):
        load("arrow", arrow(wrong, "uncompressed"))


# The first rows: no more than the pages that they are in is made, whatever the footer says.


def first(name, data, rows, max_bytes=None, as_=None):
    return load(name, data, max_bytes, as_, rows)


@pytest.mark.parametrize("rows", [0, 1, 3, 999_999_999])
@pytest.mark.parametrize("values", FINE.values(), ids=FINE)
@pytest.mark.parametrize("writer", WRITERS)
def test_the_first_rows_are_those_of_all(writer, values, rows):
    name, write = WRITERS[writer]
    data = write(values)
    table = first(name, data, rows, 20_000_000, "arrow")
    assert table["c"].to_pylist() == load(name, data, None, "arrow")["c"].to_pylist()[:rows]
    assert table.schema.names == ["c"]


HUGE_ROWS = ["one text", "lists", "structs", "binary of fixed length"]


@pytest.mark.parametrize("values", HUGE_ROWS)
@pytest.mark.parametrize("writer", WRITERS)
def test_first_rows_that_would_be_larger_are_refused(writer, values):
    name, write = WRITERS[writer]
    with pytest.raises(TooLargeError, match="max_bytes"):
        first(name, write(LONG[values]()), 900, 20_000_000)


def test_few_rows_of_many_large_ones_are_fine():
    data = parquet(LONG["one text"]())
    assert first("parquet", data, 5, 2_000_000)["c"].tolist() == [TEXT] * 5


def lying(data, **changed):
    """Return a Parquet file whose footer says of its only column that it expands to nothing, and has few rows."""
    about = pq.read_metadata(io.BytesIO(data))
    chunk = about.row_group(0).column(0)
    footer = data[-8 - about.serialized_size : -8]
    for value in (chunk.total_uncompressed_size, about.row_group(0).total_byte_size):
        footer = footer.replace(zigzag(value), zigzag(100, len(zigzag(value))))
    return data[: -8 - about.serialized_size] + footer + data[-8:]


def zigzag(value, length=0):
    """Return `value` as Thrift's compact protocol writes numbers, in so many bytes."""
    value, out = value << 1, bytearray()
    while value > 127 or len(out) + 1 < length:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


@pytest.mark.parametrize("rows", [1, None])
def test_a_footer_that_says_less_than_its_pages_is_not_believed(rows):
    """The preview of such an object took 12 s and 989 MB."""
    texts = pa.array([f"{n}{'x' * 1_000_000}" for n in range(50)])
    data = lying(parquet(texts, dictionary_pagesize_limit=1 << 30))
    assert pq.read_metadata(io.BytesIO(data)).row_group(0).column(0).total_uncompressed_size == 100
    with counted() as pool, pytest.raises(TooLargeError):
        load("parquet", data, 20_000_000, rows=rows)
    assert pool.max_memory() < 5_000_000


@pytest.mark.parametrize("writer", ["arrow", "stream"])
def test_a_batch_of_arrow_that_says_less_than_its_buffers_is_not_believed(writer):
    data = WRITERS[writer][1](np.zeros(10_000_000))
    assert len(data) < 100_000
    with counted() as pool, pytest.raises(TooLargeError):
        first("arrow", data, 1, 20_000_000)
    assert pool.max_memory() < 5_000_000


def test_columns_that_share_their_pages_are_refused():
    """Pages of the one that are not looked at could be bytes of the other that are."""
    values = np.arange(1000)
    file = io.BytesIO()
    pq.write_table(pa.table({"a": values, "b": values}), file, use_dictionary=False, compression="none")
    data = file.getvalue()
    about = pq.read_metadata(file).row_group(0)
    there, here = (about.column(n).data_page_offset for n in (0, 1))
    footer = data.rindex(zigzag(here))
    data = data[:footer] + zigzag(there, len(zigzag(here))) + data[footer + len(zigzag(here)) :]
    with pytest.raises(FormatError, match="twice"):
        first("parquet", data, 5)


class Flat:
    """Writes a flatbuffer piece by piece; what points is set when the place is known."""

    def __init__(self):
        self.data = bytearray(8)

    def put(self, piece):
        at = len(self.data)
        self.data += piece + bytes(-len(piece) % 8)
        return at

    def table(self, *slots):
        """Return where a table of such slots is; each is None, a number of its own, or b"" for what will point."""
        fields = b"".join(struct.pack("<H", 0 if slot is None else 8 * n) for n, slot in enumerate(slots, 1))
        about = self.put(struct.pack("<HH", 4 + len(fields), 8 * len(slots) + 8) + fields)
        at = self.put(bytes(8 * len(slots) + 8))
        struct.pack_into("<i", self.data, at, at - about)
        for n, slot in enumerate(slots, 1):
            self.data[at + 8 * n : at + 8 * n + 8] = struct.pack("<q", slot or 0)
        return at

    def point(self, at, there):
        struct.pack_into("<I", self.data, at, there - at)

    def vector(self, at, count):
        """Have `at` point to a vector; return where its items are, which are to point, as all do, further on."""
        vector = self.put(struct.pack("<I", count) + bytes(4 * count))
        self.point(at, vector)
        return range(vector + 4, vector + 4 * count + 4, 4)


def columns_of_one(count, parts=None):
    """Return a stream of Arrow with as many columns, and parts of each, as many again: all of them described once."""
    flat = Flat()
    message = flat.table(4, 1, 0, 0)  # version, kind, schema
    schema = flat.table(None, 0)
    flat.point(0, message)
    flat.point(message + 24, schema)
    named, kinds, items = [], [], flat.vector(schema + 16, count)
    for kind in (13, 2):  # a struct, and in it numbers
        field = flat.table(0, None, kind, 0, None, 0)
        for item in items:
            flat.point(item, field)
        named.append(field + 8)
        kinds.append(field + 32)
        items = flat.vector(field + 48, (count if parts is None else parts) if kind == 13 else 0)
    for at, table in zip(kinds, (flat.table(), flat.table(8, 1)), strict=True):
        flat.point(at, table)
    name = flat.put(b"\1\0\0\0a\0")
    for at in named:
        flat.point(at, name)
    return b"\xff\xff\xff\xff" + struct.pack("<I", len(flat.data)) + flat.data + b"\xff\xff\xff\xff\0\0\0\0"


def test_columns_that_are_described_once_are_counted_as_often_as_they_are_made():
    assert load("arrow", columns_of_one(3), as_="arrow").num_columns == 3
    data = columns_of_one(30)  # so many that Arrow itself takes them
    assert len(data) < 1000
    for rows in (0, None):
        assert load("arrow", data, as_="arrow", rows=rows).num_columns == 30
        with pytest.raises(TooLargeError):
            load("arrow", data, 100_000, rows=rows)


@pytest.mark.parametrize("rows", [0, None])
def test_such_columns_of_a_file_are_counted_too(rows):
    file, table = io.BytesIO(), pa.table({f"c{n}": [1] for n in range(5000)})
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    assert load("arrow", file.getvalue(), as_="arrow", rows=rows).num_columns == 5000
    with pytest.raises(TooLargeError):
        load("arrow", file.getvalue(), 1_400_000, rows=rows)
