"""What is no S3 is called so at its first answer; what HTTP allows is no reason to refuse."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

import aios3_nb
from tests.faults.fault import Kind
from tests.faults.server import FaultServer

PAGES = {
    "a console": (b"<!doctype html><html><head><title>MinIO Console</title></head></html>", "an HTML page"),
    "a login page": (b"\n <!-- portal --> <HTML><body>Log in", "an HTML page"),
    "XHTML": (
        b'\xef\xbb\xbf<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0"><html/>',
        "an HTML page",
    ),
    "an API's error": (b'{"message": "Missing Authentication Token"}', "JSON"),
}


def _read() -> None:
    with aios3_nb.open("s3://b/k") as file:
        file.read()


def _seek() -> None:
    with aios3_nb.open("s3://b/k") as file:
        file.seek(0, 2)


CALLS: dict[str, Callable[[], Any]] = {
    "ls": lambda: aios3_nb.ls("s3://b/"),
    "ls of buckets": aios3_nb.ls,
    "load": lambda: aios3_nb.load("s3://b/table.csv"),
    "load by glob": lambda: aios3_nb.load("s3://b/*.csv"),
    "open": _read,
    "seek": _seek,
    "peek": lambda: aios3_nb.peek("s3://b/k.pkl"),
    "iterate": lambda: list(aios3_nb.iterate("s3://b/k.jsonl")),
    "dump": lambda: aios3_nb.dump([1], "s3://b/k.json"),
    "dump in parts": lambda: aios3_nb.dump("x" * (12 << 20), "s3://b/k.json", part_size="5M"),
}


def _answer(faulty: FaultServer, data: bytes, status: int = 200, **headers: str) -> None:
    for key in (None, ""):
        faulty.fault(Kind.ANSWER, method="", key=key, times=None, status=status, data=data, headers=headers)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("page", "status"), [(page, 200) for page in PAGES] + [("a console", 403), ("a login page", 404)]
)
def test_an_endpoint_that_is_no_s3_is_called_so_at_once(faulty: FaultServer, call: str, page: str, status: int) -> None:
    data, kind = PAGES[page]
    _answer(
        faulty, data, status, **{"Content-Type": "application/json" if kind == "JSON" else "text/html; charset=UTF-8"}
    )
    with pytest.raises(aios3_nb.EndpointError, match=f"no S3 endpoint: it answered {kind}") as caught:
        CALLS[call]()
    assert len(faulty.requests) <= 2
    assert "endpoint_url" in str(caught.value)
    if b"<title>" in data and call == "ls":
        assert "MinIO Console" in str(caught.value)


def test_a_page_of_a_balancer_before_a_busy_s3_passes(faulty: FaultServer) -> None:
    faulty.put("b", "k.json", b"[1]")
    page = b"<html><body>503 Service Unavailable</body></html>"
    faulty.fault(Kind.ANSWER, status=503, data=page, headers={"Content-Type": "text/html"})
    assert aios3_nb.load("s3://b/k.json") == [1]


def test_pages_and_json_in_a_bucket_are_objects(faulty: FaultServer) -> None:
    page = b"<!doctype html><p>hello"
    for key, kind in (("page.html", "text/html"), ("page.HTM", "text/html"), ("site/x.xhtml", "application/xhtml+xml")):
        faulty.put("b", key, page, headers={"Content-Type": kind})
        assert aios3_nb.load(f"s3://b/{key}", format="bytes") == page
    faulty.put("b", "other", page, headers={"Content-Type": "text/html", "x-amz-request-id": "1"})
    assert aios3_nb.load("s3://b/other", format="bytes") == page
    faulty.put("b", "k.json", b'{"a": 1}', headers={"Content-Type": "application/json"})
    assert aios3_nb.load("s3://b/k.json") == {"a": 1}


ODD_HEADERS = {
    "Latin-1": {"x-amz-meta-name": "Caf\xe9"},
    "Latin-1, long": {"x-amz-meta-a": "\xfcber", "x-amz-meta-b": "Gr\xf6\xdfe \xa9"},
    "Latin-1 in a type": {"Content-Type": "text/plain; name=\xe4"},
    "no time": {"Last-Modified": "yesterday"},
    "an empty time": {"Last-Modified": ""},
    "a time of another kind": {"Last-Modified": "2024-13-45T99:00:00Z"},
    "a year too far": {"Last-Modified": "Mon, 01 Jan 99999 00:00:00 GMT"},
    "no number": {"x-amz-missing-meta": "some", "x-amz-mp-parts-count": "", "x-amz-tagging-count": "-"},
    "expires never": {"Expires": "0"},
    "expires oddly": {"Expires": "Thu, 99 Foo 2030 00:00:00 GMT"},
}


@pytest.mark.parametrize("headers", ODD_HEADERS.values(), ids=ODD_HEADERS)
def test_headers_that_cannot_be_read_are_no_reason_to_refuse(faulty: FaultServer, headers: dict[str, str]) -> None:
    data = json.dumps(list(range(1000))).encode()
    faulty.put("b", "k[1].json", data, headers=headers)
    # Twice each, for the further requests of a bucket are made another way; with a HEAD, by range, and in full.
    for _ in range(2):
        assert aios3_nb.load("s3://b/k[1].json") == list(range(1000))
        assert aios3_nb.peek("s3://b/k[1].json").size == len(data)
        with aios3_nb.open("s3://b/k[1].json") as file:
            assert file.seek(0, 2) == len(data)
    assert {request.status for request in faulty.requests} == {200, 206}


def test_times_in_a_listing_that_cannot_be_read_are_no_reason_to_refuse(faulty: FaultServer) -> None:
    rows = "".join(
        f"<Contents><Key>{n}</Key>{time}<Size>{n}</Size></Contents>"
        for n, time in enumerate(["<LastModified>never</LastModified>", "<LastModified/>", ""])
    )
    _answer(faulty, f"<ListBucketResult>{rows}</ListBucketResult>".encode())
    found = aios3_nb.ls("s3://b/")
    assert [(entry.uri.key, entry.size, entry.last_modified) for entry in found] == [
        (str(n), n, None) for n in range(3)
    ]
    assert "1 B" in str(found)


def test_a_clock_that_is_wrong_is_said_at_once(faulty: FaultServer) -> None:
    for key in (None, ""):
        faulty.fault(Kind.STATUS, method="", key=key, status=403, code="RequestTimeTooSkewed", times=None)
    for call in ("ls", "load", "open", "peek", "dump"):
        before = len(faulty.requests)
        with pytest.raises(aios3_nb.CredentialsError, match="Set the clock"):
            CALLS[call]()
        assert len(faulty.requests) - before <= 2


def test_a_bucket_that_is_elsewhere_nobody_says_where_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway answers every request so; botocore asks for the bucket's region, is answered so, asks again, ..."""

    class Gateway(http.server.BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self) -> None:
            Gateway.asked += 1
            body = b"<Error><Code>PermanentRedirect</Code></Error>" if self.command == "GET" else b""
            self.send_response(301)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Gateway) as server:
        named = {"AWS_ACCESS_KEY_ID": "t", "AWS_SECRET_ACCESS_KEY": "t", "AWS_DEFAULT_REGION": "us-east-1"}
        for name, value in named.items():
            monkeypatch.setenv(name, value)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with pytest.raises(aios3_nb.EndpointError, match="elsewhere, and not in which region"):
                aios3_nb.load(
                    "s3://b/k.json", endpoint_url=f"http://127.0.0.1:{server.server_port}", region="eu-west-1"
                )
        finally:
            server.shutdown()
            thread.join()
    assert Gateway.asked <= 4
