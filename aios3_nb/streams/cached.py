"""An object's bytes from the local cache, as long as S3 says that they are the ones it has; else from S3.

::

    in the cache? ── no ──────────────────────────────────────────> ObjectStream ──> reader
        └ yes: GET, If-None-Match ── 200: another version ────────>      │
                     └ 304 ──> Kept, block by block ──> reader           └──> Keeping ──> the cache
                                   └ damaged: removed, and on from there: ObjectStream of this version

Who reads notices nothing of it but the time. What fails at the cache itself is one warning, and the load goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from aios3_nb.cache import BLOCK, Cache, CacheEntry, DamagedError, Kept, Place
from aios3_nb.errors import ObjectNotFoundError
from aios3_nb.s3 import client_for, endpoint_of
from aios3_nb.settings import MIB, Settings
from aios3_nb.streams import bulk
from aios3_nb.streams.cursor import Stream
from aios3_nb.streams.keeping import Keeping, warn_of_cache
from aios3_nb.streams.object import Monitor, ObjectInfo
from aios3_nb.streams.plan import Share
from aios3_nb.streams.requests import UnchangedError
from aios3_nb.streams.source import ObjectSource
from aios3_nb.streams.stream import ObjectStream
from aios3_nb.text import visible, warn

_DRAIN = 64 * MIB
"""Bytes behind the end of what was decoded that are read only to keep the object whole."""

_AT_ONCE = 8 * MIB
"""Bytes that are read from disk at once."""


class CachedStream(Stream):
    """The bytes of one version of one object, from the cache or from S3; see `ObjectStream`.

    Args:
        source: The object.
        settings: ``cache`` and ``verify`` count, besides what `ObjectStream` takes from them.
        monitor: Told about phases and bytes.
        whole, share: As of `ObjectStream`; what is read whole is kept, too.
    """

    def __init__(
        self, source: ObjectSource, settings: Settings, monitor: Monitor, *, whole: bool, share: Share | None = None
    ) -> None:
        self._source = source
        self._settings = settings
        self._monitor = monitor
        self.whole, self._keeps = whole, whole and not self._offline and settings.verify != "off"
        self._cache = Cache(settings)
        self._keeping = Keeping(self._cache)
        self._live = ObjectStream(source, settings, monitor, whole=whole, tee=self._keeping, share=share)
        self._kept: Kept | None = None
        self._info = source.info
        self._chosen = False
        self._is_reading = False
        self._reached = 0
        self._failure: BaseException | None = None

    @property
    def info(self) -> ObjectInfo | None:
        """The version that is read; None before the first answer."""
        return self._info

    async def size(self) -> int:
        """Return the object's length."""
        if self._info is None:
            await self._choose(0, 1)
        self._raise_failure()
        assert self._info is not None
        return self._info.size

    async def window(self, position: int, want: int = 1) -> memoryview:
        """Return the bytes at `position` that are there: at least `want`, or those to the end of a block or part."""
        await self._choose(position, want)
        kept = self._kept
        if kept is None:
            return await self._live.window(position, want)
        if position >= kept.entry.size:
            return memoryview(b"")
        number, inside = divmod(position, BLOCK)
        data = b""

        def read() -> None:
            nonlocal data
            data = kept.block(number, checked=self._checks)

        if not await self._read(read):
            return await self._live.window(position, want)
        self._count(number * BLOCK + len(data))
        return memoryview(data)[inside:]

    async def readinto(self, position: int, view: memoryview) -> int:
        """Fill `view` from `position` on, until it is full or the object ends; return the bytes written."""
        await self._choose(position, len(view))
        kept = self._kept
        if kept is None:
            return await self._live.readinto(position, view)
        count = max(0, min(len(view), kept.entry.size - position))
        for start in range(0, count, _AT_ONCE):
            part = view[start : min(start + _AT_ONCE, count)]
            if not await self._read(partial(kept.read_into, position + start, part, checked=self._checks)):
                return start + await self._live.readinto(position + start, view[start:])
            self._count(position + start + len(part))
        return count

    async def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each of `ranges`; see `ObjectStream.read_ranges`."""
        await self._choose(0, 1)
        if self._kept is None:
            return await self._live.read_ranges(ranges)
        found = []
        for start, stop in ranges:
            memory = memoryview(bytearray(stop - start))
            found.append(bytes(memory[: await self.readinto(start, memory)]))
        return found

    async def mapped(self) -> memoryview | None:
        """Return all of the object, checked, as memory that is its file's own; None where it has to be read.

        Whoever changes it changes nothing in the cache.
        """
        await self._choose(0, 1)
        kept = self._kept
        if kept is None or (view := kept.mapped()) is None:
            return None
        for first in range(0, kept.blocks, _AT_ONCE // BLOCK):
            stop = first + _AT_ONCE // BLOCK
            if self._checks and not await self._read(partial(kept.check, first, stop)):
                return None
            self._count(min(stop * BLOCK, kept.entry.size))
        return view

    async def finish(self) -> str:
        """Return what the closing line says of the cache and of the checksum; keep what came, if it is whole."""
        await self._choose(0, 1)
        if self._kept is not None:
            asked = "without asking S3 (offline)" if self._offline else "unchanged"
            return f"from the cache, {asked}, {self._kept.entry.verdict}"
        await self._drain()
        verdict = await self._live.finish()
        await self._keeping.end(verdict)
        return verdict

    async def aclose(self) -> None:
        """Stop fetching, close what is open, and wait until all tasks have ended."""
        self.abort(ValueError("I/O operation on closed file."))
        await self._live.aclose()

    def abort(self, failure: BaseException) -> None:
        """Stop fetching; from now on every read raises `failure`. Must be called on the stream's loop."""
        if self._failure is None:
            self._failure = failure
        self._live.abort(self._failure)
        self._keeping.abandon()
        if self._kept is not None and not self._is_reading:
            self._kept.close()

    # ---- which of the two

    @property
    def _offline(self) -> bool:
        return self._settings.cache == "offline"

    @property
    def _checks(self) -> bool:
        return self._settings.verify != "off"

    async def _choose(self, position: int, want: int) -> None:
        """Find out where the bytes come from; `want` of them at `position` will be read first."""
        self._raise_failure()
        if self._chosen:
            return
        place = await self._place()
        kept = self._found(place, self._info)
        if self._offline and kept is None:
            raise self._not_there()
        if not self._offline and (kept is None or not await self._is_unchanged(kept, position, want)):
            await self._live.begin(position, want)
            self._info = self._live.info
            # That may be here as well: of two that take turns, or behind a proxy that passes no conditions on.
            kept = self._found(place, self._info) if kept is not None else None
        if kept is not None:
            self._take(kept, place)
        elif self._keeps and not position:
            assert self._info is not None
            self._keeping.begin(place, self._info)
        self._chosen = True
        self._raise_failure()

    async def _place(self) -> Place:
        # Offline without credentials: to look for some may be to ask somebody.
        settings = replace(self._settings, no_sign_request=True) if self._offline else self._settings
        uri = self._source.uri
        return Place(endpoint_of(await client_for(settings)), uri.bucket, uri.key, uri.version_id or "")

    def _found(self, place: Place, info: ObjectInfo | None) -> Kept | None:
        entry = CacheEntry(place, info.etag, info.size) if info is not None else None
        try:
            kept = self._cache.find(place, entry)
        except OSError as exc:
            warn_of_cache(exc)
            return None
        if kept is not None and self._settings.verify == "require" and not kept.entry.verdict.endswith(" ok"):
            kept.close()
            return None
        return kept

    async def _is_unchanged(self, kept: Kept, position: int, want: int) -> bool:
        """Ask S3 whether it has the version that is kept; when it has another one, that has begun to come."""
        try:
            await self._live.begin(position, want, unless=kept.entry.etag)
        except UnchangedError:
            return True
        except BaseException:
            kept.close()
            raise
        kept.close()
        return False

    def _take(self, kept: Kept, place: Place) -> None:
        uri = self._source.uri
        self._live.abort(UnchangedError())
        self._kept = kept
        self._info = ObjectInfo(
            uri, kept.entry.size, kept.entry.etag, uri.version_id, endpoint_url=place.endpoint_url, is_cached=True
        )
        self._monitor.opened(self._info)
        self._monitor.phase("reading the cache")

    def _not_there(self) -> ObjectNotFoundError:
        name = self._source.name
        return ObjectNotFoundError(
            f"{name} is not in the cache, and --cache offline asks nobody else, also not what matches a pattern. "
            "Load it once without.",
            uri=str(self._source.uri),
        )

    # ---- reading what is kept

    async def _read(self, call: Callable[[], None]) -> bool:
        """Return whether what is kept could be read; it is removed if not, and what comes next is S3's."""
        kept = self._kept
        assert kept is not None
        self._is_reading = True
        failure: Exception | None = None
        try:
            await bulk.beside(call)
        except (DamagedError, OSError) as exc:
            failure = exc
        finally:
            self._is_reading = False
            if self._failure is not None:  # closed meanwhile
                kept.close()
        self._raise_failure()
        if failure is not None:
            self._leave(kept, failure)
        return failure is None

    def _leave(self, kept: Kept, failure: Exception) -> None:
        """Remove what is damaged, and have the rest of this very version come from S3."""
        self._cache.discard(kept.path)
        kept.close()
        self._kept = None
        warn(
            f"{self._source.name}: its copy in the cache is damaged, and was removed ({visible(str(failure))}).",
            again=True,
        )
        if self._offline:
            raise self._not_there()
        assert self._info is not None
        self._info = replace(self._info, is_cached=False)
        source = ObjectSource(self._source.uri, self._settings, self._monitor, self._info, self._source.portion)
        self._live = ObjectStream(source, self._settings, self._monitor, whole=False)

    def _count(self, stop: int) -> None:
        if stop > self._reached:
            self._monitor.received(stop - self._reached)
            self._reached = stop

    # ---- keeping what comes

    async def _drain(self) -> None:
        """Read what little the cache still lacks."""
        while 0 < self._keeping.lacks <= _DRAIN:
            at = self._keeping.position
            await self._live.window(at)
            if self._keeping.position == at:
                return

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
