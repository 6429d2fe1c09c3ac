"""Pickles in a row, from the middle of a file on: nothing tells for sure where one begins, but much where one may.

A pickle ends with a full stop, and those of protocol 2 to 5 begin with a mark and their protocol. That may stand in
data as well; so whoever takes such a place for a beginning has to learn from who read up to there whether it was one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from typing import BinaryIO, cast

from aios3_nb.errors import S3Error
from aios3_nb.formats.pickle.load import Pickles
from aios3_nb.formats.pickle.opcodes import PROTO

_BEGINNING = re.compile(rb"\.\x80[\x02-\x05]")
_READ = 1024 * 1024


def begins_with_several(head: bytes, *, allow: Collection[str] = (), encoding: str | None = None) -> bool:
    """Return whether `head`, what a file begins with, has two whole pickles that may be found from its middle."""
    file = cast(BinaryIO, io.BufferedReader(io.BytesIO(head)))
    pickles = Pickles(file, allow=allow, encoding=encoding)
    try:
        next(pickles)
        second = pickles.tell()
        next(pickles)
    except (S3Error, StopIteration):
        return False
    return head[second:].startswith(PROTO)


def may_begin(file: BinaryIO, start: int, stop: int) -> Iterator[int]:
    """Yield where, from byte `start` to byte `stop`, a pickle may begin; the file is moved."""
    if start == 0:
        yield 0
        return
    at, kept = start - 1, b""
    while at < stop + 1:
        file.seek(at)
        data = kept + file.read(min(_READ, stop + 1 - at))
        if len(data) == len(kept):
            return
        base = at - len(kept)
        for found in _BEGINNING.finditer(data):
            if start <= (place := base + found.start() + 1) < stop:
                yield place
        at = base + len(data)
        kept = data[-2:]


def load_pickles_between(
    file: BinaryIO, start: int, stop: int, *, allow: Collection[str] = (), encoding: str | None = None
) -> tuple[list[object], int]:
    """Return the objects of the pickles from byte `start` on that begin before byte `stop`, and where they end.

    Raises:
        S3Error: As `iterate_pickles`; also where no pickle begins at `start`.
    """
    file.seek(start)
    pickles = Pickles(file, allow=allow, encoding=encoding)
    values: list[object] = []
    while pickles.tell() < stop:
        try:
            values.append(next(pickles))
        except StopIteration:
            break
    return values, pickles.tell()
