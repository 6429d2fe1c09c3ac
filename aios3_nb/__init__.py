"""Get data out of S3 and into a notebook: streamed, visible, bounded in memory, exact and safe.

In a notebook::

    %load_ext aios3_nb
    model = %s3load s3://bucket/models/model.pkl

In Python, anywhere::

    import aios3_nb
    model = aios3_nb.load("s3://bucket/models/model.pkl")
    model = await aios3_nb.aload("s3://bucket/models/model.pkl")
    with aios3_nb.open("s3://bucket/table.parquet") as file: ...

Importing this package is cheap: what a verb needs is imported on its first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "aios3_nb.api": (
        "open", "load", "aload", "iterate", "aiterate", "peek", "apeek", "ls", "als", "cd", "dump", "adump",
    ),
    "aios3_nb.aios3": ("stream", "chunks", "read", "save"),
    "aios3_nb.pipeline.background": ("BackgroundLoad",),
    "aios3_nb.browser.browser": ("S3Browser", "browse"),
    "aios3_nb.streams.file": ("S3File",),
    "aios3_nb.s3.listing": ("Entry", "Listing"),
    "aios3_nb.formats.format": ("Format", "LoadOptions"),
    "aios3_nb.formats.registry": ("register",),
    "aios3_nb.pipeline.items": ("Items",),
    "aios3_nb.settings": ("Settings",),
    "aios3_nb.errors": (
        "S3Error", "UriError", "OptionError", "ObjectNotFoundError", "AccessDeniedError", "CredentialsError",
        "EndpointError", "DownloadError", "StalledError", "RedirectError", "ProtocolError", "ServiceError",
        "ObjectChangedError", "ChecksumError", "NotVerifiedError", "FormatError", "TruncatedError",
        "BlockedPickleError", "TooLargeError", "MissingPackageError", "LoadCancelledError",
    ),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", "load_ipython_extension", "unload_ipython_extension", *_HOME]

if TYPE_CHECKING:
    from aios3_nb.aios3 import chunks, read, save, stream
    from aios3_nb.api import adump, aiterate, aload, als, apeek, cd, dump, iterate, load, ls, open, peek
    from aios3_nb.browser.browser import S3Browser, browse
    from aios3_nb.errors import (
        AccessDeniedError,
        BlockedPickleError,
        ChecksumError,
        CredentialsError,
        DownloadError,
        EndpointError,
        FormatError,
        LoadCancelledError,
        MissingPackageError,
        NotVerifiedError,
        ObjectChangedError,
        ObjectNotFoundError,
        OptionError,
        ProtocolError,
        RedirectError,
        S3Error,
        ServiceError,
        StalledError,
        TooLargeError,
        TruncatedError,
        UriError,
    )
    from aios3_nb.formats.format import Format, LoadOptions
    from aios3_nb.formats.registry import register
    from aios3_nb.pipeline.background import BackgroundLoad
    from aios3_nb.pipeline.items import Items
    from aios3_nb.s3.listing import Entry, Listing
    from aios3_nb.settings import Settings
    from aios3_nb.streams.file import S3File


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'aios3_nb' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; called by ``%load_ext aios3_nb``."""
    from aios3_nb.notebook.magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take back what ``%load_ext aios3_nb`` did; called by ``%unload_ext aios3_nb``."""
    from aios3_nb.notebook.magics import unload

    unload(shell)
