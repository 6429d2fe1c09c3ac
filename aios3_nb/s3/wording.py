"""A failure of a request -> the error of this package for it, which says what to try next; and without secrets.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any

from aios3_nb.address import quote
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
from aios3_nb.s3.failures import (
    SKEWED,
    UnfitAnswerError,
    code_of,
    is_timeout,
    is_unread_bundle,
    is_unreadable,
    never_connected,
    status_of,
)
from aios3_nb.s3.foreign import ForeignAnswerError
from aios3_nb.s3.redact import cause_text, reason_text
from aios3_nb.s3.tls import bundle_text, cause_of, tls_text
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
    "list its bucket. Try --profile NAME, --request-payer requester, or --no-sign-request for a public bucket."
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
    "401": (CredentialsError, _KEYS),
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
    kind = StalledError if is_timeout(exc) else DownloadError
    return kind(
        f"Gave up on {_shown(uri)} at byte {offset:,} after {attempts} failures in a row; the last one: "
        f"{cause_text(exc)}. Run it again, or allow more with AIOS3_NB_RETRIES and AIOS3_NB_READ_TIMEOUT.",
        uri=str(uri),
        offset=offset,
        attempts=attempts,
    )


def waited_enough(uri: S3Uri, settings: Settings, *, offset: int) -> StalledError:
    """Return the error for an object whose waits took too long in all, after byte `offset` was reached."""
    return StalledError(
        f"{_shown(uri)}: waited for the network for {settings.total_timeout:g} s in all (total_timeout), and reached "
        f"byte {offset:,}.",
        uri=str(uri),
        offset=offset,
    )


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
    error = kind(text.format(**_names(uri), code=code) + reason_text(exc, kind), uri=str(uri))
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
        return EndpointError(tls_text(cause_of(exc), endpoint, cause_text(exc)), uri=str(uri))
    if unread := is_unread_bundle(exc):
        return EndpointError(bundle_text(unread), uri=str(uri))
    if is_unreadable(exc):
        return EndpointError(
            f"{endpoint} gave no answer of S3 that can be read: {cause_text(exc)}. Check --endpoint-url.",
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
        "parent": quote(f"s3://{uri.bucket}/{parent + '/' if parent else ''}"),
    }
