"""One S3 operation without a streamed body: bounded, retried, its failure explained."""

from __future__ import annotations

from typing import Any

from aios3_nb.address.uri import S3Uri
from aios3_nb.s3.client import client, forget_client
from aios3_nb.s3.clock import deadline
from aios3_nb.s3.failures import EXPIRED, code_of, explained, gave_up, is_transient, stripped
from aios3_nb.s3.retry import RetryBudget
from aios3_nb.settings import Settings


async def ask(operation: str, uri: S3Uri, settings: Settings, **arguments: Any) -> Any:
    """Return S3's answer to the boto operation `operation`, such as ``list_objects_v2``.

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
    while True:
        try:
            connection = await client(settings)
            async with deadline(settings.connect_timeout + settings.read_timeout):
                return await getattr(connection, operation)(**arguments)
        except Exception as exc:
            if code_of(exc) in EXPIRED and not refreshed:
                refreshed = True
                forget_client(settings)
            elif not is_transient(exc):
                raise explained(exc, uri, settings) from stripped(exc)
            elif not await budget.allows(exc):
                raise gave_up(exc, uri, settings, offset=0, attempts=budget.failures) from stripped(exc)
