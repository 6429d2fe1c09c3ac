"""A look inside one object: its details and its beginning, or the outline of a pickle. Nothing is executed."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

from aios3_nb.browser import objects
from aios3_nb.browser.objects import Details
from aios3_nb.browser.parquet import parquet_preview
from aios3_nb.browser.preview import Preview, preview_of
from aios3_nb.browser.text import age_text
from aios3_nb.errors import FormatError
from aios3_nb.formats import recognise
from aios3_nb.pipeline import Order, alook_into
from aios3_nb.s3 import Entry
from aios3_nb.text import size_text, visible


async def look(order: Order) -> tuple[Details, Preview]:
    """Return the details and a preview of the object; 1 MB is fetched at most.

    Raises:
        S3Error: It cannot be read.
    """
    preview = _PREVIEWS.get(_format_by_name(order.uri.key), _beginning)(order)
    known, seen = await asyncio.gather(objects.details(order.uri, order.settings), preview)
    return known, seen


async def _beginning(order: Order) -> Preview:
    head, size = await objects.beginning(order.uri, order.settings)
    return preview_of(order.uri.key, head, size)


async def _outline(order: Order) -> Preview:
    """Return what a pickle would make and import: arrays in it are skipped, so a few ranges tell of gigabytes."""
    seen = await alook_into(order, max_bytes=objects.PREVIEW)
    title = f"{seen.format.capitalize()}, {size_text(seen.size)}: what is in it. Nothing of it was run"
    # Size and ETag are among the details already.
    return Preview(title, pairs=tuple(seen.rows()[2:]))


async def _table(order: Order) -> Preview:
    tail, size = await objects.ending(order.uri, order.settings)
    try:
        return await asyncio.to_thread(parquet_preview, tail, size)
    except ImportError:
        return Preview(f"Parquet, {size_text(size)}: to look into it, pip install pyarrow")
    except Exception as exc:  # pyarrow has many; each says that this is no such file
        return Preview(f"No Parquet that could be read: {visible(str(exc), most=200)}")


_PREVIEWS: Mapping[str, Callable[[Order], Coroutine[Any, Any, Preview]]] = MappingProxyType(
    {"pickle": _outline, "parquet": _table}
)


def _format_by_name(key: str) -> str:
    try:
        return recognise(key, b"").name
    except FormatError:
        return ""  # its name does not say


def entry_pairs(entry: Entry, now: datetime.datetime) -> list[tuple[str, str]]:
    """Return what the listing says of `entry`, as names and values."""
    pairs = [("bucket" if not entry.uri.key else "folder" if entry.is_prefix else "object", visible(str(entry.uri)))]
    if entry.size is not None:
        pairs.append(("size", _size(entry.size)))
    if entry.last_modified is not None:
        pairs.append(("modified", _time(entry.last_modified, now)))
    if entry.etag:
        pairs.append(("etag", visible(entry.etag, most=80)))
    if entry.storage_class:
        pairs.append(("storage class", visible(entry.storage_class, most=80)))
    return pairs


def details_pairs(known: Details, now: datetime.datetime) -> list[tuple[str, str]]:
    """Return what S3 says of an object, as names and values."""
    pairs = [
        ("object", str(known.uri)),
        ("size", _size(known.size)),
        ("modified", "" if known.last_modified is None else _time(known.last_modified, now)),
        ("etag", known.etag),
        ("version", known.version_id),
        ("checksum", known.checksum),
        ("content type", known.content_type),
        ("content encoding", known.content_encoding),
        ("storage class", known.storage_class or "STANDARD"),
        ("encryption", known.encryption),
        *((f"x-amz-meta-{name}", value) for name, value in known.metadata.items()),
    ]
    return [(visible(name, most=60), visible(value, most=1100)) for name, value in pairs if value]


def _size(size: int) -> str:
    return size_text(size) if size < 1000 else f"{size_text(size)} ({size:,} bytes)"


def _time(moment: datetime.datetime, now: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC, {age_text(moment, now)}"
