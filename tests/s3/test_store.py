"""Storing: whole or not at all, with a checksum that the store keeps, and in a form that every store understands."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiobotocore.awsrequest import AioAWSResponse
from awscrt import checksums

import aios3_nb
from aios3_nb import settings
from aios3_nb.address import S3Uri
from aios3_nb.errors import ProtocolError
from aios3_nb.s3 import client_for, crc, save
from aios3_nb.s3.store import Kept
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.faults.store import StoredObject

MIB = 1024 * 1024
DATA = random.Random(5).randbytes(12 * MIB + 3)


def crc64(data: bytes) -> str:
    return base64.b64encode(int(checksums.crc64nvme(data)).to_bytes(8, "big")).decode()


@pytest.mark.parametrize("size", [0, 3, MIB, len(DATA)])
def test_what_is_stored_carries_a_checksum_of_all_its_bytes(s3: Any, bucket: str, size: int) -> None:
    data = DATA[:size]
    kept = asyncio.run(save(S3Uri(bucket, "k"), data, settings.current(part_size="5M")))
    assert kept.verdict == "CRC64NVME ok"
    found = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert found["ContentLength"] == size
    assert found["ChecksumCRC64NVME"] == crc64(data)
    if size:
        with aios3_nb.open(f"s3://{bucket}/k", verify="require") as file:
            assert file.read() == data
            assert file.finish() == ("MD5 ok" if size == 3 else "CRC64NVME ok")  # a small one is one request


def put(faulty: FaultServer, data: bytes) -> Kept:
    faulty.store.buckets.add("b")
    return asyncio.run(save(S3Uri("b", "k"), data, settings.current()))


def test_the_body_is_sent_as_it_is(faulty: FaultServer) -> None:
    put(faulty, b"abc")
    (request,) = faulty.requests
    assert request.body == b"abc"
    assert "aws-chunked" not in request.headers.get("content-encoding", "")
    assert "x-amz-trailer" not in request.headers
    assert request.headers["x-amz-checksum-crc64nvme"] == crc64(b"abc")


@pytest.mark.parametrize("size", [3, 6 * MIB], ids=["small", "in parts"])
def test_without_the_extra_it_is_a_crc32(s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    data = DATA[:size]
    crc._crt.cache_clear()
    try:
        with monkeypatch.context() as older:
            older.delattr(checksums, "crc64nvme")
            kept = asyncio.run(save(S3Uri(bucket, "k"), data, settings.current(part_size="5M")))
    finally:
        crc._crt.cache_clear()
    assert kept.verdict == "CRC32 ok"
    found = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert found["ChecksumCRC32"] == base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


async def by_save(uri: str) -> None:
    bucket, key = uri.removeprefix("s3://").split("/")
    await aios3_nb.save(bucket, key, DATA[:5000])


async def by_dump(uri: str) -> None:
    await aios3_nb.adump(DATA[:5000], uri, format="bytes")


async def by_file_system(uri: str) -> None:
    with aios3_nb.filesystem().open(uri, "wb") as file:
        file.write(DATA[:5000])


@pytest.mark.parametrize("way", [by_save, by_dump, by_file_system])
def test_whoever_stores_has_the_checksum_stored(s3: Any, bucket: str, way: Any) -> None:
    """The magic calls the same; the panel's uploads are in tests/browser."""
    asyncio.run(way(f"s3://{bucket}/k"))
    found = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert found["ChecksumCRC64NVME"] == crc64(DATA[:5000])


@dataclass
class Raw:
    """The body of an answer as `AioAWSResponse` wants it."""

    body: bytes = b""
    raw_headers: tuple[tuple[bytes, bytes], ...] = ()

    async def read(self) -> bytes:
        return self.body


@dataclass
class Wire:
    """In place of a store that is reached by https; it keeps what was sent, and knows checksums or does not."""

    knows: bool
    sent: list[Any] = field(default_factory=list)

    async def send(self, request: Any) -> AioAWSResponse:
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        self.sent.append((request, bytes(body)))
        if not self.knows and any(name.lower().startswith("x-amz-checksum") for name in request.headers):
            return AioAWSResponse(request.url, 501, {}, Raw(b"<Error><Code>NotImplemented</Code></Error>"))
        if request.method == "PUT":
            headers = {"etag": f'"{hashlib.md5(body).hexdigest()}"'}
            raw = Raw(raw_headers=tuple((name.encode(), value.encode()) for name, value in headers.items()))
            return AioAWSResponse(request.url, 200, headers, raw)
        md5s = b"".join(hashlib.md5(part).digest() for part in self.bodies)
        etag = f"{hashlib.md5(md5s).hexdigest()}-{len(self.bodies)}"
        text = f"<Result><UploadId>1</UploadId><ETag>&quot;{etag}&quot;</ETag></Result>"
        return AioAWSResponse(request.url, 200, {}, Raw(text.encode()))

    @property
    def bodies(self) -> list[bytes]:
        """What was stored, in the order of its parts."""
        return [body for request, body in sorted(self.sent, key=lambda each: each[0].url) if request.method == "PUT"]


