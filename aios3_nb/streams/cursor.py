"""Where a file is read, and the bytes that are there already."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aios3_nb.streams.object import ObjectInfo

PEEK = 128 * 1024
"""What `peek` shows at most; the C unpickler asks for as much."""

_EMPTY = memoryview(b"")


class Stream(Protocol):
    """Where bytes come from that are not in the window; see `ObjectStream`, which is one."""

    whole: bool
    """Whether everything will be read."""

    @property
    def info(self) -> ObjectInfo | None: ...
    async def size(self) -> int: ...
    async def window(self, position: int, want: int = 1) -> memoryview: ...
    async def readinto(self, position: int, view: memoryview) -> int: ...
    async def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]: ...
    async def mapped(self) -> memoryview | None: ...
    async def finish(self) -> str: ...
    async def aclose(self) -> None: ...
    def abort(self, failure: BaseException) -> None: ...

    async def take_small(self, most: int) -> tuple[bytes, str] | None:
        """Return what `Cursor.take_small` does, where that of a small object takes a shorter way; None otherwise."""
        return None


class Cursor:
    """A position in an object, and a window of bytes around it that the stream has lent.

    Its coroutines run on the loop of `stream`, one at a time; the rest never waits.

    Attributes:
        info: Size, ETag and more of the version that is read; None before the first request.
    """

    def __init__(self) -> None:
        self.info: ObjectInfo | None = None
        self._stream: Stream | None = None
        self._window = _EMPTY
        self._start = 0
        """Offset in the object of the window's first byte."""
        self._at = 0
        """Offset in the window of the next byte to read; may lie outside it after a seek."""

    @property
    def stream(self) -> Stream:
        """Where bytes come from that are not in the window."""
        assert self._stream is not None
        return self._stream

    def follow(self, stream: Stream) -> None:
        """Take what comes next from `stream`; what is in the window is kept."""
        # The window's memory belongs to the stream that is left behind.
        self._window = memoryview(bytes(self._window)) if self._window else _EMPTY
        self._stream = stream

    def leave(self) -> None:
        """Let go of the stream and of its memory, and keep the position."""
        self._stream = None
        self._empty()

    def tell(self) -> int:
        """Return the offset in the object of the next byte."""
        return self._start + self._at

    def move(self, offset: int) -> None:
        """Have `offset` in the object be that of the next byte."""
        self._at = offset - self._start

    def taken(self, size: int) -> bytes | None:
        """Return the next `size` bytes and move on, if they are in the window; None otherwise, or if it is negative."""
        if self._at >= 0 and 0 <= size <= len(self._window) - self._at:
            return self._take(size)
        return None

    def seen(self, want: int) -> bytes | None:
        """Return the next `want` bytes without moving on, if they are in the window; None otherwise."""
        if 0 <= self._at <= len(self._window) - want:
            return bytes(self._window[self._at : self._at + want])
        return None

    # ---- what may have to wait

    async def _load_window(self, want: int = 1) -> bool:
        """Have `want` bytes, or those to the end of a part, in the window from its start; False at the end."""
        have = len(self._window) - self._at
        if self._at >= 0 and have >= want > 0:
            return True
        self._empty()  # it is only lent until the next call
        self._window = await self.stream.window(self._start, want)
        self.info = self.stream.info
        return len(self._window) > 0

    async def read(self, size: int | None) -> bytes:
        """Return the next `size` bytes, or all that follow."""
        if size == 0 or not await self._load_window():
            return b""
        assert self.info is not None
        left = self.info.size - self.tell()
        size = left if size is None or size < 0 else min(size, left)
        if size <= len(self._window) - self._at:
            return self._take(size)
        result = _Result(bytes(size))
        with result.getbuffer() as view:
            await self.readinto(view)
        return result.getvalue()

    async def read1(self, size: int) -> bytes:
        """Return what is there already, or else what comes first; at most `size` bytes."""
        if size == 0 or not await self._load_window():
            return b""
        there = len(self._window) - self._at
        return self._take(there if size < 0 else min(size, there))

    async def readinto(self, view: memoryview) -> int:
        """Fill `view`, as far as the object goes; return the bytes written."""
        count = 0
        if 0 <= self._at < len(self._window):
            count = min(len(view), len(self._window) - self._at)
            view[:count] = self._window[self._at : self._at + count]
            self._at += count
        if count < len(view):
            self._empty()
            more = await self.stream.readinto(self._start, view[count:])
            self.info = self.stream.info
            self._start += more
            count += more
            if self.stream.whole:
                await self._load_window(PEEK)  # an unpickler asks for as much next: one way to the loop less
        return count

    async def peek(self, want: int) -> bytes:
        """Return the next bytes without moving on: at least `want`, or those to the end of a part."""
        await self._load_window(want)
        return bytes(self._window[self._at : self._at + want])

    async def readline(self, size: int) -> bytes:
        """Return the next line, or at most `size` bytes of it unless that is negative."""
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

    async def size(self) -> int:
        """Return the object's length."""
        size = await self.stream.size()
        self.info = self.stream.info
        return size

    async def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each of `ranges`; see `ObjectStream.read_ranges`."""
        found = await self.stream.read_ranges(ranges)
        self.info = self.stream.info
        return found

    async def take_small(self, most: int) -> tuple[bytes, str] | None:
        """Return all of the object, and what `finish` does, if it has at most `most` bytes; None otherwise."""
        found = await self.stream.take_small(most)
        self.info = self.stream.info
        if found is not None:
            return found
        await self._load_window()
        assert self.info is not None
        return (await self.read(None), await self.finish()) if self.info.size <= most else None

    async def mapped(self) -> memoryview | None:
        """Return all of the object as memory; see `CachedStream.mapped`."""
        found = await self.stream.mapped()
        self.info = self.stream.info
        return found

    async def finish(self) -> str:
        """Return what the closing line says of the checksum; see `Stream.finish`."""
        self._empty()
        return await self.stream.finish()

    def _empty(self) -> None:
        self._start, self._at, self._window = self._start + self._at, 0, _EMPTY

    def _take(self, count: int) -> bytes:
        data = bytes(self._window[self._at : self._at + count])
        self._at += count
        return data


class _Result(io.BytesIO):
    """Memory to read into, which is given away as bytes, uncopied, when nobody else holds it."""

    def close(self) -> None:
        # An error's traceback may still hold a piece of it when the collector finds both; from Python 3.13 on that is
        # reported as an error in nobody's hands.
        with contextlib.suppress(BufferError):
            super().close()
