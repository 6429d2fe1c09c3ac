"""Fixtures for all tests.

``server``   the embedded S3 server, one for the whole run (3 to 4 s, only when a test wants it)
``s3``       a synchronous boto3 client on it, to prepare and to check
``bucket``   the name of an empty bucket
``put``      stores bytes under a key of it, and returns the URI
``account_home``  an empty folder that is the user's home
``faulty``   a server that misbehaves when told to, with the settings pointed at it
``chromium`` the path of a browser; its absence fails the test
``lab``      JupyterLab in it, see `lab`

No test sees the developer's own AWS configuration. A test that asks for ``server`` (or ``s3``, ``bucket`` or
``put``, which do) has this package's settings and AWS's variables pointed at it.
"""

from __future__ import annotations

import copyreg
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import settings as hypothesis

from aios3_nb import settings
from aios3_nb.pipeline import set_place
from aios3_nb.server import LocalServer
from tests import chromium as browser
from tests.faults.server import FaultServer
from tests.faults.store import Store

BUCKET = "aios3-nb-tests"

pytest_plugins = ["tests.ending", "tests.lab"]

# An example may take as long as a busy machine needs.
hypothesis.register_profile("unhurried", hypothesis.default, deadline=None)
hypothesis.load_profile("unhurried")


@pytest.fixture(autouse=True)
def isolated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any) -> None:
    """Hide the developer's AWS configuration and settings, and what a former test has set."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "AIOS3_NB_"))]:
        monkeypatch.delenv(name)
    empty = str(tmp_path_factory.getbasetemp() / "no-aws-configuration")
    if not os.path.exists(empty):  # written once: a client is made anew when the files it was made from change
        Path(empty).touch()
    monkeypatch.setenv("AWS_CONFIG_FILE", empty)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", empty)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(settings, "_session", {})
    if "server" in request.fixturenames:
        local = request.getfixturevalue("server")
        for name, value in local.environ().items():
            monkeypatch.setenv(name, value)
        settings.set_session(endpoint_url=local.endpoint.url, region=local.endpoint.region)


@pytest.fixture
def account_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the system's list of accounts, and the environment, have for the user's home."""
    pwd = pytest.importorskip("pwd", reason="Windows has no such list, and nothing is trusted by it there")
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    account = pwd.getpwuid(os.getuid())
    monkeypatch.setattr(pwd, "getpwuid", lambda _: pwd.struct_passwd((*account[:5], str(home), account[6])))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return home


@pytest.fixture(autouse=True)
def exceptions_are_pickled_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back what dask.distributed does to the pickling of exceptions, for the whole process, once imported."""
    for kind, reduce in list(copyreg.dispatch_table.items()):
        if (getattr(reduce, "__module__", None) or "").startswith("tblib"):
            monkeypatch.delitem(copyreg.dispatch_table, kind)


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    """The embedded S3 server; a test that kills it must `restart` it."""
    with LocalServer() as local:
        yield local


@pytest.fixture(scope="session")
def s3(server: LocalServer) -> Iterator[Any]:
    """A boto3 client on the embedded server."""
    endpoint = server.endpoint
    client = boto3.session.Session(
        aws_access_key_id=endpoint.access_key,
        aws_secret_access_key=endpoint.secret_key,
        region_name=endpoint.region,
    ).client("s3", endpoint_url=endpoint.url, config=Config(proxies={}, s3={"addressing_style": "path"}))
    # SeaweedFS takes a second for the first object of a bucket, so there is one bucket for all tests.
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    """The name of an empty bucket, the same one for every test."""
    yield BUCKET
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        if keys := [{"Key": entry["Key"]} for entry in page.get("Contents", ())]:
            s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys, "Quiet": True})


@pytest.fixture
def put(s3: Any, bucket: str) -> Callable[[str, bytes], str]:
    """Stores bytes under a key of the empty bucket, and returns the URI."""

    def put(key: str, body: bytes) -> str:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}/{key}"

    return put


@pytest.fixture(scope="session")
def one_server() -> Iterator[FaultServer]:
    """The server that misbehaves when told to, one for the whole run."""
    with FaultServer() as server:
        yield server


@pytest.fixture
def faulty(one_server: FaultServer, isolated: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """That server, empty, with the settings pointed at it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFTHETESTS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # By variables, which other processes inherit, and which a test can take away.
    monkeypatch.setenv("AIOS3_NB_ENDPOINT_URL", one_server.url)
    monkeypatch.setenv("AIOS3_NB_RETRY_WAIT", "0.05")
    settings.set_session(quiet=True)
    one_server.reset()
    one_server.store = Store()
    yield one_server
    set_place(None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. A test is not skipped for want of one: nobody would notice."""
    path = browser.executable()
    if path is None:
        pytest.fail("No Chromium here. Get one with: python tests/chromium.py")
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skipped browser test as failed: nothing else would tell that no browser was there."""
    report = yield
    if report.skipped and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"A browser test must not be skipped: {report.longrepr}"
    return report
