"""What a slow part lacks is in pieces behind it, and their memory is used again when nobody needs any of it."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from aios3_nb.settings import MIB
from aios3_nb.streams import bulk
from aios3_nb.streams.part import Part
from aios3_nb.streams.pieces import split


def slow(filled: int, length: int = 8 * MIB) -> Part:
    """Return a part with memory, of which so much has come, behind another one."""
    buffer = bulk.buffer(length)
    return Part(MIB, MIB + length, memoryview(buffer), buffer, filled=filled)


def bounds(parts: deque[Part]) -> list[tuple[int, int]]:
    return [(part.start, part.stop) for part in parts]


@pytest.mark.parametrize("filled", [0, 1, 3 * MIB + 5, 8 * MIB - 1])
@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_they_follow_one_another_and_share_its_memory(filled: int, most: int) -> None:
    part = slow(filled)
    parts = deque([Part(0, MIB), part, Part(9 * MIB, 10 * MIB)])
    whole, buffer = part.view, part.buffer
    pieces = split(parts, part, most)
    assert 1 <= len(pieces) <= min(most, 4)
    assert part.full
    assert bounds(parts)[0] == (0, MIB)
    assert all(before.stop == after.start for before, after in zip(parts, list(parts)[1:], strict=False))
    assert parts[-1].start == 9 * MIB
    for number, piece in enumerate(pieces):
        assert piece.again == 1
        assert len(piece.view) == piece.length > 0
        piece.view[:] = bytes([number]) * piece.length
        assert bytes(whole[piece.stop - MIB - 1 : piece.stop - MIB]) == bytes([number])
    assert sum(each.memory for each in parts) == 8 * MIB == pieces[-1].memory
    assert pieces[-1].buffer is buffer


def test_one_that_nothing_came_of_is_replaced() -> None:
    part = Part(MIB, 9 * MIB)
    parts = deque([part])
    pieces = split(parts, part, 4)
    assert list(parts) == pieces
    assert bounds(parts) == [(MIB, 3 * MIB), (3 * MIB, 5 * MIB), (5 * MIB, 7 * MIB), (7 * MIB, 9 * MIB)]
    assert not any(piece.has_memory or piece.memory for piece in pieces)


def test_who_uses_a_piece_is_known_when_the_last_one_was_replaced_before() -> None:
    """It had nothing yet when it was asked for again, so that it is gone; the memory was used again too soon."""

    async def main() -> None:
        part = slow(0)
        parts = deque([part])
        first, last = split(parts, part, 2)
        [again] = split(parts, last, 1)
        assert list(parts) == [first, again]
        job = asyncio.create_task(asyncio.sleep(60))
        first.note([job])
        assert first.release() is None
        assert again.users == {job}
        job.cancel()
        await asyncio.wait([job])

    asyncio.run(main())


def test_the_memory_is_given_back_by_the_last_of_them_which_knows_who_uses_it() -> None:
    async def main() -> None:
        forever = asyncio.Event()
        tasks = [asyncio.create_task(forever.wait()) for _ in range(4)]
        part = slow(1000)
        part.task = tasks[0]  # it was cancelled, and writes until that has come through
        part.note([tasks[1]])
        parts = deque([part])
        first, second = split(parts, part, 2)
        first.task, second.task = tasks[2], tasks[3]
        second.filled = 1000
        third, fourth = split(parts, second, 2)
        assert list(parts) == [part, first, second, third, fourth]
        assert first.heir is second
        assert second.heir is third.heir is fourth
        fourth.filled = fourth.length
        fourth.task = tasks[3]
        third.task = tasks[3]
        assert sum(each.memory for each in parts) == 8 * MIB
        assert [each.release() for each in (part, first, second, third)] == [None] * 4
        assert fourth.users == set(tasks)
        assert fourth.release() is part.buffer
        forever.set()
        await asyncio.gather(*tasks)
        await asyncio.sleep(0)
        assert not fourth.users

    asyncio.run(main())
