"""What each call takes by name besides its subject: groups of options, each with the settings.

A group is stated here once. The calls take it as ``**options: Unpack[Loading]``, which type checkers and editors read
name by name, and `options.signatures` spells it out for ``?`` and the reference; what an option means is said in the
docstring of the first call that takes it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from aios3_nb.errors import OptionError
from aios3_nb.settings import Overrides, Settings, current
from aios3_nb.text import in_quotes


class Opening(Overrides, total=False):
    """What every call takes that reads one object."""

    version_id: str | None


class Peeking(Opening, total=False):
    """What looking into an object takes."""

    format: str | None
    path: str | None


class Iterating(Peeking, total=False):
    """What loading items one by one takes."""

    allow: Iterable[str]
    trust: bool
    encoding: str | None
    limit: int | None
    errors: str


class Loading(Iterating, total=False):
    """What loading objects takes."""

    concat: bool
    key_column: str | None
    columns: Iterable[str]
    rows: int | None
    as_: str | None


class Looking(Overrides, total=False):
    """What listing takes."""

    recursive: bool
    limit: int | None


class Moving(TypedDict, total=False):
    """What setting the place takes: nothing is asked, so nothing else would mean anything."""

    endpoint_url: str | None


class Signing(Opening, total=False):
    """What signing a URL takes."""

    expires: float | None


class Browsing(Overrides, total=False):
    """What the browser takes."""

    height: int | None


class Storing(Overrides, total=False):
    """What storing an object takes."""

    format: str | None


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


def names_in(group: type) -> tuple[str, ...]:
    """Return the names of the options in `group`, its own before the settings."""
    inherited = Overrides.__annotations__
    return tuple(sorted(group.__annotations__, key=lambda name: name in inherited))


def divided(options: Mapping[str, Any], group: type) -> tuple[dict[str, Any], Settings]:
    """Return the options of `group` that were given, and the settings in force with the others.

    Raises:
        OptionError: A name that `group` does not have, or a value that does not fit a setting.
    """
    known = names_in(group)
    for name in options:
        if name not in known:
            from difflib import get_close_matches  # seldom needed

            near = get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise OptionError(f"Unknown option {in_quotes(name)}.{hint} The options are: {', '.join(sorted(known))}.")
    given = {name: value for name, value in options.items() if value is not None}
    settings: Any = {name: given.pop(name) for name in Overrides.__annotations__ if name in given}
    return given, current(**settings)
