"""One S3 operation: bounded, retried within a budget, its failure explained.

An object has one budget of retries for all its parts, so that eight parts do not multiply a struggling server's load.
Waiting parts retry one after the other: the pause before each grows with the failures in a row, whichever part they
happened to, and is random between nothing and its bound (full jitter).

See: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from aios3_nb.address import S3Uri
from aios3_nb.s3.client import client_for, forget_client, forget_refused
from aios3_nb.s3.clock import deadline
from aios3_nb.s3.failures import (
    EXPIRED,
    SKEWED,
    SilenceError,
    UnfitAnswerError,
    code_of,
    is_throttling,
    is_transient,
    never_connected,
)
from aios3_nb.s3.foreign import check_answer
from aios3_nb.s3.redact import stripped
from aios3_nb.s3.scheme import check_scheme
from aios3_nb.s3.wording import explained, gave_up
from aios3_nb.settings import Settings

_FIRST_WAIT = 0.1
_UNFIT_ANSWERS = 2
"""A proxy that shifts or shortens ranges does so again; two more tries find out."""
_FIRST_CONNECTS = 2
"""An endpoint that never answered is more likely misspelt than restarting."""
_CALM_PARTS = 4
"""Parts that must arrive whole before concurrency grows by one again."""
_PARTS_PER_HURRY = 4
"""Parts that must have arrived whole for each slow one that is asked for again, once the retries are used up."""


class RetryBudget:
    """Counts failures in a row and says how long to wait, when to give up, how many requests to have open.

    Attributes:
        retries: Retries made so far, for the progress line.
        concurrency: Requests that the object may have under way at once; halved when
            S3 asks for less or nothing comes, growing back.
    """

    def __init__(self, settings: Settings) -> None:
        self.retries = 0
        self.concurrency = settings.concurrency
        self.failures = 0
        self._settings = settings
        self._connected = False
        self._unfit = 0
        self._received = 0
        self._calm = 0
        self._arrived = 0
        self._hurried = 0
        self._turn = asyncio.Lock()

    def received(self, count: int) -> None:
        """Note `count` bytes that arrived; a steady flow pays failures back."""
        self._connected = True
        self._received += count
        if self._received >= self._settings.floor_bytes and self.failures:
            self.failures -= 1
            self._received = 0

    def finished_part(self) -> None:
        """Note a part that arrived whole."""
        self._connected = True
        self.failures = self._unfit = 0
        self._arrived += 1
        self._calm += 1
        if self._calm >= _CALM_PARTS and self.concurrency < self._settings.concurrency:
            self.concurrency += 1
            self._calm = 0

    def hurries(self) -> bool:
        """Say whether a part that is slow, and not broken, may be asked for again; count it as a retry if so."""
        retries = self._settings.retries
        if self._turn.locked():  # a failure waits for its turn, or several do: that takes the time that it takes
            return False
        if not retries or self._hurried >= retries + self._arrived // _PARTS_PER_HURRY:
            return False
        self._hurried += 1
        self.retries += 1
        return True

    def split(self, count: int) -> None:
        """Note that a part comes in `count` pieces now, which arrive as parts do, and count as one."""
        self._arrived -= count - 1

    async def allows(self, failure: BaseException) -> bool:
        """Wait for this failure's turn to be retried; False when the budget is spent."""
        if is_throttling(failure) or isinstance(failure, SilenceError):
            self.concurrency = max(1, self.concurrency // 2)
            self._calm = 0
        async with self._turn:
            self.failures += 1
            self._received = 0
            if self.failures > self._limit(failure):
                return False
            self.retries += 1
            bound = min(self._settings.retry_wait, _FIRST_WAIT * 2**self.failures)
            await asyncio.sleep(random.uniform(0, bound))  # noqa: S311 - jitter, no secret
            return True

    def _limit(self, failure: BaseException) -> int:
        if isinstance(failure, UnfitAnswerError):
            self._unfit += 1
            return self._settings.retries if self._unfit <= _UNFIT_ANSWERS else 0
        if code_of(failure) == SKEWED:
            return min(self._settings.retries, 1)
        if never_connected(failure) and not self._connected:
            return min(self._settings.retries, _FIRST_CONNECTS)
        return self._settings.retries


async def ask(operation: str, uri: S3Uri, settings: Settings, **arguments: Any) -> Any:
    """Return S3's answer to the boto operation `operation`, such as ``list_objects_v2``; it has no streamed body.

    Args:
        operation: Name of the client's method.
        uri: What it is about, for the errors.
        settings: Timeouts and retries count.
        arguments: The operation's own.

    Raises:
        S3Error: One of the tree, naming `uri`.
    """
    budget = RetryBudget(settings)
    refreshed = False
    connection: Any = None
    while True:
        try:
            connection = await client_for(settings)
            async with deadline(settings.connect_timeout + settings.read_timeout):
                answer = await getattr(connection, operation)(**arguments)
            check_answer(answer, uri.key)
            return answer
        except Exception as exc:
            await check_scheme(exc, connection, uri, failures=budget.failures)
            if code_of(exc) in EXPIRED and not refreshed:
                refreshed = True
                forget_client(settings)
            elif not is_transient(exc):
                error = explained(exc, uri, settings)
                forget_refused(settings, error)
                raise error from stripped(exc)
            elif not await budget.allows(exc):
                raise gave_up(exc, uri, settings, offset=0, attempts=budget.failures) from stripped(exc)