@pytest.mark.parametrize("endpoint_url", ["https://minio.example.org", None], ids=["another store", "AWS"])
@pytest.mark.parametrize("knows", [True, False], ids=["knows checksums", "does not"])
@pytest.mark.parametrize("size", [3, 6 * MIB], ids=["small", "in parts"])
def test_over_https_the_body_is_plain_too(
    monkeypatch: pytest.MonkeyPatch, endpoint_url: str | None, knows: bool, size: int
) -> None:
    """By default botocore frames it there, with a checksum behind it; other stores refuse that, or keep the frames."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    chosen = settings.current(endpoint_url=endpoint_url, region="eu-central-1", part_size="5M")
    data, wire = DATA[:size], Wire(knows)

    async def main() -> Kept:
        client = await client_for(chosen)
        client._endpoint.http_session.send = wire.send
        return await save(S3Uri("bucket", "k"), data, chosen)

    assert asyncio.run(main()).verdict.endswith(" ok")
    assert b"".join(wire.bodies[-2 if size > MIB else -1 :]) == data
    for request, _ in wire.sent:
        assert request.url.startswith("https://")
        names = {name.lower() for name in request.headers}
        assert not {"content-encoding", "x-amz-trailer", "x-amz-decoded-content-length", "transfer-encoding"} & names


def test_a_store_that_knows_no_checksums_is_sent_none(faulty: FaultServer) -> None:
    faulty.fault(Kind.STATUS, method="PUT", status=501, code="NotImplemented")
    assert put(faulty, b"abc").verdict == "MD5 ok"
    first, second = faulty.requests
    assert "x-amz-checksum-crc64nvme" in first.headers
    assert "x-amz-checksum-crc64nvme" not in second.headers
    assert faulty.store.find("b", "k").data == b"abc"


def test_a_store_that_keeps_something_else_is_found_out(faulty: FaultServer) -> None:
    """Some keep the frames of a body as if they were content, and say that all is well."""
    framed = b"3\r\nabc\r\n0\r\n\r\n"
    keep = faulty.store.put
    faulty.store.put = lambda bucket, key, stored: keep(bucket, key, StoredObject(framed, '"no md5"'))
    faulty.fault(Kind.NO_ETAG, method="PUT")
    with pytest.raises(ProtocolError, match=r"s3://b/k: 3 bytes were sent .* has 13") as caught:
        put(faulty, b"abc")
    assert caught.value.uri == "s3://b/k"


def test_an_etag_that_is_no_md5_costs_one_look(faulty: FaultServer) -> None:
    keep = faulty.store.put
    faulty.store.put = lambda bucket, key, stored: keep(bucket, key, replace(stored, etag='"of a kms key"'))
    faulty.fault(Kind.NO_ETAG, method="PUT")
    assert put(faulty, b"abc").verdict.startswith("not checked (the store says no checksum")
    assert [request.method for request in faulty.requests] == ["PUT", "HEAD"]


def test_who_may_write_need_not_be_allowed_to_look(faulty: FaultServer) -> None:
    faulty.store.put("b", "other", StoredObject(b"", '""'))
    faulty.fault(Fault(kind=Kind.STATUS, method="HEAD", status=403, code="AccessDenied", times=None))
    faulty.fault(Fault(kind=Kind.ANSWER, method="PUT", status=200, headers={"ETag": '"of a kms key"'}))
    assert put(faulty, b"abc").verdict == "not checked (it may not be looked at)"
    assert faulty.store.find("b", "k").data == b"abc"


PAGE = b"<!doctype html><title>Console</title>"


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html"}, {"Content-Type": "application/octet-stream"}, {}])
@pytest.mark.parametrize("size", [3, 12 * MIB], ids=["small", "in parts"])
def test_a_page_that_says_200_is_no_success(faulty: FaultServer, headers: dict[str, str], size: int) -> None:
    """A console's port, a login page, a portal: whatever is sent there, it answers with a page."""
    faulty.fault(Fault(kind=Kind.ANSWER, method="", status=200, headers=headers, data=PAGE, times=None))
    with pytest.raises(aios3_nb.EndpointError, match="no S3 endpoint: it answered an HTML page"):
        put(faulty, bytes(size))
    assert len(faulty.requests) <= 2
