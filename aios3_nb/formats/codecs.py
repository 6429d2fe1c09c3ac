"""Compressed file -> plain file, known by its first bytes; also what was compressed more than once.

Streaming, and bounded: what is held at once does not grow with the file. Unlike the standard library's readers,
which stop in silence at bytes that they do not know after a bz2 or xz stream, nothing is ever left out: whatever
follows a stream is another stream of that codec, padding that its format allows, or an error.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from aios3_nb.errors import FormatError, TruncatedError
from aios3_nb.formats.compression import HEAD_SIZE, Codec, Decompressor, codec_of, failures
from aios3_nb.formats.expansion import ExpansionLimit

CHUNK_SIZE = 128 * 1024
MAX_STEP = 1024 * 1024
"""Most that is expanded at once, however much the reader asks for."""

_HEADER = 18
"""Bytes at the beginning of a stream in which the number of a dictionary is."""

MAX_LAYERS = 4
"""Times that a file may have been compressed. A file that expands to itself has no end of them.

See: https://research.swtch.com/zip
"""


def decompressed(file: BinaryIO, *, max_bytes: int | None) -> BinaryIO:
    """Return `file` expanded if its first bytes say that it is compressed, else `file` itself.

    What comes out may be compressed again, as `MAX_LAYERS` allows. The result is read from where `file` stands and
    has read, read1, readinto, peek, readline, tell and seek; seeking backwards beyond its buffer expands again from
    the beginning, which needs a seekable `file`. Closing it leaves `file` open: `file` belongs to whoever opened it.

    Args:
        file: A binary file with peek and seek.
        max_bytes: Most bytes that may come out of any layer; None means 200 times what went in, or 1 GiB if that
            is more.

    Raises:
        MissingPackageError: The codec's package is not installed.

    This, and reading from the result, raises:
        TruncatedError: The compressed bytes end within a stream.
        FormatError: They cannot be expanded, with the offset in `file` that was reached; or there is no end of layers.
        TooLargeError: More comes out than may.
    """
    limit, paid = ExpansionLimit(max_bytes), None
    layers = 0
    while (codec := codec_of(peek_head(file, HEAD_SIZE))) is not None:
        if layers == MAX_LAYERS:
            raise FormatError(
                f"It is compressed more than {MAX_LAYERS} times, one around the other: {codec.name} again."
            )
        layers += 1
        expander = Expander(file, codec, limit, paid)
        paid = paid or expander.compressed
        file = io.BufferedReader(expander, CHUNK_SIZE)
    return file


class Held(io.BytesIO):
    """Bytes in memory as the formats expect a file: with `peek`."""

    def peek(self, size: int = 1, /) -> bytes:
        """Return the next bytes without moving on: up to `size`, at least one unless there are none."""
        at = self.tell()
        return bytes(self.getbuffer()[at : at + max(size, 1)])


def peek_head(file: BinaryIO, size: int) -> bytes:
    """Return the next `size` bytes of `file`, fewer only at its end, and leave it where it stands.

    A file's own peek may return as little as one byte.
    """
    head: bytes = file.peek(size)[:size]  # type: ignore[attr-defined]
    if not head or len(head) == size:
        return head
    start = file.tell()
    head = file.read(size)
    file.seek(start)
    return head


def mapped(file: Any) -> memoryview | None:
    """Return all of `file` as memory that need not be read first, and may be changed; None where there is none."""
    find = getattr(file, "mapped", None)
    return find() if find is not None else None


def codec_name(head: bytes) -> str:
    """Return how a file that begins with `head` is compressed, such as ``gzip``; empty when it is not."""
    codec = codec_of(head)
    return codec.name if codec is not None else ""


class Expander(io.RawIOBase):
    """The plain bytes of a compressed file.

    Args:
        file: The compressed one.
        codec: Of its streams.
        limit: How much may come out.
        paid: Returns the bytes that the limit compares that with; None means those taken from `file`. What was
            compressed twice is compared with the object, or two modest layers would make a bomb.
    """

    def __init__(
        self, file: BinaryIO, codec: Codec, limit: ExpansionLimit, paid: Callable[[], int] | None = None
    ) -> None:
        super().__init__()
        self._file = file
        self._codec = codec
        self._limit = limit
        self._paid = paid or self.compressed
        self._start = file.tell()
        self._begin()

    def _begin(self) -> None:
        self._decompressor: Decompressor | None = None
        self._position = 0
        self._ended = False
        self._compressed = 0  # bytes taken from the file, pending ones included
        self._pending = b""  # taken from the file, but not given to the decompressor
        self._padding = 0  # zeros between streams are no reason to expand more

    def compressed(self) -> int:
        """Return how many bytes have been taken from the file, without padding."""
        return self._compressed - self._padding

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place in the plain bytes, reading all before it; beyond the end means the end."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            self._skip_to(None)
            offset += self._position
        if offset < 0:
            raise ValueError(f"negative seek position {offset}")
        if offset < self._position:
            self._file.seek(self._start)
            self._begin()
        self._skip_to(offset)
        return self._position

    def _skip_to(self, target: int | None) -> None:
        while target is None or self._position < target:
            size = MAX_STEP if target is None else min(MAX_STEP, target - self._position)
            if not self._expand(size):
                return

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` with as much as one step brings; 0 only at the end."""
        view = memoryview(buffer).cast("B")
        data = self._expand(min(len(view), MAX_STEP))
        view[: len(data)] = data
        return len(data)

    def _expand(self, size: int) -> bytes:
        """Return up to `size` next bytes; none only at the end."""
        while not self._ended and size:
            decompressor = self._decompressor
            if decompressor is None or decompressor.eof:
                self._start_stream()
                continue
            data = self._step(decompressor, size)
            if data:
                self._position += len(data)
                self._limit.check(self._position, self._paid())
                return data
        return b""

    def _step(self, decompressor: Decompressor, size: int) -> bytes:
        data = b""
        if decompressor.needs_input:
            data = self._pending or self._take()
            self._pending = b""
            if not data:
                raise self._truncated()
        try:
            return decompressor.decompress(data, size)
        except failures() as exc:
            message = f"The {self._codec.name} data cannot be expanded near byte {self._compressed:,}: {exc}"
            raise FormatError(message, offset=self._compressed) from exc

    def _take(self) -> bytes:
        data: bytes = self._file.read1(CHUNK_SIZE)  # type: ignore[attr-defined]
        self._compressed += len(data)
        return data

    def _start_stream(self) -> None:
        """Go on to the next stream of the file, or find that there is none."""
        if self._decompressor is not None:
            self._pending = self._decompressor.unused_data or b""  # lz4 says None
        self._strip_padding()
        magic, name = self._codec.magic, self._codec.name
        while len(self._pending) < _HEADER and (data := self._take()):
            self._pending += data
        if self._pending.startswith(magic):
            if number := self._codec.dictionary(self._pending):
                raise self._no_dictionary(number)
            self._decompressor = self._codec.new()
        elif not self._pending:
            self._ended = True
        elif any(prefix.startswith(self._pending) for prefix in magic):
            raise self._truncated()
        else:
            offset = self._compressed - len(self._pending)
            raise FormatError(f"Behind the {name} data, at byte {offset:,}, is something else.", offset=offset)

    def _strip_padding(self) -> None:
        """Pass over zeros behind a stream, as the gzip module does; tapes and block devices leave them."""
        while self._decompressor is not None:
            stripped = self._pending.lstrip(b"\0")
            self._padding += len(self._pending) - len(stripped)
            self._pending = stripped or self._take()
            if stripped or not self._pending:
                return

    def _no_dictionary(self, number: int) -> FormatError:
        name, offset = self._codec.name, self._compressed - len(self._pending)
        module = "from compression" if sys.version_info >= (3, 14) else "from backports"
        way_on = (
            f"; then: {module} import zstd; zstd.ZstdFile(aios3_nb.open(uri), "
            'zstd_dict=zstd.ZstdDict(open("dictionary", "rb").read()))'
        )
        return FormatError(
            f"The {name} data at byte {offset:,} was compressed with a dictionary, number {number}, which is a file of "
            f"its own and missing here. Ask whoever stored it for that{way_on if name == 'zstd' else '.'}",
            offset=offset,
        )

    def _truncated(self) -> TruncatedError:
        message = f"The {self._codec.name} data is cut short: it ends after {self._compressed:,} bytes."
        return TruncatedError(message, offset=self._compressed)
