"""What is known of one version of an object, and who is told as it is read."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aios3_nb.address import S3Uri
from aios3_nb.streams.checksum import Checksum

Answer = Mapping[str, Any]
"""What botocore makes of S3's answer."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What S3 says about one version of an object.

    Attributes:
        uri: Its address.
        size: Bytes.
        etag: With its quotes, as S3 sends it; empty when the store gives none.
        version_id: Where the bucket keeps versions.
        last_modified: When it was stored.
        content_type: What the uploader called it; never used to choose a format.
        endpoint_url: Of the server that answered, wherever it was set; empty for AWS, None when it is not known.
        checksum: None until an answer that carries checksums came.
        etag_checksum: The MD5 that its ETag is or may be; None when it is none.
        is_cached: Whether its bytes come from the local cache.
    """

    uri: S3Uri
    size: int
    etag: str = ""
    version_id: str | None = None
    last_modified: datetime.datetime | None = None
    content_type: str = ""
    endpoint_url: str | None = None
    checksum: Checksum | None = None
    etag_checksum: Checksum | None = None
    is_cached: bool = False


class Monitor:
    """Watches one object being read, and says nothing; the null object that the display classes extend.

    Every method is called on the thread that reads, often, and must return at once.
    """

    def began(self, cancel: Callable[[], None]) -> None:
        """Reading is about to begin; `cancel` stops it, from any thread."""

    def opened(self, info: ObjectInfo) -> None:
        """The first answer came: size and version are known."""

    def requested(self) -> None:
        """One more request is sent."""

    def received(self, count: int) -> None:
        """`count` more bytes came, over the network or from the local cache, wanted ones only."""

    def retried(self, count: int, offset: int) -> None:
        """The `count`-th retry of this object resumes at byte `offset`."""

    def phase(self, name: str) -> None:
        """The work is now of another kind: waiting, downloading, decoding, verifying; loaded, when others go on."""

    def items(self, count: int) -> None:
        """`count` items have been handed out."""
