"""A large object in pieces: JSON Lines are cut where lines end, pickles in a row where pickles do.

A line belongs to the piece in which it begins, so nobody needs to look where lines end before; whoever loads a piece
fetches its bytes, and of those that follow as many as its last line takes. So it is with pickles; but where one begins
can only be guessed, until the piece before is read.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from aios3_nb.errors import BlockedPickleError, FormatError, MissingPackageError, TooLargeError
from aios3_nb.formats import HEAD_SIZE, codec_name, collector_paused, expected_format, peek_head, recognise
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

_GUESSES = 64
"""Places that are tried. In bytes at random, one in four million looks like a beginning."""

_NO_PICKLES = (FormatError, BlockedPickleError, MissingPackageError, TooLargeError)
"""What comes of loading a pickle where none begins, or one that cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What begins from byte `start` to byte `stop` of an object."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Guess:
    """What the pickles of a piece are if the first one begins where it seems to.

    Attributes:
        begin: That byte; None where none was found.
        values: The objects.
        end: Where the first pickle begins that is of another piece.
    """

    begin: int | None = None
    values: list[Any] = field(default_factory=list)
    end: int = 0


def pieces_of(order: Order, size: int, *, forms: Collection[str] = ("jsonl",)) -> list[Piece] | list[None]:
    """Return the pieces of the object of `order`, which has `size` bytes; one None where it is loaded whole.

    That it is where a piece alone means nothing: compressed, in none of the `forms`, or to be checked as a whole. Nor
    is what is trusted cut: a pickle that may run anything is not looked for in the middle of data.
    """
    expected, most = expected_format(order.uri.key, order.format), order.settings.max_bytes
    if expected is None or expected.name not in forms or size <= LENGTH:
        return [None]
    is_plain = order.format is not None or order.uri.key.lower().endswith(expected.suffixes)
    is_wanted_whole = order.settings.verify == "require" or (most is not None and size > most)
    if not is_plain or is_wanted_whole or order.reading.trust:
        return [None]
    count = -(-size // LENGTH)
    bounds = [size * number // count for number in range(count + 1)]
    return [Piece(*each) for each in itertools.pairwise(bounds)]


def holds_several(order: Order) -> bool:
    """Return whether the object of `order` begins with two whole pickles; a megabyte is looked at."""
    from aios3_nb.formats.pickle import begins_with_several

    with open_file(order, Monitor(), whole=False) as file, named(order.uri):
        head = file.read(MIB)
    if codec_name(head) or recognise(order.uri.key, head[:HEAD_SIZE], order.format).name != "pickle":
        return False
    return begins_with_several(head, allow=order.reading.allow, encoding=order.reading.encoding)


def lines_of(order: Order, piece: Piece) -> list[Any]:
    """Return the values of the lines that begin in `piece`; if the object has no lines, the first piece has all."""
    from aios3_nb.formats.json import iterate_lines_between

    with open_file(order, Monitor(), whole=False) as file, named(order.uri):
        if not codec_name(peek_head(cast(BinaryIO, file), HEAD_SIZE)):
            window = _window(file, piece)
            with collector_paused():
                return list(iterate_lines_between(window, piece.start, piece.stop, encoding=order.reading.encoding))
    if piece.start:
        return []
    values: list[Any] = load_one(order, Monitor()).value
    return values


def guessed_pickles(order: Order, piece: Piece) -> Guess:
    """Return what the pickles in `piece` seem to be; whether it is so, `pickles_from` or the piece before tells."""
    from aios3_nb.formats.pickle import load_pickles_between, may_begin

    load = partial(load_pickles_between, allow=order.reading.allow, encoding=order.reading.encoding)
    with open_file(order, Monitor(), whole=False) as file, named(order.uri):
        window = _window(file, piece)
        for begin in itertools.islice(may_begin(window, piece.start, piece.stop), _GUESSES):
            try:
                with collector_paused():
                    return Guess(begin, *load(window, begin, piece.stop))
            except _NO_PICKLES:
                continue
    return Guess()


def pickles_from(order: Order, start: int, stop: int) -> tuple[list[Any], int]:
    """Return the objects of the pickles from byte `start` on that begin before `stop`, and where they end.

    Raises:
        S3Error: No pickle begins at `start`, or one cannot be loaded.
    """
    from aios3_nb.formats.pickle import load_pickles_between

    load = partial(load_pickles_between, allow=order.reading.allow, encoding=order.reading.encoding)
    with open_file(order, Monitor(), whole=False) as file, named(order.uri), collector_paused():
        return load(_window(file, Piece(start, stop)), start, stop)


def _window(file: S3File, piece: Piece) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(Window(file, piece), _READ))


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
