"""An object as a file: lazy, seekable, sync and async, whatever library reads it.

Where it is read, `Cursor` knows; here is the way there: one read at a time, on the loop that the calling thread
reaches (see `loop.bridges`), by an `ObjectStream` of that loop. A file that is read on another
thread later moves to that thread's loop, so no thread ever waits for a loop that waits for it.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, TypeVarTuple

from aios3_nb.errors import LoadCancelledError
from aios3_nb.loop import Bridge, bridge
from aios3_nb.streams.cursor import PEEK, Cursor
from aios3_nb.text import visible

if TYPE_CHECKING:
    import asyncio

    from _typeshed import WriteableBuffer

    from aios3_nb.address import S3Uri
    from aios3_nb.streams.object import ObjectInfo
    from aios3_nb.streams.stream import ObjectStream

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class S3File(io.BufferedIOBase):
    """A readable, seekable binary file over one version of one S3 object.

    Opening sends nothing; the first read does. Sync methods work anywhere, also where a loop is running;
    ``aread`` and the other async ones run on the running loop. The version that the first answer named is
    kept to the end: if the object is replaced meanwhile, reading raises `ObjectChangedError`.

    Args:
        uri: The object.
        make_stream: Makes a stream that reads on from a known version, or from whatever is there now.
        via: The way to the loop, when it is not to be found from the calling thread.
    """

    def __init__(
        self,
        uri: S3Uri,
        make_stream: Callable[[ObjectInfo | None], ObjectStream],
        *,
        via: Callable[[], Bridge] = bridge,
    ) -> None:
        super().__init__()
        self.uri = uri
        self._make_stream = make_stream
        self._via = via
        self._stream: ObjectStream | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cursor = Cursor()
        self._lock = threading.Lock()
        self._reader: int | None = None
        self._cancelled = False

    # ---- what it is

    @property
    def info(self) -> ObjectInfo | None:
        """Size, ETag and more of the version that is read; None before the first request."""
        return self._cursor.info

    @property
    def name(self) -> str:
        """The object's address, as libraries expect of a file."""
        return str(self.uri)

    @property
    def mode(self) -> str:
        """``rb``."""
        return "rb"

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"at {self._cursor.tell():,}"
        size = f" of {self.info.size:,}" if self.info is not None else ""
        return f"<S3File {visible(str(self.uri))} {state}{size}>"

    # ---- sync reading

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next `size` bytes, or all that follow; fewer only at the end of the object."""
        if size is not None and self._reader is None:
            # Often there is nothing to wait for: unpicklers do this a thousand times per megabyte.
            with self._lock:
                if not self._cancelled and (data := self._cursor.taken(size)) is not None:
                    return data
        return self._run(self._cursor.read, size)

    def read1(self, size: int = -1, /) -> bytes:
        """Return what is there already, or else what comes first; at most `size` bytes."""
        return self._run(self._cursor.read1, size)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`; return the bytes written, fewer only at the end of the object."""
        return self._run(self._cursor.readinto, memoryview(buffer).cast("B"))

    def readinto1(self, buffer: WriteableBuffer, /) -> int:
        """Write what is there already, or else what comes first; return the bytes written."""
        view = memoryview(buffer).cast("B")
        data = self.read1(len(view))
        view[: len(data)] = data
        return len(data)

    def peek(self, size: int = 1, /) -> bytes:
        """Return the next bytes without moving on: up to `size`, at least one unless the object ends here."""
        want = min(max(size, 1), PEEK)
        if self._reader is None:
            with self._lock:
                if not self._cancelled and (data := self._cursor.seen(want)) is not None:
                    return data
        return self._run(self._cursor.peek, want)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line with its newline; the last one may have none."""
        return self._run(self._cursor.readline, -1 if size is None else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to `offset` from the start, from here, or (one HEAD request at most) from the end."""
        if whence == io.SEEK_CUR:
            offset += self.tell()
        elif whence == io.SEEK_END:
            offset += self._run(self._cursor.size)
        elif whence != io.SEEK_SET:
            raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
        self._check_open()
        if offset < 0:
            raise ValueError(f"negative seek position {offset}")
        self._cursor.move(offset)
        return offset

    def tell(self) -> int:
        """Return the offset of the next byte."""
        self._check_open()
        return self._cursor.tell()

    def finish(self) -> str:
        """Return what the closing line says of the checksum; see `ObjectStream.finish`."""
        return self._run(self._cursor.finish)

    def close(self) -> None:
        """Stop what is in flight and close the connections; returns when that is done."""
        if self.closed:
            return
        stream, loop = self._stream, self._loop
        self._forget()
        try:
            if stream is not None and loop is not None:
                way = self._via()
                if way.loop is loop:
                    way.run(stream.aclose)
                else:
                    _end_elsewhere(stream, loop)
        finally:
            super().close()

    def abandon(self, then: Callable[[], None] | None = None) -> None:
        """Close without waiting, for a destructor: it runs anywhere, and must not turn a loop.

        `then` is called on the file's loop when that turns next; not at all before the first read.
        """
        stream, loop = getattr(self, "_stream", None), getattr(self, "_loop", None)
        if stream is not None and loop is not None:
            self._forget()
            _end_elsewhere(stream, loop, then)

    def __del__(self) -> None:
        self.abandon()

    def cancel(self) -> None:
        """Stop reading, from any thread: the read that waits, and every later one, raises LoadCancelledError."""
        self._cancelled = True
        stream, loop = self._stream, self._loop
        if stream is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(stream.abort, self._cancellation())

    # ---- async reading

    async def aread(self, size: int | None = -1, /) -> bytes:
        """Await what `read` returns."""
        return await self._await(self._cursor.read, size)

    async def aread1(self, size: int = -1, /) -> bytes:
        """Await what `read1` returns."""
        return await self._await(self._cursor.read1, size)

    async def areadinto(self, buffer: WriteableBuffer, /) -> int:
        """Await what `readinto` returns."""
        return await self._await(self._cursor.readinto, memoryview(buffer).cast("B"))

    async def apeek(self, size: int = 1, /) -> bytes:
        """Await what `peek` returns."""
        return await self._await(self._cursor.peek, min(max(size, 1), PEEK))

    async def areadline(self, size: int | None = -1, /) -> bytes:
        """Await what `readline` returns."""
        return await self._await(self._cursor.readline, -1 if size is None else size)

    async def asize(self) -> int:
        """Await the object's length in bytes."""
        return await self._await(self._cursor.size)

    async def afinish(self) -> str:
        """Await what `finish` returns."""
        return await self._await(self._cursor.finish)

    async def aclose(self) -> None:
        """Stop what is in flight, close the connections, and wait until that is done."""
        import asyncio

        stream, loop = self._stream, self._loop
        self._forget()
        try:
            if stream is not None and loop is not None:
                if asyncio.get_running_loop() is loop:
                    await stream.aclose()
                else:
                    _end_elsewhere(stream, loop)
        finally:
            super().close()

    async def __aenter__(self) -> Self:
        self._check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while line := await self.areadline():
            yield line

    # ---- one at a time, on the right loop

    def _run(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        with self._reading():
            way = self._via()
            self._settle(way.loop)
            return way.run(call, *args)

    async def _await(self, call: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        import asyncio

        if self._reader is not None:
            raise RuntimeError(f"{self!r} is being read already; one read at a time")
        with self._reading():
            self._settle(asyncio.get_running_loop())
            return await call(*args)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Let one reader in; another thread waits, the same thread (a callback within a read) is an error."""
        me = threading.get_ident()
        if self._reader == me:
            raise RuntimeError(f"reentrant call inside {self!r}")
        with self._lock:
            self._check_open()
            self._reader = me
            try:
                yield
            finally:
                self._reader = None

    def _settle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have a stream that belongs to `loop`."""
        if self._stream is not None and self._loop is loop:
            return
        left, before = self._stream, self._loop
        self._stream, self._loop = self._make_stream(self.info), loop
        self._cursor.follow(self._stream)
        if left is not None and before is not None:
            _end_elsewhere(left, before)

    def _forget(self) -> None:
        self._stream = self._loop = None
        self._cursor.leave()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        if self._cancelled:
            raise self._cancellation()

    def _cancellation(self) -> LoadCancelledError:
        return LoadCancelledError(f"Cancelled: {visible(str(self.uri))}. Nothing was bound.", uri=str(self.uri))


def _end_elsewhere(
    stream: ObjectStream, loop: asyncio.AbstractEventLoop, then: Callable[[], None] | None = None
) -> None:
    """End `stream` on its own loop, whenever that turns next; nobody waits for it."""

    def end() -> None:
        stream.abort(ValueError("I/O operation on closed file."))
        if then is not None:
            then()

    with contextlib.suppress(RuntimeError):  # the loop is closed, and its connections with it
        loop.call_soon_threadsafe(end)
