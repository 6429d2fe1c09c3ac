"""A stretch of bytes that has a hash of its own, fed with pieces of it.

Bytes that come once more are hashed once more: who begins anew has what he reads then checked, and not only what came
before.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aios3_nb.s3 import Crc
from aios3_nb.streams.checksum import Algorithm, Hash

_MOST_PASSES = 4
"""Times that the same bytes are kept track of without any pass having got all of them."""

Range = tuple[int, int]


class Stretch(Protocol):
    """A stretch of bytes that has a hash of its own.

    Attributes:
        skipped: Whether bytes came that were of no use, because of when they came.
    """

    skipped: bool

    @property
    def pieces(self) -> int:
        """How many pieces are remembered."""

    def feed(self, start: int, data: memoryview) -> None:
        """Hash `data`, its bytes from `start` on."""

    def digests(self) -> list[bytes]:
        """Return the digest of each pass that got the last of its bytes just now; once."""

    def gaps(self) -> list[Range]:
        """Return the ranges that are missing yet."""


def stretch(algorithm: Algorithm, length: int) -> Stretch:
    """Return what hashes a stretch of `length` bytes."""
    return _Pieces(algorithm, length) if isinstance(algorithm, Crc) else _Run(algorithm, length)


@dataclass(slots=True)
class _Piece:
    start: int
    stop: int
    value: int


class _Pieces:
    """A stretch of bytes with a CRC of its own, whose pieces may come in any order.

    A pass is a list of pieces that lie apart from one another, in their order. The first one gets each byte as it came
    first, the next one as it came after that, so the last byte that was missing completes the first.
    """

    def __init__(self, crc: Crc, length: int) -> None:
        self._crc = crc
        self._length = length
        self.skipped = False
        self._passes: list[list[_Piece]] = []
        self._done: list[bytes] = []

    @property
    def pieces(self) -> int:
        """How many pieces are remembered."""
        return sum(map(len, self._passes))

    def feed(self, start: int, data: memoryview) -> None:
        """Hash `data`, the bytes from `start` on."""
        stop = start + len(data)
        again = [(start, stop)]  # those that all passes have already
        for found in list(self._passes):
            again = [had for begin, end in again for had in _had(found, begin, end)]
            for begin, end in _lacking(found, start, stop):
                self._add(found, begin, data[begin - start : end - start])
        if again and len(self._passes) < _MOST_PASSES:
            newest: list[_Piece] = []
            self._passes.append(newest)
            for begin, end in again:
                self._add(newest, begin, data[begin - start : end - start])

    def digests(self) -> list[bytes]:
        """Return the CRC of each pass that got the last of its bytes just now; once."""
        done, self._done = self._done, []
        return done

    def gaps(self) -> list[Range]:
        """Return the ranges that the pass lacks that has the most."""
        most = max(self._passes, key=lambda found: sum(each.stop - each.start for each in found), default=[])
        return _lacking(most, 0, self._length)

    def _add(self, found: list[_Piece], start: int, data: memoryview) -> None:
        index = bisect_right(found, start, key=lambda each: each.start)
        if index and found[index - 1].stop == start:
            piece = found[index - 1]
            piece.value = self._crc.function(data, piece.value)
            piece.stop += len(data)
        else:
            piece = _Piece(start, start + len(data), self._crc.function(data, 0))
            found.insert(index, piece)
            index += 1
        if index < len(found) and found[index].start == piece.stop:
            after = found.pop(index)
            piece.value = self._crc.joined(piece.value, after.value, after.stop - after.start)
            piece.stop = after.stop
        if (piece.start, piece.stop) == (0, self._length):
            self._done.append(self._crc.digest(piece.value))
            self._passes = [each for each in self._passes if each is not found]


def _had(found: list[_Piece], start: int, stop: int) -> list[Range]:
    """Return what a pass has of the bytes from `start` to `stop`."""
    first = bisect_right(found, start, key=lambda each: each.stop)
    pieces = itertools.takewhile(lambda each: each.start < stop, itertools.islice(found, first, None))
    return [(max(start, each.start), min(stop, each.stop)) for each in pieces]


def _lacking(found: list[_Piece], start: int, stop: int) -> list[Range]:
    """Return what a pass lacks of the bytes from `start` to `stop`."""
    had = _had(found, start, stop)
    starts = [start, *(end for _, end in had)]
    stops = [*(begin for begin, _ in had), stop]
    return [gap for gap in zip(starts, stops, strict=True) if gap[0] < gap[1]]


class _Run:
    """A stretch of bytes with a hash of its own, which has to see them in order; from the first byte on, anew.

    Attributes:
        skipped: Whether bytes came that were of no use, as those before them were missing.
    """

    def __init__(self, make: Callable[[], Hash], length: int) -> None:
        self._make = make
        self._length = length
        self.skipped = False
        self._hash = make()
        self._position = 0
        self._done: list[bytes] = []

    @property
    def pieces(self) -> int:
        """How many pieces are remembered: one, or none."""
        return int(self._position > 0)

    def feed(self, start: int, data: memoryview) -> None:
        """Hash `data`, the bytes from `start` on."""
        if start == 0:
            self._begin()
        if start > self._position:
            self.skipped = True
            return
        data = data[self._position - start :]
        self._hash.update(data)
        self._position += len(data)
        if self._position == self._length:
            self._done.append(self._hash.digest())
            self._begin()

    def digests(self) -> list[bytes]:
        """Return the hash of all bytes, if the last of them came just now; once."""
        done, self._done = self._done, []
        return done

    def gaps(self) -> list[Range]:
        """Return the range that is missing yet."""
        return [(self._position, self._length)]

    def _begin(self) -> None:
        if self._position:
            self._hash, self._position = self._make(), 0
