"""Requests made from an earlier one: on the wire they are what aiobotocore's own would be."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions
import pytest
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from aios3_nb.s3 import direct
from aios3_nb.s3.transport import transport
from tests.awkward import KEYS
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer

POINT = "arn:aws:s3:us-west-2:123456789012:accesspoint/mine"
OUTPOST = "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01234567890123456/accesspoint/mine"
LAMBDA = "arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/mine"
REGIONS = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap"
DIRECTORY = "lake--usw2-az1--x-s3"
VARYING = ("authorization", "x-amz-date", "date", "amz-sdk-invocation-id")
ETAG = '"0123456789abcdef0123456789abcdef"'


SESSION = """<?xml version="1.0" encoding="UTF-8"?>
<CreateSessionResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Credentials>
<SessionToken>token {number}</SessionToken><SecretAccessKey>secret {number}</SecretAccessKey>
<AccessKeyId>id-{number}</AccessKeyId><Expiration>{end}</Expiration>
</Credentials></CreateSessionResult>"""


@dataclass
class Raw:
    """The answer of a server as `AioAWSResponse` wants it, with nothing in it."""

    closed: bool = False
    raw_headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    async def read(self) -> bytes:
        return self.body

    def close(self) -> None:
        self.closed = True


@dataclass
class Wire:
    """In place of the network: keeps what was sent; only the region `moved` answers, when there is one.

    Attributes:
        moved: That region.
        lasts: Seconds that a session of a directory bucket lasts.
        sent: All requests but those for a session.
        sessions: How many sessions were asked for.
    """

    moved: str = ""
    lasts: int = 300
    sent: list[Any] = field(default_factory=list)
    sessions: int = 0

    async def send(self, request: Any) -> AioAWSResponse:
        if request.url.endswith("?session"):
            return self._session(request.url)
        self.sent.append(request)
        headers = {"content-length": "0", "etag": ETAG, "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT"}
        headers["x-amz-bucket-region"] = self.moved or "eu-central-1"
        status = 200 if self.moved in request.url or request.method == "HEAD" else 301
        raw = Raw(raw_headers=tuple((name.encode(), value.encode()) for name, value in headers.items()))
        return AioAWSResponse(request.url, status, headers, raw)

    def _session(self, url: str) -> AioAWSResponse:
        """Return the answer to CreateSession, by which the requests to a directory bucket are signed."""
        self.sessions += 1
        end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.lasts)
        body = SESSION.format(number=self.sessions, end=f"{end:%Y-%m-%dT%H:%M:%SZ}").encode()
        return AioAWSResponse(url, 200, {"content-length": str(len(body))}, Raw(body=body))


def shape(request: Any) -> tuple[str, str, dict[str, str]]:
    """Return what must be the same: method, address with query, and the headers but for date and signature."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    text = {name: value.decode() if isinstance(value, bytes) else value for name, value in headers.items()}
    signed = text.get("authorization", "").partition("SignedHeaders=")[2].partition(",")[0]
    same = {name: value for name, value in text.items() if name not in VARYING}
    return request.method, request.url, same | {"signed headers": signed}


