"""Answers that HTTP allows and S3 itself does not give: no ranges, no length. The object is read from its start."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest

import aios3_nb
from aios3_nb import errors
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer

BODY = bytes(itertools.islice(itertools.cycle(range(251)), 3 << 20)) * 8
REFUSALS = [(501, "NotImplemented"), (400, "InvalidArgument"), (400, "InvalidRequest"), (416, "InvalidRange")]


@pytest.fixture(params=REFUSALS, ids=lambda refusal: f"{refusal[0]} {refusal[1]}")
def refusing(request: pytest.FixtureRequest, faulty: FaultServer) -> FaultServer:
    """A server that has an object of 24 MiB and refuses every range."""
    status, code = request.param
    faulty.put("b", "k.bin", BODY, checksum="crc32")
    faulty.fault(Fault(kind=Kind.RANGE_REFUSED, status=status, code=code, times=None))
    return faulty


def test_the_whole_is_loaded(refusing: FaultServer) -> None:
    assert aios3_nb.load("s3://b/k.bin", format="bytes") == BODY
    whole = [request for request in refusing.requests if "range" not in request.headers and request.method == "GET"]
    assert len(whole) <= 2


def test_a_file_is_read_at_any_place(refusing: FaultServer) -> None:
    with aios3_nb.open("s3://b/k.bin") as file:
        assert file.read(9) == BODY[:9]
        file.seek(20 << 20)
        assert file.read(1000) == BODY[20 << 20 :][:1000]
        file.seek(-5, 2)
        assert file.read() == BODY[-5:]
        file.seek(5)
        assert file.read(5) == BODY[5:10]


def test_a_read_that_was_cancelled_takes_no_byte_from_the_next(faulty: FaultServer) -> None:
    """There the one body is read on."""
    cut = len(BODY) - 10_000  # what comes after it fits into the buffers of the sockets
    faulty.put("b", "k.bin", BODY, checksum="crc32")
    faulty.fault(Fault(kind=Kind.RANGE_REFUSED, status=501, code="NotImplemented", times=None))

    async def main() -> bytes:
        into = bytearray(len(BODY))
        with aios3_nb.open("s3://b/k.bin") as file:
            with faulty.holding("k.bin", at=cut):
                reading = asyncio.create_task(file.areadinto(into))
                while into[cut - 4 : cut] != BODY[cut - 4 : cut]:
                    await asyncio.sleep(0.001)
                reading.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await reading
            while not faulty.requests[-1].done:
                await asyncio.sleep(0.001)
            for _ in range(10):  # times that the loop looks what has come
                await asyncio.sleep(0)
            file.seek(cut)
            return await file.aread()

    assert asyncio.run(main()) == BODY[cut:]
    assert faulty.gets().count(None) == 1


def test_what_is_wrong_without_a_range_is_told(faulty: FaultServer) -> None:
    faulty.put("b", "k.bin", BODY)
    faulty.fault(Fault(kind=Kind.STATUS, status=400, code="InvalidArgument", times=None))
    with pytest.raises(errors.S3Error, match="InvalidArgument"), aios3_nb.open("s3://b/k.bin") as file:
        file.read(1)
    assert len(faulty.requests) <= 3


# ---- bodies without a length


@pytest.fixture(params=[0, 5, 3_000_000, len(BODY)], ids=lambda size: f"{size} bytes")
def chunked(request: pytest.FixtureRequest, faulty: FaultServer) -> bytes:
    """An object that comes in chunks, whatever is asked for."""
    faulty.put("b", "k.bin", BODY[: request.param])
    faulty.fault(Fault(kind=Kind.RANGE_IGNORED, times=None))
    faulty.fault(Fault(kind=Kind.CHUNKED, times=None))
    return BODY[: request.param]


def test_a_body_without_a_length_is_loaded_to_its_end(chunked: bytes) -> None:
    assert aios3_nb.load("s3://b/k.bin", format="bytes") == chunked


def test_a_file_without_a_length_is_read_at_any_place(chunked: bytes) -> None:
    with aios3_nb.open("s3://b/k.bin") as file:
        assert file.read(3) == chunked[:3]
        assert file.read() == chunked[3:]
        file.seek(2)
        assert file.read() == chunked[2:]


def test_a_body_without_a_length_that_breaks_is_never_a_short_object(faulty: FaultServer) -> None:
    faulty.put("b", "k.bin", BODY)
    faulty.fault(Fault(kind=Kind.CHUNKED_CUT, times=None))
    with pytest.raises(errors.DownloadError):
        aios3_nb.load("s3://b/k.bin", format="bytes", retries=2, retry_wait=0.01)


def test_a_body_without_a_length_that_breaks_once_is_asked_for_again(faulty: FaultServer) -> None:
    faulty.put("b", "k.bin", BODY)
    faulty.fault(Fault(kind=Kind.CHUNKED_CUT, times=1))
    faulty.fault(Fault(kind=Kind.CHUNKED, first=2, times=None))
    assert aios3_nb.load("s3://b/k.bin", format="bytes") == BODY


def test_a_body_without_a_length_is_bounded(faulty: FaultServer) -> None:
    faulty.put("b", "k.bin", BODY)
    faulty.fault(Fault(kind=Kind.CHUNKED, times=None))
    with pytest.raises(errors.TooLargeError):
        aios3_nb.load("s3://b/k.bin", format="bytes", max_bytes=1_000_000)


@pytest.fixture(params=[0, 5, 3_000_000, len(BODY)], ids=lambda size: f"{size} bytes")
def closing(request: pytest.FixtureRequest, faulty: FaultServer) -> bytes:
    """An object whose end is that of the connection, whatever is asked for; only a HEAD says how long it is."""
    faulty.put("b", "k.bin", BODY[: request.param])
    faulty.fault(Fault(kind=Kind.RANGE_IGNORED, times=None))
    faulty.fault(Fault(kind=Kind.UNTOLD, times=None))
    return BODY[: request.param]


@pytest.fixture
def asked(faulty: FaultServer) -> Callable[[], list[str]]:
    return lambda: [request.method for request in faulty.requests]


def test_a_body_that_ends_with_the_connection_is_loaded_where_a_head_says_how_long_it_is(
    closing: bytes, asked: Callable[[], list[str]]
) -> None:
    assert aios3_nb.load("s3://b/k.bin", format="bytes") == closing
    assert asked() == ["GET", "HEAD"]


def test_ranges_that_end_with_the_connection_say_themselves_how_long_they_are(
    faulty: FaultServer, asked: Callable[[], list[str]]
) -> None:
    faulty.put("b", "k.bin", BODY)
    faulty.fault(Fault(kind=Kind.UNTOLD, times=None))
    with aios3_nb.open("s3://b/k.bin") as file:
        file.seek(20_000_000)
        assert file.read(1000) == BODY[20_000_000:][:1000]
    assert "HEAD" not in asked()


@pytest.mark.parametrize(
    "head",
    [Fault(kind=Kind.STATUS, method="HEAD", status=405, code="MethodNotAllowed", times=None),
     Fault(kind=Kind.UNTOLD, method="HEAD", times=None)],
    ids=["refused", "without a length"],
)  # fmt: skip
def test_a_body_of_which_nothing_says_how_long_it_is_is_refused_at_once(
    faulty: FaultServer, head: Fault, asked: Callable[[], list[str]]
) -> None:
    faulty.put("b", "k.bin", BODY)
    faulty.fault(Fault(kind=Kind.UNTOLD, times=None))
    faulty.fault(head)
    with pytest.raises(errors.ProtocolError, match="neither how long the object is nor where it ends, and a HEAD"):
        aios3_nb.load("s3://b/k.bin", format="bytes")
    assert asked() == ["GET", "HEAD"]


def test_a_head_that_says_less_than_comes_is_not_believed(faulty: FaultServer) -> None:
    """As from proxies that say ``Content-Length: 0`` to every HEAD."""
    faulty.put("b", "k.bin", BODY[:5000])
    faulty.fault(Fault(kind=Kind.UNTOLD, times=None))
    headers = {"Content-Length": "0", "ETag": faulty.store.find("b", "k.bin", None).etag}
    faulty.fault(Fault(kind=Kind.ANSWER, method="HEAD", status=200, headers=headers, times=None))
    with pytest.raises(errors.ProtocolError, match="the object has 0 bytes"):
        aios3_nb.load("s3://b/k.bin", format="bytes", retry_wait=0.01)


def test_a_look_works_without_ranges(refusing: FaultServer) -> None:
    refusing.put("b", "k.json", b'{"a": 1}')
    assert aios3_nb.peek("s3://b/k.json").rows()[-1] == ("a", "number, 1")
