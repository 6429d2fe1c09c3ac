"""Entries of a listing that are kept small: what comes out is what went in."""

from __future__ import annotations

import datetime
import tracemalloc
from typing import Any

import pytest

from aios3_nb.address import S3Uri
from aios3_nb.browser.kept import COLUMNS, Kept, Texts
from aios3_nb.s3 import Entry
from tests.awkward import KEYS

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.UTC)
WHERE = S3Uri("bkt", "dir/", region="eu-central-1")


def kept(*entries: Entry, where: S3Uri | None = WHERE) -> Kept:
    made = Kept(where)
    made.extend(entries)
    return made


def test_entries_come_out_as_they_went_in() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=-7))
    entries = [
        Entry(S3Uri("bkt", "dir/folder/")),
        Entry(S3Uri("bkt", "dir/a"), 0, NOW, '"d41d8cd9"', "STANDARD"),
        Entry(S3Uri("bkt", "dir/b"), 50 * 10**12, NOW.astimezone(zone), "", "GLACIER"),
        Entry(S3Uri("bkt", "dir/\udc80 half a character"), 1),
        *(Entry(S3Uri("bkt", key), 1, NOW) for key in KEYS),
    ]
    made = kept(*entries)
    assert list(made) == entries
    assert made[1:3] == entries[1:3]
    assert made[-1] == entries[-1]
    assert [made.name(at) for at in range(len(made))] == [entry.name for entry in entries]
    assert [made.place_of(entry.uri) for entry in entries] == list(range(len(entries)))
    assert made.place_of(S3Uri("other", "dir/a")) is None
    assert made[0].uri.region == "eu-central-1"


def test_buckets_are_entries_too() -> None:
    entries = [Entry(S3Uri("one"), last_modified=NOW), Entry(S3Uri("two"))]
    made = kept(*entries, where=None)
    assert list(made) == entries
    assert made.place_of(S3Uri("two")) == 1
    assert made.place_of(S3Uri("two", "key")) is None


@pytest.mark.parametrize("size", [-1, 2**70])
def test_a_size_that_no_object_has_breaks_nothing(size: int) -> None:
    assert kept(Entry(S3Uri("bkt", "a"), size))[0].size in {0, 2**63 - 1}


def test_a_time_without_a_zone_is_that_of_the_store() -> None:
    assert kept(Entry(S3Uri("bkt", "a"), 1, NOW.replace(tzinfo=None)))[0].last_modified == NOW


def test_a_text_is_found_only_where_it_is_all_of_one() -> None:
    texts = Texts()
    for text in ("ab", "c", "b", "abc", "", "bc"):
        texts.append(text)
    assert [texts.find(text) for text in ("ab", "c", "b", "abc", "bc", "ca", "a", "bca", "")] == [
        *(0, 1, 2, 3, 5),
        *(None, None, None, None),
    ]


def test_what_is_taken_out_leaves_the_others_as_they_were() -> None:
    entries = [Entry(S3Uri("bkt", f"dir/{n}"), n, NOW, f'"{n}"', "AB"[n % 2]) for n in range(10)]
    rest = kept(*entries).without([S3Uri("bkt", f"dir/{n}") for n in (9, 0, 4, 77)])
    assert list(rest) == [entry for n, entry in enumerate(entries) if n not in {0, 4, 9}]
    rest.extend(entries[4:5])
    assert rest[-1] == entries[4]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", COLUMNS)
def test_the_order_is_that_of_the_entries(column: Any, descending: bool) -> None:
    days = [3, 1, 2, 3, 0]
    entries = [
        Entry(S3Uri("bkt", f"dir/{name}"), days[n], NOW - datetime.timedelta(days=days[n]), "", "ab"[n % 2])
        for n, name in enumerate("zaéb😀")
    ]
    keys = {
        "name": lambda entry: entry.uri.key,
        "size": lambda entry: entry.size,
        "modified": lambda entry: entry.last_modified,
        "class": lambda entry: entry.storage_class,
    }
    made = kept(*entries)
    assert [made[at] for at in made.order(column, descending=descending)] == sorted(
        entries, key=keys[column], reverse=descending
    )


def test_a_row_takes_some_hundred_bytes() -> None:
    made, rows = Kept(WHERE), 20_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made.extend(
            Entry(S3Uri("bkt", f"dir/year=2026/part-{n:07}.parquet"), n, NOW, f'"{n:032x}"', "STANDARD")
            for n in range(rows)
        )
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken / rows < 150
