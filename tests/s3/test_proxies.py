"""Proxies are those that the environment names now: whoever sets one in a cell runs the next one with it."""

from __future__ import annotations

import pytest

import aios3_nb
from tests.faults.server import FaultServer


@pytest.mark.parametrize("spelling", [str.upper, str.lower])
def test_proxies_that_are_set_and_changed_meanwhile_are_used(
    faulty: FaultServer, monkeypatch: pytest.MonkeyPatch, spelling: type[str]
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # A proxy is asked for the whole address; what follows its first slash is a key to this server.
    faulty.put("http:", f"/{faulty.url.removeprefix('http://')}/b/k.json", b'"by the proxy"')
    faulty.put("b", "k.json", b'"straight"')

    def loaded() -> list[str]:
        return [aios3_nb.load("s3://b/k.json") for _ in range(3)]

    assert loaded() == ["straight"] * 3
    monkeypatch.setenv(spelling("http_proxy"), faulty.url)
    assert loaded() == ["by the proxy"] * 3
    monkeypatch.setenv(spelling("no_proxy"), faulty.host)
    assert loaded() == ["straight"] * 3
    monkeypatch.delenv(spelling("no_proxy"))
    assert loaded() == ["by the proxy"] * 3
    monkeypatch.delenv(spelling("http_proxy"))
    assert loaded() == ["straight"] * 3
