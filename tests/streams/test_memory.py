"""Memory of ours while threads work on it: never more than there may be, and let go of by itself."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import threading
import weakref
from collections.abc import Iterator

import pytest

from aios3_nb.address import S3Uri
from aios3_nb.settings import MIB, Settings, current
from aios3_nb.streams import Monitor, bulk
from aios3_nb.streams.pool import Pool
from aios3_nb.streams.source import ObjectSource
from aios3_nb.streams.stream import ObjectStream
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.loops import run_afresh

DATA = random.Random(5).randbytes(16 * MIB)
FAR = Fault(kind=Kind.DELAY, seconds=0.03, times=None)


class Meter:
    """Counts the bytes of buffers that are not gone: those `live` now, and the `most` of them."""

    def __init__(self) -> None:
        self.live = self.most = 0

    def make(self, length: int) -> bulk.Buffer:
        made = bulk.Buffer(-1, length)
        weakref.finalize(made, self._gone, length)
        self.live += length
        self.most = max(self.most, self.live)
        return made

    def _gone(self, length: int) -> None:
        self.live -= length


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Meter]:
    """Nothing is collected meanwhile: what is let go of goes by itself."""
    meter = Meter()
    monkeypatch.setattr(bulk, "buffer", meter.make)
    gc.disable()
    yield meter
    gc.enable()


def stream_of(settings: Settings) -> ObjectStream:
    return ObjectStream(ObjectSource(S3Uri("b", "k"), settings, Monitor()), settings, Monitor(), whole=True)


def is_patched() -> bool:
    """Say whether tasks are those of nest-asyncio2, which are made of Python and keep errors and frames for longer."""
    return asyncio.Task.__module__ != "_asyncio"


@pytest.mark.parametrize("verify", ["auto", "off"])
def test_parts_that_are_copied_all_at_once_make_no_room_before_they_are(faulty: FaultServer, meter, verify) -> None:
    faulty.put("b", "k", DATA, checksum="crc32")
    faulty.fault(FAR)

    async def main() -> None:
        stream = stream_of(current(part_size=MIB, budget=4 * MIB, concurrency=16, verify=verify))
        await stream.window(0, 1)
        parts = stream._ahead._parts if stream._ahead is not None else ()
        async with asyncio.timeout(60):
            while sum(part.full for part in parts) < 4:
                await asyncio.sleep(0.01)
        found = bytearray(len(DATA))
        for at, length in ((0, 4 * MIB), (4 * MIB, MIB), (5 * MIB, 11 * MIB)):
            await stream.readinto(at, memoryview(found)[at : at + length])
        assert found == DATA
        await stream.aclose()

    run_afresh(main())
    assert meter.most <= 4 * MIB
    assert meter.live == 0


def test_a_reader_that_leaps_about_and_is_cancelled_leaves_nothing_behind(faulty: FaultServer, meter) -> None:
    faulty.put("b", "k", DATA)
    faulty.fault(FAR)
    faulty.fault(Fault(kind=Kind.THROTTLE, rate=5e6, times=None))

    async def main() -> None:
        stream = stream_of(current(part_size=MIB, budget=4 * MIB, concurrency=8, verify="off"))
        for _ in range(4):
            await stream.readinto(5 * MIB + 7, memoryview(bytearray(MIB // 2)))
            reading = asyncio.create_task(stream.readinto(11 * MIB, memoryview(bytearray(2 * MIB))))
            await asyncio.wait([reading], timeout=0.1)
            reading.cancel()
            await asyncio.wait([reading])
            del reading  # its error has frames
        await stream.aclose()
        while meter.live and not is_patched():
            await asyncio.sleep(0.01)

    run_afresh(asyncio.wait_for(main(), 60))


def test_memory_that_a_thread_has_yet_to_find_can_be_let_go_of(meter) -> None:
    pool = Pool(Settings(budget=32 * MIB, part_size=8 * MIB))
    held = threading.Event()
    busy = [bulk._threads().submit(held.wait) for _ in range(bulk.THREADS)]
    try:
        pool.prepare(8 * MIB, 100 * MIB)
        assert meter.live == 32 * MIB
        pool.cool()
        assert meter.live == 0
    finally:
        held.set()
        for each in busy:
            each.result()


@pytest.mark.parametrize("is_far", [False, True], ids=["near", "far"])
def test_who_was_read_into_may_be_resized_at_once(faulty: FaultServer, is_far: bool) -> None:
    faulty.put("b", "k", DATA, checksum="crc32")
    if is_far:
        faulty.fault(FAR)

    async def main() -> None:
        for _ in range(5):
            stream = stream_of(current(part_size=MIB, budget=8 * MIB, concurrency=8))
            for at in range(0, 15 * MIB, 5 * MIB):
                found = bytearray(5 * MIB)
                await stream.readinto(at, memoryview(found))
                with contextlib.suppress(BufferError) if is_patched() else contextlib.nullcontext():
                    found.append(0)
            await stream.aclose()

    run_afresh(main())
