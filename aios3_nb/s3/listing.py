"""Buckets, prefixes and objects, page by page.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

from aios3_nb.address import S3Uri
from aios3_nb.s3.request import ask
from aios3_nb.settings import Settings
from aios3_nb.text import as_call, size_text, table_html, visible

PAGE = 1000
"""Keys of one page; S3 gives no more."""

_OF_DIRECTORIES = "--x-s3"
"""End of the names of directory buckets."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing: a bucket, a prefix (a folder, as people see it) or an object.

    Attributes:
        uri: Its address.
        size: Bytes; None for buckets and prefixes.
        last_modified: When the object was stored or the bucket made; None for prefixes.
        etag: The object's, with quotes; empty for others.
        storage_class: Such as ``STANDARD``; empty when the store does not say.
    """

    uri: S3Uri
    size: int | None = None
    last_modified: datetime.datetime | None = None
    etag: str = ""
    storage_class: str = ""

    @property
    def name(self) -> str:
        """The last part of the key; with a ``/`` at its end for a bucket or prefix."""
        return f"{self.uri.name}/" if self.is_prefix else self.uri.name

    @property
    def is_prefix(self) -> bool:
        """Whether it is a bucket or a prefix, that is, has entries of its own."""
        return self.size is None

    @property
    def is_marker(self) -> bool:
        """Whether it is an empty object in a folder's place, as consoles and Hadoop make them."""
        return self.size == 0 and self.uri.key.endswith("/")

    def __repr__(self) -> str:
        size = "" if self.size is None else f" {size_text(self.size)}"
        return f"<Entry {visible(str(self.uri))}{size}>"


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a listing.

    Attributes:
        entries: Prefixes first, then objects, each in the order of their keys.
        token: Continues the listing; empty when this is the last page.
    """

    entries: tuple[Entry, ...]
    token: str = ""


class Listing(Sequence[Entry]):
    """A list of entries that shows itself as a table, in text and in HTML.

    Args:
        entries: In the order in which they are shown.
        base: Beginning of their keys that is not shown, for it is what was listed.
        complete: Whether there are no more.

    Attributes:
        complete: See above.
        in_line: Whether it is shown to somebody who has typed a magic, and not a call.
    """

    def __init__(self, entries: Iterable[Entry], *, base: str = "", complete: bool = True) -> None:
        self._entries = list(entries)
        self._base = base
        self.complete = complete
        self.in_line = False

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (list, Listing)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if not self._entries:
            return "(nothing there)"
        rows = self._rows()
        wide = max(len(size) for size, _, _ in rows)
        lines = [f"{size:>{wide}}  {time:16}  {name}" for size, time, name in rows]
        return "\n".join([*lines, *([self._note] if self._note else [])])

    def _repr_html_(self) -> str:
        rows = [(name, size, time) for size, time, name in self._rows()]
        head = ("name", "size", "modified (UTC)")
        return table_html(rows, head=head, note=self._note, numbers=(1,)) if rows else "<p>(nothing there)</p>"

    @property
    def _note(self) -> str:
        said = "" if self.complete else "... and more; ask for them with --limit"
        return said if self.in_line else as_call(said)

    def _rows(self) -> list[tuple[str, str, str]]:
        return [_row(entry, self._base) for entry in self._entries]


async def list_buckets(settings: Settings) -> list[Entry]:
    """Return the buckets of these credentials.

    Raises:
        AccessDeniedError: The credentials may not list buckets; they may still read some.
    """
    answer = await ask("list_buckets", S3Uri(""), settings)
    return [Entry(S3Uri(b["Name"]), last_modified=b.get("CreationDate")) for b in answer.get("Buckets", ())]


async def list_page(
    prefix: S3Uri, settings: Settings, *, token: str = "", delimiter: str = "/", size: int = PAGE
) -> Page:
    """Return the page of `prefix` that `token` continues; the first one when it is empty.

    Args:
        prefix: Every key that begins with its key is listed. In a directory bucket a page may have none of them,
            and still be continued.
        settings: Where and how.
        token: `Page.token` of the page before.
        delimiter: Keys that go on behind it are summed up as one prefix; empty lists all keys.
        size: Entries, at most 1000.
    """
    asked = _askable(prefix)
    arguments: dict[str, Any] = {"Bucket": prefix.bucket, "Prefix": asked, "MaxKeys": min(size, PAGE)}
    if asked != prefix.key:
        arguments["MaxKeys"] = PAGE
    if delimiter:
        arguments["Delimiter"] = delimiter
    if token:
        arguments["ContinuationToken"] = token
    if settings.request_payer:
        arguments["RequestPayer"] = settings.request_payer
    answer = await ask("list_objects_v2", prefix, settings, **arguments)
    folders = [Entry(replace(prefix, key=p["Prefix"])) for p in answer.get("CommonPrefixes", ())]
    objects = [_entry(prefix, found) for found in answer.get("Contents", ())]
    entries = tuple(entry for entry in (*folders, *objects) if entry.uri.key.startswith(prefix.key))
    return Page(entries, answer.get("NextContinuationToken", "") if answer.get("IsTruncated") else "")


def _askable(prefix: S3Uri) -> str:
    """Return the prefix to ask for: directory buckets take only what ends in ``/``, so there it is the folder above.

    See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-differences.html
    """
    if not prefix.bucket.endswith(_OF_DIRECTORIES) or prefix.key.endswith("/"):
        return prefix.key
    folder, slash, _ = prefix.key.rpartition("/")
    return folder + slash


async def walk(prefix: S3Uri, settings: Settings, *, delimiter: str = "/") -> AsyncIterator[Entry]:
    """Yield the entries of all pages of `prefix`."""
    token = ""
    while True:
        found = await list_page(prefix, settings, token=token, delimiter=delimiter)
        for entry in found.entries:
            yield entry
        token = found.token
        if not token:
            return


def _entry(prefix: S3Uri, found: dict[str, Any]) -> Entry:
    return Entry(
        S3Uri(prefix.bucket, found["Key"], region=prefix.region),  # `replace` takes half of the time of a page
        size=found["Size"],
        last_modified=found.get("LastModified"),
        etag=found.get("ETag", ""),
        storage_class=found.get("StorageClass", ""),
    )


def _row(entry: Entry, base: str) -> tuple[str, str, str]:
    time = entry.last_modified
    return (
        "" if entry.size is None else size_text(entry.size),
        "" if time is None else f"{time.astimezone(datetime.UTC):%Y-%m-%d %H:%M}",
        visible(entry.uri.key.removeprefix(base) or entry.name),
    )
