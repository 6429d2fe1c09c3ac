"""Arrays: npy, npz and safetensors, of all types and shapes, whole or by name."""

from __future__ import annotations

import io
import json
import sys
import zipfile

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from aios3_nb.errors import FormatError, MissingPackageError, OptionError, TooLargeError, TruncatedError
from aios3_nb.formats import LoadOptions, recognise
from tests.dripping import Dripping

FIELDS = np.zeros(3, [(f"field_{n:040}", "f4") for n in range(2000)])

ARRAYS = {
    "many fields": FIELDS,
    "nested fields": np.ones(2, [("a", [("b", "<i2"), ("c", ">f8", (2, 3))]), ("ü", "U4"), ("t", "M8[ns]")]),
    "no dimension": np.array(1.5),
    "empty": np.zeros((0, 3)),
    "large in name only": np.zeros((0, 2**40)),
    "Fortran": np.asfortranarray(np.arange(60).reshape(3, 4, 5)),
    "big-endian": np.arange(5, dtype=">i8"),
    "dates": np.array(["2024-01-01", "NaT"], "M8[D]"),
    "durations": np.array([1, -1], "m8[us]"),
    "text": np.array(["a", "ünï"]),
    "bytes": np.array([b"a", b"bc"]),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "half": np.array([1.5], "f2"),
    "void": np.zeros(2, "V7"),
}


def load(name, data, chunk=1 << 20, **options):
    return recognise("", b"", name).load(Dripping(data, chunk), LoadOptions(**options))


def saved(array, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array), version, allow_pickle=True)
    return buffer.getvalue()


def zipped(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def same(one, other):
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    assert one.tobytes() == other.tobytes()


@pytest.mark.filterwarnings("ignore:Stored array in format")
@pytest.mark.parametrize("chunk", [7, 1 << 20])
@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_what_was_saved(name, chunk):
    array = ARRAYS[name]
    same(load("npy", saved(array), chunk), array)
    loaded = load("npz", zipped(a=array, b=np.arange(3)), chunk)
    same(loaded["a"], array)
    same(load("npz", zipped(a=array, b=np.arange(3)), path="a"), array)


@pytest.mark.filterwarnings("ignore:Stored array in format")
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_all_versions_of_npy_load(version):
    same(load("npy", saved(np.arange(3), version)), np.arange(3))
    if version > (1, 0):
        same(load("npy", saved(FIELDS, version)), FIELDS)


def with_header(text):
    header = text.encode() + b"\n"
    return b"\x93NUMPY\x02\0" + len(header).to_bytes(4, "little") + header + bytes(800)


@pytest.mark.filterwarnings("ignore:Reading")
def test_a_header_of_python_2_loads():
    assert load("npy", with_header("{'descr': '<i8', 'fortran_order': False, 'shape': (2L, 3L), }")).shape == (2, 3)


@pytest.mark.parametrize(
    "header",
    [
        "__import__('os').system('touch ran')",
        "(" * 900 + ")" * 900,
        "-" * 50_000 + "1",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (10**9,), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (9999999999999999999999,), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': [('a', 'b', 'c', 'd')], 'fortran_order': False, 'shape': (1,), }",
    ],
)
def test_a_hostile_or_broken_header_is_a_format_error(header):
    with pytest.raises(FormatError) as caught:
        load("npy", with_header(header))
    assert "could run code" not in str(caught.value)


def test_a_header_without_measure_is_not_supported_and_not_called_code():
    with pytest.raises(FormatError, match="not supported"):
        load("npy", with_header("{" + " " * 2_000_000 + "}"))


def test_objects_are_refused_in_true_words():
    data = saved(np.array([{"a": 1}], dtype=object))
    with pytest.raises(FormatError, match=r"holds Python objects.*allow_pickle=True\)$"):
        load("npy", data)
    fields = np.zeros(1, [("a", object), *[(f"field_{n:040}", "f4") for n in range(900)]])
    with pytest.raises(FormatError, match="holds Python objects"):
        load("npy", saved(fields))


def test_a_version_to_come_is_not_supported():
    with pytest.raises(FormatError, match="not supported"):
        load("npy", b"\x93NUMPY\x09\0" + bytes(100))


class Counting(Dripping):
    """Counts what is read."""

    count = 0

    def read(self, size=-1):
        data = super().read(size)
        self.count += len(data)
        return data

    def readinto(self, buffer):
        count = super().readinto(buffer)
        self.count += count
        return count


def test_one_array_of_an_archive_takes_its_bytes_only():
    rng = np.random.default_rng(1)
    arrays = {name: rng.random(100_000) for name in ("a", "b", "c.d/e")}
    for name, data in (("npz", zipped(**arrays)), ("safetensors", safetensors.numpy.save(arrays))):
        file = Counting(data, 1 << 20)
        found = recognise("", b"", name).load(file, LoadOptions(path="c.d/e"))
        same(found, arrays["c.d/e"])
        assert file.count < len(data) / 2
        with pytest.raises(OptionError, match=r"no array 'c'.*There are: a, b, c\.d/e\."):
            load(name, data, path="c")


def test_one_array_expands_within_max_bytes_only():
    data = zipped(zeros=np.zeros(1_000_000), one=np.ones(1))
    with pytest.raises(TooLargeError):
        load("npz", data, path="zeros", max_bytes=1_000_000)
    assert load("npz", data, path="one", max_bytes=1_000_000) == 1


def test_an_archive_with_a_password_is_not_supported_and_not_called_invalid():
    data = bytearray(zipped(a=np.arange(3)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1  # the bit that says it is encrypted
    with pytest.raises(FormatError, match="password"):
        load("npz", bytes(data))


def test_an_archive_that_holds_something_else_is_a_format_error():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FormatError, match="npy"):
        load("npz", buffer.getvalue())


# safetensors.


def tensors(**about):
    """Return a file with the arrays ``name=(dtype, shape, bytes)``."""
    header, body = {}, b""
    for name, (dtype, shape, data) in about.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


@pytest.mark.parametrize("chunk", [1, 1 << 20])
@pytest.mark.parametrize("kind", ["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"])
def test_types_of_safetensors_are_those_of_numpy(kind, chunk):
    arrays = {"a": np.arange(6).reshape(2, 3).astype(kind), "none": np.zeros((0, 2), kind), "one": np.ones((), kind)}
    data = safetensors.numpy.save(arrays)
    found = load("safetensors", data, chunk)
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        same(found[name], array)
        same(load("safetensors", data, chunk, path=name), array)


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("BF16", ml_dtypes.bfloat16),
        ("F8_E4M3", ml_dtypes.float8_e4m3fn),
        ("F8_E5M2", ml_dtypes.float8_e5m2),
        ("F8_E8M0", ml_dtypes.float8_e8m0fnu),
    ],
)
def test_short_floats_are_those_of_ml_dtypes(dtype, kind):
    array = np.array([1, 2, 0.5, 4]).astype(kind)
    data = tensors(w=(dtype, [2, 2], array.tobytes()), f=("F32", [1], np.float32(1.5).tobytes()))
    found = load("safetensors", data)
    assert found["w"].dtype == kind
    assert found["w"].astype("f4").tolist() == [[1, 2], [0.5, 4]]
    assert found["f"] == 1.5