def signature_of(request: Any, secret: str) -> str:
    """Return what botocore makes of the headers that `request` says it has signed; empty without a signature."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    text = {name: value.decode() if isinstance(value, bytes) else value for name, value in headers.items()}
    authorization = text.get("authorization", "")
    if not authorization.startswith("AWS4-HMAC-SHA256 "):
        return ""
    scope, names, _ = (part.partition("=")[2] for part in authorization.split(", "))
    key, _, region, service, _ = scope.split("/")
    signed = {name: text[name] for name in names.split(";") if name in text}  # else it is the host, which is sent later
    again = AWSRequest(request.method, request.url, signed)
    again.context["timestamp"] = text["x-amz-date"]
    auth = S3SigV4Auth(Credentials(key, secret), service, region)
    signature: str = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    assert authorization.rpartition("=")[2] == signature
    return signature


@contextlib.asynccontextmanager
async def connection(
    config: dict[str, Any], endpoint_url: str | None = None, token: str | None = None
) -> AsyncIterator[tuple[Any, Wire]]:
    """A client that makes requests from earlier ones, and what it sends."""
    retries = {"total_max_attempts": 1, "mode": "standard"}
    asked = {"user_agent": "aios3_nb", "response_checksum_validation": "when_required", "retries": retries}
    options = asked | config
    made = AioSession().create_client(
        "s3",
        region_name="eu-central-1",
        endpoint_url=endpoint_url,
        aws_access_key_id="id",
        aws_secret_access_key="secret",
        aws_session_token=token,
        config=AioConfig(**options),
    )
    async with made as client:
        direct.watch(client)
        wire = Wire()
        client._endpoint.http_session.send = wire.send
        yield client, wire


WAYS = {
    "virtual-hosted": ({}, "bucket"),
    "path-style": ({"s3": {"addressing_style": "path"}}, "bucket"),
    "dots in the bucket": ({}, "my.bucket"),
    "dualstack": ({"s3": {"use_dualstack_endpoint": True}}, "bucket"),
    "FIPS": ({"use_fips_endpoint": True, "region_name": "us-east-1"}, "bucket"),
    "accelerate": ({"s3": {"use_accelerate_endpoint": True}}, "bucket"),
    "FIPS and dualstack": (
        {"use_fips_endpoint": True, "s3": {"use_dualstack_endpoint": True}, "region_name": "us-east-1"},
        "bucket",
    ),
    "access point": ({"s3": {"use_arn_region": True}}, POINT),
    "access point by its alias": ({}, "mine-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias"),
    "access point, FIPS": (
        {"use_fips_endpoint": True, "s3": {"use_arn_region": True}, "region_name": "us-west-2"},
        POINT,
    ),
    "access point, dualstack": ({"s3": {"use_arn_region": True, "use_dualstack_endpoint": True}}, POINT),
    "access point of an outpost": ({"s3": {"use_arn_region": True}}, OUTPOST),
    "access point of Object Lambda": ({"s3": {"use_arn_region": True}}, LAMBDA),
    "access point of several regions": ({}, REGIONS),
    "directory bucket": ({}, DIRECTORY),
    "directory bucket, FIPS": ({"use_fips_endpoint": True}, DIRECTORY),
    "directory bucket, without a session": ({"s3": {"disable_s3_express_session_auth": True}}, DIRECTORY),
    "access point of a directory bucket": ({}, "mine--usw2-az1--xa-s3"),
    "unsigned": ({"signature_version": UNSIGNED}, "bucket"),
    "signature version 2": ({"signature_version": "s3"}, "bucket"),
}
ASKED = (
    {},
    {"Range": "bytes=0-9"},
    {"Range": "bytes=10-19", "IfMatch": ETAG},
    {"ChecksumMode": "ENABLED"},
    {"VersionId": "3HL4k+q/tJl cpX=", "Range": "bytes=5-"},
)


SIGNED_BY_THE_CLIENT = ("access point of several regions", "directory bucket", "directory bucket, FIPS")
SIGNED_BY_THE_CLIENT += ("access point of a directory bucket", "access point of an outpost")
SIGNED_BY_THE_CLIENT += ("unsigned", "signature version 2")
OTHER_STORES = ("http://127.0.0.1:9000", "https://minio.example.org/below/")
OF_AWS_ALONE = ("dualstack", "FIPS", "accelerate", "access point")
EVERYWHERE = [way for way in WAYS if not way.startswith(OF_AWS_ALONE)]
PLACES = [(way, None) for way in WAYS] + [(way, url) for way in EVERYWHERE for url in OTHER_STORES]


def quick(client: Any) -> bool:
    """Say whether requests are signed here, as the first one was signed by the client."""
    return all(template.signature is not None for template in direct._kept[client].values())


@pytest.mark.parametrize(("way", "endpoint_url"), PLACES)
def test_a_request_on_the_wire_is_what_the_clients_own_would_be(way: str, endpoint_url: str | None) -> None:
    config, bucket = WAYS[way]

    async def main() -> None:
        async with connection(config, endpoint_url, token="of the session") as (client, wire):
            for payer in ({}, {"RequestPayer": "requester"}):
                await direct.get_object(client, {"Bucket": bucket, "Key": "first", "Range": "bytes=0-1"} | payer)
                for options in ASKED:
                    arguments = {"Bucket": bucket, "Key": "year=2024/Ünd so + weiter%20~.pkl"} | payer | options
                    known = len(direct._kept[client])
                    await direct.get_object(client, arguments)
                    assert len(direct._kept[client]) == known == (2 if payer else 1), "it went the long way"
                    await client.get_object(**arguments)
                    ours, own = wire.sent[-2:]
                    assert shape(ours) == shape(own)
                    if quick(client):
                        assert signature_of(ours, "secret")
                        assert signature_of(own, "secret")
            assert quick(client) == (way not in SIGNED_BY_THE_CLIENT)

    asyncio.run(main())


def test_keys_of_every_kind_are_written_as_botocore_writes_them() -> None:
    async def main() -> None:
        async with connection({"s3": {"addressing_style": "path"}}) as (client, wire):
            await direct.get_object(client, {"Bucket": "bucket", "Key": "first"})
            for key in [*KEYS, "/leading", "a//b", "trailing/", ".", "..", "a/../b", "*", "~", "first"]:
                await direct.get_object(client, {"Bucket": "bucket", "Key": key})
                await client.get_object(Bucket="bucket", Key=key)
                ours, own = wire.sent[-2:]
                assert shape(ours) == shape(own), key
                assert signature_of(ours, "secret"), key

    asyncio.run(main())


def test_credentials_that_are_renewed_sign_the_next_request() -> None:
    async def main() -> None:
        async with connection({}, token="old") as (client, wire):
            await direct.get_object(client, {"Bucket": "bucket", "Key": "first"})
            for new in (AioCredentials("id1", "secret1"), AioCredentials("id2", "secret2", "renewed")):
                client._request_signer._credentials = new
                await direct.get_object(client, {"Bucket": "bucket", "Key": "second"})
            assert quick(client)
            assert "x-amz-security-token" not in {name.lower() for name in wire.sent[-2].headers}
            assert signature_of(wire.sent[-2], "secret1")
            assert signature_of(wire.sent[-1], "secret2")
            headers = {name.lower(): value for name, value in wire.sent[-1].headers.items()}
            token, authorization = headers["x-amz-security-token"], headers["authorization"]
            assert "renewed" in str(token)
            assert "id2/" in str(authorization)

    asyncio.run(main())


# botocore asks for another one 45 seconds before one ends.
@pytest.mark.parametrize(("lasts", "sessions"), [(300, 1), (40, 3)])
def test_requests_to_a_directory_bucket_are_signed_by_its_session_as_long_as_that_lasts(
    lasts: int, sessions: int
) -> None:
    async def main() -> None:
        async with connection({}, token="of the login") as (client, wire):
            wire.lasts = lasts
            for key in ("first", "second", "third"):
                await direct.get_object(client, {"Bucket": DIRECTORY, "Key": key})
            assert len(direct._kept[client]) == 1
            sent = [shape(request)[2]["x-amz-s3session-token"] for request in wire.sent]
            assert len(set(sent)) == sessions
            for request, token in zip(wire.sent, sent, strict=True):
                assert f"id-{token.removeprefix('token ')}/" in str(request.headers["Authorization"])

    asyncio.run(main())


def test_without_credentials_the_error_is_the_clients_own() -> None:
    async def main() -> None:
        async with connection({}) as (client, _):
            await direct.get_object(client, {"Bucket": "bucket", "Key": "first"})
            client._request_signer._credentials = None
            with pytest.raises(botocore.exceptions.NoCredentialsError):
                await direct.get_object(client, {"Bucket": "bucket", "Key": "second"})

    asyncio.run(main())


def test_what_the_client_signs_otherwise_is_signed_by_it() -> None:
    """A header that somebody adds behind the signature, and credentials that are not the client's."""

    def add(request: Any, **_: Any) -> None:
        request.headers["x-added"] = "one"

    def sign_as_another(request: Any, **_: Any) -> None:
        request.context.setdefault("signing", {})["request_credentials"] = AioCredentials("other", "secret")

    async def main(event: str, listener: Any) -> None:
        async with connection({}) as (client, wire):
            client.meta.events.register(event, listener)
            for key in ("first", "second"):
                await direct.get_object(client, {"Bucket": "bucket", "Key": key})
            assert not quick(client)
            first, second = (shape(request) for request in wire.sent)
            assert second[2] == first[2]
            assert ("other/" in str(wire.sent[-1].headers["Authorization"])) == (listener is sign_as_another)

    asyncio.run(main("request-created", add))  # the last to be called
    asyncio.run(main("before-sign.s3.GetObject", sign_as_another))


