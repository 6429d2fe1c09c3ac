"""The libraries that take a file take an `S3File`."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
from collections.abc import Callable

import joblib
import numpy as np
import pandas as pd
import pytest

import aios3_nb
from tests.faults.server import FaultServer

MIB = 1024 * 1024
BYTES = np.random.default_rng(7).bytes(5 * MIB + 123)
LINES = b"".join(b"line %d\n" % n * (n % 7) for n in range(60_000))

Stored = Callable[[bytes], aios3_nb.S3File]


@pytest.fixture
def stored(faulty: FaultServer) -> Stored:
    """Opens an object that has what is given."""

    def put(data: bytes) -> aios3_nb.S3File:
        faulty.put("b", "made", data)
        return aios3_nb.open("s3://b/made")

    return put


def test_pickle_and_json_take_it(stored: Stored) -> None:
    value = {"rows": [{"n": n, "text": "é" * n} for n in range(2000)], "blob": BYTES[:MIB]}
    with stored(pickle.dumps(value)) as file:
        assert pickle.load(file) == value
    with stored(json.dumps(value["rows"]).encode()) as file:
        assert json.load(file) == value["rows"]


def test_gzip_zipfile_and_text_take_it(stored: Stored) -> None:
    with stored(gzip.compress(LINES)) as file, gzip.open(file) as plain:
        assert plain.read() == LINES
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", BYTES)
        archive.writestr("b", LINES)
    with stored(made.getvalue()) as file, zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["a", "b"]
        assert archive.read("b") == LINES
    with stored(LINES) as file, io.TextIOWrapper(file, encoding="utf-8") as text:
        assert text.readlines() == LINES.decode().splitlines(keepends=True)


def test_numpy_takes_it(stored: Stored) -> None:
    array = np.arange(300_000.0).reshape(300, 1000)
    made = io.BytesIO()
    np.save(made, array)
    with stored(made.getvalue()) as file:
        np.testing.assert_array_equal(np.load(file), array)
    made = io.BytesIO()
    np.savez(made, array=array, other=array[0])
    with stored(made.getvalue()) as file, np.load(file) as arrays:
        np.testing.assert_array_equal(arrays["other"], array[0])


def test_pandas_takes_it(stored: Stored) -> None:
    frame = pd.DataFrame({"n": range(20_000), "text": [f"row {n}" for n in range(20_000)]})
    with stored(frame.to_parquet()) as file:
        pd.testing.assert_frame_equal(pd.read_parquet(file), frame)
    with stored(frame.to_csv(index=False).encode()) as file:
        pd.testing.assert_frame_equal(pd.read_csv(file), frame)


def test_joblib_takes_it(stored: Stored) -> None:
    made = io.BytesIO()
    joblib.dump({"array": np.arange(1000.0)}, made)
    with stored(made.getvalue()) as file:
        np.testing.assert_array_equal(joblib.load(file)["array"], np.arange(1000.0))
