"""The ways of compressing: by which first bytes and suffixes they are known, who expands and who compresses."""

from __future__ import annotations

import bz2
import functools
import lzma
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aios3_nb.errors import MissingPackageError
from aios3_nb.formats.dictionary import LZ4, ZSTD, lz4_dictionary, no_dictionary, zstd_dictionary

HEAD_SIZE = 64
"""First bytes that say how a file is compressed. The longest magic has six; the rest is for those without one."""

WINDOW_LOG = 31
"""Largest window, 2 GiB as power of two; dumps of Reddit and Common Crawl are made with ``zstd --long=31``.

It bounds what a file may ask for, not what it takes: the memory is reserved at once, but a page of it counts only
when data is written to it, so that a file of a few bytes takes no more than that.
"""

_MEMORY = (1 << WINDOW_LOG) + (1 << 20)
"""The window and some bookkeeping, as liblzma counts it."""

_SKIPPABLE = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
"""Frames that zstd and lz4 readers pass over, anywhere; pzstd writes one before each real one.

See: https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2
"""


class Decompressor(Protocol):
    """What the standard library's decompressors have in common; one of them expands one stream."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Compressor(Protocol):
    """What the standard library's compressors have in common; one of them makes one stream."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def _is_sure(head: bytes) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One way of compressing.

    Attributes:
        name: As messages spell it.
        suffixes: Ends of keys in lower case; the first is the usual one.
        magic: First bytes of a stream, all alternatives of one length.
        new: Makes the decompressor of one stream.
        compressor: Makes the compressor of one stream; the same bytes give the same stream.
        confirms: Whether a head with that magic is of this codec, where the magic says too little.
        dictionary: Number of the dictionary that a stream with this head was compressed with, and which is kept
            elsewhere; 0 for none.
    """

    name: str
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...]
    new: Callable[[], Decompressor]
    compressor: Callable[[], Compressor]
    confirms: Callable[[bytes], bool] = _is_sure
    dictionary: Callable[[bytes], int] = no_dictionary


def codec_of(head: bytes) -> Codec | None:
    """Return how a file is compressed whose first `HEAD_SIZE` bytes are `head`; None if it is not."""
    return next((codec for codec in CODECS if head.startswith(codec.magic) and codec.confirms(head)), None)


def codec_for(key: str) -> Codec | None:
    """Return how an object with the key `key` is compressed by what its last suffix says; None if that is none."""
    return next((codec for codec in CODECS if key.lower().endswith(codec.suffixes)), None)


class _ZlibDecompressor:
    """zlib's decompressor of one stream, or one that is as strict, with the interface of the others."""

    def __init__(self, wbits: int) -> None:
        self._inner = _zlib_module().decompressobj(wbits)
        self._may_hold_more = False

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    @property
    def needs_input(self) -> bool:
        return not (self._inner.unconsumed_tail or self._may_hold_more)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        plain: bytes = self._inner.decompress(data or self._inner.unconsumed_tail, max_length)
        # isal has read the last bytes of a stream before it gives what they say, and then none are left to be given.
        self._may_hold_more = len(plain) == max_length
        return plain


