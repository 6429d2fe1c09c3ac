"""The two collections: a bag of what many objects hold, and a frame of their rows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Unpack

import aios3_nb.api  # noqa: F401  whose words describe the options
from aios3_nb.dask.part import Part, guess_of, head_of, items_of, settled, table_of
from aios3_nb.errors import (
    CredentialsError,
    EndpointError,
    MissingPackageError,
    ObjectNotFoundError,
    OptionError,
    S3Error,
)
from aios3_nb.loop import bridge, interruptible
from aios3_nb.options import Iterating, spelled_out
from aios3_nb.pipeline import Order, holds_several, make_order, pieces_of
from aios3_nb.s3 import ask, list_matching
from aios3_nb.settings import travelling
from aios3_nb.streams import ObjectInfo
from aios3_nb.text import visible

_TABLES = ("csv", "tsv", "parquet", "arrow")


@spelled_out
def bag(uri: str, **options: Unpack[Iterating]) -> Any:
    """Return a ``dask.bag`` of what the objects hold: one partition for each, loaded when it is computed.

    A partition has the items that `iterate` gives of pickles, JSON Lines and text, the elements of a JSON array, or
    else the one value. Of more than 64 MiB, JSON Lines are cut where lines end, and many pickles in a row where
    pickles do; unless they are compressed, to be checked as a whole (``verify="require"``), or trusted. The version of
    each object is the one that is listed now: one that is replaced before it is read is an `ObjectChangedError`, as is
    a retry that would read another.

    Args:
        uri: An object, or a glob of many, as `load` takes it.
        errors: ``skip`` leaves out objects of a glob that fail, with a warning; ``raise`` fails the computation.
        options: See `load`.

    Raises:
        ObjectNotFoundError: There is none.
        OptionError: An option that does not fit; ``limit`` is one, for a bag has ``take``.
        MissingPackageError: Dask is not installed.
    """
    return _bag(_parts(uri, options))


@spelled_out
def frame(uri: str, **options: Unpack[Iterating]) -> Any:
    """Return a ``dask.dataframe`` of the rows of the objects: CSV, Parquet, Arrow, or JSON Lines of records.

    The columns are those of the first object, whose head is read; of Parquet, only the columns that are needed are.
    Each object is a partition, of the version that is listed now, and JSON Lines are cut; see `bag`.

    Args:
        uri: An object, or a glob of many, as `load` takes it.
        errors: ``skip`` leaves out objects of a glob that fail, with a warning; ``raise`` fails the computation.
        options: See `load`.

    Raises:
        ObjectNotFoundError: There is none.
        FormatError: What the first object holds has no rows.
        OptionError: An option that does not fit; ``limit`` is one, for a frame has ``head``, and so are ``allow`` and
            ``trust``, for no frame is made of pickles.
        MissingPackageError: Dask is not installed, or pandas.
    """
    if options.get("trust") or options.get("allow"):
        raise OptionError("allow and trust are for pickles, and frames are made of tables. aios3_nb.bag takes pickles.")
    return _frame(_parts(uri, options))


def collection(uri: str, **options: Unpack[Iterating]) -> Any:
    """Return the `frame` of tables, or the `bag` of anything else, by the name of the first object or its format."""
    parts = _parts(uri, options)
    return _frame(parts) if parts[0].name in _TABLES else _bag(parts)


def _bag(parts: list[Part]) -> Any:
    dask, dask_bag = _dask("dask", "dask.bag")
    tasks: list[Any] = []
    end: Any = 0
    for part in parts:
        if part.piece is None or part.name != "pickle":
            tasks.append(_task(dask, items_of, part))
            continue
        # Loaded side by side, from where a pickle seems to begin; of the one before it comes whether one does.
        found = _task(dask, settled, part, _task(dask, guess_of, part), end if part.piece.start else 0)
        tasks.append(found[0])
        end = found[1]
    return dask_bag.from_delayed(tasks)


def _task(dask: Any, call: Callable[..., Any], part: Part, *more: Any) -> Any:
    return dask.delayed(call, pure=True)(part, *more, dask_key_name=_key(call.__name__, part))


def _frame(parts: list[Part]) -> Any:
    _, dataframe = _dask("dask", "dask.dataframe")
    head = _head(parts).iloc[:0]
    return dataframe.from_map(table_of, parts, head=head, meta=head, label="aios3")


def _head(parts: list[Part]) -> Any:
    """Return the head of the first object; of the first that can be read, where others are left out."""
    for part in parts[:-1]:
        try:
            return head_of(part)
        except S3Error as exc:
            if not part.skips_errors or isinstance(exc, (CredentialsError, EndpointError)):
                raise
    return head_of(parts[-1])


def _parts(uri: str, options: Any) -> list[Part]:
    if options.get("limit") is not None:
        raise OptionError("limit is for what is loaded at once. Of a bag take(n) gives the first, of a frame head(n).")
    if options.get("cache_dir") is not None:
        raise OptionError("cache_dir is a folder of this machine. Where workers run, AIOS3_NB_CACHE_DIR names theirs.")
    order = make_order(uri, options, Iterating)
    if order.skips_errors and not order.pattern:
        raise OptionError("--errors skip is for several objects; this is one, and without it there is nothing.")
    with interruptible():
        found = bridge().run(_versions, order)
    settings = tuple(sorted(travelling(order.settings).items()))
    orders = [replace(order, uri=info.uri, pattern="", known=info) for info in found]
    # What is left out has no end to go on from: pickles in a row are cut only where all are needed.
    large = (
        None
        if order.skips_errors
        else next((one for one, info in zip(orders, found, strict=True) if _may_be_cut(one, info)), None)
    )
    forms = ("jsonl", "pickle") if large is not None and holds_several(large) else ("jsonl",)
    return [
        Part(info, settings, order.format, order.reading, piece, order.skips_errors)
        for one, info in zip(orders, found, strict=True)
        for piece in pieces_of(one, info.size, forms=forms)
    ]


def _may_be_cut(order: Order, info: ObjectInfo) -> bool:
    return pieces_of(order, info.size, forms=("pickle",)) != [None]


async def _versions(order: Order) -> list[ObjectInfo]:
    if not order.pattern:
        uri = order.uri
        more = {"VersionId": uri.version_id, "RequestPayer": order.settings.request_payer}
        said = {name: value for name, value in more.items() if value}
        answer = await ask("head_object", uri, order.settings, Bucket=uri.bucket, Key=uri.key, **said)
        return [ObjectInfo(uri=uri, size=int(answer["ContentLength"]), etag=answer.get("ETag", ""))]
    entries = await list_matching(order.uri, order.pattern, order.settings)
    if not entries:
        raise ObjectNotFoundError(f"Nothing matches {visible(str(order.uri))}.", uri=str(order.uri))
    return [ObjectInfo(uri=one.uri, size=one.size or 0, etag=one.etag) for one in entries]


def _key(what: str, part: Part) -> str:
    from dask.base import tokenize

    named = str(part.info.uri), part.info.etag, part.format, part.reading, part.settings, part.piece, part.skips_errors
    return f"aios3-{what}-{tokenize(*named)}"


def _dask(*names: str) -> list[Any]:
    import importlib

    try:
        return [importlib.import_module(name) for name in names]
    except ImportError:
        raise MissingPackageError("This needs Dask: pip install 'aios3_nb[dask]'") from None
