"""Writing back: one request for what is small, multipart for what is not, and never half an object.

S3 shows a multipart upload only when it is completed; one that fails or is stopped is aborted, so that nothing
of it is stored (or billed).

See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, BinaryIO

from aios3_nb.address import S3Uri
from aios3_nb.s3.request import ask
from aios3_nb.settings import MIB, Settings

_LEAST_PART = 5 * MIB
"""S3 refuses smaller ones, but for the last."""

_MOST_PARTS = 10_000

Body = bytes | bytearray | memoryview | BinaryIO | AsyncIterator[bytes]


async def save(uri: S3Uri, body: Body, settings: Settings) -> Mapping[str, Any]:
    """Store `body` at `uri`, all of it or nothing, and return S3's answer, with ETag and checksum.

    Args:
        uri: Where; what is there is replaced.
        body: The bytes, a binary file that is read to its end, or an async iterator of bytes.
        settings: ``part_size`` and ``concurrency`` count.

    Raises:
        S3Error: Nothing was stored.
    """
    parts = _parts(body, max(settings.part_size, _LEAST_PART))
    first = await anext(parts, b"")
    second = await anext(parts, None)
    if second is None:
        answer: Mapping[str, Any] = await ask("put_object", uri, settings, **_target(uri, settings), Body=bytes(first))
        return answer
    return await _save_in_parts(uri, _chain(first, second, parts), settings)


async def _save_in_parts(uri: S3Uri, parts: AsyncIterator[bytes], settings: Settings) -> Mapping[str, Any]:
    target = _target(uri, settings)
    upload = {**target, "UploadId": (await ask("create_multipart_upload", uri, settings, **target))["UploadId"]}
    under_way: set[asyncio.Task[Any]] = set()
    stored: list[dict[str, Any]] = []

    async def send(number: int, data: bytes) -> None:
        answer = await ask("upload_part", uri, settings, **upload, PartNumber=number, Body=data)
        checksums = {name: answer[name] for name in answer if name.startswith("Checksum") and name != "ChecksumType"}
        stored.append({"PartNumber": number, "ETag": answer["ETag"], **checksums})

    try:
        number = 0
        async for data in parts:
            number += 1
            under_way.add(asyncio.get_running_loop().create_task(send(number, data)))
            if len(under_way) >= settings.concurrency:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        await asyncio.gather(*under_way)
        stored.sort(key=lambda part: part["PartNumber"])
        together = {"Parts": stored}
        answer: Mapping[str, Any] = await ask(
            "complete_multipart_upload", uri, settings, **upload, MultipartUpload=together
        )
        return answer
    except BaseException:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.shield(ask("abort_multipart_upload", uri, settings, **upload))
        raise


def _target(uri: S3Uri, settings: Settings) -> dict[str, str]:
    payer = {"RequestPayer": settings.request_payer} if settings.request_payer else {}
    return {"Bucket": uri.bucket, "Key": uri.key, **payer}


async def _parts(body: Body, size: int) -> AsyncIterator[bytes]:
    """Yield `body` in pieces of `size` bytes; the last one may be shorter."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        view = memoryview(body).cast("B")
        length = max(size, -(-len(view) // _MOST_PARTS))
        for start in range(0, len(view), length):
            yield bytes(view[start : start + length])
        return
    pending = bytearray()
    async for data in _read(body, size):
        pending += data
        while len(pending) >= size:
            yield bytes(pending[:size])
            del pending[:size]
    if pending:
        yield bytes(pending)


async def _read(body: BinaryIO | AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    if isinstance(body, AsyncIterator):
        async for data in body:
            yield data
        return
    while data := await asyncio.to_thread(body.read, size):
        yield data


async def _chain(first: bytes, second: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    yield second
    async for data in rest:
        yield data
