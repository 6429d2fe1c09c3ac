"""How many connections a load has: one where the server is near and fast, else several, within its memory."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import aios3_nb
from aios3_nb.streams import bulk, pace
from tests.faults.fault import Fault, Kind

MIB = 1024 * 1024
LARGE = np.random.default_rng(2).bytes(24 * MIB)
FAR = Fault(kind=Kind.DELAY, seconds=0.03, times=None)
SLOW = Fault(kind=Kind.THROTTLE, rate=2e7, times=None)


def test_more_requests_are_under_way_than_there_is_memory_for(faulty, monkeypatch) -> None:
    made: list[int] = []
    make = bulk.buffer
    monkeypatch.setattr(bulk, "buffer", lambda length: made.append(length) or make(length))
    value = [np.random.default_rng(n).bytes(200_000) for n in range(60)]
    faulty.put("b", "strings.pkl", pickle.dumps(value), checksum="crc32")
    faulty.fault(FAR)  # else it is a near one: one request is enough
    options = {"part_size": MIB, "budget": 2 * MIB, "concurrency": 5}
    assert aios3_nb.load("s3://b/strings.pkl", **options) == value
    assert len(faulty.gets()) >= 12
    assert sum(length == MIB for length in made) == 2
    assert sum(made) < 3 * MIB  # and one for the end, which is shorter


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, the server counts as near and fast."""
    monkeypatch.setattr(pace, "_NEAR", 60.0)
    monkeypatch.setattr(pace, "_SWIFT", 1.0)


def test_a_server_that_is_near_and_fast_is_asked_once(faulty, near) -> None:
    faulty.put("b", "large.bin", LARGE, checksum="crc32")
    assert aios3_nb.load("s3://b/large.bin", format="bytes", verify="require") == LARGE
    assert len(faulty.gets()) == 1


@pytest.mark.parametrize("what", [FAR, SLOW], ids=lambda fault: fault.kind.value)
def test_one_that_is_far_or_slow_is_asked_for_several_parts_at_once(faulty, what, monkeypatch) -> None:
    if what is SLOW:
        monkeypatch.setattr(pace, "_NEAR", 60.0)
    faulty.put("b", "large.bin", LARGE, checksum="crc32")
    faulty.fault(what)
    options = {"verify": "require", "concurrency": 4}  # parts of 6 MiB
    assert aios3_nb.load("s3://b/large.bin", format="bytes", **options) == LARGE
    assert len(faulty.gets()) >= 3


def test_parts_too_short_to_tell_of_a_slow_connection_are_fetched_at_once(faulty, monkeypatch) -> None:
    monkeypatch.setattr(pace, "_NEAR", 60.0)
    faulty.put("b", "large.bin", LARGE, checksum="crc32")
    assert aios3_nb.load("s3://b/large.bin", format="bytes", part_size="1M") == LARGE
    assert len(faulty.gets()) == 24


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.CLOSE, Kind.STALL, Kind.DRIP])
def test_the_one_connection_to_a_near_server_breaks(faulty, near, kind) -> None:
    faulty.put("b", "large.bin", LARGE, checksum="crc32")
    faulty.fault(Fault(kind=kind, at=13_000_000, seconds=20.0))
    options = {"verify": "require", "read_timeout": 1, "floor_seconds": 1, "retry_wait": 0.1}
    assert aios3_nb.load("s3://b/large.bin", format="bytes", **options) == LARGE
    assert 2 <= len(faulty.gets()) <= 5


def test_an_object_that_is_replaced_while_the_one_connection_breaks(faulty, near) -> None:
    faulty.put("b", "large.bin", LARGE, checksum="crc32")
    faulty.fault(Fault(kind=Kind.RESET, at=13_000_000))
    faulty.fault(Fault(kind=Kind.REPLACE, first=2, data=LARGE[::-1]))
    with pytest.raises(aios3_nb.ObjectChangedError):
        aios3_nb.load("s3://b/large.bin", format="bytes", retry_wait=0.1)