@pytest.mark.parametrize(("dtype", "word"), [("BF16", "bfloat16"), ("F8_E4M3", "float8_e4m3fn")])
def test_without_ml_dtypes_the_error_says_what_is_needed_and_the_others_load(dtype, word, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    data = tensors(w=(dtype, [2], bytes(2 if dtype != "BF16" else 4)), f=("F32", [1], np.float32(1.5).tobytes()))
    with pytest.raises(MissingPackageError, match=rf"w: {word} needs ml_dtypes: pip install.*path=NAME"):
        load("safetensors", data)
    assert load("safetensors", data, path="f") == 1.5


def test_a_type_that_nobody_has_is_not_supported_and_the_others_load():
    data = tensors(w=("F4", [2], bytes(1)), f=("F32", [1], np.float32(1.5).tobytes()))
    with pytest.raises(FormatError, match=r"type F4, not supported.*path=NAME"):
        load("safetensors", data)
    assert load("safetensors", data, path="f") == 1.5


@pytest.mark.parametrize(
    "data",
    [
        tensors(a=("F32", [2], bytes(4))),
        tensors(a=("F32", [2], bytes(8))) + b"x",
        tensors(a=("F32", [-2], bytes(8))),
        tensors(a=("F32", ["x"], bytes(8))),
        tensors(a=("F32", [2], bytes(8))).replace(b"[0, 8]", b"[4, 8]"),
        tensors(a=("F32", [2], bytes(8))).replace(b"[0, 8]", b"[8, 0]"),
        tensors(a=("F32", [2], bytes(8)), b=("F32", [2], bytes(8))).replace(b"[8, 16]", b"[4, 12]"),
        (8).to_bytes(8, "little") + b"[1, 2, 3]"[:8],
        (10**15).to_bytes(8, "little") + b'{"a',
    ],
)
def test_a_header_that_lies_is_a_format_error(data):
    with pytest.raises(FormatError):
        load("safetensors", data)


def test_a_size_that_lies_is_cut_short_and_takes_no_memory():
    header = {"a": {"dtype": "U8", "shape": [10**12], "data_offsets": [0, 10**12]}}
    text = json.dumps(header).encode()
    with pytest.raises((TruncatedError, FormatError)):
        load("safetensors", len(text).to_bytes(8, "little") + text)
