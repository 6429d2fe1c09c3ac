"""Two S3 servers for measuring: nginx that answers like S3 (`configuration`), and SeaweedFS with the same objects."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.configuration import BUCKET, MODULES, SERVERS, SLOW_ONE, configuration, prepare
from tests.benchmarks.samples import PARTS

MISSING = (
    "The benchmark needs nginx with its Lua module as the server to measure against. On Debian or Ubuntu:\n"
    "    apt-get install nginx libnginx-mod-http-lua"
)


@dataclass(frozen=True)
class Request:
    """One line of the server's log: `connection` is its number, and it was open for `took` seconds until `end`."""

    port: int
    method: str
    key: str
    status: int
    bytes: int
    range: str
    connection: int
    end: float
    took: float


@dataclass
class Nginx:
    """A running nginx with each of `SERVERS`: some with the delay and the rate of S3, some with neither.

    Attributes:
        root: The folder whose subfolder `BUCKET` holds the objects.
        urls: Endpoint by name of the server.
        certificate: What a client must trust for ``tls``.
    """

    home: Path
    root: Path
    urls: dict[str, str]
    certificate: Path
    _read: int = field(default=0, repr=False)

    def environment(self, server: str) -> dict[str, str]:
        """Return the variables that point every S3 library at `server`."""
        url = self.urls[server]
        return {
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_CA_BUNDLE": str(self.certificate),
            "SSL_CERT_FILE": str(self.certificate),
            "AWS_S3_VERIFY": "false",  # megfile's own; it trusts no other certificates than botocore's
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def new_requests(self) -> list[Request]:
        """Return what was answered since the last call."""
        time.sleep(0.05)  # a request that was broken off is logged when nginx notices
        with open(self.home / "access.log", "rb") as log:
            log.seek(self._read)
            lines = log.read().splitlines()
            self._read = log.tell()
        return [Request(**json.loads(line)) for line in lines]

    def number_anew(self, server: str) -> None:
        """Have the next connection to `server` have a number that `SLOW_ONE` divides: so the same ones are slow."""
        address = urlsplit(self.urls[server]).netloc
        asked = http.client.HTTPConnection(address)
        asked.request("HEAD", "/")
        asked.getresponse().read()
        asked.close()
        last = self.new_requests()[-1].connection
        for _ in range(-(last + 1) % SLOW_ONE):
            socket.create_connection((asked.host, asked.port)).close()


@contextlib.contextmanager
def nginx(home: Path, root: Path) -> Iterator[Nginx]:
    """Serve what is in ``root/BUCKET`` now; a listing gives all objects of one of its folders, in pages.

    Raises:
        SystemExit: nginx or its Lua module is not installed, or does not start.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None or not (MODULES / "ngx_http_lua_module.so").exists():
        raise SystemExit(MISSING)
    ports = dict(zip(SERVERS, _free_ports(len(SERVERS)), strict=True))
    prepare(home, root)
    (home / "nginx.conf").write_text(configuration(home, root, ports))
    process = subprocess.Popen([program, "-p", str(home), "-c", str(home / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        for port in ports.values():
            _wait_for(port, process, home)
        urls = {name: f"http{'s' if name == 'tls' else ''}://127.0.0.1:{port}" for name, port in ports.items()}
        yield Nginx(home, root, urls, home / "certificate.pem")
    finally:
        process.terminate()
        process.wait(timeout=10)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _wait_for(port: int, process: subprocess.Popen[bytes], home: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    log = home / "error.log"
    raise SystemExit(f"nginx did not start.\n{log.read_text() if log.exists() else ''}")


@contextlib.contextmanager
def seaweedfs(root: Path, keys: list[str]) -> Iterator[dict[str, str]]:
    """Start SeaweedFS with the objects `keys` of ``root/BUCKET``; yield the variables that point at it."""
    import boto3
    from botocore.config import Config

    from aios3_nb.server import LocalServer

    with LocalServer() as server:
        variables = server.environ()
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint.url,
            region_name=server.endpoint.region,
            aws_access_key_id=server.endpoint.access_key,
            aws_secret_access_key=server.endpoint.secret_key,
            config=Config(request_checksum_calculation="when_required"),  # else all have one
        )
        client.create_bucket(Bucket=BUCKET)
        for key in keys:
            algorithm = PARTS.get(key, "crc32").upper()
            extra = {"ChecksumAlgorithm": algorithm} if algorithm else {}
            client.upload_file(str(root / BUCKET / key), BUCKET, key, ExtraArgs=extra)
        client.close()
        yield variables | {"AWS_ENDPOINT_URL": server.endpoint.url}
