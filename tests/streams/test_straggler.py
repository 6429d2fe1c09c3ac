"""A connection that brings a trickle, or no answer, while others bring their parts, holds nobody up."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

import aios3_nb
from aios3_nb.s3 import RetryBudget
from aios3_nb.settings import MIB, Settings
from aios3_nb.streams import ahead, pace, straggler
from aios3_nb.streams.part import Part
from aios3_nb.streams.straggler import Stragglers
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


def _ranges(server: FaultServer, end: int = 10 * MIB) -> list[tuple[int, int | None]]:
    """Return the ranges asked for that have the slow part's last byte, in their order."""
    found = [request.range for request in server.requests if request.method == "GET" and request.range]
    return [(start, stop) for start, stop in found if start <= end - 1 and stop == end]


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


def test_two_slow_parts_are_asked_for_again(faulty: FaultServer) -> None:
    faulty.put("b", "k.bin", BODY)
    faulty.fault(replace(SLOW["a trickle"], first=2))
    faulty.fault(replace(SLOW["a trickle"], at=AT + MIB, first=2))
    assert aios3_nb.load("s3://b/k.bin", format="bytes", part_size=MIB, concurrency=4, verify="off") == BODY
    assert len(_ranges(faulty)) >= 2
    assert len(_ranges(faulty, 11 * MIB)) >= 2


@pytest.mark.parametrize("way", ["load", "readinto", "read"])
def test_the_rest_comes_over_all_connections_that_are_free(faulty: FaultServer, monkeypatch, way: str) -> None:
    monkeypatch.setattr(pace, "_PAUSE", 1e9)  # however long it takes, no load tries meanwhile whether fewer would do
    data = BODY + BODY[: 8 * MIB]
    faulty.put("b", "k.bin", data, checksum="crc32")
    end = 20 * MIB
    faulty.fault(replace(SLOW["a trickle"], at=end - 1, first=2 if way == "load" else 1))
    settings = {"part_size": 4 * MIB, "concurrency": 4, "verify": "require" if way == "load" else "off"}
    if way == "load":
        assert aios3_nb.load("s3://b/k.bin", format="bytes", **settings) == data
    else:
        target = bytearray()
        with aios3_nb.open("s3://b/k.bin", **settings) as file:
            if way == "read":
                file.seek(8 * MIB - 1)
            # All that has come of the slow part was read before it is found.
            while chunk := file.read(100_000 if way == "read" else -1):
                target += chunk
        assert target == data[8 * MIB - 1 if way == "read" else 0 :]
    asked = [(start, stop) for start, stop in filter(None, faulty.gets()) if stop is not None]
    first = next((start, stop) for start, stop in asked if start < end <= stop)
    again = sorted((start, stop) for start, stop in asked if first[0] < start < first[1])
    assert len(again) == 2
    assert again[0][1] == again[1][0]
    assert again[1][1] == first[1]


@pytest.mark.parametrize("kind", [Kind.RANGE_IGNORED, Kind.REPLACE, Kind.STATUS, Kind.RESET])
def test_what_goes_wrong_with_the_further_requests(faulty: FaultServer, monkeypatch, kind: Kind) -> None:
    """The object comes nevertheless; only another version of it is an error."""
    monkeypatch.setattr(pace, "_PAUSE", 1e9)
    data = BODY + BODY[: 8 * MIB]
    faulty.put("b", "k.bin", data, checksum="crc32")
    faulty.fault(replace(SLOW["a trickle"], at=20 * MIB - 1, first=2))
    faulty.fault(Fault(kind=kind, at=20 * MIB - 1, first=3, times=None if kind is Kind.RANGE_IGNORED else 2))
    settings = {"part_size": 4 * MIB, "concurrency": 4, "verify": "require", "retry_wait": 0.01}
    if kind is Kind.REPLACE:
        with pytest.raises(aios3_nb.ObjectChangedError):
            aios3_nb.load("s3://b/k.bin", format="bytes", **settings)
    else:
        assert aios3_nb.load("s3://b/k.bin", format="bytes", **settings) == data


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


def test_nothing_is_asked_for_again_while_a_failure_waits_to_be_retried(monkeypatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _, bound: bound)

    async def main() -> None:
        retry = RetryBudget(Settings())
        assert retry.hurries()
        waits = asyncio.create_task(retry.allows(ConnectionResetError()))
        await asyncio.sleep(0)
        assert not retry.hurries()
        assert await waits
        assert retry.hurries()

    asyncio.run(main())


def test_the_pieces_of_a_part_count_as_one_part_that_came() -> None:
    retry = RetryBudget(Settings(retries=1))
    assert retry.hurries()
    retry.split(4)
    for _ in range(4 + 2):
        retry.finished_part()
        assert not retry.hurries()
    retry.finished_part()
    assert retry.hurries()


