"""Items of all objects that match a glob, one object after the other; one that fails does not lose the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial
from typing import Any

from aios3_nb.errors import CredentialsError, EndpointError, LoadCancelledError, S3Error
from aios3_nb.loop import in_thread, interruptible, thread_bridge
from aios3_nb.pipeline.items import Items
from aios3_nb.pipeline.load import amatching
from aios3_nb.pipeline.order import Order
from aios3_nb.pipeline.several import left_out_text, not_read
from aios3_nb.streams import Monitor, ObjectInfo
from aios3_nb.text import as_call, warn

_BATCH_SECONDS = 0.02
"""Items that are decoded within this time are handed to an async reader together."""


class _Share(Monitor):
    """Tells the monitor of a glob what one of its objects tells, as part of the whole.

    Args:
        whole: The monitor.
        size: Bytes of all objects.
        count: Items that the objects before it had.
    """

    def __init__(self, whole: Monitor, size: int, count: int) -> None:
        self._whole = whole
        self._size = size
        self._count = count
        self.began = whole.began  # type: ignore[method-assign]
        self.requested = whole.requested  # type: ignore[method-assign]
        self.received = whole.received  # type: ignore[method-assign]
        self.retried = whole.retried  # type: ignore[method-assign]
        self.phase = whole.phase  # type: ignore[method-assign]

    def opened(self, info: ObjectInfo) -> None:
        self._whole.opened(replace(info, size=self._size))

    def items(self, count: int) -> None:
        self._whole.items(self._count + count)


class ItemsOfEach(Items):
    """The items of all objects that match a glob, in the order of their keys; an iterator that can be closed.

    Its attributes and arguments are those of `Items`.
    """

    def _prepare(self) -> None:
        self._orders: list[Order] | None = None
        self._next = 0
        self._current: Items | None = None
        self._before = 0
        self._failed: dict[str, S3Error] = {}
        self._verdicts: set[str] = set()
        self._closed = False
        self._cancelled = False

    @property
    def info(self) -> ObjectInfo | None:
        """The glob, with the size of all that matches; None before the first item."""
        return None if self._orders is None else ObjectInfo(self._order.uri, self._size)

    @property
    def _size(self) -> int:
        return sum(one.listed_size or 0 for one in self._orders or ())

    @property
    def _is_closed(self) -> bool:
        return self._closed

    def __next__(self) -> Any:
        try:
            while not self.done and self.count != self._order.limit:
                if self._current is None and not self._begin_next():
                    break
                try:
                    item = next(self._current)  # type: ignore[arg-type]  # there is one now
                except StopIteration:
                    self._end_of_one()
                except S3Error as exc:
                    self._end_of_one(exc)
                else:
                    self.count += 1
                    return item
        except BaseException as exc:
            self._stop(exc)
            raise
        self._end_of_all()
        raise StopIteration

    def _begin_next(self) -> bool:
        """Begin to read the next object, if there is one."""
        if self._cancelled:
            raise LoadCancelledError("The iteration was cancelled.")
        if self._orders is None:
            with interruptible():
                self._orders = self._via().run(amatching, replace(self._order, limit=None))
        if self._next >= len(self._orders):
            return False
        one = self._orders[self._next]
        left = None if self._order.limit is None else self._order.limit - self.count
        share = _Share(self._monitor, self._size, self.count)
        self._next += 1
        self._current = Items(replace(one, limit=left), share, via=self._via, in_line=self._in_line)
        return True

    def _end_of_one(self, error: S3Error | None = None) -> None:
        one, self._current = self._current, None
        assert one is not None
        assert self._orders is not None
        self.trusted = self.trusted or one.trusted
        if error is None:
            self._verdicts.add(one.verdict)
        elif isinstance(error, (CredentialsError, EndpointError, LoadCancelledError)) or len(self._orders) == 1:
            raise error  # which concerns all of them
        else:
            self._failed[self._orders[self._next - 1].uri.key] = error.with_traceback(None)

    def _end_of_all(self) -> None:
        if self.done:
            return
        self.done = True
        read = self._next - len(self._failed)
        if self._next == len(self._orders or ()) and len(self._verdicts) == 1 and not self._failed:
            self.verdict = next(iter(self._verdicts))
        if self._failed and (read == 0 or not self._order.skips_errors):
            error = not_read(self._failed, self._next)
            error.in_line = self._in_line
            self._stop(error)
            raise error
        self.note = left_out_text(self._failed, self._next) if self._failed else ""
        self.close()

    def _stop(self, error: BaseException) -> None:
        self.error = error
        self.close()

    def close(self) -> None:
        """Stop the download and close the connections."""
        self._closed = True
        if self._current is not None:
            self._current.close()
        self._report()

    async def aclose(self) -> None:
        """Do what `close` does, awaited."""
        self._closed = True
        if self._current is not None:
            await self._current.aclose()
        self._report()

    def cancel(self) -> None:
        """Stop from any thread; the next item is a LoadCancelledError."""
        self._cancelled = True
        if self._current is not None:
            self._current.cancel()

    def __del__(self) -> None:
        if "_current" in self.__dict__ and self._current is not None:
            self._current.abandon(self._report)


def items_of(order: Order, monitor: Monitor, **options: Any) -> Items:
    """Return the items of the object of `order`, or of all that match it; the options are those of `Items`."""
    return (ItemsOfEach if order.pattern else Items)(order, monitor, **options)


async def iterate_async(items: Items) -> AsyncGenerator[Any, None]:
    """Yield the `items`; the running loop goes on turning while they are fetched and decoded."""
    most = 1
    failure: S3Error | None = None

    def batch() -> list[Any]:
        """Return the next items: one at first, then as many as come quickly; an error waits for those before it."""
        nonlocal failure
        found: list[Any] = []
        until = time.perf_counter() + _BATCH_SECONDS
        try:
            for item in items:
                found.append(item)
                if len(found) >= most or time.perf_counter() > until:
                    break
        except S3Error as exc:
            if not found:
                raise
            failure = exc
        return found

    try:
        while not items.done or failure is not None:
            if failure is not None:
                raise failure
            for item in await in_thread(batch, items.cancel):
                yield item
            most = min(most * 2, 1024)
    finally:
        failure = None  # it would hold this frame, which holds it
        await items.aclose()


def via_running_loop() -> Any:
    """Return the way to the running loop, from the threads that it starts."""
    return partial(thread_bridge, asyncio.get_running_loop())


def warn_of_left_out(items: Items) -> None:
    """Warn whoever called from Python of what was left out of `items`."""
    if items.note:
        warn(as_call(items.note), again=True)
