"""What is written is what is read: by suffix, compressed as it says, and what cannot be held is one line."""

from __future__ import annotations

import collections
import gzip
import io
import json
import pickle
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from aios3_nb.errors import FormatError, LoadCancelledError, OptionError
from aios3_nb.formats import (
    HEAD_SIZE,
    LoadOptions,
    decompressed,
    format_for_writing,
    peek_head,
    recognise,
    writable_names,
    write,
)
from aios3_nb.formats.compression import CODECS, SUFFIXES
from aios3_nb.formats.json.dump import pieces
from tests.dripping import Dripping
from tests.formats.equal import assert_equal

FRAME = pd.DataFrame({"id": range(300), "name": [f"ü{n}" for n in range(300)], "x": np.arange(300) / 7})
ROWS = [{"id": n, "name": f"ü{n}", "tags": [1, None, {"a": 2.5}]} for n in range(700)]
ARRAY = np.arange(60.0).reshape(3, 20)

VALUES = {
    ".pkl": {"rows": ROWS},
    ".pickle": ROWS,
    ".json": {"rows": ROWS, "n": 1},
    ".jsonl": ROWS,
    ".ndjson": ROWS,
    ".json-seq": ROWS,
    ".csv": FRAME,
    ".tsv": FRAME,
    ".parquet": FRAME,
    ".arrow": FRAME,
    ".feather": FRAME,
    ".npy": ARRAY,
    ".npz": {"a": ARRAY, "b c/d": np.arange(3), "file": np.zeros(0)},
    ".txt": "Zeile ü\r\n" * 1000,
    ".md": "# ü",
    ".bin": bytes(range(256)) * 900,
}


def stored(value, key, format=None):
    file = io.BytesIO()
    write(value, file, format_for_writing(value, key, format), key, threading.Event())
    return file.getvalue()


def loaded(data, key):
    file = decompressed(Dripping(data, 1 << 20), max_bytes=None)
    return recognise(key, peek_head(file, HEAD_SIZE)).load(file, LoadOptions())


@pytest.mark.parametrize("codec", ["", *SUFFIXES])
@pytest.mark.parametrize("suffix", VALUES)
def test_what_was_stored_loads_as_what_it_was(suffix, codec):
    key = f"folder/x{suffix}{codec}"
    data = stored(VALUES[suffix], key)
    assert_equal(loaded(data, key), VALUES[suffix])
    compressed = [each.name for each in CODECS if codec in each.suffixes]
    assert [each.name for each in CODECS if data.startswith(each.magic) and each.confirms(data[:64])] == compressed
    assert data == stored(VALUES[suffix], key), "the same value is the same object"


def test_gzip_has_neither_time_nor_name():
    data = stored([1], "x.json.gz")
    assert data[4:8] == bytes(4)
    assert not data[3]
    assert json.loads(gzip.decompress(data)) == [1]


def test_frames_keep_what_their_format_can_keep():
    indexed = FRAME.set_index("name")
    for key in ("x.parquet", "x.arrow", "x.feather.zst"):
        pd.testing.assert_frame_equal(loaded(stored(indexed, key), key), indexed)
    pd.testing.assert_frame_equal(loaded(stored(indexed, "x.csv"), "x.csv"), indexed.reset_index())
    assert loaded(stored(FRAME, "x.jsonl"), "x.jsonl") == json.loads(FRAME.to_json(orient="records"))
    pd.testing.assert_frame_equal(loaded(stored(FRAME["x"], "x.csv"), "x.csv"), FRAME[["x"]])
    table = pa.Table.from_pandas(FRAME)
    for key in ("x.parquet", "x.arrow", "x.csv"):
        pd.testing.assert_frame_equal(loaded(stored(table, key), key), FRAME)


@pytest.mark.parametrize(
    "array", [np.array(5), np.zeros((0, 2)), np.asfortranarray(ARRAY), np.arange(3, dtype=">i4"), np.float32(2)]
)
def test_arrays_of_any_shape(array):
    found = loaded(stored(array, "x.npy"), "x.npy")
    assert found.dtype == array.dtype
    np.testing.assert_equal(found, np.asarray(array))
    np.testing.assert_equal(loaded(stored([array, array], "x.npz"), "x.npz"), {"arr_0": array, "arr_1": array})


@pytest.mark.parametrize("value", [b"", b"abc", bytearray(b"abc"), memoryview(b"abc"), memoryview(ARRAY)])
def test_bytes_are_stored_as_they_are_under_any_suffix_but_those_that_mean_something(value):
    for key in ("x.bin", "x", "x.png", "x.zip", "x.unheard-of", "x.tar"):
        assert stored(value, key) == bytes(value)
    assert gzip.decompress(stored(value, "x.png.gz")) == bytes(value)
    assert stored(value, "x.pkl", "bytes") == bytes(value)


class Own:
    """A class of the user's own."""


