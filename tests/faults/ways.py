"""The ways to read an object with this package, each brought down to the bytes it saw."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pickle
import random
import warnings
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import aios3_nb

SIZE = 3 << 20
_BLOCK = 64 * 1024
_LINE = 4001


@dataclass(frozen=True, slots=True)
class Way:
    """One way to read.

    Attributes:
        read: Reads the object at a URI with some settings; returns what it saw, in the end as bytes.
        contents: Makes the object to read; the number makes it another one.
        seen: What of an object's bytes `read` returns when all is well.
        in_order: It reads from first to last byte.
        covers: It reads all of them.
    """

    read: Callable[..., bytes]
    contents: Callable[[int], bytes]
    seen: Callable[[bytes], bytes] = field(default=lambda data: data)
    in_order: bool = True
    covers: bool = True

    @property
    def key(self) -> str:
        """A key whose suffix says the format."""
        return "object.jsonl" if self.contents is json_lines else "object.pkl"


@cache
def pickle_of_blocks(seed: int, size: int = SIZE) -> bytes:
    """Return a pickle of a list of random blocks, about `size` bytes long, and always the same length."""
    randbytes = random.Random(seed).randbytes
    return pickle.dumps([randbytes(_BLOCK) for _ in range(size // _BLOCK)])


@cache
def json_lines(seed: int, size: int = SIZE) -> bytes:
    """Return JSON lines, each a string of letters; a flipped bit makes it another such string."""
    letters = random.Random(seed).randbytes(size // 2).hex().translate(str.maketrans("0123456789", "ghijklmnop"))
    return _as_lines(letters[i : i + _LINE] for i in range(0, len(letters), _LINE))


def _as_lines(items: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def _unpickled(data: bytes) -> bytes:
    return b"".join(pickle.loads(data))


def _load(uri: str, **settings: Any) -> bytes:
    return b"".join(aios3_nb.load(uri, **settings))


def _iterate(uri: str, **settings: Any) -> bytes:
    return _as_lines(aios3_nb.iterate(uri, **settings))


def _read(uri: str, **settings: Any) -> bytes:
    with aios3_nb.open(uri, **settings) as file:
        return bytes(file.read())


def _readinto(uri: str, **settings: Any) -> bytes:
    seen, buffer = bytearray(), bytearray(100_000)
    with aios3_nb.open(uri, **settings) as file:
        while count := file.readinto(buffer):
            seen += memoryview(buffer)[:count]
    return bytes(seen)


_SEEKS = ((SIZE - 1000, SIZE), (0, 300_000), (SIZE // 3, SIZE * 2 // 3), (SIZE // 2 - 50_000, SIZE - 10))


def _seek(uri: str, **settings: Any) -> bytes:
    seen = []
    with aios3_nb.open(uri, **settings) as file:
        for start, stop in _SEEKS:
            file.seek(start)
            seen.append(file.read(stop - start))
    return b"".join(seen)


def _backwards(uri: str, **settings: Any) -> bytes:
    with aios3_nb.open(uri, **settings) as file:
        file.seek(SIZE // 2 + 1000)
        end = file.read()
        file.seek(0)
        return bytes(file.read(SIZE // 2 + 1000)) + end


async def _aload(uri: str, **settings: Any) -> bytes:
    return b"".join(await aios3_nb.aload(uri, **settings))


async def _aiterate(uri: str, **settings: Any) -> bytes:
    return _as_lines([item async for item in aios3_nb.aiterate(uri, **settings)])


async def _aread(uri: str, **settings: Any) -> bytes:
    seen = bytearray()
    async with aios3_nb.open(uri, **settings) as file:
        while data := await file.aread(150_000):
            seen += data
    return bytes(seen)


_runners: list[asyncio.Runner] = []
_before: list[asyncio.AbstractEventLoop] = []


def runner() -> asyncio.Runner:
    """Return the one loop on which everything awaited here runs; making a client for each would take its time."""
    if not _runners:
        # Where nest-asyncio2 was applied, asyncio.run keeps its loop for the next call. It would be let go of here,
        # unclosed, and be found by the collector in the middle of some test.
        with contextlib.suppress(RuntimeError), warnings.catch_warnings(action="ignore"):
            _before.append(asyncio.get_event_loop())
        _runners.append(asyncio.Runner())
    return _runners[0]


def close_runner() -> None:
    """Close that loop, and the one that was the thread's before, if there are any."""
    while _runners:
        _runners.pop().close()
    while _before:
        loop = _before.pop()
        if not loop.is_closed():
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


def _run(call: Callable[..., Awaitable[bytes]]) -> Callable[..., bytes]:
    async def main(uri: str, settings: dict[str, Any]) -> bytes:
        try:
            return await call(uri, **settings)
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}, "a task was left behind"

    return lambda uri, **settings: runner().run(main(uri, settings))


WAYS: dict[str, Way] = {
    "load": Way(_load, pickle_of_blocks, _unpickled),
    "iterate": Way(_iterate, json_lines),
    "open+read": Way(_read, pickle_of_blocks),
    "open+readinto": Way(_readinto, json_lines),
    "seek": Way(_seek, json_lines, lambda data: b"".join(data[a:b] for a, b in _SEEKS), False, covers=False),
    "backwards": Way(_backwards, pickle_of_blocks, in_order=False),
    "aload": Way(_run(_aload), pickle_of_blocks, _unpickled),
    "aiterate": Way(_run(_aiterate), json_lines),
    "aread": Way(_run(_aread), pickle_of_blocks),
}
