"""aioS3's four calls, with its signatures; only that `stream` and `chunks` really stream.

`s3` is an open aiobotocore S3 client; without it, the client of the session's settings is used.

See: https://pypi.org/project/aios3/
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from aios3_nb.address import S3Uri
from aios3_nb.pipeline import Order, open_file
from aios3_nb.s3 import Body, save as _save
from aios3_nb.settings import MIB, Settings, current
from aios3_nb.streams import Monitor, S3File

_CHUNK = 1 * MIB


async def stream(bucket: str, key: str, chunk_size: int | None = None, s3: Any = None) -> S3File:
    """Return a file over the object, for ``pickle.load`` and ``json.load``; nothing of it is fetched yet.

    Args:
        bucket: Name of the bucket.
        key: The key.
        chunk_size: Length of one ranged GET, in bytes, but no more than the setting ``budget``; None means the setting
            ``part_size``.
        s3: An open aiobotocore client to use.
    """
    return _file(bucket, key, _with(chunk_size, s3), whole=False)


async def chunks(bucket: str, key: str, chunk_size: int | None = None, s3: Any = None) -> AsyncIterator[bytes]:
    """Yield the object's bytes in order, in chunks of `chunk_size` bytes (1 MiB by default); the last may be shorter.

    Raises:
        S3Error: On the first chunk when there is no such object; later ones when it changed or broke.
    """
    file = _file(bucket, key, _with(None, s3), whole=True)
    async with file:
        while chunk := await file.aread(chunk_size or _CHUNK):
            yield chunk
        await file.afinish()


async def read(bucket: str, key: str, chunk_size: int | None = None, s3: Any = None) -> bytes:
    """Return all bytes of the object."""
    async with _file(bucket, key, _with(chunk_size, s3), whole=True) as file:
        data = await file.aread()
        await file.afinish()
        return data


async def save(bucket: str, key: str, body: Body, s3: Any = None) -> None:
    """Store `body` (bytes, a binary file, or an async iterator of bytes), all of it or nothing."""
    await _save(S3Uri(bucket, key), body, _with(None, s3))


def _file(bucket: str, key: str, settings: Settings, *, whole: bool) -> S3File:
    return open_file(Order(uri=S3Uri(bucket, key), settings=settings), Monitor(), whole=whole)


def _with(chunk_size: int | None, s3: Any) -> Settings:
    budget = current().budget
    settings = current() if chunk_size is None else current(part_size=chunk_size)
    # Of aioS3 any length of a chunk is taken: one that is too long is no error here, and takes no more memory.
    return replace(settings, s3=s3, part_size=min(settings.part_size, budget), budget=budget)
