"""What a read may leave behind: nothing but idle connections in the pool."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from dataclasses import dataclass
from typing import Any

import aiohttp

from aios3_nb.loop import background
from tests.faults.server import FaultServer

SETTLE = 10.0
"""Seconds in which what was stopped may end."""

_pools: weakref.WeakSet[aiohttp.TCPConnector] = weakref.WeakSet()
_make_pool = aiohttp.TCPConnector.__init__


def _make_known_pool(pool: aiohttp.TCPConnector, *args: Any, **options: Any) -> None:
    _make_pool(pool, *args, **options)
    _pools.add(pool)


# Nobody else keeps a list of them.
aiohttp.TCPConnector.__init__ = _make_known_pool  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class Gauges:
    """Counts of what lives.

    Attributes:
        tasks: Tasks of the background loop.
        acquired: Connections that a pool has lent out.
        threads: Threads of this process.
        files: Open file descriptors, less those of idle connections, of which each end counts.
    """

    tasks: int
    acquired: int
    threads: int
    files: int


def gauges(*, both_ends: bool) -> Gauges:
    """Count; `both_ends` says whether the server lives in this process, too."""
    idle = sum(
        2 if both_ends and key.port in FaultServer.ports_here else 1
        for pool in _pools
        for key, connections in pool._conns.items()
        for connection in connections
        if connection[0].is_connected()  # else its server is gone, and its descriptor with it
    )
    return Gauges(
        tasks=len(asyncio.all_tasks(background().loop)),
        acquired=sum(len(pool._acquired) for pool in _pools),
        threads=threading.active_count(),
        files=len(os.listdir("/proc/self/fd")) - idle,
    )


def assert_settled(before: Gauges, *, both_ends: bool = True) -> None:
    """Wait until nothing more lives than `before`, for a while; fail when something still does."""
    deadline = time.monotonic() + SETTLE
    while True:
        now = gauges(both_ends=both_ends)
        more = {
            name: (getattr(before, name), getattr(now, name))
            for name in Gauges.__slots__
            if getattr(now, name) > getattr(before, name)
        }
        if not more:
            return
        assert time.monotonic() < deadline, f"left behind (before, now): {more}"
        time.sleep(0.02)
