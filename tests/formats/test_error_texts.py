"""Whatever an object or a call says, an error about it is short, and has nothing in it that a terminal acts on.

Encodings are looked at before there is a file, see `aios3_nb.pipeline.order`.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aios3_nb.address import parse
from aios3_nb.errors import S3Error
from aios3_nb.formats import LoadOptions, recognise
from aios3_nb.pipeline import order
from aios3_nb.pipeline.named import named
from aios3_nb.text import is_visible

HOSTILE = (
    *("\x1b[31m", "\x1b]0;t\x07", "\x9b2J", "\u202e", "\u2066", "\x00", "\r", "\x08\x08", "\x7f", "\ufeff"),
    *("\u2028", "\u200b", "\u00ad", "\U000e0041", "\udcff", "\x1b" * 3000),
)
LONGEST = 25_000


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def name(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + b"\x93"


def pickled(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


def zipped(member: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{member.replace(chr(0), '0')[:9]}.npy", b"\x93NUMPY no")
    return file.getvalue()


def parquet(column: str) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({column: [1]}), file)
    return file.getvalue()


def tensors(header: Any) -> bytes:
    data = json.dumps(header).encode()
    return len(data).to_bytes(8, "little") + data


def npy(description: str) -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(1))
    return file.getvalue().replace(b"'<f8'", repr(description[:3]).encode("utf-8", "replace")[:5].ljust(5))


SPACE = name("types", "SimpleNamespace")
PICKLES: dict[str, Callable[[str], bytes]] = {
    "module": lambda odd: pickled(name(odd, "x")),
    "name": lambda odd: pickled(name("os", odd)),
    "both, called": lambda odd: pickled(name(f"a.{odd}", f"B.{odd}"), b")R"),
    "lines": lambda odd: b"c" + odd.replace("\n", "").encode("utf-8", "surrogatepass") + b"\nx\n.",
    "many": lambda odd: pickled(*(name(f"{odd}{n}", odd) + b"0" for n in range(300)), b"N"),
    "inner class": lambda odd: pickled(name("builtins", "getattr"), name("uuid", "UUID"), text(odd), b"\x86R"),
    "codec": lambda odd: pickled(name("_codecs", "encode"), text("x"), text(odd), b"\x86R"),
    "attribute": lambda odd: pickled(SPACE, b")R}", text(f"__{odd}"), b"Nsb"),
    "attribute of a model": lambda odd: pickled(name("uuid", "UUID"), b")\x81}", text(odd), b"Nsb"),
    "dtype": lambda odd: pickled(name("numpy", "dtype"), text(odd), b"\x89\x88\x87R"),
    "number": lambda odd: b"I" + odd.replace("\n", "").encode("utf-8", "surrogatepass") + b"\n.",
    "fraction": lambda odd: pickled(name("fractions", "Fraction"), text(odd), b"\x85R"),
    "decimal": lambda odd: pickled(name("decimal", "Decimal"), text(odd), b"\x85R"),
    "pattern": lambda odd: pickled(name("re", "_compile"), text(f"({odd}"), b"K\0\x86R"),
    "address": lambda odd: pickled(name("ipaddress", "IPv4Address"), text(odd), b"\x85R"),
    "date": lambda odd: pickled(name("datetime", "date"), text(odd), b"\x85R"),
    "zone": lambda odd: pickled(
        name("builtins", "getattr"), name("zoneinfo", "ZoneInfo"), text("_unpickle"), b"\x86R", text(odd), b"\x88\x86R"
    ),
    "other zone": lambda odd: pickled(name("pytz", "_p"), text(odd), b"\x85R"),
    "frequency": lambda odd: pickled(name("pandas", "PeriodDtype"), text(odd), b"\x85R"),
    "span": lambda odd: pickled(name("pandas", "Timedelta"), text(odd), b"\x85R"),
    "stored as text": lambda odd: pickled(name("pandas", "StringDtype"), text(odd), b"\x85R"),
    "alias": lambda odd: pickled(name("pyarrow.lib", "type_for_alias"), text(odd), b"\x85R"),
    "index part": lambda odd: pickled(
        name("pandas.core.indexes.base", "_new_Index"), name("pandas", "Index"), b"}", text(odd), b"Ns\x86R"
    ),
    "generator": lambda odd: pickled(name("numpy.random._pickle", "__bit_generator_ctor"), text(odd), b"\x85R"),
    "matrix": lambda odd: pickled(name("scipy.sparse._csr", "csr_matrix"), b")\x81}", text("_shape"), text(odd), b"sb"),
}
OTHERS: dict[str, tuple[str, Callable[[str], bytes], Callable[[str], dict[str, Any]]]] = {
    "JSON": ("json", lambda odd: f'{{"a": {odd}}}'.encode("utf-8", "surrogatepass"), lambda odd: {}),
    "JSON key": ("json", lambda odd: json.dumps({odd: 1}).encode(), lambda odd: {"path": "other"}),
    "JSON path": ("json", lambda odd: b'{"a": 1}', lambda odd: {"path": odd}),
    "JSON pointer": ("json", lambda odd: b'{"a": {"b": 1}}', lambda odd: {"path": f"/a/{odd}"}),
    "JSON path that is none": ("json", lambda odd: b"[1]", lambda odd: {"path": f"$.{odd}["}),
    "JSON Lines": ("jsonl", lambda odd: f"{{}}\n{odd}x\n".encode("utf-8", "surrogatepass"), lambda odd: {}),
    "columns there are": (
        "csv",
        lambda odd: f"{odd},b\n1,2\n".encode("utf-8", "replace"),
        lambda odd: {"columns": ("c",)},
    ),
    "column": ("csv", lambda odd: b"a,b\n1,2\n", lambda odd: {"columns": (odd,)}),
    "column of Parquet": ("parquet", lambda odd: parquet("a"), lambda odd: {"columns": (odd,)}),
    "columns of Parquet": (
        "parquet",
        lambda odd: parquet(odd.encode("utf-8", "replace").decode()),
        lambda odd: {"columns": ("c",)},
    ),
    "Parquet": ("parquet", lambda odd: b"PAR1" + odd.encode("utf-8", "replace") + b"PAR1", lambda odd: {}),
    "Arrow": ("arrow", lambda odd: b"ARROW1" + odd.encode("utf-8", "replace"), lambda odd: {}),
    "array of npz": ("npz", zipped, lambda odd: {"path": odd}),
    "arrays of npz": ("npz", zipped, lambda odd: {"path": "other"}),
    "npz": ("npz", zipped, lambda odd: {}),
    "npy": ("npy", npy, lambda odd: {}),
    "tensor": ("safetensors", lambda odd: tensors({odd: {"dtype": odd}}), lambda odd: {}),
    "type of a tensor": (
        "safetensors",
        lambda odd: tensors({odd: {"dtype": odd, "shape": [1], "data_offsets": [0, 0]}}),
        lambda odd: {},
    ),
    "path of a tensor": ("safetensors", lambda odd: tensors({}), lambda odd: {"path": odd}),
    "allowed name": ("pickle", lambda odd: b"N.", lambda odd: {"allow": (odd,)}),
    "allowed name with dots": ("pickle", lambda odd: b"N.", lambda odd: {"allow": (f"a.{odd}",)}),
}
CASES = {what: ("pickle", make, lambda odd: {}) for what, make in PICKLES.items()} | OTHERS


@pytest.mark.parametrize("what", CASES)
def test_an_error_is_short_and_shows_what_is_odd(what: str) -> None:
    kind, make, options = CASES[what]
    raised = 0
    for odd in HOSTILE:
        try:
            data, chosen = make(odd), LoadOptions(**options(odd))
        except (UnicodeError, ValueError, pa.ArrowException):  # nobody can write it
            continue
        try:
            with named(parse("s3://b/key")):
                recognise("", b"", kind).load(io.BufferedReader(io.BytesIO(data)), chosen)
        except S3Error as exc:
            raised += 1
            said = str(exc)
            assert all(char == "\n" or is_visible(char) for char in said), (odd, said)
            assert len(said) < LONGEST, (odd, len(said))
    assert raised


@pytest.mark.parametrize("odd", HOSTILE, ids=ascii)
def test_an_encoding_that_is_none_is_refused_in_such_words(odd: str) -> None:
    with pytest.raises(S3Error) as caught:
        order._check_encoding(odd)
    assert all(char == "\n" or is_visible(char) for char in str(caught.value))
    assert len(str(caught.value)) < 1000
