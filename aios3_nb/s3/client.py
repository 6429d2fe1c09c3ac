"""One aiobotocore client per event loop and connection settings.

A client lives in an async generator of its loop: ``asyncio.run`` and our background loop end those before
the loop closes, so the client closes with the loop and nobody has to remember it.
"""

from __future__ import annotations

import asyncio
import atexit
import datetime
import functools
import logging
import math
import operator
import os
import time
import weakref
from collections.abc import AsyncGenerator, Hashable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

from aios3_nb.address import S3Uri, server_of
from aios3_nb.errors import AccessDeniedError, CredentialsError, OptionError, S3Error
from aios3_nb.loop import Gate, is_background, result_of
from aios3_nb.s3 import direct, pages
from aios3_nb.s3.foreign import refuse_page
from aios3_nb.s3.login import login
from aios3_nb.s3.retired import retire, take_retired
from aios3_nb.s3.transport import transport
from aios3_nb.s3.wording import explained
from aios3_nb.settings import CONNECTION, Settings

_POOL = 64
"""Connections of one client; several objects are read at once, each over up to ``concurrency``."""

_Key = tuple[Hashable, Hashable]
_refused: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, float]] = weakref.WeakKeyDictionary()
"""When each client was last forgotten for a refusal."""
_LATELY = 1.0
"""Seconds."""
_WHILE = 600.0
"""Seconds."""
_LAST_WAIT = 1.0
"""Seconds that a client may take to end with the process."""
_lives: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, _Life]] = weakref.WeakKeyDictionary()
_gates: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, Gate]] = weakref.WeakKeyDictionary()


class _Life:
    """One client and the generator that keeps it open."""

    def __init__(self, settings: Settings) -> None:
        self._generator = _client_life(settings)
        self._entered: asyncio.Task[Any] | None = None
        self._asked = time.monotonic()

    async def client(self) -> Any:
        self._asked = time.monotonic()
        if self._entered is None:
            # A task of its own: a caller that is cancelled does not take the client from the others.
            self._entered = asyncio.get_running_loop().create_task(anext(self._generator))
        return self._entered.result() if self._entered.done() else await result_of(self._entered)

    @property
    def is_forgotten(self) -> bool:
        """Whether nobody has asked for it in a while; who goes back and forth between two logins has."""
        return time.monotonic() - self._asked > _WHILE

    def made(self) -> Any:
        """Return the client; None if there is none, or not yet."""
        made = self._entered
        return made.result() if made and made.done() and not made.cancelled() and not made.exception() else None

    async def end(self) -> None:
        await self._generator.aclose()


async def client_for(settings: Settings) -> Any:
    """Return the S3 client of the running loop for `settings`, or the caller's own.

    Raises:
        CredentialsError: The profile does not exist.
        OptionError: The endpoint is no plain URL of a server.
    """
    if settings.s3 is not None:
        return settings.s3
    if settings.endpoint_url:
        server_of(settings.endpoint_url)  # botocore's own error names no option, and lets more pass
    loop = asyncio.get_running_loop()
    if (lives := _lives.get(loop)) is None:
        lives = _lives[loop] = {}
        # Last, which is first at the end: before the library that has this loop stops it, as zarr does.
        atexit.unregister(_end_all)
        atexit.register(_end_all, os.getpid())
    key = _key(settings)
    life = lives.get(key)
    if life is None:
        for former in [each for each in lives if each[0] == key[0] and lives[each].is_forgotten]:  # of another login
            retire(lives.pop(former))
        life = lives[key] = _Life(settings.connection)
    try:
        client = await life.client()
        server_of(str(client.meta.endpoint_url))  # it may come from a variable or a profile
        return client
    except (asyncio.CancelledError, OptionError):
        raise
    except Exception as exc:
        if lives.get(key) is life:  # and not one that was made since
            del lives[key]
        raise explained(exc, S3Uri("", ""), settings) from None


def gate_for(settings: Settings) -> Gate:
    """Return what lets in as many at once, on the running loop, as the client for `settings` has connections."""
    gates = _gates.setdefault(asyncio.get_running_loop(), {})
    key = _connection(settings)
    return gates.get(key) or gates.setdefault(key, Gate(_POOL))


def forget_client(settings: Settings) -> None:
    """Have the next `client` made anew, so that it reads the credentials again."""
    loop = asyncio.get_running_loop()
    life = _lives.get(loop, {}).pop(_key(settings), None)
    if life is not None:
        retire(life)


