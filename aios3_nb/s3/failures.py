"""What botocore, aiohttp and S3 say went wrong: which kind of failure it is, and whether it passes by itself.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

from aios3_nb.errors import S3Error

SKEWED = "RequestTimeTooSkewed"
"""Tried once more: a request may have waited long, in a machine that slept, after it was signed."""

_TRANSIENT_CODES = frozenset(
    {
        "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests",
        "BandwidthLimitExceeded", "RequestLimitExceeded", "InternalError", "RequestTimeout", SKEWED,
        "RequestTimeoutException", "OperationAborted", "BadDigest", "429", "500", "502", "503", "504",
    }
)  # fmt: skip
_THROTTLING = frozenset(
    {"SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests", "429", "503"}
)
EXPIRED = frozenset({"ExpiredToken", "InvalidToken", "TokenRefreshRequired"})


class BodyEndedError(Exception):
    """A body ended before its last byte; reading goes on from there."""


class SilenceError(Exception):
    """A wait on the network reached its bound; the text says which."""


class UnfitAnswerError(Exception):
    """An answer other than the one asked for; perhaps the next one fits."""


def code_of(exc: BaseException) -> str:
    """Return the S3 error code of `exc`, such as ``NoSuchKey``; empty when it is no answer of S3."""
    response = getattr(exc, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def status_of(exc: BaseException) -> int:
    """Return the HTTP status of the answer that `exc` stands for; 0 when there was none."""
    response = getattr(exc, "response", None)
    if not isinstance(response, dict):
        return 0
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_throttling(exc: BaseException) -> bool:
    """Say whether S3 asks for fewer requests."""
    return code_of(exc) in _THROTTLING or status_of(exc) in (429, 503)


def is_transient(exc: BaseException) -> bool:
    """Say whether the same request may well succeed in a moment."""
    import aiohttp
    import botocore.exceptions as boto

    if isinstance(exc, S3Error):
        return False
    if isinstance(exc, boto.ClientError):
        return (
            code_of(exc) in _TRANSIENT_CODES
            or status_of(exc) in (408, 429)
            or (status_of(exc) >= 500 and status_of(exc) != 501)
        )
    if isinstance(exc, (boto.ProxyConnectionError, boto.SSLError)) or is_unreadable(exc) or is_unread_bundle(exc):
        return False
    return isinstance(
        exc,
        (
            BodyEndedError, SilenceError, UnfitAnswerError, TimeoutError, aiohttp.ClientError, ConnectionError,
            boto.HTTPClientError, boto.ConnectionError,  # timeouts, no connection, one that closed, broken bodies
            boto.IncompleteReadError,
        ),
    )  # fmt: skip


def never_connected(exc: BaseException) -> bool:
    """Say whether no connection to the endpoint could be made at all."""
    import aiohttp
    import botocore.exceptions as boto

    if isinstance(exc, boto.EndpointConnectionError):
        # aiobotocore calls a connection that broke before the answer so, too.
        return isinstance(exc.kwargs.get("error"), (aiohttp.ClientConnectorError, socket.gaierror))
    return isinstance(exc, (boto.ConnectTimeoutError, boto.ProxyConnectionError))


def is_timeout(exc: BaseException) -> bool:
    """Say whether `exc` is a wait that reached its bound."""
    import botocore.exceptions as boto

    return isinstance(exc, (SilenceError, TimeoutError, boto.ReadTimeoutError, boto.ConnectTimeoutError))


def is_unreadable(exc: BaseException) -> bool:
    """Say whether what came was no answer of HTTP that can be read."""
    import aiohttp
    from botocore.parsers import ResponseParserError

    if isinstance(exc, ResponseParserError):
        return True
    return isinstance(_behind(exc), (ValueError, aiohttp.ClientResponseError))


def is_unread_bundle(exc: BaseException) -> OSError | None:
    """Return why the file of certificates could not be read, before anything was sent; None if that was not it."""
    error = _behind(exc)
    kinds = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError, ssl.SSLError)
    return error if isinstance(error, kinds) else None


def _behind(exc: BaseException) -> Any:
    """Return what botocore did not know, and wrapped as it is; None if `exc` is no such thing."""
    import botocore.exceptions as boto

    return exc.kwargs.get("error") if type(exc) is boto.HTTPClientError else None  # type: ignore[attr-defined]
