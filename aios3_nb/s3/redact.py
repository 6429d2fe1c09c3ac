"""What of a failure may be shown: its words without secrets, and itself without the frames that hold them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from aios3_nb.errors import AccessDeniedError, CredentialsError, S3Error
from aios3_nb.s3.failures import code_of, status_of
from aios3_nb.text import visible, without_secrets

_SAYS_NOTHING = {"", "none", "access denied", "accessdenied", "forbidden", "access denied."}
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b|\b(?:IQoJ|FwoG|FQoG)[\w+/=-]{8,}")
_OWN = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def stripped(exc: BaseException) -> BaseException | None:
    """Return `exc` as a cause to show: without the frames and contexts of botocore.

    Their local variables hold signatures and keys, which verbose tracebacks would print. One of our own errors is
    raised itself, as it is: the result is None then, for an error that is its own cause is a cycle, which keeps all
    that its frames hold.
    """
    exc.__traceback__ = exc.__cause__ = exc.__context__ = None
    if isinstance(exc, S3Error):
        return None
    attributes = vars(exc)
    kwargs, response = attributes.get("kwargs"), attributes.get("response")
    for name in [name for name, value in attributes.items() if not isinstance(value, (str, int, type(None)))]:
        del attributes[name]
    # botocore's errors are pickled by these two, and an error that comes out of another process brings its cause along.
    if isinstance(kwargs, dict):
        attributes["kwargs"] = {name: without_secrets(str(value)) for name, value in kwargs.items()}
    if isinstance(response, dict):
        attributes["response"] = _of_response(response)
    exc.args = tuple(without_secrets(arg) if isinstance(arg, str) else type(arg).__name__ for arg in exc.args)
    return exc


def _of_response(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return code, text and status of an answer, and nothing else of it."""
    error = response.get("Error", {})
    return {
        "Error": {name: without_secrets(str(error[name])) for name in ("Code", "Message") if name in error},
        "ResponseMetadata": {"HTTPStatusCode": response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)},
    }


def cause_text(exc: BaseException) -> str:
    """Return in a few words what happened, without addresses or secrets."""
    if code_of(exc):
        return f"S3 answered {status_of(exc)} {visible(code_of(exc), most=80)}"
    if isinstance(exc, TimeoutError) and not str(exc):
        return "no answer in time"
    text = re.sub(r"\s+", " ", without_secrets(str(exc)))
    return visible(text, most=200) or type(exc).__name__


def reason_text(exc: Any, kind: type[S3Error]) -> str:
    """Return the server's own words for a refusal, where they say more than that it is one."""
    if kind not in (AccessDeniedError, CredentialsError):
        return ""
    said = str(exc.response.get("Error", {}).get("Message") or "").strip().rstrip(".")
    if said.casefold() in _SAYS_NOTHING:
        return ""
    return f" S3 says: {visible(_without_keys(without_secrets(said)), most=500)}."


def _without_keys(text: str) -> str:
    """Return `text` without ids of access keys, and tokens, which servers repeat; nor those of this process."""
    for name in _OWN:
        if len(own := os.environ.get(name, "")) > 5:  # shorter ones, of test servers, are in any text
            text = text.replace(own, "…")
    return _KEY_ID.sub("…", text)
