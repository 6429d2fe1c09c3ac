"""The variables of the environment, noticed when they change: all are compared sooner than a few are read.

A load reads some sixty of them, and a cell may set any between two loads.
"""

from __future__ import annotations

import os

_seen: dict[bytes, bytes] | dict[str, str] = {}
_state = 0


def state() -> int:
    """Return a number that is another one when any variable has changed since the last call."""
    global _seen, _state
    now = getattr(os.environ, "_data", os.environ)  # as it is; the public view decodes each of them
    if now != _seen:
        # In this order: another thread that calls meanwhile counts on as well, and is not told the old number.
        _state += 1
        _seen = dict(now)
    return _state
