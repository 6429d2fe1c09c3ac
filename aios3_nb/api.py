"""The public verbs: each makes an order, and hands it to the pipeline or to one request.

The sync ones work anywhere, also where a loop is running; the awaited ones run on the running loop. What they take by
name is in `aios3_nb.options.groups`. Annotations are evaluated here, for `spelled_out` reads them.

Over 300 lines: most of them are the docstrings that users see, each of which refers to others.
"""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Unpack

from aios3_nb.errors import OptionError
from aios3_nb.loop import bridge, interruptible
from aios3_nb.options import (
    DEFAULTS,
    Iterating,
    Loading,
    Looking,
    Moving,
    Opening,
    Peeking,
    Signing,
    Storing,
    awaited,
    divided,
    spelled_out,
)
from aios3_nb.pipeline import (
    Items,
    Loaded,
    Order,
    aload_each,
    aload_in_turn,
    amatching_each,
    gathered,
    items_of,
    iterate_async,
    load_one,
    locate_folder,
    locate_object,
    make_order,
    make_store_order,
    open_file,
    pattern_in,
    set_place,
    store_value,
    via_running_loop,
    warn_of_left_out,
)
from aios3_nb.s3 import Entry, Listing, base_of, list_buckets, list_entries, signed_url
from aios3_nb.streams import Monitor, S3File
from aios3_nb.text import as_call, visible, warn

if TYPE_CHECKING:
    from aios3_nb.pipeline.peek import Peek


@spelled_out
def open(uri: str, **options: Unpack[Opening]) -> S3File:
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
    return open_file(make_order(uri, options, Opening), Monitor(), whole=False)


@spelled_out
def load(uri: str, **options: Unpack[Loading]) -> Any:
    """Return what the object holds, streamed: unpickled, parsed, or decoded while it arrives.

    A glob (``*``, ``**``, ``?``, ``[]``) gives a dict of all matching objects by key, loaded concurrently; but where
    an object is called just so, it is that object that is meant. With `concat`, tables of a glob are one table.

    Args:
        uri: ``s3://bucket/key``, an ARN, an https address of S3, or a key relative to ``%s3cd``.
        format: Such as ``pickle``, ``json``, ``text``; else the suffix decides, then the first bytes.
        path: Only this part of a JSON document, such as ``users.item.name`` or ``/users/*/name``, or this array of an
            npz or safetensors file.
        allow: Dotted names that a pickle may use besides those on the safe list; exactly these, this once.
        trust: Load a pickle whatever it imports and runs. Only for objects whose writer you trust.
        encoding: How text is written, such as ``cp1252``; for a pickle of Python 2 that of its 8-bit strings, such as
            ``latin1``, or ``bytes`` to have them as bytes. None means the format's own.
        limit: The first so many items as a list, rows of a table, or objects of a glob; the rest is not fetched.
        errors: What becomes of a glob when some of its objects fail: ``raise`` a PartialLoadError once the others have
            loaded, or ``skip`` them, with a warning.
        concat: Make one table of those of a glob, in the order of their keys.
        key_column: Name of a first column in that one, which has the key of the object that each row is from.
        columns: Of a table only these columns, in this order; of Parquet only their bytes are fetched.
        rows: Of a table the first so many rows, of one that is made of several in all; the rest is not fetched.
        as_: What a table comes out as: ``pandas``, ``polars``, ``arrow`` (a table of pyarrow), or ``numpy`` (an array
            of its rows). JSON Lines of records, and a JSON array of them, make a table when one of these is given.
            Of a picture ``pil`` gives PIL's.
        version_id: This version instead of the latest.
        quiet: Do not warn of what ``%s3load`` says in its closing line, such as that there are more pickles behind it.
        options: Settings for this load alone, such as ``profile``, ``endpoint_url``, ``verify``, ``max_bytes``.

    Raises:
        ObjectNotFoundError: No such bucket, key or version.
        BlockedPickleError: The pickle needs names that are not on the safe list; none of it was run.
        FormatError: The bytes are not of that format; TruncatedError when they end too early.
        ChecksumError: The bytes are not those that were stored.
        ObjectChangedError: The object was replaced while it was read.
        PartialLoadError: Some objects of a glob could not be loaded; the others are in its ``values``.
        S3Error: The base of these and of all others.
    """
    wanted = make_order(uri, options, Loading)
    _check_errors(wanted)
    if wanted.pattern or wanted.concat:
        with interruptible():
            return bridge().run(_load_matching, wanted)
    return _noted(load_one(wanted, Monitor()), quiet=options.get("quiet", False))


