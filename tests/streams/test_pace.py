"""How many connections a load has: those that bring it fastest, within its memory."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable

import numpy as np
import pytest

import aios3_nb
from aios3_nb.streams import bulk, pace
from aios3_nb.streams.pace import Pace
from aios3_nb.streams.turns import Turns
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


def test_arrays_from_a_near_server_are_received_where_they_stay(faulty, near, monkeypatch) -> None:
    copied: list[int] = []
    copy = bulk.Work.copy
    monkeypatch.setattr(bulk.Work, "copy", lambda self, to, data: copied.append(len(data)) or copy(self, to, data))
    arrays = [np.random.default_rng(n).random(MIB // 2) for n in range(6)]
    faulty.put("b", "arrays.pkl", pickle.dumps(arrays, protocol=5), checksum="crc32")
    for found, stored in zip(aios3_nb.load("s3://b/arrays.pkl", verify="require"), arrays, strict=True):
        assert np.array_equal(found, stored)
    assert len(faulty.gets()) == 1
    assert sum(copied) < 6 * MIB  # of 24, and not nearly all


def test_a_load_of_arrays_goes_to_the_loop_once_for_each(faulty, near, monkeypatch) -> None:
    ways: list[str] = []
    run = Turns.run
    monkeypatch.setattr(Turns, "run", lambda self, call, *args: ways.append(call.__name__) or run(self, call, *args))
    arrays = [np.random.default_rng(n).random(MIB // 2) for n in range(6)]
    faulty.put("b", "arrays.pkl", pickle.dumps(arrays, protocol=5), checksum="crc32")
    for found, stored in zip(aios3_nb.load("s3://b/arrays.pkl", verify="require"), arrays, strict=True):
        assert np.array_equal(found, stored)
    assert ways.count("readinto") == 6
    assert len(ways) <= 6 + 4  # whether it is a small one, its beginning and its end, and the verdict


def test_a_reader_of_small_things_is_fetched_ahead_of_from_a_near_server_as_well(faulty, near, monkeypatch) -> None:
    made: list[int] = []
    make = bulk.buffer
    monkeypatch.setattr(bulk, "buffer", lambda length: made.append(length) or make(length))
    value = [np.random.default_rng(n).bytes(200_000) for n in range(100)]
    faulty.put("b", "strings.pkl", pickle.dumps(value), checksum="crc32")
    assert aios3_nb.load("s3://b/strings.pkl", verify="require") == value
    assert len(faulty.gets()) == 1
    assert made[0] == MIB // 4
    assert max(made) >= 2 * MIB  # and more as it goes on


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


def test_the_one_connection_that_may_be_brings_all_the_rest_after_it_broke(faulty) -> None:
    faulty.put("b", "large.bin", LARGE, checksum="crc32")
    faulty.fault(Fault(kind=Kind.RESET, at=13_000_000))
    options = {"verify": "require", "retry_wait": 0.1, "part_size": MIB, "concurrency": 1}
    assert aios3_nb.load("s3://b/large.bin", format="bytes", **options) == LARGE
    assert len(faulty.gets()) == 2


def test_of_what_is_not_read_to_its_end_the_one_connection_brings_no_more_than_is_wanted(faulty) -> None:
    faulty.put("b", "large.bin", LARGE)
    with aios3_nb.open("s3://b/large.bin", concurrency=1) as file:
        assert file.read(300_000) == LARGE[:300_000]
    for asked in faulty.gets():
        assert asked is not None
        assert asked[1] is not None
        assert asked[1] < 2 * MIB


# ---- what it finds, of servers that are told by the rate that so many connections bring

Rate = Callable[[int, float], float]
S3 = 90e6
"""Bytes per second of one connection."""


def tried(rate: Rate, *, first: float, seconds: float, most: int = 16, awaited: bool = True) -> list[tuple[float, int]]:
    """Return after how many seconds there were how many connections, of a server that answers after `first`."""
    clock = first
    judge = Pace(most, lambda: clock)
    judge.answered(first, 1 << 40)
    judge.is_awaited = awaited
    counts = [(0.0, judge.count)]
    while clock < first + seconds:
        step = min(262_144, int(0.005 * rate(judge.count, clock)))
        clock += step / rate(judge.count, clock)
        judge.took(step, busy=judge.count, allowed=most)
        if judge.count != counts[-1][1]:
            counts.append((clock - first, judge.count))
    return counts


def share_of(counts: list[tuple[float, int]], rate: Rate, best: int, seconds: float) -> float:
    """Return the bytes that came, as a share of those that `best` connections would have brought from the start."""
    ends = [*(begin for begin, _ in counts[1:]), seconds]
    got = sum((end - begin) * rate(count, begin) for (begin, count), end in zip(counts, ends, strict=True))
    return got / (seconds * rate(best, seconds))


def limited(link: float) -> Rate:
    """Return the rates of S3 over a link of so many bytes per second."""
    return lambda count, _: min(count * S3, link)


def crowded(rate: float) -> Rate:
    """Return those of a server on the same machine, where others beside the first one only cost."""
    return lambda count, _: rate if count == 1 else 0.8 * rate


def test_of_s3_all_connections_are_taken_from_the_start_and_kept() -> None:
    counts = tried(limited(2e9), first=0.04, seconds=20)
    assert counts[0] == (0.0, 16)
    assert counts[-1][1] == 16
    assert share_of(counts, limited(2e9), 16, 20) > 0.97


def test_s3_that_answers_as_soon_as_a_near_server_has_all_of_them_before_100_mb_came() -> None:
    (_, one), (since, all_of_them), *_ = tried(limited(2e9), first=0.015, seconds=1)
    assert (one, all_of_them) == (1, 16)
    assert since * S3 < 100e6


@pytest.mark.parametrize("rate", [1e9, 3e8])
def test_a_swift_server_beside_us_has_one_and_no_other_is_tried(rate) -> None:
    assert tried(crowded(rate), first=0.001, seconds=20) == [(0.0, 1)]


def test_one_beside_us_that_is_slower_has_one_again_and_loses_little_by_the_tries() -> None:
    counts = tried(crowded(1.2e8), first=0.005, seconds=20)
    assert counts[-1][1] == 1
    assert share_of(counts, crowded(1.2e8), 1, 20) > 0.97


def test_a_hiccup_of_it_is_over_after_one_try() -> None:
    def rate(count: int, clock: float) -> float:
        return 1e7 if 1.005 < clock < 1.06 else crowded(1e9)(count, clock)

    begun, up, back = tried(rate, first=0.001, seconds=20)
    assert (begun[1], up[1], back[1]) == (1, 16, 1)
    assert back[0] - up[0] < 0.5


def test_one_that_becomes_slow_for_good_has_all_that_help() -> None:
    def rate(count: int, clock: float) -> float:
        return 1e9 if clock < 3 else count * 2e7

    counts = tried(rate, first=0.001, seconds=20)
    assert counts[0][1] == 1
    assert counts[-1][1] == 16


def test_a_thin_link_is_left_with_as_few_as_fill_it() -> None:
    def link(count: int, _: float) -> float:
        return min(count * 2e6, 12e6)

    counts = tried(link, first=0.1, seconds=60)
    assert counts[-1][1] == 8
    assert share_of(counts, link, 8, 60) > 0.97


def test_a_load_that_goes_on_for_long_is_looked_at_once_a_minute() -> None:
    counts = tried(lambda count, _: count * 1e5, first=0.04, seconds=400)
    tries = [begin for begin, count in counts if count == 8]
    assert [round(begin) for begin in tries[:3]] == [2, 4, 8]
    assert 50 < max(after - begin for begin, after in itertools.pairwise(tries)) < 62
    assert tries[-1] > 330


def test_connections_that_break_again_and_again_put_off_no_try_for_longer() -> None:
    clock = 0.0
    judge = Pace(16, lambda: clock)
    judge.answered(0.04, 1 << 40)
    judge.is_awaited = True
    for _ in range(60):
        clock += 1.0
        judge.failed()
    assert judge.count == 16
    for _ in range(300):
        clock += 0.01
        judge.took(1 << 16, busy=16, allowed=16)
    assert judge.count < 16


def test_nothing_is_tried_while_the_reader_is_what_takes_time() -> None:
    assert tried(limited(5e7), first=0.04, seconds=20, awaited=False) == [(0.0, 16)]


def test_the_time_in_which_a_reader_asks_for_nothing_tells_nothing() -> None:
    clock = 0.0
    judge = Pace(16, lambda: clock)
    judge.answered(0.001, 1 << 40)
    judge.is_awaited = True
    for _ in range(1000):  # the reader takes a tenth of a second for what comes in eight thousandths
        judge.resumed()
        for _ in range(8):
            clock += 0.001
            judge.took(MIB, busy=1, allowed=16)
            assert judge.count == 1
        clock += 0.1


@pytest.mark.parametrize(("pause", "count"), [(0.02, 1), (0.045, 1), (0.2, 1), (0.4, 16)])
def test_a_server_that_stands_still_once_after_a_swift_beginning_has_one(pause, count) -> None:
    clock = 0.0
    judge = Pace(16, lambda: clock)
    judge.answered(0.001, 1 << 40)
    judge.is_awaited = True
    for _ in range(4):
        clock += 0.001
        judge.took(MIB, busy=1, allowed=16)
    clock += pause
    for _ in range(20):
        clock += 0.001
        judge.took(MIB, busy=1, allowed=16)
    assert judge.count == count


def test_a_near_server_that_looks_for_its_bytes_after_the_first_few_has_one() -> None:
    clock = 0.0
    judge = Pace(16, lambda: clock)
    judge.answered(0.01, 1 << 40)
    judge.is_awaited = True
    for pause, piece in ((0.002, MIB // 8), (0.002, MIB // 8), (0.032, MIB // 8), *[(0.001, MIB)] * 20):
        clock += pause
        judge.took(piece, busy=1, allowed=16)
        assert judge.count == 1


@pytest.mark.parametrize(("piece", "pause", "most"), [(MIB, 0.04, 1), (MIB // 32, 0.04, 16), (MIB // 4, 0.008, 16)])
def test_one_that_looks_for_its_bytes_again_and_again_has_time_to_begin(piece, pause, most) -> None:
    clock = 0.0
    judge = Pace(16, lambda: clock)
    judge.answered(0.01, 1 << 40)
    judge.is_awaited = True
    counts = set()
    while clock < 0.25:
        clock += pause
        for _ in range(4):
            judge.took(piece, busy=1, allowed=16)
            counts.add(judge.count)
            clock += 0.001
    assert max(counts) == most


def test_what_the_pool_or_a_busy_server_allow_tells_nothing() -> None:
    clock = 0.0
    judge = Pace(16, lambda: clock)
    judge.answered(0.04, 1 << 40)
    judge.is_awaited = True
    for _ in range(2_000):
        clock += 0.01
        judge.took(1 << 20, busy=2, allowed=2)
        assert judge.count == 16


def test_fewer_are_not_judged_by_what_the_others_still_bring() -> None:
    clock = 0.0
    judge = Pace(16, lambda: clock)
    judge.answered(0.04, 1 << 40)
    judge.is_awaited = True
    while judge.count == 16:
        clock += 0.01
        judge.took(10 << 20, busy=16, allowed=16)
    for _ in range(100):
        clock += 0.01
        judge.took(10 << 20, busy=16, allowed=16)
        assert judge.count == 8
    for _ in range(30):
        clock += 0.01
        judge.took(1 << 20, busy=8, allowed=16)
    assert judge.count == 16
