"""What is not what its name says is called what it is, by load and peek alike, with the line that opens it."""

from __future__ import annotations

import gzip
import io
import json
import pickle

import numpy as np
import pandas as pd
import pytest

import aios3_nb
from tests.faults.server import FaultServer


def _parquet() -> bytes:
    file = io.BytesIO()
    pd.DataFrame({"a": [1]}).to_parquet(file)
    return file.getvalue()


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.arange(3))
    return file.getvalue()


KINDS = {
    "parquet": (_parquet(), r"first bytes say parquet: .*parquet"),
    "pickle": (pickle.dumps([1]), r"first bytes say pickle"),
    "zip": (b"PK\3\4" + bytes(40), r"zip archive: zipfile\.ZipFile\(aios3_nb\.open\('s3://b/x\."),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(30), r"7z archive: py7zr"),
    "compress": (b"\x1f\x9d\x90" + bytes(range(40)), "Unix's compress"),
    "page": (b"<!DOCTYPE html><html><body>Log in</body></html>", "an HTML page and no "),
    "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "This is XML and no "),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\n", "Git LFS pointer"),
}


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "npy", "npz", "parquet", "arrow", "safetensors"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_it_is_called_what_it_is(faulty: FaultServer, suffix: str, kind: str, pack: type) -> None:
    if kind == suffix:
        return
    data, says = KINDS[kind]
    faulty.put("b", f"x.{suffix}", pack(data))
    with pytest.raises(aios3_nb.FormatError, match=says) as caught:
        aios3_nb.load(f"s3://b/x.{suffix}")
    assert "encoding" not in str(caught.value)
    shown = dict(aios3_nb.peek(f"s3://b/x.{suffix}").rows())
    assert "problem" in shown


@pytest.mark.parametrize(
    "header", ["BMI", "ORC", "PAR1", "ID3", "X", "RIFF", "%PDF", "II*", "Obj", "7z", "Rar!", "GIF8", "version"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_may_begin_with_any_letters(faulty: FaultServer, header: str, encoding: str) -> None:
    faulty.put("b", "x.csv", f"{header},n\n1,2\n".encode(encoding))
    assert list(aios3_nb.load("s3://b/x.csv").columns) == [header, "n"]


def test_what_the_user_says_goes_first(faulty: FaultServer) -> None:
    faulty.put("b", "x.csv", b"<html>\n1\n")
    assert aios3_nb.load("s3://b/x.csv", format="csv").columns.tolist() == ["<html>"]
    assert aios3_nb.load("s3://b/x.csv", format="text") == "<html>\n1\n"


def test_a_pickle_that_is_something_else_is_not_told_to_be_opened_as_one(faulty: FaultServer) -> None:
    for data, word in ((_parquet(), "Parquet"), (_npy(), "numpy")):
        faulty.put("b", "x.pkl", data)
        with pytest.raises(aios3_nb.FormatError, match=word) as caught:
            aios3_nb.load("s3://b/x.pkl")
        assert "pickle.load" not in str(caught.value)
        assert word in dict(aios3_nb.peek("s3://b/x.pkl").rows())["problem"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("x.7z", "py7zr"),
        ("x.rar", "rarfile"),
        ("x.json.snappy", "Snappy, which is not expanded"),
        ("x.json.br", "brotli"),
        ("x.json.lzo", "lzop"),
    ],
)
def test_what_cannot_be_expanded_is_named_with_who_can(faulty: FaultServer, key: str, says: str) -> None:
    faulty.put("b", key, b"\x01\x02\x03\xff")
    with pytest.raises(aios3_nb.FormatError, match=says):
        aios3_nb.load(f"s3://b/{key}")


# ---- encodings


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["a,b\n1,2\n", "Caf\xe9,b\n1,\xfc\n"])
def test_utf_16_without_a_mark_is_known(faulty: FaultServer, encoding: str, text: str) -> None:
    for key in ("x.csv", "x.txt", "x"):
        faulty.put("b", key, text.encode(encoding))
    assert list(aios3_nb.load("s3://b/x.csv").columns) == text.split("\n")[0].split(",")
    assert aios3_nb.load("s3://b/x.txt") == aios3_nb.load("s3://b/x") == text
    assert "".join(aios3_nb.iterate("s3://b/x.txt")) == text
    assert dict(aios3_nb.peek("s3://b/x.csv").rows())["line 1"] == text.split("\n")[0]


@pytest.mark.parametrize("key", ["x.csv", "x.tsv", "x.txt", "x.json", "x.jsonl"])
def test_other_encodings_end_with_a_line_that_opens_them(faulty: FaultServer, key: str) -> None:
    data = json.dumps(["Caf\xe9"], ensure_ascii=False).encode("cp1252")
    faulty.put("b", key, data)
    with pytest.raises(aios3_nb.FormatError, match="cp1252") as caught:
        aios3_nb.load(f"s3://b/{key}")
    line = str(caught.value).rpartition("With its own library: ")[2]
    opened = eval(line, {"aios3_nb": aios3_nb, "pandas": pd, "json": json})
    assert "Caf\xe9" in str(opened)
    assert "cp1252" in dict(aios3_nb.peek(f"s3://b/{key}").rows())["problem"]
    assert aios3_nb.load(f"s3://b/{key}", encoding="cp1252") is not None


def test_an_empty_table_is_called_empty(faulty: FaultServer) -> None:
    faulty.put("b", "x.csv", b"\n")
    with pytest.raises(aios3_nb.TruncatedError, match="The table is empty"):
        aios3_nb.load("s3://b/x.csv")


def test_an_error_that_is_not_about_objects_does_not_propose_to_unpickle_them(faulty: FaultServer) -> None:
    faulty.put("b", "x.npy", _npy()[:-4])
    with pytest.raises(aios3_nb.TruncatedError) as caught:
        aios3_nb.load("s3://b/x.npy")
    assert "allow_pickle" not in str(caught.value)
