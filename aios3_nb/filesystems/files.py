"""The class that fsspec, and through it every other library, calls.

::

    open, cat, get  ──> S3File, read_ranges ──> one version, checked where it can be
    pipe, put, open("wb") ──> Upload        ──> whole, or not at all

Folders are prefixes: none is made or needs to be, and none is left when its last key goes. `Folders` looks around.

See: https://filesystem-spec.readthedocs.io/en/latest/developer.html
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.compression import compr
from fsspec.core import get_compression
from fsspec.utils import isfilelike

from aios3_nb.address import S3Uri
from aios3_nb.errors import ObjectExistsError, ObjectNotFoundError, OptionError
from aios3_nb.filesystems.entries import path_of, uri_of
from aios3_nb.filesystems.folders import Folders
from aios3_nb.filesystems.mirror import mirrored
from aios3_nb.filesystems.writer import Packed, S3Writer, TextWriter
from aios3_nb.pipeline import Order, open_file
from aios3_nb.s3 import copy_object, remove_objects, save, walk
from aios3_nb.streams import MAX_GAP, Monitor, ObjectSource, S3File, Wanted, read_ranges
from aios3_nb.text import visible

_COPY = 8 << 20
"""Bytes that are written to a local file at once."""

_AT_ONCE = 32
"""Objects of one call that are read at once."""


class S3FileSystem(Folders):
    """A file system of fsspec over S3; see `aios3_nb.filesystem` for its options.

    Its coroutines run on whichever loop awaits them, each loop with connections of its own; its sync methods work
    anywhere, also under a running loop and in a forked child. It pickles without secrets: credentials are found again
    on the other side, and the settings go along.
    """

    # ---- reading

    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        uri = uri_of(self._strip_protocol(path))
        if start is None and end is None:
            async with self._file(uri, whole=True) as file:
                data = await file.aread()
                await file.afinish()
                return data
        [data] = await read_ranges(ObjectSource(uri, self.settings, Monitor()), [Wanted(start, end)], self.settings)
        return data

    async def _cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        batch_size: int | None = None,
        on_error: str = "return",
        **_: Any,
    ) -> list[Any]:
        if not isinstance(paths, list):
            raise TypeError("cat_ranges takes a list of paths")
        starts = list(starts) if isinstance(starts, Sequence) else [starts] * len(paths)
        ends = list(ends) if isinstance(ends, Sequence) else [ends] * len(paths)
        if not len(starts) == len(ends) == len(paths):
            raise ValueError(f"{len(paths)} paths, {len(starts)} starts and {len(ends)} ends were given")
        places: dict[str, list[int]] = defaultdict(list)
        for place, path in enumerate(paths):
            places[self._strip_protocol(path)].append(place)
        gate = asyncio.Semaphore(batch_size or _AT_ONCE)
        out: list[Any] = [None] * len(paths)

        async def one(path: str, mine: list[int]) -> None:
            wanted = [Wanted(starts[place], ends[place]) for place in mine]
            source = ObjectSource(uri_of(path), self.settings, Monitor())
            gap = MAX_GAP if max_gap is None else max_gap
            try:
                async with gate:
                    found: list[Any] = await read_ranges(source, wanted, self.settings, max_gap=gap)
            except Exception as exc:
                if on_error != "return":
                    raise
                found = [exc] * len(mine)
            for place, data in zip(mine, found, strict=True):
                out[place] = data

        for outcome in await asyncio.gather(*(one(*place) for place in places.items()), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        return out

    async def _get_file(self, rpath: str, lpath: Any, callback: Any = DEFAULT_CALLBACK, **_: Any) -> None:
        uri = uri_of(self._strip_protocol(rpath))
        async with self._file(uri, whole=True) as file:
            try:
                callback.set_size(await file.asize())
            except ObjectNotFoundError:
                if isfilelike(lpath) or not await self._isdir(rpath):
                    raise
                os.makedirs(lpath, exist_ok=True)
                return
            if isfilelike(lpath):
                await _drain(file, lpath, callback)
                return
            # Beside its place and then there at once: nobody sees half of it.
            target = Path(lpath)
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name[:100]}.", delete=False) as part:
                try:
                    await _drain(file, part, callback)
                    part.close()
                    os.chmod(part.name, 0o666 & ~_umask())
                    os.replace(part.name, target)
                except BaseException:
                    os.unlink(part.name)
                    raise

    def _open(self, path: str, mode: str = "rb", autocommit: bool = True, **_: Any) -> Any:
        uri = uri_of(self._strip_protocol(path))
        if mode == "rb":
            if self.version_aware and uri.version_id is None and (version := self.info(path).get("VersionId")):
                uri = S3Uri(uri.bucket, uri.key, version)
            return self._file(uri, whole=False)
        if mode not in ("wb", "xb"):
            raise OptionError(
                f"mode={mode!r} is not possible: objects of S3 are read (rb) or written whole (wb, xb).", uri=str(uri)
            )
        if mode == "xb" and self.exists(path):
            raise _exists(uri)
        self.invalidate_cache(path)
        return S3Writer(uri, self.settings, replace=mode == "wb", autocommit=autocommit)

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        cache_options: dict[str, Any] | None = None,
        compression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the file; one that is written and left by an error stores nothing, also as text or compressed."""
        if "r" in mode:
            return super().open(path, mode, block_size, cache_options, compression, **kwargs)
        text = {name: kwargs.pop(name) for name in ("encoding", "errors", "newline") if name in kwargs}
        file = super().open(path, mode.replace("t", "").replace("b", "") + "b", **kwargs)
        if (codec := get_compression(path, compression)) is not None:
            file = Packed(compr[codec](file, mode="wb"), file)
        return file if "b" in mode else TextWriter(file, **text)

    def _file(self, uri: S3Uri, *, whole: bool) -> S3File:
        return open_file(Order(uri=uri, settings=self.settings), Monitor(), whole=whole)

    # ---- writing

    async def _pipe_file(self, path: str, value: Any, mode: str = "overwrite", **_: Any) -> None:
        await self._save(path, value, mode)

    async def _put_file(
        self, lpath: str, rpath: str, mode: str = "overwrite", callback: Any = DEFAULT_CALLBACK, **_: Any
    ) -> None:
        if os.path.isdir(lpath):
            return  # S3 has no folders to make
        with open(lpath, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            callback.set_size(size)
            await self._save(rpath, file, mode)
            callback.relative_update(size)

    async def _save(self, path: str, body: Any, mode: str) -> None:
        uri = uri_of(self._strip_protocol(path))
        if mode not in ("overwrite", "create"):
            raise OptionError(f"mode={mode!r} does not fit: overwrite or create.", uri=str(uri))
        # Asked as well, for stores that know no condition on what is written.
        if mode == "create" and await self._exists(path):
            raise _exists(uri)
        await save(uri, body, self.settings, replace=mode == "overwrite")
        self.invalidate_cache(path)

    async def _cp_file(self, path1: str, path2: str, **_: Any) -> None:
        await copy_object(uri_of(self._strip_protocol(path1)), uri_of(self._strip_protocol(path2)), self.settings)
        self.invalidate_cache(path2)

    async def _rm_file(self, path: str, **_: Any) -> None:
        await remove_objects([uri_of(self._strip_protocol(path))], self.settings)
        self.invalidate_cache(path)

    async def _rm(
        self, path: Any, recursive: bool = False, batch_size: int | None = None, maxdepth: int | None = None, **_: Any
    ) -> None:
        gone: list[S3Uri] = []
        for one in await self._expand_path(path, maxdepth=maxdepth):
            below = await self._below(one, maxdepth) if recursive else []
            if (await self._info(one))["type"] == "file":
                below.append(uri_of(one))
            elif not recursive:
                raise IsADirectoryError(f"{visible(one)} is a folder. Say recursive=True to delete all below it.")
            gone += below
        await remove_objects(gone, self.settings)
        for uri in gone:
            self.invalidate_cache(path_of(uri))

    async def _below(self, path: str, maxdepth: int | None) -> list[S3Uri]:
        """Return the objects in a folder, with those that only stand for folders."""
        prefix = uri_of(path).as_prefix
        entries = [entry.uri async for entry in walk(prefix, self.settings, delimiter="")]
        return [
            uri
            for uri in entries
            if maxdepth is None or uri.key.removeprefix(prefix.key).rstrip("/").count("/") < maxdepth
        ]


mirrored(S3FileSystem)


def _exists(uri: S3Uri) -> ObjectExistsError:
    return ObjectExistsError(f"{visible(str(uri))} exists already, and was not replaced.", uri=str(uri))


async def _drain(file: S3File, into: Any, callback: Any) -> None:
    buffer = memoryview(bytearray(_COPY))
    while count := await file.areadinto(buffer):
        into.write(buffer[:count])
        callback.relative_update(count)
    await file.afinish()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
