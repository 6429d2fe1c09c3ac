"""What a read may leave behind: nothing but idle connections in the pool."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import threading
import time
import weakref
from dataclasses import dataclass
from typing import Any

import aiohttp

from aios3_nb.loop import background
from tests.faults.server import FaultServer

SETTLE = 30.0
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
        threads: Threads of this process; see `_threads`.
        files: Open file descriptors, less those of idle connections.
    """

    tasks: int
    acquired: int
    threads: int
    files: int


def gauges() -> Gauges:
    """Count."""
    return Gauges(
        tasks=len(asyncio.all_tasks(background().loop)),
        acquired=sum(len(pool._acquired) for pool in _pools),
        threads=_threads(),
        files=len(_open_files()),
    )


def _threads() -> int:
    """Return how many threads Python has started, but of an executor the first alone.

    How many it takes depends on which jobs happen to come at the same time; how many executors there are does not.
    """
    names = [each.name for each in threading.enumerate() if not isinstance(each, threading._DummyThread)]
    return sum(re.search(r"_[1-9]\d*$", name) is None for name in names)


def _open_files() -> set[int]:
    """Return the descriptors that are open, but for those of idle connections; this process may hold both their ends.

    Each is looked at by itself: to take off two for every idle connection is one too many where one end is closed
    already, and the test that begins then seems to leave something behind.
    """
    found = {int(name) for name in os.listdir("/proc/self/fd")}
    idle = [
        connection[0].transport
        for pool in _pools
        for connections in list(pool._conns.values())
        for connection in list(connections)
        if connection[0].is_connected()  # else its server is gone, and its descriptor with it
    ]
    names = {transport.get_extra_info("sockname") for transport in idle}
    ends = [transport.get_extra_info("socket") for transport in idle]
    ends += [end for end, name in FaultServer.ends_here() if name in names]
    return found - {end.fileno() for end in ends}


def _described(descriptor: int) -> str:
    """Return what a descriptor is of, with the addresses of both ends if it is a socket."""
    try:
        what = os.readlink(f"/proc/self/fd/{descriptor}")
        if what.startswith("socket:"):
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as copy:
                what += f" {copy.getsockname()}"
                what += f" to {copy.getpeername()}"
    except OSError as exc:
        what = str(exc)
    return f"{descriptor}: {what}"


def assert_settled(before: Gauges) -> None:
    """Wait until nothing more lives than `before`, for a while; fail when something still does."""
    deadline = time.monotonic() + SETTLE
    while True:
        now = gauges()
        more = {
            name: (getattr(before, name), getattr(now, name))
            for name in Gauges.__slots__
            if getattr(now, name) > getattr(before, name)
        }
        if not more:
            return
        if time.monotonic() > deadline:
            living = [*map(_described, sorted(_open_files())), *map(repr, threading.enumerate())]
            raise AssertionError("\n".join([f"left behind (before, now): {more}; all that there is:", *living]))
        time.sleep(0.02)
