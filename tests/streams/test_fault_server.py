"""The misbehaving server behaves where it should, and misbehaves exactly as told."""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import re
import socket
import time
import zlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer

DATA = bytes(range(256)) * 1000
SIZE = len(DATA)
BROKEN = (ConnectionError, http.client.HTTPException)


@pytest.fixture
def faulty() -> Iterator[FaultServer]:
    with FaultServer() as faulty:
        faulty.put("b", "k", DATA, checksum="crc32")
        yield faulty


@pytest.fixture
def ask(faulty):
    """Return a function that sends a request, always on the same connection: status, headers, body."""
    connection = http.client.HTTPConnection(faulty.host, faulty.port, timeout=60)

    def ask(method="GET", path="/b/k", body=None, **headers):
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        try:
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except BROKEN:
            connection.close()  # http.client would read on from a connection it knows to be closed
            raise

    yield ask
    connection.close()


def wait_until_done(faulty: FaultServer) -> None:
    deadline = time.monotonic() + 30
    while not (faulty.requests and all(r.done for r in faulty.requests)) and time.monotonic() < deadline:
        time.sleep(0.005)


# What S3 does


def test_a_plain_get_brings_the_object_and_its_etag(ask):
    status, headers, body = ask()
    assert (status, body, headers["Content-Length"]) == (200, DATA, str(SIZE))
    assert re.fullmatch('"[0-9a-f]{32}"', headers["ETag"])
    assert "x-amz-checksum-crc32" not in headers


def test_a_head_has_the_headers_of_the_get_and_no_body(ask):
    status, headers, body = ask("HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(SIZE))
    assert ask()[0] == 200, "the connection is still good"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("0-9", 0, 10),
        ("100-", 100, SIZE),
        ("-5", SIZE - 5, SIZE),
        (f"10-{SIZE + 99}", 10, SIZE),
        ("-999999999", 0, SIZE),
    ],
)
def test_a_range_brings_those_bytes_and_says_which(ask, asked, start, stop):
    status, headers, body = ask(Range=f"bytes={asked}")
    assert (status, body) == (206, DATA[start:stop])
    assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"


@pytest.mark.parametrize("asked", [f"{SIZE}-", f"{SIZE}-{SIZE + 5}"])
def test_a_range_behind_the_end_is_416(ask, asked):
    assert ask(Range=f"bytes={asked}")[0] == 416


def test_any_range_of_an_empty_object_is_416(faulty, ask):
    faulty.put("b", "empty", b"")
    assert ask(path="/b/empty")[0] == 200
    assert [ask(path="/b/empty", Range=asked)[0] for asked in ("bytes=0-", "bytes=-5")] == [416, 416]


def test_checksums_come_with_whole_objects_when_asked_for_and_never_with_ranges(ask):
    expected = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()
    for method in ("GET", "HEAD"):
        headers = ask(method, x_amz_checksum_mode="ENABLED")[1]
        assert (headers["x-amz-checksum-crc32"], headers["x-amz-checksum-type"]) == (expected, "FULL_OBJECT")
    assert "x-amz-checksum-crc32" not in ask(Range="bytes=0-", x_amz_checksum_mode="ENABLED")[1]


@pytest.mark.parametrize("algorithm", ["crc32c", "crc64nvme", "sha1", "sha256"])
def test_the_other_checksums_are_there_too(faulty, ask, algorithm):
    faulty.put("b", "k", DATA, checksum=algorithm, checksum_type="COMPOSITE", parts=(len(DATA) - 10, 4, 6))
    headers = ask("HEAD", x_amz_checksum_mode="ENABLED")[1]
    assert headers[f"x-amz-checksum-{algorithm}"].endswith("-3")
    assert headers["x-amz-checksum-type"] == "COMPOSITE"


