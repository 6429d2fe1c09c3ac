"""Checksums that S3 stores with an object, checked in the order of its bytes.

See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

_MD5_ETAG = re.compile(r'"?([0-9a-f]{32})"?')


class _Hash(Protocol):
    def update(self, data: memoryview, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc:
    """A CRC as a hash object; `function(data, crc)` returns the next value."""

    def __init__(self, function: Callable[[Any, int], int], width: int) -> None:
        self._function = function
        self._width = width
        self._value = 0

    def update(self, data: memoryview, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


def _crt(name: str, width: int) -> Callable[[], _Hash] | None:
    try:
        from awscrt import checksums
    except ImportError:
        return None
    function = getattr(checksums, name, None)
    return None if function is None else lambda: _Crc(function, width)


def _fast_crc32() -> Callable[[Any, int], int]:
    """Return a CRC32 by carry-less multiplication where one is installed: 9 GB/s against zlib's 3.6."""
    try:
        from isal.isal_zlib import crc32
    except ImportError:
        return zlib.crc32
    return cast(Callable[[Any, int], int], crc32)


def _hashlib(name: str) -> Callable[[], _Hash]:
    return lambda: hashlib.new(name, usedforsecurity=False)


_ALGORITHMS: dict[str, Callable[[], Callable[[], _Hash] | None]] = {
    # Fastest first: an object may carry several.
    "CRC64NVME": lambda: _crt("crc64nvme", 8),
    "CRC32C": lambda: _crt("crc32c", 4),
    "CRC32": lambda: lambda: _Crc(_fast_crc32(), 4),
    "SHA1": lambda: _hashlib("sha1"),
    "SHA256": lambda: _hashlib("sha256"),
    "MD5": lambda: _hashlib("md5"),
}


@dataclass(frozen=True, slots=True)
class Checksum:
    """What S3 says the whole object's bytes hash to.

    Attributes:
        algorithm: ``CRC64NVME``, ``CRC32C``, ``CRC32``, ``SHA1``, ``SHA256`` or ``MD5``; empty when there is
            nothing to check with.
        value: The digest.
        why_not: Why there is nothing to check with.
    """

    algorithm: str = ""
    value: bytes = b""
    why_not: str = ""


def checksum_of(answer: Mapping[str, Any]) -> Checksum:
    """Return the best checksum for the whole object in the answer to a plain GET or a HEAD."""
    composite = answer.get("ChecksumType") == "COMPOSITE"
    uncheckable = ""
    for algorithm, make in _ALGORITHMS.items():
        text = answer.get(f"Checksum{algorithm}")
        if not text or composite or "-" in text:  # "...-3": a hash of the hashes of three parts
            composite = composite or bool(text)
            continue
        if make() is None:
            uncheckable = f"{algorithm} needs: pip install 'aios3_nb[crt]'"
            continue
        return Checksum(algorithm, base64.b64decode(text))
    return md5_of(answer) or Checksum(why_not=uncheckable or ("composite checksum" if composite else "no checksum"))


def md5_of(answer: Mapping[str, Any]) -> Checksum | None:
    """Return the MD5 that the ETag is, when it is one: uploaded in one piece, not encrypted with KMS or own keys."""
    match = _MD5_ETAG.fullmatch(answer.get("ETag", ""))
    encrypted = answer.get("ServerSideEncryption", "AES256") != "AES256" or "SSECustomerAlgorithm" in answer
    return Checksum("MD5", bytes.fromhex(match[1])) if match and not encrypted else None


class Verifier:
    """Hashes one pass over the object, from its first byte to its last.

    Bytes that come again are not hashed again; a pass that starts anew at 0 is a new pass; a gap ends it.
    """

    def __init__(self) -> None:
        self._checksum: Checksum | None = None
        self._hash: _Hash | None = None
        self._early: list[bytes] = []
        self._position = 0
        self._broken = False

    @property
    def position(self) -> int:
        """Bytes hashed so far, from the start of the object."""
        return self._position

    @property
    def in_order(self) -> bool:
        """Whether no byte was left out so far."""
        return not self._broken

    def continues(self, start: int) -> bool:
        """Say whether bytes from `start` on are the next ones of the pass, or begin a new one."""
        return start == 0 or (not self._broken and start == self._position)

    def expect(self, checksum: Checksum) -> None:
        """Set what the bytes must hash to; it may become known after the first of them came."""
        self._checksum = checksum
        self._hash = self._new()
        for data in self._early:
            self.feed_hash(memoryview(data))
        self._early.clear()

    def feed(self, start: int, data: memoryview) -> None:
        """Hash `data`, the object's bytes from `start` on."""
        if start == 0 and self._position:
            self._restart()
        if start != self._position:
            self._broken = True
        if self._broken:
            return
        self._position += len(data)
        if self._checksum is None:
            self._early.append(bytes(data))
        else:
            self.feed_hash(data)

    def feed_hash(self, data: memoryview) -> None:
        """Hash `data` wherever it belongs."""
        if self._hash is not None:
            self._hash.update(data)

    def mismatch(self) -> str:
        """Return how the digest differs, once all bytes were fed; empty when it fits or cannot be checked."""
        checksum = self._checksum
        if checksum is None or self._hash is None or self._hash.digest() == checksum.value:
            return ""
        return f"{checksum.algorithm} is {self._hash.digest().hex()}, stored was {checksum.value.hex()}"

    def verdict(self, size: int) -> str:
        """Return what the closing line says: ``CRC32 ok``, or ``not checked (why)``."""
        checksum = self._checksum
        if self._broken:
            return "not checked (not read in order)"
        if self._position < size:
            return "not checked (not read to the end)"
        if checksum is None or not checksum.algorithm:
            return f"not checked ({checksum.why_not if checksum else 'verify is off'})"
        return f"{checksum.algorithm} ok"

    def _restart(self) -> None:
        self._position, self._broken = 0, False
        self._early.clear()
        self._hash = self._new()

    def _new(self) -> _Hash | None:
        if self._checksum is None or not self._checksum.algorithm:
            return None
        make = _ALGORITHMS[self._checksum.algorithm]()
        return make() if make is not None else None
