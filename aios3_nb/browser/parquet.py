"""A look into a Parquet file: its columns and rows by its footer, and its first rows by the pages that they are in."""

from __future__ import annotations

from typing import Any

from aios3_nb.browser.preview import Preview
from aios3_nb.browser.table import cells
from aios3_nb.formats import ExpansionLimit, first_rows
from aios3_nb.pipeline.peek import RangedFile, TooMuchError
from aios3_nb.text import counted, size_text

_ROWS = 50
_COLUMNS = 60

_SHOWN = 2_000_000
"""Bytes that the rows that are shown may take: of long lists a cell shows the ends, and makes texts of all of them."""

_LIMIT = ExpansionLimit(ratio=100, free_bytes=50_000_000)
"""What the pages of the first rows may expand to: a small file may say anything."""

_OF_LISTS = 4_000_000
"""Bytes of a column of lists, expanded, in which its first rows are looked for."""

_MORE = "To show rows of it, more has to be fetched than is fetched by itself. Press Preview."
_NOT = "Its rows are not shown: they would take too much memory, or cannot be read."


def parquet_preview(file: RangedFile, size: int) -> Preview:
    """Return the first rows of a Parquet file; only its columns, where the rows would take more than may be fetched.

    Raises:
        ImportError: There is no pyarrow.
        TooMuchError: Its footer alone is longer.
        Exception: It is no Parquet file; whatever pyarrow raises.

    See: https://parquet.apache.org/docs/file-format/
    """
    import pyarrow.parquet as pq

    about = pq.ParquetFile(file).metadata
    fields = list(about.schema.to_arrow_schema())
    title = f"Parquet, {size_text(size)}: {counted(about.num_rows, 'row')}, {counted(about.num_columns, 'column')}"
    names, types = cells([field.name for field in fields]), cells([str(field.type) for field in fields])
    try:
        rows = _first_rows(file, size, about, [field.name for field in fields[:_COLUMNS]])
        note = _NOT
    except TooMuchError:
        rows, note = None, _MORE
    if rows is None:
        return Preview(title, note, pairs=tuple(zip(names, types, strict=True)))
    note = f"Shown: the first {len(rows):,} rows." if about.num_rows > len(rows) else ""
    return Preview(title, note, table=(names, *rows), types=types)


def _first_rows(file: RangedFile, size: int, about: Any, names: list[str]) -> list[tuple[str, ...]] | None:
    def read(start: int, stop: int) -> bytes:
        file.seek(start)
        return file.read(stop - start) or b""

    try:
        table = first_rows(read, size, about, _ROWS, _LIMIT, columns=names, enough=_OF_LISTS)
        if table.nbytes > _SHOWN:
            return None
        columns = [column.to_pylist() for column in table.columns]
    except TooMuchError:
        raise
    except Exception:  # pyarrow has many; the columns are something to see
        return None
    return [cells(row) for row in zip(*columns, strict=True)]
