"""The public verbs: each makes an order, and hands it to the pipeline (`_load`) or to one request.

The sync ones work anywhere, also where a loop is running; the awaited ones run on the running loop.
"""

from __future__ import annotations

import json
import os
import pickle
import tempfile
from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Unpack

from aios3_nb import settings as settings_module
from aios3_nb.errors import OptionError
from aios3_nb.loop import bridge, interruptible
from aios3_nb.pipeline import (
    Items,
    Order,
    aload_all,
    aload_one,
    amatching,
    iterate_async,
    load_one,
    locate,
    make_order,
    open_file,
    pattern_in,
    place,
    set_place,
)
from aios3_nb.s3 import Entry, Listing, base_of, list_buckets, list_entries, save
from aios3_nb.settings import Overrides
from aios3_nb.streams import Monitor, S3File
from aios3_nb.text import visible

if TYPE_CHECKING:
    from aios3_nb.pipeline.peek import Peek


def open(uri: str, *, version_id: str | None = None, **options: Unpack[Overrides]) -> S3File:
    """Return the object as a file: lazy (nothing is sent before the first read), seekable, sync and async.

    Any library that takes a binary file takes it. Close it, or use it in ``with`` or ``async with``.

    Args:
        uri: ``s3://bucket/key``, an ARN, an https address of S3, or a key relative to ``%s3cd``.
        version_id: This version instead of the latest.
        options: Settings for this file alone, such as ``profile``, ``endpoint_url``, ``read_timeout``.

    Raises:
        UriError: `uri` names no object.
        OptionError: An option that does not exist, or a value that does not fit.
    """
    return open_file(make_order(uri, version_id=version_id, **options), Monitor(), whole=False)


def load(
    uri: str,
    *,
    format: str | None = None,
    path: str | None = None,
    allow: Iterable[str] = (),
    trust: bool = False,
    encoding: str | None = None,
    version_id: str | None = None,
    **options: Unpack[Overrides],
) -> Any:
    """Return what the object holds, streamed: unpickled, parsed, or decoded while it arrives.

    A glob (``*``, ``**``, ``?``, ``[]``) gives a dict of all matching objects by key, loaded concurrently; but where
    an object is called just so, it is that object that is meant.

    Args:
        uri: ``s3://bucket/key``, an ARN, an https address of S3, or a key relative to ``%s3cd``.
        format: Such as ``pickle``, ``json``, ``text``; else the suffix decides, then the first bytes.
        path: Only this part of a JSON document, such as ``users.item.name``.
        allow: Dotted names that a pickle may use besides those on the safe list; exactly these, this once.
        trust: Load a pickle whatever it imports and runs. Only for objects whose writer you trust.
        encoding: How text is written, such as ``cp1252``; for a pickle of Python 2 that of its 8-bit strings, such as
            ``latin1``, or ``bytes`` to have them as bytes. None means the format's own.
        version_id: This version instead of the latest.
        options: Settings for this load alone, such as ``profile``, ``endpoint_url``, ``verify``, ``max_bytes``.

    Raises:
        ObjectNotFoundError: No such bucket, key or version.
        BlockedPickleError: The pickle needs names that are not on the safe list; none of it was run.
        FormatError: The bytes are not of that format; TruncatedError when they end too early.
        ChecksumError: The bytes are not those that were stored.
        ObjectChangedError: The object was replaced while it was read.
        S3Error: The base of these and of all others.
    """
    wanted = make_order(
        uri,
        format=format,
        path=path,
        allow=allow,
        trust=trust,
        encoding=encoding,
        version_id=version_id,
        **options,
    )
    if wanted.pattern:
        with interruptible():
            return bridge().run(_load_matching, wanted)
    return load_one(wanted, Monitor()).value


async def aload(
    uri: str,
    *,
    format: str | None = None,
    path: str | None = None,
    allow: Iterable[str] = (),
    trust: bool = False,
    encoding: str | None = None,
    version_id: str | None = None,
    **options: Unpack[Overrides],
) -> Any:
    """Await what `load` returns; other tasks of the loop run meanwhile."""
    wanted = make_order(
        uri,
        format=format,
        path=path,
        allow=allow,
        trust=trust,
        encoding=encoding,
        version_id=version_id,
        **options,
    )
    if wanted.pattern:
        return await _load_matching(wanted)
    return (await aload_one(wanted, Monitor())).value


async def _load_matching(wanted: Order) -> Any:
    """Return the objects that match a glob, by key; the object itself when its key only looks like one."""
    orders = await amatching(wanted)
    loaded = await aload_all([(one, Monitor()) for one in orders])
    if [one.uri for one in orders] == [wanted.uri]:
        return loaded[0].value
    return {one.uri.key: each.value for one, each in zip(orders, loaded, strict=True)}


def iterate(
    uri: str,
    *,
    format: str | None = None,
    path: str | None = None,
    limit: int | None = None,
    allow: Iterable[str] = (),
    trust: bool = False,
    encoding: str | None = None,
    version_id: str | None = None,
    **options: Unpack[Overrides],
) -> Items:
    """Return an iterator over the object's items, the first ones while the rest is still coming.

    Items are: the pickles of a file with many in a row, the lines of JSON Lines, the elements of a JSON array
    at the top or at `path`, the lines of a text. Nothing is sent before the first item. Closing the iterator,
    or reaching `limit`, stops the download.

    Args:
        uri: See `load`.
        format: See `load`.
        path: Where the items are, such as ``users.item``.
        limit: Items at most.
        allow: See `load`.
        trust: See `load`.
        encoding: See `load`.
        version_id: See `load`.
        options: See `load`.
    """
    wanted = make_order(
        uri,
        format=format,
        path=path,
        limit=limit,
        allow=allow,
        trust=trust,
        encoding=encoding,
        version_id=version_id,
        **options,
    )
    return Items(wanted, Monitor())


