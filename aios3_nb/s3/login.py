"""What a login or a proxy changes: variables and files. A client reads them once, when it is made."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Hashable

from aios3_nb import environment

_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""Files of certificates; an `SSLContext` reads them once."""


def login() -> Hashable:
    """Return what is another value once somebody has logged in, or out; it holds no secrets."""
    digest, files = _variables(environment.state())
    return digest, *map(_state_of, files)


@functools.lru_cache(1)
def _variables(state: int) -> tuple[str, tuple[str, ...]]:
    """Return a digest of the variables, for they hold secrets; and the files that somebody may change meanwhile."""
    told = sorted(f"{name}={os.environ.get(name)}" for name in os.environ if _is_read(name))
    files = (
        os.environ.get("AWS_CONFIG_FILE", "~/.aws/config"),
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        "~/.aws/sso/cache",
        *(os.environ[name] for name in _BUNDLES if name in os.environ),
    )
    return hashlib.sha256("\0".join(told).encode()).hexdigest(), tuple(map(os.path.expanduser, files))


def _is_read(name: str) -> bool:
    return name.startswith("AWS_") or name in _BUNDLES or name.lower().endswith("_proxy")


def _state_of(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
