"""Formats that become a pandas DataFrame: CSV, Parquet, Arrow.

Parquet and Arrow are read in one piece, not by seeking: all of it is needed, and one stream that is fetched by
several connections is faster than many small reads.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from aios3_nb.errors import TruncatedError
from aios3_nb.formats.buffers import check_arrow, first_batches
from aios3_nb.formats.codecs import mapped, peek_head
from aios3_nb.formats.columns import read_columns, read_rows
from aios3_nb.formats.decoding import codec_and_mark, not_this_encoding, told_encoding
from aios3_nb.formats.expansion import ExpansionLimit
from aios3_nb.formats.format import HEAD_SIZE, Format, LoadOptions, begins_with, library_errors, package
from aios3_nb.formats.pages import Pages, Range, check_parquet
from aios3_nb.formats.shape import check_columns, converted


def _load_csv(file: BinaryIO, options: LoadOptions, *, separator: str) -> Any:
    with package("pandas", "CSV"):
        import pandas as pd
    # pandas reads UTF-16 when it is told.
    head = peek_head(file, HEAD_SIZE)
    if not head.strip():
        raise TruncatedError("The table is empty, without even the names of columns.", offset=0)
    encoding = options.encoding or told_encoding(head) or "utf-8"
    codec_and_mark(encoding, b"")
    with library_errors("CSV"):
        try:
            names: list[str] = []
            frame = pd.read_csv(
                file,
                sep=separator,
                encoding=encoding,
                nrows=options.most_rows,
                usecols=_noting(names, options.columns) if options.columns else None,
            )
        except UnicodeDecodeError as exc:
            wrong = exc
        else:
            check_columns(options.columns, list(dict.fromkeys(names)))
            return converted(frame[list(options.columns)] if options.columns else frame, options.as_)
    raise not_this_encoding(wrong)


def _noting(names: list[str], wanted: Sequence[str]) -> Callable[[str], bool]:
    """Return what says of a column whether it is wanted, and notes its name."""

    def is_wanted(name: str) -> bool:
        names.append(name)
        return name in wanted

    return is_wanted


def _load_parquet(file: BinaryIO, options: LoadOptions) -> Any:
    with package("pandas pyarrow", "Parquet"):
        import pandas as pd
        import pyarrow.parquet  # what pandas needs, looked for before the download
    limit = ExpansionLimit(max_bytes=options.max_bytes)
    if options.most_rows is not None:
        with library_errors("Parquet"):
            rows = read_rows(file, options.columns, options.most_rows, limit)
            return converted(_chosen(rows, options.columns), options.as_)
    if options.columns:
        with library_errors("Parquet"):
            return converted(read_columns(file, options.columns, limit), options.as_)
    data = file.read()
    with library_errors("Parquet"):
        _check_whole_parquet(memoryview(data), limit)
        if options.as_ in (None, "pandas"):
            return pd.read_parquet(io.BytesIO(data), engine="pyarrow")
        return converted(pyarrow.parquet.ParquetFile(io.BytesIO(data)).read(), options.as_)


def _check_whole_parquet(data: memoryview, limit: ExpansionLimit) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def opened(_: Sequence[Range] = (), dictionaries: Sequence[str] = ()) -> Any:
        return pq.ParquetFile(pa.py_buffer(data), read_dictionary=list(dictionaries))

    check_parquet(Pages(opened().metadata, len(data), lambda start, stop: data[start:stop], opened), limit)


def _load_arrow(file: BinaryIO, options: LoadOptions) -> Any:
    with package("pandas pyarrow", "Arrow"):
        import pandas as pd
        import pyarrow as pa
        import pyarrow.feather  # looked for before the download
    limit = ExpansionLimit(max_bytes=options.max_bytes)
    most = options.most_rows
    if most is not None and not peek_head(file, 4).startswith(_FEATHER_1):
        with library_errors("Arrow"):
            return converted(_chosen(first_batches(file, most, limit), options.columns), options.as_)
    data = _whole(file)
    if bytes(data[:6]).startswith(_FILES):
        with library_errors("Arrow"):
            if bytes(data[:4]) != _FEATHER_1:  # there nothing is compressed
                check_arrow(memoryview(data), limit)
            if options.as_ is None and not options.columns:
                return pd.read_feather(io.BytesIO(data))[:most]
            table = pyarrow.feather.read_table(pa.BufferReader(data))
            return converted(_chosen(table, options.columns)[:most], options.as_)
    with library_errors("Arrow stream"):
        check_arrow(memoryview(data), limit)
        return converted(_chosen(pa.ipc.open_stream(pa.py_buffer(data)).read_all(), options.columns), options.as_)


def _whole(file: BinaryIO) -> bytes | memoryview:
    memory = mapped(file)
    return file.read() if memory is None else memory


def _chosen(table: Any, columns: Sequence[str]) -> Any:
    if not columns:
        return table
    check_columns(columns, table.column_names)
    return table.select(list(columns))


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
    takes_columns=True,
    takes_encoding=True,
    way_on="pandas.read_csv(aios3_nb.open(uri))",
    way_on_encoded='pandas.read_csv(aios3_nb.open(uri), encoding="cp1252")',
)
TSV = replace(
    CSV,
    name="tsv",
    suffixes=(".tsv", ".tab"),
    loader=partial(_load_csv, separator="\t"),
    dumper=partial(_dump_csv, separator="\t"),
    way_on='pandas.read_csv(aios3_nb.open(uri), sep="\\t")',
    way_on_encoded='pandas.read_csv(aios3_nb.open(uri), sep="\\t", encoding="cp1252")',
)
PARQUET = Format(
    name="parquet",
    suffixes=(".parquet", ".pq"),
    matches=begins_with(b"PAR1"),
    has_columns_apart=True,
    loader=_load_parquet,
    takes_limit=True,
    takes_columns=True,
    dumper=_dump_parquet,
    way_on="pyarrow.parquet.ParquetFile(aios3_nb.open(uri))",
)
ARROW = Format(
    name="arrow",
    suffixes=(".arrow", ".arrows", ".feather", ".ipc"),
    matches=_is_arrow,
    loader=_load_arrow,
    takes_limit=True,
    takes_columns=True,
    dumper=_dump_arrow,
    way_on="pyarrow.ipc.open_stream(aios3_nb.open(uri)), or open_file for a file",
)
