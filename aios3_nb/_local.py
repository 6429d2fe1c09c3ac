"""The embedded S3 server: SeaweedFS on loopback, for ``%s3demo``, the demo, the notebooks and the tests.

    owner (notebook, test run) --pipe--> supervisor --> weed server -s3

The supervisor (`_supervisor`) stops the server and removes its data when the owner ends, killed or not. All ports
are free ones on 127.0.0.1 and the credentials random, so that any number of servers run side by side. Loopback is
all the protection there is: SeaweedFS's inner ports take orders from every user of this machine.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aios3_nb import _seaweedfs, _settings, _supervisor
from aios3_nb._errors import EndpointError
from aios3_nb._seaweedfs import Endpoint

START_TIMEOUT = 40.0
"""SeaweedFS takes 3 to 4 seconds; 5 more when its volume server was quicker than its master and tries again."""

ATTEMPTS = 4
"""Starts on new ports, should another process take one between our choice and the server's bind."""

_LOG_LINES = 12


class LocalServer:
    """One SeaweedFS, owned by this process: a context manager, or `start` and `stop`; usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self._folder: Path | None = None
        self._supervisor: subprocess.Popen[str] | None = None
        self._ports: dict[str, int] = {}
        self._endpoint: Endpoint | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<LocalServer {self._endpoint.url if self._endpoint else 'stopped'}>"

    @property
    def running(self) -> bool:
        """Whether the server was started and has not ended since."""
        with self._lock:
            return self._endpoint is not None and self._ask("poll") == "running"

    @property
    def endpoint(self) -> Endpoint:
        """Address and credentials.

        Raises:
            EndpointError: The server was not started, or was stopped.
        """
        if self._endpoint is None:
            raise EndpointError("The embedded S3 server is not running. Start it with %s3demo.")
        return self._endpoint

    def environ(self) -> dict[str, str]:
        """Return AWS's variables that point boto3, aiobotocore, pandas and this package at the server."""
        endpoint = self.endpoint
        return {
            "AWS_ACCESS_KEY_ID": endpoint.access_key,
            "AWS_SECRET_ACCESS_KEY": endpoint.secret_key,
            "AWS_DEFAULT_REGION": endpoint.region,
            "AWS_REGION": endpoint.region,
            "AWS_ENDPOINT_URL_S3": endpoint.url,
            # A company's proxy cannot reach this machine's loopback.
            "NO_PROXY": _with_loopback(os.environ.get("NO_PROXY")),
            "no_proxy": _with_loopback(os.environ.get("no_proxy") or os.environ.get("NO_PROXY")),
        }

    def client(self) -> Any:
        """Return a synchronous botocore client, as administrator; the caller closes it."""
        return _client(self.endpoint, read_timeout=60)

    def start(self) -> Self:
        """Start the server, empty, and return when it answers; does nothing when it was started already.

        Raises:
            MissingPackageError: SeaweedFS is not installed.
            EndpointError: It does not answer; the message has the end of its log.
        """
        with self._lock:
            if self._endpoint is not None:
                return self
            weed = _seaweedfs.program()
            for attempt in range(ATTEMPTS):
                try:
                    self._launch(weed)
                    self._wait_until_ready()
                    return self
                except _EndedEarlyError:
                    self.stop()
                    if attempt == ATTEMPTS - 1:
                        raise
                except BaseException:
                    self.stop()
                    raise
        return self

    def kill(self) -> None:
        """Kill the server as a crash would; its data stay, and `restart` brings it back."""
        with self._lock:
            self._ask("kill")

    def restart(self) -> None:
        """Kill the server if it runs, and start it on the same ports with the same credentials and data.

        Raises:
            EndpointError: It does not answer.
        """
        with self._lock:
            self._ask("start")
            self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server and remove its data; a session that `use` pointed here is given its own back."""
        with self._lock:
            # A fork of the owner has a copy of this object, and no business with the server.
            if self._supervisor is None or self._owner != os.getpid():
                return
            release(self)
            supervisor, self._supervisor = self._supervisor, None
            folder, self._folder = self._folder, None
            self._endpoint = None
            atexit.unregister(self.stop)
            _dismiss(supervisor)
            if folder is not None:  # gone already, unless somebody has killed the supervisor
                shutil.rmtree(folder, ignore_errors=True)

    def _launch(self, weed: Path) -> None:
        # A short name: the sockets in it may have some 100 characters in all, and macOS's prefix takes 50.
        self._folder = folder = Path(tempfile.mkdtemp(prefix="aios3-"))
        self._owner = os.getpid()
        self._ports = _seaweedfs.free_ports()
        self._endpoint = Endpoint(
            url=f"http://127.0.0.1:{self._ports['s3']}",
            access_key=f"LOCAL{secrets.token_hex(8).upper()}",
            secret_key=secrets.token_urlsafe(30),
        )
        argv = [str(weed), *_seaweedfs.configure(folder, self._endpoint, self._ports)]
        self._supervisor = _supervise(folder, _seaweedfs.sockets(self._ports), argv)
        atexit.register(self.stop)
        self._ask("start")

    def _wait_until_ready(self) -> None:
        """Return when the server answers a signed request and has somewhere to store and to read.

        Raises:
            EndpointError: It ended, or does not answer within `START_TIMEOUT`.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        deadline = time.monotonic() + START_TIMEOUT
        # Short, for it may be the process that took our port which does not answer.
        with contextlib.closing(_client(self.endpoint, read_timeout=3)) as client:
            while time.monotonic() < deadline:
                if self._ask("poll") != "running":
                    raise _EndedEarlyError(self._failure("ended while starting"))
                with contextlib.suppress(BotoCoreError, ClientError, OSError):
                    client.list_buckets()
                    if _seaweedfs.has_storage(self._ports["master"]):
                        return
                time.sleep(0.05)
        raise EndpointError(self._failure(f"did not answer within {START_TIMEOUT:.0f} s"))

    def _failure(self, what: str) -> str:
        log = self._folder / _supervisor.LOG if self._folder else None
        lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:] if log and log.exists() else []
        return "\n  ".join([f"The embedded S3 server {what}. The end of its log:", *lines])

    def _ask(self, order: str) -> str:
        supervisor = self._supervisor
        if supervisor is None or supervisor.stdin is None or supervisor.stdout is None:
            raise EndpointError("The embedded S3 server is not running. Start it with %s3demo.")
        with contextlib.suppress(BrokenPipeError):
            print(order, file=supervisor.stdin, flush=True)
            if answer := supervisor.stdout.readline():
                return answer.strip()
        raise EndpointError(self._failure("was ended by somebody else"))


