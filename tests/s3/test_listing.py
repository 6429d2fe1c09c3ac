"""Listings of directory buckets, which take only prefixes that end in a slash."""

from __future__ import annotations

import json

import pytest

import aios3_nb
from tests.faults.server import FaultServer

BUCKET = "lake--use1-az4--x-s3"
KEYS = ("models/a.json", "models/b.json", "models-old/c.json", "models.json", "mo", "other/d.json")


@pytest.fixture
def lake(faulty: FaultServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A directory bucket; sessions of its own are not asked for, since only S3 has them."""
    monkeypatch.setenv("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "true")
    for key in KEYS:
        faulty.put(BUCKET, key, json.dumps(key).encode())
    return f"s3://{BUCKET}"


def shown(listing: aios3_nb.Listing) -> list[str]:
    return [entry.uri.key for entry in listing]


def test_a_folder_is_found_without_its_slash(lake: str) -> None:
    assert shown(aios3_nb.ls(f"{lake}/models")) == ["models/a.json", "models/b.json"]
    assert shown(aios3_nb.ls(f"{lake}/models/")) == ["models/a.json", "models/b.json"]


def test_the_bucket_is_listed(lake: str) -> None:
    assert shown(aios3_nb.ls(f"{lake}/")) == ["models-old/", "models/", "other/", "mo", "models.json"]
    assert sorted(shown(aios3_nb.ls(f"{lake}/", recursive=True))) == sorted(KEYS)


def test_a_glob_finds_what_begins_with_half_a_name(lake: str) -> None:
    assert shown(aios3_nb.ls(f"{lake}/mod*")) == ["models.json"]
    assert list(aios3_nb.load(f"{lake}/models/?.json").values()) == ["models/a.json", "models/b.json"]
    assert list(aios3_nb.load(f"{lake}/mod*/*.json").values()) == [
        "models-old/c.json",
        "models/a.json",
        "models/b.json",
    ]


def test_what_is_not_there_is_not_found(lake: str) -> None:
    assert shown(aios3_nb.ls(f"{lake}/nothing")) == []
    with pytest.raises(FileNotFoundError):
        aios3_nb.load(f"{lake}/nothing*.json")


def test_other_buckets_are_asked_for_just_the_prefix(faulty: FaultServer) -> None:
    faulty.put("lake", "models/a.json", b"1")
    aios3_nb.ls("s3://lake/mod*")
    lists = [request.query.get("prefix") for request in faulty.requests if not request.key]
    assert set(lists) <= {"mod", "mod*", "mod*/"}
