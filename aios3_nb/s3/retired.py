"""Clients that nobody is given any more: each ends once what still goes on over it has had its time.

Whoever waits for an object that he may not list is refused again and again, and each refusal makes a client anew; one
takes more than a megabyte, and a connection.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from typing import Any, Protocol

_GRACE = 5.0
"""Seconds: more than a request waits that has no connection yet; one that waits longer is made again."""


class Life(Protocol):
    """One client, and what keeps it open."""

    def made(self) -> Any:
        """Return the client; None if there is none, or not yet."""
        ...

    async def end(self) -> None:
        """End it."""
        ...


_retired: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, list[tuple[float, Life]]] = weakref.WeakKeyDictionary()
_ended: weakref.WeakSet[Any] = weakref.WeakSet()
_ending: set[asyncio.Task[None]] = set()


def retire(life: Life) -> None:
    """Let `life`, of the running loop, go on until it is idle; and end those that are."""
    loop, now = asyncio.get_running_loop(), time.monotonic()
    lives = _retired.setdefault(loop, [])
    lives.append((now, life))
    for each in lives[:]:
        client = each[1].made()
        if now - each[0] < _GRACE or client is None or not _is_idle(client):
            continue
        lives.remove(each)
        _ended.add(client)
        task = loop.create_task(each[1].end())
        _ending.add(task)
        task.add_done_callback(_ending.discard)


def take_retired(loop: asyncio.AbstractEventLoop) -> list[Life]:
    """Return those of `loop`, which are no longer kept here."""
    return [life for _, life in _retired.pop(loop, ())]


def has_ended(client: Any) -> bool:
    """Say whether `client` can make no more requests; one that is asked for anew can."""
    return bool(_ended) and client in _ended


def _is_idle(client: Any) -> bool:
    sessions = getattr(client._endpoint.http_session, "_sessions", None) or {}  # noqa: SLF001  # they have no public name
    return not any(getattr(each.connector, "_acquired", True) for each in sessions.values())
