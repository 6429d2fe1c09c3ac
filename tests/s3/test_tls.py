"""TLS, of a real server on loopback: certificates that are not trusted, or for others, and files of them.

``certificate.pem`` is self-signed, for 127.0.0.1 until 2126, with its key; both are of these tests alone:
``openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -addext subjectAltName=IP:127.0.0.1 ...``.
"""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from botocore.httpsession import DEFAULT_CA_BUNDLE

import aios3_nb
from tests.faults.fault import Kind
from tests.faults.server import FaultServer

CERTIFICATE = Path(__file__).with_name("certificate.pem")


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what was put, or else with the object ``[1]``; each request has a connection of its own."""

    protocol_version = "HTTP/1.1"  # which says that a PUT may go on
    timeout = 20
    put: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        self.wfile.write(self._begin(self.put.get(self.path, b"[1]")))

    def do_HEAD(self) -> None:
        self._begin(self.put.get(self.path, b"[1]"))

    def do_PUT(self) -> None:
        self.put[self.path.partition("?")[0]] = self.rfile.read(int(self.headers["Content-Length"]))
        self._begin(b"")

    def _begin(self, body: bytes) -> bytes:
        self.send_response(200)
        for name, value in {"Content-Length": str(len(body)), "ETag": '"0123"', "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        return body

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """Counts connections; one whose other end does not like its certificate is no news."""

    connections = 0

    def process_request(self, *args: object) -> None:
        self.connections += 1
        super().process_request(*args)

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with that certificate, as the endpoint; with credentials."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "t",
        "AWS_SECRET_ACCESS_KEY": "t",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        monkeypatch.setenv("AIOS3_NB_ENDPOINT_URL", f"https://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


CALLS: dict[str, Callable[[], object]] = {
    "load": lambda: aios3_nb.load("s3://b/k.json"),
    "ls": lambda: aios3_nb.ls("s3://b/"),
    "dump": lambda: aios3_nb.dump([1], "s3://b/x.json"),
    "peek": lambda: aios3_nb.peek("s3://b/k.json"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_certificate_that_is_not_trusted_names_the_variable_at_once(tls: Server, call: str) -> None:
    said = r"certificate of https://127\.0\.0\.1:\d+ is not trusted here: self.signed.*AWS_CA_BUNDLE=/path/to/ca\.pem"
    with pytest.raises(aios3_nb.EndpointError, match=said):
        CALLS[call]()
    assert tls.connections <= 2


def test_whoever_names_the_certificate_runs_the_cell_again(tls: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(aios3_nb.EndpointError, match="AWS_CA_BUNDLE"):
        aios3_nb.load("s3://b/k.json")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(CERTIFICATE))
    assert aios3_nb.load("s3://b/k.json") == [1]
    aios3_nb.dump([1], "s3://b/x.json")
    with aios3_nb.open("s3://b/k.json") as file:
        assert file.read() == b"[1]"


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_whoever_mends_the_file_of_certificates_runs_the_cell_again(
    tls: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("".join(Path(DEFAULT_CA_BUNDLE).read_text().partition("-----END CERTIFICATE-----")[:2]))
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(aios3_nb.EndpointError, match="AWS_CA_BUNDLE"):
        aios3_nb.load("s3://b/k.json")
    path.write_text(CERTIFICATE.read_text())
    assert aios3_nb.load("s3://b/k.json") == [1]


def test_a_certificate_for_another_name_says_so(tls: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(CERTIFICATE))
    with pytest.raises(aios3_nb.EndpointError, match="is for another name: Hostname mismatch") as caught:
        aios3_nb.load("s3://b/k.json", endpoint_url=f"https://localhost:{tls.server_port}")
    assert "AWS_CA_BUNDLE" not in str(caught.value)


def test_a_server_without_tls_is_called_so(tls: Server) -> None:
    with Server(("127.0.0.1", 0), Handler) as plain:
        thread = threading.Thread(target=plain.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with pytest.raises(aios3_nb.EndpointError, match=r"answered without TLS: it may be http://"):
                aios3_nb.load("s3://b/k.json", endpoint_url=f"https://127.0.0.1:{plain.server_port}")
        finally:
            plain.shutdown()
            thread.join()


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), ("no certificate", "it has no certificate")])
def test_a_file_of_certificates_that_cannot_be_read_is_named(
    tls: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, why: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
    with pytest.raises(aios3_nb.EndpointError, match=rf"AWS_CA_BUNDLE=.*ca\.pem names cannot be read: {why}"):
        aios3_nb.load("s3://b/k.json")
    assert tls.connections == 0


class Sniffing(Server):
    """Speaks TLS to who does, and has one answer for all others."""

    answer = b""

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        if request.recv(1, socket.MSG_PEEK) == b"\x16":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            with context.wrap_socket(request, server_side=True):
                return
        request.recv(65536)
        request.sendall(self.answer)


PAGE = b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"
ANSWERS = {
    "nginx": b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(PAGE), PAGE),
    "Go": b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
    "an alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "none": b"",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_plain_http_to_a_port_of_tls_is_told_to_be_https(
    tls: Server, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(Sniffing, "answer", ANSWERS[answer])
    with Sniffing(("127.0.0.1", 0), Handler) as server:
        monkeypatch.setenv("AIOS3_NB_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            for call in CALLS:
                before = server.connections
                with pytest.raises(aios3_nb.EndpointError) as caught:
                    CALLS[call]()
                assert "speaks TLS, and was spoken to without: write https:// in endpoint_url." in str(caught.value)
                assert server.connections - before <= 5  # two tries, each twice by aiohttp, and that of the handshake
        finally:
            server.shutdown()
            thread.join()


def test_a_connection_that_is_closed_without_an_answer_says_nothing_of_tls(faulty: FaultServer) -> None:
    faulty.put("b", "k.json", b"[1]")
    faulty.fault(Kind.RESET_EARLY, times=2)
    assert aios3_nb.load("s3://b/k.json") == [1]
    faulty.fault(Kind.RESET_EARLY, times=None)
    with pytest.raises(aios3_nb.DownloadError):
        aios3_nb.load("s3://b/k.json", retries=3, retry_wait=0.01)
