"""What the bucket browser asks of one object: its details, its beginning; and storing and deleting one."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aios3_nb.address import S3Uri
from aios3_nb.errors import AccessDeniedError, ObjectNotFoundError
from aios3_nb.s3 import ask, client_for, endpoint_of, save
from aios3_nb.settings import MIB, Settings
from aios3_nb.streams import Monitor, ObjectSource, checksum_of

PREVIEW = 1 * MIB
"""Bytes that a preview fetches, at most."""

ASKED_FOR = 32 * MIB
"""Bytes that a preview may fetch that somebody has asked for by hand."""

_LEAST = 1024
"""Bytes asked for when only the size is wanted."""


@dataclass(frozen=True, slots=True)
class Details:
    """What S3 says about an object.

    Attributes:
        uri: The object.
        size: Bytes.
        etag: With its quotes.
        version_id: Where the bucket keeps versions.
        last_modified: When it was stored.
        content_type: What the uploader called it.
        content_encoding: Likewise.
        storage_class: Empty for the standard one.
        checked_by: What a load is checked by, such as ``CRC32C of 64 parts``, or ``nothing (no checksum)``.
        encryption: Such as ``aws:kms``; empty when the store does not say.
        metadata: The uploader's own names and values.
    """

    uri: S3Uri
    size: int
    etag: str = ""
    version_id: str = ""
    last_modified: datetime.datetime | None = None
    content_type: str = ""
    content_encoding: str = ""
    storage_class: str = ""
    checked_by: str = ""
    encryption: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


async def details(uri: S3Uri, settings: Settings) -> Details:
    """Return what S3 says about the object, without its bytes.

    See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    answer = await ask("head_object", uri, settings, **_arguments(uri, settings), ChecksumMode="ENABLED")
    endpoint = endpoint_of(await client_for(settings))
    version = answer.get("VersionId", "")
    return Details(
        uri=uri,
        size=int(answer["ContentLength"]),
        etag=answer.get("ETag", ""),
        version_id="" if version == "null" else version,
        last_modified=answer.get("LastModified"),
        content_type=answer.get("ContentType", ""),
        content_encoding=answer.get("ContentEncoding", ""),
        storage_class=answer.get("StorageClass", ""),
        checked_by=checksum_of(answer, bucket=uri.bucket, endpoint_url=endpoint).words,
        encryption=answer.get("ServerSideEncryption", ""),
        metadata=answer.get("Metadata", {}),
    )


async def beginning(uri: S3Uri, settings: Settings, *, most: int = PREVIEW) -> tuple[bytes, int]:
    """Return the first bytes of the object, `most` at most, and the size of all of it."""
    source = ObjectSource(uri, settings, Monitor())
    try:
        info = await source.begin(0, most)
        return await source.read(0, min(most, info.size)), info.size
    finally:
        source.abort()


@asynccontextmanager
async def ranges(
    uri: S3Uri, settings: Settings
) -> AsyncIterator[tuple[Callable[[int, int], Coroutine[Any, Any, bytes]], int]]:
    """Give what reads ranges of one version of the object, from start to stop, and the size of all of it."""
    source = ObjectSource(uri, settings, Monitor())
    try:
        info = await source.begin(0, _LEAST)
        yield source.read, info.size
    finally:
        source.abort()


async def exists(uri: S3Uri, settings: Settings) -> bool:
    """Return whether the object is there, or may be: without the right to look, nobody can tell."""
    try:
        await ask("head_object", uri, settings, **_arguments(uri, settings))
    except ObjectNotFoundError:
        return False
    except AccessDeniedError:
        return True
    return True


async def delete(uri: S3Uri, settings: Settings) -> None:
    """Delete the object; a bucket that keeps versions keeps this one, below a delete marker."""
    await ask("delete_object", uri, settings, **_arguments(uri, settings))


async def upload(uri: S3Uri, pieces: AsyncIterator[bytes], settings: Settings, sent: Callable[[int], None]) -> None:
    """Store `pieces` at `uri`, all of them or nothing; `sent` is told of the bytes as they go.

    Raises:
        S3Error: Nothing was stored.
    """
    await save(uri, _told(pieces, sent), settings)


async def _told(pieces: AsyncIterator[bytes], sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    async for data in pieces:
        yield data
        sent(len(data))


def _arguments(uri: S3Uri, settings: Settings) -> dict[str, Any]:
    arguments = {"Bucket": uri.bucket, "Key": uri.key}
    if uri.version_id:
        arguments["VersionId"] = uri.version_id
    if settings.request_payer:
        arguments["RequestPayer"] = settings.request_payer
    return arguments
