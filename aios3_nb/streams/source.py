"""One version of one object: byte ranges of it, accepted only when they are what was asked for.

Every request after the first is pinned (``If-Match``, or the version that was asked for). A body that breaks,
ends early, falls silent or drips is resumed at the byte it reached.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from aios3_nb.address.uri import S3Uri
from aios3_nb.errors import ObjectChangedError
from aios3_nb.pipeline.monitor import Monitor
from aios3_nb.s3.client import client, forget_client
from aios3_nb.s3.clock import deadline
from aios3_nb.s3.failures import (
    EXPIRED,
    SilenceError,
    UnfitAnswerError,
    code_of,
    explained,
    gave_up,
    is_transient,
    status_of,
    stripped,
)
from aios3_nb.s3.object import Answer, ObjectInfo
from aios3_nb.s3.retry import RetryBudget
from aios3_nb.settings import Settings
from aios3_nb.streams.verify import checksum_of
from aios3_nb.text import visible

if TYPE_CHECKING:
    from aios3_nb.streams.body import Body

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_OF_AWS = re.compile(r"^https://[^/]*\.amazonaws\.com(\.cn)?(/|$)")
_EMPTY_RANGE = re.compile(r"bytes \*/(\d+)")


# A server that answers at once and sends more than the loop can take is on this machine, or next to it. Requests side
# by side only cost there: 512 MB from loopback took 0.8 s over one connection where it took 1.0 s over eight. S3 itself
# takes several times as long to answer, and gives a connection half of this rate; one that falls below it is joined
# by others.
_NEAR = 0.01
"""Seconds to the first answer, at most."""
_TELLING = 0.03
"""Seconds that tell of a rate; a shorter time may be one in which the loop did something else."""
_SWIFT = 150_000_000
"""Bytes per second, at least."""


class RangesIgnoredError(Exception):
    """The server answered a range with the whole object; it must be read from its start, in one go."""


class ObjectSource:
    """Fills buffers with byte ranges of one version of one object.

    Attributes:
        info: The version; None until `begin` or `head`.
        retry: The failures it may still have.
        sequential: Whether the server ignores ranges; then only one `fill` may run at a time, in order.
    """

    def __init__(self, uri: S3Uri, settings: Settings, monitor: Monitor, info: ObjectInfo | None = None) -> None:
        self.info = info
        self.retry = RetryBudget(settings)
        self.sequential = False
        self._uri = uri
        self._settings = settings
        self._monitor = monitor
        self._open: set[Body] = set()
        self._kept: Body | None = None
        self._if_match = True
        self._refusals = 0
        self._endpoint_url = ""
        self._expiries = 0
        self._connection: Any = None
        self._near = False
        """One connection seems to bring the object as fast as it can be taken; until it fails or falls behind."""

    @property
    def concurrency(self) -> int:
        """How many `fill` may run at once just now."""
        return 1 if self.sequential or self._near else self.retry.concurrency

    async def begin(self, start: int, length: int | None) -> ObjectInfo:
        """Return the version that is there now; the body of this first request waits for the first `fill`.

        Args:
            start: First byte wanted.
            length: Bytes wanted; None asks for the whole object without a range, since only such an answer
                carries the stored checksum.

        Raises:
            ObjectNotFoundError, AccessDeniedError, CredentialsError, EndpointError: ... and the other errors.
        """
        while True:
            try:
                if length is None or self.sequential:
                    began = time.perf_counter()
                    self._kept = await self._get_whole()
                    self._near = time.perf_counter() - began < _NEAR and self._parts_tell()
                else:
                    self._kept = await self._get_range(start, start + length)
                break
            except RangesIgnoredError:
                continue
            except Exception as exc:
                if self._learned_size(exc):
                    break
                await self._recover(exc, 0)
        assert self.info is not None
        self._monitor.opened(self.info)
        return self.info

    async def head(self) -> ObjectInfo:
        """Return the version with its size and stored checksum, without a body."""
        known = self.info
        while True:
            try:
                connection = await self._connected()
                self._monitor.requested()
                async with deadline(self._patience):
                    answer = await connection.head_object(**self._arguments(), ChecksumMode="ENABLED")
                break
            except Exception as exc:
                await self._recover(exc, 0)
        if known is None:
            self.info = self._described(answer, int(answer["ContentLength"]))
            self._monitor.opened(self.info)
        else:
            self._check_etag(answer)
        assert self.info is not None
        self.info = replace(self.info, checksum=checksum_of(answer))
        return self.info

    async def fill(
        self, start: int, stop: int, memory: Callable[[], Awaitable[memoryview]], progress: Callable[[int], None]
    ) -> None:
        """Fetch the object's bytes from `start` to `stop` into `memory`; call ``progress(filled)`` as they come.

        The memory is asked for when the answer has come: until then a request needs none.

        Raises:
            ObjectChangedError: The object was replaced or deleted.
            DownloadError: Faults outlasted the retries; ``offset`` is the byte that was reached.
            RangesIgnoredError: See `sequential`, which is set now.
        """
        filled = 0
        began = 0.0

        def took(count: int) -> None:
            nonlocal filled
            filled += count
            if self._near and (seconds := time.perf_counter() - began) > _TELLING:
                self._near = filled > _SWIFT * seconds
            self.retry.received(count)
            self._monitor.received(count)
            progress(filled)

        while start + filled < stop:
            try:
                body = await self._body_at(start + filled, stop)
                try:
                    view = await memory()
                    began = time.perf_counter()
                    with body.watched():
                        await body.read_into(view[filled:], took)
                finally:
                    self._let_go(body)
            except RangesIgnoredError:
                raise
            except Exception as exc:
                await self._recover(exc, start + filled)
        self.retry.finished_part()

    async def read(self, start: int, stop: int) -> bytes:
        """Return the object's bytes from `start` to `stop`; see `fill`."""
        data = bytearray(stop - start)

        async def memory() -> memoryview:
            return memoryview(data)

        await self.fill(start, stop, memory, lambda _: None)
        return bytes(data)

    def abort(self) -> None:
        """Drop every connection at once."""
        self._kept = None
        for body in self._open:
            body.close()
        self._open.clear()

    @property
    def _patience(self) -> float:
        return self._settings.connect_timeout + self._settings.read_timeout

    async def _body_at(self, start: int, stop: int) -> Body:
        body, self._kept = self._kept, None
        if body is not None and (body.position != start if not self.sequential else body.position > start):
            self._drop(body)
            body = None
        if body is None:
            body = await (self._get_whole() if self.sequential else self._get_range(start, stop))
        try:
            await body.skip(start)
        except BaseException:
            self._drop(body)
            raise
        return body

    def _let_go(self, body: Body) -> None:
        """Keep a body that has more to give when nobody else will fetch it; close it otherwise."""
        if not body.finished and body.usable and self.concurrency == 1 and self._kept is None:
            self._kept = body
        else:
            self._drop(body)

    def _drop(self, body: Body) -> None:
        body.close()
        self._open.discard(body)

    async def _get_whole(self) -> Body:
        options = {} if self._settings.verify == "off" else {"ChecksumMode": "ENABLED"}
        return await self._get(options, self._accept_whole)

    async def _get_range(self, start: int, stop: int) -> Body:
        return await self._get(
            {"Range": f"bytes={start}-{stop - 1}"}, lambda answer: self._accept_range(answer, start, stop)
        )

    async def _get(self, options: dict[str, str], accept: Callable[[Answer], tuple[int, int]]) -> Body:
        from aios3_nb.streams.body import Body  # with aiohttp, which would be half of what %load_ext takes

        connection = await self._connected()
        self._monitor.requested()
        body: Body | None = None
        try:
            async with deadline(self._patience):
                answer = await connection.get_object(**self._arguments(), **options)
                body = Body(answer["Body"], self._settings)
                self._open.add(body)
            body.position, body.stop = accept(answer)
        except BaseException as exc:
            if body is not None:
                self._drop(body)
            if isinstance(exc, TimeoutError):
                raise SilenceError(f"no answer within {self._patience:g} s") from None
            raise
        return body

    async def _connected(self) -> Any:
        if self._connection is None:
            self._connection = await client(self._settings)
            url = str(self._connection.meta.endpoint_url)
            self._endpoint_url = "" if _OF_AWS.search(url) else url
        return self._connection

    def _arguments(self) -> dict[str, str]:
        arguments = {"Bucket": self._uri.bucket, "Key": self._uri.key}
        if self._settings.request_payer:
            arguments["RequestPayer"] = self._settings.request_payer
        if self._uri.version_id:
            arguments["VersionId"] = self._uri.version_id
        elif self.info is not None and self.info.etag and self._if_match:
            # Not the version that the first answer named: reading by version needs a permission of its own.
            arguments["IfMatch"] = self.info.etag
        return arguments

    def _accept_whole(self, answer: Answer) -> tuple[int, int]:
        length = answer.get("ContentLength")
        if status_in(answer) != 200 or length is None:
            raise UnfitAnswerError(f"asked for the object, the answer was {_shape(answer)}")
        if self.info is None:
            self.info = replace(self._described(answer, int(length)), checksum=checksum_of(answer))
        self._check_etag(answer)
        if length != self.info.size:
            raise UnfitAnswerError(f"the object has {self.info.size:,} bytes, the answer was {_shape(answer)}")
        return 0, self.info.size

    def _accept_range(self, answer: Answer, start: int, stop: int) -> tuple[int, int]:
        if status_in(answer) == 200:
            self.sequential = True
            if self.info is not None or start != 0:
                raise RangesIgnoredError
            return self._accept_whole(answer)
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

    def _described(self, answer: Answer, size: int) -> ObjectInfo:
        etag = answer.get("ETag", "")
        if not etag:
            warnings.warn(
                f"{visible(self._uri.bucket)}: this store gives no ETag; an object that is replaced while it is "
                "read cannot be noticed.",
                stacklevel=2,
            )
        version = answer.get("VersionId")
        return ObjectInfo(
            uri=self._uri,
            size=size,
            etag=etag,
            version_id=None if version == "null" else version,
            last_modified=answer.get("LastModified"),
            content_type=answer.get("ContentType", ""),
            endpoint_url=self._endpoint_url,
            answer={name: answer[name] for name in ("ETag", *_ENCRYPTION) if name in answer},
        )

    def _check_etag(self, answer: Answer) -> None:
        assert self.info is not None
        if self.info.etag and answer.get("ETag") != self.info.etag:
            raise self._changed(f"its etag is {visible(answer.get('ETag', 'gone'))} now")

    def _parts_tell(self) -> bool:
        """Say whether the object's parts are so long that a slow connection is noticed within one."""
        assert self.info is not None
        return min(self._settings.part_size, self.info.size / self._settings.concurrency) >= _SWIFT * _TELLING

    def _learned_size(self, exc: BaseException) -> bool:
        """Say whether S3 refused the first range because the object ends before it: an empty object, say."""
        if status_of(exc) != 416 or self.info is not None:
            return False
        headers = getattr(exc, "response", {}).get("ResponseMetadata", {}).get("HTTPHeaders", {})
        match = _EMPTY_RANGE.fullmatch(headers.get("content-range", ""))
        self.info = ObjectInfo(self._uri, int(match[1]) if match else 0, headers.get("etag", ""))
        return True

    async def _recover(self, exc: Exception, offset: int) -> None:
        """Return when the request may be made again; raise what the user should see otherwise."""
        self._near = False
        if status_of(exc) == 412 or code_of(exc) == "PreconditionFailed":
            raise self._changed("it was replaced") from None
        if self.info is not None and code_of(exc) in ("NoSuchKey", "NoSuchVersion", "404"):
            raise self._changed("it was deleted") from None
        if self._refuses_if_match(exc):
            return
        if self._renews_credentials(exc):
            return
        if not is_transient(exc):
            raise explained(exc, self._uri, self._settings) from stripped(exc)
        if not await self.retry.allows(exc):
            self._give_up(exc, offset)
        self._monitor.retried(self.retry.retries, offset)

    def _renews_credentials(self, exc: Exception) -> bool:
        """Say whether the credentials had expired, and new ones are used from now on."""
        if code_of(exc) not in EXPIRED:
            return False
        if not self._expiries:
            forget_client(self._settings)
            self._connection = None
        # As many as were under way with the old ones may still be refused.
        self._expiries += 1
        return self._expiries <= self._settings.concurrency

    def _refuses_if_match(self, exc: Exception) -> bool:
        """Say whether the store knows no If-Match; from then on only the ETag of every answer is compared."""
        if status_of(exc) != 501 or self.info is None or not self.info.etag:
            return False
        self._if_match = False
        # As many as were under way with If-Match may still be refused; more would be refused for something else.
        self._refusals += 1
        return self._refusals <= self._settings.concurrency

    def _give_up(self, exc: Exception, offset: int) -> NoReturn:
        failures = self.retry.failures
        raise gave_up(exc, self._uri, self._settings, offset=offset, attempts=failures) from stripped(exc)

    def _changed(self, how: str) -> ObjectChangedError:
        etag = self.info.etag if self.info else ""
        return ObjectChangedError(
            f"{visible(str(self._uri))} changed while it was being read (etag {visible(etag)}): {how}. "
            "Run it again to read what is there now.",
            uri=str(self._uri),
        )


_ENCRYPTION = ("ServerSideEncryption", "SSECustomerAlgorithm")


def status_in(answer: Answer) -> int:
    """Return the HTTP status of `answer`."""
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def _shape(answer: Answer) -> str:
    return (
        f"{status_in(answer)} with Content-Range {visible(str(answer.get('ContentRange', 'missing')), most=60)} "
        f"and Content-Length {answer.get('ContentLength', 'missing')}"
    )
