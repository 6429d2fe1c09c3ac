"""An object as a file: lazy, seekable, sync and async, whatever library reads it.

Where it is read, `Cursor` knows; `Turns` gives each read its turn, and a stream on the right loop. What is left are the
two faces of a file, each method of which says what the other's does.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aios3_nb.loop import Bridge, bridge
from aios3_nb.streams.cursor import PEEK, Cursor
from aios3_nb.streams.turns import Turns
from aios3_nb.text import visible

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from aios3_nb.address import S3Uri
    from aios3_nb.streams.cursor import Stream
    from aios3_nb.streams.object import ObjectInfo


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
        make_stream: Callable[[ObjectInfo | None], Stream],
        *,
        via: Callable[[], Bridge] = bridge,
    ) -> None:
        super().__init__()
        self.uri = uri
        self._cursor = Cursor()
        self._turns = Turns(uri, self._cursor, make_stream, via)

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
        turns = self._turns
        if size is not None and turns.reader is None:
            # Often there is nothing to wait for: unpicklers do this a thousand times per megabyte.
            with turns.lock:
                if not turns.cancelled and (data := self._cursor.taken(size)) is not None:
                    return data
        return self._turns.run(self._cursor.read, size)

    def read1(self, size: int = -1, /) -> bytes:
        """Return what is there already, or else what comes first; at most `size` bytes."""
        return self._turns.run(self._cursor.read1, size)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`; return the bytes written, fewer only at the end of the object."""
        return self._turns.run(self._cursor.readinto, memoryview(buffer).cast("B"))

    def readinto1(self, buffer: WriteableBuffer, /) -> int:
        """Write what is there already, or else what comes first; return the bytes written."""
        view = memoryview(buffer).cast("B")
        data = self.read1(len(view))
        view[: len(data)] = data
        return len(data)

    def peek(self, size: int = 1, /) -> bytes:
        """Return the next bytes without moving on: up to `size`, at least one unless the object ends here."""
        want = min(max(size, 1), PEEK)
        turns = self._turns
        if turns.reader is None:
            with turns.lock:
                if not turns.cancelled and (data := self._cursor.seen(want)) is not None:
                    return data
        return self._turns.run(self._cursor.peek, want)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line with its newline; the last one may have none."""
        return self._turns.run(self._cursor.readline, -1 if size is None else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to `offset` from the start, from here, or (one HEAD request at most) from the end."""
        if whence == io.SEEK_CUR:
            offset += self.tell()
        elif whence == io.SEEK_END:
            offset += self._turns.run(self._cursor.size)
        elif whence != io.SEEK_SET:
            raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
        self._turns.check_open()
        if offset < 0:
            raise ValueError(f"negative seek position {offset}")
        self._cursor.move(offset)
        return offset

    def tell(self) -> int:
        """Return the offset of the next byte."""
        self._turns.check_open()
        return self._cursor.tell()

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each of `ranges`, ``(start, stop)``, fetched side by side; the position stays."""
        return self._turns.run(self._cursor.read_ranges, ranges)

    def mapped(self) -> memoryview | None:
        """Return all of the object as memory that is not filled before it is used; None where it has to be read.

        That is so of what the local cache has; it is checked, and may be changed.
        """
        return self._turns.run(self._cursor.mapped)

    def take_small(self, most: int) -> tuple[bytes, str] | None:
        """Return all of an object that has at most `most` bytes, with what `finish` does, and close; None otherwise.

        Nothing was read before. That is one way to the loop, where reading, `finish` and `close` are several.
        """
        return self._turns.run(self._take_small, most)

    def finish(self) -> str:
        """Return what the closing line says of the checksum; see `ObjectStream.finish`."""
        return self._turns.run(self._cursor.finish)

    def close(self) -> None:
        """Stop what is in flight and close the connections; returns when that is done."""
        if not self.closed:
            try:
                self._turns.close()
            finally:
                super().close()

    def abandon(self, then: Callable[[], None] | None = None) -> None:
        """Close without waiting, for a destructor: it runs anywhere, and must not turn a loop.

        `then` is called on the file's loop when that turns next; not at all before the first read.
        """
        if hasattr(self, "_turns"):  # else its making failed
            self._turns.abandon(then)

    def __del__(self) -> None:
        self.abandon()

    def cancel(self) -> None:
        """Stop reading, from any thread: the read that waits, and every later one, raises LoadCancelledError."""
        self._turns.cancel()

    # ---- async reading

    async def aread(self, size: int | None = -1, /) -> bytes:
        """Await what `read` returns."""
        return await self._turns.wait(self._cursor.read, size)

    async def aread1(self, size: int = -1, /) -> bytes:
        """Await what `read1` returns."""
        return await self._turns.wait(self._cursor.read1, size)

    async def areadinto(self, buffer: WriteableBuffer, /) -> int:
        """Await what `readinto` returns."""
        return await self._turns.wait(self._cursor.readinto, memoryview(buffer).cast("B"))

    async def apeek(self, size: int = 1, /) -> bytes:
        """Await what `peek` returns."""
        return await self._turns.wait(self._cursor.peek, min(max(size, 1), PEEK))

    async def areadline(self, size: int | None = -1, /) -> bytes:
        """Await what `readline` returns."""
        return await self._turns.wait(self._cursor.readline, -1 if size is None else size)

    async def asize(self) -> int:
        """Await the object's length in bytes."""
        return await self._turns.wait(self._cursor.size)

    async def atake_small(self, most: int) -> tuple[bytes, str] | None:
        """Await what `take_small` returns."""
        return await self._turns.wait(self._take_small, most)

    async def _take_small(self, most: int) -> tuple[bytes, str] | None:
        found = await self._cursor.take_small(most)
        if found is not None:
            await self.aclose()
        return found

    async def afinish(self) -> str:
        """Await what `finish` returns."""
        return await self._turns.wait(self._cursor.finish)

    async def aclose(self) -> None:
        """Stop what is in flight, close the connections, and wait until that is done."""
        try:
            await self._turns.aclose()
        finally:
            super().close()

    async def __aenter__(self) -> Self:
        self._turns.check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while line := await self.areadline():
            yield line
