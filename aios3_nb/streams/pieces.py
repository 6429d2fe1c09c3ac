"""What a slow part lacks, in pieces: parts in its place, which share its memory."""

from __future__ import annotations

import itertools
from collections import deque

from aios3_nb.settings import MIB
from aios3_nb.streams.part import Part

_LENGTH = 2 * MIB
"""Bytes of a piece, about, at least: a request takes some 30 ms to be answered, and S3 brings 2 MiB in as many."""


def split(parts: deque[Part], part: Part, most: int) -> list[Part]:
    """Put pieces of what `part` lacks behind it in `parts`, and return them; what it has is all of it from now on.

    The last piece has the memory that all of them have a share of; see `Part.heir`.

    Args:
        parts: Those that are fetched, in their order.
        part: One of them.
        most: Pieces, at most.
    """
    start, stop = part.start + part.filled, part.stop
    count = max(1, min(most, round((stop - start) / _LENGTH)))
    bounds = [start + (stop - start) * n // count for n in range(count + 1)]
    pieces = [Part(begin, end, again=part.again + 1) for begin, end in itertools.pairwise(bounds)]
    if part.has_memory:
        *others, last = pieces
        for piece in pieces:
            piece.buffer = part.buffer
            piece.view = part.view[piece.start - part.start : piece.stop - part.start]
        last.heir = part.heir
        for piece in (part, *others):
            piece.heir = part.heir or last
    part.stop = start
    at = parts.index(part)
    for piece in reversed(pieces):
        parts.insert(at + 1, piece)
    if not part.length:
        part.release()
        del parts[at]
    return pieces
