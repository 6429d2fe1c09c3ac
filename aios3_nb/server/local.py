"""The embedded S3 server: SeaweedFS on loopback, for ``%s3demo``, the demo, the notebooks and the tests.

    owner (notebook, test run) --pipe--> supervisor --> weed server -s3

The supervisor (`supervisor.py`) stops the server and removes its data when the owner ends, killed or not, unless other
kernels use it still (`sharing.py`). All ports
are free ones on 127.0.0.1 and the credentials random, so that any number of servers run side by side. Loopback is
all the protection there is: SeaweedFS's inner ports take orders from every user of this machine.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aios3_nb.errors import EndpointError
from aios3_nb.server import seaweedfs, sharing
from aios3_nb.server.seaweedfs import Endpoint
from aios3_nb.server.session import release
from aios3_nb.server.supervision import Supervision

START_TIMEOUT = 120.0
"""SeaweedFS takes 3 to 4 seconds; 5 more when its volume server was quicker than its master and tries again; and all
of it several times as long on a busy machine. One that ends while starting is noticed at once."""

_TRY_SECONDS = 3.0
"""For one of many requests to a server that starts: another process may have taken the port, and say nothing."""

_PATIENCE = 30.0
"""For the one request by which a server counts as gone, with all that was stored there. Where none listens, it is
refused at once; one that listens may be busy."""

ATTEMPTS = 4
"""Starts on new ports, should another process take one between our choice and the server's bind."""

_NOT_RUNNING = "The embedded S3 server is not running. Start it with %s3demo."
_MARK = "AIOS3_NB_LOCAL_SERVER"
"""Variable with the URL of an embedded server, by which a child process knows that the endpoint is one."""


class LocalServer:
    """One SeaweedFS, owned by this process: a context manager, or `start` and `stop`; usable from any thread.

    Args:
        endpoint: That of a server which another process owns, and which `start` and `stop` leave alone.
    """

    def __init__(self, endpoint: Endpoint | None = None) -> None:
        self._lock = threading.RLock()
        self._folder: Path | None = None
        self._supervision: Supervision | None = None
        self._ports: dict[str, int] = {}
        self._endpoint = endpoint

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
        """Whether this process has started the server, and it has not ended since."""
        with self._lock:
            return self._supervision is not None and self._supervision.ask("poll") == "running"

    @property
    def started(self) -> bool:
        """Whether there is an `endpoint`."""
        return self._endpoint is not None

    @property
    def endpoint(self) -> Endpoint:
        """Address and credentials.

        Raises:
            EndpointError: The server was not started, or was stopped.
        """
        if self._endpoint is None:
            raise EndpointError(_NOT_RUNNING)
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
            _MARK: endpoint.url,
            # A company's proxy cannot reach this machine's loopback.
            "NO_PROXY": _with_loopback(os.environ.get("NO_PROXY")),
            "no_proxy": _with_loopback(os.environ.get("no_proxy") or os.environ.get("NO_PROXY")),
        }

    def client(self) -> Any:
        """Return a synchronous botocore client, as administrator; the caller closes it."""
        return seaweedfs.client_of(self.endpoint, read_timeout=60)

    def start(self) -> Self:
        """Start the server, empty, and return when it answers; does nothing when it was started already.

        Raises:
            MissingPackageError: SeaweedFS is not installed.
            EndpointError: It does not answer; the message has the end of its log.
        """
        with self._lock:
            if self._endpoint is not None:
                return self
            weed = seaweedfs.program()
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
            if self._supervision is None or not self._supervision.is_ours:
                return
            release(self)
            atexit.unregister(self.stop)
            has_ended = self._supervision.end()
            self._supervision = self._endpoint = None
            if has_ended and self._folder is not None:  # gone already, unless somebody has killed the supervisor
                shutil.rmtree(self._folder, ignore_errors=True)

    def share(self) -> None:
        """Let the user's other kernels use the server, too; it then ends with the last of them."""
        with self._lock:
            if (path := sharing.note()) is not None:
                self._ask(sharing.order(path, self.endpoint))

    def _launch(self, weed: Path) -> None:
        # A short name: the sockets in it may have some 100 characters in all, and macOS's prefix takes 50.
        self._folder = folder = Path(tempfile.mkdtemp(prefix="aios3-"))
        self._ports = seaweedfs.free_ports()
        self._endpoint = Endpoint(
            url=f"http://127.0.0.1:{self._ports['s3']}",
            access_key=f"LOCAL{secrets.token_hex(8).upper()}",
            secret_key=secrets.token_urlsafe(30),
        )
        argv = [str(weed), *seaweedfs.configure(folder, self._endpoint, self._ports)]
        self._supervision = Supervision(
            argv, folder=folder, leftovers=seaweedfs.sockets(self._ports), environment=_environment()
        )
        atexit.register(self.stop)
        self._ask("start")

    def _wait_until_ready(self) -> None:
        """Return when the server answers a signed request and has somewhere to store and to read.

        Raises:
            EndpointError: It ended, or does not answer within `START_TIMEOUT`.
        """
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._ask("poll") != "running":
                raise _EndedEarlyError(self._failure("ended while starting"))
            if seaweedfs.has_storage(self._ports["master"]) and seaweedfs.answers(self.endpoint, patience=_TRY_SECONDS):
                return
            time.sleep(0.05)
        raise EndpointError(self._failure(f"did not answer within {START_TIMEOUT:.0f} s"))

    def _ask(self, order: str) -> str:
        if self._supervision is None:
            raise EndpointError(_NOT_RUNNING)
        if answer := self._supervision.ask(order):
            return answer
        raise EndpointError(self._failure("was ended by somebody else"))

    def _failure(self, what: str) -> str:
        log = self._supervision.last_words() if self._supervision else ""
        return f"The embedded S3 server {what}. The end of its log:{log}"


