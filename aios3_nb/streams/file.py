"""An object as a file: lazy, seekable, sync and async, whatever library reads it.

The cursor and the window (bytes that are there already) live here; what must be fetched is asked of an
`ObjectStream` on the loop that the calling thread reaches (see `loop.bridges`). A file that is read on another
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
from aios3_nb.text import visible

if TYPE_CHECKING:
    import asyncio

    from _typeshed import WriteableBuffer

    from aios3_nb.address.uri import S3Uri
    from aios3_nb.s3.object import ObjectInfo
    from aios3_nb.streams.stream import ObjectStream

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_PEEK = 128 * 1024
"""What `peek` shows at most; the C unpickler asks for as much."""

_EMPTY = memoryview(b"")


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
        self._info: ObjectInfo | None = None
        self._window = _EMPTY
        self._start = 0
        """Offset in the object of the window's first byte."""
        self._at = 0
        """Offset in the window of the next byte to read; may lie outside it after a seek."""
        self._lock = threading.Lock()
        self._reader: int | None = None
        self._cancelled = False

    # ---- what it is

    @property
    def info(self) -> ObjectInfo | None:
        """Size, ETag and more of the version that is read; None before the first request."""
        return self._info

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
        state = "closed" if self.closed else f"at {self._start + self._at:,}"
        size = f" of {self._info.size:,}" if self._info is not None else ""
        return f"<S3File {visible(str(self.uri))} {state}{size}>"

    # ---- sync reading

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next `size` bytes, or all that follow; fewer only at the end of the object."""
        if size is not None and self._reader is None:
            # Often there is nothing to wait for: unpicklers do this a thousand times per megabyte.
            with self._lock:
                if self._at >= 0 and 0 <= size <= len(self._window) - self._at and not self._cancelled:
                    return self._take(size)
        return self._run(self._read, size)

    def read1(self, size: int = -1, /) -> bytes:
        """Return what is there already, or else what comes first; at most `size` bytes."""
        return self._run(self._read1, size)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`; return the bytes written, fewer only at the end of the object."""
        return self._run(self._readinto, memoryview(buffer).cast("B"))

    def readinto1(self, buffer: WriteableBuffer, /) -> int:
        """Write what is there already, or else what comes first; return the bytes written."""
        view = memoryview(buffer).cast("B")
        data = self.read1(len(view))
        view[: len(data)] = data
        return len(data)

    def peek(self, size: int = 1, /) -> bytes:
        """Return the next bytes without moving on: up to `size`, at least one unless the object ends here."""
        want = min(max(size, 1), _PEEK)
        if self._reader is None:
            with self._lock:
                if 0 <= self._at <= len(self._window) - want and not self._cancelled:
                    return bytes(self._window[self._at : self._at + want])
        return self._run(self._peek, want)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line with its newline; the last one may have none."""
        return self._run(self._readline, -1 if size is None else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to `offset` from the start, from here, or (one HEAD request at most) from the end."""
        if whence == io.SEEK_CUR:
            offset += self.tell()
        elif whence == io.SEEK_END:
            offset += self._run(self._size)
        elif whence != io.SEEK_SET:
            raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
        self._check_open()
        if offset < 0:
            raise ValueError(f"negative seek position {offset}")
        self._at = offset - self._start
        return offset

    def tell(self) -> int:
        """Return the offset of the next byte."""
        self._check_open()
        return self._start + self._at

    def finish(self) -> str:
        """Return what the closing line says of the checksum; see `ObjectStream.finish`."""
        return self._run(self._finish)

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
        return await self._await(self._read, size)

    async def aread1(self, size: int = -1, /) -> bytes:
        """Await what `read1` returns."""
        return await self._await(self._read1, size)

    async def areadinto(self, buffer: WriteableBuffer, /) -> int:
        """Await what `readinto` returns."""
        return await self._await(self._readinto, memoryview(buffer).cast("B"))

    async def apeek(self, size: int = 1, /) -> bytes:
        """Await what `peek` returns."""
        return await self._await(self._peek, min(max(size, 1), _PEEK))

    async def areadline(self, size: int | None = -1, /) -> bytes:
        """Await what `readline` returns."""
        return await self._await(self._readline, -1 if size is None else size)

    async def asize(self) -> int:
        """Await the object's length in bytes."""
        return await self._await(self._size)

    async def afinish(self) -> str:
        """Await what `finish` returns."""
        return await self._await(self._finish)

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
        if self._stream is not None and self._loop is not None:
            # The window's memory belongs to the stream that is left behind.
            self._window = memoryview(bytes(self._window))
            _end_elsewhere(self._stream, self._loop)
        self._stream, self._loop = self._make_stream(self._info), loop

    def _forget(self) -> None:
        self._stream = self._loop = None
        self._start, self._at, self._window = self._start + self._at, 0, _EMPTY

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        if self._cancelled:
            raise self._cancellation()

    def _cancellation(self) -> LoadCancelledError:
        return LoadCancelledError(f"Cancelled: {visible(str(self.uri))}. Nothing was bound.", uri=str(self.uri))

    # ---- the coroutines behind both

    async def _load_window(self, want: int = 1) -> bool:
        """Have `want` bytes, or those to the end of a part, in the window from its start; False at the end."""
        assert self._stream is not None
        have = len(self._window) - self._at
        if self._at >= 0 and have >= want > 0:
            return True
        position = self._start + self._at
        self._window = _EMPTY  # it is only lent until the next call
        self._start, self._at = position, 0
        self._window = await self._stream.window(position, want)
        self._info = self._stream.info
        return len(self._window) > 0

    async def _read(self, size: int | None) -> bytes:
        if size == 0 or not await self._load_window():
            return b""
        assert self._info is not None
        left = self._info.size - self.tell()
        size = left if size is None or size < 0 else min(size, left)
        if size <= len(self._window) - self._at:
            return self._take(size)
        # BytesIO gives its memory away as bytes, uncopied, when nobody else holds it.
        result = io.BytesIO(bytes(size))
        with result.getbuffer() as view:
            await self._readinto(view)
        return result.getvalue()

    async def _read1(self, size: int) -> bytes:
        if size == 0 or not await self._load_window():
            return b""
        there = len(self._window) - self._at
        return self._take(there if size < 0 else min(size, there))

    async def _readinto(self, view: memoryview) -> int:
        assert self._stream is not None
        count = 0
        if 0 <= self._at < len(self._window):
            count = min(len(view), len(self._window) - self._at)
            view[:count] = self._window[self._at : self._at + count]
            self._at += count
        if count < len(view):
            position = self._start + self._at
            self._start, self._at, self._window = position, 0, _EMPTY
            more = await self._stream.readinto(position, view[count:])
            self._info = self._stream.info
            self._start += more
            count += more
        return count

    async def _peek(self, want: int) -> bytes:
        await self._load_window(want)
        return bytes(self._window[self._at : self._at + want])

    async def _readline(self, size: int) -> bytes:
        pieces: list[bytes] = []
        left = size if size >= 0 else -1
        while left != 0 and await self._load_window():
            there = self._window[self._at :] if left < 0 else self._window[self._at : self._at + left]
            data = bytes(there[: 64 * 1024])
            stop = data.find(b"\n") + 1 or len(data)
            pieces.append(data[:stop])
            self._at += stop
            left -= stop if left > 0 else 0
            if data[stop - 1 : stop] == b"\n":
                break
        return b"".join(pieces)

    async def _size(self) -> int:
        assert self._stream is not None
        size = await self._stream.size()
        self._info = self._stream.info
        return size

    async def _finish(self) -> str:
        assert self._stream is not None
        self._start, self._at, self._window = self._start + self._at, 0, _EMPTY
        return await self._stream.finish()

    def _take(self, count: int) -> bytes:
        data = bytes(self._window[self._at : self._at + count])
        self._at += count
        return data


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
