"""A look into a Parquet file: its columns and rows by its footer, and its first rows by the pages that they are in."""

from __future__ import annotations

from typing import Any

from aios3_nb.browser.preview import Preview
from aios3_nb.browser.table import cells
from aios3_nb.pipeline.peek import RangedFile, TooMuchError
from aios3_nb.settings import KIB
from aios3_nb.text import size_text

_ROWS = 50
_COLUMNS = 60
_BUFFER = 256 * KIB
"""Bytes of a column that are read at once: its first pages, and not the whole of it."""

_SHOWN = 2_000_000
"""Bytes that the rows that are shown may take: of long lists a cell shows the ends, and makes texts of all of them."""

_EXPANDED = 50_000_000
"""Bytes that a column of the first group of rows may say to expand to, unless it was hardly compressed."""

_MOST_PACKED = 100
"""How much smaller than its content a larger column may be: a small file may say anything."""


def parquet_preview(file: RangedFile, size: int) -> Preview:
    """Return the first rows of a Parquet file; only its columns, where the rows would take more than may be fetched.

    Raises:
        ImportError: There is no pyarrow.
        TooMuchError: Its footer alone is longer.
        Exception: It is no Parquet file; whatever pyarrow raises.

    See: https://parquet.apache.org/docs/file-format/
    """
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)
    about, fields = opened.metadata, list(opened.schema_arrow)
    title = f"Parquet, {size_text(size)}: {about.num_rows:,} rows, {about.num_columns:,} columns"
    names, types = cells([field.name for field in fields]), cells([str(field.type) for field in fields])
    try:
        rows = _first_rows(opened, [field.name for field in fields[:_COLUMNS]]) if _is_bounded(about) else None
    except TooMuchError:
        rows = None
    if rows is None:
        note = "To show rows of it, more has to be fetched than is fetched by itself. Press Preview."
        return Preview(title, note, pairs=tuple(zip(names, types, strict=True)))
    note = f"Shown: the first {len(rows):,} rows." if about.num_rows > len(rows) else ""
    return Preview(title, note, table=(names, *rows), types=types)


def _is_bounded(about: Any) -> bool:
    if not about.num_row_groups:
        return True
    group = about.row_group(0)
    columns = (group.column(at) for at in range(group.num_columns))
    return all(
        column.total_uncompressed_size <= max(_EXPANDED, _MOST_PACKED * column.total_compressed_size)
        for column in columns
    )


def _first_rows(file: Any, names: list[str]) -> list[tuple[str, ...]] | None:
    groups = [0] if file.metadata.num_row_groups else []
    batch = next(file.iter_batches(batch_size=_ROWS, row_groups=groups, columns=names), None)
    if batch is None:
        return []
    if batch.nbytes > _SHOWN:
        return None
    columns = [column.to_pylist() for column in batch.columns]
    return [cells(row) for row in zip(*columns, strict=True)]
