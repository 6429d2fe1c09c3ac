"""One object that fails does not lose the others."""

from __future__ import annotations

import asyncio
import contextlib
import pickle

import pytest

import aios3_nb
from tests.faults.fault import Kind
from tests.faults.server import FaultServer


@pytest.fixture
def parts(faulty: FaultServer) -> FaultServer:
    for n in range(40):
        faulty.put("b", f"p/{n:02}.json", f"[{n}]".encode())
    faulty.put("b", "p/03.json", b"[3")
    faulty.put("b", "p/07.json", b"<html>")
    return faulty


GOOD = {f"p/{n:02}.json": [n] for n in range(40) if n not in (3, 7)}
BAD = ["p/03.json", "p/07.json"]


def test_the_error_carries_what_was_loaded_and_names_what_was_not(parts: FaultServer) -> None:
    with pytest.raises(aios3_nb.PartialLoadError) as caught:
        aios3_nb.load("s3://b/p/*.json")
    assert caught.value.values == GOOD
    assert list(caught.value.errors) == BAD
    assert all(isinstance(error, aios3_nb.FormatError) for error in caught.value.errors.values())
    assert "2 of 40 were not loaded" in str(caught.value)
    assert all(key in str(caught.value) for key in BAD)
    assert pickle.loads(pickle.dumps(caught.value)).values == GOOD
    with pytest.raises(aios3_nb.PartialLoadError) as awaited:
        asyncio.run(aios3_nb.aload("s3://b/p/*.json"))
    assert awaited.value.values == GOOD


def test_many_are_begun_in_order_some_at_a_time(faulty: FaultServer) -> None:
    for n in range(300):
        faulty.put("b", f"m/{n:03}.json", b"[1]")
    faulty.reset()
    most = 0

    async def load() -> object:
        task = asyncio.create_task(aios3_nb.aload("s3://b/m/*.json"))
        while not task.done():
            nonlocal most
            most = max(most, len(asyncio.all_tasks()))
            await asyncio.sleep(0)
        return await task

    assert asyncio.run(load()) == {f"m/{n:03}.json": [1] for n in range(300)}
    assert 32 < most < 200
    keys = [each.key for each in faulty.requests if each.key.startswith("m/") and "*" not in each.key]
    assert max(abs(n - int(key[2:5])) for n, key in enumerate(keys)) < 64


def test_of_ten_thousand_only_some_have_a_task_and_all_wait_in_the_order_of_the_listing(faulty: FaultServer) -> None:
    for n in range(10_000):
        faulty.put("b", f"m/{n:04}.json", b"[1]")
    most = 0

    def begun() -> list[int]:
        return [int(each.key[2:6]) for each in faulty.requests if each.key.startswith("m/") and "*" not in each.key]

    async def load() -> None:
        task = asyncio.create_task(aios3_nb.aload("s3://b/m/*.json"))
        while len(begun()) < 200:
            assert not task.done()
            nonlocal most
            most = max(most, len(asyncio.all_tasks()))
            await asyncio.sleep(0.002)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(load())
    assert most < 200
    assert max(abs(place - number) for place, number in enumerate(begun())) < 64


def test_what_fails_can_be_left_out(parts: FaultServer) -> None:
    with pytest.warns(UserWarning, match=r"2 of 40 were left out:\n  p/03.json: "):
        assert aios3_nb.load("s3://b/p/*.json", errors="skip") == GOOD
    assert aios3_nb.load("s3://b/p/0[12].json", errors="skip") == {"p/01.json": [1], "p/02.json": [2]}


def test_errors_is_for_several_objects(parts: FaultServer) -> None:
    with pytest.raises(aios3_nb.OptionError, match="several"):
        aios3_nb.load("s3://b/p/03.json", errors="skip")
    with pytest.raises(aios3_nb.OptionError, match="raise or skip"):
        aios3_nb.load("s3://b/p/*.json", errors="ignore")
    with pytest.raises(aios3_nb.OptionError, match="Unknown option"):
        aios3_nb.peek("s3://b/p/03.json", errors="skip")


def test_nothing_loaded_is_an_error_too(parts: FaultServer) -> None:
    for errors in ("raise", "skip"):
        with pytest.raises(aios3_nb.PartialLoadError) as caught:
            aios3_nb.load("s3://b/p/0[37].json", errors=errors)
        assert (caught.value.values, list(caught.value.errors)) == ({}, BAD)


def test_credentials_that_are_refused_are_said_once_and_not_tried_for_each(parts: FaultServer) -> None:
    parts.fault(Kind.STATUS, status=403, code="InvalidAccessKeyId", times=None)
    with pytest.raises(aios3_nb.CredentialsError):
        aios3_nb.load("s3://b/p/*.json")
    assert len(parts.gets()) <= 32
