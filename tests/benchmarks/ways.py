"""The ways to load an object that are compared, each as its own documentation shows it.

A way is prepared (client made, libraries imported) before the clock starts, and returns what to time: a function
without arguments that returns the loaded object.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import io
import json
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.storage import BUCKET

Load = Callable[[], Any]
Way = Callable[[str], Load]
"""Takes the key and returns what to time."""

WARM_KEY = "warm.pkl"
"""Loaded once before the clock starts, so that nobody's clock has the making of a client in it."""

RUN_OPTIONS: dict[str, Any] = json.loads(os.environ.get("BENCH_OPTIONS", "{}"))
"""Settings of this run for our own ways."""


def _uri(key: str) -> str:
    return f"s3://{BUCKET}/{key}"


# ---- ours


def _cache() -> dict[str, Any]:
    """Return the options of a cache that is empty, on the disk that the objects are on."""
    import aios3_nb

    aios3_nb.load(_uri(WARM_KEY))
    folder = tempfile.mkdtemp(prefix="cache-", dir=os.environ["BENCH_ROOT"])
    atexit.register(shutil.rmtree, folder)
    return {"cache": "8G", "cache_dir": folder}


def _with(key: str, options: Mapping[str, Any]) -> Any:
    import aios3_nb

    return aios3_nb.load(_uri(key), **options)


def ours(key: str) -> Load:
    import aios3_nb

    aios3_nb.load(_uri(WARM_KEY))
    return lambda: aios3_nb.load(_uri(key), **RUN_OPTIONS)


def ours_unsafe(key: str) -> Load:
    """Without safe unpickling and without checksums."""
    import aios3_nb

    aios3_nb.load(_uri(WARM_KEY), trust=True, verify="off")
    return lambda: aios3_nb.load(_uri(key), trust=True, verify="off")


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

    aios3_nb.load(_uri(WARM_KEY))
    return lambda: list(aios3_nb.iterate(_uri(key), limit=1))


def ours_first_ten(key: str) -> Load:
    import aios3_nb

    aios3_nb.load(_uri(WARM_KEY))
    return lambda: list(aios3_nb.iterate(_uri(key), limit=10))


def ours_items(key: str) -> Load:
    import aios3_nb

    aios3_nb.load(_uri(WARM_KEY))
    return lambda: list(aios3_nb.iterate(_uri(key)))


def ours_glob(key: str) -> Load:
    import aios3_nb

    aios3_nb.load(_uri(WARM_KEY))
    return lambda: len(aios3_nb.load(_uri(key)))


def ours_gather(key: str) -> Load:
    """`asyncio.gather` over `aload`, as in a notebook."""
    import aios3_nb

    keys = _keys(key)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(aios3_nb.aload(_uri(WARM_KEY)))

    async def gather() -> int:
        return len(await asyncio.gather(*(aios3_nb.aload(_uri(one)) for one in keys)))

    return lambda: loop.run_until_complete(gather())


def ours_chunks(key: str) -> Load:
    import aios3_nb

    async def count(name: str) -> int:
        return sum([len(chunk) async for chunk in aios3_nb.chunks(BUCKET, name)])

    loop = asyncio.new_event_loop()
    loop.run_until_complete(count(WARM_KEY))
    return lambda: loop.run_until_complete(count(key))


# ---- peers


def boto3_stream(key: str) -> Load:
    """``pickle.load`` of the body: one connection, nothing held twice."""
    client = _boto3()
    return lambda: pickle.load(client.get_object(Bucket=BUCKET, Key=key)["Body"])


def boto3_download(key: str) -> Load:
    """boto3's parallel download, then ``pickle.loads``."""
    client = _boto3()

    def load() -> Any:
        file = io.BytesIO()
        client.download_fileobj(BUCKET, key, file)
        return pickle.loads(file.getbuffer())

    return load


def boto3_json(key: str) -> Load:
    client = _boto3()
    return lambda: json.load(client.get_object(Bucket=BUCKET, Key=key)["Body"])


def boto3_json_lines(key: str) -> Load:
    client = _boto3()
    return lambda: [json.loads(line) for line in client.get_object(Bucket=BUCKET, Key=key)["Body"].iter_lines()]


def boto3_first_ten(key: str) -> Load:
    client = _boto3()

    def load() -> Any:
        file = client.get_object(Bucket=BUCKET, Key=key)["Body"]
        return [pickle.load(file) for _ in range(10)]

    return load


def boto3_loop(key: str) -> Load:
    client = _boto3()
    keys = _keys(key)
    return lambda: len([pickle.load(client.get_object(Bucket=BUCKET, Key=one)["Body"]) for one in keys])


