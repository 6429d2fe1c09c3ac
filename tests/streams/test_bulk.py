"""Memory that long bytes are received in, or copied to."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import mmap
import platform
import sys
from pathlib import Path

import pytest

from aios3_nb.settings import MIB
from aios3_nb.streams import bulk

CAN_POPULATE = sys.platform == "linux" and tuple(map(int, platform.release().split(".")[:2])) >= (5, 14)


@pytest.mark.skipif(not CAN_POPULATE, reason="the system cannot find pages before they are written to")
def test_populated_memory_is_there_and_keeps_what_was_in_it() -> None:
    import resource

    memory = mmap.mmap(-1, 8 * MIB)
    places = range(0, len(memory), mmap.PAGESIZE)
    memory[3 * MIB] = 7
    bulk.populate(memoryview(memory)[1:-1])
    assert memory[3 * MIB] == 7
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for place in places:
        memory[place] = 1
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before < len(places) // 4


@pytest.mark.parametrize("advice", [bulk._POPULATE_WRITE, 9999], ids=["known", "unknown to the system"])
def test_copying_is_right_wherever_the_target_begins(advice: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_POPULATE_WRITE", advice)
    data = bytearray(b"".join(n.to_bytes(4, "big") for n in range(20_000)))
    for begin, length in ((0, 1), (1, 4095), (17, 4096), (4095, 4098), (33, len(data) - 100)):
        target = bytearray(b"\xff" * len(data))
        bulk._move(memoryview(target)[begin : begin + length], memoryview(data)[:length])
        assert target == b"\xff" * begin + data[:length] + b"\xff" * (len(data) - begin - length)


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not say so")
def test_memory_for_the_network_is_not_shared_with_other_processes() -> None:
    memory = bulk.buffer(8 * MIB)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    kinds = [
        line.split()[1]
        for line in Path("/proc/self/maps").read_text().splitlines()
        if int(line.split("-")[0], 16) <= start < int(line.split()[0].split("-")[1], 16)
    ]
    assert kinds == ["rw-p"]


@pytest.mark.parametrize("length", [1, MIB - 1, MIB, 4 * MIB, 9 * MIB + 17])
def test_several_pieces_are_copied_at_once_and_have_been_when_it_ends(length: int) -> None:
    data = bytearray(range(251)) * (length // 251 + 1)
    target = bytearray(2 * length)

    async def main() -> None:
        async with bulk.Work() as work:
            work.copy(memoryview(target)[:length], memoryview(data)[:length])
            work.copy(memoryview(target)[length:], memoryview(data)[:length])

    asyncio.run(main())
    assert target == data[:length] * 2


def test_whoever_is_cancelled_waits_until_nobody_writes_any_more() -> None:
    data, target = bytearray(b"x" * (64 * MIB)), bytearray(64 * MIB)

    async def main() -> None:
        async def copy() -> None:
            async with bulk.Work() as work:
                work.copy(memoryview(target), memoryview(data))

        copying = asyncio.create_task(copy())
        await asyncio.sleep(0)
        copying.cancel()
        await asyncio.sleep(0)
        copying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await copying
        assert copying.cancelled()
        assert target == data

    asyncio.run(main())


@pytest.mark.parametrize("length", [1, 3 * MIB + 1])
def test_what_a_thread_populates_as_well_keeps_what_was_in_it(length: int) -> None:
    data = bytearray(b"abc" * length)

    async def main() -> None:
        async with bulk.Work() as work:
            work.populate(memoryview(data)[1:])

    asyncio.run(main())
    assert data == b"abc" * length