def forget_refused(settings: Settings, error: S3Error) -> bool:
    """Have the next `client_for` read the credentials again if `error` may be due to them; return whether it is.

    Whoever logs in then only has to run the cell again. A refusal of this very object says little, and many may come
    at once; making a client takes a while, so it is made anew once a second at most for those.
    """
    if not isinstance(error, (CredentialsError, AccessDeniedError)):
        return False
    lately, now = _refused.setdefault(asyncio.get_running_loop(), {}), time.monotonic()
    key = _key(settings)
    if isinstance(error, AccessDeniedError) and now - lately.get(key, -math.inf) < _LATELY:
        return False
    lately[key] = now
    forget_client(settings)
    return True


def _end_all(process: int) -> None:
    """End the clients of loops of other libraries, which stop them with the process and close nothing."""
    if process != os.getpid():
        return  # the threads of a parent are not in its children
    for loop, lives in list(_lives.items()):
        if not loop.is_running() or is_background(loop):
            continue
        for life in [*lives.values(), *take_retired(loop)]:
            with suppress(Exception):
                asyncio.run_coroutine_threadsafe(life.end(), loop).result(_LAST_WAIT)
        lives.clear()


def _key(settings: Settings) -> _Key:
    # botocore reads a login once, when the client is made. Whoever logs in in a cell expects the next call to use it.
    return _connection(settings), login()


_connection = operator.attrgetter(*CONNECTION)


def _timestamp(value: Any) -> datetime.datetime | None:
    """Return the time that S3 wrote; None when it is none, which is no reason to refuse the object.

    As botocore reads it, but ISO times, of listings, and those of headers much sooner: botocore tries every format
    there is, which took four fifths of the time that a page of 1000 keys takes to be read.
    """
    try:
        return parsedate_to_datetime(value) if value.endswith(" GMT") else datetime.datetime.fromisoformat(value)
    except (AttributeError, TypeError, ValueError):
        return _odd_timestamp(value)


def _read_page(
    operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **event: Any
) -> None:
    pages.read_soon(operation_model.name, response_dict, customized_response_dict, _timestamp)


def _odd_timestamp(value: Any) -> datetime.datetime | None:
    from botocore.utils import parse_timestamp

    try:
        found = parse_timestamp(value)
    except Exception:  # whatever its parsers make of it
        return None
    return found if isinstance(found, datetime.datetime) else None


def _user_agent() -> str:
    import aiobotocore
    import botocore

    return f"aios3_nb aiobotocore/{aiobotocore.__version__} Botocore/{botocore.__version__}"


@functools.cache
def _loader(data_path: str | None) -> Any:
    """Return what reads botocore's descriptions of services, one for all clients of this process.

    Each session has one of its own otherwise, and keeps what it read: 13 MB and 60 ms for every client, that of S3
    alone, where a further one takes less than 1 MB and 10 ms so.
    """
    from botocore.loaders import create_loader

    return create_loader(data_path)


async def _client_life(settings: Settings) -> AsyncGenerator[Any, None]:
    import aiobotocore.session
    from aiobotocore.config import AioConfig
    from botocore import UNSIGNED

    config = AioConfig(
        http_session_cls=transport(),
        max_pool_connections=_POOL,
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        # The retries are ours (`request`): botocore's do not cover bodies, and would multiply with ours.
        retries={"total_max_attempts": 1, "mode": "standard"},
        # The checksums are ours too: botocore checks only bodies that are read to their very end.
        response_checksum_validation="when_required",
        # Likewise those of what is stored (`store`): botocore sends them behind the body, in frames that stores other
        # than AWS may not know, and then keep as if they were content.
        request_checksum_calculation="when_required",
        signature_version=UNSIGNED if settings.no_sign_request else None,
        # Given whole: botocore otherwise puts one together anew for every request, from 40 parts, twice.
        user_agent=_user_agent(),
    )
    # As botocore does for its own: what it would log of an expired login, with frames, the error says in a line.
    logging.getLogger("aiobotocore").addHandler(logging.NullHandler())
    session = aiobotocore.session.AioSession(profile=settings.profile)
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    async with session.create_client(
        "s3", region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
    ) as made:
        # Of several that fit, the pattern with more stars is called first: before botocore makes it an error of S3.
        made.meta.events.register_first("before-parse.*.*", refuse_page)
        made.meta.events.register_first("choose-signer.s3", _signs_links_as_requests)
        made.meta.events.register("before-parse.*.*", _read_page)
        direct.watch(made)
        yield made


def _signs_links_as_requests(signature_version: Any, **_: Any) -> Any:
    """Keep the signature that the client has, for what is presigned too.

    botocore turns to version 2 there, in the regions that had it once: that opens no object that KMS has encrypted, and
    nothing in a bucket made after June 2020.

    See: https://docs.aws.amazon.com/AmazonS3/latest/API/Appendix-Sigv2.html
    """
    # "v4" is that of other services, which hash the path and the body in another way.
    return {"v4-query": "s3v4-query", "s3v4-query": "s3v4-query"}.get(str(signature_version))
