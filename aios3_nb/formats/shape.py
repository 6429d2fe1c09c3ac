"""Tables as people ask for them: some columns, the first rows, as what library has it; and several made one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, get_args

from aios3_nb.errors import FormatError, OptionError
from aios3_nb.formats.format import package
from aios3_nb.text import visible

if TYPE_CHECKING:
    from aios3_nb.formats.format import LoadOptions

Kind = Literal["pandas", "polars", "arrow", "numpy"]
KINDS = (*get_args(Kind), "pil")
"""What a table may come out as, and a picture."""

_SHOWN = 20


def converted(table: Any, kind: str | None) -> Any:
    """Return `table`, of pandas or pyarrow, as `kind`: pandas unless it says otherwise; of numpy an array of rows."""
    is_arrow = hasattr(table, "to_pandas")
    if kind == "arrow":
        with package("pyarrow", "tables of Arrow"):
            import pyarrow as pa
        return table if is_arrow else pa.Table.from_pandas(table, preserve_index=False)
    if kind == "polars":
        with package("polars pyarrow", "tables of polars"):
            import polars as pl
        return pl.from_arrow(table) if is_arrow else pl.from_pandas(table)
    frame = table.to_pandas() if is_arrow else table
    return frame.to_numpy() if kind == "numpy" else frame


def check_columns(wanted: Iterable[str], there: Sequence[str]) -> None:
    """Return if all `wanted` columns are `there`.

    Raises:
        OptionError: One is not; the message says which there are.
    """
    known = set(there)
    for name in wanted:
        if name not in known:
            shown = ", ".join(visible(each, most=60) for each in there[:_SHOWN])
            more = f" and {len(there) - _SHOWN:,} more" if len(there) > _SHOWN else ""
            raise OptionError(f"There is no column {visible(name, most=80)!r}. There are: {shown}{more}.")


def records_table(values: Iterable[object], options: LoadOptions) -> Any:
    """Return the table of `values`, each a row, of which no more are taken than are wanted.

    Raises:
        FormatError: One is no record, which is a dict.
    """
    rows: list[Any] = list(islice(values, options.most_rows))
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise FormatError(f"Row {number:,} is no record with names, but a {type(row).__name__}: it makes no table.")
    if options.columns and rows:
        check_columns(options.columns, list(dict.fromkeys(name for row in rows for name in row)))
        rows = [{name: row.get(name) for name in options.columns} for row in rows]
    if options.as_ == "arrow":
        with package("pyarrow", "tables of Arrow"):
            import pyarrow as pa
        return pa.Table.from_pylist(rows)
    if options.as_ == "polars":
        with package("polars", "tables of polars"):
            import polars as pl
        return pl.DataFrame(rows, infer_schema_length=None)
    with package("pandas", "tables"):
        import pandas as pd
    return converted(pd.DataFrame(rows), options.as_)


def concatenated(tables: Mapping[str, Any], key_column: str | None) -> Any:
    """Return one table of all rows of `tables`, in their order, of the kind that the first one is.

    Args:
        tables: By key.
        key_column: Name of a first column that has the key of each row; None for none.

    Raises:
        OptionError: One is no table, or they are of several kinds, or have that column already.
    """
    first = next(iter(tables.values()))
    for key, table in tables.items():
        if _kind(table) not in _JOINS or _kind(table) != _kind(first):
            raise OptionError(
                f"{visible(key)} is a {type(table).__name__}: --concat makes one table of tables of one kind. "
                "--as pandas makes tables of JSON Lines of records."
            )
        if key_column is not None and key_column in getattr(table, "columns", ()):
            raise OptionError(
                f"{visible(key)} has a column {visible(key_column)!r} already. Give the key another name."
            )
    return _JOINS[_kind(first)](tables, key_column)


def _kind(value: object) -> str:
    """Return what `value` is, without importing what it may be."""
    kind = type(value)
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def _join_pandas(tables: Mapping[str, Any], key_column: str | None) -> Any:
    import pandas as pd

    if key_column is not None:
        tables = {key: frame.copy(deep=False) for key, frame in tables.items()}
        for key, frame in tables.items():
            frame.insert(0, key_column, key)
    # Numbers of rows that pandas counted itself are no data.
    counted = all(isinstance(frame.index, pd.RangeIndex) and frame.index.name is None for frame in tables.values())
    return pd.concat(list(tables.values()), ignore_index=counted)


def _join_arrow(tables: Mapping[str, Any], key_column: str | None) -> Any:
    import pyarrow as pa

    if key_column is not None:
        tables = {
            key: table.add_column(0, key_column, pa.array([key] * table.num_rows, pa.string()))
            for key, table in tables.items()
        }
    # Each tells pandas of an index of its own.
    return pa.concat_tables(
        [table.replace_schema_metadata() for table in tables.values()], promote_options="permissive"
    )


def _join_polars(tables: Mapping[str, Any], key_column: str | None) -> Any:
    import polars as pl

    if key_column is not None:
        tables = {key: table.select(pl.lit(key).alias(key_column), pl.all()) for key, table in tables.items()}
    return pl.concat(list(tables.values()), how="diagonal_relaxed")


def _join_numpy(tables: Mapping[str, Any], key_column: str | None) -> Any:
    import numpy as np

    if key_column is not None:
        raise OptionError("An array has no columns with names, so there is none for the key.")
    return np.concatenate(list(tables.values()))


_JOINS = {
    "pandas.DataFrame": _join_pandas,
    "pyarrow.Table": _join_arrow,
    "polars.DataFrame": _join_polars,
    "numpy.ndarray": _join_numpy,
}
