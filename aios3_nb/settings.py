"""The settings: one frozen value, from the call or the line, the magics' traits, the environment, the defaults.

In that order; whoever has a value first wins. Sizes are in bytes, times in seconds.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict, Unpack

from aios3_nb import environment
from aios3_nb.errors import OptionError
from aios3_nb.text import visible, without_secrets

KIB = 1024
MIB = 1024 * KIB

Verify = Literal["auto", "require", "off"]

Cache = int | Literal["off", "on", "offline"]
"""Bytes that the local cache may take; or in a word: not used, used at its default size, used without asking S3."""
CACHE_SIZE = 20 * 1024 * MIB
"""What ``on`` means, and how large the cache may be where nothing is said but that it is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to reach S3, how hard to pull, how long to wait, and what to insist on.

    Attributes:
        profile: Profile of the AWS configuration files; None means the default chain of credentials.
        region: Region of the bucket; None means the profile's.
        endpoint_url: S3 endpoint other than AWS, such as ``http://localhost:9000``.
        no_sign_request: Send no credentials, for public buckets.
        request_payer: ``"requester"`` to pay for requests to a Requester Pays bucket.
        part_size: Length of one ranged GET once reading is at full speed.
        concurrency: Ranged GETs of one call under way at once, at most; each of its objects may have one in any case.
            Of an upload no more than 10 parts.
        budget: Bytes of one call arriving plus waiting for readers, at most; of each object one part may be more.
        connect_timeout: Wait for a connection, the wait for a free one in the pool included.
        read_timeout: Wait for the first byte of an answer, and for the next bytes of a body.
        total_timeout: Time that one stream may wait for the network, all its waits added up.
        floor_bytes: A body that brings less than this in ``floor_seconds`` is given up and resumed.
        floor_seconds: See ``floor_bytes``.
        retries: Failures in a row, over all parts of an object, before a load gives up.
        retry_wait: Longest pause before a retry; the pauses before it are shorter and random.
        verify: Check the object's stored checksum: where there is one, insist on it, or not at all.
        max_bytes: Refuse what is larger, compressed or expanded; None means no limit.
        quiet: Show no progress and no closing line.
        cache: Keep whole objects on local disk, in so many bytes at most, and read them from there as long as S3 says
            that they are the ones it has; ``offline`` does not ask S3, ``on`` is 20G.
        cache_dir: Folder of that cache; None means the one that the system has for caches of the user.
        s3: An open aiobotocore client of the caller's to use instead of one made of these settings.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    no_sign_request: bool = False
    request_payer: str | None = None
    part_size: int = 8 * MIB
    concurrency: int = 20
    budget: int = 64 * MIB
    connect_timeout: float = 10.0
    read_timeout: float = 20.0
    total_timeout: float = 4 * 3600.0
    floor_bytes: int = 64 * KIB
    floor_seconds: float = 10.0
    retries: int = 8
    retry_wait: float = 8.0
    verify: Verify = "auto"
    max_bytes: int | None = None
    quiet: bool = False
    cache: Cache = "off"
    cache_dir: str | None = None
    s3: Any = field(default=None, repr=False, compare=False)

    @property
    def connection(self) -> Settings:
        """These settings with only what makes one client differ from another; the key of the client cache."""
        return Settings(**{name: getattr(self, name) for name in CONNECTION})

    def _repr_html_(self) -> str:
        from aios3_nb.text import table_html  # with all names of characters in HTML

        values = {name: getattr(self, name) for name in NAMES}
        rows = [(name, visible(without_secrets(str(value)))) for name, value in values.items()]
        kinds = ["" if value == getattr(_DEFAULTS, name) else "strong" for name, value in values.items()]
        return table_html(rows, caption="Settings", note="In bold: what is not the default.", kinds=kinds)


class Reaching(TypedDict, total=False):
    """What a call may set for itself where nothing is sent, and only an address is made."""

    profile: str | None
    region: str | None
    endpoint_url: str | None
    no_sign_request: bool
    request_payer: str | None


class Asking(Reaching, total=False):
    """... where S3 is asked, and what it answers is small."""

    connect_timeout: float
    read_timeout: float
    retries: int
    retry_wait: float


class Reading(Asking, total=False):
    """... where bytes of objects are read."""

    part_size: int
    concurrency: int
    budget: int
    total_timeout: float
    floor_bytes: int
    floor_seconds: float
    verify: Verify
    cache: Cache
    cache_dir: str | None
    quiet: bool


class Overrides(Reading, total=False):
    """All of them: the fields of `Settings`."""

    max_bytes: int | None


CONNECTION = (
    "profile",
    "region",
    "endpoint_url",
    "no_sign_request",
    "request_payer",
    "connect_timeout",
    "read_timeout",
)
_TYPES: Mapping[str, Any] = {name: kind for name, kind in typing.get_type_hints(Settings).items() if name != "s3"}
NAMES = tuple(_TYPES)
"""All settings, as calls, traits and (in capitals, after ``AIOS3_NB_``) the environment name them."""
_DEFAULTS = Settings()
_SUFFIXES = {"k": KIB, "m": MIB, "g": 1024 * MIB}

