"""A server that misbehaves when told to, empty for each test, with the settings pointed at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aios3_nb import settings
from aios3_nb.pipeline import set_place
from tests.faults.server import FaultServer


@pytest.fixture(scope="session")
def one_server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def faulty(one_server: FaultServer, isolated: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFTHETESTS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    settings.set_session(endpoint_url=one_server.url, quiet=True)
    one_server.reset()
    one_server.store.versions.clear()
    yield one_server
    set_place(None)
