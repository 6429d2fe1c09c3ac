"""Where an object that was uploaded in parts was cut, asked of S3.

See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (``partNumber``)
and https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aios3_nb.errors import ObjectChangedError, S3Error
from aios3_nb.streams.checksum import Checksum
from aios3_nb.streams.source import ObjectSource

_AT_ONCE = 16
"""Requests side by side, where every part is asked about."""

_PAGE = 1000
"""Parts of one answer; S3 gives no more."""

_NOT_TOLD = "the store does not say how it was cut into parts"


async def with_lengths(checksum: Checksum, source: ObjectSource) -> Checksum:
    """Return `checksum` with the lengths of its parts, or the reason why it cannot be used.

    Nearly everybody uploads parts of one length; then that of the first, which is one small request, tells of all.

    Raises:
        ObjectChangedError: The object was replaced.
    """
    assert source.info is not None
    size, parts = source.info.size, checksum.parts
    first = await _length(1, parts, source)
    if first is None:
        return Checksum(why_not=_NOT_TOLD)
    if (parts - 1) * first < size <= parts * first:
        return replace(checksum, lengths=(first,) * (parts - 1) + (size - (parts - 1) * first,))
    lengths = await told_lengths(parts, source)
    if lengths is None:
        return Checksum(why_not="its parts differ in length")
    return replace(checksum, lengths=lengths, told=True)


async def told_lengths(parts: int, source: ObjectSource, *, at_any_cost: bool = False) -> tuple[int, ...] | None:
    """Return the length of each of the object's parts as the store says; None when it does not.

    Args:
        parts: How many there are.
        source: The object.
        at_any_cost: Ask about each part, if the store does not tell of all at once.

    Raises:
        ObjectChangedError: The object was replaced.
    """
    assert source.info is not None
    lengths = await _listed(source)
    if lengths is None and at_any_cost:
        lengths = await _asked(parts, source)
    if lengths is None or len(lengths) != parts or sum(lengths) != source.info.size or 0 in lengths:
        return None
    return tuple(lengths)


async def _length(number: int, parts: int, source: ObjectSource) -> int | None:
    """Return the length of part `number`, of so many."""
    assert source.info is not None
    try:
        answer = await source.once("head_object", PartNumber=number)
    except ObjectChangedError:
        raise
    except S3Error:  # it is not allowed, or not known there
        return None
    length = int(answer.get("ContentLength", 0))
    fits = 0 < length < source.info.size and answer.get("PartsCount", parts) == parts
    return length if fits else None


async def _listed(source: ObjectSource) -> list[int] | None:
    lengths: list[int] = []
    marker: dict[str, int] = {}
    while True:
        try:
            answer = await source.once(
                "get_object_attributes", ObjectAttributes=["ETag", "ObjectParts"], MaxParts=_PAGE, **marker
            )
        except ObjectChangedError:
            raise
        except S3Error:
            return None
        found = answer.get("ObjectParts", {})
        lengths += [part.get("Size", 0) for part in found.get("Parts", ())]
        if not found.get("IsTruncated") or not found.get("Parts"):
            return lengths or None
        marker = {"PartNumberMarker": len(lengths)}


async def _asked(parts: int, source: ObjectSource) -> list[int] | None:
    lengths: list[int] = []
    for start in range(1, parts + 1, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, parts + 1))
        found = await asyncio.gather(*(_length(number, parts, source) for number in numbers))
        if None in found:
            return None
        lengths += [length for length in found if length is not None]
    return lengths
