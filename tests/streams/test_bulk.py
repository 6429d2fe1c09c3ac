"""Memory that long bytes are received in, or copied to."""

from __future__ import annotations

import mmap
import platform
import sys

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
