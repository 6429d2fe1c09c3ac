"""What is to be loaded, and how: one frozen value, made of what a call or a line said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Unpack

from aios3_nb import settings as settings_module
from aios3_nb.address import S3Uri, glob_escape, glob_literal, parse
from aios3_nb.errors import OptionError, UriError
from aios3_nb.settings import Overrides, Settings
from aios3_nb.text import visible

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
        path: Where in the document the value or the items are, such as ``users.item``.
        limit: Items to yield, at most; None yields all.
        allow: Dotted names that this pickle may use besides the safe ones.
        trust: Whether this pickle may run anything.
        encoding: How its text is written, as Python names codecs; ``bytes`` leaves a pickle's 8-bit strings as bytes.
    """

    uri: S3Uri
    settings: Settings
    pattern: str = ""
    format: str | None = None
    path: str | None = None
    limit: int | None = None
    allow: tuple[str, ...] = ()
    trust: bool = False
    encoding: str | None = None


def make_order(
    uri: str,
    *,
    version_id: str | None = None,
    format: str | None = None,
    path: str | None = None,
    limit: int | None = None,
    allow: Iterable[str] = (),
    trust: bool = False,
    encoding: str | None = None,
    **options: Unpack[Overrides],
) -> Order:
    """Return the order for the object at `uri`.

    Raises:
        UriError: `uri` names no object.
        OptionError: An unknown option, or a value that does not fit.
    """
    settings = settings_module.current(**options)
    address = locate(uri, settings, version_id=version_id)
    if address.is_prefix:
        raise UriError(
            f"{visible(str(address))} is a folder, not an object. List it with %s3ls {visible(str(address))}",
            uri=str(address),
        )
    if limit is not None and limit < 0:
        raise OptionError(f"limit={limit} does not fit: it must be 0 or more.")
    names = (allow,) if isinstance(allow, str) else tuple(allow)
    _check_encoding(encoding)
    return Order(
        uri=address,
        settings=settings,
        pattern=pattern_in(uri, address, settings),
        format=format,
        path=path,
        limit=limit,
        allow=names,
        trust=trust,
        encoding=encoding,
    )


def _check_encoding(encoding: str | None) -> None:
    if encoding is None or encoding == "bytes":
        return
    try:
        "".encode(encoding)  # unlike codecs.lookup it takes none that is not for text, such as hex
    except (LookupError, TypeError, ValueError) as exc:
        raise OptionError(
            f"encoding={visible(repr(encoding))} is no encoding of text that Python knows. "
            "Often it is utf-8, latin1, cp1252 or utf-16."
        ) from exc


def locate(text: str, settings: Settings, *, version_id: str | None = None) -> S3Uri:
    """Return what `text` names, relative to the current place; a version in `version_id` wins."""
    if not isinstance(text, str):
        raise UriError(f"A URI is text such as 's3://bucket/key', not {type(text).__name__}.")
    address = parse(text, base=_place, endpoint_url=settings.endpoint_url)
    return replace(address, version_id=version_id) if version_id else address


def pattern_in(text: str, address: S3Uri, settings: Settings) -> str:
    """Return the glob that `text`, which names `address`, may be; empty when it is none.

    A version names one object. And a place that was set is a name, whatever characters it has: only what was written
    behind it can be a pattern.
    """
    if address.version_id is not None:
        return ""
    base = None if _place is None else replace(_place, key=glob_escape(_place.key))
    pattern = parse(text, base=base, endpoint_url=settings.endpoint_url).key
    return "" if glob_literal(pattern) == address.key else pattern


def place() -> S3Uri | None:
    """Return where relative keys start; None when no place was set."""
    return _place


def set_place(address: S3Uri | None) -> None:
    """Set where relative keys start."""
    global _place
    _place = None if address is None else address.as_prefix
