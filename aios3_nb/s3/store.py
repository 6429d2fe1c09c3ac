"""Writing back: one request for what is small, multipart for what is not, and never half an object.

S3 shows a multipart upload only when it is completed; one that fails or is stopped is aborted, so that nothing
of it is stored (or billed). Every object is sent with its CRC in a header, which the store compares and keeps:
CRC64NVME with the `crt` extra, else CRC32. A store that knows no such thing is sent the bytes alone.

See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from aios3_nb.address import S3Uri
from aios3_nb.errors import AccessDeniedError, ProtocolError, ServiceError
from aios3_nb.loop import result_of
from aios3_nb.s3.crc import Crc, crc_named
from aios3_nb.s3.request import ask
from aios3_nb.settings import MIB, Settings
from aios3_nb.text import visible

_LEAST_PART = 5 * MIB
"""S3 refuses smaller ones, but for the last."""

_MOST_PARTS = 10_000
_MOST_AT_ONCE = 10
"""Parts under way, each of which is in memory."""

_MD5 = re.compile("[0-9a-f]{32}")

_NOT_KNOWN = frozenset(("NotImplemented", "501", "InvalidArgument", "InvalidRequest", "400"))
"""Codes by which a store may refuse a header that it does not know."""

Body = bytes | bytearray | memoryview | BinaryIO | AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store has of what it was sent.

    Attributes:
        etag: Of the new version, with its quotes; empty when the store gives none.
        verdict: What its bytes were compared by: ``CRC32 ok``, ``MD5 of 3 parts ok``, or ``not checked (why)``.
    """

    etag: str
    verdict: str


async def save(uri: S3Uri, body: Body, settings: Settings, *, replace: bool = True) -> Kept:
    """Store `body` at `uri`, all of it or nothing, and return what the store has of it.

    Args:
        uri: Where.
        body: The bytes, a binary file that is read to its end, or an async iterator of bytes.
        settings: ``part_size`` and ``concurrency`` count.
        replace: Whether what is there already is replaced.

    Raises:
        ObjectExistsError: It was not to be replaced.
        S3Error: Nothing was stored.
        ProtocolError: The store said that all is well, but has something else.
    """
    upload = Upload(uri, settings, replace=replace)
    try:
        async for part in _parts(body, upload.part_size):
            await upload.add(part)
        return await upload.complete()
    except BaseException:
        await upload.abort()
        raise


@dataclass(frozen=True, slots=True)
class _Part:
    """One part that was stored: what it is called, and what its bytes were."""

    number: int
    etag: str
    length: int
    crc: int


