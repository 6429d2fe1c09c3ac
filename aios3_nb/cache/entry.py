"""What is known of one version of one object in the cache, and how that stands in its file, behind the content.

::

    content │ JSON: address, version, checksums of the blocks │ length of the JSON, its CRC32, a mark

One file and not two: it appears by one rename, and goes by one removal. The content comes first, so that it begins at
a page.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from dataclasses import asdict, dataclass, fields
from typing import Any

BLOCK = 1 << 20
"""Bytes that have a checksum together: what is read is checked a block at a time, in whatever order."""

NAME = re.compile(r"[0-9a-f]{32}-[0-9a-f]{32}")
"""How files of the cache are called."""

_TAIL = struct.Struct("<QI8s")
TAIL = _TAIL.size
_MARK = b"aios3nb1"
_MOST = 64 << 20
"""Bytes of the JSON; that of 8 TB would be as long."""


@dataclass(frozen=True, slots=True)
class Place:
    """The address of an object, as far as it says which bytes are meant: no account stands in it.

    Attributes:
        endpoint_url: Of the server that has it; empty for AWS.
        bucket: Its bucket.
        key: Its key.
        version_id: The version that was asked for; empty for the latest.
    """

    endpoint_url: str
    bucket: str
    key: str
    version_id: str = ""

    @property
    def hash(self) -> str:
        """What the names of the files of its versions begin with."""
        return _hash(self.endpoint_url, self.bucket, self.key, self.version_id)


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One version of one object.

    Attributes:
        place: Its address.
        etag: With its quotes; never empty.
        size: Bytes.
        verdict: What it was checked by when it came: ``CRC32 ok``, or ``not checked (why)``.
        crcs: CRC32 of each block, four bytes each.
    """

    place: Place
    etag: str
    size: int
    verdict: str = ""
    crcs: bytes = b""

    @property
    def name(self) -> str:
        """The name of its file: another one for another address, ETag or size."""
        return f"{self.place.hash}-{_hash(self.etag, str(self.size))}"

    def encoded(self) -> bytes:
        """Return what stands behind the content."""
        said = {**{each.name: getattr(self, each.name) for each in fields(self)}, "place": asdict(self.place)}
        text = json.dumps({**said, "crcs": self.crcs.hex()}).encode()
        return text + _TAIL.pack(len(text), zlib.crc32(text), _MARK)


def tail_length(tail: bytes, size: int) -> int:
    """Return the length of what is said of the content, from the last `TAIL` bytes of a file of `size` bytes.

    Raises:
        ValueError: It is no file of the cache, or damaged.
    """
    if len(tail) != TAIL:
        raise ValueError("it is too short")
    length, _, mark = _TAIL.unpack(tail)
    if mark != _MARK or length > min(_MOST, size - TAIL):
        raise ValueError("its end is not one of the cache")
    return int(length)


def decoded(said: bytes, size: int) -> CacheEntry:
    """Return what `said`, the end of a file of `size` bytes from the length of the content on, says of it.

    Raises:
        ValueError: It is damaged.
    """
    text, (_, crc, _) = said[:-TAIL], _TAIL.unpack(said[-TAIL:])
    if zlib.crc32(text) != crc:
        raise ValueError("what it says of its content is damaged")
    found: dict[str, Any] = json.loads(text)
    entry = CacheEntry(**{**found, "place": Place(**found["place"]), "crcs": bytes.fromhex(found["crcs"])})
    blocks = -(-entry.size // BLOCK)
    if entry.size + len(said) != size or len(entry.crcs) != 4 * blocks:
        raise ValueError("its length is not that of its content")
    return entry


def _hash(*texts: str) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:32]
