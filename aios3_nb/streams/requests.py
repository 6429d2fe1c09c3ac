"""How the requests of one object are made: on which connection, under which conditions; and what follows a failure.

Every request after the first is pinned (``If-Match``, or the version that was asked for). A failure may pass by itself,
take new credentials, or show what the store does not know; then the next request is made otherwise.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

from typing import Any

from aios3_nb.address import S3Uri
from aios3_nb.errors import ProtocolError
from aios3_nb.s3 import (
    EXPIRED,
    RetryBudget,
    check_scheme,
    client_for,
    code_of,
    deadline,
    endpoint_of,
    explained,
    forget_client,
    forget_refused,
    gave_up,
    has_ended,
    is_transient,
    status_of,
    stripped,
)
from aios3_nb.settings import Settings
from aios3_nb.streams.judge import Judge
from aios3_nb.streams.object import Answer, Monitor
from aios3_nb.text import visible

_NO_SUCH_REQUEST = frozenset(
    ("InvalidArgument", "InvalidRequest", "InvalidRange", "BadRequest", "NotImplemented", "400")
)
"""How stores that take no ranges call a request with one, where they do not say 501 or 416."""


class UnchangedError(Exception):
    """S3 has the version that is here already, and sent nothing of it."""


class Requests:
    """Keeps what all requests of one version of one object have in common, and changes it after failures.

    Args:
        uri: The object.
        settings: Those of the load.
        judge: Knows the version.
        monitor: Is told of every request, and of every one that is made again.

    Attributes:
        retry: The failures that there may still be.
        unless: ETag of the version that is here already; an answer that it is still that one is an `UnchangedError`.
    """

    def __init__(self, uri: S3Uri, settings: Settings, judge: Judge, monitor: Monitor) -> None:
        self.retry = RetryBudget(settings)
        self.unless = ""
        self._uri = uri
        self._settings = settings
        self._judge = judge
        self._monitor = monitor
        self._connection: Any = None
        self._if_match = True
        self._refusals = 0
        self._expiries = 0

    @property
    def patience(self) -> float:
        """Seconds that an answer is waited for."""
        return self._settings.connect_timeout + self._settings.read_timeout

    async def connected(self) -> Any:
        """Return the client that requests are made with; what failed may have made it another one."""
        if self._connection is None or has_ended(self._connection):
            self._connection = await client_for(self._settings)
            self._judge.endpoint_url = endpoint_of(self._connection)
        return self._connection

    def arguments(self) -> dict[str, str]:
        """Return what every request has to say: which object, which version of it, and who pays."""
        arguments = {"Bucket": self._uri.bucket, "Key": self._uri.key}
        if self._settings.request_payer:
            arguments["RequestPayer"] = self._settings.request_payer
        if self._uri.version_id:
            arguments["VersionId"] = self._uri.version_id
        info = self._judge.info
        if self.unless:
            arguments["IfNoneMatch"] = self.unless
        elif info is not None and info.etag and self._if_match and not self._uri.version_id:
            # Not the version that the first answer named: reading by version needs a permission of its own.
            arguments["IfMatch"] = info.etag
        return arguments

    async def length_of(self, answer: Answer) -> int:
        """Return how long the body of `answer` is, which ends where the connection does: cut there, or whole.

        Raises:
            ProtocolError: Nothing says it.
        """
        length = self._judge.length_in(answer)
        return length if length is not None else await self._length_of_head()

    async def _length_of_head(self) -> int:
        connection = await self.connected()
        self._monitor.requested()
        try:
            async with deadline(self.patience):
                found = await connection.head_object(**self.arguments(), ChecksumMode="ENABLED")
        except Exception as exc:
            if is_transient(exc):
                raise
            found = {}
        if "ContentLength" not in found:
            raise ProtocolError(
                f"{visible(str(self._uri))}: the answer says neither how long the object is nor where it ends, and a "
                "HEAD does not say it either, so nobody could tell if it was cut. A proxy may have left it out: name "
                "the store itself with --endpoint-url.",
                uri=str(self._uri),
            ) from None
        return self._judge.head(found).size

    async def recover(self, exc: Exception, offset: int) -> None:
        """Return when the request may be made again; raise what the user should see otherwise."""
        if self.unless and status_of(exc) == 304:
            self.unless = ""
            raise UnchangedError from None
        if status_of(exc) == 412 or code_of(exc) == "PreconditionFailed":
            raise self._judge.changed("it was replaced") from None
        if self._judge.info is not None and code_of(exc) in ("NoSuchKey", "NoSuchVersion", "404"):
            raise self._judge.changed("it was deleted") from None
        if self._refuses_if_match(exc):
            return
        if self._judge.info is None:
            await check_scheme(exc, self._connection, self._uri, failures=self.retry.failures)
        if self._renews_credentials(exc):
            return
        if not is_transient(exc):
            error = explained(exc, self._uri, self._settings)
            if forget_refused(self._settings, error):
                self._connection = None
            raise error from stripped(exc)
        if not await self.retry.allows(exc):
            attempts = self.retry.failures
            raise gave_up(exc, self._uri, self._settings, offset=offset, attempts=attempts) from stripped(exc)
        self._monitor.retried(self.retry.retries, offset)

    def refuses_ranges(self, exc: Exception, start: int) -> bool:
        """Say whether the store, or what stands before it, takes no ranges: the object is read from its start then.

        What is wrong with the whole request shows again in the one without a range, which is made next.
        """
        status, known = status_of(exc), self._judge.info
        refused = (
            (status == 400 and code_of(exc) in _NO_SUCH_REQUEST)
            or (status == 416 and known is not None and start < known.size)
            or (status == 501 and (known is None or not known.etag or not self._if_match or bool(self._uri.version_id)))
        )
        if self._judge.sequential or not refused:
            return False
        self._judge.sequential = True
        return True

    def refuses_unless(self, exc: Exception) -> bool:
        """Say whether the store may know no If-None-Match; it is not sent any more, and the answer has the object."""
        if not self.unless or status_of(exc) not in (400, 501):
            return False
        self.unless = ""
        return True

    def _renews_credentials(self, exc: Exception) -> bool:
        """Say whether the credentials had expired, and new ones are used from now on."""
        if code_of(exc) not in EXPIRED:
            return False
        if not self._expiries:
            forget_client(self._settings)
            self._connection = None
        # As many as were under way with the old ones may still be refused; before the first answer that is one.
        self._expiries += 1
        return self._expiries <= (1 if self._judge.info is None else self._settings.concurrency)

    def _refuses_if_match(self, exc: Exception) -> bool:
        """Say whether the store knows no If-Match; from then on only the ETag of every answer is compared."""
        if status_of(exc) != 501 or self._judge.info is None or not self._judge.info.etag:
            return False
        self._if_match = False
        # As many as were under way with If-Match may still be refused; more would be refused for something else.
        self._refusals += 1
        return self._refusals <= self._settings.concurrency