class _EndedEarlyError(EndpointError):
    """The server ended while starting, most likely for a port that another process took meanwhile."""


_shared = LocalServer()
_kept: socket.socket | None = None
"""By this the supervisor of another's server knows that it is used here; it closes with the process."""


def shared_server() -> LocalServer:
    """Return the server of the user's kernels: the parent's if that has pointed us at its own, or that of another.

    The first that wants one starts it; it ends with the last.

    Raises:
        MissingPackageError: SeaweedFS is not installed.
        EndpointError: It does not answer.
    """
    global _shared
    if _shared.started and not _shared.running and not _is_there(_shared.endpoint):
        release(_shared)
        _shared.stop()
        _shared = LocalServer()  # it was another's and has gone, or was killed
    if not _shared.started:
        _shared = _found() or LocalServer()
    if not _shared.started:
        _shared.start().share()
    return _shared


def _found() -> LocalServer | None:
    """Return the server of another process that this one may use."""
    global _kept
    if (endpoint := _inherited()) is not None:
        return LocalServer(endpoint)
    if (joined := sharing.join()) is not None:
        endpoint, _kept = joined
        return LocalServer(endpoint)
    return None


def _inherited() -> Endpoint | None:
    """Return the embedded server that this process's environment points at; None when there is none that answers."""
    url = os.environ.get(_MARK)
    if not url or url != os.environ.get("AWS_ENDPOINT_URL_S3"):
        return None
    access_key, secret_key = (os.environ.get(f"AWS_{name}", "") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
    endpoint = Endpoint(url, access_key, secret_key)
    return endpoint if _is_there(endpoint) else None


def _is_there(endpoint: Endpoint) -> bool:
    return seaweedfs.answers(endpoint, patience=_PATIENCE)


def _environment() -> dict[str, str]:
    """Return this process's environment without AWS's and SeaweedFS's variables, which would change who may log in."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WEED_"))}
    return inherited | seaweedfs.ENVIRONMENT


def _with_loopback(hosts: str | None) -> str:
    return ",".join(filter(None, [hosts, "127.0.0.1"])) if "127.0.0.1" not in (hosts or "") else str(hosts)
