"""A look into a Parquet file: its columns and rows by its footer; its first rows where all of it is small."""

from __future__ import annotations

import io
from typing import Any

from aios3_nb.browser.preview import Preview, cells
from aios3_nb.text import size_text

_ROWS = 20
_EXPANDED = 50_000_000
"""Bytes that a group of rows may say to expand to; a small file may say anything."""


def parquet_preview(tail: bytes, size: int) -> Preview:
    """Return what the last bytes of a Parquet file tell, or all of them when it is that short.

    Raises:
        ImportError: There is no pyarrow.
        Exception: It is no Parquet file, or its footer is longer than `tail`; whatever pyarrow raises.

    See: https://parquet.apache.org/docs/file-format/
    """
    import pyarrow.parquet as pq

    # The footer is found from the end, so its last bytes are enough to be a file of that kind.
    about = pq.read_metadata(io.BytesIO(tail if len(tail) == size else b"PAR1" + tail))
    columns = about.schema.to_arrow_schema()
    title = f"Parquet, {size_text(size)}: {about.num_rows:,} rows, {about.num_columns:,} columns"
    if len(tail) == size and about.num_row_groups and about.row_group(0).total_byte_size <= _EXPANDED:
        return Preview(title, table=(cells(columns.names), *_first_rows(pq.ParquetFile(io.BytesIO(tail)))))
    pairs = [cells((field.name, field.type)) for field in list(columns)[:100]]
    return Preview(f"{title}. Too large to show rows of it", pairs=tuple((name, kind) for name, kind in pairs))


def _first_rows(file: Any) -> list[tuple[str, ...]]:
    batch = next(file.iter_batches(batch_size=_ROWS, row_groups=[0]), None)
    if batch is None:
        return []
    columns = [column.to_pylist() for column in batch.columns]
    return [cells(row) for row in zip(*columns, strict=True)]
