"""A value on its way to S3: encoded to its end in a thread, then sent; all of it is stored, or nothing."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from aios3_nb.address import S3Uri
from aios3_nb.errors import LoadCancelledError
from aios3_nb.formats import Format, format_for_writing, write
from aios3_nb.loop import in_thread
from aios3_nb.options import Storing, divided
from aios3_nb.pipeline.named import named
from aios3_nb.pipeline.order import locate_object
from aios3_nb.s3 import save
from aios3_nb.settings import Settings
from aios3_nb.streams import Monitor, ObjectInfo
from aios3_nb.text import visible


@dataclass(frozen=True, slots=True)
class StoreOrder:
    """Where a value is to be stored, and how.

    Attributes:
        uri: The object.
        settings: Where that is and how to send it.
        format: Name of the format; None leaves that to the suffix.
    """

    uri: S3Uri
    settings: Settings
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing gave.

    Attributes:
        size: Bytes that were stored.
        seconds: From the call to S3's answer.
        etag: Of the new version, with its quotes.
        verdict: What was compared of it, see `aios3_nb.s3.store.Kept`.
    """

    size: int
    seconds: float
    etag: str
    verdict: str


def make_store_order(uri: str, options: Mapping[str, Any]) -> StoreOrder:
    """Return the order to store something at `uri`.

    Raises:
        UriError: `uri` names no object.
        OptionError: An option that there is not, or a value that does not fit.
    """
    chosen, settings = divided(options, Storing)
    return StoreOrder(locate_object(uri, settings), settings, chosen.get("format"))


async def store_value(value: object, order: StoreOrder, monitor: Monitor) -> Stored:
    """Store `value` as `order` says.

    Raises:
        FormatError: The format cannot hold it.
        OptionError: Nothing says in which format.
        LoadCancelledError: It was cancelled by way of `monitor`.
        S3Error: Whatever it was, nothing was stored, and what was there before is there still.
    """
    format = format_for_writing(value, order.uri.key, order.format)
    work = asyncio.get_running_loop().create_task(_store(value, order, format, monitor))
    loop, cancelled = asyncio.get_running_loop(), threading.Event()

    def cancel() -> None:
        cancelled.set()
        loop.call_soon_threadsafe(work.cancel)

    monitor.began(cancel)
    try:
        return await work
    except asyncio.CancelledError:
        if cancelled.is_set():
            raise LoadCancelledError(f"Cancelled: {visible(str(order.uri))} was not stored.") from None
        raise


async def _store(value: object, order: StoreOrder, format: Format, monitor: Monitor) -> Stored:
    began = time.perf_counter()
    stopped = threading.Event()
    # Encoded to its end before the first byte is sent: what cannot be encoded does not replace anything.
    with tempfile.TemporaryFile() as file:
        monitor.phase("encoding")
        with named(order.uri):
            await in_thread(lambda: write(value, cast(BinaryIO, file), format, order.uri.key, stopped), stopped.set)
        size = file.tell()
        file.seek(0)
        monitor.opened(ObjectInfo(order.uri, size))
        monitor.phase("uploading")
        kept = await save(order.uri, _told(cast(BinaryIO, file), order.settings.part_size, monitor), order.settings)
    return Stored(size, time.perf_counter() - began, kept.etag, kept.verdict)


async def _told(file: BinaryIO, size: int, monitor: Monitor) -> AsyncIterator[bytes]:
    while data := await asyncio.to_thread(file.read, size):
        yield data
        monitor.received(len(data))
