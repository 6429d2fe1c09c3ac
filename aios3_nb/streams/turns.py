"""Reads of one file, one at a time, each on the loop that its thread reaches and by a stream of that loop.

A file that is read on another thread later moves to that thread's loop (see `loop.bridges`), so no thread ever waits
for a loop that waits for it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from aios3_nb.errors import LoadCancelledError
from aios3_nb.text import visible

if TYPE_CHECKING:
    import asyncio

    from aios3_nb.address import S3Uri
    from aios3_nb.loop import Bridge
    from aios3_nb.streams.cursor import Cursor, Stream
    from aios3_nb.streams.object import ObjectInfo

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Turns:
    """Gives the reads of one file their turn, and the file's `cursor` a stream to read by.

    Args:
        uri: The object.
        cursor: Where it is read.
        make_stream: Makes a stream that reads on from a known version, or from whatever is there now.
        via: The way to the loop that the calling thread reaches.

    Attributes:
        lock: Held by whoever reads.
        reader: The thread that reads just now; None when none does.
        cancelled: Whether every read from now on is an error.
        closed: Whether the file is closed.
    """

    def __init__(
        self,
        uri: S3Uri,
        cursor: Cursor,
        make_stream: Callable[[ObjectInfo | None], Stream],
        via: Callable[[], Bridge],
    ) -> None:
        self.lock = threading.Lock()
        self.reader: int | None = None
        self.cancelled = False
        self.closed = False
        self._uri = uri
        self._cursor = cursor
        self._make_stream = make_stream
        self._via = via
        self._stream: Stream | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        """Return what `call` returns, which runs when it is this thread's turn, on the loop that it reaches."""
        with self._turn():
            way = self._via()
            self._settle(way.loop)
            return way.run(call, *args)

    async def wait(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        """Return what `call` returns, which runs on the running loop; there another read is an error meanwhile."""
        import asyncio

        if self.reader is not None:
            raise RuntimeError(f"{self._name} is being read already; one read at a time")
        with self._turn():
            self._settle(asyncio.get_running_loop())
            return await call(*args)

    def check_open(self) -> None:
        """Raise an error when the file was closed or cancelled."""
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        if self.cancelled:
            raise self._cancellation()

    def close(self) -> None:
        """End the stream; returns when that is done, unless it belongs to a loop that this thread cannot turn."""
        stream, loop = self._let_go()
        try:
            if stream is not None and loop is not None:
                way = self._via()
                if way.loop is loop:
                    way.run(stream.aclose)
                else:
                    _end_elsewhere(stream, loop)
        finally:
            self.closed = True

    async def aclose(self) -> None:
        """Do what `close` does on the running loop."""
        import asyncio

        stream, loop = self._let_go()
        try:
            if stream is not None and loop is not None:
                if asyncio.get_running_loop() is loop:
                    await stream.aclose()
                else:
                    _end_elsewhere(stream, loop)
        finally:
            self.closed = True

    def abandon(self, then: Callable[[], None] | None = None) -> None:
        """End the stream without waiting; call `then` on its loop when that turns next, not at all without a stream."""
        if self._stream is not None:
            stream, loop = self._let_go()
            assert stream is not None
            assert loop is not None
            _end_elsewhere(stream, loop, then)

    def cancel(self) -> None:
        """Have the read that waits, and every later one, raise LoadCancelledError; from any thread."""
        self.cancelled = True
        stream, loop = self._stream, self._loop
        if stream is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(stream.abort, self._cancellation())

    @property
    def _name(self) -> str:
        return f"<S3File {visible(str(self._uri))}>"

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Let one reader in; another thread waits, the same thread (a callback within a read) is an error."""
        me = threading.get_ident()
        if self.reader == me:
            raise RuntimeError(f"reentrant call inside {self._name}")
        with self.lock:
            self.check_open()
            self.reader = me
            try:
                yield
            finally:
                self.reader = None

    def _settle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have a stream that belongs to `loop`."""
        if self._stream is not None and self._loop is loop:
            return
        left, before = self._stream, self._loop
        self._stream, self._loop = self._make_stream(self._cursor.info), loop
        self._cursor.follow(self._stream)
        if left is not None and before is not None:
            _end_elsewhere(left, before)

    def _let_go(self) -> tuple[Stream | None, asyncio.AbstractEventLoop | None]:
        """Return stream and loop, and have none from now on."""
        stream, loop = self._stream, self._loop
        self._stream = self._loop = None
        self._cursor.leave()
        return stream, loop

    def _cancellation(self) -> LoadCancelledError:
        return LoadCancelledError(f"Cancelled: {visible(str(self._uri))}. Nothing was bound.", uri=str(self._uri))


def _end_elsewhere(stream: Stream, loop: asyncio.AbstractEventLoop, then: Callable[[], None] | None = None) -> None:
    """End `stream` on its own loop, whenever that turns next; nobody waits for it."""

    def end() -> None:
        stream.abort(ValueError("I/O operation on closed file."))
        if then is not None:
            then()

    with contextlib.suppress(RuntimeError):  # the loop is closed, and its connections with it
        loop.call_soon_threadsafe(end)
