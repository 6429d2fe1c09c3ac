"""What botocore, aiohttp and S3 say went wrong -> our errors; and which of it passes by itself.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import os
import re
import shlex
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aios3_nb.errors import (
    AccessDeniedError,
    CredentialsError,
    DownloadError,
    EndpointError,
    ObjectExistsError,
    ObjectNotFoundError,
    OptionError,
    ProtocolError,
    RedirectError,
    S3Error,
    ServiceError,
    StalledError,
    UriError,
)
from aios3_nb.s3.foreign import ForeignAnswerError
from aios3_nb.text import visible, without_secrets

if TYPE_CHECKING:
    from aios3_nb.address import S3Uri
    from aios3_nb.settings import Settings

_NO_KEYS = (
    "No credentials found for {uri}. Log in (`aws sso login`, `aws configure`), name a profile with "
    "--profile NAME, or read a public bucket with --no-sign-request."
)
_KEYS = (
    "S3 did not accept the credentials for {uri} ({code}). Log in again, or name another profile with --profile NAME."
)
_DENIED = (
    "Access denied: {uri}. The credentials may not do this, or the object does not exist and you may not "
    "list its bucket. Try --profile NAME, --request-payer, or --no-sign-request for a public bucket."
)
_REGION = "{uri} is in another region ({code}). Name it with --region NAME."

_BY_CODE: dict[str, tuple[type[S3Error], str]] = {
    "NoSuchKey": (ObjectNotFoundError, "No such object: {uri}. List its prefix with %s3ls {parent}"),
    "404": (ObjectNotFoundError, "No such object: {uri}. List its prefix with %s3ls {parent}"),
    "NoSuchBucket": (ObjectNotFoundError, "No such bucket: {bucket}. List the buckets with %s3ls"),
    "NoSuchVersion": (
        ObjectNotFoundError,
        "No such version: {uri}. Leave --version-id away for the latest one.",
    ),
    "MethodNotAllowed": (ObjectNotFoundError, "{uri} is a delete marker: this version is a deletion."),
    "PreconditionFailed": (ObjectExistsError, "{uri} exists already, and was not replaced."),
    "AccessDenied": (AccessDeniedError, _DENIED),
    "AllAccessDisabled": (AccessDeniedError, _DENIED),
    "403": (AccessDeniedError, _DENIED),
    "InvalidAccessKeyId": (CredentialsError, _KEYS),
    "SignatureDoesNotMatch": (CredentialsError, _KEYS),
    "ExpiredToken": (CredentialsError, _KEYS),
    "InvalidToken": (CredentialsError, _KEYS),
    "TokenRefreshRequired": (CredentialsError, _KEYS),
    "RequestTimeTooSkewed": (
        CredentialsError,
        "S3 refused {uri} because this machine's clock is wrong (RequestTimeTooSkewed). Set the clock.",
    ),
    "PermanentRedirect": (EndpointError, _REGION),
    "AuthorizationHeaderMalformed": (EndpointError, _REGION),
    "IllegalLocationConstraintException": (EndpointError, _REGION),
    "InvalidObjectState": (
        ServiceError,
        "{uri} is archived (Glacier or an archive tier). Restore it first: aws s3api restore-object.",
    ),
    "InvalidBucketName": (UriError, "{bucket!r} is no bucket name. Write s3://bucket/key."),
    "KeyTooLongError": (UriError, "The key of {uri} is longer than S3's 1,024 bytes."),
}

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
    if isinstance(exc, (boto.ProxyConnectionError, boto.SSLError)) or _is_unreadable(exc):
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


def explained(exc: BaseException, uri: S3Uri, settings: Settings) -> S3Error:
    """Return our error for `exc`, to be raised ``from stripped(exc)``."""
    if isinstance(exc, S3Error):
        return exc
    return (
        _of_service(exc, uri)
        or _of_endpoint(exc, uri, settings)
        or _of_configuration(exc, uri, settings)
        or _of_network(exc, uri, settings)
    )


def gave_up(exc: BaseException, uri: S3Uri, settings: Settings, *, offset: int, attempts: int) -> S3Error:
    """Return the error for a transient fault that outlasted the retries.

    Args:
        exc: The last fault.
        uri: The object.
        settings: Those of the load.
        offset: Byte of the object that was reached.
        attempts: Failures in a row.
    """
    if isinstance(exc, UnfitAnswerError):
        return ProtocolError(f"{_shown(uri)}: {exc}", uri=str(uri), offset=offset, attempts=attempts)
    if code_of(exc) == SKEWED or (never_connected(exc) and offset == 0):
        return explained(exc, uri, settings)
    kind = StalledError if _is_timeout(exc) else DownloadError
    return kind(
        f"Gave up on {_shown(uri)} at byte {offset:,} after {attempts} failures in a row; the last one: "
        f"{cause_text(exc)}. Run it again, or allow more with AIOS3_NB_RETRIES and AIOS3_NB_READ_TIMEOUT.",
        uri=str(uri),
        offset=offset,
        attempts=attempts,
    )


def stripped(exc: BaseException) -> BaseException:
    """Return `exc` as a cause to show: without the frames and contexts of botocore.

    Their local variables hold signatures and keys, which verbose tracebacks would print.
    """
    exc.__traceback__ = exc.__cause__ = exc.__context__ = None
    if isinstance(exc, S3Error):  # one of ours, which keeps what it says
        return exc
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


def _is_timeout(exc: BaseException) -> bool:
    import botocore.exceptions as boto

    return isinstance(exc, (SilenceError, TimeoutError, boto.ReadTimeoutError, boto.ConnectTimeoutError))


def _is_unreadable(exc: BaseException) -> bool:
    """Say whether what came was no answer of HTTP that can be read, or a file for the request is not there."""
    import aiohttp
    import botocore.exceptions as boto
    from botocore.parsers import ResponseParserError

    if isinstance(exc, ResponseParserError):
        return True
    error = exc.kwargs.get("error") if type(exc) is boto.HTTPClientError else None  # type: ignore[attr-defined]
    return isinstance(error, (ValueError, FileNotFoundError, aiohttp.ClientResponseError))


def _of_service(exc: BaseException, uri: S3Uri) -> S3Error | None:
    import botocore.exceptions as boto

    if not isinstance(exc, boto.ClientError):
        return None
    code, status = code_of(exc), status_of(exc)
    if 300 <= status < 400 and code not in _BY_CODE:
        return RedirectError(
            f"The server answered {_shown(uri)} with a redirect ({status}), which was not followed. "
            "Check --endpoint-url and --region.",
            uri=str(uri),
        )
    kind, text = _BY_CODE.get(code) or _BY_CODE.get(str(status)) or (ServiceError, "")
    if not text:
        said = exc.response.get("Error", {}).get("Message") or ""
        text = f"S3 refused {{uri}}: {status} {visible(code, most=80)} {visible(without_secrets(said), most=200)}"
        text = text.replace("{", "{{").replace("}", "}}").replace("{{uri}}", "{uri}")
    error = kind(text.format(**_names(uri), code=code) + _reason(exc, kind), uri=str(uri))
    if isinstance(error, ServiceError):
        error.code = code
    return error


def _of_configuration(exc: BaseException, uri: S3Uri, settings: Settings) -> S3Error | None:
    import botocore.exceptions as boto

    if isinstance(exc, boto.ProfileNotFound):
        return CredentialsError(
            f"{exc}. The profiles are in ~/.aws/config; list them with: aws configure list-profiles"
        )
    if isinstance(exc, boto.NoCredentialsError):
        return CredentialsError(_NO_KEYS.format(uri=_shown(uri)), uri=str(uri))
    if isinstance(exc, (boto.SSOError, boto.TokenRetrievalError)):
        return CredentialsError(
            f"The login of {_login_of(settings)} is not there or has expired: {cause_text(exc)}. "
            f"Log in, and run the cell again: aws sso login{_profile_option(settings)}",
            uri=str(uri),
        )
    if isinstance(exc, (boto.CredentialRetrievalError, boto.PartialCredentialsError)):
        return CredentialsError(
            f"No usable credentials for {_shown(uri)}: {cause_text(exc)}. Log in again.", uri=str(uri)
        )
    if isinstance(exc, boto.ConfigParseError):
        return OptionError(_broken_file(exc))
    if isinstance(exc, boto.NoRegionError):
        return OptionError("No region is configured. Name it with --region NAME.", uri=str(uri))
    if isinstance(exc, boto.ParamValidationError):
        return UriError(f"{_shown(uri)} is no address of an object: {cause_text(exc)}", uri=str(uri))
    if isinstance(exc, ValueError):  # also botocore's own of a region that can be none
        return OptionError(f"{visible(without_secrets(str(exc)), most=200)}. Check --endpoint-url.", uri=str(uri))
    if isinstance(exc, boto.BotoCoreError) and not isinstance(exc, (boto.HTTPClientError, boto.ConnectionError)):
        return OptionError(f"The AWS configuration does not work: {cause_text(exc)}.", uri=str(uri))
    return None


def _of_endpoint(exc: BaseException, uri: S3Uri, settings: Settings) -> S3Error | None:
    """Return the error for something that answers and is no S3, or may not be one."""
    import botocore.exceptions as boto

    endpoint = without_secrets(settings.endpoint_url or "AWS")
    if isinstance(exc, ForeignAnswerError):
        return EndpointError(
            f"{endpoint}: this is no S3 endpoint: {visible(str(exc), most=200)}, asked for {_shown(uri)}. Check "
            "--endpoint-url (a store's console has another port), and whether the network wants you to log in.",
            uri=str(uri),
        )
    if isinstance(exc, boto.SSLError):
        return EndpointError(
            f"The certificate of {endpoint} is not trusted here: {cause_text(exc)}. If it is your own, name the file "
            "of the authority that signed it: %env AWS_CA_BUNDLE=/path/to/ca.pem",
            uri=str(uri),
        )
    if _is_unreadable(exc):
        return EndpointError(
            f"{endpoint} gave no answer of S3 that can be read: {cause_text(exc)}. Check --endpoint-url, and files "
            "that AWS_CA_BUNDLE and the like name.",
            uri=str(uri),
        )
    return None


def _broken_file(exc: Any) -> str:
    """Return what is wrong with a file of the AWS configuration; nothing of what is in it, which may be a secret."""
    error = exc.kwargs.get("error")
    line = getattr(error, "lineno", None)
    if errors := getattr(error, "errors", None):
        line = errors[0][0]
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
    where = f", line {line}," if line else ""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return (
        f"The AWS configuration file {visible(str(exc.kwargs.get('path')))}{where} cannot be read: {kind}. "
        "Mend it, and run the cell again."
    )


def _login_of(settings: Settings) -> str:
    name = settings.profile or os.environ.get("AWS_PROFILE", "")
    return f"profile {visible(name)}" if name else "the default profile"


def _profile_option(settings: Settings) -> str:
    name = settings.profile or os.environ.get("AWS_PROFILE", "")
    return f" --profile {shlex.quote(name)}" if name else ""


def _reason(exc: Any, kind: type[S3Error]) -> str:
    """Return the server's own words for a refusal, where they say more than that it is one."""
    if kind not in (AccessDeniedError, CredentialsError):
        return ""
    said = str(exc.response.get("Error", {}).get("Message") or "").strip().rstrip(".")
    if said.casefold() in _SAYS_NOTHING:
        return ""
    return f" S3 says: {visible(_without_keys(without_secrets(said)), most=500)}."