def test_preconditions_are_looked_at(ask):
    etag = ask("HEAD")[1]["ETag"]
    assert [ask(If_Match=wanted)[0] for wanted in (etag, "*", '"other"')] == [200, 200, 412]
    assert [ask(If_None_Match=refused)[0] for refused in (etag, '"other"')] == [304, 200]


@pytest.mark.parametrize(
    ("path", "code"),
    [("/b/none", "NoSuchKey"), ("/none/k", "NoSuchBucket"), ("/b/k?versionId=9", "NoSuchVersion")],
)
def test_what_is_not_there_is_404_with_its_code(ask, path, code):
    status, _, body = ask(path=path)
    assert (status, re.findall(b"<Code>(.*)</Code>", body)) == (404, [code.encode()])


def test_versions_stay_readable_after_a_new_one_and_after_a_delete(faulty, ask):
    for version in ("v1", "v2"):
        faulty.put("b", "v", version.encode(), version_id=version)
    assert ask(path="/b/v")[1]["x-amz-version-id"] == "v2"
    assert ask("DELETE", "/b/v")[0] == 204
    assert ask(path="/b/v")[0] == 404
    assert [ask(path=f"/b/v?versionId={version}")[2] for version in ("v1", "v2")] == [b"v1", b"v2"]


def test_keys_are_percent_decoded(faulty, ask):
    faulty.put("b", "a b/ü?#+", b"x")
    assert ask(path="/b/a%20b/%C3%BC%3F%23%2B")[2] == b"x"


def test_put_stores_also_in_aws_chunks(ask):
    assert ask("PUT", "/b/new", b"hello")[0] == 200
    assert ask(path="/b/new")[2] == b"hello"
    ask(
        "PUT",
        "/b/new",
        b"5;x=y\r\nworld\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n",
        Content_Encoding="aws-chunked",
    )
    assert ask(path="/b/new")[2] == b"world"


def test_listings_come_in_pages_with_folders(faulty, ask):
    for key in ("a/1", "a/2", "b/", "b/3", "c"):
        faulty.put("list", key, b"x")
    page, token, seen = "", "", []
    while not seen or token:
        page = ask(path=f"/list?list-type=2&delimiter=/&max-keys=2&continuation-token={token}")[2].decode()
        seen.append(re.findall("<(?:Key|Prefix)>([^<]+)</", page))
        token = "".join(re.findall("<NextContinuationToken>(.*)</Next", page))
    assert seen == [["a/", "b/"], ["c"]]
    assert re.findall("<Key>([^<]+)</", ask(path="/list?list-type=2&prefix=b/&delimiter=/")[2].decode()) == [
        "b/",
        "b/3",
    ]


# The record


def test_requests_are_recorded_in_order_with_their_ranges(faulty, ask):
    ask("HEAD")
    ask()
    ask(Range="bytes=5-9")
    wait_until_done(faulty)
    assert faulty.gets() == [None, (5, 10)]
    assert [(r.method, r.key, r.status, r.sent) for r in faulty.requests] == [
        ("HEAD", "k", 200, 0),
        ("GET", "k", 200, SIZE),
        ("GET", "k", 206, 5),
    ]
    assert faulty.connections == 1, "the connection was kept"


def test_what_was_sent_before_a_reset_is_not_counted_after_it(faulty):
    for _ in range(20):
        with contextlib.closing(socket.create_connection((faulty.host, faulty.port))) as sent:
            sent.sendall(b"GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n")
            faulty.reset()
            assert sent.recv(1)  # it was read
            assert not faulty.requests


def test_a_client_that_hangs_up_is_noted_with_what_was_sent(faulty):
    faulty.put("b", "large", bytes(64 << 20))
    connection = http.client.HTTPConnection(faulty.host, faulty.port, timeout=60)
    connection.request("GET", "/b/large")
    connection.getresponse().read(1000)
    connection.close()
    wait_until_done(faulty)
    (request,) = faulty.requests
    assert request.client_closed
    assert 1000 <= request.sent < 64 << 20


