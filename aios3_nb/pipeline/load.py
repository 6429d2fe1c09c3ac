"""The pipeline, composed: an order -> a file -> a value or items.

::

    Order ──> open_object: source ─> stream ─> file ──> plain (codec) ──> format ──> value | items
                             │          │                                    │
                         on_retry   verifier                       Loaded (value, verdict)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, BinaryIO, cast

from aios3_nb.address import quote
from aios3_nb.errors import ChecksumError, FormatError, ObjectNotFoundError, S3Error, TooLargeError
from aios3_nb.formats import (
    HEAD_SIZE,
    Format,
    Held,
    LoadOptions,
    decompressed,
    forecast,
    mistaken_for,
    noted_imports,
    peek_head,
    recognise,
)
from aios3_nb.loop import Bridge, bridge, in_thread, interruptible, thread_bridge
from aios3_nb.pipeline.named import named
from aios3_nb.pipeline.order import Order
from aios3_nb.pipeline.trust import may_use_cache, trusted_prefix
from aios3_nb.s3 import list_matching
from aios3_nb.settings import MIB
from aios3_nb.streams import Monitor, ObjectInfo, Portion, S3File, Share, open_object
from aios3_nb.text import size_text, visible, warn

_INLINE = 1 * MIB
"""Objects up to here are decoded on the loop's own thread when awaited: sooner done than handed over."""

_SMALL = MIB // 4
"""Objects up to here are decoded once they are here as a whole: what is saved while they come is less than it costs."""

_WORTH_A_FORECAST = 16 * MIB
"""Objects up to here are loaded without asking how much memory is free."""

_RUN_CODE = ("pickle", "joblib")
"""Formats that run what they are told to; a user's trust is about these."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load gave.

    Attributes:
        value: The object.
        info: The version that was read.
        format: Name of its format.
        verdict: What was checked: ``CRC32 ok``, or ``not checked (why)``.
        seconds: Time from the call to the value.
        trusted: Why the pickle was allowed to run anything; empty when it was not.
        note: What else there is to say, such as that more pickles follow; empty when there is nothing.
        imports: Seconds that packages took to import which were not there yet; of those seconds.
    """

    value: Any
    info: ObjectInfo
    format: str
    verdict: str
    seconds: float
    trusted: str = ""
    note: str = ""
    imports: Mapping[str, float] = field(default_factory=dict)


def open_file(
    order: Order,
    monitor: Monitor,
    *,
    whole: bool,
    via: Callable[[], Bridge] = bridge,
    share: Share | None = None,
    portion: Portion | None = None,
) -> S3File:
    """Return the file of `order`; see `open_object`."""
    cached = may_use_cache(order)
    return open_object(
        order.uri,
        order.settings,
        monitor,
        known=order.known,
        whole=whole,
        cached=cached,
        via=via,
        share=share,
        portion=portion,
    )


def counting(order: Order) -> tuple[Order, Share | None]:
    """Return `order`, and what counts the items that it has, where it wants some of them only."""
    if order.limit is None:
        return order, None
    share = Share(order.limit)
    return replace(order, reading=replace(order.reading, counted=share.took)), share


def load_one(order: Order, monitor: Monitor) -> Loaded:
    """Return the object of `order`; works with and without a running loop.

    Raises:
        S3Error: One of the tree; nothing stays open.
    """
    order, share = counting(order)
    with interruptible(), open_file(order, monitor, whole=not order.is_partial, share=share) as file:
        began = time.perf_counter()
        small = None if order.is_partial else file.take_small(_at_most(_SMALL, order))
        return _decoded(file, order, monitor, began) if small is None else _held(file, *small, order, monitor, began)


async def aload_one(
    order: Order,
    monitor: Monitor,
    portion: Portion | None = None,
    gate: AbstractAsyncContextManager[None] | None = None,
) -> Loaded:
    """Return the object of `order`; the running loop goes on turning meanwhile.

    Args:
        order: What to load.
        monitor: Told what happens.
        portion: Of connections and memory, where other loads have some as well.
        gate: Lets it in to ask for the object, and to take it if it is small. What waits outside has made nothing yet.
    """
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    order, share = counting(order)
    async with gate or nullcontext():
        file = open_file(
            order, monitor, whole=not order.is_partial, via=partial(thread_bridge, loop), share=share, portion=portion
        )
        try:
            small = None if order.is_partial else await file.atake_small(_at_most(_INLINE, order))
        except BaseException:
            await file.aclose()
            raise
    if small is not None:  # and the file is closed
        return _held(file, *small, order, monitor, began)
    try:
        return await in_thread(lambda: _decoded(file, order, monitor, began), file.cancel)
    finally:
        await file.aclose()


async def amatching(order: Order) -> list[Order]:
    """Return one order for each object that `order` names: the one with this very key, else those that its glob does.

    Raises:
        ObjectNotFoundError: There is none.
    """
    if not order.pattern:
        return [order]
    if order.settings.cache == "offline":
        return [replace(order, pattern="")]  # nobody is asked what there is
    found = await list_matching(order.uri, order.pattern, order.settings)
    if not found:
        raise ObjectNotFoundError(
            f"Nothing matches {visible(str(order.uri))}. See what is there with %s3ls {quote(str(order.uri.parent))} "
            "(markers, and names that begin with _ or ., are only taken by a pattern that begins so).",
            uri=str(order.uri),
        )
    if [entry.uri for entry in found] == [order.uri]:
        return [replace(order, pattern="")]  # an object that is called just so
    # So many objects, and all of each.
    return [
        replace(order, uri=entry.uri, pattern="", limit=None, listed_size=entry.size) for entry in found[: order.limit]
    ]


