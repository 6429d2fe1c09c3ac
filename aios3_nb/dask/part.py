"""One object of a collection: what a task knows of it, and how it is loaded where the task runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aios3_nb.errors import S3Error
from aios3_nb.formats import LoadOptions
from aios3_nb.pipeline import Items, Order, load_one, open_file
from aios3_nb.settings import Settings, current
from aios3_nb.streams import Monitor, ObjectInfo, S3File

_ITEMS = ("pickle", "jsonl", "text")


@dataclass(frozen=True, slots=True)
class Part:
    """One version of one object, and how to load it.

    Attributes:
        info: The version that was listed; another one is an `ObjectChangedError`.
        settings: Those that are set, by name; nothing secret.
        format: Its name, when it was given.
        reading: What the format is told.
    """

    info: ObjectInfo
    settings: tuple[tuple[str, Any], ...]
    format: str | None
    reading: LoadOptions

    @property
    def order(self) -> Order:
        """The order for it, with the settings of the process that asks where none travelled."""
        settings: Settings = current(**dict(self.settings))
        return Order(uri=self.info.uri, settings=settings, format=self.format, reading=self.reading, known=self.info)

    def open(self) -> S3File:
        """Return it as a file."""
        return open_file(self.order, Monitor(), whole=False)


def items_of(part: Part) -> list[Any]:
    """Return what a bag has of the object: its pickles, lines or elements; or the one value."""
    with _plain():
        loaded_format = format_of(part)
        if loaded_format in _ITEMS:
            with Items(part.order, Monitor()) as items:
                return list(items)
        value = load_one(part.order, Monitor()).value
        return value if loaded_format == "json" and isinstance(value, list) else [value]


def table_of(part: Part, columns: list[str] | None = None) -> Any:
    """Return the object's rows as a DataFrame of pandas, with these `columns` only when there are any."""
    import pandas as pd

    with _plain():
        if format_of(part) == "parquet" and columns is not None:
            with part.open() as file:
                return pd.read_parquet(file, columns=columns)
        value = load_one(part.order, Monitor()).value
        table = value if isinstance(value, pd.DataFrame) else pd.DataFrame(value)
        return table if columns is None else table[columns]


def head_of(part: Part, rows: int = 100) -> Any:
    """Return the first rows as a DataFrame, by fetching the object's head, or the footer of a Parquet file."""
    import pandas as pd

    name = format_of(part)
    if name == "parquet":
        import pyarrow.parquet

        with part.open() as file:
            return pyarrow.parquet.read_schema(file).empty_table().to_pandas()
    if name in ("csv", "tsv"):
        with part.open() as file:
            return pd.read_csv(file, sep="," if name == "csv" else "\t", nrows=rows, compression="infer")
    if name == "jsonl":
        with Items(dataclasses.replace(part.order, limit=rows), Monitor()) as items:
            return pd.DataFrame(list(items))
    return table_of(part)


def format_of(part: Part) -> str:
    """Return the name of the format that was given, or that the key names."""
    from aios3_nb.formats import recognise

    return part.format or recognise(part.info.uri.key, b"", None).name


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
