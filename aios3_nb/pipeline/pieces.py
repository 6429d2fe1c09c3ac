"""A large object in pieces: JSON Lines are cut where lines end, each piece by whoever loads it.

A line belongs to the piece in which it begins, so nobody needs to look where lines end before; whoever loads a piece
fetches its bytes, and of those that follow as many as its last line takes.
"""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from aios3_nb.formats import HEAD_SIZE, codec_name, collector_paused, expected_format, peek_head
from aios3_nb.pipeline.load import load_one, open_file
from aios3_nb.pipeline.named import named
from aios3_nb.pipeline.order import Order
from aios3_nb.settings import MIB
from aios3_nb.streams import Monitor, S3File

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LENGTH = 64 * MIB
"""Bytes of a piece. Many are loaded at once by one worker, and as Python objects they take several times as much."""

_READ = 128 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """What begins from byte `start` to byte `stop` of an object."""

    start: int
    stop: int


def pieces_of(order: Order, size: int) -> list[Piece] | list[None]:
    """Return the pieces of the object of `order`, which has `size` bytes; one None where it is loaded whole.

    That it is where a piece alone means nothing: compressed, in another format, or to be checked as a whole.
    """
    expected, most = expected_format(order.uri.key, order.format), order.settings.max_bytes
    if expected is None or expected.name != "jsonl" or size <= LENGTH:
        return [None]
    is_plain = order.format is not None or order.uri.key.lower().endswith(expected.suffixes)
    if not is_plain or order.settings.verify == "require" or (most is not None and size > most):
        return [None]
    count = -(-size // LENGTH)
    bounds = [size * number // count for number in range(count + 1)]
    return [Piece(*each) for each in itertools.pairwise(bounds)]


def lines_of(order: Order, piece: Piece) -> list[Any]:
    """Return the values of the lines that begin in `piece`; if the object has no lines, the first piece has all."""
    from aios3_nb.formats.json import iterate_lines_between

    with open_file(order, Monitor(), whole=False) as file, named(order.uri):
        if not codec_name(peek_head(cast(BinaryIO, file), HEAD_SIZE)):
            window = cast(BinaryIO, io.BufferedReader(Window(file, piece), _READ))
            with collector_paused():
                return list(iterate_lines_between(window, piece.start, piece.stop, encoding=order.reading.encoding))
    if piece.start:
        return []
    values: list[Any] = load_one(order, Monitor()).value
    return values


class Window(io.RawIOBase):
    """A file whose bytes in `piece` are fetched at once, when the first of them is read, and no byte more."""

    def __init__(self, file: S3File, piece: Piece) -> None:
        super().__init__()
        self._file = file
        # With the byte before: it tells whether a line begins with the piece.
        self._start, self._stop = max(0, piece.start - 1), piece.stop
        self._at = 0
        self._data = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to `offset`."""
        self._at = self._file.seek(offset, whence) if whence == io.SEEK_END else offset + self._at * whence
        return self._at

    def tell(self) -> int:
        """Return the offset of the next byte in the object."""
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`, or less of it."""
        view = memoryview(buffer).cast("B")
        count = self._taken(view) if self._start <= self._at < self._stop else self._read(view)
        self._at += count
        return count

    def _taken(self, view: memoryview) -> int:
        if not self._data:
            self._data = memoryview(self._file.read_ranges([(self._start, self._stop)])[0])
        found = self._data[self._at - self._start :][: len(view)]
        view[: len(found)] = found
        return len(found)

    def _read(self, view: memoryview) -> int:
        if self._at < self._start:
            view = view[: self._start - self._at]
        self._file.seek(self._at)
        return self._file.readinto1(view)