@dataclass(frozen=True, slots=True)
class _Sent:
    """What an object was when it was sent: its bytes, the CRC that they have, and what an ETag of MD5s would be."""

    size: int
    checksum: str
    md5: str
    parts: int = 0


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
        self._stored: list[_Part] = []
        self._checksum, self._crc = _best_crc()
        self._agreed = False
        """Whether the store keeps the CRC of an object in parts."""

    async def add(self, data: bytes) -> None:
        """Send the next part; returns when another one may follow, not when it is stored."""
        if self._first is None:
            self._first = data  # perhaps there is no second one
            return
        if not self._upload:
            whole = {"ChecksumAlgorithm": self._checksum, "ChecksumType": "FULL_OBJECT"}
            made = await self._ask_with(whole, "create_multipart_upload")
            self._agreed = made.get("ChecksumType") == "FULL_OBJECT"
            self._upload = {"UploadId": made["UploadId"]}
            await self._begin(self._first)
        await self._begin(data)

    async def complete(self) -> Kept:
        """Make the object appear, and return what the store has of it."""
        if not self._upload:
            return await self._complete_at_once(self._first or b"")
        await asyncio.gather(*self._under_way)
        self._stored.sort(key=lambda part: part.number)
        crc = functools.reduce(lambda crc, part: self._crc.joined(crc, part.crc, part.length), self._stored, 0)
        parts = [{"PartNumber": part.number, "ETag": part.etag, **self._said(part.crc)} for part in self._stored]
        answer = await self._ask(
            "complete_multipart_upload",
            **self._upload,
            MultipartUpload={"Parts": parts},
            **({"ChecksumType": "FULL_OBJECT", **self._said(crc)} if self._agreed else {}),
            **self._condition,
        )
        self._upload = {}
        sent = _Sent(
            size=sum(part.length for part in self._stored),
            checksum=self._text(crc),
            md5=_etag_of([part.etag for part in self._stored]),
            parts=len(parts),
        )
        return await self._compared(answer, sent)

    async def _complete_at_once(self, data: bytes) -> Kept:
        checksum = self._text(self._crc.function(data, 0))
        answer = await self._ask_with(
            {f"Checksum{self._checksum}": checksum}, "put_object", Body=data, **self._condition
        )
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        return await self._compared(answer, _Sent(len(data), checksum, md5))

    async def abort(self) -> None:
        """Stop what is under way, and have S3 throw away what it has."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        upload, self._upload = self._upload, {}
        self._first = None
        if upload:
            await result_of(asyncio.ensure_future(self._ask("abort_multipart_upload", **upload)))

    async def _begin(self, data: bytes) -> None:
        self._number += 1
        self._under_way.add(asyncio.get_running_loop().create_task(self._send(self._number, data)))
        if len(self._under_way) >= min(self._settings.concurrency, _MOST_AT_ONCE):
            done, self._under_way = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _send(self, number: int, data: bytes) -> None:
        crc = await asyncio.to_thread(self._crc.function, data, 0)
        answer = await self._ask("upload_part", **self._upload, PartNumber=number, Body=data, **self._said(crc))
        self._stored.append(_Part(number, answer["ETag"], len(data), crc))

    async def _compared(self, answer: Mapping[str, Any], sent: _Sent) -> Kept:
        """Return what the store has: it is what was sent by its checksum or its ETag, or is as long.

        Raises:
            ProtocolError: It is not.
        """
        etag = str(answer.get("ETag", ""))
        is_md5 = etag.strip('"') == sent.md5 != ""
        if not is_md5 and not await self._is_as_long(answer, sent.size):
            return Kept(etag, "not checked (it may not be looked at)")
        if answer.get(f"Checksum{self._checksum}") == sent.checksum:
            return Kept(etag, f"{self._checksum} ok")
        if is_md5:
            return Kept(etag, f"MD5{f' of {sent.parts:,} parts' if sent.parts else ''} ok")
        return Kept(etag, "not checked (the store says no checksum, and the ETag is no MD5)")

    async def _is_as_long(self, answer: Mapping[str, Any], size: int) -> bool:
        """Look at what is there now, which has that `size`; return whether that is allowed.

        Raises:
            ProtocolError: It is longer or shorter.
        """
        etag = str(answer.get("ETag", "")).strip('"')
        version = {"VersionId": answer["VersionId"]} if answer.get("VersionId", "null") != "null" else {}
        try:
            found = await self._ask("head_object", **version)
        except AccessDeniedError:  # who may write need not be allowed to look
            if etag:
                return False
            raise
        was_replaced = etag and str(found.get("ETag", "")).strip('"') != etag
        if not was_replaced and found["ContentLength"] != size:
            raise ProtocolError(
                f"{visible(str(self._uri))}: {size:,} bytes were sent and the server said that all is well, but it "
                f"has {found['ContentLength']:,}. It may be no S3 endpoint; check --endpoint-url.",
                uri=str(self._uri),
            )
        return True

    def _said(self, crc: int) -> dict[str, str]:
        return {f"Checksum{self._checksum}": self._text(crc)} if self._agreed else {}

    def _text(self, crc: int) -> str:
        return base64.b64encode(self._crc.digest(crc)).decode()

    async def _ask_with(self, checksum: dict[str, str], operation: str, **arguments: Any) -> Mapping[str, Any]:
        """Return the answer to an operation with a checksum, or without one where the store does not know it."""
        try:
            return await self._ask(operation, **arguments, **checksum)
        except ServiceError as refused:
            if refused.code not in _NOT_KNOWN:
                raise
        return await self._ask(operation, **arguments)

    async def _ask(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = await ask(operation, self._uri, self._settings, **self._target(), **arguments)
        return answer

    def _target(self) -> dict[str, str]:
        payer = {"RequestPayer": self._settings.request_payer} if self._settings.request_payer else {}
        return {"Bucket": self._uri.bucket, "Key": self._uri.key, **payer}


def _best_crc() -> tuple[str, Crc]:
    """Return the CRC that S3 itself would choose, where it can be computed here; CRC32 otherwise."""
    for name in ("CRC64NVME", "CRC32"):
        if (crc := crc_named(name)) is not None:
            return name, crc
    raise AssertionError("zlib has a CRC32")


def _etag_of(etags: list[str]) -> str:
    """Return the ETag that AWS makes of those of the parts, without quotes; empty when they are no MD5s."""
    tags = [etag.strip('"') for etag in etags]
    if not all(_MD5.fullmatch(tag) for tag in tags):
        return ""
    return f"{hashlib.md5(bytes.fromhex(''.join(tags)), usedforsecurity=False).hexdigest()}-{len(tags)}"


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
