"""What file systems are told: our settings by our names, what s3fs calls them, and what fsspec itself takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aios3_nb.errors import OptionError
from aios3_nb.options import Opening, without_effect
from aios3_nb.settings import NAMES, Settings, current, for_reading

FSSPEC = ("asynchronous", "loop", "batch_size", "use_listings_cache", "listings_expiry_time", "max_paths")
"""Handed on to fsspec."""

OURS = tuple(name for name in NAMES if name in Opening.__annotations__)
"""The settings that change something for a file system: those of reading and of storing."""

_SECRETS = frozenset(
    {
        "key", "secret", "token", "username", "password", "access_key", "secret_key", "session_token",
        "aws_access_key_id", "aws_secret_access_key", "aws_session_token",
    }
)  # fmt: skip
_OF_CLIENT = {"endpoint_url": "endpoint_url", "region_name": "region"}


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one file system, sorted out.

    Attributes:
        settings: Ours, with the session's and the environment's where none was given.
        version_aware: Whether what is opened keeps to the version that was there, by its id.
        fsspec: What fsspec's own class takes.
    """

    settings: Settings
    version_aware: bool
    fsspec: dict[str, Any]


def sorted_out(options: Mapping[str, Any]) -> Options:
    """Return what `options` mean.

    Raises:
        OptionError: One is not understood, or is a secret; the message names it and never shows its value.
    """
    rest = dict(options)
    for name in rest:
        if name in _SECRETS:
            raise _secret(name)
    fsspec = {name: rest.pop(name) for name in FSSPEC if name in rest}
    aware = bool(rest.pop("version_aware", False))
    overrides = {name: rest.pop(name) for name in OURS if name in rest} | _of_s3fs(rest)
    if rest:
        if (name := next(iter(rest))) in NAMES:
            raise without_effect(name)
        known = sorted({*OURS, *FSSPEC, "anon", "client_kwargs", "requester_pays", "version_aware"})
        raise OptionError(f"Unknown option {name!r}. A file system takes: {', '.join(known)}.")
    return Options(for_reading(current(**overrides)), aware, fsspec)


def _of_s3fs(rest: dict[str, Any]) -> dict[str, Any]:
    """Take out of `rest` what s3fs calls differently, and return it as ours."""
    found: dict[str, Any] = {}
    if "anon" in rest:
        found["no_sign_request"] = bool(rest.pop("anon"))
    if rest.pop("requester_pays", False):
        found["request_payer"] = "requester"
    for name, value in dict(rest.pop("client_kwargs", None) or {}).items():
        if name in _SECRETS:
            raise _secret(name)
        if name not in _OF_CLIENT:
            raise OptionError(
                f"Unknown option {name!r} in client_kwargs. It can have: {', '.join(sorted(_OF_CLIENT))}."
            )
        found[_OF_CLIENT[name]] = value
    return found


def _secret(name: str) -> OptionError:
    return OptionError(
        f"Credentials are never options ({name!r} is one): they would stand in graphs and notebooks. "
        "Name a profile with profile=, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment."
    )
