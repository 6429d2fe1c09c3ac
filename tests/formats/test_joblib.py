"""What joblib writes, today's and that of before 0.10."""

from __future__ import annotations

import asyncio
import gzip
import io
import pickle
import zlib

import joblib
import numpy as np
import pytest
from joblib.numpy_pickle_compat import NDArrayWrapper, ZNDArrayWrapper, write_zfile

import aios3_nb
from aios3_nb.errors import BlockedPickleError, FormatError, MissingPackageError
from aios3_nb.formats import HEAD_SIZE, LoadOptions, decompressed, peek_head, recognise
from tests.dripping import Dripping
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer

ARRAY = np.arange(40.0)
TRUSTED = LoadOptions(trust=True)


def load(data, key="model.pkl", options=TRUSTED):
    file = decompressed(Dripping(data, 1000), max_bytes=None)
    return recognise(key, peek_head(file, HEAD_SIZE)).load(file, options)


def dumped(value, **options):
    buffer = io.BytesIO()
    joblib.dump(value, buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("key", ["model.pkl", "model.joblib", "model"])
@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3), ("lz4", 3)])
def test_a_dump_loads_however_it_is_compressed(key, compress):
    assert np.array_equal(load(dumped({"a": ARRAY}, compress=compress), key)["a"], ARRAY)


@pytest.mark.parametrize("compress", [0, 3, ("lzma", 3)])
def test_a_dump_without_arrays_is_an_ordinary_pickle_and_loads_safely(compress):
    assert load(dumped({"a": [1, 2]}, compress=compress), options=LoadOptions()) == {"a": [1, 2]}


def zfile(data):
    buffer = io.BytesIO()
    write_zfile(buffer, data)
    return buffer.getvalue()


def test_an_old_compressed_dump_loads():
    """That joblib takes only the path of such a file makes no difference."""
    assert load(zfile(pickle.dumps({"a": [1, "x"]}, 2))) == {"a": [1, "x"]}
    with pytest.raises(BlockedPickleError, match="trust=True"):
        load(zfile(pickle.dumps(1)), options=LoadOptions())


@pytest.mark.parametrize("key", ["model.pkl", "model.joblib", "m"])
@pytest.mark.parametrize("pack", [bytes, zfile, gzip.compress, zlib.compress])
def test_an_old_dump_whose_arrays_are_beside_it_says_which(key, pack):
    plain_one = {"w": NDArrayWrapper("model.pkl_01.npy", np.ndarray)}
    packed_one = {"w": ZNDArrayWrapper("model.pkl_01.npy.z", (np.ndarray, (0,), b"b"), (1, (40,), "<f8", False))}
    for value, name in ((plain_one, "model.pkl_01.npy"), (packed_one, "model.pkl_01.npy.z")):
        with pytest.raises(FormatError, match=rf"before 0\.10.* {name} is needed.*one folder.*joblib\.load\(path\)"):
            load(pack(pickle.dumps(value, 2)), key)


class Missing:
    def __reduce__(self):
        return __import__, ("no_such_module",)


class Renamed:
    def __reduce__(self):
        return getattr, ("text", "a_name_of_long_ago")


def test_what_joblib_raises_is_an_error_that_says_so():
    with pytest.raises(MissingPackageError, match="no_such_module"):
        load(dumped([Missing(), ARRAY]), "m.joblib")
    with pytest.raises(FormatError, match=r"AttributeError.*another version.*joblib\.load\(aios3_nb\.open\(uri\)\)$"):
        load(dumped([Renamed(), ARRAY]), "m.joblib")
    for data in (b"", b"nonsense", dumped({"a": ARRAY})[:-100], b"ZF0x1 " + bytes(30), zfile(b"abc")[:-2]):
        with pytest.raises(FormatError, match="cannot load this dump"):
            load(data, "m.joblib")


def test_a_file_of_python_2_is_told_from_a_broken_one():
    with pytest.raises(FormatError, match="Python 2"):
        load(b"\x80\x02}U\x04nameU\x04Caf\xe9s.", "m.joblib")


def test_an_old_dump_loads_with_the_arrays_that_lie_beside_it(faulty: FaultServer) -> None:
    packed_one = ZNDArrayWrapper("m.pkl_02.npy.z", (np.ndarray, (0,), b"b"), (1, (40,), np.dtype("f8"), False))
    value = {"w": NDArrayWrapper("m.pkl_01.npy", np.ndarray), "z": packed_one}
    array = io.BytesIO()
    np.save(array, ARRAY)
    beside = {"m.pkl_01.npy": array.getvalue(), "m.pkl_02.npy.z": zfile((ARRAY * 2).tobytes())}
    for folder in ("", "old/"):
        for name, data in beside.items():
            faulty.put("b", folder + name, data, checksum="crc32")
        for pack in (bytes, zfile, gzip.compress):
            faulty.put("b", f"{folder}m.pkl", pack(pickle.dumps(value, 2)))
            for options in ({}, {"format": "joblib"}):
                found = aios3_nb.load(f"s3://b/{folder}m.pkl", trust=True, **options)
                assert np.array_equal(found["w"], ARRAY)
                assert np.array_equal(found["z"], ARRAY * 2)
            assert np.array_equal(asyncio.run(aios3_nb.aload(f"s3://b/{folder}m.pkl", trust=True))["w"], ARRAY)
    with pytest.raises(BlockedPickleError):
        aios3_nb.load("s3://b/old/m.pkl")
    faulty.store.delete("b", "old/m.pkl_02.npy.z")
    with pytest.raises(FormatError, match=r"old/m\.pkl: .*before 0\.10.*m\.pkl_02\.npy\.z is needed, and is not there"):
        aios3_nb.load("s3://b/old/m.pkl", trust=True)
    faulty.fault(Fault(kind=Kind.FLIP, key="m.pkl_01.npy", at=150, times=None))
    with pytest.raises(aios3_nb.ChecksumError, match=r"m\.pkl_01\.npy"):
        aios3_nb.load("s3://b/m.pkl", trust=True)