# The faults


@pytest.mark.parametrize(
    ("kind", "error"), [(Kind.RESET, ConnectionResetError), (Kind.CLOSE, http.client.IncompleteRead)]
)
def test_a_body_breaks_at_its_byte_once(faulty, ask, kind, error):
    faulty.fault(kind, at=100_000)
    with pytest.raises(error) as raised:
        ask(Range="bytes=50000-")
    if kind is Kind.CLOSE:
        assert raised.value.partial == DATA[50_000:100_000]
    assert ask()[2] == DATA, "once, and no more"


def test_a_fault_at_a_byte_touches_only_answers_that_carry_it(faulty, ask):
    faulty.fault(Kind.FLIP, at=1000, times=None)
    assert ask(Range="bytes=0-999")[2] == DATA[:1000]
    assert ask(Range="bytes=1001-")[2] == DATA[1001:]
    assert ask(Range="bytes=1000-1001")[2] == bytes([DATA[1000] ^ 0x10, DATA[1001]])
    changed = [i for i, (a, b) in enumerate(zip(ask()[2], DATA, strict=True)) if a != b]
    assert changed == [1000]


def test_first_and_times_choose_among_the_answers_that_fit(faulty, ask):
    faulty.fault(Kind.STATUS, first=2, times=2)
    assert [ask(method)[0] for method in ("GET", "HEAD", "GET", "GET", "GET")] == [200, 200, 503, 503, 200]


def test_a_status_carries_its_code(faulty, ask):
    faulty.fault(Kind.STATUS, status=403, code="ExpiredToken")
    status, _, body = ask()
    assert (status, b"<Code>ExpiredToken</Code>" in body) == (403, True)


def test_a_body_without_length_ends_early_and_nothing_tells(faulty, ask):
    faulty.fault(Kind.NO_LENGTH, at=5000)
    _, headers, body = ask()
    assert (headers["Content-Length"], body) == (None, DATA[:5000])


def test_a_stall_pauses_the_body_and_then_goes_on(faulty, ask):
    faulty.fault(Kind.STALL, seconds=0.2)
    started = time.monotonic()
    assert ask()[2] == DATA
    assert time.monotonic() - started >= 0.2


def test_a_drip_brings_single_bytes(faulty, ask):
    faulty.fault(Kind.DRIP, at=SIZE - 4, seconds=0.05)
    started = time.monotonic()
    assert ask()[2] == DATA
    assert time.monotonic() - started >= 0.15


def test_a_throttled_body_takes_its_time(faulty, ask):
    faulty.fault(Kind.THROTTLE, rate=SIZE / 0.3)
    faulty.fault(Kind.DELAY, seconds=0.1)
    started = time.monotonic()
    assert ask()[2] == DATA
    assert time.monotonic() - started >= 0.35


def test_silence_ends_by_closing(faulty, ask):
    faulty.fault(Kind.SILENT, seconds=0.1)
    with pytest.raises(http.client.RemoteDisconnected):
        ask()


def test_a_reset_before_the_head(faulty, ask):
    faulty.fault(Kind.RESET_EARLY)
    with pytest.raises(ConnectionResetError):
        ask()
    assert ask()[2] == DATA


def test_stopping_ends_a_silence_at_once():
    with FaultServer() as faulty:
        faulty.put("b", "k", DATA)
        faulty.fault(Kind.SILENT, seconds=60)
        connection = http.client.HTTPConnection(faulty.host, faulty.port, timeout=60)
        connection.request("GET", "/b/k")
        while not faulty.requests:
            time.sleep(0.005)
        started = time.monotonic()
    assert time.monotonic() - started < 30
    with pytest.raises(BROKEN):
        connection.getresponse()


