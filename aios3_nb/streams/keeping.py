"""An object's bytes, as they come from S3 and are read, go into the local cache too."""

from __future__ import annotations

import math
from collections.abc import Callable

from aios3_nb.cache import Cache, CacheEntry, Place, Writer
from aios3_nb.streams import bulk
from aios3_nb.streams.object import ObjectInfo
from aios3_nb.text import visible, warn


class Keeping:
    """Hands an object's bytes to the cache, once it is told which; it gives up at the first failure, with a warning.

    Its methods are called on the stream's loop.

    Args:
        cache: Where to.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._writer: Writer | None = None
        self._entry: CacheEntry | None = None
        self._is_writing = False

    @property
    def position(self) -> int:
        """Bytes of the object that it has, from the first one on."""
        return self._writer.position if self._writer is not None else 0

    @property
    def lacks(self) -> float:
        """How many bytes it still needs; infinitely many when nothing is kept."""
        if self._writer is None or self._entry is None:
            return math.inf
        return self._entry.size - self._writer.position

    def begin(self, place: Place, info: ObjectInfo) -> None:
        """Keep what comes, all of the object `info` at `place`; one that nothing tells from another is not kept."""
        if not info.size or not info.etag or info.etag.startswith("W/"):
            return
        self._entry = CacheEntry(place, info.etag, info.size)
        try:
            self._writer = self._cache.writer(info.size)
        except OSError as exc:
            warn_of_cache(exc)
        self._give_up_if_failed()

    async def take(self, start: int, data: memoryview) -> None:
        """Write `data`, the bytes from `start` on."""
        writer = self._writer
        if writer is None:
            return
        if len(data) < bulk.LONG:
            writer.put(start, data)
        else:
            await self._beside(lambda: writer.put(start, data))
        self._give_up_if_failed()

    async def end(self, verdict: str) -> None:
        """Have the object in the cache from now on, if all of it came; `verdict` is what it was checked by."""
        writer, entry = self._writer, self._entry
        if writer is None or entry is None or writer.position < entry.size:
            self.abandon()
            return

        def keep() -> None:
            writer.keep(entry, verdict)
            self._cache.make_room(entry.size)

        await self._beside(keep)
        self._give_up_if_failed()
        self._writer = None

    def abandon(self) -> None:
        """Keep nothing, and leave nothing behind."""
        writer, self._writer = self._writer, None
        if writer is not None and not self._is_writing:
            writer.abandon()

    async def _beside(self, call: Callable[[], None]) -> None:
        writer = self._writer
        self._is_writing = True
        try:
            await bulk.beside(call)
        finally:
            self._is_writing = False
            if self._writer is None and writer is not None:  # abandoned meanwhile
                writer.abandon()

    def _give_up_if_failed(self) -> None:
        if self._writer is not None and self._writer.why_not:
            why, self._writer = self._writer.why_not, None
            warn(f"Not kept in the cache: {visible(why)}.")


def warn_of_cache(exc: OSError) -> None:
    """Say that the cache cannot be used, and why."""
    warn(f"The cache is not used: {visible(exc.strerror or str(exc))}.")
