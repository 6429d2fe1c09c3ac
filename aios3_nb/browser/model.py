"""What the bucket browser shows of one place: pages, order, window and state. No widgets and no S3 here.

One `Question` is asked at a time. Every new one gets a higher generation; answers to an earlier one are dropped.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from aios3_nb.address import S3Uri
from aios3_nb.errors import AccessDeniedError
from aios3_nb.s3 import PAGE, Entry

WINDOW = PAGE
"""Rows that are drawn at once: what one request gives. A list box of a million rows would stop the page."""

AS_LISTED = "Name"
_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)

State = Literal["loading", "searching", "rows", "empty", "denied", "error"]


def _size(entry: Entry) -> int:
    return entry.size or 0


def _modified(entry: Entry) -> datetime.datetime:
    return entry.last_modified or _EPOCH


def _key(entry: Entry) -> str:
    return entry.uri.key


_SORTS: Mapping[str, tuple[Callable[[Entry], object], bool]] = MappingProxyType(
    {
        "Name, Z to A": (_key, True),
        "Largest first": (_size, True),
        "Smallest first": (_size, False),
        "Newest first": (_modified, True),
        "Oldest first": (_modified, False),
    }
)
SORTS = (AS_LISTED, *_SORTS)


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

    @property
    def unfiltered(self) -> Question:
        """The question for all that is there."""
        return Question(self.where)


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
    """The answer to one question, as far as it has come.

    Attributes:
        question: What was asked.
        generation: Number of the question; an answer to another one is not taken.
        token: Continues the listing; empty when it is complete.
        looked: Keys and folders looked at so far.
        busy: An answer is awaited.
        error: What the last request failed of; None when it did not.
        listed_at: When the first rows came; None before. What is shown is as old as this.
        sort: One of `SORTS`.
        first: Index of the first row that is drawn.
    """

    def __init__(self) -> None:
        self.question = Question()
        self.generation = 0
        self.token = ""
        self.looked = 0
        self.busy = False
        self.error: Exception | None = None
        self.listed_at: datetime.datetime | None = None
        self.sort = AS_LISTED
        self.first = 0
        self._entries: list[Entry] = []
        self._ordered: list[Entry] | None = None

    # ---- asking and answering

    def begin(self, question: Question) -> int:
        """Forget the last answer; return the generation of the new one."""
        self.question = question
        self.token, self.looked, self.first = "", 0, 0
        self.listed_at = None
        self._entries, self._ordered = [], None
        return self.go_on()

    def go_on(self) -> int:
        """Return the generation of an answer that continues this one; those still under way are dropped."""
        self.generation += 1
        self.busy, self.error = True, None
        return self.generation

    def stop(self) -> None:
        """Await no answer; what is there stays, and can be gone on from."""
        self.generation += 1
        self.busy = False

    def is_current(self, generation: int) -> bool:
        """Return whether an answer of `generation` is still wanted."""
        return generation == self.generation

    def add(self, generation: int, batch: Batch, *, now: datetime.datetime, more: bool = False) -> bool:
        """Take an answer; return whether it was wanted. `more` says that the next one is under way already."""
        if not self.is_current(generation):
            return False
        if self.sort == AS_LISTED and not self.question.is_search:
            self.first = len(self._entries)  # the new page is what is shown
        self._entries.extend(batch.entries)
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
        self.busy, self.error = False, error
        return True

    def remove(self, uri: S3Uri) -> None:
        """Take out the row of an object that was deleted."""
        self._entries = [entry for entry in self._entries if entry.uri != uri]
        self._ordered = None
        self._keep_window()

    # ---- what is seen

    @property
    def state(self) -> State:
        """What there is to see, or why there is nothing."""
        if self.error is not None:
            return "denied" if isinstance(self.error, AccessDeniedError) else "error"
        if self._entries:
            return "rows"
        if self.busy:
            return "searching" if self.question.is_search else "loading"
        return "empty"

    @property
    def complete(self) -> bool:
        """Whether all of the answer is here."""
        return self.listed_at is not None and not self.token

    @property
    def count(self) -> int:
        """Rows that are here, drawn or not."""
        return len(self._entries)

    @property
    def rows(self) -> list[Entry]:
        """The rows that are drawn, `WINDOW` of them at most."""
        return self._sorted()[self.first : self.first + WINDOW]

    def sort_by(self, sort: str) -> None:
        """Put what is here in another order, and show its beginning."""
        self.sort = sort if sort in SORTS else AS_LISTED
        self._ordered, self.first = None, 0

    def _sorted(self) -> list[Entry]:
        if self.sort == AS_LISTED:
            return self._entries
        if self._ordered is None:
            key, reverse = _SORTS[self.sort]
            ordered = sorted(self._entries, key=key, reverse=reverse)  # type: ignore[arg-type]  # keys of one kind
            self._ordered = [e for e in ordered if e.is_prefix] + [e for e in ordered if not e.is_prefix]
        return self._ordered

    # ---- moving through it

    @property
    def can_go_back(self) -> bool:
        """Whether there are rows before the first that is drawn."""
        return self.first > 0

    @property
    def can_go_forward(self) -> bool:
        """Whether there are rows behind the last that is drawn, here or still with S3."""
        return bool(self.token) or not self.needs_request

    @property
    def needs_request(self) -> bool:
        """Whether the rows behind the last that is drawn have to be asked for."""
        return self.first + WINDOW >= self.count

    def back(self) -> None:
        """Show the rows before."""
        self.first = max(0, self.first - WINDOW)

    def forward(self) -> None:
        """Show the rows behind, which are here."""
        self.first += WINDOW
        self._keep_window()

    def _keep_window(self) -> None:
        while self.first and self.first >= self.count:
            self.first = max(0, self.first - WINDOW)


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
