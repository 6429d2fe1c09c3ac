"""A name is not a pattern; what is found is shown by its key from what was listed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import aios3_nb
from aios3_nb.address.uri import S3Uri
from tests.awkward import KEYS
from tests.faults.fault import Kind
from tests.faults.server import FaultServer


def _put(server: FaultServer, *keys: str) -> None:
    for key in keys:
        server.put("b", key, json.dumps(key).encode())


def _forbid_lists(server: FaultServer) -> None:
    server.fault(Kind.STATUS, key="", status=403, code="AccessDenied", times=None)


def _asked(server: FaultServer) -> list[str]:
    return [f"{request.method} {request.key}" for request in server.requests]


NAMES = [
    ("data[1].json", "data1.json"),
    ("part-*.json", "part-0.json"),
    ("what?.json", "what1.json"),
    ("a[!b]c.json", "axc.json"),
    ("x/**/y.json", "x/z/y.json"),
    ("[0-9]/k.json", "5/k.json"),
    ("data[1]/k.json", "data1/k.json"),
    ("run {a}*.json", "run {a}b.json"),
    ("[[]x.json", "[x.json"),
    ("[*].json", "*.json"),
]


@pytest.mark.parametrize(("name", "match"), NAMES)
def test_a_key_that_exists_as_written_is_that_object(faulty: FaultServer, name: str, match: str) -> None:
    _put(faulty, name, match)
    uri = f"s3://b/{name}"
    assert aios3_nb.load(uri, format="json") == name
    assert asyncio.run(aios3_nb.aload(uri, format="json")) == name
    assert [entry.uri.key for entry in aios3_nb.ls(uri)] == [name]
    with aios3_nb.open(uri) as file:
        assert json.loads(file.read()) == name


@pytest.mark.parametrize(("name", "match"), NAMES)
def test_a_pattern_is_one_when_no_object_is_called_so(faulty: FaultServer, name: str, match: str) -> None:
    _put(faulty, match)
    assert aios3_nb.load(f"s3://b/{name}") == {match: match}
    assert [entry.uri.key for entry in aios3_nb.ls(f"s3://b/{name}")] == [match]


@pytest.mark.parametrize("key", [key for key in KEYS if not key.endswith("/")])
def test_no_key_needs_permission_to_list(faulty: FaultServer, key: str) -> None:
    _put(faulty, key)
    _forbid_lists(faulty)
    uri = str(S3Uri("b", key))
    assert aios3_nb.load(uri, format="json") == key
    assert [entry.uri.key for entry in aios3_nb.ls(uri)] == [key]
    assert list(aios3_nb.iterate(uri, format="text")) == [json.dumps(key)]
    assert aios3_nb.peek(uri, format="json").size == len(json.dumps(key))


def test_a_pattern_costs_one_request_more_and_a_plain_key_none(faulty: FaultServer) -> None:
    _put(faulty, "plain.json", "data[1].json", "p/0.json")
    aios3_nb.load("s3://b/plain.json")
    assert _asked(faulty) == ["GET plain.json"]
    faulty.reset()
    aios3_nb.load("s3://b/data[1].json")
    assert _asked(faulty) == ["HEAD data[1].json", "GET data[1].json"]
    faulty.reset()
    aios3_nb.load("s3://b/p/*.json")
    assert _asked(faulty) == ["HEAD p/*.json", "GET ", "GET p/0.json"]
    faulty.reset()
    aios3_nb.ls("s3://b/p/*.json")
    assert _asked(faulty) == ["GET ", "GET "]


def test_an_escaped_name_needs_no_permission_to_list(faulty: FaultServer) -> None:
    _put(faulty, "data[1].json")
    _forbid_lists(faulty)
    assert aios3_nb.load("s3://b/data[[]1].json") == {"data[1].json": "data[1].json"}


def test_a_pattern_that_may_not_be_listed_says_so(faulty: FaultServer) -> None:
    _put(faulty, "p/0.json")
    faulty.fault(Kind.STATUS, method="HEAD", status=403, code="AccessDenied", times=None)
    _forbid_lists(faulty)
    for call in (aios3_nb.load, aios3_nb.ls):
        with pytest.raises(aios3_nb.AccessDeniedError, match="s3://b/p/"):
            call("s3://b/p/*.json")


def test_a_store_that_answers_no_head_is_asked_by_list(faulty: FaultServer) -> None:
    _put(faulty, "data[1].json", "data1.json")
    for status in (400, 403, 501):  # 403: the key that it is encrypted with, for one
        faulty.fault(Kind.STATUS, method="HEAD", status=status, code="Odd", times=None)
        assert aios3_nb.load("s3://b/data[1].json") == "data[1].json"
        faulty.reset()


def test_a_version_names_one_object(faulty: FaultServer) -> None:
    faulty.put("b", "data[1].json", b'"old"', version_id="1")
    faulty.put("b", "data[1].json", b'"new"', version_id="2")
    _forbid_lists(faulty)
    assert aios3_nb.load("s3://b/data[1].json?versionId=1") == "old"
    assert aios3_nb.load("s3://b/data[1].json", version_id="1") == "old"
    assert _asked(faulty) == ["GET data[1].json"] * 2
    with pytest.raises(aios3_nb.ObjectNotFoundError):
        aios3_nb.load("s3://b/data*.json?versionId=1")


def test_a_place_is_no_pattern(faulty: FaultServer) -> None:
    _put(faulty, "d[1]/a.json", "d1/a.json", "d1/b.json", "d[1]/c[2].json", "d[1]/c2.json")
    aios3_nb.cd("s3://b/d[1]/")
    assert aios3_nb.load("a.json") == "d[1]/a.json"
    assert _asked(faulty) == ["GET d[1]/a.json"]
    assert aios3_nb.load("c[2].json") == "d[1]/c[2].json"
    assert list(aios3_nb.load("*.json")) == ["d[1]/a.json", "d[1]/c2.json", "d[1]/c[2].json"]
    assert [entry.uri.key for entry in aios3_nb.ls("[ab].json")] == ["d[1]/a.json"]
    assert len(aios3_nb.ls()) == len(aios3_nb.ls(".")) == 3
    assert list(aios3_nb.load("../d1/*")) == ["d1/a.json", "d1/b.json"]


def test_a_folder_that_exists_as_written_is_that_folder(faulty: FaultServer) -> None:
    _put(faulty, "d[1]/a.json", "d1/b.json")
    for uri in ("s3://b/d[1]/", "s3://b/d[1]"):
        assert [entry.uri.key for entry in aios3_nb.ls(uri)] == ["d[1]/a.json"]
    assert [entry.uri.key for entry in aios3_nb.ls("s3://b/d?/")] == []


def _shown(uri: str, **options: Any) -> list[str]:
    found = aios3_nb.ls(uri, **options)
    names = [line.split("  ")[-1] for line in str(found).splitlines()]
    assert all(f">{name}<" in found._repr_html_() for name in names)
    return names


def test_a_listing_shows_keys_from_what_was_listed(faulty: FaultServer) -> None:
    _put(faulty, "t/y=1/p.json", "t/y=2/p.json", "t/q.json", "top.json")
    below = ["q.json", "y=1/p.json", "y=2/p.json"]
    assert _shown("s3://b/t/", recursive=True) == _shown("s3://b/t", recursive=True) == below
    assert _shown("s3://b/t/") == ["y=1/", "y=2/", "q.json"]
    assert _shown("s3://b/t/y=*/*.json") == below[1:]
    assert _shown("s3://b/t/y=1/*.json") == _shown("s3://b/t/y=1/p.json") == ["p.json"]
    assert _shown("s3://b/**/p.json") == ["t/y=1/p.json", "t/y=2/p.json"]
    assert _shown("s3://b/", recursive=True) == ["t/q.json", "t/y=1/p.json", "t/y=2/p.json", "top.json"]
    assert _shown("s3://b/to*") == ["top.json"]
    aios3_nb.cd("s3://b/t/")
    assert _shown("y=*/*") == below[1:]
    assert [line.split("  ")[-1] for line in str(aios3_nb.ls()).splitlines()] == ["y=1/", "y=2/", "q.json"]


def test_an_object_beside_the_folder_of_its_name_shows_both(faulty: FaultServer) -> None:
    _put(faulty, "t", "t/a.json")
    assert _shown("s3://b/t") == ["t/a.json", "t"]


def test_the_marker_of_a_folder_is_not_in_it(faulty: FaultServer) -> None:
    for key in ("t/", "t/y=1/", "t/empty/", "t/y=1/deep/"):
        faulty.put("b", key, b"")
    _put(faulty, "t/y=1/deep/p.json")
    assert _shown("s3://b/t/") == _shown("s3://b/t") == ["empty/", "y=1/"]
    assert _shown("s3://b/t/y=1/") == ["deep/"]
    assert _shown("s3://b/t/", recursive=True) == ["empty/", "y=1/deep/p.json"]
    assert len(aios3_nb.ls("s3://b/t/empty/")) == 0
    # An object that has bytes is one, however it is called.
    faulty.put("b", "t/", b"bytes")
    assert [entry.uri.key for entry in aios3_nb.ls("s3://b/t/")][-1] == "t/"


SPARK = ["out/part-0.json", "out/y=1/part-1.json", "out/_year=2024/part-2.json"]
MARKERS = ["_SUCCESS", "_committed_12", ".part-0.json.crc", "_temporary/0/part-9.json", "_delta_log/0.json"]
EMPTY = ["out/", "out/y=1/", "out/y=1_$folder$", "out/_SUCCESS"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("out/*", SPARK[:1]),
        ("out/**", sorted(SPARK)),
        ("**", sorted(SPARK)),
        ("**/*.json", sorted(SPARK)),
        ("out/_*", ["out/_SUCCESS", "out/_committed_12"]),
        ("out/.*", ["out/.part-0.json.crc"]),
        ("out/[_.]*", ["out/.part-0.json.crc", "out/_SUCCESS", "out/_committed_12"]),
        ("out/[!p]*", []),
        ("**/_SUCCESS", ["out/_SUCCESS"]),
        ("out/_temporary/**", ["out/_temporary/0/part-9.json"]),
        ("out/_*/*.json", ["out/_delta_log/0.json", "out/_year=2024/part-2.json"]),
        ("out/*_$folder$", ["out/y=1_$folder$"]),
        ("ou?/*", SPARK[:1]),
    ],
)
def test_a_glob_leaves_out_what_is_no_data(faulty: FaultServer, pattern: str, found: list[str]) -> None:
    _put(faulty, *SPARK, *(f"out/{name}" for name in MARKERS))
    for key in EMPTY:
        faulty.put("b", key, b"")
    assert [entry.uri.key for entry in aios3_nb.ls(f"s3://b/{pattern}")] == found
    if found:
        assert sorted(aios3_nb.load(f"s3://b/{pattern}", format="text")) == found
    else:
        with pytest.raises(aios3_nb.ObjectNotFoundError, match="begin with _"):
            aios3_nb.load(f"s3://b/{pattern}")


def test_a_folder_that_is_named_as_no_data_is_may_be_globbed_in(faulty: FaultServer) -> None:
    _put(faulty, "_jobs/.x/a.json", "_jobs/.x/_b.json")
    assert list(aios3_nb.load("s3://b/_jobs/.x/*")) == ["_jobs/.x/a.json"]
    aios3_nb.cd("s3://b/_jobs/.x/")
    assert list(aios3_nb.load("*.json")) == ["_jobs/.x/a.json"]
