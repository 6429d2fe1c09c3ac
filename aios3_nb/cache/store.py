"""The files of the cache: found by address, kept within a bound, the least recently used ones going first.

No file is locked: locks do nothing on some network file systems. Each has its name from what it holds, so two writers
of one object both win, and a reader keeps what it has open. When it was last used is its time of modification.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aios3_nb.cache.entry import NAME, CacheEntry, Place
from aios3_nb.cache.folder import cache_folder, check_folder, make_folder
from aios3_nb.cache.kept import DamagedError, Kept
from aios3_nb.cache.writer import UNFINISHED, Writer, is_left
from aios3_nb.settings import CACHE_SIZE, Settings

_UNSEEN = 64
"""So many processes may each write, unseen by the others, the part of the bound that is left free for that."""

# What is called otherwise is not the cache's, and never touched.
_FOLDER = re.compile(r"[0-9a-f]{2}")
_UNFINISHED = re.compile(rf".+\.\d+\.[0-9a-f]{{16}}{re.escape(UNFINISHED)}")

_written: dict[Path, int] = {}
"""Bytes that this process has written to a folder since it looked what is there."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One file in the folder.

    Attributes:
        path: Where it is.
        size: Bytes.
        used: When it was last read or written, in seconds since 1970.
    """

    path: Path
    size: int
    used: float

    @property
    def is_whole(self) -> bool:
        """Whether it is an object, and not one that is still being written."""
        return not self.path.name.endswith(UNFINISHED)


class Cache:
    """The cached objects of a user.

    Args:
        settings: ``cache`` says how large it may be, ``cache_dir`` where it is.

    Attributes:
        folder: Where they lie.
        most: Bytes that they may take.
    """

    def __init__(self, settings: Settings) -> None:
        self.folder = cache_folder(settings)
        self.most = settings.cache if isinstance(settings.cache, int) else CACHE_SIZE

    def find(self, place: Place, entry: CacheEntry | None = None) -> Kept | None:
        """Return the version of the object at `place` that was used last, or the one that `entry` names; None else.

        Raises:
            OSError: The folder is not the user's own.
        """
        if not self._is_there():
            return None
        names = [entry.name] if entry is not None else self._versions(place)
        for name in names:
            path = self.folder / name[:2] / name
            try:
                kept = Kept(path)
            except FileNotFoundError:
                continue
            except DamagedError:
                self.discard(path)
                continue
            with contextlib.suppress(OSError):
                os.utime(path)
            return kept
        return None

    def writer(self, size: int) -> Writer | None:
        """Return what takes an object of `size` bytes; None when the cache is too small for it.

        Raises:
            OSError: The folder cannot be used.
        """
        if size > self._goal:
            return None
        make_folder(self.folder)
        self.make_room(size, more=size)
        return Writer(self.folder)

    def make_room(self, size: int, *, more: int = 0) -> None:
        """Remove what was used least recently, as an object of `size` bytes comes, of which `more` are not there yet.

        The folder is looked through when this process has written a good part of what may be written unseen.
        """
        unseen = _written.get(self.folder)
        if unseen is not None and (unseen + size) * _UNSEEN <= self.most:
            _written[self.folder] = unseen + size
            return
        there = sorted(self.stored(), key=lambda one: one.used)
        total = more + sum(one.size for one in there)
        for one in there:
            if total <= self._goal:
                break
            if one.is_whole:
                self.discard(one.path)
                total -= one.size
        _written[self.folder] = 0

    def stored(self) -> Iterator[Stored]:
        """Yield every file of the cache; what was left unfinished by a process that is gone is removed."""
        if not self._is_there():
            return
        now = time.time()
        for found in _scanned(self.folder):
            if _FOLDER.fullmatch(found.name):
                yield from (_stored(each) for each in _scanned(Path(found.path)) if NAME.fullmatch(each.name))
            elif _UNFINISHED.fullmatch(found.name):
                one = _stored(found)
                if is_left(found.name, now - one.used):
                    self.discard(one.path)
                else:
                    yield one

    def discard(self, path: Path) -> None:
        """Remove the file at `path`; who reads it goes on reading."""
        with contextlib.suppress(OSError):  # gone already; or, on Windows, being read
            path.unlink()

    @property
    def _goal(self) -> int:
        return self.most - self.most // 16

    def _is_there(self) -> bool:
        try:
            check_folder(self.folder)
        except FileNotFoundError:
            return False
        return True

    def _versions(self, place: Place) -> list[str]:
        start = place.hash
        found = [_stored(each) for each in _scanned(self.folder / start[:2]) if each.name.startswith(start)]
        return [one.path.name for one in sorted(found, key=lambda one: -one.used)]


def _scanned(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _stored(found: os.DirEntry[str]) -> Stored:
    try:
        about = found.stat(follow_symlinks=False)
    except FileNotFoundError:  # removed meanwhile
        return Stored(Path(found.path), 0, 0.0)
    return Stored(Path(found.path), about.st_size, about.st_mtime)