class _EndedEarlyError(EndpointError):
    """The server ended while starting, most likely for a port that another process took meanwhile."""


_shared = LocalServer()
_used: tuple[LocalServer, dict[str, str | None]] | None = None
"""The server that the session is pointed at, and the variables as they were before."""

_OVERRULING = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AIOS3_NB_PROFILE",
    "AIOS3_NB_NO_SIGN_REQUEST",
)
"""Variables that would send the session elsewhere, or with other credentials, whatever else is set."""


def shared() -> LocalServer:
    """Return this process's server, started on the first call.

    Raises:
        MissingPackageError: SeaweedFS is not installed.
        EndpointError: It does not answer.
    """
    return _shared.start()


def use(server: LocalServer) -> None:
    """Point the session at `server` until it stops or `release` is called.

    The endpoint becomes the session's setting, so that a client made earlier for AWS is not taken for this server's.
    The credentials go where every S3 library looks, the environment: boto3, pandas and subprocesses of the same
    kernel then open the same objects. They are worth nothing elsewhere, and die with the server.
    """
    global _used
    variables = server.environ()
    if _used is not None:
        release(_used[0])
    _used = server, {name: os.environ.get(name) for name in (*variables, *_OVERRULING)}
    for name in _OVERRULING:
        os.environ.pop(name, None)
    os.environ.update(variables)
    endpoint = server.endpoint
    _settings.set_session(endpoint_url=endpoint.url, region=endpoint.region, profile=None, no_sign_request=None)


def release(server: LocalServer) -> None:
    """Give the session back what it had before `use`; does nothing when it is not pointed at `server`."""
    global _used
    if _used is None or _used[0] is not server:
        return
    before, _used = _used[1], None
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _settings.set_session(endpoint_url=None, region=None)


def _supervise(folder: Path, leftovers: list[str], argv: list[str]) -> subprocess.Popen[str]:
    # Variables of AWS and SeaweedFS that are meant for others would change who may log in, and more.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WEED_"))} | _seaweedfs.ENVIRONMENT
    return subprocess.Popen(  # noqa: S603  this interpreter, our own file
        [sys.executable, "-IS", _supervisor.__file__, str(folder), json.dumps(leftovers), *argv],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # The notebook's own would stay open for as long as the supervisor runs, and who reads it would wait.
        stderr=subprocess.DEVNULL,
        text=True,
        # Interrupting the kernel signals its whole process group.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _dismiss(supervisor: subprocess.Popen[str]) -> None:
    """Close the pipe, which ends the server, and wait until its folder is removed."""
    assert supervisor.stdin is not None
    assert supervisor.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        supervisor.stdin.close()
    try:
        supervisor.wait(timeout=10)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
    supervisor.stdout.close()


def _client(endpoint: Endpoint, *, read_timeout: float) -> Any:
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


def _with_loopback(hosts: str | None) -> str:
    return ",".join(filter(None, [hosts, "127.0.0.1"])) if "127.0.0.1" not in (hosts or "") else str(hosts)
