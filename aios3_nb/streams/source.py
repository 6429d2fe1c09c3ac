"""One version of one object: byte ranges of it, each asked for until an answer is what was asked for.

A body that breaks, ends early, falls silent or drips is resumed at the byte it reached.

Over 300 lines: asking, resuming, keeping a body and letting go of it change the same few values, which two would share.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aios3_nb.address import S3Uri
from aios3_nb.s3 import SilenceError, check_answer, deadline, explained, get_object, status_of, stripped
from aios3_nb.settings import Settings
from aios3_nb.streams.judge import Judge, RangesIgnoredError
from aios3_nb.streams.object import Answer, Monitor, ObjectInfo
from aios3_nb.streams.pace import Pace
from aios3_nb.streams.pool import Pool, Portion
from aios3_nb.streams.requests import Requests
from aios3_nb.text import visible

if TYPE_CHECKING:
    from aios3_nb.streams.body import Body
    from aios3_nb.streams.spooled import Spooled

_AT_MOST = 5.0
"""Seconds that an answer is waited for without which the load goes on as well."""


class ObjectSource:
    """Fills buffers with byte ranges of one version of one object.

    Attributes:
        uri: Its address.
        retry: The failures it may still have.
        pace: How many connections it should have.
    """

    def __init__(
        self,
        uri: S3Uri,
        settings: Settings,
        monitor: Monitor,
        info: ObjectInfo | None = None,
        portion: Portion | None = None,
    ) -> None:
        self.uri = uri
        self._portion = portion
        self._judge = Judge(uri, info)
        self._requests = Requests(uri, settings, self._judge, monitor)
        self.retry = self._requests.retry
        self._settings = settings
        self._monitor = monitor
        self._open: set[Body | Spooled] = set()
        self._kept: Body | Spooled | None = None
        self.pace = Pace(settings.concurrency)

    @property
    def info(self) -> ObjectInfo | None:
        """The version; None until `begin` or `head`."""
        return self._judge.info

    @property
    def portion(self) -> Portion:
        """That of the connections and the memory of its call."""
        if self._portion is None:  # a small object needs none, and keeping a pool ready takes longer than its bytes
            self._portion = Pool(self._settings).portion()
        return self._portion

    @property
    def name(self) -> str:
        """The object's address, to be shown."""
        return visible(str(self.uri))

    @property
    def sequential(self) -> bool:
        """Whether the server ignores or refuses ranges; then only one `fill` may run at a time, in order."""
        return self._judge.sequential

    @property
    def concurrency(self) -> int:
        """How many `fill` should run at once just now."""
        return min(self.pace.count, self.allowed)

    @property
    def allowed(self) -> int:
        """How many `fill` may run at once just now."""
        return 1 if self.sequential else min(self.retry.concurrency, self.portion.concurrency)

    @property
    def _most(self) -> int:
        """How many `fill` the server can take at once."""
        return 1 if self.sequential else min(self.pace.count, self.retry.concurrency)

    async def begin(self, start: int, length: int | None, *, unless: str = "") -> ObjectInfo:
        """Return the version that is there now; the body of this first request waits for the first `fill`.

        Args:
            start: First byte wanted.
            length: Bytes wanted; None asks for all of it without a range: only such an answer has the stored checksum.
            unless: ETag of a version that is here already.

        Raises:
            UnchangedError: It is that one; nothing came.
            ObjectNotFoundError, AccessDeniedError, CredentialsError, EndpointError: ... and the other errors.
        """
        self._requests.unless = unless
        while True:
            try:
                if length is None or self.sequential:
                    began = time.perf_counter()
                    self._kept = await self._get_whole()
                    assert self.info is not None
                    self.pace.answered(time.perf_counter() - began, self.info.size)
                else:
                    self._kept = await self._get_range(start, start + length)
                break
            except RangesIgnoredError:
                continue
            except Exception as exc:
                if self._judge.learned_empty(exc):
                    break
                if self._requests.refuses_unless(exc):
                    continue
                if status_of(exc) == 416 and length is not None and not self.sequential:
                    return await self.head()  # the object ends before that range; this tells where
                if length is not None and self._requests.refuses_ranges(exc, start):
                    continue
                await self._recover(exc, 0)
        assert self.info is not None
        self._requests.unless = ""
        self._monitor.opened(self.info)
        return self.info

    async def head(self) -> ObjectInfo:
        """Return the version with its size and stored checksum, without a body."""
        known = self.info
        while True:
            try:
                connection = await self._requests.connected()
                self._monitor.requested()
                async with deadline(self._requests.patience):
                    answer = await connection.head_object(**self._requests.arguments(), ChecksumMode="ENABLED")
                check_answer(answer, self.uri.key)
                break
            except Exception as exc:
                await self._recover(exc, 0)
        if known is None and "ContentLength" not in answer:
            return await self.begin(0, None)
        info = self._judge.head(answer)
        if known is None:
            self._monitor.opened(info)
        return info

    async def once(self, operation: str, **arguments: Any) -> Answer:
        """Return S3's answer to `operation` on this version of the object; it is tried once, and not waited for long.

        Raises:
            ObjectChangedError: The object was replaced.
            S3Error: It did not succeed, for whatever reason.
        """
        try:
            connection = await self._requests.connected()
            self._monitor.requested()
            pinned = self._requests.arguments()
            if operation == "get_object_attributes":
                pinned.pop("IfMatch", None)  # it knows none; the ETag of the answer is compared
            async with deadline(min(self._requests.patience, _AT_MOST)):
                answer: Answer = await getattr(connection, operation)(**pinned, **arguments)
        except Exception as exc:
            if status_of(exc) == 412:
                raise self._judge.changed("it was replaced") from None
            raise explained(exc, self.uri, self._settings) from stripped(exc)
        self._judge.same(answer)
        return answer

    async def fill(
        self, start: int, stop: int, memory: Callable[[], Awaitable[memoryview]], progress: Callable[[int], None]
    ) -> None:
        """Fetch the object's bytes from `start` to `stop` into `memory`; call ``progress(filled)`` as they come.

        After a failure that is called as well, with as many as before, when the rest is asked for anew.
        The memory is asked for when the answer has come: until then a request needs none.

        Raises:
            ObjectChangedError: The object was replaced or deleted.
            DownloadError: Faults outlasted the retries; ``offset`` is the byte that was reached.
            RangesIgnoredError: See `sequential`, which is set now.
        """
        filled = 0

        def took(count: int) -> None:
            nonlocal filled
            filled += count
            self.retry.received(count)
            self._monitor.received(count)
            progress(filled)

        while start + filled < stop:
            ranged = not self.sequential
            try:
                body = await self._body_at(start + filled, stop)
                try:
                    view = await memory()
                    with body.watched():
                        await body.read_into(view[filled:], took)
                finally:
                    self._let_go(body, is_done=start + filled >= stop)
            except RangesIgnoredError:
                raise
            except Exception as exc:
                if ranged and (self.sequential or self._requests.refuses_ranges(exc, start + filled)):
                    raise RangesIgnoredError from None
                await self._recover(exc, start + filled)
                progress(filled)
        self.retry.finished_part()

    def hurries(self, offset: int) -> bool:
        """Say whether a part that is slow may be asked for again from `offset` on, over another connection."""
        if self._most == 1 or not self.retry.hurries():
            return False
        self._monitor.retried(self.retry.retries, offset)
        return True

    async def read_all(self) -> bytes:
        """Return the object's bytes, if `begin` has asked for all of it; see `fill`."""
        assert self.info is not None
        body = self._kept
        data = body.here() if body is not None and body.position == 0 and body.stop == self.info.size else None
        if body is None or data is None:
            return await self.read(0, self.info.size)
        self._kept = None
        self.retry.received(len(data))
        self._monitor.received(len(data))
        self.retry.finished_part()
        self._drop(body)
        return data

    async def read(self, start: int, stop: int) -> bytes:
        """Return the object's bytes from `start` to `stop`; see `fill`."""
        data = bytearray(stop - start)

        async def memory() -> memoryview:
            return memoryview(data)

        while True:
            with suppress(RangesIgnoredError):  # in one go from the start, once this is known
                await self.fill(start, stop, memory, lambda _: None)
                return bytes(data)

    def abort(self) -> None:
        """Drop every connection at once."""
        self._kept = None
        for body in self._open:
            body.close()
        self._open.clear()

    async def _body_at(self, start: int, stop: int) -> Body | Spooled:
        body, self._kept = self._kept, None
        if body is not None and not (body.position == start or (self.sequential and body.reaches(start))):
            self._drop(body)
            body = None
        if body is None:
            # The one connection to a near server goes on after this part as well: see `_let_go`.
            until = self.info.size if self.pace.goes_on and self.info is not None else stop
            body = await (self._get_whole() if self.sequential else self._get_range(start, until))
        try:
            await body.skip(start)
        except BaseException:
            self._drop(body)
            raise
        return body

    def _let_go(self, body: Body | Spooled, *, is_done: bool) -> None:
        """Keep a body that has more to give when nobody else will fetch it; close it otherwise.

        One that was left before it had brought what was wanted may be slow: another one is asked for where that helps.
        """
        one = self.concurrency if is_done else self._most
        if not body.finished and body.usable and one == 1 and self._kept is None:
            self._kept = body
        else:
            self._drop(body)

    def _drop(self, body: Body | Spooled) -> None:
        body.close()
        self._open.discard(body)

    async def _get_whole(self) -> Body | Spooled:
        options = {} if self._settings.verify == "off" else {"ChecksumMode": "ENABLED"}
        return await self._get(options, self._judge.whole)

    async def _get_range(self, start: int, stop: int) -> Body | Spooled:
        return await self._get(
            {"Range": f"bytes={start}-{stop - 1}"}, lambda answer: self._judge.range(answer, start, stop)
        )

    async def _get(self, options: dict[str, str], accept: Callable[[Answer], tuple[int, int]]) -> Body | Spooled:
        from aios3_nb.streams.body import Body  # with aiohttp, which would be half of what %load_ext takes

        connection = await self._requests.connected()
        self._monitor.requested()
        body: Body | None = None
        try:
            async with deadline(self._requests.patience):
                answer = await get_object(connection, self._requests.arguments() | options)
                body = Body(answer["Body"], self._settings)
                self._open.add(body)
            check_answer(answer, self.uri.key)
            if body.length_is_unknown:
                return await self._spooled(body, answer, accept)
            body.position, body.stop = accept(answer)
        except BaseException as exc:
            if body is not None:
                self._drop(body)
            if isinstance(exc, TimeoutError):
                raise SilenceError(f"no answer within {self._requests.patience:g} s") from None
            raise
        return body

    async def _spooled(self, body: Body, answer: Answer, accept: Callable[[Answer], tuple[int, int]]) -> Spooled:
        """Return all of a body that did not say how long it is, so that its length is known."""
        from aios3_nb.streams.spooled import Spooled

        spooled = Spooled()
        self._open.add(spooled)
        try:
            length = await spooled.fill(body, self._settings.max_bytes, lambda: self._requests.length_of(answer))
            spooled.place(*accept({**answer, "ContentLength": length}))
            # All of it is here; where only a range is, the next ones may come in the same way.
            assert self.info is not None
            self._judge.sequential |= spooled.position == 0 and spooled.stop == self.info.size
        except BaseException:
            self._drop(spooled)
            raise
        finally:
            self._drop(body)
        return spooled

    async def _recover(self, exc: Exception, offset: int) -> None:
        """Return when the request may be made again; raise what the user should see otherwise."""
        self.pace.failed()
        await self._requests.recover(exc, offset)
