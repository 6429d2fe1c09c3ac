"""What the bucket browser shows of one place: its rows, their order, and its state. No widgets and no S3 here.

One `Question` is asked at a time. Every new one gets a higher generation; answers to an earlier one are dropped.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from aios3_nb.address import S3Uri
from aios3_nb.errors import AccessDeniedError
from aios3_nb.s3 import Entry

_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)

State = Literal["loading", "searching", "rows", "empty", "denied", "error"]
Column = Literal["name", "size", "modified", "class"]


def _size(entry: Entry) -> int:
    return entry.size or 0


def _modified(entry: Entry) -> datetime.datetime:
    return entry.last_modified or _EPOCH


def _key(entry: Entry) -> str:
    return entry.uri.key or entry.uri.bucket


def _class(entry: Entry) -> str:
    return entry.storage_class


_KEYS: Mapping[Column, Callable[[Entry], Any]] = MappingProxyType(
    {"name": _key, "size": _size, "modified": _modified, "class": _class}
)
COLUMNS: tuple[Column, ...] = tuple(_KEYS)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be listed.

    Attributes:
        where: A bucket or a prefix; None for the buckets.
        prefix: Only what begins with this; S3 itself filters.
        needle: All keys below that contain this, in upper or lower case; they have to be looked through.
    """

    where: S3Uri | None = None
    prefix: str = ""
    needle: str = ""

    @property
    def is_search(self) -> bool:
        """Whether keys have to be looked through, page by page."""
        return bool(self.needle) and self.where is not None

    @property
    def is_filtered(self) -> bool:
        """Whether not all that is there is wanted."""
        return bool(self.prefix or self.needle)


@dataclass(frozen=True, slots=True)
class Batch:
    """Part of an answer.

    Attributes:
        entries: Folders first, in the order of their keys.
        token: Continues the listing; empty when it has ended.
        looked: Keys and folders that were looked at for it.
    """

    entries: tuple[Entry, ...]
    token: str = ""
    looked: int = 0


