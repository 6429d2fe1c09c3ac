"""What the bucket browser shows of one place: its rows, their order, and its state. No widgets and no S3 here.

One `Question` is asked at a time. Every new one gets a higher generation; answers to an earlier one are dropped.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from aios3_nb.address import S3Uri
from aios3_nb.browser.kept import Column, Kept
from aios3_nb.errors import AccessDeniedError
from aios3_nb.s3 import Entry

State = Literal["loading", "searching", "rows", "empty", "denied", "error"]


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


_Rows = tuple[tuple[Kept, Sequence[int]], tuple[Kept, Sequence[int]]]
_Made = tuple[int, int, int]
"""Edition, folders and objects that an order was made for."""


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
        self._kept = (Kept(), Kept())
        self._orders: tuple[_Made, _Rows] | None = None

    # ---- asking and answering

    def begin(self, question: Question) -> int:
        """Forget the last answer; return the generation of the new one."""
        self.question = question
        self.token, self.looked = "", 0
        self.listed_at = None
        self.wants_all = False
        self._kept = (Kept(question.where), Kept(question.where))
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
        folders, objects = self._kept
        more_folders = [entry for entry in batch.entries if entry.is_prefix]
        if not self._is_as_listed or (more_folders and objects):
            self._moved()
        folders.extend(more_folders)
        objects.extend(entry for entry in batch.entries if not entry.is_prefix)
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
        folders, objects = self._kept
        self._kept = (folders, objects.without(uris))
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
        folders, objects = self._kept
        return len(folders) + len(objects)

    def rows(self, start: int = 0, stop: int | None = None) -> list[Entry]:
        """Return the rows from `start` to `stop`, as they stand below each other; all of them by default."""
        (folders, first), (objects, second) = self._rows()
        behind = len(first)
        stop = behind + len(second) if stop is None else stop
        found = [folders[at] for at in first[start:stop]]
        return found + [objects[at] for at in second[max(0, start - behind) : max(0, stop - behind)]]

    def find(self, text: str, start: int) -> int | None:
        """Return the first row from `start` on whose name begins with `text`, in upper or lower case; it goes round.

        None if there is none: then a million names were looked at, which takes a second.
        """
        text = text.casefold()
        (folders, first), (objects, second) = self._rows()
        behind, count = len(first), len(first) + len(second)
        for row in itertools.chain(range(start, count), range(min(start, count))):
            name = folders.name(first[row]) if row < behind else objects.name(second[row - behind])
            if name.casefold().startswith(text):
                return row
        return None

    def place_of(self, uri: S3Uri) -> int | None:
        """Return the row of `uri`; None if it has none."""
        before = 0
        for kept, order in self._rows():
            at = kept.place_of(uri)
            if at is not None:
                return before + order.index(at)
            before += len(order)
        return None

    def sort_by(self, column: Column, *, descending: bool) -> None:
        """Put what is here in another order."""
        self.sort, self.descending = column, descending
        self._moved()

    def turn(self, column: Column) -> None:
        """Sort by `column`, the largest and the newest first; by the one that it is sorted by, the other way round."""
        known = column == self.sort
        self.sort_by(column, descending=not self.descending if known else column in ("size", "modified"))

    @property
    def _is_as_listed(self) -> bool:
        return self.sort == "name" and not self.descending

    def _moved(self) -> None:
        self.edition += 1
        self._orders = None

    def _rows(self) -> _Rows:
        """Return folders and objects, each with the order of its rows; they may be looked at from any thread."""
        folders, objects = self._kept
        if self._is_as_listed:
            return (folders, range(len(folders))), (objects, range(len(objects)))
        # What is here may change while another thread puts it in order: then that order is for nobody.
        made = (self.edition, len(folders), len(objects))
        if (kept := self._orders) is not None and kept[0] == made:
            return kept[1]
        column, descending = self.sort, self.descending
        first, second = (each.order(column, descending=descending) for each in (folders, objects))
        orders = ((folders, first), (objects, second))
        self._orders = (made, orders)
        return orders


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