_SAYS_NOTHING = {"", "none", "access denied", "accessdenied", "forbidden", "access denied."}
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b|\b(?:IQoJ|FwoG|FQoG)[\w+/=-]{8,}")
_OWN = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def _without_keys(text: str) -> str:
    """Return `text` without ids of access keys, and tokens, which servers repeat; nor those of this process."""
    for name in _OWN:
        if len(own := os.environ.get(name, "")) > 5:  # shorter ones, of test servers, are in any text
            text = text.replace(own, "…")
    return _KEY_ID.sub("…", text)


def _of_network(exc: BaseException, uri: S3Uri, settings: Settings) -> S3Error:
    endpoint = without_secrets(settings.endpoint_url or "AWS")
    return EndpointError(
        f"Cannot reach {endpoint} for {_shown(uri)}: {cause_text(exc)}. "
        "Check the network, --endpoint-url and --region.",
        uri=str(uri),
    )


def _shown(uri: S3Uri) -> str:
    return visible(str(uri))


def _names(uri: S3Uri) -> dict[str, Any]:
    parent = uri.key.rpartition("/")[0]
    return {
        "uri": _shown(uri),
        "bucket": visible(uri.bucket),
        "parent": f"s3://{uri.bucket}/{parent + '/' if parent else ''}",
    }