@awaited(load)
async def aload(uri: str, **options: Any) -> Any:
    wanted = make_order(uri, options, Loading)
    _check_errors(wanted)
    if wanted.pattern or wanted.concat:
        return await _load_matching(wanted)
    return _noted(await aload_in_turn(wanted), quiet=options.get("quiet", False))


def _noted(loaded: Loaded, *, quiet: bool) -> Any:
    """Return the value; what the closing line of a magic says about it is a warning here, unless the call is `quiet`.

    The session's setting is for magics: who has silenced their lines has not silenced what a call leaves out.
    """
    if loaded.note and not quiet:
        _tell(loaded.note, f"{visible(str(loaded.info.uri))}: ")
    return loaded.value


def _tell(note: str, of: str = "") -> None:
    if note:
        warn(f"{of}{as_call(note)}", again=True)


async def _load_matching(wanted: Order) -> Any:
    """Return the objects that match a glob, by key; the object itself when its key only looks like one."""
    groups = await amatching_each([wanted])
    loaded = await aload_each(groups, lambda _: Monitor())
    given = gathered([wanted], [str(wanted.uri)], groups, loaded)
    _tell(given.note)
    return given.values[0]


def _check_errors(wanted: Order) -> None:
    if wanted.skips_errors and not wanted.pattern:
        raise OptionError("--errors skip is for several objects; this is one, and without it there is nothing.")


@spelled_out
def iterate(uri: str, **options: Unpack[Iterating]) -> Items:
    """Return an iterator over the items of an object, the first ones while the rest is still coming.

    Of a glob these are the items of all matching objects, one object after the other. Items are: the pickles of a file
    with many in a row, the lines of JSON Lines, the elements of a JSON array at the top or at `path`, the lines of a
    text. Nothing is sent before the first item. Closing the iterator, or reaching `limit`, stops the download.

    Args:
        uri: See `load`.
        path: Where the items are, such as ``users.item`` or ``/users/*``.
        limit: Items at most.
        errors: What becomes of a glob when some of its objects fail: ``raise`` a PartialLoadError at the end, once the
            items of the others were given, or ``skip`` them, with a warning.
        options: What `load` takes besides.
    """
    return _items(uri, options)


def _items(uri: str, options: Any, **more: Any) -> Items:
    wanted = make_order(uri, options, Iterating)
    _check_errors(wanted)
    return items_of(wanted, Monitor(), on_close=warn_of_left_out, **more)


@awaited(iterate)
async def aiterate(uri: str, **options: Any) -> AsyncGenerator[Any, None]:
    items = iterate_async(_items(uri, options, via=via_running_loop()))
    try:
        async for item in items:
            yield item
    finally:
        await items.aclose()


@spelled_out
def peek(uri: str, **options: Unpack[Peeking]) -> "Peek":
    """Return what is in the object, without loading it and without running anything.

    Size, ETag and format; for a pickle its protocol, the names that it would import and whether it would load,
    and the outermost type; for JSON the outline of its top. What is fetched is bounded to a few megabytes.

    Args:
        uri: See `load`.
        format: See `load`.
        path: What is looked at, as `load` takes it: a value in a JSON document, or an array.
        options: What `open` takes besides.
    """
    from aios3_nb.pipeline import look_into

    return look_into(make_order(uri, options, Peeking))


