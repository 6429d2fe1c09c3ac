"""The HTTP session of our clients: aiobotocore's, with redirects off.

aiohttp follows a 307 to any host and sends ``X-Amz-Security-Token`` along, and the foreign body would come
back as the object. botocore's own region redirects do not need it: they sign a new request.
"""

from __future__ import annotations

from typing import Any

from aiobotocore.httpsession import AIOHTTPSession


class _WithoutRedirects:
    """The one method of `aiohttp.ClientSession` that aiobotocore calls, never following a redirect."""

    def __init__(self, session: Any) -> None:
        self._session = session

    async def request(self, method: str, **options: Any) -> Any:
        return await self._session.request(method, allow_redirects=False, **options)


class Transport(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore is not typed
    """An aiohttp session for botocore that never contacts a host that was not asked for."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        return _WithoutRedirects(await super()._get_session(proxy_url))
