"""A load that goes on while other cells run.

It runs on the background loop, not on the notebook's: so it also goes on while a cell keeps the main thread
busy, as far as that lets go of the interpreter lock, and an interrupt of that cell does not touch it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from aios3_nb.errors import S3Error
from aios3_nb.loop import background, interruptible, result_of

_running: set[concurrent.futures.Future[Any]] = set()
"""Loads that nobody may hold on to; a task without a reference may vanish."""


class BackgroundLoad:
    """The handle of a load in the background: await it, ask it, cancel it.

    Args:
        label: What is loaded, as it is shown.
        work: Loads and binds; gives the value.
        stop: Makes `work` end soon, with LoadCancelledError.
    """

    def __init__(self, label: str, work: Callable[[], Coroutine[Any, Any, Any]], stop: Callable[[], None]) -> None:
        self._label = label
        self._stop = stop
        # The task runs in a copy of this cell's context: what it prints appears below this cell.
        self._future = asyncio.run_coroutine_threadsafe(work(), background().loop)
        _running.add(self._future)
        self._future.add_done_callback(_running.discard)

    def done(self) -> bool:
        """Return whether it has ended: well, by an error, or cancelled."""
        return self._future.done()

    def exception(self) -> BaseException | None:
        """Return what it failed of; None when it did not, or still runs."""
        if not self._future.done():
            return None
        if self._future.cancelled():
            return asyncio.CancelledError()
        return self._future.exception()

    def result(self, timeout: float | None = None) -> Any:
        """Return the value, waiting up to `timeout` seconds for it; interrupting the wait does not stop the load.

        Raises:
            TimeoutError: It still runs.
            S3Error: What the load failed of; LoadCancelledError when it was cancelled.
        """
        with interruptible():
            return self._future.result(timeout)

    def cancel(self) -> None:
        """Stop it, if it still runs; nothing is bound then."""
        if not self._future.done():
            self._stop()

    def __await__(self) -> Generator[Any, None, Any]:
        # Shielded: whoever waits may be interrupted, and the load goes on.
        return result_of(asyncio.wrap_future(self._future)).__await__()

    def __repr__(self) -> str:
        if not self._future.done():
            return f"<loading {self._label}>"
        error = self.exception()
        if error is None:
            return f"<loaded {self._label}>"
        text = str(error) if isinstance(error, S3Error) else type(error).__name__
        return f"<not loaded {self._label}: {text}>"
