"""Connections and memory of several loads of one call: by the bytes that each has left, and back when it is done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

import pytest

import aios3_nb
from aios3_nb.address import S3Uri
from aios3_nb.settings import MIB, Settings, current
from aios3_nb.streams import bulk, pace
from aios3_nb.streams.object import Monitor
from aios3_nb.streams.pool import Pool
from aios3_nb.streams.source import ObjectSource
from aios3_nb.streams.stream import ObjectStream
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.loops import run_afresh

SETTINGS = Settings(concurrency=10, budget=56 * MIB, part_size=8 * MIB)


def test_one_load_has_everything() -> None:
    portion = Pool(SETTINGS).portion()
    for left in (MIB, 500 * MIB, 1, 0):
        portion.note(left, 0)
        assert (portion.concurrency, portion.budget, portion.part_size) == (10, 56 * MIB, 8 * MIB)


def test_a_large_one_has_nearly_all_beside_small_ones_and_all_when_they_are_done() -> None:
    pool = Pool(SETTINGS)
    large, *small = [pool.portion() for _ in range(4)]
    large.note(120 * MIB, 0)
    assert large.concurrency == 10  # of the others nobody knows yet
    for one in small:
        one.note(7, 0)
        assert one.concurrency == 1
    assert large.part_size == 8 * MIB
    assert large.budget > 55 * MIB
    for one in small:
        one.end()
    assert (large.concurrency, large.budget) == (10, 56 * MIB)


@pytest.mark.parametrize("count", [2, 3, 7, 10, 32])
def test_those_of_equal_length_have_equal_parts_and_no_connection_is_idle(count: int) -> None:
    portions = [pool.portion() for pool in [Pool(SETTINGS)] for _ in range(count)]
    for one in portions:
        one.note(100 * MIB, 0)
    assert len({(one.concurrency, one.budget, one.part_size) for one in portions}) == 1
    assert 10 <= sum(one.concurrency for one in portions) < 10 + count
    assert sum(one.part_size for one in portions) <= 56 * MIB


def test_memory_is_that_of_all_together() -> None:
    pool = Pool(SETTINGS)
    one, other = pool.portion(), pool.portion()
    one.note(200 * MIB, 0)
    other.note(200 * MIB, 0)
    assert one.fits(20 * MIB, 8 * MIB)
    assert not one.fits(21 * MIB, 8 * MIB)  # more than its own half
    other.note(200 * MIB, 40 * MIB)  # from when it was alone
    assert one.fits(8 * MIB, 8 * MIB)
    assert not one.fits(9 * MIB, 8 * MIB)
    other.end()
    assert one.fits(48 * MIB, 8 * MIB)


def test_memory_that_is_prepared_is_used_and_never_more_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    make = bulk.buffer
    monkeypatch.setattr(bulk, "buffer", lambda length: made.append(length) or make(length))
    pool = Pool(SETTINGS)
    load = pool.portion()
    load.note(500 * MIB, 24 * MIB)
    pool.prepare(8 * MIB, 500 * MIB)
    assert made == [8 * MIB] * 4
    pool.prepare(8 * MIB, 500 * MIB)  # for another load, while nobody has used those
    pool.prepare(4 * MIB, 500 * MIB)
    pool.prepare(5 * MIB, 500 * MIB)  # nobody keeps one of such a length
    assert len(made) == 4
    for _ in range(4):
        assert len(pool.buffer(8 * MIB)) == 8 * MIB
    assert len(made) == 4
    pool.prepare(8 * MIB, 20 * MIB)
    assert len(made) == 6


def test_memory_is_let_go_of_as_soon_as_nothing_is_left_to_come(faulty: FaultServer) -> None:
    data = bytes(range(256)) * (24 * MIB // 256)
    faulty.put("b", "large.bin", data, checksum="crc32")
    faulty.fault(Fault(kind=Kind.DELAY, seconds=0.03, times=None))  # else it is a near one
    chosen = current(part_size=MIB, budget=8 * MIB, concurrency=8)

    async def main() -> None:
        source = ObjectSource(S3Uri("b", "large.bin"), chosen, Monitor())
        stream = ObjectStream(source, chosen, Monitor(), whole=True)
        pool = source.portion.pool
        for at in range(0, len(data), MIB):
            assert bytes(await stream.window(at, MIB)) == data[at : at + MIB]
            if at == 18 * MIB:  # all the rest was asked for
                async with asyncio.timeout(60):
                    while source.portion.held < 6 * MIB:
                        await asyncio.sleep(0.01)
            held = source.portion.held + sum(length * len(warm) for length, warm in pool._warm.items())
            assert held <= (8 * MIB if at <= 18 * MIB else len(data) - at)
        await stream.aclose()

    run_afresh(main())


def test_what_ended_takes_nothing_any_more() -> None:
    pool = Pool(SETTINGS)
    one, other = pool.portion(), pool.portion()
    other.end()
    other.note(500 * MIB, 50 * MIB)
    one.note(100 * MIB, 0)
    assert one.fits(48 * MIB, 8 * MIB)


def test_memory_that_is_kept_for_parts_of_one_length_makes_room_for_others() -> None:
    """It was kept beside them, and a call could have the budget twice, and more."""
    pool = Pool(SETTINGS)
    one = pool.portion()
    long = [pool.buffer(8 * MIB) for _ in range(7)]
    for each in long:
        pool.give_back(each)
    assert pool.buffer(8 * MIB) is long.pop()  # there is enough of that length
    for held in range(0, 56 * MIB, 4 * MIB):
        one.note(100 * MIB, held)
        pool.buffer(4 * MIB)
    assert pool.buffer(8 * MIB) not in long


# ---- on the wire


@contextlib.contextmanager
def held(server: FaultServer, key: str) -> Iterator[Fault]:
    """Let each body of `key` come to its middle."""
    fault = Fault(kind=Kind.HOLD, key=key, times=None)
    server.fault(fault)
    try:
        yield fault
    finally:
        fault.released.set()


def under_way(server: FaultServer, key: str) -> int:
    """Return how many ranges of `key` are being sent."""
    return sum(each.range is not None and each.key == key and not each.done for each in server.requests)


async def until(condition: Callable[[], bool], load: asyncio.Task[object]) -> None:
    while not condition():
        assert not load.done()
        await asyncio.sleep(0.005)


OPTIONS = {"format": "bytes", "part_size": MIB, "concurrency": 8, "verify": "off"}


@pytest.fixture(autouse=True)
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes, no load tries meanwhile whether fewer connections would do."""
    monkeypatch.setattr(pace, "_PAUSE", 1e9)


