"""A look inside one object: its details and its beginning, or the outline of a pickle. Nothing is executed."""

from __future__ import annotations

import asyncio
import datetime

from aios3_nb import _browser_objects
from aios3_nb._browser_objects import Details
from aios3_nb._browser_preview import Preview, preview_of
from aios3_nb._browser_text import age_text
from aios3_nb._listing import Entry
from aios3_nb._settings import Settings
from aios3_nb._text import size_text, visible
from aios3_nb._uri import S3Uri


async def look(uri: S3Uri, settings: Settings) -> tuple[Details, Preview]:
    """Return the details and a preview of the object; two requests at once, 1 MB at most.

    Raises:
        S3Error: It cannot be read.
    """
    known, (head, size) = await asyncio.gather(
        _browser_objects.details(uri, settings), _browser_objects.beginning(uri, settings)
    )
    return known, preview_of(uri.key, head, size)


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
