"""Our HTTP sessions: aiobotocore's, which follow no redirect, take any header, and receive what is read sooner.

aiohttp follows a 307 to any host and sends ``X-Amz-Security-Token`` along, and the foreign body would come back as the
object. botocore's own region redirects do not need it: they sign a new request.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NUMBERS = (b"x-amz-missing-meta", b"x-amz-mp-parts-count", b"x-amz-tagging-count")
"""Headers that botocore fails at when they are no numbers; nothing here needs them to be there."""

_failed: contextvars.ContextVar[Exception | None] = contextvars.ContextVar("aios3_nb_failed", default=None)
"""What went wrong, while aiobotocore is asked how it is called."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer whose body is still to come.

    Attributes:
        status: That of HTTP.
        headers: By their names in lower case.
        raw: The answer as aiohttp has it.
    """

    status: int
    headers: Mapping[str, str]
    raw: Any


async def receive(http_session: Any, method: str, url: str, headers: Mapping[str, str]) -> Received:
    """Return the answer to a request without a body, all of whose headers are here.

    Raises:
        botocore.exceptions.HTTPClientError: As from ``http_session.send``; and its other errors.
    """
    session = _session_of(http_session)
    if session is None:
        answer = await http_session.send(_prepared(method, url, headers))
        return Received(answer.status_code, {name.lower(): text for name, text in answer.headers.items()}, answer.raw)
    from yarl import URL  # with aiohttp, which is here by now

    plain = {**headers, "Accept-Encoding": "identity"}
    try:
        raw = await session.request(method, url=URL(url, encoded=True), headers=plain)
    except Exception as exc:
        token = _failed.set(exc)
        try:
            await http_session.send(_prepared(method, url, headers))
        finally:
            _failed.reset(token)
        raise
    said = {name.decode().lower(): text.decode() for name, text in raw.raw_headers}
    return Received(raw.status, said, raw)


def _prepared(method: str, url: str, headers: Mapping[str, str]) -> Any:
    """Return the request as botocore has it."""
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.compat import HTTPHeaders

    return AWSPreparedRequest(method, url, HTTPHeaders.from_pairs(list(headers.items())), None, stream_output=True)


def _session_of(http_session: Any) -> _Careful | None:
    """Return where requests of `http_session` go, if they need nothing more; None before the first, and at its end."""
    ours: type[Any] = transport()
    if not isinstance(http_session, ours) or http_session._proxy_config._proxies:  # noqa: SLF001
        return None
    session = (http_session._sessions or {}).get(None)  # noqa: SLF001
    return None if session is None else _Careful(session)


@functools.cache
def transport() -> type:
    """Return the class of our HTTP sessions."""
    from aiobotocore.httpsession import AIOHTTPSession  # takes a while; not before the first client

    class Transport(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore is not typed
        async def _get_session(self, proxy_url: str | None) -> Any:
            if (failure := _failed.get()) is not None:
                raise failure
            return _Careful(await super()._get_session(proxy_url))

    return Transport


class _Careful:
    """The method of `aiohttp.ClientSession` that aiobotocore calls: it follows no redirect, and takes any header."""

    def __init__(self, session: Any) -> None:
        self._session = session

    async def request(self, method: str, **options: Any) -> Any:
        answer = await self._session.request(method, allow_redirects=False, **options)
        # aiobotocore decodes them as UTF-8; the metadata of many uploaders is in Latin-1, as HTTP once said.
        answer._raw_headers = tuple(  # noqa: SLF001
            (name, value if value.isascii() else _as_utf8(value))
            for name, value in answer._raw_headers  # noqa: SLF001
            if name.lower() not in _NUMBERS or value.isdigit()
        )
        return answer


def _as_utf8(value: bytes) -> bytes:
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1").encode()
    return value
