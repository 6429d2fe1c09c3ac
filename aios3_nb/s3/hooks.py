"""Whether somebody else watches, or changes, what a client does: then all of its requests go aiobotocore's own way.

Sentry begins a span at one event of botocore and ends it at another; moto answers at a third; OpenTelemetry, X-Ray and
others put a function of theirs around every call.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

_EVENTS = (
    "provide-client-params",
    "before-parameter-build",
    "before-endpoint-resolution",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "before-parse",
    "response-received",
    "needs-retry",
    "after-call",
    "after-call-error",
)
_OWN = ("aios3_nb", "aiobotocore", "botocore")


def has_handlers(client: Any) -> bool:
    """Say whether somebody else has handlers at an event of GetObject; also where that cannot be told."""
    events = client.meta.events
    handlers = getattr(getattr(events, "_emitter", events), "_handlers", None)  # it has no public name
    if handlers is None:
        return True
    found = [each for event in _EVENTS for each in handlers.prefix_search(f"{event}.s3.GetObject")]
    return not all(_is_own(getattr(each, "__module__", "")) for each in found)


def is_wrapped(client: Any) -> bool:
    """Say whether somebody has put another function in the place of aiobotocore's for all calls."""
    call = type(client)._make_api_call  # noqa: SLF001  # the one that all of them replace
    # By its globals: what wraps a function takes over its name, and its module.
    return type(call) is not FunctionType or not _is_own(call.__globals__["__name__"])


def _is_own(module: str | None) -> bool:
    return str(module).partition(".")[0] in _OWN
