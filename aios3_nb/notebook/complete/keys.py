"""Buckets, folders and keys for completion: within half a second, from the last listings where they will do.

A request that takes longer goes on by itself on the background loop, and the next ``<TAB>`` finds its answer.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import time
import weakref
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from aios3_nb.address import S3Uri
from aios3_nb.loop import background
from aios3_nb.s3 import Entry, Page, list_buckets, list_page
from aios3_nb.settings import Settings

T = TypeVar("T")

BUCKETS = S3Uri("")
"""Stands for the list of buckets."""

WAIT = 0.45
"""Seconds until there is an answer, with what came by then. JupyterLab itself gives up after one second."""

KEEP = 10.0
"""Seconds for which a listing is taken for what is there."""

MOST = 300
"""Entries of one listing: more than anybody reads."""

_SLACK = 0.03
"""Seconds that the background loop may take to answer once its time is up; it is somebody else's too."""

_MOST_KEPT = 256

_Key = tuple[Settings, S3Uri]


def look_up(prefixes: Sequence[S3Uri], settings: Settings) -> list[tuple[Entry, ...]]:
    """Return, for each of `prefixes`, the folders and objects that begin with it; nothing for those that failed.

    Each costs one request at most, of one page. It answers within `WAIT` seconds or so, and never raises.
    """
    return in_time(lambda: _gathered(prefixes, settings), [() for _ in prefixes]) if prefixes else []


def in_time(call: Callable[[], Coroutine[Any, Any, T]], otherwise: T) -> T:
    """Return what `call` gives on the background loop; `otherwise` if that takes too long, and it goes on."""
    under_way = asyncio.run_coroutine_threadsafe(call(), background().loop)
    try:
        return under_way.result(WAIT + _SLACK)
    except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
        return otherwise


async def _gathered(prefixes: Sequence[S3Uri], settings: Settings) -> list[tuple[Entry, ...]]:
    cache = _caches.setdefault(asyncio.get_running_loop(), _Cache())
    answers = [cache.answer(prefix, settings) for prefix in prefixes]
    await asyncio.wait([answer.task for answer in answers], timeout=WAIT)
    return [answer.entries(prefix) for answer, prefix in zip(answers, prefixes, strict=True)]


class _Answer:
    """One listing, under way or done."""

    def __init__(self, prefix: S3Uri, task: asyncio.Task[Page]) -> None:
        self.prefix = prefix
        self.task = task
        self._until = math.inf
        task.add_done_callback(self._note_end)

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() < self._until

    def covers(self, prefix: S3Uri) -> bool:
        """Return whether all that begins with `prefix` is in it."""
        if not self.is_fresh or not self.task.done() or self.task.result().token:
            return False
        return (
            prefix.bucket == self.prefix.bucket
            and prefix.key.startswith(self.prefix.key)
            and "/" not in prefix.key[len(self.prefix.key) :]
        )

    def entries(self, prefix: S3Uri) -> tuple[Entry, ...]:
        if not self.task.done() or not self.is_fresh:
            return ()
        return tuple(entry for entry in self.task.result().entries if entry.uri.key.startswith(prefix.key))

    def _note_end(self, task: asyncio.Task[Page]) -> None:
        failed = task.cancelled() or task.exception() is not None
        self._until = -math.inf if failed else time.monotonic() + KEEP


class _Cache:
    """The answers of one loop."""

    def __init__(self) -> None:
        self._answers: dict[_Key, _Answer] = {}

    def answer(self, prefix: S3Uri, settings: Settings) -> _Answer:
        key = settings.connection, prefix
        self._answers = {each: answer for each, answer in self._answers.items() if answer.is_fresh}
        if (known := self._answers.get(key)) is not None:
            return known
        for (connection, _), answer in self._answers.items():
            if connection == key[0] and answer.covers(prefix):
                return answer
        while len(self._answers) >= _MOST_KEPT:
            del self._answers[next(iter(self._answers))]
        task = asyncio.get_running_loop().create_task(_listed(prefix, settings))
        found = self._answers[key] = _Answer(prefix, task)
        return found


async def _listed(prefix: S3Uri, settings: Settings) -> Page:
    if prefix == BUCKETS:
        return Page(tuple((await list_buckets(settings))[:MOST]))
    return await list_page(prefix, settings, size=MOST)


_caches: weakref.WeakKeyDictionary[Any, _Cache] = weakref.WeakKeyDictionary()
