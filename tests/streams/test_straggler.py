"""A connection that brings a trickle, or no answer, while others bring their parts, holds nobody up."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import replace

import pytest

import aios3_nb
from aios3_nb.settings import MIB
from aios3_nb.streams import ahead, straggler
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer

BODY = bytes(itertools.islice(itertools.cycle(range(251)), 16 * MIB))
AT = 9 * MIB + 1000
"""A byte of the part that is slow, in the middle of the object."""
SLOW = {
    # 16 s for a part, which no floor of 64 KB in 10 s would find.
    "a trickle": Fault(kind=Kind.THROTTLE, at=AT, rate=65_536),
    "no answer": Fault(kind=Kind.DELAY, at=AT, seconds=20),
}


def _ranges(server: FaultServer) -> list[tuple[int, int | None]]:
    """Return the ranges asked for that have the slow part's last byte, in their order."""
    found = [request.range for request in server.requests if request.method == "GET" and request.range]
    return [(start, stop) for start, stop in found if start <= 10 * MIB - 1 and stop == 10 * MIB]


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("way", ["load", "readinto"])
def test_a_slow_part_is_asked_for_again_from_where_it_is(faulty: FaultServer, name: str, way: str) -> None:
    faulty.put("b", "k.bin", BODY)
    # The first request of a load is for all of the object, and brings its first part.
    faulty.fault(replace(SLOW[name], first=2 if way == "load" else 1))
    settings = {"part_size": MIB, "concurrency": 4, "verify": "off"}
    if way == "load":
        assert aios3_nb.load("s3://b/k.bin", format="bytes", **settings) == BODY
    else:
        target = bytearray(len(BODY))
        with aios3_nb.open("s3://b/k.bin", **settings) as file:
            assert file.readinto(target) == len(BODY)
        assert target == BODY
    first, *again = _ranges(faulty)
    assert first == (9 * MIB, 10 * MIB)
    assert len(again) == 1
    assert (again[0][0] > 9 * MIB) is (name == "a trickle")


def test_it_is_asked_for_again_twice_at_most(faulty: FaultServer) -> None:
    faulty.put("b", "k.bin", BODY[: 12 * MIB])
    faulty.fault(Fault(kind=Kind.THROTTLE, at=10 * MIB - 1, rate=400_000, times=None))
    assert aios3_nb.load("s3://b/k.bin", format="bytes", part_size=MIB, concurrency=4, verify="off") == BODY[: 12 * MIB]
    assert len(_ranges(faulty)) == 3


def test_a_standstill_of_the_machine_makes_no_part_a_straggler(faulty: FaultServer) -> None:
    """As after a laptop was closed: the loop was away, and nobody has had the time to answer."""
    faulty.put("b", "k.bin", BODY[: 12 * MIB])
    held = Fault(kind=Kind.HOLD, at=10 * MIB - 1, first=2)  # the first request is for all of the object
    faulty.fault(held)

    async def main() -> bytes:
        load = asyncio.create_task(
            aios3_nb.aload("s3://b/k.bin", format="bytes", part_size=MIB, concurrency=4, verify="off")
        )
        others = {(n * MIB, (n + 1) * MIB) for n in range(5, 9)}
        while not others <= {request.range for request in faulty.requests if request.done}:
            assert not load.done()
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)  # the reader has come to the part that is missing
        time.sleep(1.5)
        held.released.set()
        return await load

    assert asyncio.run(main()) == BODY[: 12 * MIB]
    assert _ranges(faulty) == [(9 * MIB, 10 * MIB)]


def test_a_part_that_fails_when_it_would_count_as_slow_ends_the_load(faulty: FaultServer, monkeypatch) -> None:
    """It was asked for again, and closing waited for ever for the task that had ended already."""
    monkeypatch.setattr(ahead, "_LOOK", 60.0)  # so that the first look after that of the next part is when it fails
    monkeypatch.setattr(straggler, "_PATIENCE", 0.0)
    faulty.put("b", "k.bin", BODY[: 11 * MIB])
    faulty.fault(Fault(kind=Kind.DELAY, seconds=0.5, at=11 * MIB - 1, first=2))
    faulty.fault(Fault(kind=Kind.SILENT, seconds=1.0, at=10 * MIB - 1, first=2, times=None))
    settings = {"part_size": MIB, "concurrency": 4, "verify": "off", "retries": 1}
    with pytest.raises(aios3_nb.DownloadError):
        aios3_nb.load("s3://b/k.bin", format="bytes", **settings)


def test_without_retries_nothing_is_asked_for_again(faulty: FaultServer) -> None:
    faulty.put("b", "k.bin", BODY[: 12 * MIB])
    faulty.fault(Fault(kind=Kind.THROTTLE, at=10 * MIB - 1, rate=500_000))
    aios3_nb.load("s3://b/k.bin", format="bytes", part_size=MIB, concurrency=4, verify="off", retries=0)
    assert len(_ranges(faulty)) == 1