@pytest.mark.parametrize(
    ("value", "key", "says"),
    [
        (FRAME, "x.json", r"json cannot hold this pandas.*DataFrame.*\.parquet, \.csv"),
        ({1, 2}, "x.json", "json cannot hold this set: Object of type set is not JSON serializable"),
        (Own(), "x.json", r"json cannot hold this .*Own.*\.pkl"),
        ({"a": [Own()]}, "x.json.gz", "json cannot hold this dict: .*Own"),
        (ARRAY, "x.json", r"numpy\.ndarray.*\.npy"),
        (b"abc", "x.json", r"bytes.*\.bin"),
        ({(1, 2): 3}, "x.json", "keys must be"),
        (lambda: None, "x.pkl", "pickle cannot hold this function: .*lambda"),
        ({"a": [lambda: None]}, "x.pkl.zst", "pickle cannot hold this dict: .*lambda"),
        (threading.Lock(), "x.pkl", "pickle cannot hold this"),
        ("text", "x.bin", "bytes cannot hold this str"),
        (5, "x.txt", "text cannot hold this int"),
        (b"abc", "x.txt", "text cannot hold this bytes"),
        ("\ud800", "x.txt", "text cannot hold"),
        ([1], "x.csv", "csv cannot hold this list: a pandas DataFrame"),
        (b"abc", "x.parquet", "parquet cannot hold this bytes"),
        (FRAME.assign(o=[object()] * 300), "x.parquet", "parquet cannot hold"),
        ([1, 2], "x.npy", r"npy cannot hold this list: a numpy array is meant.*numpy\.asarray"),
        (np.array([None]), "x.npy", "Python objects"),
        ({"a": [1]}, "x.npz", "numpy array is meant"),
        ({"a": 1}, "x.jsonl", "jsonl cannot hold this dict: lines are made of a list"),
        ("abc", "x.jsonl", "lines are made of"),
        (FRAME, "x.json-seq", "records are made of"),
        (5, "x.jsonl", "lines are made of"),
    ],
)
def test_what_a_format_cannot_hold_is_one_line(value, key, says):
    with pytest.raises(FormatError, match=says) as caught:
        stored(value, key)
    assert "\n" not in str(caught.value)


def test_a_value_within_itself_is_one_line_too():
    circle = []
    circle.append(circle)
    with pytest.raises(FormatError, match="Circular reference"):
        stored(circle, "x.json")
    assert loaded(stored(circle, "x.pkl"), "x.pkl")[0] is not None


@pytest.mark.parametrize("key", ["x", "x.unheard-of", "x.zip", "x.xlsx", "x.pt", "x.gz", "x.joblib", "x.safetensors"])
def test_a_suffix_that_says_nothing_is_an_option_error_with_the_formats(key):
    with pytest.raises(OptionError, match="format=NAME; there are arrow, bytes, csv, json"):
        stored({"a": 1}, key)


def test_a_format_that_is_said_goes_first():
    assert json.loads(stored([1], "x.pkl", "json")) == [1]
    assert pickle.loads(gzip.decompress(stored([1], "x.json.gz", "pickle"))) == [1]
    with pytest.raises(OptionError, match="nonsense"):
        stored([1], "x.json", "nonsense")
    with pytest.raises(OptionError, match="only read"):
        stored([1], "x.json", "joblib")


def test_every_format_that_can_be_written_is_tried_here():
    tried = {recognise(f"x{suffix}", b"").name for suffix in VALUES}
    assert tried == set(writable_names())


numbers = st.one_of(st.integers(), st.floats(), st.booleans(), st.none())
keys = st.one_of(st.text(max_size=3), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())
values = st.recursive(
    st.one_of(numbers, st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=90), st.tuples(inner), st.dictionaries(keys, inner, max_size=90)),
    max_leaves=150,
)


@settings(max_examples=150, deadline=None)
@given(values)
def test_json_in_pieces_is_what_json_dumps_gives(value):
    assert "".join(pieces(value)) == json.dumps(value)


def test_json_of_large_things_is_what_json_dumps_gives_in_small_pieces():
    value = {"rows": ROWS * 3, "by name": {str(n): [n] for n in range(2000)}, "few": [ROWS[:3]] * 5}
    value |= {"counter": collections.Counter("abc"), "pair": (1, [2]), "empty": [{}, [], ()]}
    found = list(pieces(value))
    assert "".join(found) == json.dumps(value)
    assert max(map(len, found)) < len(json.dumps(value)) / 5


@pytest.mark.parametrize("key", ["x.json", "x.pkl", "x.csv", "x.txt.gz", "x.bin"])
def test_a_stop_ends_it_before_the_end(key):
    stopped = threading.Event()
    stopped.set()
    value = {"x.json": ROWS, "x.pkl": ROWS, "x.csv": FRAME, "x.txt.gz": "abc", "x.bin": b"abc"}[key]
    file = io.BytesIO()
    with pytest.raises(LoadCancelledError):
        write(value, file, format_for_writing(value, key, None), key, stopped)
    assert file.getvalue() == b""
