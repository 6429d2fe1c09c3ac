"""Formats that become a pandas DataFrame: CSV, Parquet, Arrow.

Parquet and Arrow are read in one piece, not by seeking: all of it is needed, and one stream that is fetched by
several connections is faster than many small reads.
"""

from __future__ import annotations

import io
from functools import partial
from typing import Any, BinaryIO

from aios3_nb.formats.format import Format, LoadOptions, begins_with, library_errors, package


def _load_csv(file: BinaryIO, options: LoadOptions, *, separator: str) -> Any:
    with package("pandas", "CSV"):
        import pandas as pd
    with library_errors("CSV"):
        return pd.read_csv(file, sep=separator)


def _load_parquet(file: BinaryIO, options: LoadOptions) -> Any:
    with package("pandas pyarrow", "Parquet"):
        import pandas as pd
        import pyarrow.parquet  # noqa: F401  what pandas needs, looked for before the download
    data = io.BytesIO(file.read())
    with library_errors("Parquet"):
        return pd.read_parquet(data, engine="pyarrow")


def _load_arrow(file: BinaryIO, options: LoadOptions) -> Any:
    with package("pandas pyarrow", "Arrow"):
        import pandas as pd
        import pyarrow.feather  # noqa: F401  as above
    data = io.BytesIO(file.read())
    with library_errors("Arrow"):
        return pd.read_feather(data)


CSV = Format(name="csv", suffixes=(".csv",), loader=partial(_load_csv, separator=","))
TSV = Format(name="tsv", suffixes=(".tsv", ".tab"), loader=partial(_load_csv, separator="\t"))
PARQUET = Format(name="parquet", suffixes=(".parquet", ".pq"), matches=begins_with(b"PAR1"), loader=_load_parquet)
ARROW = Format(
    name="arrow", suffixes=(".arrow", ".feather", ".ipc"), matches=begins_with(b"ARROW1", b"FEA1"), loader=_load_arrow
)
