"""Our own ways; see `ways`."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from tests.benchmarks.configuration import BUCKET
from tests.benchmarks.ways import RUN_OPTIONS, WARM_KEY, Load, keys_of, uri


def _in_a_loop(warming: Coroutine[Any, Any, Any]) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Return what runs coroutines in one event loop, in which `warming` has run."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(warming)
    return loop.run_until_complete


def _cache() -> dict[str, Any]:
    """Return the options of a cache that is empty, on the disk that the objects are on."""
    import aios3_nb

    aios3_nb.load(uri(WARM_KEY))
    folder = tempfile.mkdtemp(prefix="cache-", dir=os.environ["BENCH_ROOT"])
    atexit.register(shutil.rmtree, folder)
    return {"cache": "8G", "cache_dir": folder}


def _with(key: str, options: Mapping[str, Any]) -> Any:
    import aios3_nb

    return aios3_nb.load(uri(key), **options)


def ours(key: str) -> Load:
    import aios3_nb

    aios3_nb.load(uri(WARM_KEY))
    return lambda: aios3_nb.load(uri(key), **RUN_OPTIONS)


def ours_awaited(key: str) -> Load:
    import aios3_nb

    run = _in_a_loop(aios3_nb.aload(uri(WARM_KEY)))
    return lambda: run(aios3_nb.aload(uri(key)))


def ours_unsafe(key: str) -> Load:
    """Without safe unpickling and without checksums."""
    import aios3_nb

    aios3_nb.load(uri(WARM_KEY), trust=True, verify="off")
    return lambda: aios3_nb.load(uri(key), trust=True, verify="off")


def ours_keeping(key: str) -> Load:
    """The first load with the local cache, which keeps it."""
    options = _cache()
    return lambda: _with(key, options)


def ours_cached(key: str) -> Load:
    """The second one, which asks whether that is still the version."""
    options = _cache()
    _with(key, options)
    return lambda: _with(key, options)


def ours_offline(key: str) -> Load:
    options = _cache()
    _with(key, options)
    return lambda: _with(key, options | {"cache": "offline"})


def ours_first(key: str) -> Load:
    import aios3_nb

    aios3_nb.load(uri(WARM_KEY))
    return lambda: list(aios3_nb.iterate(uri(key), limit=1))


def ours_first_ten(key: str) -> Load:
    import aios3_nb

    aios3_nb.load(uri(WARM_KEY))
    return lambda: list(aios3_nb.iterate(uri(key), limit=10))


def ours_first_ten_awaited(key: str) -> Load:
    import aios3_nb

    async def first() -> list[Any]:
        return [item async for item in aios3_nb.aiterate(uri(key), limit=10)]

    run = _in_a_loop(aios3_nb.aload(uri(WARM_KEY)))
    return lambda: run(first())


def ours_items(key: str) -> Load:
    import aios3_nb

    aios3_nb.load(uri(WARM_KEY))
    return lambda: list(aios3_nb.iterate(uri(key)))


def ours_glob(key: str) -> Load:
    import aios3_nb

    aios3_nb.load(uri(WARM_KEY))
    return lambda: len(aios3_nb.load(uri(key)))


def ours_loop(key: str) -> Load:
    """One after the other."""
    import aios3_nb

    keys = keys_of(key)
    aios3_nb.load(uri(WARM_KEY))
    return lambda: len([aios3_nb.load(uri(one)) for one in keys])


def ours_gather(key: str) -> Load:
    """`asyncio.gather` over `aload`, as in a notebook."""
    import aios3_nb

    keys = keys_of(key)
    run = _in_a_loop(aios3_nb.aload(uri(WARM_KEY)))

    async def gather() -> int:
        return len(await asyncio.gather(*(aios3_nb.aload(uri(one)) for one in keys)))

    return lambda: run(gather())


def ours_chunks(key: str) -> Load:
    import aios3_nb

    async def count(name: str) -> int:
        return sum([len(chunk) async for chunk in aios3_nb.chunks(BUCKET, name)])

    run = _in_a_loop(count(WARM_KEY))
    return lambda: run(count(key))
