"""What Parquet and Arrow expand to is counted before it is made, whatever they say of themselves."""

import io

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
    "zeros": np.zeros(15_000_000),
    "one text": pa.array([TEXT] * 1000),
    "lists": pa.array([[TEXT] * 100] * 10),
    "one long list": pa.array([[TEXT] * 1000]),
    "structs": pa.array([{"a": TEXT}] * 1000),
    "maps": pa.array([[("k", TEXT)]] * 1000, pa.map_(pa.string(), pa.string())),
    "nulls": pa.array([None] * 15_000_000, pa.float64()),
    "binary of fixed length": pa.array([bytes(100_000)] * 1000, pa.binary(100_000)),
}
"""Each takes some 100 MB in memory, and few bytes in a file."""

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
    pa.feather.write_feather(pa.table({"c": values}), file, compression=compression)
    return file.getvalue()


def stream(values):
    file, table = io.BytesIO(), pa.table({"c": values})
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(file, table.schema, options=options) as writer:
        writer.write_table(table)
    return file.getvalue()


def load(name, data, max_bytes=None):
    file = io.BufferedReader(io.BytesIO(data))
    return recognise("", b"", name).load(file, LoadOptions(max_bytes=max_bytes))


WRITERS = {
    "parquet": ("parquet", parquet),
    "parquet, v2 pages": ("parquet", lambda values: parquet(values, data_page_version="2.0")),
    "parquet, no dictionary": ("parquet", lambda values: parquet(values, use_dictionary=False)),
    "arrow": ("arrow", arrow),
    "stream": ("arrow", stream),
}


@pytest.mark.parametrize("values", LONG.values(), ids=LONG)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_would_be_larger_is_refused_before_it_is_made(writer, values):
    name, write = WRITERS[writer]
    data = write(values)
    assert len(data) < 2_000_000
    before = pa.total_allocated_bytes()
    peak = pa.default_memory_pool().max_memory()
    with pytest.raises(TooLargeError, match="max-bytes"):
        load(name, data, 20_000_000)
    assert pa.default_memory_pool().max_memory() <= max(peak, before + 60_000_000)


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
    data = parquet(pa.array(["x" * 1_000_000] * 1200))
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
