"""Compressed file -> plain file: gzip, bz2, xz, zstd and lz4, known by their first bytes.

One layer only, streaming, and bounded: what is held at once does not grow with the file. Unlike the standard
library's readers, which stop in silence at bytes that they do not know after a bz2 or xz stream, nothing is
ever left out: whatever follows a stream is another stream of that codec, padding that its format allows, or
an error.
"""

from __future__ import annotations

import bz2
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from aios3_nb.errors import FormatError, MissingPackageError, TruncatedError
from aios3_nb.formats.expansion import ExpansionLimit

HEAD_SIZE = 6
"""Length of the longest magic, that of xz."""

CHUNK_SIZE = 128 * 1024
MAX_STEP = 1024 * 1024
"""Most that is expanded at once, however much the reader asks for."""

WINDOW_LOG = 27
"""Largest window, 128 MiB as power of two: the memory that a zstd or xz file may ask a reader to set aside.
It is also what the zstd command allows for when it is not told otherwise."""

_SKIPPABLE = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
"""Frames that zstd and lz4 readers pass over, anywhere; pzstd writes one before each real one.

See: https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2
"""


class _Decompressor(Protocol):
    """What the standard library's decompressors have in common; one of them expands one stream."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Codec:
    """One way of compressing.

    Attributes:
        name: As messages spell it.
        magic: First bytes of a stream, all alternatives of one length.
        new: Makes the decompressor of one stream.
    """

    name: str
    magic: tuple[bytes, ...]
    new: Callable[[], _Decompressor]


def decompressed(file: BinaryIO, *, max_bytes: int | None) -> BinaryIO:
    """Return `file` expanded if its first bytes say that it is compressed, else `file` itself.

    The result is read from where `file` stands and has read, read1, readinto, peek, readline, tell and seek;
    seeking backwards beyond its buffer expands again from the beginning, which needs a seekable `file`.
    Closing it leaves `file` open: `file` belongs to whoever opened it.

    Args:
        file: A binary file with peek and seek.
        max_bytes: Most bytes that may come out; None means 200 times what went in, or 1 GiB if that is more.

    Raises:
        MissingPackageError: The codec's package is not installed.

    Reading from the result raises:
        TruncatedError: The compressed bytes end within a stream.
        FormatError: They cannot be expanded, with the offset in `file` that was reached.
        TooLargeError: More comes out than may.
    """
    codec = _codec_of(peek_head(file, HEAD_SIZE))
    return file if codec is None else _expanded(file, codec, ExpansionLimit(max_bytes))


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


def codec_name(head: bytes) -> str:
    """Return how a file that begins with `head` is compressed, such as ``gzip``; empty when it is not."""
    codec = _codec_of(head)
    return codec.name if codec is not None else ""


def _codec_of(head: bytes) -> _Codec | None:
    return next((codec for codec in _CODECS if head.startswith(codec.magic)), None)


def _expanded(file: BinaryIO, codec: _Codec, limit: ExpansionLimit) -> BinaryIO:
    return io.BufferedReader(_Expander(file, codec, limit), CHUNK_SIZE)


class _Expander(io.RawIOBase):
    """The plain bytes of a compressed file."""

    def __init__(self, file: BinaryIO, codec: _Codec, limit: ExpansionLimit) -> None:
        super().__init__()
        self._file = file
        self._codec = codec
        self._limit = limit
        self._start = file.tell()
        self._begin()

    def _begin(self) -> None:
        self._decompressor: _Decompressor | None = None
        self._position = 0
        self._ended = False
        self._compressed = 0  # bytes taken from the file, pending ones included
        self._pending = b""  # taken from the file, but not given to the decompressor
        self._padding = 0  # zeros between streams are no reason to expand more

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
                self._limit.check(self._position, self._compressed - self._padding)
                return data
        return b""

    def _step(self, decompressor: _Decompressor, size: int) -> bytes:
        data = b""
        if decompressor.needs_input:
            data = self._pending or self._take()
            self._pending = b""
            if not data:
                raise self._truncated()
        try:
            return decompressor.decompress(data, size)
        except _failures() as exc:
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
        while len(self._pending) < len(magic[0]) and (data := self._take()):
            self._pending += data
        if self._pending.startswith(magic):
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

    def _truncated(self) -> TruncatedError:
        message = f"The {self._codec.name} data is cut short: it ends after {self._compressed:,} bytes."
        return TruncatedError(message, offset=self._compressed)


class _GzipDecompressor:
    """zlib's decompressor of one gzip member, with the interface of the others."""

    def __init__(self) -> None:
        # 16 + 15: a gzip header and trailer, with the CRC and length checked; the largest window.
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(data or self._inner.unconsumed_tail, max_length)


def _xz() -> _Decompressor:
    # The window and some bookkeeping; without it a file of a few bytes may ask for 4 GiB.
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=(1 << WINDOW_LOG) + MAX_STEP)


def _zstd() -> _Decompressor:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as exc:
        raise _missing("zstd") from exc
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})


def _lz4() -> _Decompressor:
    try:
        import lz4.frame
    except ImportError as exc:
        raise _missing("lz4") from exc
    decompressor: _Decompressor = lz4.frame.LZ4FrameDecompressor()
    return decompressor


def _missing(extra: str) -> MissingPackageError:
    return MissingPackageError(f"Reading {extra} needs a package: pip install 'aios3_nb[{extra}]'")


def _failures() -> tuple[type[Exception], ...]:
    """Return what decompressors raise for bytes that are not theirs; lz4 has no class of its own."""
    zstd = sys.modules.get("compression.zstd") or sys.modules.get("backports.zstd")
    own: tuple[type[Exception], ...] = (zstd.ZstdError,) if zstd else ()
    return (zlib.error, lzma.LZMAError, OSError, ValueError, RuntimeError, *own)


_CODECS = (
    _Codec("gzip", (b"\x1f\x8b",), _GzipDecompressor),
    _Codec("bz2", tuple(b"BZh%d" % level for level in range(1, 10)), bz2.BZ2Decompressor),
    _Codec("xz", (b"\xfd7zXZ\0",), _xz),
    _Codec("zstd", (b"\x28\xb5\x2f\xfd", *_SKIPPABLE), _zstd),
    _Codec("lz4", (b"\x04\x22\x4d\x18", *_SKIPPABLE), _lz4),
)
