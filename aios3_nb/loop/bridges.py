"""How sync code reaches async code: the notebook's running loop, else one background loop.

============================================  =======================================================
the calling thread                            runs coroutines on
============================================  =======================================================
has a running asyncio loop (a notebook cell)  that loop, nested by nest-asyncio2, which is applied now
... that cannot be nested (uvloop, %gui)      the background loop
... that others have patched (nest_asyncio)   the background loop
... in a cell that awaits, see `undeliverable` the background loop
has none (script, thread, worker, terminal)   the background loop
============================================  =======================================================
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, TypeVarTuple

from aios3_nb.loop.interrupts import Pump, undeliverable
from aios3_nb.loop.threads import ThreadBridge, background

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Bridge(Protocol):
    """A way from this thread to one event loop."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the coroutines run on."""
        ...

    def run(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        """Return what ``await call(*args)`` gives on the loop.

        It takes a callable and not a coroutine: an interrupt between making a coroutine and running it
        would leave one that was never awaited.

        Raises:
            KeyboardInterrupt: The user interrupted; the coroutine was cancelled and has ended.
        """
        ...


def bridge() -> Bridge:
    """Return the way from the calling thread to async code; see the table above."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return background()
    if _gui_drives_kernel() or not _nest(loop) or undeliverable(loop):
        return background()
    return _NestedBridge(loop)


def thread_bridge(loop: asyncio.AbstractEventLoop) -> Bridge:
    """Return the way from a worker thread to `loop`, which turns in another thread meanwhile."""
    return ThreadBridge(loop)


def _gui_drives_kernel() -> bool:
    """Say whether ``%gui`` is on; ipykernel's loop then stands still while a nested one would turn."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(getattr(shell, "kernel", None), "eventloop", None) is not None


def _nest(loop: asyncio.AbstractEventLoop) -> bool:
    """Make `loop` re-entrant; say whether that is possible."""
    if not isinstance(loop, asyncio.BaseEventLoop):  # uvloop is none
        return False
    if _patched_by_others(asyncio) or _patched_by_others(loop):
        return False
    import nest_asyncio2

    nest_asyncio2.apply(loop)
    return True


def _patched_by_others(patched: Any) -> bool:
    """Say whether nest_asyncio, or a copy of it, has patched the module or loop; nest-asyncio2 leaves those alone.

    A loop that turns nested under that patch drops, without a word, the cells that are queued behind this one.
    """
    return hasattr(patched, "_nest_patched") and not hasattr(patched, "_nest_asyncio2")


class _NestedBridge:
    """Turns the loop that is already running in this thread until the coroutine has ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def run(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        # The turn that is under way counted what was ready as it began, and the nested ones may take some of that.
        # Where it began before nest-asyncio2 was applied, it is asyncio's own, which would end the loop for want of it.
        ready: Any = getattr(self.loop, "_ready", ())
        counted = len(ready)
        try:
            return Pump(self.loop).run(call, *args)
        finally:
            for _ in range(counted - len(ready)):
                self.loop.call_soon(_nothing)


def _nothing() -> None:
    """Take a place among what is ready."""
