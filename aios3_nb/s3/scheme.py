"""Whether plain HTTP was spoken to a port of TLS: some servers say so in words of their own, and others hang up.

What answers to a handshake is one; nothing else is certain.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

from aios3_nb.address import server_of
from aios3_nb.errors import EndpointError
from aios3_nb.s3.clock import deadline
from aios3_nb.s3.failures import code_of, is_unreadable, never_connected, status_of
from aios3_nb.s3.foreign import ForeignAnswerError
from aios3_nb.text import visible

if TYPE_CHECKING:
    from aios3_nb.address import S3Uri

_PATIENCE = 2.0
"""Seconds that a handshake may take; a store without TLS may wait for more of what it takes for a request."""


async def check_scheme(exc: Exception, client: Any, uri: S3Uri, *, failures: int) -> None:
    """Look whether the endpoint speaks TLS, where `exc` is what becomes of plain HTTP then.

    Args:
        exc: What became of a request.
        client: It was made with; None if there was none.
        uri: What it was about, for the error.
        failures: Those before it, with no byte of an answer between. One connection may be closed by chance.

    Raises:
        EndpointError: It does.
    """
    url = str(client.meta.endpoint_url) if client is not None else ""
    if not url.startswith("http://") or not _is_odd(exc, failures):
        return
    server = server_of(url)
    if await _speaks_tls(server.host, server.port):
        raise EndpointError(
            f"{visible(url)} speaks TLS, and was spoken to without: write https:// in --endpoint-url.", uri=str(uri)
        ) from None


def _is_odd(exc: Exception, failures: int) -> bool:
    import botocore.exceptions as boto

    if isinstance(exc, ForeignAnswerError):
        return exc.status == 400
    if isinstance(exc, boto.ClientError):
        return status_of(exc) == 400 and code_of(exc) in ("400", "")  # which S3 has words for, but after a HEAD
    if isinstance(exc, (boto.ConnectionClosedError, boto.EndpointConnectionError)):
        return failures == 1 and not never_connected(exc)
    return is_unreadable(exc)


async def _speaks_tls(host: str, port: int) -> bool:
    if getproxies().get("http") and not proxy_bypass(host):
        return False  # what is behind a proxy is not asked past it
    # Nothing is sent that anybody could read: whose certificate it is does not matter.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with suppress(OSError, TimeoutError):
        async with deadline(_PATIENCE):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
        writer.transport.abort()
        return True
    return False
