"""The session pointed at an embedded server, and given its own back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aios3_nb import settings

if TYPE_CHECKING:
    from aios3_nb.server.local import LocalServer

_used: tuple[LocalServer, dict[str, str | None]] | None = None
"""The server that the session is pointed at, and the variables as they were before."""

_OVERRULING = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AIOS3_NB_PROFILE",
    "AIOS3_NB_NO_SIGN_REQUEST",
)
"""Variables that would send the session elsewhere, or with other credentials, whatever else is set."""


def use_server(server: LocalServer) -> None:
    """Point the session at `server` until it stops or `release` is called.

    The endpoint becomes the session's setting, so that a client made earlier for AWS is not taken for this server's.
    The credentials go where every S3 library looks, the environment: boto3, pandas and subprocesses of the same
    kernel then open the same objects. They are worth nothing elsewhere, and die with the server.
    """
    global _used
    variables = server.environ()
    if _used is not None:
        release(_used[0])
    _used = server, {name: os.environ.get(name) for name in (*variables, *_OVERRULING)}
    for name in _OVERRULING:
        os.environ.pop(name, None)
    os.environ.update(variables)
    endpoint = server.endpoint
    settings.set_session(endpoint_url=endpoint.url, region=endpoint.region, profile=None, no_sign_request=None)


def release(server: LocalServer) -> None:
    """Give the session back what it had before `use`; does nothing when it is not pointed at `server`."""
    global _used
    if _used is None or _used[0] is not server:
        return
    before, _used = _used[1], None
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    settings.set_session(endpoint_url=None, region=None)
