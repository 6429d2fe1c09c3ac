"""Ctrl-C and the stop button while sync code waits for a loop: one KeyboardInterrupt, and nothing left running.

A bare ``run_until_complete`` is not safe to interrupt: a KeyboardInterrupt raised inside the loop's own
callbacks hangs the kernel, kills tasks of the user, or is swallowed. So while a nested loop turns, SIGINT
only asks for the task's cancellation, and becomes a KeyboardInterrupt where the task has ended.

The task that calls, a cell with a top-level await for one, may be cancelled meanwhile as well: ipykernel does
that with a SIGINT that came before the nested loop turned, ``asyncio.timeout`` with a time that is over. It is
delivered here, as a CancelledError: a task that returns with a cancel still waiting for it ends as cancelled,
and ipykernel would never say that the cell is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_LOOK_SECONDS = 0.05
"""Between two looks whether the calling task was cancelled; asyncio tells nobody."""

_put_aside: list[Any] = []
"""The handlers that `interruptible` has replaced in the main thread, the oldest first."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt in sync code meanwhile.

    ipykernel replaces the handler while a cell with a top-level await runs, by one that needs the loop to
    turn: a sync call in such a cell could not be stopped.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    depth = len(_put_aside)
    old = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _put_aside.append(old)
        yield
    finally:
        signal.signal(signal.SIGINT, old)
        del _put_aside[depth:]


def undeliverable(loop: asyncio.AbstractEventLoop) -> bool:
    """Say whether SIGINT may cancel the calling task so that no `Pump` could deliver it: `loop` must not turn nested.

    So it is up to Python 3.12 in a cell with a top-level await whose task was made before nest-asyncio2 replaced
    the tasks in C: their mark of a cancel cannot be taken away.
    """
    if sys.version_info >= (3, 13) or threading.current_thread() is not threading.main_thread():
        return False
    handler = _put_aside[0] if _put_aside else signal.getsignal(signal.SIGINT)
    by_kernel = str(getattr(handler, "__module__", "")).startswith(
        "ipykernel."
    )  # SIGINT's own raises, and cancels none
    return by_kernel and type(asyncio.current_task(loop)).__module__ == "_asyncio"


class Pump:
    """One nested run; SIGINT cancels its task instead of raising in the loop's callbacks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._caller: Any = asyncio.current_task(loop)
        self._task: asyncio.Task[Any] | None = None
        self._next_look: asyncio.TimerHandle
        self._turning = False
        self._hit = False

    def run(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        if threading.current_thread() is not threading.main_thread():
            return self._turn(call, *args)
        # From here on a SIGINT is noted, not raised, unless it is the second one.
        old = signal.signal(signal.SIGINT, self._on_signal)
        try:
            result = self._turn(call, *args)
        except asyncio.CancelledError:
            self._raise_if_hit()
            raise
        finally:
            # Drop the task while an interrupt still cannot raise in its __del__.
            self._task = None
            signal.signal(signal.SIGINT, old)
        # Only now: one that is noted while the task is finishing, or after it, is not to be lost.
        self._raise_if_hit()
        return result

    def _turn(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        task: asyncio.Task[T] = self._loop.create_task(call(*args))
        self._task = task
        if self._hit:
            task.cancel()
        self._turning = True
        self._look()
        try:
            result = self._loop.run_until_complete(task)
        except BaseException as exc:
            if not task.done():  # the second SIGINT: out at once, the loop ends the task later
                task.cancel()
            if _take_cancel(self._caller) and isinstance(exc, Exception):
                raise asyncio.CancelledError from exc
            raise
        finally:
            self._turning = False
            self._next_look.cancel()
            del task
        if _take_cancel(self._caller):
            raise asyncio.CancelledError
        return result

    def _look(self) -> None:
        """Cancel the task when the calling one was cancelled, now or later."""
        if getattr(self._caller, "_must_cancel", False):
            self._cancel()
        self._next_look = self._loop.call_later(_LOOK_SECONDS, self._look)

    def _raise_if_hit(self) -> None:
        if self._hit:
            raise KeyboardInterrupt from None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        again, self._hit = self._hit, True
        if again and self._turning:
            signal.default_int_handler(number, frame)
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _take_cancel(task: Any) -> bool:
    """Take away the mark of a cancel that waits for the next await of `task`; say whether there was one."""
    if not getattr(task, "_must_cancel", False):
        return False
    try:
        task._must_cancel = False  # noqa: SLF001 - asyncio has no public name for it before Python 3.13
    except AttributeError:  # read-only in C; from Python 3.13 on it goes with the last request
        while task.uncancel():
            pass
    return True
