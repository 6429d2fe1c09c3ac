"""The cyclic garbage collector, paused while many objects are built at once.

Every few hundred new containers the collector walks the young ones, and now and then all of them; while a
pickle or JSON document of a million dicts is built, that is most of the time and frees nothing.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 20_000
"""Containers; as many are walked in some 4 ms."""

_lock = threading.Lock()
_pauses = 0
_was_enabled = False
_lived = 0
"""How many containers there were after all of them had been walked, or before the first body that built many."""
_due = False
"""Whether there may be twice as many now."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the collector in the body; pauses nest, and overlap between threads.

    The last pause to end switches the collector on again, if it was on before the first one, whatever
    ended the body. What the body leaves in cycles is collected later, as usual.
    """
    global _pauses, _was_enabled
    if _due:
        _walk_if_doubled()
    with _lock:
        if _pauses == 0:
            _was_enabled = gc.isenabled()
            gc.disable()
        _pauses += 1
    try:
        yield
    finally:
        with _lock:
            _pauses -= 1
            if _pauses == 0 and _was_enabled:
                if (built := gc.get_count()[0]) >= _MANY:
                    _age_everything(built)
                gc.enable()


def _age_everything(built: int) -> None:
    """Count all there is as old, so that the collector does not walk it all as soon as it is on again.

    That walk of what was just built takes half as long as to build it. But then the collector knows nothing of its
    growth, and counts anew from zero: left to itself, it would never again find reason to look at what is old. So
    this is not done after a few objects, and `_walk_if_doubled` looks for it.
    """
    global _lived, _due
    if there := _aged():
        before = there - built
        _lived = min(_lived, before) if _lived else before
        _due = there > 2 * _lived


def _walk_if_doubled() -> None:
    """Collect all garbage when there are twice as many containers as were left the last time.

    Before a body, not after it: the object that the last one built may be gone by now, and then nothing has grown.
    """
    global _lived, _due
    if not gc.isenabled():  # within a pause, or the user wants none
        return
    _due = False
    if _aged() > 2 * _lived:
        gc.collect()
        _lived = _aged()


def _aged() -> int:
    """Make all containers old ones and return how many there are; 0 where somebody froze some: they stay so."""
    if gc.get_freeze_count():
        return 0
    gc.freeze()
    try:
        return gc.get_freeze_count()
    finally:
        gc.unfreeze()
