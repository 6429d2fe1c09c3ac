"""What is to be loaded, and how: one frozen value, made of what a call or a line said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aios3_nb.address import S3Uri, glob_escape, glob_literal, is_all_buckets, parse, quote
from aios3_nb.errors import OptionError, UriError
from aios3_nb.formats import KINDS, LoadOptions, check_path, expected_format
from aios3_nb.options import Loading, divided
from aios3_nb.settings import Settings
from aios3_nb.streams import ObjectInfo
from aios3_nb.text import in_quotes, visible

_place: S3Uri | None = None
"""Where relative keys start; set by ``%s3cd``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One object to load.

    Attributes:
        uri: The object.
        pattern: The glob that the key may be instead, when there is no object called so; empty when it cannot be.
        settings: Where it is and how to fetch it.
        format: Name of its format; None leaves that to its suffix and its first bytes.
        errors: Whether one of several objects that fails is to ``raise``, once the others have loaded, or to ``skip``.
        limit: Items to yield or to load, rows of a table, or objects of a glob, at most; None means all.
        concat: Whether the tables of a glob become one.
        key_column: Name of the column of that one that has the key of each row; None for none.
        reading: What the format is told.
        listed_size: Bytes, as a listing says; None where there was none.
        known: The version to read, where it is known; another one is an ObjectChangedError.
    """

    uri: S3Uri
    settings: Settings
    pattern: str = ""
    format: str | None = None
    limit: int | None = None
    errors: str = "raise"
    concat: bool = False
    key_column: str | None = None
    reading: LoadOptions = field(default_factory=LoadOptions)
    listed_size: int | None = None
    known: ObjectInfo | None = None

    @property
    def skips_errors(self) -> bool:
        """Whether one of several objects that fails is left out."""
        return self.errors == "skip"

    @property
    def is_partial(self) -> bool:
        """Whether only a part of the object is wanted, so that the rest need not be fetched."""
        reading = self.reading
        if reading.path is not None or self.limit is not None or reading.rows is not None:
            return True
        expected = expected_format(self.uri.key, self.format) if reading.columns else None
        return expected is not None and expected.has_columns_apart

    @property
    def path(self) -> str | None:
        """Which part of the document is wanted; None for all of it."""
        return self.reading.path


def make_order(uri: str, options: Mapping[str, Any], group: type = Loading) -> Order:
    """Return the order for the object at `uri`, with those `options` that a call or a line has given.

    Args:
        uri: As the user wrote it.
        options: Names of `group` -> values; None leaves an option to its default.
        group: The options that may be given.

    Raises:
        UriError: `uri` names no object.
        OptionError: An option that `group` does not have, or a value that does not fit.
    """
    chosen, settings = divided(options, group)
    address = locate_object(uri, settings, version_id=chosen.pop("version_id", None))
    format, limit = chosen.pop("format", None), chosen.pop("limit", None)
    if limit is not None and limit < 0:
        raise OptionError(f"limit={limit} does not fit: it must be 0 or more.")
    errors = chosen.pop("errors", "raise")
    if errors not in ("raise", "skip"):
        raise OptionError(f"errors={in_quotes(str(errors))} does not fit: raise or skip is meant.")
    concat, key_column = bool(chosen.pop("concat", False)), chosen.pop("key_column", None)
    if key_column is not None and not concat:
        raise OptionError("key_column is a column of the one table that concat makes; say both.")
    allow, columns = _names(chosen.pop("allow", ())), _names(chosen.pop("columns", ()))
    _check_encoding(chosen.get("encoding"))
    _check_table(chosen.get("rows"), chosen.get("as_"))
    # What is left is the format's own affair, whatever options there will be.
    reading = LoadOptions(allow=allow, columns=columns, is_table=concat, max_bytes=settings.max_bytes, **chosen)
    check_path(address.key, format, reading.path)
    return Order(
        uri=address,
        settings=settings,
        pattern=pattern_in(uri, address, settings),
        format=format,
        limit=limit,
        errors=errors,
        concat=concat,
        key_column=key_column,
        reading=reading,
    )


def _names(given: str | Iterable[str]) -> tuple[str, ...]:
    """Return names that were given one by one, or in a text with commas."""
    return tuple(given.split(",") if isinstance(given, str) else given)


def _check_table(rows: int | None, kind: str | None) -> None:
    if rows is not None and rows < 0:
        raise OptionError(f"rows={rows} does not fit: it must be 0 or more.")
    if kind is not None and kind not in KINDS:
        raise OptionError(f"as_={in_quotes(str(kind))} does not fit: one of {', '.join(KINDS)} is meant.")


def _check_encoding(encoding: str | None) -> None:
    if encoding is None or encoding == "bytes":
        return
    try:
        "".encode(encoding)  # unlike codecs.lookup it takes none that is not for text, such as hex
    except (LookupError, TypeError, ValueError) as exc:
        raise OptionError(
            f"encoding={visible(repr(encoding), most=80)} is no encoding of text that Python knows. "
            "Often it is utf-8, latin1, cp1252 or utf-16."
        ) from exc


def locate(text: str, settings: Settings, *, version_id: str | None = None) -> S3Uri:
    """Return what `text` names, relative to the current place; a version in `version_id` wins."""
    if not isinstance(text, str):
        raise UriError(f"A URI is text such as 's3://bucket/key', not {type(text).__name__}.")
    address = parse(text, base=_place, endpoint_url=settings.endpoint_url)
    return replace(address, version_id=version_id) if version_id else address


def locate_folder(text: str | None, settings: Settings) -> S3Uri | None:
    """Return the place that `text` names, as `locate` does; None for the list of buckets.

    That is ``s3://``, or ``..`` at a bucket's top. Without a `text` it is the current place.
    """
    if text is None:
        return _place
    if isinstance(text, str) and is_all_buckets(text, base=_place):
        return None
    return locate(text, settings)


def locate_object(text: str, settings: Settings, *, version_id: str | None = None) -> S3Uri:
    """Return the object that `text` names, as `locate` does.

    Raises:
        UriError: It names none, or a folder.
    """
    address = locate(text, settings, version_id=version_id)
    if address.is_prefix:
        raise UriError(
            f"{visible(str(address))} is a folder, not an object. List it with %s3ls {quote(str(address))}",
            uri=str(address),
        )
    return address


def pattern_in(text: str, address: S3Uri, settings: Settings) -> str:
    """Return the glob that `text`, which names `address`, may be; empty when it is none.

    A version names one object. And a place that was set is a name, whatever characters it has: only what was written
    behind it can be a pattern.
    """
    if address.version_id is not None:
        return ""
    pattern = address.key
    if _place is not None:
        base = replace(_place, key=glob_escape(_place.key))
        pattern = parse(text, base=base, endpoint_url=settings.endpoint_url).key
    return "" if glob_literal(pattern) == address.key else pattern


def place() -> S3Uri | None:
    """Return where relative keys start; None when no place was set."""
    return _place


def set_place(address: S3Uri | None) -> None:
    """Set where relative keys start."""
    global _place
    _place = None if address is None else address.as_prefix
