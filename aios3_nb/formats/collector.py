"""The cyclic garbage collector, paused while many objects are built at once.

Every few hundred new containers the collector walks the young ones, and now and then all of them; while a
pickle or JSON document of a million dicts is built, that is most of the time and frees nothing.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_pauses = 0
_was_enabled = False


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the collector in the body; pauses nest, and overlap between threads.

    The last pause to end switches the collector on again, if it was on before the first one, whatever
    ended the body. What the body leaves in cycles is collected later, as usual.
    """
    global _pauses, _was_enabled
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
                _age_everything()
                gc.enable()


def _age_everything() -> None:
    """Count all there is as old, so that the collector does not walk it all as soon as it is on again.

    That walk of what was just built took 0.8 s after a million dicts. What is old is walked when the
    collector next finds reason to look at everything.
    """
    # Unfreezing would also undo what somebody else froze.
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.unfreeze()