def test_a_client_that_leaves_ends_the_silence(faulty):
    faulty.fault(Kind.SILENT, seconds=60)
    connection = http.client.HTTPConnection(faulty.host, faulty.port, timeout=60)
    connection.request("GET", "/b/k")
    connection.close()
    wait_until_done(faulty)
    assert [(r.status, r.client_closed, r.done) for r in faulty.requests] == [(0, True, True)]


@pytest.mark.parametrize(
    ("kind", "status", "said", "body"),
    [
        (Kind.RANGE_IGNORED, 200, None, DATA),
        (Kind.SHIFTED, 206, (1010, 1110), DATA[1010:1110]),
        (Kind.SHORT, 206, (1000, 1090), DATA[1000:1090]),
        (Kind.LYING, 206, (1010, 1110), DATA[1000:1100]),
        (Kind.OTHER_BYTES, 206, (1000, 1100), DATA[1010:1110]),
        (Kind.NO_CONTENT_RANGE, 206, None, DATA[1000:1100]),
    ],
)
def test_ranges_go_wrong_as_told(faulty, ask, kind, status, said, body):
    faulty.fault(kind, by=10)
    got, headers, came = ask(Range="bytes=1000-1099")
    text = said and f"bytes {said[0]}-{said[1] - 1}/{SIZE}"
    assert (got, headers["Content-Range"], came) == (status, text, body)
    assert headers["Content-Length"] == str(len(body))


def test_an_object_is_replaced_just_before_it_is_looked_up(faulty, ask):
    etag = ask("HEAD")[1]["ETag"]
    faulty.fault(Kind.REPLACE, first=2, data=b"new")
    assert [ask(If_Match=etag)[0] for _ in range(3)] == [200, 412, 412]
    assert ask()[2] == b"new"


def test_a_versioned_object_keeps_its_old_version_when_it_is_replaced(faulty, ask):
    faulty.put("b", "v", b"old", version_id="v1")
    faulty.fault(Kind.REPLACE, data=b"new")
    assert [ask(path=f"/b/v{query}")[2] for query in ("", "?versionId=v1")] == [b"new", b"old"]


def test_an_object_is_deleted_just_before_it_is_looked_up(faulty, ask):
    faulty.fault(Kind.DELETE, first=2)
    assert [ask()[0] for _ in range(3)] == [200, 404, 404]


def test_a_store_may_have_no_etag_refuse_if_match_or_ignore_it(faulty, ask):
    faulty.fault(Kind.NO_ETAG, method="HEAD")
    assert ask("HEAD")[1]["ETag"] is None
    faulty.fault(Kind.NO_IF_MATCH, status=501, code="NotImplemented", times=2)
    assert [ask(If_Match="*")[0], ask()[0]] == [501, 200]
    faulty.reset()
    faulty.fault(Kind.IGNORE_IF_MATCH)
    assert [ask(If_Match='"other"')[0] for _ in range(2)] == [200, 412]


def test_a_redirect_leads_to_another_host_with_the_same_path(faulty, ask):
    faulty.fault(Kind.REDIRECT, status=307, location="http://127.0.0.1:1")
    status, headers, _ = ask()
    assert (status, urlsplit(headers["Location"]).path) == (307, "/b/k")


def test_a_body_may_come_compressed_unasked(faulty, ask):
    faulty.fault(Kind.GZIP)
    _, headers, body = ask()
    assert (headers["Content-Encoding"], gzip.decompress(body)) == ("gzip", DATA)


def test_faults_add_up(faulty, ask):
    faulty.fault(Fault(kind=Kind.FLIP, at=7))
    faulty.fault(Fault(kind=Kind.NO_ETAG))
    _, headers, body = ask()
    assert (headers["ETag"], body[7]) == (None, DATA[7] ^ 0x10)


def test_reset_forgets_faults_and_requests(faulty, ask):
    faulty.fault(Kind.STATUS, times=None)
    assert ask()[0] == 503
    faulty.reset()
    assert faulty.requests == ()
    assert ask()[0] == 200
