"""What S3 says an object's bytes hash to, and what may be concluded from it.

See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aios3_nb.s3 import Crc, crc_named

_MD5_ETAG = re.compile(r'"?([0-9a-f]{32})(?:-(\d{1,5}))?"?')
_NO_MD5 = re.compile(r":s3-(?:object-lambda|outposts):|--(?:x|xa|ol|op)-s3$")
"""Buckets whose ETags are random, or as somebody's function says: directory buckets, Object Lambda, Outposts."""

_OF_PARTS = re.compile(r"([A-Za-z0-9+/]+=*)(?:-(\d{1,5}))?")

SLOW = frozenset(("MD5", "SHA1", "SHA256"))
"""Those that hash less than 2 GB in a second and core, where CRCs do 4 to 19."""


class Hash(Protocol):
    """A hash object of `hashlib`."""

    def update(self, data: memoryview, /) -> None:
        """Hash `data` behind what was hashed before."""

    def digest(self) -> bytes:
        """Return the hash."""


Algorithm = Crc | Callable[[], Hash]
"""A CRC, whose pieces can be joined; or what makes hash objects, which have to see the bytes in order."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What an object's bytes hash to.

    Attributes:
        algorithm: ``CRC64NVME``, ``CRC32C``, ``CRC32``, ``SHA1``, ``SHA256`` or ``MD5``; empty when there is
            nothing to check with.
        value: The digest.
        parts: Parts whose hashes, one after the other, it is the hash of; 0 when it is that of the bytes.
        lengths: Bytes of each part; empty as long as nobody knows.
        told: Whether the store gave the length of each part; else they follow from that of the first.
        proves: Whether other bytes are proven by another hash. An ETag of an unknown store may be anything.
        why_not: Why there is nothing to check with.
    """

    algorithm: str = ""
    value: bytes = b""
    parts: int = 0
    lengths: tuple[int, ...] = ()
    told: bool = False
    proves: bool = True
    why_not: str = ""

    def __str__(self) -> str:
        if not self.algorithm:
            return self.why_not
        parts = f" of {self.parts:,} part{'s' if self.parts > 1 else ''}" if self.parts else ""
        return f"{self.algorithm}{parts}"

    @property
    def words(self) -> str:
        """What an object can be checked by, for who has not read it yet."""
        if not self.algorithm:
            return f"nothing ({self.why_not})"
        return f"{self}" if self.proves else f"{self}, if its ETag is that"

    def fits(self, data: bytes) -> bool:
        """Return whether `data` hashes to it; not if it is of parts, or nothing to check with."""
        made = algorithm(self.algorithm) if self.algorithm and not self.parts else None
        if made is None:
            return False
        if isinstance(made, Crc):
            return made.digest(made.function(data, 0)) == self.value
        digest = made()
        digest.update(memoryview(data))
        return digest.digest() == self.value


def checksum_of(answer: Mapping[str, Any], *, bucket: str, endpoint_url: str | None) -> Checksum:
    """Return the best that can be checked with, of what the answer to a plain GET or a HEAD says.

    Args:
        answer: As botocore gives it.
        bucket: Of the object.
        endpoint_url: Of the server that answered; empty for AWS, None when it is not known.
    """
    found = [each for name in _ALGORITHMS if (each := _stored(answer, name))]
    usable = [each for each in found if each.algorithm]
    if usable:
        # That of the bytes needs no knowledge of the parts.
        return min(usable, key=lambda each: each.parts > 0)
    return etag_of(answer, bucket=bucket, endpoint_url=endpoint_url) or next(
        iter(found), Checksum(why_not="no checksum")
    )


def etag_of(answer: Mapping[str, Any], *, bucket: str, endpoint_url: str | None) -> Checksum | None:
    """Return the MD5 that the ETag is or may be, of the bytes or of the parts' MD5s; None when it is none.

    AWS makes it so, but not for KMS, for customers' keys, and in directory buckets. Other stores mostly do the same.

    See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    match = _MD5_ETAG.fullmatch(answer.get("ETag", ""))
    encrypted = answer.get("ServerSideEncryption", "AES256") != "AES256" or "SSECustomerAlgorithm" in answer
    if match is None or encrypted or _NO_MD5.search(bucket):
        return None
    parts = int(match[2] or 0)
    proves = endpoint_url == "" or _is_md5(answer, parts)
    return Checksum("MD5", bytes.fromhex(match[1]), parts, proves=proves)


def algorithm(name: str) -> Algorithm | None:
    """Return the algorithm that S3 calls `name`; None where a package is missing for it."""
    return _ALGORITHMS[name]()


def _stored(answer: Mapping[str, Any], name: str) -> Checksum | None:
    text = answer.get(f"Checksum{name}")
    match = _OF_PARTS.fullmatch(text) if text else None
    if match is None:
        return None
    if algorithm(name) is None:
        return Checksum(why_not=f"{name} needs: pip install 'aios3_nb[crt]'")
    if answer.get("ChecksumType") == "COMPOSITE" and not match[2]:
        return Checksum(why_not=f"{name} of parts, and the store does not say of how many")
    try:
        return Checksum(name, base64.b64decode(match[1]), int(match[2] or 0))
    except binascii.Error:
        return None


def _is_md5(answer: Mapping[str, Any], parts: int) -> bool:
    """Say whether the server is one that is known to make its ETags of MD5s."""
    server = str(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("server", ""))
    # Those of parts may be others: MinIO can be told to invent ETags, and marks them so; SeaweedFS has parts that were
    # copied (UploadPartCopy), or written by other ways than S3, go in with something that is no MD5 of theirs.
    return server.startswith(("SeaweedFS", "MinIO")) and not parts and "ServerSideEncryption" not in answer


def _hashlib(name: str) -> Callable[[], Hash]:
    return lambda: hashlib.new(name, usedforsecurity=False)


_ALGORITHMS: dict[str, Callable[[], Algorithm | None]] = {
    # Fastest first: an object may carry several.
    "CRC64NVME": lambda: crc_named("CRC64NVME"),
    "CRC32C": lambda: crc_named("CRC32C"),
    "CRC32": lambda: crc_named("CRC32"),
    "SHA1": lambda: _hashlib("sha1"),
    "SHA256": lambda: _hashlib("sha256"),
    "MD5": lambda: _hashlib("md5"),
}