def boto3_threads(key: str) -> Load:
    """As many side by side as are worth it."""
    from concurrent.futures import ThreadPoolExecutor

    import boto3
    from botocore.config import Config

    client = boto3.client("s3", config=Config(max_pool_connections=32))
    client.get_object(Bucket=BUCKET, Key=WARM_KEY)["Body"].read()
    keys = _keys(key)

    def load() -> int:
        with ThreadPoolExecutor(32) as threads:
            bodies = threads.map(lambda one: client.get_object(Bucket=BUCKET, Key=one)["Body"].read(), keys)
            return len([pickle.loads(body) for body in bodies])

    return load


def boto3_chunks(key: str) -> Load:
    client = _boto3()
    return lambda: sum(len(chunk) for chunk in client.get_object(Bucket=BUCKET, Key=key)["Body"].iter_chunks(1 << 20))


def pandas_pickle(key: str) -> Load:
    """``pandas.read_pickle``, which reads through s3fs."""
    import pandas

    pandas.read_pickle(_uri(WARM_KEY))
    return lambda: pandas.read_pickle(_uri(key))


def s3fs_cat_file(key: str) -> Load:
    """``cat_file``, which fetches ranges side by side, then ``pickle.loads``."""
    import s3fs

    files = s3fs.S3FileSystem()
    files.cat(f"{BUCKET}/{WARM_KEY}")
    return lambda: pickle.loads(files.cat_file(f"{BUCKET}/{key}"))


def s3fs_first(key: str) -> Load:
    return _s3fs_items(key, 1)


def s3fs_first_ten(key: str) -> Load:
    return _s3fs_items(key, 10)


def smart_open(key: str) -> Load:
    from smart_open import open as open_smartly

    def load(name: str) -> Any:
        with open_smartly(_uri(name), "rb") as file:
            return pickle.load(file)

    load(WARM_KEY)
    return lambda: load(key)


def megfile(key: str) -> Load:
    from megfile import smart_open as open_smartly

    def load(name: str) -> Any:
        with open_smartly(_uri(name), "rb") as file:
            return pickle.load(file)

    load(WARM_KEY)
    return lambda: load(key)


def obstore(key: str) -> Load:
    """``obstore.get`` and its bytes, then ``pickle.loads``: one request."""
    import obstore as library

    store = _obstore()
    library.get(store, WARM_KEY).bytes()
    return lambda: pickle.loads(library.get(store, key).bytes())


def aios3(key: str) -> Load:
    """aioS3's ``stream``, given a client: without one it closes its own before the body is read."""
    from aiobotocore.session import get_session
    from aios3.file import stream

    async def load(name: str) -> Any:
        async with get_session().create_client("s3") as client:
            return pickle.load(await stream(BUCKET, name, s3=client))

    asyncio.run(load(WARM_KEY))
    return lambda: asyncio.run(load(key))


# ---- floors: no network at all


def local_pickle(key: str) -> Load:
    """``pickle.load`` of the same file on this machine, from the page cache."""
    path = _path(key)
    path.read_bytes()

    def load() -> Any:
        with path.open("rb") as file:
            return pickle.load(file)

    return load


def memory_pickle(key: str) -> Load:
    """``pickle.loads`` of bytes in memory, the collector paused."""
    return _paused(pickle.loads, _path(key).read_bytes())


def memory_json(key: str) -> Load:
    """``json.loads`` of bytes in memory, the collector paused."""
    return _paused(json.loads, _path(key).read_bytes())


def _paused(decode: Callable[[bytes], Any], data: bytes) -> Load:
    def load() -> Any:
        gc.disable()
        try:
            return decode(data)
        finally:
            gc.enable()

    return load


def _path(key: str) -> Path:
    return Path(os.environ["BENCH_ROOT"], BUCKET, key)


def _keys(pattern: str) -> list[str]:
    root = Path(os.environ["BENCH_ROOT"], BUCKET)
    return sorted(str(path.relative_to(root)) for path in root.glob(pattern))


def _boto3() -> Any:
    import boto3

    client = boto3.client("s3")
    client.get_object(Bucket=BUCKET, Key=WARM_KEY)["Body"].read()
    return client


def _s3fs_items(key: str, count: int) -> Load:
    import s3fs

    files = s3fs.S3FileSystem()
    files.cat(f"{BUCKET}/{WARM_KEY}")

    def load() -> Any:
        with files.open(f"{BUCKET}/{key}", "rb") as file:
            return [pickle.load(file) for _ in range(count)]

    return load


def _obstore() -> Any:
    from obstore.store import S3Store

    url = os.environ["AWS_ENDPOINT_URL_S3"]
    options: dict[str, Any] = {"allow_http": url.startswith("http:")}
    if not options["allow_http"]:
        options["allow_invalid_certificates"] = True  # it trusts only what the system trusts
    return S3Store(BUCKET, endpoint=url, virtual_hosted_style_request=False, client_options=options)


WAYS: dict[str, Way] = {
    name: way
    for name, way in list(globals().items())
    if callable(way) and getattr(way, "__module__", "") == __name__ and not name.startswith("_") and name.islower()
}
