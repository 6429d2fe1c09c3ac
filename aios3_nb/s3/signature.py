"""Signature version 4 of requests that differ little from one that the client's own signer has signed.

That one is found by events and made anew for every request, which takes a quarter of a small load's time. What is here
signs only requests like one for which it came to the very same signature; all others are the client's signer's.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from time import gmtime, strftime
from typing import Any
from urllib.parse import urlsplit

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^,]+/\d{8}/([^/,]+)/([^/,]+)/aws4_request, SignedHeaders=([^,]+), Signature=\w+"
)
_DATE, _TOKEN, _HASH = "X-Amz-Date", "X-Amz-Security-Token", "x-amz-content-sha256"

_COMMON = frozenset(("host", "user-agent", "x-amz-request-payer", _HASH))
"""Headers that are the same in all requests; any other, such as the token of a session, may not stay what it is."""

_NUMBER, _ATTEMPT = "amz-sdk-invocation-id", "amz-sdk-request"
"""Headers that come after it: each request has a number, and is the first try, for those that follow are our own."""


class Signature:
    """Signs requests without a body, which have method, server, folder and most headers in common.

    Args:
        method: That of HTTP.
        address: That of the folder: what comes before the key.
        scope: What the requests are signed for: region and service.
        headers: Those of all requests that are signed, or sent unsigned.
        unsigned: Which are sent unsigned, in lower case.
        after: Those of all requests that come after the signature.
    """

    def __init__(
        self,
        method: str,
        address: str,
        scope: tuple[str, str],
        headers: Mapping[str, str],
        unsigned: frozenset[str],
        after: Mapping[str, str],
    ) -> None:
        self._host, path = urlsplit(address)[1:3]
        self._begin = f"{method}\n{path}"
        self._steps = (*scope, "aws4_request")
        self._headers = headers
        self._unsigned = unsigned
        self._after = after
        self._key: tuple[str, str, bytes] = ("", "", b"")

    def headers(self, key: str, query: str, varying: Mapping[str, str], by: Any, time: str = "") -> dict[str, str]:
        """Return all headers of one request.

        Args:
            key: As it is in the address, encoded.
            query: The same; one parameter at most.
            varying: Headers that this request has besides.
            by: The credentials, as botocore has them frozen.
            time: When it is made, as the header has it; now, if it is left out.
        """
        time = time or strftime("%Y%m%dT%H%M%SZ", gmtime())
        headers = {**self._headers, **varying, _DATE: time}
        if by.token:
            headers[_TOKEN] = by.token
        said = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        said.setdefault("host", self._host)
        names = sorted(said.keys() - self._unsigned)
        lines = "".join([f"{name}:{said[name]}\n" for name in names])
        signed = ";".join(names)
        request = f"{self._begin}{key}\n{query}\n{lines}\n{signed}\n{said[_HASH]}"
        day = time[:8]
        scope = "/".join((day, *self._steps))
        text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._key_of(by.secret_key, day), text.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={by.access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"
        )
        headers.update(self._after)
        if _NUMBER in headers:
            headers[_NUMBER] = str(uuid.uuid4())
        return headers

    def _key_of(self, secret: str, day: str) -> bytes:
        if self._key[:2] != (secret, day):
            key = f"AWS4{secret}".encode()
            for step in (day, *self._steps):
                key = hmac.digest(key, step.encode(), "sha256")
            self._key = secret, day, key
        return self._key[2]


async def credentials_of(client: Any) -> Any:
    """Return those that `client` signs with just now, renewed if need be; None without any."""
    credentials = client._request_signer._credentials  # noqa: SLF001  # they have no public name
    return None if credentials is None else await credentials.get_frozen_credentials()


async def learned(
    client: Any, method: str, address: str, key: str, query: str, sent: Mapping[str, str], own: frozenset[str]
) -> Signature | None:
    """Return what signs as `client` has signed a request; None if only the client knows that.

    Args:
        client: It has just sent it.
        method: That of the request, as all others.
        address: See `Signature`.
        key: See `Signature.headers`.
        query: The same.
        sent: Its headers.
        own: Those that others may not have, or have otherwise, in lower case.
    """
    by = await credentials_of(client)
    names = {name.lower(): name for name in sent}
    texts = {name.lower(): text for name, text in sent.items()}
    match = _AUTHORIZATION.fullmatch(texts.get("authorization", ""))
    if by is None or match is None or "x-amz-date" not in texts or texts.get("x-amz-security-token") != by.token:
        return None
    region, service, signed = match.groups()
    after = {name: sent[name] for name in (_NUMBER, _ATTEMPT) if name in sent}
    unsigned = frozenset(texts.keys() - set(signed.split(";")))
    common = texts.keys() - own - after.keys() - {"authorization", "x-amz-date", "x-amz-security-token"}
    if _HASH not in common or not common <= _COMMON:
        return None
    headers = {names[name]: texts[name] for name in common}
    signature = Signature(method, address, (region, service), headers, unsigned, after)
    varying = {names[name]: texts[name] for name in texts.keys() & own}
    ours = signature.headers(key, query, varying, by, texts["x-amz-date"])
    return signature if ours["Authorization"] == match[0] else None
