"""Text of a table -> its first rows, as they are shown."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aios3_nb.text import visible

_MOST_ROWS = 200
_MOST_COLUMNS = 60
_LONGEST_CELL = 120

_TYPES = (
    ("int", re.compile(r"[+-]?\d+")),
    ("float", re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf|NaN|Infinity)")),
    ("bool", re.compile(r"true|false|True|False")),
)


@dataclass(frozen=True, slots=True)
class Table:
    """The beginning of a table.

    Attributes:
        rows: Cells of text that is safe for any widget that does not read markup; the first row is a header.
        types: What each column seems to hold, by the rows that are shown.
        note: What is left out.
    """

    rows: tuple[tuple[str, ...], ...]
    types: tuple[str, ...] = ()
    note: str = ""


def separated(text: str, separator: str, whole: bool) -> Table:
    """Return the rows of a CSV text and the like; its last line may be cut unless it is `whole`."""
    rows = list(_rows(text, separator, whole))
    kept = rows[: _MOST_ROWS + 1]
    widest = max(map(len, kept), default=0)
    note = _cut_note(len(kept) - 1, len(rows) - 1 if whole and len(rows) <= _MOST_ROWS + 1 else None, widest)
    return Table(tuple(map(cells, kept)), _types([row for row in kept[1:] if row]), note)


def records(text: str, whole: bool) -> Table | None:
    """Return JSON Lines of records as a table; None where they are none."""
    lines = (text if whole else text.rpartition("\n")[0] or text).splitlines()
    found = []
    for line in lines[:_MOST_ROWS]:
        try:
            # Numbers stay the text that they are: a float would round them.
            record = json.loads(line, parse_int=_Literal, parse_float=_Literal) if line.strip() else {}
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, dict):
            return None
        found.append(record)
    names = list(dict.fromkeys(name for record in found for name in record))
    if not names:
        return None
    rows = [[_cell(record[name]) if name in record else "" for name in names] for record in found]
    note = _cut_note(len(rows), len(lines) if whole else None, len(names))
    return Table((cells(names), *(cells(row) for row in rows)), _types(rows), note)


def cells(row: Sequence[object]) -> tuple[str, ...]:
    """Return what a table shows of one row."""
    shown = [visible(str(cell), most=_LONGEST_CELL) for cell in row[:_MOST_COLUMNS]]
    return (*shown, "…") if len(row) > _MOST_COLUMNS else tuple(shown)


class _Literal(str):
    """A number of a JSON text, as it is written."""

    __slots__ = ()


def _cell(value: object, *, inside: bool = False) -> str:
    """Return a value of a record as JSON, and a text that is all of a cell without its quotes."""
    match value:
        case _Literal():
            return str(value)
        case list():
            return f"[{', '.join(_cell(each, inside=True) for each in value)}]"
        case dict():
            pairs = (
                f"{json.dumps(name, ensure_ascii=False)}: {_cell(each, inside=True)}" for name, each in value.items()
            )
            return f"{{{', '.join(pairs)}}}"
        case str() if not inside:
            return value
    return json.dumps(value, ensure_ascii=False)


def _cut_note(shown: int, all: int | None, columns: int) -> str:
    """Return what a table leaves out; `all` of its rows is None when that is not known."""
    parts = []
    if all != shown:
        parts.append(f"the first {shown:,} rows")
    if columns > _MOST_COLUMNS:
        parts.append(f"{_MOST_COLUMNS} of {columns:,} columns")
    return f"Shown: {', '.join(parts)}." if parts else ""


def _types(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return what each column seems to hold, by the rows that are shown: ``int``, ``float``, ``bool`` or ``text``."""
    columns = min(max(map(len, rows), default=0), _MOST_COLUMNS)
    return tuple(_type([row[at] for row in rows if at < len(row) and row[at]]) for at in range(columns))


def _type(values: Sequence[str]) -> str:
    for name, pattern in _TYPES:
        if values and all(map(pattern.fullmatch, values)):
            return name
    return "text" if values else ""


def _rows(text: str, separator: str, whole: bool) -> Iterator[list[str]]:
    """Yield rows, none of them cut: a few more than are shown."""
    lines = text if whole else text.rpartition("\n")[0] or text
    try:
        yield from itertools.islice(csv.reader(io.StringIO(lines), delimiter=separator), _MOST_ROWS + 2)
    except csv.Error:
        return
