"""The one way to say that a pickle does what no known version of Python or of a library writes."""

from __future__ import annotations

from typing import Any

from aios3_nb.errors import FormatError
from aios3_nb.text import visible

NAMED = (type, type(len), type(type.mro), type(lambda: None))
"""Kinds of things that have a name of their own."""


def name_of(value: Any) -> str:
    """Return what to call `value` by; that of its class when it has no name of its own."""
    named = value if isinstance(value, NAMED) else type(value)
    return f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', '?')}"


def refused(name: str, what: str) -> FormatError:
    """Return the error for a call of `name`, or a state for it, with `what`: no known version writes that."""
    return not_done(f"calls {name} with {what}")


def not_done(what: str) -> FormatError:
    """Return the error for `what` the pickle does, such as "calls os.system": no known version writes that."""
    return FormatError(
        f"The pickle {visible(what[:1000], most=300)}, which is not known to be safe. "
        "If you trust whoever wrote it: --trust."
    )


def require(holds: bool, what: str) -> None:
    """Raise the error for something whose parts do not fit each other, unless it `holds`.

    Raises:
        FormatError: It does not.
    """
    if not holds:
        raise FormatError(f"The pickle is not consistent: {what} outside of what there is.")