# ---- which parts it finds, of a server that is told by the rate at which it sends each part at what time

Rate = Callable[[int, float], float]
USUAL = 80e6
"""Bytes per second."""


class Load:
    """A load of parts of 8 MiB by a clock of its own: 16 requests, and memory for `room` parts at a time.

    Attributes:
        clock: Seconds.
        found: Which parts were to be asked for again, and when.
    """

    def __init__(self, rate: Rate, *, room: int = 7, delay: Rate = lambda *_: 0.03, total: int = 10_000) -> None:
        self.clock = 0.0
        self.found: list[tuple[int, float]] = []
        self.stragglers = Stragglers(lambda: self.clock)
        self._rate, self._delay, self._room, self._total = rate, delay, room, total
        self._parts: list[Part] = []
        self._next = 0

    def run(self, until: float, *, away: float = 0.0, reads: float = 0.0) -> list[int]:
        """Go on to the second `until`, and return what was found.

        Args:
            until: When to end.
            away: Seconds before the reader wants the first part.
            reads: Seconds that it takes for each part.
        """
        idle = self.clock + away
        while self.clock < until:
            while len(self._parts) < min(16, self._total - self._next + len(self._parts)):
                part = Part(self._next * 8 * MIB, (self._next + 1) * 8 * MIB)
                self._next += 1
                self._parts.append(part)
                self.stragglers.asked(part)
            self.clock += 0.005
            for index, part in enumerate(self._parts):
                self._go_on(part, index < self._room)
            if self.clock < idle:
                continue
            if self._parts[0].full:
                self._parts.pop(0)
                idle = self.clock + reads
            self.look()
        return [number for number, _ in self.found]

    def _go_on(self, part: Part, has_room: bool) -> None:
        number = part.start // part.length
        if part.full:
            return
        if not part.answered:
            if self.clock - part.asked >= self._delay(number, self.clock):
                self.stragglers.answered(part)
        elif not part.began:
            if has_room:
                self.stragglers.began(part)
        elif came := min(part.length - part.filled, int(0.005 * self._rate(number, self.clock))):
            self.stragglers.came(part, part.filled + came)

    def fail(self, index: int) -> None:
        """Have one of the parts under way asked for anew, as after a failure."""
        self.stragglers.came(self._parts[index], self._parts[index].filled)

    def look(self) -> None:
        """Ask again for what is slow, as the reader does while it waits."""
        for part in self.stragglers.among(self._parts):
            self.found.append((part.start // part.length, self.clock))
            part.again += 1
            self.stragglers.asked(part)


def slow(*numbers: int, since: float = 0.0) -> Rate:
    """Return the rates of a server that sends these parts at 1 MB/s from then on."""
    return lambda number, clock: 1e6 if number in numbers and clock >= since else USUAL


def test_all_slow_parts_are_found_while_the_reader_waits_for_the_first() -> None:
    load = Load(slow(23, 26))
    load.run(2.0)
    assert [number for number, _ in load.found[:2]] == [23, 26]
    assert load.found[1][1] - load.found[0][1] < 0.05


def test_one_that_was_slow_from_the_start_is_found_when_others_have_come() -> None:
    load = Load(slow(3), room=16)
    load.run(1.0)
    assert load.found[0][0] == 3
    assert 0.13 < load.found[0][1] < 0.2  # the others took 0.11 s after 0.03


def test_one_that_becomes_slow_is_given_more_time() -> None:
    load = Load(slow(3, since=0.08), room=16)
    load.run(1.0)
    assert load.found[0][0] == 3
    assert 0.5 < load.found[0][1] < 0.6


def test_it_is_asked_for_again_when_the_second_connection_is_slow_too_and_not_a_third_time() -> None:
    assert Load(slow(10)).run(6.0) == [10, 10]


def test_parts_that_begin_slowly_are_given_the_time_that_others_take() -> None:
    def rate(number: int, clock: float) -> float:
        return 0.0 if number == 15 and clock < 0.45 else USUAL / 3

    # They begin one after the other, so that some end while the last one has just begun.
    assert Load(rate, room=16, delay=lambda number, _: 0.03 + 0.02 * min(number, 15)).run(2.0) == []


@pytest.mark.parametrize("seconds", [0.01, 0.03, 0.1])
def test_new_connections_that_speed_up_are_not_stragglers(seconds: float) -> None:
    """TCP sends 14 KB at first, and twice as much with every answer: a new connection is slow beside those in use."""
    begun: dict[int, float] = {}

    def rate(number: int, clock: float) -> float:
        age = clock - begun.setdefault(number, clock)
        return USUAL if number % 5 else min(USUAL, 14_600 / seconds * 2 ** (age / seconds))

    assert Load(rate, delay=lambda *_: seconds).run(6.0) == []


@pytest.mark.parametrize("first", [0.0, 0.04, 0.06, 0.08, 0.11])
def test_a_trickle_of_one_piece_in_a_quarter_of_a_second_is_found(first: float) -> None:
    """A piece in the second half of the time that it is watched for is no beginning of more."""

    def rate(number: int, clock: float) -> float:
        return (USUAL if (clock - 0.035 - first) % 0.25 < 0.004 else 0.0) if number == 3 else USUAL

    load = Load(rate, room=16)
    load.run(1.0)
    assert load.found[0][0] == 3
    assert load.found[0][1] < 0.5


def test_parts_that_come_at_a_quarter_of_the_rate_are_not_stragglers() -> None:
    assert Load(lambda number, _: USUAL / (4 if number % 5 == 3 else 1)).run(6.0) == []


def test_a_link_that_grows_slow_makes_no_part_a_straggler() -> None:
    assert Load(lambda _, clock: USUAL if clock < 0.5 else 1e6).run(40.0) == []


def pausing(begin: float, seconds: float) -> Rate:
    """Return the rates of a server that sends nothing to anybody for so long."""
    return lambda _, clock: 0.0 if begin < clock < begin + seconds else USUAL


@pytest.mark.parametrize("room", [7, 16])
@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 2.5])
def test_a_server_that_pauses_makes_none(seconds, room) -> None:
    for begin in (0.4, 0.43, 0.46, 0.49, 0.52):
        assert Load(pausing(begin, seconds), room=room).run(1.0 + seconds) == []