def _at_most(size: int, order: Order) -> int:
    """Return `size`, or less where the order allows less."""
    most = order.settings.max_bytes
    return size if most is None else min(size, most)


def _held(file: S3File, data: bytes, verdict: str, order: Order, monitor: Monitor, began: float) -> Loaded:
    """Return what `data` holds, all of the object that was read from `file`."""
    assert file.info is not None
    with named(order.uri):
        return _decode(Held(data), file.info, order, monitor, began, lambda: verdict)


def _decoded(file: S3File, order: Order, monitor: Monitor, began: float) -> Loaded:
    file.peek()
    check_size(file, order)
    assert file.info is not None
    with named(order.uri):
        try:
            return _decode(cast(BinaryIO, file), file.info, order, monitor, began, file.finish)
        except FormatError:
            # Damaged bytes look like another format; what the checksum says goes first.
            if (damage := damage_in(file)) is not None:
                raise damage from None
            raise


def damage_in(file: S3File) -> ChecksumError | None:
    """Return what reading the rest of the file, for its checksum, finds wrong with the bytes; None otherwise."""
    try:
        file.finish()
    except ChecksumError as damage:
        return damage
    except S3Error:
        return None
    return None


def _decode(file: BinaryIO, info: ObjectInfo, order: Order, monitor: Monitor, began: float, finish: Any) -> Loaded:
    plain = decompressed(file, max_bytes=order.settings.max_bytes)
    chosen = chosen_format(plain, order)
    if info.size > _WORTH_A_FORECAST and (warning := forecast(info.size, chosen.name, compressed=plain is not file)):
        warn(f"{visible(str(order.uri))}: {warning}", again=True)
    monitor.phase("decoding")
    options, trusted = options_of(order, info, chosen)
    with noted_imports() as imports:
        value = chosen.load(plain, options)
    note = _rest_of_row(plain, chosen, order, info if plain is file else None)
    is_left = order.is_partial or (bool(note) and info.size - file.tell() > MIB)
    in_part = is_left and order.settings.verify != "require"
    # The download of the rest, for its checksum alone, is what a path is there to save.
    verdict = "not checked (read in part)" if in_part else finish()
    return Loaded(value, info, chosen.name, verdict, time.perf_counter() - began, trusted, note, imports)


def _rest_of_row(plain: BinaryIO, chosen: Format, order: Order, info: ObjectInfo | None) -> str:
    """Return what to say when something follows a pickle that was loaded; `info` only if it is not compressed."""
    if chosen.name != "pickle" or order.limit is not None:
        return ""
    if (info is not None and plain.tell() >= info.size) or not (head := peek_head(plain, 2)):
        return ""
    size = "" if info is None else f" ({size_text(info.size - plain.tell())} follow)"
    if head[:1] == b"\x80" or head[:1] in b"(]}cI":
        return f"the first of several pickles{size}; --iter gives all, --limit N the first"
    return f"something else follows the pickle{size}; --format bytes gives all"


def chosen_format(plain: BinaryIO, order: Order) -> Format:
    """Return the format that the order, the key or the first bytes name, in this order."""
    head = peek_head(plain, HEAD_SIZE)
    chosen = recognise(order.uri.key, head, order.format)
    if order.format is None and (text := mistaken_for(chosen, head)):
        raise FormatError(text)
    return chosen


def options_of(order: Order, info: ObjectInfo, chosen: Format) -> tuple[LoadOptions, str]:
    """Return what the format is told, and why it may run anything; that is empty when it may not."""
    why = "trusted" if order.reading.trust else ""
    if not why and chosen.name in _RUN_CODE:
        prefix = trusted_prefix(order.uri.bucket, order.uri.key, info.endpoint_url)
        why = f"trusted (prefix {visible(str(prefix))})" if prefix is not None else ""
    return replace(order.reading, trust=bool(why), limit=order.limit, beside=partial(_copy_beside, order)), why


def _copy_beside(order: Order, name: str, target: BinaryIO) -> None:
    """Copy the object `name`, from the folder of that of `order`, to `target`."""
    folder, slash, _ = order.uri.key.rpartition("/")
    uri = replace(order.uri, key=f"{folder}{slash}{name}", version_id=None)
    other = replace(order, uri=uri, pattern="", known=None)
    with open_file(other, Monitor(), whole=True) as file:
        file.peek()
        check_size(file, other)
        while data := file.read(MIB):
            target.write(data)
        file.finish()


def check_size(file: S3File, order: Order) -> None:
    """Refuse an object that is larger than ``max_bytes``, as far as its size is known.

    Raises:
        TooLargeError: It is.
    """
    most = order.settings.max_bytes
    if file.info is not None and most is not None and file.info.size > most:
        raise TooLargeError(
            f"{visible(str(order.uri))} has {size_text(file.info.size)}, more than --max-bytes {size_text(most)}. "
            "Raise it, or take items one by one with --iter.",
            uri=str(order.uri),
        )