class Contents:
    """The answer to one question, as far as it has come: folders first, then objects.

    Attributes:
        question: What was asked.
        generation: Number of the request; an answer to another one is not taken.
        edition: Another number whenever a row may stand in another place than before: what a page keeps of an
            earlier one is void.
        token: Continues the listing; empty when it is complete.
        looked: Keys and folders looked at so far.
        busy: An answer is awaited.
        wants_all: The listing is to go on until it is complete.
        error: What the last request failed of; None when it did not.
        listed_at: When the first rows came; None before. What is shown is as old as this.
        sort: The column that the rows are sorted by.
        descending: Whether the largest is first.
    """

    def __init__(self) -> None:
        self.question = Question()
        self.generation = 0
        self.edition = 0
        self.token = ""
        self.looked = 0
        self.busy = False
        self.wants_all = False
        self.error: Exception | None = None
        self.listed_at: datetime.datetime | None = None
        self.sort: Column = "name"
        self.descending = False
        self._folders: list[Entry] = []
        self._objects: list[Entry] = []
        self._ordered: list[Entry] | None = None

    # ---- asking and answering

    def begin(self, question: Question) -> int:
        """Forget the last answer; return the generation of the new one."""
        self.question = question
        self.token, self.looked = "", 0
        self.listed_at = None
        self.wants_all = False
        self._folders, self._objects = [], []
        self._moved()
        return self.go_on()

    def go_on(self) -> int:
        """Return the generation of an answer that continues this one; those still under way are dropped."""
        self.generation += 1
        self.busy, self.error = True, None
        return self.generation

    def stop(self) -> None:
        """Await no answer; what is there stays, and can be gone on from."""
        self.generation += 1
        self.busy = self.wants_all = False

    def is_current(self, generation: int) -> bool:
        """Return whether an answer of `generation` is still wanted."""
        return generation == self.generation

    def add(self, generation: int, batch: Batch, *, now: datetime.datetime, more: bool = False) -> bool:
        """Take an answer; return whether it was wanted. `more` says that the next one is under way already."""
        if not self.is_current(generation):
            return False
        folders = [entry for entry in batch.entries if entry.is_prefix]
        if not self._is_as_listed or (folders and self._objects):
            self._moved()
        self._folders.extend(folders)
        self._objects.extend(entry for entry in batch.entries if not entry.is_prefix)
        self._ordered = None
        self.token = batch.token
        self.looked += batch.looked
        self.listed_at = self.listed_at or now
        self.busy = more
        return True

    def fail(self, generation: int, error: Exception) -> bool:
        """Take an error instead of an answer; return whether it was wanted."""
        if not self.is_current(generation):
            return False
        self.busy, self.error, self.wants_all = False, error, False
        return True

    def remove(self, uris: Collection[S3Uri]) -> None:
        """Take out the rows of objects that were deleted."""
        self._objects = [entry for entry in self._objects if entry.uri not in uris]
        self._moved()

    # ---- what is seen

    @property
    def state(self) -> State:
        """What there is to see, or why there is nothing."""
        if self.error is not None:
            return "denied" if isinstance(self.error, AccessDeniedError) else "error"
        if self.count:
            return "rows"
        if self.busy:
            return "searching" if self.question.is_search else "loading"
        return "empty"

    @property
    def complete(self) -> bool:
        """Whether all of the answer is here."""
        return self.listed_at is not None and not self.token

    @property
    def can_go_on(self) -> bool:
        """Whether more can be asked for now."""
        return bool(self.token) and not self.busy

    @property
    def count(self) -> int:
        """Rows that are here."""
        return len(self._folders) + len(self._objects)

    def rows(self, start: int = 0, stop: int | None = None) -> list[Entry]:
        """Return the rows from `start` to `stop`, as they stand below each other; all of them by default."""
        if not self._is_as_listed:
            return self._sorted()[start:stop]
        folders, stop = len(self._folders), self.count if stop is None else stop
        return self._folders[start:stop] + self._objects[max(0, start - folders) : max(0, stop - folders)]

    def find(self, text: str, start: int) -> int | None:
        """Return the first row from `start` on whose name begins with `text`, in upper or lower case; it goes round.

        None if there is none.
        """
        rows, text = self.rows(), text.casefold()
        hits = (at for at, entry in enumerate(rows[start:] + rows[:start]) if entry.name.casefold().startswith(text))
        found = next(hits, None)
        return None if found is None else (found + start) % len(rows)

    def place_of(self, uri: S3Uri) -> int | None:
        """Return the row of `uri`; None if it has none."""
        return next((at for at, entry in enumerate(self.rows()) if entry.uri == uri), None)

    def sort_by(self, column: Column, *, descending: bool) -> None:
        """Put what is here in another order."""
        self.sort, self.descending = column, descending
        self._moved()

    @property
    def _is_as_listed(self) -> bool:
        return self.sort == "name" and not self.descending

    def _moved(self) -> None:
        self.edition += 1
        self._ordered = None

    def _sorted(self) -> list[Entry]:
        if (ordered := self._ordered) is None:
            key = _KEYS[self.sort]
            folders, objects = (
                sorted(entries, key=key, reverse=self.descending) for entries in (self._folders, self._objects)
            )
            ordered = self._ordered = folders + objects
        return ordered


def child(question: Question, entry: Entry) -> Question:
    """Return the question for what is in the folder `entry`."""
    return replace(question, where=entry.uri, prefix="", needle="")


def parent(where: S3Uri | None) -> S3Uri | None:
    """Return the place above `where`; None, the buckets, above a bucket."""
    return where.parent if where is not None and where.key else None


def crumbs(where: S3Uri | None) -> list[tuple[str, S3Uri | None]]:
    """Return the way to `where`, from the buckets down: a name and a place for each step."""
    way: list[tuple[str, S3Uri | None]] = []
    place = where
    while place is not None:
        way.append((place.name or "(no name)", place))
        place = parent(place)
    return [("Buckets", None), *reversed(way)]
