"""How sync code reaches async code: the notebook's running loop, else one background loop.

============================================  =======================================================
the calling thread                            runs coroutines on
============================================  =======================================================
has a running asyncio loop (a notebook cell)  that loop, nested by nest-asyncio2, which is applied now
... that cannot be nested (uvloop, %gui)      the background loop
has none (script, thread, worker, terminal)   the background loop
============================================  =======================================================

A bare ``run_until_complete`` is not safe to interrupt: a KeyboardInterrupt raised inside the loop's own
callbacks hangs the kernel, kills tasks of the user, or is swallowed. So while a nested loop turns, SIGINT
only asks for the task's cancellation, and becomes a KeyboardInterrupt where the task has ended.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import contextvars
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import FrameType
from typing import Any, Protocol, TypeVar, TypeVarTuple, cast

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_CLEANUP_WAIT = 5.0
"""Longest wait for an interrupted task to end; the tasks of this package end in milliseconds."""


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
    if _gui_drives_kernel() or not _nest(loop):
        return background()
    return _NestedBridge(loop)


def background() -> Bridge:
    """Return the bridge to the one background loop of this process; the first call starts its thread."""
    global _background
    with _background_lock:
        if _background is None:
            _background = _BackgroundBridge()
        return _background


def thread_bridge(loop: asyncio.AbstractEventLoop) -> Bridge:
    """Return the way from a worker thread to `loop`, which turns in another thread meanwhile."""
    return _ThreadBridge(loop)


async def in_thread(call: Callable[[], T], stop: Callable[[], None]) -> T:
    """Await `call()`, run in a thread of its own in the caller's context.

    A thread of its own, not an executor's: it ends with the call. When the awaiting task is cancelled, `stop`
    is called, which must make `call` end soon, and that end is awaited.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    # Nobody asks for the error of a call that was stopped.
    done.add_done_callback(lambda future: future.cancelled() or future.exception())

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
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        stop()
        await asyncio.wait([done], timeout=_CLEANUP_WAIT)
        raise


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


def _gui_drives_kernel() -> bool:
    """Say whether ``%gui`` is on; ipykernel's loop then stands still while a nested one would turn."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(getattr(shell, "kernel", None), "eventloop", None) is not None


def _nest(loop: asyncio.AbstractEventLoop) -> bool:
    """Make `loop` re-entrant; say whether that is possible."""
    if not isinstance(loop, asyncio.BaseEventLoop):  # uvloop is none
        return False
    import nest_asyncio2

    nest_asyncio2.apply(loop)
    return True


class _NestedBridge:
    """Turns the loop that is already running in this thread until the coroutine has ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def run(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        return _Pump(self.loop).run(call, *args)


class _Pump:
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
        self._task = self._loop.create_task(self._call())
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


class _ThreadBridge:
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


class _BackgroundBridge(_ThreadBridge):
    """The background loop: a daemon thread that lives until the interpreter ends."""

    def __init__(self) -> None:
        # Not new_event_loop(): a uvloop policy would make one of another kind.
        super().__init__(asyncio.SelectorEventLoop())
        self._thread = threading.Thread(target=self._turn, name="aios3_nb loop", daemon=True)
        self._thread.start()

    def run(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        if threading.current_thread() is self._thread:
            raise RuntimeError("A sync call was made on the background loop itself; await the async one.")
        return super().run(call, *args)

    def stop(self) -> None:
        """Close what the loop still holds, and end the thread."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_CLEANUP_WAIT)

    def _turn(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
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
    await loop.shutdown_asyncgens()  # clients live in async generators, see _client


_background: _BackgroundBridge | None = None
_background_lock = threading.Lock()


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