@pytest.mark.timeout(120)
def test_beside_small_ones_a_large_one_has_all_connections(faulty: FaultServer) -> None:
    faulty.put("b", "p/large", bytes(24 * MIB))
    small = {f"p/small-{n}": b"1234567" for n in range(3)}
    for key, data in small.items():
        faulty.put("b", key, data)

    async def main() -> object:
        with held(faulty, "p/large"):
            load = asyncio.create_task(aios3_nb.aload("s3://b/p/*", **OPTIONS))
            await until(lambda: under_way(faulty, "p/large") == 8, load)
        return await load

    assert asyncio.run(main()) == {"p/large": bytes(24 * MIB)} | small


@pytest.mark.timeout(120)
def test_what_one_is_done_with_another_has(faulty: FaultServer) -> None:
    data = bytes(24 * MIB)
    faulty.put("b", "p/1", data)
    faulty.put("b", "p/2", data)

    async def main() -> object:
        with held(faulty, "p/1"):
            with held(faulty, "p/2"):
                load = asyncio.create_task(aios3_nb.aload("s3://b/p/*", **OPTIONS))
                await until(lambda: min(under_way(faulty, "p/1"), under_way(faulty, "p/2")) >= 4, load)
                assert (under_way(faulty, "p/1"), under_way(faulty, "p/2")) == (4, 4)
            await until(lambda: under_way(faulty, "p/1") == 8, load)
        return await load

    assert asyncio.run(main()) == {"p/1": data, "p/2": data}
