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

from typing import TYPE_CHECKING

from aios3_nb.faces import face

__version__ = "0.2.0"

if TYPE_CHECKING:
    from aios3_nb.aios3 import chunks as chunks, read as read, save as save, stream as stream
    from aios3_nb.api import (
        adump as adump,
        aiterate as aiterate,
        aload as aload,
        als as als,
        apeek as apeek,
        cd as cd,
        dump as dump,
        iterate as iterate,
        load as load,
        ls as ls,
        open as open,
        peek as peek,
        sign as sign,
    )
    from aios3_nb.browser import S3Browser as S3Browser, browse as browse
    from aios3_nb.cache import Cached as Cached, CachedObject as CachedObject, cached as cached
    from aios3_nb.dask import bag as bag, frame as frame
    from aios3_nb.diagnosis import Diagnosis as Diagnosis, doctor as doctor
    from aios3_nb.errors import (
        AccessDeniedError as AccessDeniedError,
        BlockedPickleError as BlockedPickleError,
        ChecksumError as ChecksumError,
        CredentialsError as CredentialsError,
        DownloadError as DownloadError,
        EndpointError as EndpointError,
        FormatError as FormatError,
        LoadCancelledError as LoadCancelledError,
        MissingPackageError as MissingPackageError,
        NotVerifiedError as NotVerifiedError,
        ObjectChangedError as ObjectChangedError,
        ObjectExistsError as ObjectExistsError,
        ObjectNotFoundError as ObjectNotFoundError,
        OptionError as OptionError,
        PartialLoadError as PartialLoadError,
        ProtocolError as ProtocolError,
        RedirectError as RedirectError,
        S3Error as S3Error,
        ServiceError as ServiceError,
        StalledError as StalledError,
        TooLargeError as TooLargeError,
        TruncatedError as TruncatedError,
        UriError as UriError,
    )
    from aios3_nb.filesystems import (
        S3FileSystem as S3FileSystem,
        filesystem as filesystem,
        register_filesystem as register_filesystem,
    )
    from aios3_nb.formats import Format as Format, LoadOptions as LoadOptions, register as register
    from aios3_nb.notebook import (
        load_ipython_extension as load_ipython_extension,
        unload_ipython_extension as unload_ipython_extension,
    )
    from aios3_nb.pipeline import BackgroundLoad as BackgroundLoad, Items as Items
    from aios3_nb.s3 import Entry as Entry, Listing as Listing
    from aios3_nb.settings import Settings as Settings
    from aios3_nb.streams import S3File as S3File
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        aios3="stream chunks read save",
        api="open load aload iterate aiterate peek apeek ls als cd dump adump sign",
        browser="S3Browser browse",
        cache="Cached CachedObject cached",
        dask="bag frame",
        diagnosis="Diagnosis doctor",
        errors="S3Error UriError OptionError ObjectNotFoundError ObjectExistsError AccessDeniedError CredentialsError"
        " EndpointError DownloadError StalledError RedirectError ProtocolError ServiceError ObjectChangedError"
        " ChecksumError NotVerifiedError FormatError TruncatedError BlockedPickleError TooLargeError"
        " MissingPackageError PartialLoadError LoadCancelledError",
        filesystems="S3FileSystem filesystem register_filesystem",
        formats="Format LoadOptions register",
        notebook="load_ipython_extension unload_ipython_extension",
        pipeline="BackgroundLoad Items",
        s3="Entry Listing",
        settings="Settings",
        streams="S3File",
    )
    __all__ += ["__version__"]
