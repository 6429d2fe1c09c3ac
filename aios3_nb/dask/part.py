"""One object of a collection, or a piece of one: what a task knows of it, and how it is loaded where the task runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from aios3_nb.errors import CredentialsError, EndpointError, FormatError, OptionError, S3Error
from aios3_nb.formats import LoadOptions, expected_format
from aios3_nb.pipeline import Guess, Items, Order, Piece, guessed_pickles, lines_of, load_one, pickles_from
from aios3_nb.settings import Settings, current
from aios3_nb.streams import Monitor, ObjectInfo
from aios3_nb.text import visible, warn

_ONE_BY_ONE = ("pickle", "text")
"""Formats of which a load gives one value, or the first, where a bag has many."""
_ARRAYS = ("json", "jsonl", "json-seq")
T = TypeVar("T")
_HEAD_ROWS = 100
_TELL_COLUMNS = ("parquet", "arrow")
"""Formats that say what columns they have, without a row."""


@dataclass(frozen=True, slots=True)
class Part:
    """One version of one object, and how to load it.

    Attributes:
        info: The version that was listed; another one is an `ObjectChangedError`.
        settings: Those that are set, by name; nothing secret.
        format: Its name, when it was given.
        reading: What the format is told.
        piece: Which bytes of it are meant; None for all.
        skips_errors: Whether it is left out, with a warning, when it fails.
    """

    info: ObjectInfo
    settings: tuple[tuple[str, Any], ...]
    format: str | None
    reading: LoadOptions
    piece: Piece | None = None
    skips_errors: bool = False

    @property
    def order(self) -> Order:
        """The order for it, with the settings of the process that asks where none travelled."""
        settings: Settings = current(**dict(self.settings))
        return Order(uri=self.info.uri, settings=settings, format=self.format, reading=self.reading, known=self.info)

    @property
    def name(self) -> str:
        """The name of the format that was given, or that the key names; empty where only its first bytes tell."""
        expected = expected_format(self.info.uri.key, self.format)
        return expected.name if expected is not None else ""


def items_of(part: Part) -> list[Any]:
    """Return what a bag has of the object: its pickles, lines or elements; or the one value."""
    return _unless_left_out(part, lambda: _items(part), [])


def _items(part: Part) -> list[Any]:
    if part.piece is not None:
        return lines_of(part.order, part.piece)
    if part.name in _ONE_BY_ONE:
        try:
            return _each(part)
        except OptionError:  # it has no items, as a dump of joblib that is called .pkl; or it is said again below
            pass
    loaded = load_one(part.order, Monitor())
    if not part.name and loaded.format in _ONE_BY_ONE:
        return _each(part)
    is_array = loaded.format in _ARRAYS and isinstance(loaded.value, list)
    return loaded.value if is_array else [loaded.value]


def guess_of(part: Part) -> Guess:
    """Return what the pickles of a piece seem to be, before it is known where those of the piece before end."""
    with _plain():
        return guessed_pickles(part.order, cast(Piece, part.piece))


def settled(part: Part, guess: Guess, end: int) -> tuple[list[Any], int]:
    """Return the pickles of a piece and where they end, now that it is known where those of the piece before `end`."""
    piece = cast(Piece, part.piece)
    if end >= piece.stop:
        return [], end
    if guess.begin == end:
        return guess.values, guess.end
    if end == 0:  # it is no plain row of pickles, and the first piece has all of it
        return items_of(replace(part, piece=None)), part.info.size
    with _plain():
        return pickles_from(part.order, end, piece.stop)


def _each(part: Part) -> list[Any]:
    with Items(part.order, Monitor()) as items:
        return list(items)


def table_of(part: Part, head: Any, columns: list[str] | None = None) -> Any:
    """Return the object's rows as a DataFrame of pandas, with the `columns`, or else with all those of `head`.

    Raises:
        FormatError: It has a column that `head` has not, or lacks one; of JSON Lines, that is one without values.
    """
    wanted = list(head.columns) if columns is None else columns
    return _unless_left_out(part, lambda: _rows(part, list(head.columns), columns), head[wanted])


def _rows(part: Part, known: Sequence[str], columns: list[str] | None) -> Any:
    import pandas as pd

    is_sparse = part.name in _ARRAYS
    if part.piece is not None:
        table = pd.DataFrame(lines_of(part.order, part.piece))
    else:
        table = _table(part, columns=() if columns is None or is_sparse else tuple(columns))
    wanted = list(known) if columns is None else columns
    if columns is None or is_sparse:
        _check_columns(part, list(table.columns), known, may_lack=is_sparse)
    return table.reindex(columns=wanted) if list(table.columns) != wanted else table


def head_of(part: Part) -> Any:
    """Return the first rows as a DataFrame; no more is fetched than has them.

    Raises:
        FormatError: What the object holds is no table.
    """
    with _plain():
        try:
            return _table(part, rows=0 if part.name in _TELL_COLUMNS else _HEAD_ROWS)
        except OptionError as exc:
            raise FormatError(f"{exc} aios3_nb.bag takes it.", uri=exc.uri) from None


def _table(part: Part, **reading: Any) -> Any:
    order = part.order
    return load_one(replace(order, reading=replace(order.reading, as_="pandas", **reading)), Monitor()).value


def _check_columns(part: Part, there: Sequence[str], known: Sequence[str], *, may_lack: bool) -> None:
    wrong = [name for name in there if name not in known]
    lacking = [] if may_lack else [name for name in known if name not in there]
    if wrong or lacking:
        names = ", ".join(visible(str(name), most=60) for name in (wrong or lacking)[:20])
        raise FormatError(
            f"{visible(str(part.info.uri))} {'has' if wrong else 'lacks'} columns that the first rows of the first "
            f"object {'lack' if wrong else 'have'}: {names}. aios3_nb.bag takes rows of any kind.",
            uri=str(part.info.uri),
        )


def _unless_left_out(part: Part, load: Callable[[], T], otherwise: T) -> T:
    """Return what `load` returns; `otherwise`, with a warning, if it fails and may be left out."""
    try:
        with _plain():
            return load()
    except S3Error as exc:
        # What concerns the account or the endpoint concerns all objects.
        if not part.skips_errors or isinstance(exc, (CredentialsError, EndpointError)):
            raise
        _tell(f"{visible(str(part.info.uri))} was left out: {exc}")
        return otherwise


def _tell(text: str) -> None:
    """Warn whoever computes: on a worker of a cluster, its clients, too."""
    if (distributed := sys.modules.get("distributed")) is not None:
        with suppress(ValueError):  # this is no worker
            distributed.get_worker()
            distributed.worker.warn(text)
            return
    warn(text, again=True)


@contextmanager
def _plain() -> Iterator[None]:
    """Raise an error without its causes: Dask pickles it with all of them, and not all can be."""
    failure: S3Error | None = None
    try:
        yield
    except S3Error as exc:
        failure = exc
    if failure is not None:
        failure.__cause__ = failure.__context__ = failure.__traceback__ = None
        raise failure
