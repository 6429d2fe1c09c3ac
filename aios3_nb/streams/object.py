"""What is known of one version of an object."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aios3_nb.address import S3Uri
from aios3_nb.streams.verify import Checksum

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
        answer: The fields of the first answer that say what kind of hash its ETag is.
    """

    uri: S3Uri
    size: int
    etag: str = ""
    version_id: str | None = None
    last_modified: datetime.datetime | None = None
    content_type: str = ""
    endpoint_url: str | None = None
    checksum: Checksum | None = None
    answer: Answer | None = None
