"""One reader reads one object, in a process of its own: ``python peers.py READER ENDPOINT BUCKET KEY``.

It prints one line of JSON: the SHA-256 of what it read, or the error it ended with. It runs in an environment
of its own, with the readers to compare and without the package of the tests; hence one file, by its path.

Every reader keeps its own defaults, its retries above all. Only waits are shortened to `WAIT`, where it lets
one, and blocks made smaller than the object, so that a reader in parts has several to get wrong.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import io
import json
import pickle
import sys
from collections.abc import Callable
from typing import Any

WAIT = 2
"""Seconds to wait for a connection, and for the next bytes."""

BLOCK = 1 << 20


def read_with_boto3(endpoint: str, bucket: str, key: str) -> bytes:
    return bytes(_boto3_client(endpoint).get_object(Bucket=bucket, Key=key)["Body"].read())


def download_with_boto3(endpoint: str, bucket: str, key: str) -> bytes:
    from boto3.s3.transfer import TransferConfig

    config = TransferConfig(multipart_threshold=BLOCK, multipart_chunksize=BLOCK, max_concurrency=4)
    file = io.BytesIO()
    _boto3_client(endpoint).download_fileobj(bucket, key, file, Config=config)
    return file.getvalue()


def read_with_aiobotocore(endpoint: str, bucket: str, key: str) -> bytes:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    async def read() -> bytes:
        config = AioConfig(connect_timeout=WAIT, read_timeout=WAIT)
        async with get_session().create_client("s3", endpoint_url=endpoint, config=config) as client:
            answer = await client.get_object(Bucket=bucket, Key=key)
            async with answer["Body"] as body:
                return bytes(await body.read())

    return asyncio.run(read())


def open_with_s3fs(endpoint: str, bucket: str, key: str) -> bytes:
    with _s3fs(endpoint).open(f"{bucket}/{key}", "rb", block_size=BLOCK) as file:
        return _pieces(file, BLOCK)


def cat_with_s3fs(endpoint: str, bucket: str, key: str) -> bytes:
    return bytes(_s3fs(endpoint).cat_file(f"{bucket}/{key}"))


def open_with_smart_open(endpoint: str, bucket: str, key: str) -> bytes:
    import smart_open

    options = {"client": _boto3_client(endpoint)}
    with smart_open.open(f"s3://{bucket}/{key}", "rb", transport_params=options, compression="disable") as file:
        return _pieces(file, 64 * 1024)


def get_with_obstore(endpoint: str, bucket: str, key: str) -> bytes:
    import obstore

    return bytes(obstore.get(_obstore(endpoint, bucket), key).bytes())


def open_with_obstore(endpoint: str, bucket: str, key: str) -> bytes:
    import obstore

    return _pieces(obstore.open_reader(_obstore(endpoint, bucket), key, buffer_size=BLOCK), BLOCK)


def read_pickle_with_pandas(endpoint: str, bucket: str, key: str) -> bytes:
    import pandas

    return pickle.dumps(pandas.read_pickle(f"s3://{bucket}/{key}", storage_options=_s3fs_options(endpoint)))


def load_with_ours(endpoint: str, bucket: str, key: str) -> bytes:
    import aios3_nb

    return pickle.dumps(aios3_nb.load(f"s3://{bucket}/{key}", **_our_options(endpoint)))


def open_with_ours(endpoint: str, bucket: str, key: str) -> bytes:
    import aios3_nb

    with aios3_nb.open(f"s3://{bucket}/{key}", **_our_options(endpoint)) as file:
        return bytes(file.read())


def iterate_with_ours(endpoint: str, bucket: str, key: str) -> bytes:
    import aios3_nb

    lines = aios3_nb.iterate(f"s3://{bucket}/{key}", **_our_options(endpoint))
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


READERS: dict[str, Callable[[str, str, str], bytes]] = {
    "boto3 read": read_with_boto3,
    "boto3 download_fileobj": download_with_boto3,
    "aiobotocore read": read_with_aiobotocore,
    "s3fs open": open_with_s3fs,
    "s3fs cat_file": cat_with_s3fs,
    "pandas read_pickle": read_pickle_with_pandas,
    "smart_open": open_with_smart_open,
    "obstore get": get_with_obstore,
    "obstore reader": open_with_obstore,
    "aios3_nb load": load_with_ours,
    "aios3_nb open": open_with_ours,
    "aios3_nb iterate": iterate_with_ours,
}
"""By their names in the table, in the order of its columns."""

OURS = "aios3_nb"
PEERS = ("boto3", "aiobotocore", "s3fs", "pandas", "smart_open", "obstore")


def versions() -> dict[str, str]:
    """Return the versions of the packages compared that are installed here."""
    found = {}
    for name in (*PEERS, OURS):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _pieces(file: Any, size: int) -> bytes:
    return b"".join(iter(lambda: bytes(file.read(size)), b""))


def _boto3_client(endpoint: str) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("s3", endpoint_url=endpoint, config=Config(connect_timeout=WAIT, read_timeout=WAIT))


def _s3fs(endpoint: str) -> Any:
    import s3fs

    return s3fs.S3FileSystem(**_s3fs_options(endpoint))


def _s3fs_options(endpoint: str) -> dict[str, Any]:
    waits = {"connect_timeout": WAIT, "read_timeout": WAIT}
    return {"endpoint_url": endpoint, "config_kwargs": waits, "skip_instance_cache": True}


def _obstore(endpoint: str, bucket: str) -> Any:
    from obstore.store import S3Store

    # Its `timeout` bounds a whole request and not the wait for bytes; it has none for that.
    waits = {"connect_timeout": f"{WAIT}s", "timeout": f"{5 * WAIT}s", "allow_http": True}
    return S3Store(bucket, endpoint=endpoint, client_options=waits)


def _our_options(endpoint: str) -> dict[str, Any]:
    waits = {"connect_timeout": WAIT, "read_timeout": WAIT, "floor_seconds": 2 * WAIT}
    return {"endpoint_url": endpoint, "part_size": BLOCK, "quiet": True, **waits}


def main() -> None:
    """Read as the command line says."""
    if sys.argv[1:] == ["versions"]:
        print(json.dumps(versions()))
        return
    reader, *where = sys.argv[1:]
    try:
        data = READERS[reader](*where)
        result = {"sha256": hashlib.sha256(data).hexdigest(), "length": len(data)}
    except Exception as exc:
        result = {"error": type(exc).__name__, "message": str(exc)[:300]}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