def test_each_bucket_and_each_payer_has_a_first_request_of_its_own() -> None:
    async def main() -> None:
        async with connection({}) as (client, wire):
            for arguments in ({"Bucket": "one"}, {"Bucket": "two"}, {"Bucket": "one", "RequestPayer": "requester"}):
                await direct.get_object(client, arguments | {"Key": "k"})
                await direct.get_object(client, arguments | {"Key": "k"})
            assert len(direct._kept[client]) == 3
            assert [request.url.split("/")[2].split(".")[0] for request in wire.sent[::2]] == ["one", "two", "one"]

    asyncio.run(main())


def test_a_client_of_the_callers_own_is_left_as_it_is() -> None:
    async def main() -> None:
        async with connection({}) as (client, wire):
            del direct._kept[client]
            await direct.get_object(client, {"Bucket": "bucket", "Key": "k"})
            await direct.get_object(client, {"Bucket": "bucket", "Key": "k"})
            assert client not in direct._kept
            assert len(wire.sent) == 2

    asyncio.run(main())


def test_a_bucket_that_moved_to_another_region_is_found_there_again() -> None:
    async def main() -> None:
        async with connection({}) as (client, wire):
            await direct.get_object(client, {"Bucket": "bucket", "Key": "k"})
            wire.moved = "us-west-2"
            answer = await direct.get_object(client, {"Bucket": "bucket", "Key": "k"})
            assert answer["ETag"] == ETAG
            before = len(wire.sent)
            await direct.get_object(client, {"Bucket": "bucket", "Key": "other"})
            assert [request.url for request in wire.sent[before:]] == [
                "https://bucket.s3.us-west-2.amazonaws.com/other"
            ]

    asyncio.run(main())


