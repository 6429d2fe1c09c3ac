"""Who watches requests by hooks, as tracers and stand-ins for AWS do, sees every one, and each to its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import aiobotocore.client
import botocore.client
import botocore.handlers
import pytest

import aios3_nb
from tests.faults.server import FaultServer
from tests.loops import run_afresh

LOADS = 3


async def load(times: int = LOADS) -> None:
    for _ in range(times):
        assert await aios3_nb.aload("s3://b/k.json") == [1]


def builtin(monkeypatch: pytest.MonkeyPatch, seen: Counter[str]) -> list[str]:
    """As moto does."""
    handlers = botocore.handlers.BUILTIN_HANDLERS
    noted = [*handlers, ("before-send", lambda **_: seen.update(["before-send"]))]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", noted)
    return ["before-send"]


def every_client(monkeypatch: pytest.MonkeyPatch, seen: Counter[str]) -> list[str]:
    """As Sentry does, which ends at the one what it began at the other."""
    events = ["request-created", "after-call"]
    make = botocore.client.BaseClient.__init__

    def noted(self: Any, *args: Any, **options: Any) -> None:
        make(self, *args, **options)
        for event in events:
            self.meta.events.register(event, lambda event_name, **_: seen.update([event_name.partition(".")[0]]))

    monkeypatch.setattr(botocore.client.BaseClient, "__init__", noted)
    return events


def calls(monkeypatch: pytest.MonkeyPatch, seen: Counter[str]) -> list[str]:
    """As OpenTelemetry, X-Ray and Datadog do."""
    call = aiobotocore.client.AioBaseClient._make_api_call

    async def noted(self: Any, operation_name: str, api_params: Any) -> Any:
        seen[operation_name] += 1
        return await call(self, operation_name, api_params)

    monkeypatch.setattr(aiobotocore.client.AioBaseClient, "_make_api_call", noted)
    return ["GetObject"]


HOOKS: dict[str, Callable[[pytest.MonkeyPatch, Counter[str]], list[str]]] = {
    "built in": builtin,
    "at every client": every_client,
    "around calls": calls,
}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_sees_every_request(faulty: FaultServer, monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    faulty.put("b", "k.json", b"[1]")
    seen: Counter[str] = Counter()
    names = HOOKS[hook](monkeypatch, seen)
    run_afresh(load())
    assert seen == dict.fromkeys(names, LOADS)


def test_a_hook_that_comes_later_sees_every_request_from_then_on(
    faulty: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty.put("b", "k.json", b"[1]")
    seen: Counter[str] = Counter()

    async def main() -> None:
        await load()
        calls(monkeypatch, seen)
        await load()

    run_afresh(main())
    assert seen == {"GetObject": LOADS}


def test_a_header_of_one_call_alone_is_in_no_other(faulty: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """In AWS Lambda each call of the function has a trace of its own."""
    faulty.put("b", "k.json", b"[1]")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")

    async def main() -> None:
        for number in range(LOADS):
            monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={number}")
            await load(1)

    run_afresh(main())
    traces = [request.headers["x-amzn-trace-id"] for request in faulty.requests]
    assert traces == [f"Root={number}" for number in range(LOADS)]
