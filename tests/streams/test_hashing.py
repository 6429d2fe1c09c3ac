"""Slow hashes run beside the reader: side by side, behind what was handed over, whose bytes stay as they are."""

from __future__ import annotations

import asyncio
import hashlib
import random
import threading
import time
from collections.abc import Callable
from itertools import accumulate

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

import aios3_nb
from aios3_nb import settings
from aios3_nb.address import S3Uri
from aios3_nb.streams import bulk, checksum as checksums
from aios3_nb.streams.check import Check
from aios3_nb.streams.checksum import Checksum
from aios3_nb.streams.hashing import Hashing
from aios3_nb.streams.object import Monitor, ObjectInfo
from aios3_nb.streams.source import ObjectSource
from aios3_nb.streams.verify import Verifier
from tests.faults.fault import Kind
from tests.faults.server import FaultServer

MIB = 1024 * 1024
DATA = random.Random(21).randbytes(6 * MIB + 321)
PARTS = (len(DATA) // 3,) * 3


def md5_of(data: bytes, lengths: tuple[int, ...]) -> Checksum:
    stops = accumulate(lengths)
    whole = b"".join(
        hashlib.md5(data[stop - length : stop]).digest() for length, stop in zip(lengths, stops, strict=True)
    )
    return Checksum("MD5", hashlib.md5(whole).digest(), len(lengths), lengths)


class Md5:
    """MD5, which does something else before each update."""

    def __init__(self, before: Callable[[], object]) -> None:
        self._before = before
        self._hash = hashlib.md5()

    def update(self, data: memoryview) -> None:
        if len(data) > 100:  # not the hashes of the parts
            self._before()
        self._hash.update(data)

    def digest(self) -> bytes:
        return self._hash.digest()


@pytest.fixture
def md5(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has every update of MD5 call something before."""
    return lambda before: monkeypatch.setitem(checksums._ALGORITHMS, "MD5", lambda: lambda: Md5(before))


def test_two_parts_are_hashed_side_by_side(md5) -> None:
    together = threading.Barrier(2)
    md5(lambda: together.wait(timeout=60))
    data = bytes(2 * MIB)
    verifier = Verifier(len(data), md5_of(data, (MIB, MIB)))

    async def main() -> None:
        hashing = Hashing(verifier)
        assert len(hashing.hash(0, memoryview(data))) == 2
        await hashing.catch_up()

    asyncio.run(main())
    assert verifier.verdict() == "MD5 of 2 parts ok"


SMALL = random.Random(22).randbytes(3000)


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 2999), min_size=1, max_size=8, unique=True).map(sorted),
    sizes=st.lists(st.integers(1, 900), min_size=4),
    wrong=st.integers(-1, 2999),
)
def test_jobs_give_what_hashing_one_after_the_other_gives(cuts, sizes, wrong) -> None:
    lengths = tuple(stop - start for start, stop in zip([0, *cuts], [*cuts, 3000], strict=True))
    data = bytearray(SMALL)
    if wrong >= 0:
        data[wrong] ^= 1
    verifiers = Verifier(3000, md5_of(SMALL, lengths)), Verifier(3000, md5_of(SMALL, lengths))

    async def main() -> None:
        hashing = Hashing(verifiers[0])
        start = 0
        for size in [*sizes, 3000]:
            piece = memoryview(data)[start : start + size]
            hashing.hash(start, piece)
            verifiers[1].feed(start, piece)
            start += len(piece)
        await hashing.catch_up()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "LONG", 200)
        asyncio.run(main())
    assert verifiers[0].damage == verifiers[1].damage
    assert bool(verifiers[0].damage) is (wrong >= 0)
    assert not verifiers[0].missing()


@pytest.fixture
def store(faulty: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """A server with DATA in parts, whose MD5s are the ETag; every piece is long enough for a thread."""
    monkeypatch.setattr(bulk, "LONG", 16 * 1024)
    faulty.put("b", "k", DATA, parts=PARTS)
    return faulty


def slowly() -> None:
    time.sleep(0.01)


@pytest.mark.parametrize("whole", [True, False], ids=["loaded", "opened"])
def test_what_lags_is_hashed_before_its_memory_is_used_again(store, md5, whole) -> None:
    md5(slowly)
    options = {"part_size": 256 * 1024, "budget": MIB, "verify": "require"}
    if whole:
        assert aios3_nb.load("s3://b/k", format="bytes", **options) == DATA
        return
    with aios3_nb.open("s3://b/k", **options) as file:
        assert b"".join(iter(lambda: file.read(100_000), b"")) == DATA
        assert file.finish() == "MD5 of 3 parts ok"


def test_what_the_reader_reads_into_its_own_memory_is_hashed_before_it_has_it_back(store, md5) -> None:
    md5(slowly)
    with aios3_nb.open("s3://b/k", part_size=512 * 1024, verify="require") as file:
        buffer = bytearray(5 * MIB // 2)
        at = 0
        while count := file.readinto(buffer):
            assert buffer[:count] == DATA[at : at + count]
            buffer[:] = bytes(len(buffer))
            at += count
        assert file.finish() == "MD5 of 3 parts ok"


def test_one_wrong_bit_is_found_by_the_last_read_though_hashing_lags(store, md5) -> None:
    md5(slowly)
    store.put("b", "k", DATA, headers={"Server": "SeaweedFS 4.48"})
    store.fault(Kind.FLIP, at=100, times=None)
    got: list[bytes] = []
    with aios3_nb.open("s3://b/k", part_size=256 * 1024) as file, pytest.raises(aios3_nb.ChecksumError):
        got.extend(iter(lambda: file.read(50_000), b""))
    assert len(DATA) - 300_000 < sum(map(len, got)) < len(DATA)


def test_closing_in_the_middle_waits_for_what_is_being_hashed(store, md5) -> None:
    under_way = []

    def noted() -> None:
        under_way.append(1)
        slowly()
        under_way.pop()

    md5(noted)

    async def main() -> None:
        async with aios3_nb.open("s3://b/k", part_size=256 * 1024) as file:
            while file.tell() < len(DATA) - 100:
                await file.aread(min(50_000, len(DATA) - 100 - file.tell()))
        assert not under_way
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


# ---- what holds up a load


@pytest.mark.parametrize(
    ("waited", "network", "busy", "took", "is_held_up"),
    [
        (0.1, 0.1, 4.0, 4.4, False),  # a core is free for it
        (0.1, 0.1, 4.0, 8.0, True),
        (0.1, 0.1, 1.0, 8.0, False),  # it takes a long time for little, for the reader does something else
        (3.0, 0.1, 4.0, 4.4, True),
        (3.0, 2.0, 4.0, 8.0, False),  # the network is slower yet
    ],
)
def test_hashing_holds_up_a_load_that_waits_for_it_or_for_its_cores(waited, network, busy, took, is_held_up) -> None:
    hashing = Hashing(Verifier(0, Checksum("MD5", bytes(16))))
    hashing.waited, hashing.busy, hashing.took = waited, busy, took
    assert hashing.holds_up(10.0, 8.0, network) is is_held_up


def test_it_is_noted_what_hashing_took_of_the_processor_and_in_all(md5) -> None:
    md5(slowly)
    data = bytes(2 * MIB)
    hashing = Hashing(Verifier(len(data), md5_of(data, (MIB, MIB))))

    async def main() -> None:
        hashing.hash(0, memoryview(data))
        await hashing.catch_up()

    asyncio.run(main())
    assert 0 < hashing.busy < hashing.took
    assert hashing.took > 2 * 0.01  # it sleeps


LOADED = 70 * MIB


@pytest.mark.parametrize(
    ("algorithm", "verify", "waited", "is_left"),
    [
        ("MD5", "auto", 0.0, True),
        ("SHA256", "auto", 0.0, True),
        ("MD5", "auto", 1e9, False),  # the network is slower
        ("MD5", "require", 0.0, False),
        ("CRC32", "auto", 0.0, False),
    ],
)
def test_a_slow_hash_is_left_out_when_it_holds_up_the_load_and_nobody_insists(
    algorithm, verify, waited, is_left
) -> None:
    """Here the reader does nothing but hand over what is hashed."""
    chosen = settings.current(verify=verify)
    info = ObjectInfo(S3Uri("b", "k"), LOADED + 1, checksum=Checksum(algorithm, bytes(16)))
    data = memoryview(bytes(7 * MIB))

    async def main() -> Check:
        check = Check(ObjectSource(info.uri, chosen, Monitor(), info), chosen)
        check.begin(info)
        for start in range(0, LOADED, len(data)):
            await check.ready(start, len(data))
            await check.hash(start, data, waited, lent=False)
        await check.settle()
        return check

    check = asyncio.run(main())
    if is_left:
        assert check.verdict() == f"not checked ({algorithm} would hold up the load; --verify=require waits for it)"
        assert check.unread() == []
    else:
        assert check.unread() == [(LOADED, LOADED + 1)]