def test_what_is_asked_for_by_the_client_itself_is_not_kept() -> None:
    async def main() -> None:
        async with connection({"response_checksum_validation": "when_supported"}) as (client, wire):
            await direct.get_object(client, {"Bucket": "bucket", "Key": "k"})
            assert direct._kept[client] == {}  # it has a header that the arguments do not have
            await direct.get_object(client, {"Bucket": "bucket", "Key": "k"})
            assert shape(wire.sent[0]) == shape(wire.sent[1])

    asyncio.run(main())


@contextlib.asynccontextmanager
async def real(url: str) -> AsyncIterator[Any]:
    """A client on a real server, which makes requests from earlier ones."""
    config = AioConfig(
        http_session_cls=transport(),
        s3={"addressing_style": "path"},
        response_checksum_validation="when_required",
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
    options = {"region_name": "eu-central-1", "aws_access_key_id": "id", "aws_secret_access_key": "secret"}
    async with AioSession().create_client("s3", endpoint_url=url, config=config, **options) as client:
        direct.watch(client)
        yield client


def drop(answer: dict[str, Any]) -> None:
    """Close the body of an answer; aiobotocore's own is of another kind in its version 2."""
    getattr(answer["Body"], "raw_stream", answer["Body"]).close()


ERRORS = [(403, "AccessDenied"), (404, "NoSuchKey"), (412, "PreconditionFailed"), (416, "InvalidRange")]
ERRORS += [(429, "TooManyRequests"), (500, "InternalError"), (501, "NotImplemented"), (503, "SlowDown")]


@pytest.mark.parametrize(("status", "code"), ERRORS)
def test_an_error_is_the_clients_own(status: int, code: str) -> None:
    async def main(url: str) -> None:
        async with real(url) as client:
            answer = await direct.get_object(client, {"Bucket": "bkt", "Key": "k"})
            assert await answer["Body"].read() == b"data"
            assert direct._kept[client]
            server.fault(Fault(kind=Kind.STATUS, status=status, code=code, times=None))
            with pytest.raises(botocore.exceptions.ClientError) as own:
                await client.get_object(Bucket="bkt", Key="k")
            with pytest.raises(botocore.exceptions.ClientError) as ours:
                await direct.get_object(client, {"Bucket": "bkt", "Key": "k"})
            assert type(ours.value).__name__ == type(own.value).__name__
            assert ours.value.response["Error"] == own.value.response["Error"]
            metadata = [error.value.response["ResponseMetadata"]["HTTPStatusCode"] for error in (ours, own)]
            assert metadata == [status, status]

    with FaultServer() as server:
        server.put("bkt", "k", b"data")
        asyncio.run(main(server.url))


def test_an_answer_of_another_status_is_an_answer_as_from_the_client_itself() -> None:
    """A proxy that changes something says 203; whether that fits is for others to judge."""

    async def main(url: str) -> None:
        async with real(url) as client:
            drop(await direct.get_object(client, {"Bucket": "bkt", "Key": "k"}))
            for status in (201, 203, 204):
                server.fault(Fault(kind=Kind.ANSWER, status=status, times=2))
                own = await client.get_object(Bucket="bkt", Key="k")
                ours = await direct.get_object(client, {"Bucket": "bkt", "Key": "k"})
                found = [answer["ResponseMetadata"]["HTTPStatusCode"] for answer in (own, ours)]
                assert found == [status, status]

    with FaultServer() as server:
        server.put("bkt", "k", b"data")
        asyncio.run(main(server.url))


def test_an_answer_has_the_fields_of_the_clients_own() -> None:
    async def main(url: str) -> None:
        async with real(url) as client:
            arguments = {"Bucket": "bkt", "Key": "k", "ChecksumMode": "ENABLED"}
            own = await direct.get_object(client, arguments)
            own.pop("Body").close()
            ours = await direct.get_object(client, arguments)
            assert await ours.pop("Body").raw_stream.read() == b"data"
            assert own.keys() - ours.keys() <= {"Metadata"}
            for name in ours.keys() - {"ResponseMetadata"}:
                assert ours[name] == own[name]
            assert ours["ChecksumCRC32"]

    with FaultServer() as server:
        server.put("bkt", "k", b"data", checksum="crc32")
        asyncio.run(main(server.url))


def test_what_arrives_is_what_the_clients_own_sends() -> None:
    async def main(url: str) -> None:
        async with real(url) as client:
            for key in ("first", "plain", "Ünd so + weiter%20~.pkl"):
                server.put("bkt", key, b"data")
                arguments = {"Bucket": "bkt", "Key": key, "Range": "bytes=0-1", "ChecksumMode": "ENABLED"}
                drop(await direct.get_object(client, arguments))
                (await client.get_object(**arguments)).pop("Body").close()

    with FaultServer() as server:
        asyncio.run(main(server.url))
    for ours, own in zip(server.requests[2::2], server.requests[3::2], strict=True):
        assert (ours.method, ours.key, ours.query) == (own.method, own.key, own.query)
        assert ours.headers.keys() == own.headers.keys()
        different = {name for name in ours.headers if ours.headers[name] != own.headers[name]}
        assert different <= {*VARYING, "amz-sdk-request"}
        assert ours.headers["accept-encoding"] == "identity"


FAILURES = {
    "reset": Fault(kind=Kind.RESET_EARLY, times=None),
    "closed": Fault(kind=Kind.SILENT, seconds=0.0, times=None),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_on_the_way_is_called_as_aiobotocore_calls_it(failure: str) -> None:
    async def main(url: str) -> None:
        async with real(url) as client:
            answer = await direct.get_object(client, {"Bucket": "bkt", "Key": "k"})
            assert await answer["Body"].read() == b"data"
            server.fault(FAILURES[failure])
            with pytest.raises(botocore.exceptions.BotoCoreError) as own:
                await client.get_object(Bucket="bkt", Key="k")
            with pytest.raises(botocore.exceptions.BotoCoreError) as ours:
                await direct.get_object(client, {"Bucket": "bkt", "Key": "k"})
            assert type(ours.value) is type(own.value)
            assert type(ours.value.kwargs["error"]) is type(own.value.kwargs["error"])

    with FaultServer() as server:
        server.put("bkt", "k", b"data")
        asyncio.run(main(server.url))
