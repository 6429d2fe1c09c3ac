"""Other libraries' file systems: calls of fsspec become orders, ranged requests, listings and uploads.

In come the paths and options of pandas, pyarrow, polars, dask, zarr, duckdb, joblib and whoever else takes an fsspec
file system; out come files, bytes and listings. Nothing of it is imported before somebody asks for it, and it must not
know of notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.filesystems.files import S3FileSystem as S3FileSystem
    from aios3_nb.filesystems.make import filesystem as filesystem, register_filesystem as register_filesystem
else:
    __getattr__, __dir__, __all__ = face(__name__, files="S3FileSystem", make="filesystem register_filesystem")