async def aiterate(
    uri: str,
    *,
    format: str | None = None,
    path: str | None = None,
    limit: int | None = None,
    allow: Iterable[str] = (),
    trust: bool = False,
    encoding: str | None = None,
    version_id: str | None = None,
    **options: Unpack[Overrides],
) -> AsyncGenerator[Any, None]:
    """Yield asynchronously what `iterate` yields; other tasks of the loop run meanwhile."""
    wanted = make_order(
        uri,
        format=format,
        path=path,
        limit=limit,
        allow=allow,
        trust=trust,
        encoding=encoding,
        version_id=version_id,
        **options,
    )
    items = iterate_async(wanted, Monitor())
    try:
        async for item in items:
            yield item
    finally:
        await items.aclose()


def peek(uri: str, *, format: str | None = None, version_id: str | None = None, **options: Unpack[Overrides]) -> Peek:
    """Return what is in the object, without loading it and without running anything.

    Size, ETag and format; for a pickle its protocol, the names that it would import and whether it would load,
    and the outermost type; for JSON the outline of its top. What is fetched is bounded to a few megabytes.

    Args:
        uri: See `load`.
        format: See `load`.
        version_id: See `load`.
        options: See `load`.
    """
    from aios3_nb.pipeline import look_into

    return look_into(make_order(uri, format=format, version_id=version_id, **options))


async def apeek(
    uri: str, *, format: str | None = None, version_id: str | None = None, **options: Unpack[Overrides]
) -> Peek:
    """Await what `peek` returns."""
    from aios3_nb.pipeline import alook_into

    return await alook_into(make_order(uri, format=format, version_id=version_id, **options))


def ls(
    uri: str | None = None, *, recursive: bool = False, limit: int | None = None, **options: Unpack[Overrides]
) -> Listing:
    """Return the buckets, or the prefixes and objects under `uri`, or the objects that match it as a glob.

    Args:
        uri: A bucket, a prefix, or a glob (``*``, ``**``, ``?``, ``[]``); None means the place of ``%s3cd``, and
            the buckets when there is none.
        recursive: All keys below, not only those up to the next ``/``.
        limit: Entries at most; the listing then stops early.
        options: See `open`.
    """
    with interruptible():
        return bridge().run(lambda: als(uri, recursive=recursive, limit=limit, **options))


async def als(
    uri: str | None = None, *, recursive: bool = False, limit: int | None = None, **options: Unpack[Overrides]
) -> Listing:
    """Await what `ls` returns."""
    settings = settings_module.current(**options)
    where = place() if uri is None else locate(uri, settings)
    if where is None:
        return Listing(await list_buckets(settings))
    pattern = "" if uri is None else pattern_in(uri, where, settings)
    found: list[Entry] = []
    complete = True
    async for entry in list_entries(where, settings, pattern=pattern, recursive=recursive):
        if limit is not None and len(found) >= limit:
            complete = False
            break
        found.append(entry)
    return Listing(found, base=base_of(where, pattern, found), complete=complete)


def cd(uri: str | None, **options: Unpack[Overrides]) -> None:
    """Set where relative keys start, as ``%s3cd`` does; None takes it back."""
    set_place(None if uri is None else locate(uri, settings_module.current(**options)))


def dump(obj: Any, uri: str, *, format: Literal["pickle", "json"] | None = None, **options: Unpack[Overrides]) -> None:
    """Store `obj` at `uri` as pickle or JSON: all of it, or nothing when anything fails.

    Args:
        obj: What to store.
        uri: See `load`. What is there is replaced.
        format: Else the suffix decides: ``.json`` is JSON, ``.pkl`` and ``.pickle`` are pickles.
        options: See `open`.
    """
    with interruptible():
        bridge().run(lambda: adump(obj, uri, format=format, **options))


async def adump(
    obj: Any, uri: str, *, format: Literal["pickle", "json"] | None = None, **options: Unpack[Overrides]
) -> None:
    """Await what `dump` does."""
    wanted = make_order(uri, **options)
    form = format or _form_for(wanted.uri.key)
    # Encoded to its end before the first byte is sent: what cannot be encoded does not replace anything.
    with tempfile.TemporaryFile() as file:
        _encode(obj, file, form)
        file.seek(0)
        await save(wanted.uri, file if os.fstat(file.fileno()).st_size else b"", wanted.settings)


def _form_for(key: str) -> str:
    for suffix, form in ((".json", "json"), (".pkl", "pickle"), (".pickle", "pickle"), (".p", "pickle")):
        if key.lower().endswith(suffix):
            return form
    raise OptionError(f"Cannot tell from {visible(key)!r} how to write it. Say --format pickle or --format json.")


def _encode(obj: Any, file: BinaryIO, form: str) -> None:
    if form == "pickle":
        pickle.dump(obj, file, protocol=pickle.HIGHEST_PROTOCOL)
    elif form == "json":
        for piece in json.JSONEncoder().iterencode(obj):
            file.write(piece.encode())
    else:
        raise OptionError(f"Cannot write format {form!r}. Say pickle or json.")
