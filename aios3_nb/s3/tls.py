"""What kept TLS from connecting, and what to try: a certificate, its name, its time, or no TLS at all.

See: https://docs.python.org/3/library/ssl.html#ssl.SSLCertVerificationError
"""

from __future__ import annotations

import os
import ssl
from typing import Any

from aios3_nb.text import visible

_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
_WRONG_NAME = 62
_WRONG_ADDRESS = 64
_EXPIRED = 10
_NOT_YET_VALID = 9
"""Codes of OpenSSL's X509_verify_cert_error_string."""


def cause_of(exc: BaseException) -> ssl.SSLError | None:
    """Return Python's own error of TLS, around which aiohttp and botocore put theirs; None if there is none."""
    found: Any = exc
    while (inner := _within(found)) is not None:
        found = inner
    return found if isinstance(found, ssl.SSLError) else None


def _within(exc: Any) -> Any:
    if (error := getattr(exc, "kwargs", {}).get("error")) is not None:
        return error
    # aiohttp's are errors of ssl themselves, without what it says.
    return getattr(exc, "certificate_error", None) or getattr(exc, "os_error", None)


def tls_text(error: ssl.SSLError | None, endpoint: str, said: str) -> str:
    """Return what is the matter with the TLS of `endpoint`, and what to do.

    Args:
        error: That of Python; None if it is not known.
        endpoint: As the user wrote it.
        said: What is known of it otherwise.
    """
    if error is not None and any(word in (error.reason or "") for word in _NO_TLS):
        return (
            f"{endpoint} answered without TLS: it may be http:// that is meant, or another port. Check --endpoint-url."
        )
    reason = visible(getattr(error, "verify_message", "") or said, most=200).rstrip(".")
    code = getattr(error, "verify_code", 0)
    if code in (_WRONG_NAME, _WRONG_ADDRESS):
        return f"The certificate of {endpoint} is for another name: {reason}. Write the endpoint by the name it is for."
    if code in (_EXPIRED, _NOT_YET_VALID):
        return f"The certificate of {endpoint} is not valid now: {reason}. It has to be renewed, or this clock be set."
    return (
        f"The certificate of {endpoint} is not trusted here: {reason}. If the store is your own or your company's, "
        "name the file of the authority that signed it (of a self-signed one, the certificate itself), and run the "
        "cell again: %env AWS_CA_BUNDLE=/path/to/ca.pem"
    )


def bundle_text(error: OSError) -> str:
    """Return what to say when the file of certificates could not be read."""
    path = os.environ.get("AWS_CA_BUNDLE", "")
    named = f"AWS_CA_BUNDLE={visible(path)}" if path else "ca_bundle in ~/.aws/config"
    why = "it has no certificate" if isinstance(error, ssl.SSLError) else (error.strerror or type(error).__name__)
    return (
        f"The file of certificates that {named} names cannot be read: {visible(why, most=200)}. Name another, or none."
    )
