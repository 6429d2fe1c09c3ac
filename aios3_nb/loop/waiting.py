"""Waiting for what goes on when the wait is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

T = TypeVar("T")


async def result_of(future: asyncio.Future[T]) -> T:
    """Await `future`; it goes on when this is cancelled, and nobody hears of its end then.

    `asyncio.shield` is the same up to Python 3.13; from 3.14 on it reports the error that nobody has waited for.
    """
    try:
        await asyncio.wait([future])
    except asyncio.CancelledError:
        future.add_done_callback(_retrieved)
        raise
    return future.result()


def _retrieved(future: asyncio.Future[Any]) -> None:
    """Take note of the error, or it would be reported as never retrieved."""
    if not future.cancelled():
        future.exception()
