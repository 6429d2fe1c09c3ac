"""A gate lets so many in, the others in their order; whoever gives up leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from aios3_nb.loop import Gate
from tests.loops import run_afresh


async def turns() -> None:
    """Let all go on that can."""
    for _ in range(10):
        await asyncio.sleep(0)


class Visit:
    """A task that is inside until it is told to leave."""

    def __init__(self, gate: Gate, number: int, entered: list[int]) -> None:
        self._left = asyncio.Event()
        self.task = asyncio.create_task(self._stay(gate, number, entered))

    async def _stay(self, gate: Gate, number: int, entered: list[int]) -> None:
        async with gate:
            entered.append(number)
            await self._left.wait()

    def leave(self) -> None:
        self._left.set()


def test_so_many_are_inside_and_the_others_come_in_their_order() -> None:
    async def main() -> None:
        gate, entered = Gate(2), list[int]()
        visits = [Visit(gate, number, entered) for number in range(5)]
        await turns()
        assert entered == [0, 1]
        visits[1].leave()
        await turns()
        assert entered == [0, 1, 2]
        for visit in visits:
            visit.leave()
        await asyncio.gather(*(visit.task for visit in visits))
        assert entered == [0, 1, 2, 3, 4]

    run_afresh(main())


@pytest.mark.parametrize("is_let_in", [False, True])
def test_whoever_gives_up_outside_takes_no_place(is_let_in: bool) -> None:
    """Also if the place was given to it already, and it has not noticed yet."""

    async def main() -> None:
        gate, entered = Gate(1), list[int]()
        visits = [Visit(gate, number, entered) for number in range(3)]
        await turns()
        if is_let_in:
            gate._hand_on()
        visits[1].task.cancel()
        await turns()
        assert visits[1].task.cancelled()
        assert entered == ([0, 2] if is_let_in else [0])
        visits[0].leave()
        visits[2].leave()
        await asyncio.gather(visits[0].task, visits[2].task)
        assert entered == [0, 2]

    run_afresh(main())


def test_an_error_inside_gives_the_place_back() -> None:
    async def main() -> None:
        gate = Gate(1)
        for _ in range(2):
            with pytest.raises(KeyError):
                async with gate:
                    raise KeyError

    run_afresh(main())


def test_a_gate_keeps_no_loop() -> None:
    gate, entered = Gate(1), list[int]()
    loop = asyncio.new_event_loop()

    async def main() -> None:
        visits = [Visit(gate, number, entered) for number in range(3)]
        await turns()
        for visit in visits:
            visit.leave()
        await asyncio.gather(*(visit.task for visit in visits))

    loop.run_until_complete(main())
    loop.close()
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is None
    assert entered == [0, 1, 2]