def test_a_slow_reader_makes_none() -> None:
    assert Load(lambda *_: USUAL).run(20.0, reads=0.4) == []


def test_parts_whose_answers_wait_for_memory_are_not_slow() -> None:
    assert Load(lambda *_: 2e6, room=2).run(40.0) == []


def test_requests_that_the_server_has_queue_are_not_slow() -> None:
    assert Load(lambda *_: USUAL, delay=lambda number, clock: 0.03 if clock >= 0.15 * number else 60.0).run(6.0) == []
    assert (
        Load(lambda *_: USUAL / 2, delay=lambda number, clock: 0.03 if number < 14 or clock > 0.3 else 60.0).run(6.0)
        == []
    )


def test_one_without_an_answer_is_found_when_those_asked_for_later_have_theirs() -> None:
    load = Load(lambda *_: USUAL, delay=lambda number, _: 60.0 if number == 18 else 0.03)
    load.run(3.0)
    assert load.found[0][0] == 18


def test_the_last_one_without_an_answer_is_found() -> None:
    load = Load(lambda *_: USUAL, delay=lambda number, _: 60.0 if number == 11 else 0.03, total=12)
    assert load.run(1.0)[:1] == [11]


def test_a_slow_piece_is_found_when_its_siblings_have_come() -> None:
    """They are nearly all that comes while the reader waits; and how fast whole parts come they do not tell."""
    clock = 0.0
    stragglers = Stragglers(lambda: clock)
    parts = [Part(n * 8 * MIB, (n + 1) * 8 * MIB) for n in range(3)]
    pieces = [Part((24 + 2 * n) * MIB, (26 + 2 * n) * MIB, again=1) for n in range(4)]
    for group, seconds in ((parts, 0.1), (pieces, 0.02)):
        for part in group:
            stragglers.asked(part)
            stragglers.answered(part)
            stragglers.began(part)
        clock += seconds
        for part in group[:3]:
            stragglers.came(part, part.length)
    stragglers.came(pieces[3], 30_000)
    found = []
    while not found:
        clock += 0.01
        stragglers.came(pieces[3], pieces[3].filled + 10_000)
        found = stragglers.among(pieces[3:])
    assert found == [pieces[3]]
    assert 0.05 < clock - 0.1 < 0.2


def test_a_standstill_of_the_clock_counts_for_one_look() -> None:
    """As `test_a_standstill_of_the_machine_makes_no_part_a_straggler`, when the others have come a moment ago."""
    load = Load(lambda number, clock: 0.0 if number == 3 and 0.08 < clock < 10.16 else USUAL, room=16)
    load.run(0.14)
    load.clock += 10.0
    assert load.run(12.0) == []


def test_one_that_is_asked_for_anew_after_a_failure_is_judged_anew() -> None:
    load = Load(lambda number, clock: 0.0 if number == 3 and clock < 0.3 else USUAL, room=16)
    load.run(0.3, away=1.0)
    load.fail(3)
    assert load.run(2.0) == []
