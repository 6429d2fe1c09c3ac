"""Threads and loops reach each other: a loop that turns in another thread, and a call in a thread of its own.

The background loop is one of the first kind: it turns in a daemon thread that ends with the interpreter.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import contextvars
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple, cast

from aios3_nb.loop.interrupts import interruptible
from aios3_nb.loop.waiting import result_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_CLEANUP_WAIT = 5.0
"""Longest wait for an interrupted task to end; the tasks of this package end in milliseconds."""


def background() -> BackgroundBridge:
    """Return the bridge to the one background loop of this process; the first call starts its thread."""
    global _background
    with _background_lock:
        if _background is None:
            _background = BackgroundBridge()
        return _background


async def in_thread(call: Callable[[], T], stop: Callable[[], None]) -> T:
    """Await `call()`, run in a thread of its own in the caller's context.

    A thread of its own, not an executor's: it ends with the call. When the awaiting task is cancelled, `stop`
    is called, which must make `call` end soon, and that end is awaited.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(T, result))

    def work() -> None:
        outcome: tuple[T | None, BaseException | None]
        try:
            outcome = call(), None
        except StopIteration as exc:  # a future cannot hold it
            outcome = None, RuntimeError(f"StopIteration: {exc}")
        except BaseException as exc:
            outcome = None, exc
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, *outcome)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="aios3_nb reader", daemon=True).start()
    try:
        return await result_of(done)
    except asyncio.CancelledError:
        stop()
        await asyncio.wait([done], timeout=_CLEANUP_WAIT)
        raise


class _Job:
    """One call for another thread's loop: may be cancelled before, while and after it runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._loop = loop
        self._call = call
        self._task: asyncio.Task[Any] | None = None
        self._dropped = False
        self.future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def start(self) -> None:
        if self._dropped:
            self._finish_cancelled()
            return
        try:
            self._task = self._loop.create_task(self._call())
        except BaseException as exc:  # the loop would only log it, and whoever waits would wait for ever
            self.future.set_exception(exc)
            return
        self._task.add_done_callback(self._finish)

    def drop(self) -> None:
        self._dropped = True
        if self._task is not None:
            self._task.cancel()

    def _finish(self, task: asyncio.Task[Any]) -> None:
        self._task = None
        if task.cancelled():
            self._finish_cancelled()
        elif (error := task.exception()) is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(task.result())

    def _finish_cancelled(self) -> None:
        self.future.cancel()
        self.future.set_running_or_notify_cancel()  # or concurrent.futures.wait() would not see it


class ThreadBridge:
    """Hands coroutines to a loop that turns in another thread, and waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def run(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        job = _Job(self.loop, lambda: call(*args))
        with interruptible():
            try:
                self.loop.call_soon_threadsafe(job.start)
                result: T = job.future.result()
                return result
            except concurrent.futures.CancelledError:
                raise asyncio.CancelledError from None
            except BaseException:
                if not job.future.done():
                    self.loop.call_soon_threadsafe(job.drop)
                    concurrent.futures.wait([job.future], _CLEANUP_WAIT)
                raise


class BackgroundBridge(ThreadBridge):
    """The background loop: a daemon thread that lives until the interpreter ends."""

    def __init__(self) -> None:
        # Not new_event_loop(): a uvloop policy would make one of another kind.
        super().__init__(asyncio.SelectorEventLoop())
        self._stopped = False
        self._thread = threading.Thread(target=self._turn, name="aios3_nb loop", daemon=True)
        self._thread.start()

    def run(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        if threading.current_thread() is self._thread:
            raise RuntimeError("A sync call was made on the background loop itself; await the async one.")
        return super().run(call, *args)

    def stop(self) -> None:
        """Close what the loop still holds, and end the thread."""
        self._stopped = True
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_CLEANUP_WAIT)

    def _turn(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            while not self._stopped:
                # What leaves one task so, leaves the loop too: whoever awaits the task gets it, and the others go on.
                with contextlib.suppress(SystemExit, KeyboardInterrupt):
                    self.loop.run_forever()
        finally:
            self.loop.run_until_complete(_close_all(self.loop))
            self.loop.close()


async def _close_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks: list[Awaitable[Any]] = []
    for task in asyncio.all_tasks(loop) - {asyncio.current_task(loop)}:
        task.cancel()
        tasks.append(task)
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()  # clients live in async generators, see `s3.clients`


_background: BackgroundBridge | None = None
_background_lock = threading.Lock()


def is_background(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether `loop` is the one in the background, which closes what it holds when the process ends."""
    return _background is not None and _background.loop is loop


def _stop_background() -> None:
    global _background
    with _background_lock:
        gone, _background = _background, None
    if gone is not None:
        gone.stop()


def _forget_background() -> None:
    """In a forked child the thread of the background loop does not exist."""
    global _background, _background_lock
    _background, _background_lock = None, threading.Lock()


atexit.register(_stop_background)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_background)
