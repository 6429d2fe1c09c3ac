"""Ctrl-C and the stop button while sync code waits for a loop: one KeyboardInterrupt, and nothing left running.

A bare ``run_until_complete`` is not safe to interrupt: a KeyboardInterrupt raised inside the loop's own
callbacks hangs the kernel, kills tasks of the user, or is swallowed. So while a nested loop turns, SIGINT
only asks for the task's cancellation, and becomes a KeyboardInterrupt where the task has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt in sync code meanwhile.

    ipykernel replaces the handler while a cell with a top-level await runs, by one that needs the loop to
    turn: a sync call in such a cell could not be stopped.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)


class Pump:
    """One nested run; SIGINT cancels its task instead of raising in the loop's callbacks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
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
        try:
            return self._loop.run_until_complete(task)
        except BaseException:
            if not task.done():  # the second SIGINT: out at once, the loop ends the task later
                task.cancel()
            raise
        finally:
            self._turning = False
            del task

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
