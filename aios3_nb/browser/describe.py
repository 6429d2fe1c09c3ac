"""A value that was loaded -> what it is, in a few words and lines."""

from __future__ import annotations

import reprlib
from collections.abc import Sized
from typing import Any

from aios3_nb.text import visible

_LINES = 8
_WIDTH = 200

_short = reprlib.Repr()
_short.maxdict = _short.maxlist = _short.maxtuple = _short.maxset = _short.maxfrozenset = 8
_short.maxstring = _short.maxother = _WIDTH


def kind_of(value: Any) -> str:
    """Return the type of `value`, and how much of it there is: ``DataFrame, 90 x 3``, ``dict of 2``."""
    name = type(value).__name__
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(length, int) for length in shape):
        dtype = getattr(value, "dtype", None)
        kind = f" of {dtype}" if dtype is not None and isinstance(getattr(dtype, "name", None), str) else ""
        return visible(f"{name}, {' x '.join(f'{length:,}' for length in shape) or 'one value'}{kind}", most=_WIDTH)
    if isinstance(value, (str, bytes)):
        return f"{name} of length {len(value):,}"
    if isinstance(value, Sized) and type(value).__module__ == "builtins":
        return f"{name} of {len(value):,}"
    return visible(name, most=_WIDTH)


def lines_of(value: Any) -> list[str]:
    """Return the first lines of what `value` looks like; none where it cannot be said."""
    try:
        text = value.head(_LINES - 2).to_string(max_cols=8) if hasattr(value, "to_string") else _short.repr(value)
    except Exception:  # whatever the repr of somebody's class raises
        return []
    lines = str(text).splitlines()
    shown = [visible(line, most=_WIDTH) for line in lines[:_LINES]]
    return [*shown, "…"] if len(lines) > _LINES else shown