@functools.cache
def _zlib_module() -> Any:
    """Return zlib, or what expands twice as fast where it is installed."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


_GZIP = 16 + zlib.MAX_WBITS
"""A gzip header and trailer, with the CRC and length checked; the largest window."""


def _gzip() -> Decompressor:
    return _ZlibDecompressor(_GZIP)


def _gzip_compressor() -> Compressor:
    # zlib writes no name and a time of 0. Level 6 is the gzip command's; 9 takes thrice the time for 1 % less.
    return zlib.compressobj(6, zlib.DEFLATED, _GZIP)


def _zlib() -> Decompressor:
    return _ZlibDecompressor(zlib.MAX_WBITS)


def _is_zlib(head: bytes) -> bool:
    """Return whether `head` is a zlib stream: two bytes of magic are often something else, such as "x^" in a text."""
    if head[:HEAD_SIZE].isascii():
        return False
    try:
        zlib.decompressobj().decompress(head)
    except zlib.error:
        return False
    return True


def _xz() -> Decompressor:
    # Without a limit a file of a few bytes may ask for 4 GiB.
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)


def _lzma() -> Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY)


def _is_lzma(head: bytes) -> bool:
    """Return whether `head` is of the format before xz, which has no magic: by values that encoders write.

    See: https://github.com/tukaani-project/xz/blob/master/doc/lzma-file-format.txt
    """
    window, size = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:13], "little")
    low = window & -window  # 2 ** n, or 2 ** n + 2 ** (n - 1)
    return len(head) >= 13 and 0 < window in (low, 3 * low) and (size == 2**64 - 1 or size < 1 << 38)


def _zstd_module() -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as exc:
        raise _missing("zstd") from exc
    return zstd


def _zstd() -> Decompressor:
    zstd = _zstd_module()
    decompressor: Decompressor = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})
    return decompressor


def _zstd_compressor() -> Compressor:
    zstd = _zstd_module()
    compressor: Compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.checksum_flag: 1})
    return compressor


def _lz4_module() -> Any:
    try:
        import lz4.frame
    except ImportError as exc:
        raise _missing("lz4") from exc
    return lz4.frame


def _lz4() -> Decompressor:
    decompressor: Decompressor = _lz4_module().LZ4FrameDecompressor()
    return decompressor


class _Lz4Compressor:
    """lz4's compressor, which wants to be told when it begins."""

    def __init__(self) -> None:
        self._inner = _lz4_module().LZ4FrameCompressor(content_checksum=True)
        self._begun: bytes = self._inner.begin()

    def compress(self, data: bytes) -> bytes:
        begun, self._begun = self._begun, b""
        return bytes(begun + self._inner.compress(data))

    def flush(self) -> bytes:
        begun, self._begun = self._begun, b""
        return bytes(begun + self._inner.flush())


def _missing(extra: str) -> MissingPackageError:
    return MissingPackageError(f"What is compressed with {extra} needs a package: pip install 'aios3_nb[{extra}]'")


def failures() -> tuple[type[Exception], ...]:
    """Return what decompressors raise for bytes that are not theirs; lz4 has no class of its own."""
    zstd = sys.modules.get("compression.zstd") or sys.modules.get("backports.zstd")
    own: tuple[type[Exception], ...] = (zstd.ZstdError,) if zstd else ()
    return (zlib.error, _zlib_module().error, lzma.LZMAError, OSError, ValueError, RuntimeError, MemoryError, *own)


CODECS = (
    Codec(
        name="gzip",
        suffixes=(".gz", ".gzip"),
        magic=(b"\x1f\x8b",),
        new=_gzip,
        compressor=_gzip_compressor,
    ),
    Codec(
        name="bz2",
        suffixes=(".bz2", ".bzip2"),
        magic=tuple(b"BZh%d" % level for level in range(1, 10)),
        new=bz2.BZ2Decompressor,
        compressor=bz2.BZ2Compressor,
    ),
    Codec(
        name="xz",
        suffixes=(".xz",),
        magic=(b"\xfd7zXZ\0",),
        new=_xz,
        compressor=lzma.LZMACompressor,
    ),
    Codec(
        name="zstd",
        suffixes=(".zst", ".zstd"),
        magic=(ZSTD, *_SKIPPABLE),
        new=_zstd,
        compressor=_zstd_compressor,
        dictionary=zstd_dictionary,
    ),
    Codec(
        name="lz4",
        suffixes=(".lz4",),
        magic=(LZ4, *_SKIPPABLE),
        new=_lz4,
        compressor=_Lz4Compressor,
        dictionary=lz4_dictionary,
    ),
    Codec(
        name="lzma",
        suffixes=(".lzma",),
        magic=(b"]\0\0",),  # the properties that all encoders write, and a window of 64 KiB or more
        new=_lzma,
        compressor=lambda: lzma.LZMACompressor(lzma.FORMAT_ALONE),
        confirms=_is_lzma,
    ),
    Codec(
        name="zlib",
        suffixes=(".zlib", ".zz", ".z"),
        magic=(b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"),
        new=_zlib,
        compressor=zlib.compressobj,
        confirms=_is_zlib,
    ),
)

SUFFIXES = tuple(suffix for codec in CODECS for suffix in codec.suffixes)
"""All suffixes of compression."""
