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


async def save(uri: S3Uri, body: Body, settings: Settings, *, replace: bool = True) -> Mapping[str, Any]:
    """Store `body` at `uri`, all of it or nothing, and return S3's answer, with ETag and checksum.

    Args:
        uri: Where.
        body: The bytes, a binary file that is read to its end, or an async iterator of bytes.
        settings: ``part_size`` and ``concurrency`` count.
        replace: Whether what is there already is replaced.

    Raises:
        ObjectExistsError: It was not to be replaced.
        S3Error: Nothing was stored.
    """
    upload = Upload(uri, settings, replace=replace)
    try:
        async for part in _parts(body, upload.part_size):
            await upload.add(part)
        return await upload.complete()
    except BaseException:
        await upload.abort()
        raise


class Upload:
    """An object that is being stored in parts, and appears whole when it is completed, or not at all.

    It belongs to the loop that it is first awaited on. What fails to be completed must be aborted.

    Attributes:
        part_size: Bytes that every part but the last has.
    """

    def __init__(self, uri: S3Uri, settings: Settings, *, replace: bool = True) -> None:
        self.part_size = max(settings.part_size, _LEAST_PART)
        self._uri = uri
        self._settings = settings
        self._condition = {} if replace else {"IfNoneMatch": "*"}
        self._first: bytes | None = None
        self._upload: dict[str, str] = {}
        self._number = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self._stored: list[dict[str, Any]] = []

    async def add(self, data: bytes) -> None:
        """Send the next part; returns when another one may follow, not when it is stored."""
        if self._first is None:
            self._first = data  # perhaps there is no second one
            return
        if not self._upload:
            made = await ask("create_multipart_upload", self._uri, self._settings, **self._target())
            self._upload = {"UploadId": made["UploadId"]}
            await self._begin(self._first)
        await self._begin(data)

    async def complete(self) -> Mapping[str, Any]:
        """Make the object appear, and return S3's answer."""
        if not self._upload:
            body = self._first or b""
            return await self._ask("put_object", Body=body, **self._condition)
        await asyncio.gather(*self._under_way)
        self._stored.sort(key=lambda part: part["PartNumber"])
        parts = {"Parts": self._stored}
        return await self._ask("complete_multipart_upload", **self._upload, MultipartUpload=parts, **self._condition)

    async def abort(self) -> None:
        """Stop what is under way, and have S3 throw away what it has."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        upload, self._upload = self._upload, {}
        self._first = None
        if upload:
            await asyncio.shield(self._ask("abort_multipart_upload", **upload))

    async def _begin(self, data: bytes) -> None:
        self._number += 1
        self._under_way.add(asyncio.get_running_loop().create_task(self._send(self._number, data)))
        if len(self._under_way) >= self._settings.concurrency:
            done, self._under_way = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _send(self, number: int, data: bytes) -> None:
        answer = await self._ask("upload_part", **self._upload, PartNumber=number, Body=data)
        checksums = {name: answer[name] for name in answer if name.startswith("Checksum") and name != "ChecksumType"}
        self._stored.append({"PartNumber": number, "ETag": answer["ETag"], **checksums})

    async def _ask(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = await ask(operation, self._uri, self._settings, **self._target(), **arguments)
        return answer

    def _target(self) -> dict[str, str]:
        payer = {"RequestPayer": self._settings.request_payer} if self._settings.request_payer else {}
        return {"Bucket": self._uri.bucket, "Key": self._uri.key, **payer}


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