@awaited(peek)
async def apeek(uri: str, **options: Any) -> "Peek":
    from aios3_nb.pipeline import alook_into

    return await alook_into(make_order(uri, options, Peeking))


@spelled_out
def ls(uri: str | None = None, **options: Unpack[Looking]) -> Listing:
    """Return the buckets, or the prefixes and objects under `uri`, or the objects that match it as a glob.

    Args:
        uri: A bucket, a prefix, or a glob (``*``, ``**``, ``?``, ``[]``); ``s3://`` for the buckets. None means the
            place of ``%s3cd``, and the buckets when there is none.
        recursive: All keys below, not only those up to the next ``/``.
        limit: Entries at most; the listing then stops early.
        options: See `open`.
    """
    with interruptible():
        return bridge().run(lambda: als(uri, **options))


@awaited(ls)
async def als(uri: str | None = None, **options: Any) -> Listing:
    chosen, settings = divided(options, Looking)
    limit = chosen.get("limit")
    recursive = chosen.get("recursive", False)
    where = locate_folder(uri, settings)
    if where is None:
        if recursive:
            raise OptionError("These are all buckets; --recursive lists the keys of one. Name it.")
        buckets = await list_buckets(settings)
        return Listing(buckets[:limit], complete=limit is None or len(buckets) <= limit)
    pattern = "" if uri is None else pattern_in(uri, where, settings)
    found: list[Entry] = []
    complete = True
    async for entry in list_entries(where, settings, pattern=pattern, recursive=recursive):
        if limit is not None and len(found) >= limit:
            complete = False
            break
        found.append(entry)
    return Listing(found, base=base_of(where, pattern, found), complete=complete)


@spelled_out
def cd(uri: str | None, **options: Unpack[Moving]) -> None:
    """Set where relative keys start, as ``%s3cd`` does.

    Args:
        uri: A bucket or a folder; ``/`` is the bucket's top, ``..`` one up. None takes the place back, and so does
            ``s3://``: what is above the buckets is no place for keys.
        endpoint_url: The store that an https address is one of, where that is not AWS.
    """
    _, settings = divided(options, Moving)
    set_place(None if uri is None else locate_folder(uri, settings))


@spelled_out
def sign(uri: str, **options: Unpack[Signing]) -> str:
    """Return an https address from which anybody can read the object, without credentials, until it expires.

    Nothing is sent, also not to see whether the object is there. It ends sooner when the credentials that signed it do.

    Args:
        uri: The object, as `load` takes it.
        expires: Seconds, 604,800 (7 days) at most.
        options: See `open`.

    Raises:
        CredentialsError: There are none to sign with.
        OptionError: `expires` does not fit.
    """
    chosen, settings = divided(options, Signing)
    address = locate_object(uri, settings, version_id=chosen.get("version_id"))
    with interruptible():
        return bridge().run(lambda: signed_url(address, settings, expires=chosen.get("expires", DEFAULTS["expires"])))


@spelled_out
def dump(obj: Any, uri: str, **options: Unpack[Storing]) -> None:
    """Store `obj` at `uri`: all of it, or nothing when anything fails.

    The suffix says how: a pickle, JSON, JSON Lines, Parquet, CSV, TSV, Arrow, npy, npz, text; bytes are stored as they
    are under any other. A suffix of compression behind it (``.gz``, ``.zst``, ...) compresses.

    Args:
        obj: What to store.
        uri: Where to, as `load` takes it. What is there is replaced.
        format: Instead of what the suffix says, such as ``pickle``, ``json``, ``csv``.
        options: See `open`.
    """
    with interruptible():
        bridge().run(lambda: adump(obj, uri, **options))


@awaited(dump)
async def adump(obj: Any, uri: str, **options: Any) -> None:
    await store_value(obj, make_store_order(uri, options), Monitor())