_session: dict[str, Any] = {}
"""What the session (``%s3demo``, ``%config S3Magics``) has set; below the call, above the environment."""


def current(**overrides: Unpack[Overrides]) -> Settings:
    """Return the settings in force: `overrides`, else the session's, else the environment's, else defaults.

    Raises:
        OptionError: A name that is no setting, or a value that does not fit it.
    """
    unknown = sorted(set(overrides) - set(_TYPES))
    if unknown:
        raise OptionError(f"Unknown option {unknown[0]!r}. The options are: {', '.join(sorted(_TYPES))}.")
    values = _from_environment(environment.state()) | _session | {k: v for k, v in overrides.items() if v is not None}
    if not values:
        return _DEFAULTS
    settings = replace(_DEFAULTS, **{name: _checked(name, value) for name, value in values.items()})
    if settings.part_size > settings.budget:
        # What nobody set gives way.
        if "part_size" not in values:
            return replace(settings, part_size=settings.budget)
        if "budget" not in values:
            return replace(settings, budget=settings.part_size)
    return settings


def for_reading(settings: Settings) -> Settings:
    """Return `settings`, whose parts have room in their budget.

    Raises:
        OptionError: Both were set, and they have none: so what was asked for could not be.
    """
    part, budget = settings.part_size, settings.budget
    if part > budget:
        raise OptionError(
            f"part_size={part} does not fit into budget={budget}, which holds all parts that arrive or wait. "
            f"Say a smaller part_size, or a budget for several parts, such as budget={4 * part}."
        )
    return settings


def set_session(**values: Any) -> None:
    """Set values for every later call of this process; a None takes the session's value back."""
    for name, value in values.items():
        if value is None:
            _session.pop(name, None)
        else:
            _session[name] = _checked(name, value)


def travelling(settings: Settings) -> dict[str, Any]:
    """Return the options that make another process reach the same objects: what is set, and nothing secret.

    An endpoint or a region that stands in this process's environment goes along, for a bucket's name means another
    bucket elsewhere; the folder of the local cache does not, for it is this machine's, nor what a notebook shows.
    """
    plain = Settings()
    told = os.environ.get
    settings = replace(
        settings,
        endpoint_url=settings.endpoint_url or told("AWS_ENDPOINT_URL_S3") or told("AWS_ENDPOINT_URL") or None,
        region=settings.region or told("AWS_REGION") or told("AWS_DEFAULT_REGION") or None,
    )
    names = [one.name for one in dataclasses.fields(Settings) if one.name not in ("s3", "cache_dir", "quiet")]
    return {name: value for name in names if (value := getattr(settings, name)) != getattr(plain, name)}


@functools.lru_cache(1)
def _from_environment(state: int) -> dict[str, Any]:
    found = {}
    for name in _TYPES:
        text = os.environ.get(f"AIOS3_NB_{name.upper()}")
        if text:
            found[name] = _checked(name, text)
    return found


def _checked(name: str, value: Any) -> Any:
    """Return `value` as the type of the setting `name`; text is read as the environment writes it."""
    if name not in _TYPES:
        raise OptionError(f"Unknown option {name!r}. The options are: {', '.join(sorted(_TYPES))}.")
    try:
        result = _cache(value) if name == "cache" else _converted(kind_of(name), value)
    except (TypeError, ValueError) as exc:
        raise OptionError(f"{name}={value!r} does not fit: {exc}") from exc
    if isinstance(result, (int, float)) and not isinstance(result, bool) and result <= 0 and name != "retries":
        raise OptionError(f"{name}={value!r} does not fit: it must be more than 0.")
    return result


def kind_of(name: str) -> type | tuple[str, ...]:
    """Return the type of the setting `name`, besides None; of one that takes certain words only, these."""
    wanted = _TYPES[name]
    if wanted == Cache:
        return str
    if typing.get_origin(wanted) is Literal:
        return typing.get_args(wanted)
    kind: type = typing.get_args(wanted)[0] if isinstance(wanted, types.UnionType) else wanted
    return kind


def _converted(wanted: type | tuple[str, ...], value: Any) -> Any:
    if isinstance(wanted, tuple):
        if value not in wanted:
            raise ValueError(f"one of {', '.join(wanted)} is meant")
        return value
    if wanted is bool:
        return _boolean(value)
    if wanted is int:
        return _size(value)
    if wanted is str and not isinstance(value, str):
        raise TypeError("text is meant")
    return wanted(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ValueError("true or false is meant")


def _cache(value: Any) -> Cache:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value in ("off", "on", "offline"):
        return typing.cast(Cache, value)
    try:
        return _size(value) or "off"
    except ValueError:
        raise ValueError("a size such as 20G, or on, off or offline is meant") from None


def _size(value: Any) -> int:
    """Return a whole number; ``"8M"``, ``"8MiB"`` and ``"8388608"`` are the same."""
    if isinstance(value, float) and not value.is_integer():
        raise ValueError("a whole number is meant")
    if not isinstance(value, str):
        return int(value)
    text = value.strip().lower().removesuffix("b").removesuffix("i")
    factor = _SUFFIXES.get(text[-1:], 1)
    return int(text.rstrip("kmg")) * factor
