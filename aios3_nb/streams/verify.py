"""Bytes of an object, held against its checksum in whatever order they come.

::

    piece ──> cut where the stored parts begin ──> Stretch ──> digest of the part
                                                                  digests of all parts ──> right, or not

CRCs of pieces that lie side by side can be joined, so they may come in any order. A SHA or MD5 cannot: each part of
the object that has one of its own has to be read in order, the parts among one another need not.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aios3_nb.streams.checksum import Checksum, algorithm
from aios3_nb.streams.stretch import Range, Stretch, stretch
from aios3_nb.text import size_text

_MOST_PIECES = 1000
"""Pieces that are remembered at once, of all parts together: memory is bounded, however wildly one reads."""


class Piece(NamedTuple):
    """Some of the bytes of one stored part: the part's number, where in it they begin, and the bytes."""

    number: int
    start: int
    data: memoryview


class Verifier:
    """What was hashed of one object, and whether it is what was stored.

    Args:
        size: Length of the object.
        checksum: What its bytes hash to; the lengths of its parts are known.

    Attributes:
        checksum: As given.
        left_out: Why the object is not checked any more; empty while it is.
        damage: How the checksum of all bytes differs; empty when it does not, or is not known yet.
    """

    def __init__(self, size: int, checksum: Checksum) -> None:
        self.checksum = checksum
        self.left_out = checksum.why_not
        self.damage = ""
        self._size = size
        self._starts = list(itertools.accumulate(checksum.lengths[:-1], initial=0)) if checksum.parts else [0]
        self._algorithm = algorithm(checksum.algorithm) if checksum.algorithm else None
        self._open: dict[int, Stretch] = {}
        self._digests: dict[int, bytes] = {}
        self._skipped = False
        self._news = False

    def feed(self, start: int, data: memoryview) -> None:
        """Hash `data`, the object's bytes from `start` on."""
        pieces = list(self.cut(start, data))
        for piece in pieces:
            if (part := self.stretch(piece.number)) is not None:
                part.feed(piece.start, piece.data)
        self.took(pieces)

    def cut(self, start: int, data: memoryview) -> Iterator[Piece]:
        """Yield `data`, the object's bytes from `start` on, in pieces that are each of one part."""
        while data:
            number = bisect_right(self._starts, start) - 1
            piece = Piece(number, start - self._starts[number], data[: self._stop(number) - start])
            yield piece
            start, data = start + len(piece.data), data[len(piece.data) :]

    def stretch(self, number: int) -> Stretch | None:
        """Return what hashes the bytes of a stored part, in any thread but one at a time; None if nothing is to be."""
        if self.left_out or self._algorithm is None:
            return None
        if number not in self._open:
            self._open[number] = stretch(self._algorithm, self._stop(number) - self._starts[number])
        return self._open[number]

    def took(self, pieces: Iterable[Piece]) -> None:
        """Take note of what was hashed of `pieces`."""
        for piece in pieces:
            part = self._open.get(piece.number)
            if part is None:
                continue
            self._skipped = self._skipped or part.skipped
            for digest in part.digests():
                self._complete(piece.number, digest)
            if not part.pieces:
                del self._open[piece.number]
        if sum(part.pieces for part in self._open.values()) > _MOST_PIECES:
            self.leave_out("it was read in more than a thousand pieces")

    def leave_out(self, why: str) -> None:
        """Check no further, and let go of what was remembered."""
        self.left_out, self.damage = why, ""
        self._open.clear()
        self._digests.clear()

    def judge(self) -> bool:
        """Say whether there was `damage` since it was asked last: all bytes were hashed, and they differ."""
        told, self._news = self._news, False
        return told

    def missing(self) -> list[Range]:
        """Return the ranges that have to be read yet, in their order."""
        missing: list[Range] = []
        for start, stop in self._gaps():
            if missing and missing[-1][1] == start:
                start = missing.pop()[0]
            missing.append((start, stop))
        return missing

    def verdict(self) -> str:
        """Return what the closing line says: ``CRC32 ok``, or ``not checked (why)``; of bytes that did not differ."""
        if self.left_out:
            return f"not checked ({self.left_out})"
        missing = self.missing()
        if not missing:
            return f"{self.checksum} ok"
        if self._skipped:
            return "not checked (not read in order)"
        if len(missing) == 1 and missing[0][1] == self._size:
            return "not checked (not read to the end)"
        return f"not checked ({size_text(sum(stop - start for start, stop in missing))} of it not read)"

    def _stop(self, number: int) -> int:
        return self._starts[number + 1] if number + 1 < len(self._starts) else self._size

    def _complete(self, number: int, digest: bytes) -> None:
        """Note the digest of a pass over a part, and judge the object when all parts have one."""
        if self._digests.get(number) == digest:
            self._news = self._news or bool(self.damage)  # once more, and as wrong as before
            return
        self._digests[number] = digest
        if len(self._digests) == len(self._starts):
            found, stored = self._digest(), self.checksum.value
            self.damage = "" if found == stored else f"{self.checksum} is {found.hex()}, stored was {stored.hex()}"
            self._news = self._news or bool(self.damage)

    def _digest(self) -> bytes:
        digests = [self._digests[number] for number in range(len(self._starts))]
        if not self.checksum.parts:
            return digests[0]
        assert self._algorithm is not None
        whole = b"".join(digests)
        part = stretch(self._algorithm, len(whole))
        part.feed(0, memoryview(whole))
        return part.digests()[0]

    def _gaps(self) -> Iterator[Range]:
        for number, begin in enumerate(self._starts):
            if number in self._digests:
                continue
            part = self._open.get(number)
            gaps = part.gaps() if part is not None else [(0, self._stop(number) - begin)]
            yield from ((begin + start, begin + stop) for start, stop in gaps)
