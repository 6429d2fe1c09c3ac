"""Format x codec x chunking: the same object, however the bytes are stored and however they arrive."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import sys

import lz4.frame
import numpy as np
import pandas as pd
import pytest
import safetensors.numpy

from aios3_nb.errors import TruncatedError
from aios3_nb.formats import HEAD_SIZE, LoadOptions, decompressed, peek_head, recognise
from tests.dripping import Dripping
from tests.formats.equal import assert_equal

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODECS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
    ".lz4": lz4.frame.compress,
}
CHUNKS = [1, 2, 7, 4096, 1 << 20]

ROWS = [{"id": n, "name": f"ü{n}", "x": n / 7, "big": 10**30 + n, "none": None} for n in range(30)]
FRAME = pd.DataFrame({"id": range(20), "name": [f"ü{n}" for n in range(20)]})
ARRAY = np.arange(40, dtype="f4").reshape(5, 8)


def written(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


FORMATS = {
    ".pkl": (pickle.dumps(ROWS), ROWS),
    ".json": (json.dumps(ROWS).encode(), ROWS),
    ".jsonl": ("".join(json.dumps(row) + "\n" for row in ROWS).encode(), ROWS),
    ".txt": ("zeile ü\r\n".encode() * 40, "zeile ü\r\n" * 40),
    ".bin": (bytes(range(256)), bytes(range(256))),
    ".csv": (FRAME.to_csv(index=False).encode(), FRAME),
    ".parquet": (written(FRAME.to_parquet), FRAME),
    ".feather": (written(FRAME.to_feather), FRAME),
    ".npy": (written(lambda f: np.save(f, ARRAY)), ARRAY),
    ".npz": (written(lambda f: np.savez(f, a=ARRAY)), {"a": ARRAY}),
    ".safetensors": (safetensors.numpy.save({"a": ARRAY}), {"a": ARRAY}),
}
ITEMS = {
    ".pkl": (b"".join(pickle.dumps(row) for row in ROWS), ROWS),
    ".json": FORMATS[".json"],
    ".jsonl": FORMATS[".jsonl"],
    ".txt": (FORMATS[".txt"][0], ["zeile ü\r\n"] * 40),
}
matrix = pytest.mark.parametrize("chunk", CHUNKS)
codecs = pytest.mark.parametrize("codec", CODECS)


def opened(data, suffix, chunk):
    """Return the plain file, and its format, as the composed pipeline finds them."""
    file = decompressed(Dripping(data, chunk), max_bytes=None)
    return file, recognise("key" + suffix, peek_head(file, HEAD_SIZE))


def loaded(data, suffix, chunk):
    file, format = opened(data, suffix, chunk)
    return format.load(file, LoadOptions())


@matrix
@codecs
@pytest.mark.parametrize("suffix", FORMATS)
def test_an_object_is_loaded(suffix, codec, chunk):
    data, expected = FORMATS[suffix]
    assert_equal(loaded(CODECS[codec](data), suffix + codec, chunk), expected)


@matrix
@codecs
@pytest.mark.parametrize("suffix", ITEMS)
def test_items_are_yielded(suffix, codec, chunk):
    data, expected = ITEMS[suffix]
    file, format = opened(CODECS[codec](data), suffix + codec, chunk)
    assert list(format.iterate(file, LoadOptions())) == expected


@codecs
@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix not in {".txt", ".bin", ".csv", ".jsonl"}])
def test_without_a_suffix_the_bytes_say_it(suffix, codec):
    data, expected = FORMATS[suffix]
    assert_equal(loaded(CODECS[codec](data), "", 5), expected)


@codecs
@pytest.mark.parametrize("suffix", [".pkl", ".json", ".npy"])
def test_cut_at_any_place_is_truncated(suffix, codec):
    """Those formats know their own end, so that this holds even where nothing is compressed."""
    data = CODECS[codec](FORMATS[suffix][0])
    for end in range(8, len(data), max(1, len(data) // 25)):
        with pytest.raises(TruncatedError):
            loaded(data[:end], suffix + codec, 4096)
