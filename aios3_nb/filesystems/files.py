"""The class that fsspec, and through it every other library, calls.

::

    open, cat, get  ──> S3File, read_ranges ──> one version, checked where it can be
    pipe, put, open("wb") ──> Upload        ──> whole, or not at all
    info ──> HEAD    ls, find ──> listing   ──> as it is now: nothing is kept unless asked for

Paths are ``bucket/key``. Folders are prefixes: none is made or needs to be, and none is left when its last key goes.

See: https://filesystem-spec.readthedocs.io/en/latest/developer.html
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from fsspec.asyn import AsyncFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.compression import compr
from fsspec.core import get_compression
from fsspec.utils import isfilelike, stringify_path, tokenize

from aios3_nb.address import S3Uri
from aios3_nb.errors import ObjectExistsError, ObjectNotFoundError, OptionError
from aios3_nb.filesystems.entries import answered, described, folder, path_of, stripped, uri_of
from aios3_nb.filesystems.mirror import mirrored
from aios3_nb.filesystems.options import sorted_out
from aios3_nb.filesystems.writer import Packed, S3Writer, TextWriter
from aios3_nb.loop import background
from aios3_nb.pipeline import Order, open_file
from aios3_nb.s3 import (
    Entry,
    ask,
    copy_object,
    list_buckets,
    list_page,
    remove_objects,
    save,
    signed_url,
    walk,
)
from aios3_nb.settings import travelling
from aios3_nb.streams import MAX_GAP, Monitor, ObjectSource, S3File, Wanted, read_ranges
from aios3_nb.text import visible

_COPY = 8 << 20
"""Bytes that are written to a local file at once."""

_AT_ONCE = 32
"""Objects of one call that are read at once."""


class S3FileSystem(AsyncFileSystem):  # type: ignore[misc]  # fsspec is not typed
    """A file system of fsspec over S3; see `aios3_nb.filesystem` for its options.

    Its coroutines run on whichever loop awaits them, each loop with connections of its own; its sync methods work
    anywhere, also under a running loop and in a forked child. It pickles without secrets: credentials are found again
    on the other side, and the settings go along.
    """

    protocol: ClassVar[str] = "aios3"
    # Two that look alike may differ: the session's settings are part of each. Making one costs next to nothing.
    cachable = False

    def __init__(self, **options: Any) -> None:
        chosen = sorted_out(options)
        self.settings = chosen.settings
        self.version_aware = chosen.version_aware
        for_fsspec = {"use_listings_cache": False, **chosen.fsspec}
        asynchronous = bool(for_fsspec.pop("asynchronous", False))
        for_fsspec.pop("loop", None)
        # "Asynchronous", so that fsspec starts no loop and no thread of its own.
        super().__init__(asynchronous=True, **for_fsspec)
        self.asynchronous = asynchronous
        self._for_fsspec = for_fsspec

    # ---- what it is

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop for callers that bring coroutines to it; in a forked child that is another one."""
        return None if self.asynchronous else background().loop

    @property
    def fsid(self) -> str:
        """A name that two file systems over the same objects share."""
        return f"aios3_{self.settings.endpoint_url or 'aws'}"

    @property
    def _fs_token(self) -> str:
        return str(tokenize(type(self).__name__, self._options()))

    def _options(self) -> dict[str, Any]:
        options = {**travelling(self.settings), **self._for_fsspec}
        if self.version_aware:
            options["version_aware"] = True
        if self.asynchronous:
            options["asynchronous"] = True
        return options

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (type(self), self._options())

    def __repr__(self) -> str:
        return f"<S3FileSystem {visible(self.settings.endpoint_url or 'AWS')}>"

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return stripped(stringify_path(path))

    # ---- looking

    async def _info(self, path: str, **_: Any) -> dict[str, Any]:
        path = self._strip_protocol(path)
        if not path:
            return folder("")
        uri = uri_of(path)
        if not uri.key:
            await list_page(uri, self.settings, size=1)
            return folder(path)
        try:
            return answered(path, await self._ask("head_object", uri))
        except ObjectNotFoundError:
            if uri.version_id is None and (await list_page(uri.as_prefix, self.settings, delimiter="", size=1)).entries:
                return folder(path)
            raise

    async def _ls(self, path: str, detail: bool = True, refresh: bool = False, **_: Any) -> list[Any]:
        path = self._strip_protocol(path)
        if refresh:
            self.dircache.pop(path, None)
        if path not in self.dircache:
            self.dircache[path] = listed = await self._listed(path)
        else:
            listed = self.dircache[path]
        return list(listed) if detail else [one["name"] for one in listed]

    async def _listed(self, path: str) -> list[dict[str, Any]]:
        if not path:
            return [described(entry) for entry in await list_buckets(self.settings)]
        prefix = uri_of(path).as_prefix
        entries = [entry async for entry in walk(prefix, self.settings)]
        if not entries and prefix.key:
            return [await self._info(path)]  # an object, or nothing
        # A key that ends in "/" stands for the folder itself.
        return [described(entry) for entry in entries if entry.uri != prefix]

    async def _find(
        self,
        path: str,
        maxdepth: int | None = None,
        withdirs: bool = False,
        detail: bool = False,
        prefix: str = "",
        **kwargs: Any,
    ) -> Any:
        if maxdepth is not None and maxdepth < 1:
            raise ValueError("maxdepth must be at least 1")
        path = self._strip_protocol(path)
        if not path:
            found = await super()._find(path, maxdepth=maxdepth, withdirs=withdirs, detail=True, **kwargs)
        else:
            found = await self._found(path, maxdepth, withdirs, prefix)
        names = sorted(found)
        return {name: found[name] for name in names} if detail else names

    async def _found(self, path: str, maxdepth: int | None, withdirs: bool, prefix: str) -> dict[str, Any]:
        root = uri_of(path).as_prefix
        out: dict[str, Any] = {}
        async for entry in self._flat(root, prefix, maxdepth):
            name = path_of(entry.uri)
            parts = name.removeprefix(f"{path}/").split("/")
            if withdirs:
                for depth in range(1, min(len(parts), (maxdepth or len(parts)) + 1)):
                    above = "/".join((path, *parts[:depth]))
                    out.setdefault(above, folder(above))
                if _is_marker(entry) and name != path and (maxdepth is None or len(parts) <= maxdepth):
                    out.setdefault(name, folder(name))
            if not _is_marker(entry) and (maxdepth is None or len(parts) <= maxdepth):
                out[name] = described(entry)
        if withdirs and (out or await self._isdir(path)):
            out.setdefault(path, folder(path))
        if not out and not prefix and await self._isfile(path):
            out[path] = await self._info(path)
        return out

    def _flat(self, root: S3Uri, prefix: str, maxdepth: int | None) -> AsyncIterator[Entry]:
        """Return all entries below `root` that begin with `prefix`: one listing, however many folders there are."""
        start = S3Uri(root.bucket, root.key + prefix)
        return walk(start, self.settings, delimiter="/" if maxdepth == 1 else "")

    async def _glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        plain = self._strip_protocol(path)
        if plain and "?versionId=" in plain and uri_of(plain).version_id:
            found = {plain: await self._info(plain)} if await self._exists(plain) else {}
            return found if kwargs.get("detail") else list(found)
        return await super()._glob(path, maxdepth=maxdepth, **kwargs)

    async def _isdir(self, path: str) -> bool:
        path = self._strip_protocol(path)
        if not path:
            return True
        try:
            # One request, not two: folders are asked for before most writes.
            prefix = uri_of(path).as_prefix
            return bool((await list_page(prefix, self.settings, delimiter="", size=1)).entries) or not prefix.key
        except OSError:
            return False

    async def _created(self, path: str) -> datetime.datetime:
        return await self._modified(path)  # an object is stored at once

    async def _modified(self, path: str) -> datetime.datetime:
        info = await self._info(path)
        if info["type"] == "directory":
            raise IsADirectoryError(f"{visible(path)} is a folder; only objects have a time.")
        time: datetime.datetime = info["LastModified"]
        return time

    async def _checksum(self, path: str) -> int:
        """Return a number that changes with the object: made of its ETag and size."""
        info = await self._info(path)
        return int(hashlib.sha256(f"{info.get('ETag')} {info['size']}".encode()).hexdigest()[:16], 16)

    async def _sign(self, path: str, expiration: int = 100, **_: Any) -> str:
        return await signed_url(uri_of(self._strip_protocol(path)), self.settings, expires=expiration)

    def ukey(self, path: str) -> str:
        """Return a name of this very version, for caches."""
        return str(self.checksum(path))

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget the listings, when any are kept, of `path` and what it is in; None means all."""
        if path is None:
            self.dircache.clear()
            return
        path = self._strip_protocol(path)
        while path:
            self.dircache.pop(path, None)
            path = self._parent(path)
        self.dircache.pop("", None)

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

    async def _ask(self, operation: str, uri: S3Uri, **arguments: Any) -> Any:
        if uri.version_id:
            arguments["VersionId"] = uri.version_id
        if self.settings.request_payer:
            arguments["RequestPayer"] = self.settings.request_payer
        return await ask(operation, uri, self.settings, Bucket=uri.bucket, Key=uri.key, **arguments)


mirrored(S3FileSystem)


def _made(kind: type[S3FileSystem], options: dict[str, Any]) -> S3FileSystem:
    return kind(**options)


def _exists(uri: S3Uri) -> ObjectExistsError:
    return ObjectExistsError(f"{visible(str(uri))} exists already, and was not replaced.", uri=str(uri))


def _is_marker(entry: Entry) -> bool:
    return entry.is_prefix or entry.uri.key.endswith("/")


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
