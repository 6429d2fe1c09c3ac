"""Entries of a listing, a million of them: in some 100 bytes each, where objects of Python take 400.

Kept are columns: texts one behind the other in one piece of memory, numbers in arrays. An entry is made when it is
looked at. The garbage collector has nothing to walk through, either.
"""

from __future__ import annotations

import datetime
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, overload

from aios3_nb.address import S3Uri
from aios3_nb.s3 import Entry

Column = Literal["name", "size", "modified", "class"]
COLUMNS: tuple[Column, ...] = ("name", "size", "modified", "class")

_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)
_TICK = datetime.timedelta(microseconds=1)
_NO_SIZE = -1
_NO_TIME = -(2**63)
_MOST = 2**63 - 1
"""The largest number of an array; S3's objects end at 50 TB."""


class Texts:
    """Texts that are only ever added to."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, text: str) -> None:
        """Add a text behind the others."""
        self._bytes += _encoded(text)
        self._ends.append(len(self._bytes))  # last: another thread may read what is there

    def take(self, other: Texts, start: int, stop: int) -> None:
        """Add some texts of another."""
        shift = len(self._bytes) - other._ends[start]
        self._bytes += other._bytes[other._ends[start] : other._ends[stop]]
        self._ends.extend(end + shift for end in other._ends[start + 1 : stop + 1])

    def raw(self, at: int) -> bytes:
        """Return a text in UTF-8, which sorts as the text does."""
        return bytes(self._bytes[self._ends[at] : self._ends[at + 1]])

    def __getitem__(self, at: int) -> str:
        return self.raw(at).decode("utf-8", "surrogatepass")

    def find(self, text: str) -> int | None:
        """Return where `text` is; None if it is nowhere."""
        wanted, begin = _encoded(text), 0
        while wanted and (begin := self._bytes.find(wanted, begin)) >= 0:
            at = bisect_right(self._ends, begin) - 1
            # Two texts may have it where one ends and the next begins.
            if self._ends[at] == begin and self._ends[at + 1] == begin + len(wanted):
                return at
            begin += 1
        return None


class Kept(Sequence[Entry]):
    """Entries of one place: buckets, or what is in one of them.

    Args:
        where: The place; None for buckets.
    """

    def __init__(self, where: S3Uri | None = None) -> None:
        self._where = where
        self._names = Texts()
        self._etags = Texts()
        self._sizes = array("q")
        self._times = array("q")
        self._classes = array("L")
        self._class_names: list[str] = []
        self._class_numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._classes)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return [self._entry(at) for at in range(*index.indices(len(self)))]
        return self._entry(range(len(self))[index])

    def __iter__(self) -> Iterator[Entry]:
        return map(self._entry, range(len(self)))

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add entries behind the others."""
        for entry in entries:
            self._names.append(entry.uri.key if self._where is not None else entry.uri.bucket)
            self._etags.append(entry.etag)
            self._sizes.append(_NO_SIZE if entry.size is None else min(max(entry.size, 0), _MOST))
            self._times.append(_ticks(entry.last_modified))
            self._classes.append(self._number_of(entry.storage_class))

    def without(self, uris: Collection[S3Uri]) -> Kept:
        """Return all but those."""
        gone = sorted(at for uri in uris if (at := self.place_of(uri)) is not None)
        rest = Kept(self._where)
        rest._class_names, rest._class_numbers = self._class_names, self._class_numbers
        for start, stop in zip([0, *(at + 1 for at in gone)], [*gone, len(self)], strict=True):
            rest._take(self, start, stop)
        return rest

    def name(self, at: int) -> str:
        """Return the name of an entry alone, as `Entry.name` has it."""
        name = self._names[at].removesuffix("/").rpartition("/")[2]
        return f"{name}/" if self._sizes[at] == _NO_SIZE else name

    def place_of(self, uri: S3Uri) -> int | None:
        """Return where the entry of `uri` is; None if it is nowhere."""
        if self._where is None:
            return None if uri.key else self._names.find(uri.bucket)
        at = self._names.find(uri.key) if uri.bucket == self._where.bucket else None
        return at if at is not None and self._entry(at).uri == uri else None

    def order(self, column: Column, *, descending: bool) -> Sequence[int]:
        """Return the numbers of the entries in the order of `column`."""
        keys: dict[Column, Callable[[int], Any]] = {
            "name": self._names.raw,
            "size": self._sizes.__getitem__,
            "modified": self._times.__getitem__,
            "class": self._class,
        }
        return array("L", sorted(range(len(self)), key=keys[column], reverse=descending))

    def _take(self, other: Kept, start: int, stop: int) -> None:
        self._names.take(other._names, start, stop)
        self._etags.take(other._etags, start, stop)
        for name in ("_sizes", "_times", "_classes"):
            getattr(self, name).extend(getattr(other, name)[start:stop])

    def _class(self, at: int) -> str:
        return self._class_names[self._classes[at]]

    def _number_of(self, name: str) -> int:
        if name not in self._class_numbers:
            self._class_numbers[name] = len(self._class_names)
            self._class_names.append(name)
        return self._class_numbers[name]

    def _entry(self, at: int) -> Entry:
        size, ticks, name = self._sizes[at], self._times[at], self._names[at]
        where = self._where
        return Entry(
            S3Uri(name) if where is None else S3Uri(where.bucket, name, region=where.region),
            size=None if size == _NO_SIZE else size,
            last_modified=None if ticks == _NO_TIME else _EPOCH + ticks * _TICK,
            etag=self._etags[at],
            storage_class=self._class(at),
        )


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # half a character, in a key that some store lets pass


def _ticks(moment: datetime.datetime | None) -> int:
    if moment is None:
        return _NO_TIME
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)
    return (aware - _EPOCH) // _TICK
