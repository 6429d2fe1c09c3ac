"""A look inside one object: its details and its beginning, or the outline of a pickle. Nothing is executed."""

from __future__ import annotations

import asyncio
import datetime
import io
from dataclasses import replace
from typing import BinaryIO, cast

from aios3_nb.browser import objects
from aios3_nb.browser.contents import BY_SUFFIX, Look
from aios3_nb.browser.objects import Details
from aios3_nb.browser.parquet import parquet_preview
from aios3_nb.browser.preview import Preview, preview_of, suffix_of
from aios3_nb.browser.text import age_text, told
from aios3_nb.errors import FormatError, S3Error
from aios3_nb.formats import recognise
from aios3_nb.loop import thread_bridge
from aios3_nb.pipeline import Order, alook_into
from aios3_nb.pipeline.peek import PickleOutline, RangedFile, TooMuchError
from aios3_nb.s3 import Entry
from aios3_nb.text import size_text, visible


async def look(order: Order, *, most: int = objects.PREVIEW) -> tuple[Details, Preview]:
    """Return the details and a preview of the object.

    Args:
        order: What is looked into.
        most: Bytes that a table of columns may cost; anything else costs 1 MB at most.

    Raises:
        S3Error: It cannot be read.
    """
    known, seen = await asyncio.gather(objects.details(order.uri, order.settings), _preview(order, most))
    return known, seen


async def _preview(order: Order, most: int) -> Preview:
    suffix = suffix_of(order.uri.key)
    if suffix in BY_SUFFIX and suffix_of(order.uri.key, packed=True) == suffix:
        return await _contents(order, BY_SUFFIX[suffix])
    match _format_by_name(order.uri.key):
        case "pickle":
            return await _outline(order)
        case "parquet":
            return await _table(order, most)
    return await _beginning(order)


async def _beginning(order: Order) -> Preview:
    head, size = await objects.beginning(order.uri, order.settings)
    return preview_of(order.uri.key, head, size)


async def _contents(order: Order, look: Look) -> Preview:
    """Return the table of contents, by ranges; what is no such file is shown as the bytes that it begins with."""
    loop = asyncio.get_running_loop()
    async with objects.ranges(order.uri, order.settings) as (read, size):
        way = thread_bridge(loop)
        file = RangedFile(lambda start, stop: way.run(read, start, stop), size, most=objects.PREVIEW)
        try:
            return await asyncio.to_thread(look, cast(BinaryIO, io.BufferedReader(file)), size)
        except TooMuchError as exc:
            said = exc.said
        except Exception as exc:  # each of these formats has errors of its own
            if isinstance(exc, S3Error) and not isinstance(exc, FormatError):
                raise
            said = f"No such file that could be read: {visible(told(exc), most=200)}."
    return replace(await _beginning(order), note=said)


async def _outline(order: Order) -> Preview:
    """Return what a pickle would make and import: arrays in it are skipped, so a few ranges tell of gigabytes."""
    seen = await alook_into(order, max_bytes=objects.PREVIEW, contents_only=True)
    title = f"{seen.format.capitalize()}, {size_text(seen.size)}: what is in it. Nothing of it was run"
    outline = seen.outline
    blocked = outline.blocked if isinstance(outline, PickleOutline) else ()
    # Size and ETag are among the details already.
    return Preview(title, verdict=_verdict(outline), blocked=blocked, pairs=tuple(seen.rows()[2:]))


def _verdict(outline: object) -> str:
    if not isinstance(outline, PickleOutline):
        return "open"
    if outline.problem or outline.blocked:
        return "bad"
    return "good" if outline.complete and not outline.missing else "open"


async def _table(order: Order, most: int) -> Preview:
    way = thread_bridge(asyncio.get_running_loop())
    async with objects.ranges(order.uri, order.settings) as (read, size):
        file = RangedFile(lambda start, stop: way.run(read, start, stop), size, most=most)
        try:
            return await asyncio.to_thread(parquet_preview, file, size)
        except ImportError:
            return Preview(f"Parquet, {size_text(size)}: to look into it, pip install pyarrow")
        except TooMuchError:
            return Preview(f"Parquet, {size_text(size)}: its list of columns is longer than is fetched by itself")
        except S3Error:
            raise
        except Exception as exc:  # pyarrow has many; each says that this is no such file
            return Preview(f"No Parquet that could be read: {visible(told(exc), most=200)}")


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
        ("checked by", known.checked_by),
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
