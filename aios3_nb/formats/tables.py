"""Formats that become a pandas DataFrame: CSV, Parquet, Arrow.

Parquet and Arrow are read in one piece, not by seeking: all of it is needed, and one stream that is fetched by
several connections is faster than many small reads.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from aios3_nb.formats.buffers import check_arrow
from aios3_nb.formats.codecs import peek_head
from aios3_nb.formats.decoding import codec_and_mark, marked_encoding, not_this_encoding
from aios3_nb.formats.expansion import ExpansionLimit
from aios3_nb.formats.format import Format, LoadOptions, begins_with, library_errors, package
from aios3_nb.formats.pages import check_parquet


def _load_csv(file: BinaryIO, options: LoadOptions, *, separator: str) -> Any:
    with package("pandas", "CSV"):
        import pandas as pd
    # pandas reads UTF-16 when it is told, and only a mark tells.
    encoding = options.encoding or marked_encoding(peek_head(file, 4)) or "utf-8"
    codec_and_mark(encoding, b"")
    with library_errors("CSV"):
        try:
            return pd.read_csv(file, sep=separator, encoding=encoding, nrows=options.limit)
        except UnicodeDecodeError as exc:
            wrong = exc
    raise not_this_encoding(wrong)


def _load_parquet(file: BinaryIO, options: LoadOptions) -> Any:
    with package("pandas pyarrow", "Parquet"):
        import pandas as pd
        import pyarrow.parquet  # what pandas needs, looked for before the download
    if options.limit is not None:
        with library_errors("Parquet"):
            parquet = pyarrow.parquet.ParquetFile(file)
            return _first_rows(parquet.schema_arrow, parquet.iter_batches(max(options.limit, 1)), options.limit)
    data = file.read()
    with library_errors("Parquet"):
        check_parquet(
            memoryview(data), pyarrow.parquet.ParquetFile(io.BytesIO(data)), ExpansionLimit(max_bytes=options.max_bytes)
        )
        return pd.read_parquet(io.BytesIO(data), engine="pyarrow")


def _load_arrow(file: BinaryIO, options: LoadOptions) -> Any:
    with package("pandas pyarrow", "Arrow"):
        import pandas as pd
        import pyarrow as pa
        import pyarrow.feather  # looked for before the download
    if options.limit is not None and not peek_head(file, 4).startswith(b"FEA1"):
        with library_errors("Arrow"):
            return _first_arrow_rows(file, options.limit)
    data = file.read()
    limit = ExpansionLimit(max_bytes=options.max_bytes)
    if data.startswith(_FILES):
        with library_errors("Arrow"):
            if not data.startswith(_FEATHER_1):  # there nothing is compressed
                check_arrow(memoryview(data), limit)
            return pd.read_feather(io.BytesIO(data))[: options.limit]
    with library_errors("Arrow stream"):
        check_arrow(memoryview(data), limit)
        return pa.ipc.open_stream(pa.py_buffer(data)).read_pandas()


def _first_arrow_rows(file: BinaryIO, limit: int) -> Any:
    """Return the first rows of an Arrow file or stream, of which no more batches are read than have them."""
    import pyarrow as pa

    if not peek_head(file, 6).startswith(b"ARROW1"):
        stream = pa.ipc.open_stream(file)
        return _first_rows(stream.schema, iter(stream), limit)
    whole = pa.ipc.open_file(file)
    return _first_rows(whole.schema, map(whole.get_batch, range(whole.num_record_batches)), limit)


def _first_rows(schema: Any, batches: Iterator[Any], limit: int) -> Any:
    import pyarrow as pa

    taken, rows = [], 0
    while rows < limit and (batch := next(batches, None)) is not None:
        taken.append(batch)
        rows += batch.num_rows
    return pa.Table.from_batches(taken, schema).slice(0, limit).to_pandas()


_FEATHER_1 = b"FEA1"
_FILES = (b"ARROW1", _FEATHER_1)
"""What Arrow files and the first version of Feather begin with; what does not is a stream."""


def _is_arrow(head: bytes) -> bool:
    """Return whether `head` begins an Arrow file, Feather, or a stream, whose first message is the schema.

    See: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
    """
    if head.startswith(_FILES):
        return True
    if not head.startswith(b"\xff\xff\xff\xff"):
        return False
    size, root = int.from_bytes(head[4:8], "little"), int.from_bytes(head[8:12], "little")
    return 16 <= size < 1 << 28 and size % 8 == 0 and 4 <= root < size


def _frame(value: object) -> Any:
    """Return a DataFrame that is, or makes, one table."""
    with package("pandas", "tables"):
        import pandas as pd
    if isinstance(value, pd.Series):
        return value.to_frame()
    if hasattr(value, "to_pandas") and not isinstance(value, pd.DataFrame):
        return value.to_pandas()  # of pyarrow, polars
    if not isinstance(value, pd.DataFrame):
        raise TypeError("a pandas DataFrame, a Series or a table of pyarrow is meant")
    return value


def _dump_csv(value: object, file: BinaryIO, *, separator: str) -> None:
    frame = _frame(value)
    # The numbers of rows that pandas counts itself are no data.
    frame.to_csv(file, sep=separator, index=not _is_counted(frame))


def _is_counted(frame: Any) -> bool:
    import pandas as pd

    index = frame.index
    return isinstance(index, pd.RangeIndex) and index.name is None and index.start == 0 and index.step == 1


def _table(value: object) -> Any:
    with package("pyarrow", "tables"):
        import pyarrow as pa
    return value if isinstance(value, pa.Table) else pa.Table.from_pandas(_frame(value))


def _dump_parquet(value: object, file: BinaryIO) -> None:
    table = _table(value)
    import pyarrow.parquet as pq

    pq.write_table(table, file)


def _dump_arrow(value: object, file: BinaryIO) -> None:
    table = _table(value)
    import pyarrow as pa

    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


CSV = Format(
    name="csv",
    suffixes=(".csv",),
    loader=partial(_load_csv, separator=","),
    dumper=partial(_dump_csv, separator=","),
    takes_limit=True,
    takes_encoding=True,
    way_on='pandas.read_csv(aios3_nb.open(uri), encoding="cp1252")',
)
TSV = Format(
    name="tsv",
    suffixes=(".tsv", ".tab"),
    loader=partial(_load_csv, separator="\t"),
    dumper=partial(_dump_csv, separator="\t"),
    takes_limit=True,
    takes_encoding=True,
    way_on='pandas.read_csv(aios3_nb.open(uri), sep="\\t", encoding="cp1252")',
)
PARQUET = Format(
    name="parquet",
    suffixes=(".parquet", ".pq"),
    matches=begins_with(b"PAR1"),
    loader=_load_parquet,
    takes_limit=True,
    dumper=_dump_parquet,
    way_on="pyarrow.parquet.ParquetFile(aios3_nb.open(uri))",
)
ARROW = Format(
    name="arrow",
    suffixes=(".arrow", ".arrows", ".feather", ".ipc"),
    matches=_is_arrow,
    loader=_load_arrow,
    takes_limit=True,
    dumper=_dump_arrow,
    way_on="pyarrow.ipc.open_stream(aios3_nb.open(uri)), or open_file for a file",
)
