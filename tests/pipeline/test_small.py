"""What a small load takes: one request, and one way to the loop and back."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

import aios3_nb
from aios3_nb.loop import bridge
from aios3_nb.settings import MIB
from tests.faults.server import FaultServer


def ways_of(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that grows with every call that is handed to the background loop."""
    loop = bridge().loop
    hand_over, ways = loop.call_soon_threadsafe, []

    def noted(call: Any, *args: Any, **more: Any) -> Any:
        ways.append(call)
        return hand_over(call, *args, **more)

    monkeypatch.setattr(loop, "call_soon_threadsafe", noted)
    return ways


@pytest.mark.parametrize("value", [b"", b"x" * 1000, b"x" * (MIB // 5)])
def test_a_small_load_goes_to_the_loop_once(faulty: FaultServer, monkeypatch: pytest.MonkeyPatch, value: bytes) -> None:
    faulty.put("bkt", "a.pkl", pickle.dumps(value), checksum="crc32")
    faulty.put("bkt", "a.bin", value, checksum="crc32")
    aios3_nb.load("s3://bkt/a.pkl")  # makes the client
    asked = len(faulty.requests)
    ways = ways_of(monkeypatch)
    assert aios3_nb.load("s3://bkt/a.pkl") == value
    assert aios3_nb.load("s3://bkt/a.bin", format="bytes") == value
    assert len(faulty.requests) == asked + 2
    assert len(ways) == 2


def test_a_small_load_may_not_have_more_than_it_may(faulty: FaultServer) -> None:
    faulty.put("bkt", "a.bin", b"x" * 1000)
    assert aios3_nb.load("s3://bkt/a.bin", format="bytes", max_bytes=1000) == b"x" * 1000
    with pytest.raises(aios3_nb.TooLargeError):
        aios3_nb.load("s3://bkt/a.bin", format="bytes", max_bytes=999)


def test_a_small_load_that_is_awaited_is_one_request(faulty: FaultServer) -> None:
    faulty.put("bkt", "a.pkl", pickle.dumps([1, 2]), checksum="crc32")
    assert asyncio.run(aios3_nb.aload("s3://bkt/a.pkl")) == [1, 2]
    assert len(faulty.requests) == 1
