"""An endpoint's URL: which server it names, or why it is refused."""

from __future__ import annotations

import functools
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from aios3_nb.errors import OptionError
from aios3_nb.text import in_quotes

_PORTS = {"http": 80, "https": 443}


class Server(NamedTuple):
    """What makes two endpoints the same server: all of these, exactly.

    ``minio.lab`` and ``minio.lab.`` are two: a resolver may add the rest of a name to the first.
    """

    scheme: str
    host: str
    port: int
    path: str


@functools.lru_cache(16)
def server_of(endpoint_url: str) -> Server:
    """Return the server that `endpoint_url` names.

    Raises:
        OptionError: It is no plain URL of a server. Clients do not agree on what more in it means, so that one would
            ask another host than the one that was checked.
    """
    # urlsplit drops tabs and line breaks without a word, and some clients read a backslash as a slash.
    if not endpoint_url.isprintable() or any(char in endpoint_url for char in " \\"):
        raise _refused(endpoint_url, "it has a space, a backslash or a character that cannot be seen in it")
    try:
        url = urlsplit(endpoint_url)
        port = url.port
    except ValueError as exc:
        raise _refused(endpoint_url, str(exc)) from exc
    if (why := _fault(url, endpoint_url)) is not None:
        raise _refused(endpoint_url, why)
    return Server(url.scheme, url.hostname or "", port or _PORTS[url.scheme], url.path.rstrip("/"))


def _fault(url: SplitResult, text: str) -> str | None:
    if url.scheme not in _PORTS or not url.hostname:
        return "it has to begin with https:// or http:// and a host"
    if not url.netloc.isascii():
        return "write a host of other letters in its xn-- form"
    if "@" in url.netloc:
        return "it has a user's name in it; credentials belong into a profile"
    if "?" in text or "#" in text:
        return "it has a ? or # in it"
    return None


def _refused(endpoint_url: str, why: str) -> OptionError:
    return OptionError(f"The endpoint {in_quotes(endpoint_url)} is not used: {why}. Check --endpoint-url.")
