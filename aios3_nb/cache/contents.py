"""What is in the local cache, as people see it: listed, checked, cleared."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from aios3_nb.address import S3Uri
from aios3_nb.cache.kept import DamagedError, Kept
from aios3_nb.cache.store import Cache
from aios3_nb.errors import OptionError
from aios3_nb.settings import current
from aios3_nb.text import counted, size_text, table_html, visible

_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class CachedObject:
    """One version of one object in the local cache.

    Attributes:
        uri: Its address, as ``s3://bucket/key``.
        endpoint_url: Of the server that it came from; empty for AWS.
        size: Bytes.
        etag: Of the version, with its quotes.
        used: When it was last read or written.
        verdict: What it was checked by when it came.
        path: Its file.
    """

    uri: str
    endpoint_url: str
    size: int
    etag: str
    used: datetime.datetime
    verdict: str
    path: Path


def cached(prefix: str = "", *, cache_dir: str | None = None) -> Cached:
    """Return what is in the local cache, what was used last first; `Cached` can be checked and cleared.

    Args:
        prefix: Only what begins so, such as ``s3://bucket/models/``.
        cache_dir: Folder of the cache, instead of the one in the settings.

    Raises:
        OptionError: The folder is not the user's own.
    """
    return Cached(Cache(current(cache_dir=cache_dir)), prefix)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of cached objects found.

    Attributes:
        size: Bytes that were read.
        count: Objects that were.
        damaged: Those that are damaged, and were removed.
    """

    size: int
    count: int
    damaged: tuple[CachedObject, ...]

    def __repr__(self) -> str:
        lines = [f"Removed, for it was damaged: {visible(one.uri)}" for one in self.damaged]
        good = f"Checked {_amount(self.count, self.size)}; {len(self.damaged) or 'nothing'} was damaged."
        return "\n".join([*lines, good])


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was removed from the cache.

    Attributes:
        size: Bytes.
        count: Objects.
    """

    size: int
    count: int

    def __repr__(self) -> str:
        return f"Removed {_amount(self.count, self.size)}."


class Cached(Sequence[CachedObject]):
    """What is in the local cache; it shows itself as a table.

    Args:
        cache: The cache.
        prefix: What the addresses begin with.

    Attributes:
        folder: Where it lies.
    """

    def __init__(self, cache: Cache, prefix: str = "") -> None:
        self.folder = cache.folder
        self._cache = cache
        try:
            found = list(_objects(cache, prefix))
        except OSError as exc:
            raise OptionError(f"The cache cannot be used: {visible(str(exc))}") from None
        self._objects = sorted(found, key=lambda one: one.used, reverse=True)

    @overload
    def __getitem__(self, index: int) -> CachedObject: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CachedObject]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._objects[index]

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(one.size for one in self)

    def check(self) -> Checked:
        """Read all of them, and remove those that are damaged; return which these were."""
        damaged = []
        for one in self:
            try:
                with Kept(one.path) as kept:
                    kept.check()
            except DamagedError:
                self._cache.discard(one.path)
                damaged.append(one)
            except OSError:
                continue  # gone meanwhile
        report = Checked(self.size, len(self), tuple(damaged))
        self._objects = [one for one in self._objects if one not in damaged]
        return report

    def clear(self) -> Cleared:
        """Remove all of them."""
        report = Cleared(self.size, len(self))
        for one in self:
            self._cache.discard(one.path)
        self._objects = []
        return report

    @property
    def summary(self) -> str:
        """How much there is, and where, in one line."""
        return f"{_amount(len(self), self.size)}, in {visible(str(self.folder))}"

    def __repr__(self) -> str:
        rows = [f"{size:>8}  {used}  {name}" for name, size, used, _ in self._rows()]
        return "\n".join([*rows, self.summary])

    def _repr_html_(self) -> str:
        return table_html(
            self._rows(), head=("object", "size", "last used", "checked"), note=self.summary, numbers={1, 2}
        )

    def _rows(self) -> Iterator[tuple[str, str, str, str]]:
        for one in self._objects[:_SHOWN]:
            server = f" at {one.endpoint_url}" if one.endpoint_url else ""
            yield (
                f"{visible(one.uri)}{visible(server)}", size_text(one.size), f"{one.used:%Y-%m-%d %H:%M}", one.verdict,
            )  # fmt: skip


def _amount(count: int, size: int) -> str:
    return f"{counted(count, 'object')}, {size_text(size)}"


def _objects(cache: Cache, prefix: str) -> Iterator[CachedObject]:
    for one in cache.stored():
        if not one.is_whole:
            continue
        try:
            with Kept(one.path) as kept:
                entry = kept.entry
        except DamagedError:
            cache.discard(one.path)
            continue
        except OSError:
            continue
        uri = str(S3Uri(entry.place.bucket, entry.place.key, entry.place.version_id or None))
        if uri.startswith(prefix):
            used = datetime.datetime.fromtimestamp(one.used).astimezone()
            yield CachedObject(
                uri, entry.place.endpoint_url, entry.size, entry.etag, used, visible(entry.verdict), one.path
            )
