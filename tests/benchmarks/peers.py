"""The ways of others; see `ways`."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pickle
from collections.abc import Callable
from typing import Any

from tests.benchmarks.configuration import BUCKET
from tests.benchmarks.ways import WARM_KEY, Load, keys_of, uri


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
    keys = keys_of(key)
    return lambda: len([pickle.load(client.get_object(Bucket=BUCKET, Key=one)["Body"]) for one in keys])


def boto3_download_loop(key: str) -> Load:
    """The parallel download of one object after the other."""
    loads = [boto3_download(one) for one in keys_of(key)]
    return lambda: len([load() for load in loads])


def boto3_threads(key: str) -> Load:
    """As many side by side as are worth it."""
    from concurrent.futures import ThreadPoolExecutor

    import boto3
    from botocore.config import Config

    client = boto3.client("s3", config=Config(max_pool_connections=32))
    client.get_object(Bucket=BUCKET, Key=WARM_KEY)["Body"].read()
    keys = keys_of(key)

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

    pandas.read_pickle(uri(WARM_KEY))
    return lambda: pandas.read_pickle(uri(key))


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

    return _opened(open_smartly, key)


def megfile(key: str) -> Load:
    from megfile import smart_open as open_smartly

    return _opened(open_smartly, key)


def obstore(key: str) -> Load:
    """``obstore.get`` and its bytes, then ``pickle.loads``: one request."""
    import obstore as library

    store = _obstore()
    library.get(store, WARM_KEY).bytes()
    return lambda: pickle.loads(library.get(store, key).bytes())


def aiobotocore(key: str) -> Load:
    """``get_object`` and ``pickle.loads``, in an event loop."""
    from aiobotocore.session import get_session

    loop = asyncio.new_event_loop()
    client = loop.run_until_complete(get_session().create_client("s3").__aenter__())

    async def load(name: str) -> Any:
        answer = await client.get_object(Bucket=BUCKET, Key=name)
        async with answer["Body"] as body:
            return pickle.loads(await body.read())

    loop.run_until_complete(load(WARM_KEY))
    return lambda: loop.run_until_complete(load(key))


def aios3(key: str) -> Load:
    """aioS3's ``stream``, given a client: without one it closes its own before the body is read."""
    from aiobotocore.session import get_session
    from aios3.file import stream

    async def load(name: str) -> Any:
        async with get_session().create_client("s3") as client:
            return pickle.load(await stream(BUCKET, name, s3=client))

    asyncio.run(load(WARM_KEY))
    return lambda: asyncio.run(load(key))


def _boto3() -> Any:
    import boto3

    client = boto3.client("s3")
    client.get_object(Bucket=BUCKET, Key=WARM_KEY)["Body"].read()
    return client


def _opened(open_file: Callable[[str, str], Any], key: str) -> Load:
    """``pickle.load`` of the file that `open_file` opens."""

    def load(name: str) -> Any:
        with open_file(uri(name), "rb") as file:
            return pickle.load(file)

    load(WARM_KEY)
    return lambda: load(key)


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
