"""Items of all objects of a glob: in the order of the keys, lazily, and one that fails does not lose the others."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

import aios3_nb
from aios3_nb.pipeline import items_of, make_order
from aios3_nb.streams import Monitor, ObjectInfo
from tests.faults.fault import Kind
from tests.faults.server import FaultServer

ROWS = [{"n": n} for n in range(12)]


@pytest.fixture
def parts(faulty: FaultServer) -> FaultServer:
    """Four objects of three lines each, and a marker."""
    for place in range(4):
        lines = b"".join(b'{"n": %d}\n' % row["n"] for row in ROWS[3 * place : 3 * place + 3])
        faulty.put("b", f"p/{place}.jsonl.gz", gzip.compress(lines))
    faulty.put("b", "p/_SUCCESS", b"")
    return faulty


def gathered(how: str, uri: str, **options: Any) -> list[Any]:
    """Return the items of `uri`, iterated in one of both ways."""
    if how == "iterate":
        with aios3_nb.iterate(uri, **options) as items:
            return list(items)

    async def walk() -> list[Any]:
        return [item async for item in aios3_nb.aiterate(uri, **options)]

    return asyncio.run(walk())


both = pytest.mark.parametrize("how", ["iterate", "aiterate"])


@both
def test_items_come_in_the_order_of_the_keys(parts: FaultServer, how: str) -> None:
    assert gathered(how, "s3://b/p/*") == ROWS
    assert gathered(how, "s3://b/p/[12].jsonl.gz") == ROWS[3:9]


@both
def test_a_limit_counts_all_items_and_leaves_the_rest_alone(parts: FaultServer, how: str) -> None:
    assert gathered(how, "s3://b/p/*", limit=4) == ROWS[:4]
    assert parts.gets("p/1.jsonl.gz") != parts.gets("p/2.jsonl.gz") == []
    assert gathered(how, "s3://b/p/*", limit=0) == []


def test_nothing_is_sent_before_the_first_item(parts: FaultServer) -> None:
    items = aios3_nb.iterate("s3://b/p/*")
    assert parts.requests == ()
    assert next(items) == ROWS[0]
    assert parts.gets("p/1.jsonl.gz") == []
    items.close()
    assert "closed, 1 so far" in repr(items)


def test_a_key_that_exists_as_written_is_that_object(parts: FaultServer) -> None:
    parts.put("b", "q[0].jsonl", b'{"n": "literal"}\n')
    parts.put("b", "q0.jsonl", b'{"n": "another"}\n')
    assert list(aios3_nb.iterate("s3://b/q[0].jsonl")) == [{"n": "literal"}]


@both
def test_the_error_at_the_end_names_what_failed_and_the_others_were_given(parts: FaultServer, how: str) -> None:
    parts.put("b", "p/1.jsonl.gz", b"\x1f\x8bdamaged")
    found: list[Any] = []

    async def walk() -> None:
        async for item in aios3_nb.aiterate("s3://b/p/*"):
            found.append(item)

    def walk_here() -> None:
        for item in aios3_nb.iterate("s3://b/p/*"):
            found.append(item)

    said = r"1 of 4 were not read to the end:\n  p/1\.jsonl\.gz: "
    with pytest.raises(aios3_nb.PartialLoadError, match=said) as caught:
        walk_here() if how == "iterate" else asyncio.run(walk())
    assert found == ROWS[:3] + ROWS[6:]
    assert list(caught.value.errors) == ["p/1.jsonl.gz"]
    assert "errors='skip'" in str(caught.value)


@both
def test_what_fails_can_be_left_out_with_a_warning(parts: FaultServer, how: str) -> None:
    parts.put("b", "p/1.jsonl.gz", b"\x1f\x8bdamaged")
    parts.put("b", "p/3.jsonl.gz", b'{"n": 9}\n{"n": ')
    with pytest.warns(UserWarning, match=r"2 of 4 were left out:\n  p/1\.jsonl\.gz: "):
        assert gathered(how, "s3://b/p/*", errors="skip") == ROWS[:3] + ROWS[6:10]


def test_nothing_read_is_an_error_too(parts: FaultServer) -> None:
    for place in range(4):
        parts.put("b", f"p/{place}.jsonl.gz", b"\x1f\x8bdamaged")
    with pytest.raises(aios3_nb.PartialLoadError, match="4 of 4"):
        list(aios3_nb.iterate("s3://b/p/*", errors="skip"))


def test_skipping_is_for_several_objects(parts: FaultServer) -> None:
    with pytest.raises(aios3_nb.OptionError, match="several"):
        aios3_nb.iterate("s3://b/p/0.jsonl.gz", errors="skip")


def test_nothing_that_matches_is_said_as_such(parts: FaultServer) -> None:
    with pytest.raises(aios3_nb.ObjectNotFoundError, match="Nothing matches"):
        list(aios3_nb.iterate("s3://b/none*", errors="skip"))


def test_credentials_that_are_refused_end_it_at_once(parts: FaultServer) -> None:
    parts.fault(Kind.STATUS, status=403, code="InvalidAccessKeyId", times=None, key="p/1.jsonl.gz")
    items = aios3_nb.iterate("s3://b/p/*", errors="skip")
    found = []
    with pytest.raises(aios3_nb.CredentialsError):
        found += [found.append(item) for item in items]
    assert found == ROWS[:3]
    assert parts.gets("p/2.jsonl.gz") == []


@both
def test_what_comes_before_an_error_is_given(parts: FaultServer, how: str) -> None:
    parts.put("b", "cut.jsonl", b'{"n": 0}\n{"n": 1}\n{"n": 2}\n{"n": 3}\n{"n": ')
    found = []

    async def walk() -> None:
        async for item in aios3_nb.aiterate("s3://b/cut.jsonl"):
            found.append(item)

    def walk_here() -> None:
        for item in aios3_nb.iterate("s3://b/cut.jsonl"):
            found.append(item)

    with pytest.raises(aios3_nb.TruncatedError):
        walk_here() if how == "iterate" else asyncio.run(walk())
    assert found == ROWS[:4]


def test_cancel_ends_it(parts: FaultServer) -> None:
    items = aios3_nb.iterate("s3://b/p/*")
    assert next(items) == ROWS[0]
    items.cancel()
    with pytest.raises(aios3_nb.LoadCancelledError):
        list(items)


def test_one_progress_shows_them_all(parts: FaultServer) -> None:
    class Watching(Monitor):
        size = received_bytes = count = 0

        def opened(self, info: ObjectInfo) -> None:
            self.size = info.size

        def received(self, count: int) -> None:
            self.received_bytes += count

        def items(self, count: int) -> None:
            self.count = count

    watching = Watching()
    items = items_of(make_order("s3://b/p/*", {}), watching)
    assert list(items) == ROWS
    assert watching.size == watching.received_bytes
    assert items.info is not None
    assert items.info.size == watching.size > 100
    assert watching.count == items.count == len(ROWS)
    assert items.verdict == "MD5 ok"
