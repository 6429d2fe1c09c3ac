"""What is where, in fsspec's words: folders are prefixes, and what is told of an object is what S3 tells now.

::

    info ──> HEAD    ls, find, glob ──> listing    (nothing is kept unless asked for)

Paths are ``bucket/key``.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from fsspec.asyn import AsyncFileSystem
from fsspec.utils import stringify_path, tokenize

from aios3_nb.address import S3Uri
from aios3_nb.errors import ObjectNotFoundError
from aios3_nb.filesystems.entries import answered, described, folder, path_of, stripped, uri_of
from aios3_nb.filesystems.options import OURS, sorted_out
from aios3_nb.loop import background
from aios3_nb.s3 import Entry, ask, list_buckets, list_page, signed_url, walk
from aios3_nb.settings import travelling
from aios3_nb.text import visible


class Folders(AsyncFileSystem):  # type: ignore[misc]  # fsspec is not typed
    """What is where: folders, names, sizes and times; the base of the file system, which reads and writes as well."""

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
        taken = {name: value for name, value in travelling(self.settings).items() if name in OURS}
        options = {**taken, **self._for_fsspec}
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

    async def _ask(self, operation: str, uri: S3Uri, **arguments: Any) -> Any:
        if uri.version_id:
            arguments["VersionId"] = uri.version_id
        if self.settings.request_payer:
            arguments["RequestPayer"] = self.settings.request_payer
        return await ask(operation, uri, self.settings, Bucket=uri.bucket, Key=uri.key, **arguments)


def _made(kind: type[Folders], options: dict[str, Any]) -> Folders:
    return kind(**options)


def _is_marker(entry: Entry) -> bool:
    return entry.is_prefix or entry.uri.key.endswith("/")
