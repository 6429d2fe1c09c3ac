"""Bounds on waiting."""

from __future__ import annotations

import asyncio
import time

import pytest

from aios3_nb.s3 import deadline


def test_a_deadline_bounds_waiting() -> None:
    async def main() -> None:
        async with deadline(0.05):
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_a_deadline_does_not_count_time_in_which_the_loop_was_away() -> None:
    """A notebook that thinks for a minute between two reads has not lost its connection."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        async with deadline(0.2):
            answer = loop.create_future()
            loop.call_soon(time.sleep, 0.5)  # the loop is away; meanwhile the answer comes
            loop.call_later(0.55, answer.set_result, "there")
            return await answer

    assert asyncio.run(main()) == "there"
