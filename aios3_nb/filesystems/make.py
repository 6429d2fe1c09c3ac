"""A file system where somebody asks for one; fsspec is imported then, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aios3_nb.errors import MissingPackageError

if TYPE_CHECKING:
    from aios3_nb.filesystems.files import S3FileSystem


def filesystem(**settings: Any) -> S3FileSystem:
    """Return a file system of fsspec over S3, for every library that takes one by ``filesystem=`` or ``fs=``.

    With the package installed, libraries find it by URL too: ``pd.read_parquet("aios3://bucket/table.parquet")``.

    Args:
        settings: As calls take them: ``profile``, ``endpoint_url``, ``no_sign_request``, ``read_timeout``; and those
            of s3fs that have a meaning here: ``anon``, ``client_kwargs={"endpoint_url": ...}``, ``requester_pays``,
            ``version_aware``; and fsspec's own: ``asynchronous``, ``use_listings_cache`` (off unless asked for).

    Raises:
        OptionError: One of them is not understood; the message names it. Keys and secrets are never taken.
        MissingPackageError: fsspec is not installed.
    """
    kind: type[S3FileSystem] = _room().S3FileSystem
    return kind(**settings)


def register_filesystem(protocol: str = "aios3") -> None:
    """Have fsspec take this file system for ``protocol://``; with ``"s3"`` for everybody's ``s3://`` in this process.

    Raises:
        MissingPackageError: fsspec is not installed.
    """
    kind = _room().S3FileSystem
    import fsspec

    fsspec.register_implementation(protocol, kind, clobber=True)


def _room() -> Any:
    try:
        from aios3_nb.filesystems import files
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] != "fsspec":
            raise
        raise MissingPackageError("A file system needs the package fsspec: pip install 'aios3_nb[fsspec]'") from None
    return files
