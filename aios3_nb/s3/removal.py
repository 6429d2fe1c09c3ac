"""Deleting objects, up to a thousand with one request.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aios3_nb.address import S3Uri
from aios3_nb.errors import AccessDeniedError, ServiceError
from aios3_nb.s3.request import ask
from aios3_nb.settings import Settings
from aios3_nb.text import visible

_AT_ONCE = 1000


async def remove_objects(uris: Iterable[S3Uri], settings: Settings) -> None:
    """Delete the objects; those that are not there any more count as deleted.

    Raises:
        S3Error: Some are still there; the message names the first.
    """
    by_bucket: dict[str, list[S3Uri]] = defaultdict(list)
    for uri in uris:
        by_bucket[uri.bucket].append(uri)
    batches = [some[at : at + _AT_ONCE] for some in by_bucket.values() for at in range(0, len(some), _AT_ONCE)]
    gate = asyncio.Semaphore(settings.concurrency)

    async def one(batch: list[S3Uri]) -> None:
        async with gate:
            await _remove(batch, settings)

    outcomes = await asyncio.gather(*map(one, batches), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _remove(batch: list[S3Uri], settings: Settings) -> None:
    payer: dict[str, Any] = {"RequestPayer": settings.request_payer} if settings.request_payer else {}
    names = [{"Key": uri.key, "VersionId": uri.version_id} if uri.version_id else {"Key": uri.key} for uri in batch]
    answer = await ask(
        "delete_objects", batch[0], settings, Bucket=batch[0].bucket, Delete={"Objects": names, "Quiet": True}, **payer
    )
    if errors := answer.get("Errors"):
        raise _kept(S3Uri(batch[0].bucket, errors[0].get("Key", "")), errors)


def _kept(uri: S3Uri, errors: list[dict[str, Any]]) -> AccessDeniedError | ServiceError:
    code = str(errors[0].get("Code", ""))
    kind = AccessDeniedError if code == "AccessDenied" else ServiceError
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    return kind(f"{visible(str(uri))} was not deleted ({visible(code, most=80)}){more}.", uri=str(uri))
