"""Copying inside S3: the bytes do not come here.

See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/CopyingObjectsMPUapi.html
"""

from __future__ import annotations

import asyncio
from typing import Any

from aios3_nb.address import S3Uri
from aios3_nb.errors import ObjectChangedError, ObjectExistsError
from aios3_nb.loop import result_of
from aios3_nb.s3.request import ask
from aios3_nb.settings import MIB, Settings
from aios3_nb.text import visible

_PART = 256 * MIB
"""What one request copies within the bound on its answer; S3 itself allows 5 GB."""


async def copy_object(source: S3Uri, target: S3Uri, settings: Settings) -> None:
    """Copy one version of an object, all of it or nothing; what is at `target` is replaced.

    Raises:
        ObjectNotFoundError: There is no `source`.
        ObjectChangedError: It was replaced meanwhile.
    """
    payer: dict[str, Any] = {"RequestPayer": settings.request_payer} if settings.request_payer else {}
    version = {"VersionId": source.version_id} if source.version_id else {}
    found = await ask("head_object", source, settings, Bucket=source.bucket, Key=source.key, **version, **payer)
    there = {"Bucket": target.bucket, "Key": target.key, **payer}
    origin = {"CopySource": {"Bucket": source.bucket, "Key": source.key, **version}}
    if not version and found.get("ETag"):
        origin["CopySourceIfMatch"] = found["ETag"]
    try:
        if found["ContentLength"] <= _PART:
            await ask("copy_object", source, settings, **there, **origin)
        else:
            await _in_parts(target, there, origin, found, settings)
    except ObjectExistsError:
        raise ObjectChangedError(
            f"{visible(str(source))} changed while it was being copied. Run it again to copy what is there now.",
            uri=str(source),
        ) from None


async def _in_parts(
    target: S3Uri, there: dict[str, Any], origin: dict[str, Any], found: dict[str, Any], settings: Settings
) -> None:
    size = int(found["ContentLength"])
    kept = {name: found[name] for name in ("ContentType", "Metadata") if found.get(name)}
    upload = {
        **there,
        "UploadId": (await ask("create_multipart_upload", target, settings, **there, **kept))["UploadId"],
    }
    gate = asyncio.Semaphore(settings.concurrency)

    async def part(number: int, start: int) -> dict[str, Any]:
        async with gate:
            extent = f"bytes={start}-{min(start + _PART, size) - 1}"
            answer = await ask(
                "upload_part_copy", target, settings, **upload, **origin, PartNumber=number, CopySourceRange=extent
            )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    tasks = [asyncio.ensure_future(part(n, start)) for n, start in enumerate(range(0, size, _PART), 1)]
    try:
        parts = await asyncio.gather(*tasks)
        await ask("complete_multipart_upload", target, settings, **upload, MultipartUpload={"Parts": list(parts)})
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await result_of(asyncio.ensure_future(ask("abort_multipart_upload", target, settings, **upload)))
        raise
