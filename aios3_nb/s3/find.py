"""What an address names: the object that is called so, what is in the folder, or what a glob matches. In this order.

A name is not a pattern: ``data[1].json`` is that object, where there is one, and only else a glob.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from aios3_nb.address import S3Uri, glob_literal, glob_match, glob_prefix, is_set_aside
from aios3_nb.errors import AccessDeniedError, ObjectNotFoundError, OptionError, ServiceError
from aios3_nb.s3.listing import Entry, list_page, walk
from aios3_nb.s3.request import ask
from aios3_nb.settings import Settings

_FOLDER = "_$folder$"
"""How the empty object in a folder's place ends that Hadoop makes."""


async def list_entries(
    where: S3Uri, settings: Settings, *, pattern: str = "", recursive: bool = False
) -> AsyncIterator[Entry]:
    """Yield what lies under the prefix `where`, or the one object; or what matches `pattern`, if it is neither.

    The marker of a folder is not among what is in the folder.

    Raises:
        AccessDeniedError: This may not be listed, and is no object that may be read.
    """
    there = False

    async def noted() -> AsyncIterator[Entry]:
        nonlocal there
        async for entry in _below(where, settings, recursive=recursive):
            there = True
            yield entry

    try:
        async for entry in _without_markers(noted(), where):
            yield entry
    except AccessDeniedError:
        known = None if there else await stored(where, settings)
        if known is not None:
            yield known
            return
        if there or not pattern:
            raise
    if pattern and not there:
        if recursive:
            raise OptionError("--recursive lists what is below a folder; a glob goes into folders by ** instead.")
        for entry in await _matches(where, pattern, settings):
            yield entry


def base_of(where: S3Uri, pattern: str, found: Iterable[Entry]) -> str:
    """Return the folder that was listed, which the keys of all entries `found` begin with."""
    keys = [entry.uri.key for entry in found]
    bases = [where.as_prefix.key, where.parent.key]
    if pattern:
        bases.append(glob_prefix(pattern).rpartition("/")[0] + "/")
    return next((base for base in bases if all(key.startswith(base) for key in keys)), "")


async def stored(uri: S3Uri, settings: Settings) -> Entry | None:
    """Return the object with just this key; None when there is none, or none that can be seen.

    See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    if not uri.key:
        return None
    arguments = {"Bucket": uri.bucket, "Key": uri.key} | ({"VersionId": uri.version_id} if uri.version_id else {})
    if settings.request_payer:
        arguments["RequestPayer"] = settings.request_payer
    try:
        answer = await ask("head_object", uri, settings, **arguments)
    except ObjectNotFoundError:
        return None
    except (AccessDeniedError, ServiceError):  # this answer has no body, and may not be about the object at all
        return await _listed_first(uri, settings)
    return Entry(
        uri,
        size=int(answer["ContentLength"]),
        last_modified=answer.get("LastModified"),
        etag=answer.get("ETag", ""),
        storage_class=answer.get("StorageClass", ""),
    )


async def _listed_first(uri: S3Uri, settings: Settings) -> Entry | None:
    """Return the object, if a list of what begins with its key begins with it; None also when that is denied."""
    try:
        found = await list_page(uri, settings, delimiter="", size=1)
    except AccessDeniedError:
        return None
    return next((entry for entry in found.entries if entry.uri.key == uri.key), None)


async def list_matching(address: S3Uri, pattern: str, settings: Settings) -> list[Entry]:
    """Return the object that is called `address`; if there is none, those whose keys match the glob `pattern`.

    The one is asked for first, with one request: that needs no permission to list, and no list of a large folder.
    """
    literal = glob_literal(pattern)
    for key in dict.fromkeys((address.key, address.key if literal is None else literal)):
        if (entry := await stored(replace(address, key=key), settings)) is not None:
            return [entry]
    return await _matches(address, pattern, settings)


async def _matches(address: S3Uri, pattern: str, settings: Settings) -> list[Entry]:
    fits = glob_match(pattern)
    found = []
    async for entry in walk(replace(address, key=glob_prefix(pattern)), settings, delimiter=""):
        if fits.fullmatch(entry.uri.key) and not _is_no_data(entry, pattern):
            found.append(entry)
    return found


def _is_no_data(entry: Entry, pattern: str) -> bool:
    """Return whether an object that matches only says something of others: a folder's marker, a job's success."""
    key = entry.uri.key
    if entry.is_marker or (entry.size == 0 and key.endswith(_FOLDER) and not pattern.endswith(_FOLDER)):
        return True
    return is_set_aside(key, pattern)


async def _below(where: S3Uri, settings: Settings, *, recursive: bool) -> AsyncIterator[Entry]:
    delimiter = "" if recursive else "/"
    if where.is_prefix:
        async for entry in walk(where, settings, delimiter=delimiter):
            yield entry
        return
    # "models" may be an object, or a folder that was written without its slash.
    async for entry in walk(where, settings, delimiter="/"):
        if entry.uri == where:
            yield entry
        elif entry.uri == where.as_prefix:
            async for below in walk(where.as_prefix, settings, delimiter=delimiter):
                yield below


async def _without_markers(found: AsyncIterator[Entry], where: S3Uri) -> AsyncIterator[Entry]:
    """Yield `found` without the empty objects that stand for a folder, unless nothing else of the folder follows."""
    held: Entry | None = None
    async for entry in found:
        if held is not None and not entry.uri.key.startswith(held.uri.key):
            yield held
        held = entry if entry.is_marker else None
        if held is None:
            yield entry
        elif entry.uri in (where, where.as_prefix):
            held = None
    if held is not None:
        yield held
