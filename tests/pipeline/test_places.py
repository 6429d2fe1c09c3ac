"""The place where keys start: how one gets to it, up from it, and out of it to the buckets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import aios3_nb
from aios3_nb.errors import OptionError, UriError
from aios3_nb.pipeline import place, set_place
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer


@pytest.fixture(autouse=True)
def stocked(faulty: FaultServer) -> Iterator[FaultServer]:
    for key in ("top.json", "models/a.json", "models/deep/b.json"):
        faulty.put("bkt", key, b"1")
    faulty.put("other", "k.json", b"2")
    yield faulty
    set_place(None)


def shown(uri: str | None = None) -> list[str]:
    return [str(entry.uri) for entry in aios3_nb.ls(uri)]


def test_from_any_place_the_buckets_can_be_listed() -> None:
    for start in (None, "s3://bkt/", "s3://bkt/models/deep/"):
        aios3_nb.cd(start)
        assert shown("s3://") == ["s3://bkt/", "s3://other/"]
    aios3_nb.cd("s3://bkt/models/")
    assert shown("../..") == ["s3://bkt/", "s3://other/"]
    assert shown("..") == ["s3://bkt/models/", "s3://bkt/top.json"]


@pytest.mark.parametrize("way", [["s3://"], [".."], ["../"], ["../.."], ["s3://bkt/models/", "../.."], ["..", ".."]])
def test_above_a_bucket_is_no_place_but_the_buckets(way: list[str]) -> None:
    aios3_nb.cd("s3://bkt/")
    for step in way:
        aios3_nb.cd(step)
    assert place() is None
    assert shown() == ["s3://bkt/", "s3://other/"]
    with pytest.raises(UriError, match=r"aios3_nb\.cd\('s3://bucket/prefix/'\)"):
        aios3_nb.load("top.json")


def test_a_slash_is_the_top_of_the_bucket() -> None:
    aios3_nb.cd("s3://bkt/models/deep/")
    assert shown("/") == ["s3://bkt/models/", "s3://bkt/top.json"]
    aios3_nb.cd("/")
    assert str(place()) == "s3://bkt/"
    assert aios3_nb.load("top.json") == 1


def test_a_panel_begins_where_a_listing_would() -> None:
    aios3_nb.cd("s3://bkt/models/")
    for uri, where in ((None, "s3://bkt/models/"), ("s3://", "buckets"), ("/", "s3://bkt/"), ("../..", "buckets")):
        panel = aios3_nb.browse(uri)
        assert repr(panel) == f"<S3Browser {where}>"
        panel.close()


def test_a_refusal_to_list_the_buckets_names_them_without_a_third_slash(stocked: FaultServer) -> None:
    stocked.fault(Fault(kind=Kind.STATUS, status=403, code="AccessDenied", key="", times=None))
    with pytest.raises(aios3_nb.AccessDeniedError) as caught:
        aios3_nb.ls("s3://")
    assert "s3:///" not in str(caught.value)
    assert "s3://" in str(caught.value)


def test_a_limit_is_for_buckets_too_and_recursive_for_none_of_them_nor_for_a_glob() -> None:
    few = aios3_nb.ls("s3://", limit=1)
    assert ([str(entry.uri) for entry in few], few.complete) == (["s3://bkt/"], False)
    assert aios3_nb.ls("s3://", limit=2).complete
    with pytest.raises(OptionError, match="recursive=True"):
        aios3_nb.ls("s3://", recursive=True)
    with pytest.raises(OptionError, match="by \\*\\* instead"):
        aios3_nb.ls("s3://bkt/*.json", recursive=True)
