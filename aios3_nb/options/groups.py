"""What each call takes by name besides its subject: groups of options, each with the settings.

A group is stated here once. The calls take it as ``**options: Unpack[Loading]``, which type checkers and editors read
name by name, and `options.signatures` spells it out for ``?`` and the reference; what an option means is said in the
docstring of the first call that takes it.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from aios3_nb.errors import OptionError
from aios3_nb.settings import Asking, Overrides, Reaching, Reading, Settings, current, for_reading
from aios3_nb.text import in_quotes


class Opening(Reading, total=False):
    """What every call takes that reads one object."""

    version_id: str | None


class Peeking(Asking, total=False):
    """What looking into an object takes: the little that it fetches comes one range after the other."""

    version_id: str | None
    format: str | None
    path: str | None
    floor_bytes: int
    floor_seconds: float


class Iterating(Opening, total=False):
    """What loading items one by one takes."""

    format: str | None
    path: str | None
    allow: Iterable[str]
    trust: bool
    encoding: str | None
    limit: int | None
    errors: str
    max_bytes: int | None


class Loading(Iterating, total=False):
    """What loading objects takes."""

    concat: bool
    key_column: str | None
    columns: Iterable[str]
    rows: int | None
    as_: str | None


class Looking(Asking, total=False):
    """What listing takes."""

    recursive: bool
    limit: int | None


class Moving(TypedDict, total=False):
    """What setting the place takes: nothing is asked, so nothing else would mean anything."""

    endpoint_url: str | None


class Signing(Reaching, total=False):
    """What signing a URL takes; nothing is sent."""

    version_id: str | None
    expires: float | None


class Browsing(Reading, total=False):
    """What the browser takes, which loads and stores as well."""

    height: int | None
    max_bytes: int | None


class Storing(Asking, total=False):
    """What storing an object takes."""

    format: str | None
    part_size: int
    concurrency: int
    quiet: bool


_CALLS: Mapping[str, type] = {
    "load": Loading, "iterate": Iterating, "open": Opening, "peek": Peeking, "ls": Looking, "dump": Storing,
    "sign": Signing, "browse": Browsing,
}  # fmt: skip

DEFAULTS: Mapping[str, Any] = {
    "allow": (),
    "trust": False,
    "errors": "raise",
    "concat": False,
    "columns": (),
    "recursive": False,
    "expires": 3600,
}
"""What an option is when it is not given: these, and None for all others."""


@functools.cache
def names_in(group: type) -> tuple[str, ...]:
    """Return the names of the options in `group`, its own before the settings."""
    return tuple(sorted(group.__annotations__, key=lambda name: name in Overrides.__annotations__))


def divided(options: Mapping[str, Any], group: type) -> tuple[dict[str, Any], Settings]:
    """Return the options of `group` that were given, and the settings in force with the others.

    Raises:
        OptionError: A name that `group` does not have, or a value that does not fit a setting.
    """
    known = names_in(group)
    for name in options:
        if name not in known:
            raise without_effect(name) if name in Overrides.__annotations__ else _unknown(name, known)
    given = {name: value for name, value in options.items() if value is not None}
    chosen: Any = {name: given.pop(name) for name in Overrides.__annotations__ if name in given}
    settings = current(**chosen)
    if "budget" in known:
        for_reading(settings)
    if "cache_dir" in chosen and settings.cache == "off":
        raise OptionError("cache_dir changes nothing where no cache is used. Say cache='on' (or '20G') as well.")
    return given, settings


def without_effect(name: str) -> OptionError:
    """Return the error for a setting that would change nothing in the call that it was given."""
    takers = ", ".join(call for call, group in _CALLS.items() if name in group.__annotations__)
    return OptionError(f"{name} changes nothing in this call: it is for {takers}. Leave it out.")


def _unknown(name: str, known: tuple[str, ...]) -> OptionError:
    from difflib import get_close_matches  # seldom needed

    near = get_close_matches(name, known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return OptionError(f"Unknown option {in_quotes(name)}.{hint} The options are: {', '.join(sorted(known))}.")
