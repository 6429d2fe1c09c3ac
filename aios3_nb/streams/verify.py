"""Bytes of an object, held against its checksum in whatever order they come.

::

    piece ──> cut where the stored parts begin ──> Pieces (CRC) | Run (SHA, MD5) ──> digest of the part
                                                                  digests of all parts ──> right, or not

CRCs of pieces that lie side by side can be joined, so they may come in any order. A SHA or MD5 cannot: each part of
the object that has one of its own has to be read in order, the parts among one another need not.

Bytes that come once more are hashed once more: who begins anew has what he reads then checked, and not only what came
before.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aios3_nb.s3 import Crc
from aios3_nb.streams.checksum import Algorithm, Checksum, Hash, algorithm
from aios3_nb.text import size_text

_MOST_PIECES = 1000
"""Pieces that are remembered at once, of all parts together: memory is bounded, however wildly one reads."""

_MOST_PASSES = 4
"""Times that the same bytes are kept track of without any pass having got all of them."""

Range = tuple[int, int]


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
        self._open: dict[int, _Pieces | _Run] = {}
        self._digests: dict[int, bytes] = {}
        self._skipped = False
        self._news = False

    def feed(self, start: int, data: memoryview) -> None:
        """Hash `data`, the object's bytes from `start` on."""
        if self.left_out or self._algorithm is None:
            return
        while data:
            number = bisect_right(self._starts, start) - 1
            piece = data[: self._stop(number) - start]
            self._feed_part(number, start, piece)
            start, data = start + len(piece), data[len(piece) :]
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

    def _feed_part(self, number: int, start: int, piece: memoryview) -> None:
        begin = self._starts[number]
        part = self._open.get(number)
        if part is None:
            assert self._algorithm is not None
            part = self._open[number] = _part(self._algorithm, self._stop(number) - begin)
        self._skipped = part.feed(start - begin, piece) or self._skipped
        for digest in part.digests():
            self._complete(number, digest)
        if not part.pieces:
            del self._open[number]

    def _complete(self, number: int, digest: bytes) -> None:
        """Note the digest of a pass over a part, and judge the object when all parts have one."""
        if self._digests.get(number) == digest:
            return  # once more, and the same
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
        part = _part(self._algorithm, len(whole))
        part.feed(0, memoryview(whole))
        return part.digests()[0]

    def _gaps(self) -> Iterator[Range]:
        for number, begin in enumerate(self._starts):
            if number in self._digests:
                continue
            part = self._open.get(number)
            gaps = part.gaps() if part is not None else [(0, self._stop(number) - begin)]
            yield from ((begin + start, begin + stop) for start, stop in gaps)


def _part(algorithm: Algorithm, length: int) -> _Pieces | _Run:
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
        self._passes: list[list[_Piece]] = []
        self._done: list[bytes] = []

    @property
    def pieces(self) -> int:
        """How many pieces are remembered."""
        return sum(map(len, self._passes))

    def feed(self, start: int, data: memoryview) -> bool:
        """Hash `data`, the bytes from `start` on; return whether they are of no use, because of when they come."""
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
        return False

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
    """A stretch of bytes with a hash of its own, which has to see them in order; from the first byte on, anew."""

    def __init__(self, make: Callable[[], Hash], length: int) -> None:
        self._make = make
        self._length = length
        self._hash = make()
        self._position = 0
        self._done: list[bytes] = []

    @property
    def pieces(self) -> int:
        """How many pieces are remembered: one, or none."""
        return int(self._position > 0)

    def feed(self, start: int, data: memoryview) -> bool:
        """Hash `data`, the bytes from `start` on; return whether they are of no use, because of when they come."""
        if start == 0:
            self._begin()
        if start > self._position:
            return True
        data = data[self._position - start :]
        self._hash.update(data)
        self._position += len(data)
        if self._position == self._length:
            self._done.append(self._hash.digest())
            self._begin()
        return False

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
