"""What may be believed of S3's answers about one object: each must fit what was asked, and the first one.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

import re
from dataclasses import replace

from aios3_nb.address import S3Uri
from aios3_nb.errors import ObjectChangedError
from aios3_nb.s3 import UnfitAnswerError, status_of
from aios3_nb.streams.checksum import Checksum, checksum_of, etag_of
from aios3_nb.streams.object import Answer, ObjectInfo
from aios3_nb.text import visible, warn

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class RangesIgnoredError(Exception):
    """The server answered a range with the whole object; it must be read from its start, in one go."""


class Judge:
    """Holds what the first answer said of an object, and every later one against it.

    Args:
        uri: The object.
        info: The version, when it is known from before.

    Attributes:
        info: The version; None until an answer was believed.
        sequential: Whether the server ignores ranges: it answered one with the whole object.
        endpoint_url: Of the server that answers; empty for AWS, None as long as it is not known.
    """

    def __init__(self, uri: S3Uri, info: ObjectInfo | None) -> None:
        self.info = info
        self.sequential = False
        self.endpoint_url: str | None = None
        self._uri = uri

    def whole(self, answer: Answer) -> tuple[int, int]:
        """Return which bytes the body of a plain GET is: all of them.

        Raises:
            ObjectChangedError: The object was replaced.
            UnfitAnswerError: It is something else.
        """
        length = answer.get("ContentLength")
        if status_in(answer) != 200 or length is None:
            raise UnfitAnswerError(f"asked for the object, the answer was {_shape(answer)}")
        if self.info is None:
            self.info = self._described(answer, int(length), self._checksum(answer))
        self._check_etag(answer)
        if length != self.info.size:
            raise UnfitAnswerError(f"the object has {self.info.size:,} bytes, the answer was {_shape(answer)}")
        return 0, self.info.size

    def range(self, answer: Answer, start: int, stop: int) -> tuple[int, int]:
        """Return which bytes the body of a GET of `start` to `stop` is: those, or the first of them.

        Raises:
            ObjectChangedError: The object was replaced.
            RangesIgnoredError: It is the whole object; see `sequential`, which is set now.
            UnfitAnswerError: It is something else.
        """
        if status_in(answer) == 200:
            self.sequential = True
            if self.info is not None or start != 0:
                raise RangesIgnoredError
            return self.whole(answer)
        match = _CONTENT_RANGE.fullmatch(answer.get("ContentRange", ""))
        if status_in(answer) != 206 or match is None:
            raise UnfitAnswerError(f"asked for bytes {start}-{stop - 1}, the answer was {_shape(answer)}")
        first, last, size = map(int, match.groups())
        if self.info is None:
            self.info = self._described(answer, size)
        self._check_etag(answer)
        end = min(stop, size)
        # A range that ends early is fine: the next request resumes where it ended.
        fits = first == start and start <= last < end and size == self.info.size
        if not fits or answer.get("ContentLength") != last + 1 - first:
            raise UnfitAnswerError(f"asked for bytes {start}-{end - 1} of {self.info.size}, got {_shape(answer)}")
        return start, last + 1

    def length_in(self, answer: Answer) -> int | None:
        """Return how long the body is of an answer that does not say it itself; None where nothing else does."""
        match = _CONTENT_RANGE.fullmatch(answer.get("ContentRange", ""))
        if status_in(answer) == 206 and match is not None:
            return int(match[2]) + 1 - int(match[1])
        return None if self.info is None else self.info.size

    def head(self, answer: Answer) -> ObjectInfo:
        """Return the version with its stored checksum, as the answer to a HEAD says.

        Raises:
            ObjectChangedError: The object was replaced.
        """
        if self.info is None:
            self.info = self._described(answer, int(answer["ContentLength"]))
        self._check_etag(answer)
        self.info = replace(self.info, checksum=self._checksum(answer))
        return self.info

    def same(self, answer: Answer) -> None:
        """Compare the ETag of an answer that has no bytes, with quotes or without.

        Raises:
            ObjectChangedError: The object was replaced.
        """
        assert self.info is not None
        etag = answer.get("ETag")
        if self.info.etag and etag and etag.strip('"') != self.info.etag.strip('"'):
            raise self.changed(f"its etag is {visible(etag)} now")

    def learned_empty(self, exc: BaseException) -> bool:
        """Say whether the first range was refused because the object is empty: no range of it exists.

        It is believed of an answer to a range that says so itself.
        """
        answer = getattr(exc, "response", None) or {}
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if status_of(exc) != 416 or self.info is not None or headers.get("content-range") != "bytes */0":
            return False
        self.info = ObjectInfo(self._uri, 0, headers.get("etag", ""), endpoint_url=self.endpoint_url)
        return True

    def changed(self, how: str) -> ObjectChangedError:
        """Return the error of an object that is another one now; `how` says what tells so."""
        etag = self.info.etag if self.info else ""
        return ObjectChangedError(
            f"{visible(str(self._uri))} changed while it was being read (etag {visible(etag)}): {how}. "
            "Run it again to read what is there now.",
            uri=str(self._uri),
        )

    def _described(self, answer: Answer, size: int, checksum: Checksum | None = None) -> ObjectInfo:
        etag = answer.get("ETag", "")
        if not etag:
            warn(
                f"{visible(self._uri.bucket)}: this store gives no ETag; an object that is replaced while it is "
                "read cannot be noticed."
            )
        version = answer.get("VersionId")
        return ObjectInfo(
            uri=self._uri,
            size=size,
            etag=etag,
            version_id=None if version == "null" else version,
            last_modified=answer.get("LastModified"),
            content_type=answer.get("ContentType", ""),
            endpoint_url=self.endpoint_url,
            checksum=checksum,
            etag_checksum=etag_of(answer, bucket=self._uri.bucket, endpoint_url=self.endpoint_url),
        )

    def _checksum(self, answer: Answer) -> Checksum:
        return checksum_of(answer, bucket=self._uri.bucket, endpoint_url=self.endpoint_url)

    def _check_etag(self, answer: Answer) -> None:
        assert self.info is not None
        if self.info.etag and answer.get("ETag") != self.info.etag:
            raise self.changed(f"its etag is {visible(answer.get('ETag', 'gone'))} now")


def status_in(answer: Answer) -> int:
    """Return the HTTP status of `answer`."""
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def _shape(answer: Answer) -> str:
    return (
        f"{status_in(answer)} with Content-Range {visible(str(answer.get('ContentRange', 'missing')), most=60)} "
        f"and Content-Length {answer.get('ContentLength', 'missing')}"
    )
