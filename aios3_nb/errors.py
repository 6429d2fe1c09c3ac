"""What can go wrong, as one tree; each error is also the builtin that a Python user would catch.

S3Error
├── UriError (ValueError)                     what was written names no S3 object
├── OptionError (ValueError)                  an option or setting that does not exist or does not fit
├── ObjectNotFoundError (FileNotFoundError)   no such bucket, key or version
├── ObjectExistsError (FileExistsError)       it was to be made, and not replaced
├── AccessDeniedError (PermissionError)       the answer was 403
├── CredentialsError (PermissionError)        none found, expired, or refused
├── EndpointError (ConnectionError)           nobody answers there, it is no S3, or another region's bucket
├── DownloadError (ConnectionError)           transient faults outlasted the retries
│   └── StalledError (TimeoutError)           ... and the last of them was silence, or a drip
├── RedirectError (ConnectionError)           the server pointed to another host
├── ProtocolError (OSError)                   the answer is not what was asked for
├── ServiceError (OSError)                    S3 refused for a reason without a class of its own
├── ObjectChangedError (OSError)              replaced or deleted while it was read
├── ChecksumError (OSError)                   the bytes are not those that were stored
├── NotVerifiedError (OSError)                verification was required and is not possible
├── FormatError (ValueError)                  the bytes are not of that format
│   └── TruncatedError (EOFError)             ... because they end too early
├── BlockedPickleError (UnpicklingError)      the pickle needs names that are not on the safe list
├── TooLargeError (ValueError)                more than ``max_bytes``, or a decompression bomb
├── MissingPackageError (ImportError)         the format needs a package that is not installed
├── PartialLoadError                          some of several objects could not be loaded
└── LoadCancelledError                        somebody pressed Cancel

The text is built outside ``__init__``, so that every error survives pickling and copying.
"""

from __future__ import annotations

import pickle
from typing import Any

from aios3_nb.text import as_call, rendered


class S3Error(Exception):
    """Base of everything this package raises on purpose.

    Attributes:
        uri: The object concerned, as ``s3://bucket/key``; empty when there is none.
        offset: Byte of the object that was reached; None when none was.
        attempts: Requests made for the failing range; None when not counted.
        in_line: Whether it is told to somebody who has typed a magic, and not a call.
    """

    uri: str
    offset: int | None
    attempts: int | None
    in_line: bool = False

    def __init__(
        self, message: str = "", *, uri: str = "", offset: int | None = None, attempts: int | None = None
    ) -> None:
        super().__init__(message)
        self.uri = uri
        self.offset = offset
        self.attempts = attempts

    def __str__(self) -> str:
        return self.said if self.in_line else as_call(self.said, self.uri)

    @property
    def said(self) -> str:
        """The message with options as they are in a line, whoever asked; for what goes into another message."""
        # OSError's own __str__ would print "[Errno None] None" for some argument counts.
        return str(self.args[0]) if self.args else type(self).__name__

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of the whole traceback."""
        return rendered(self, whole=self.in_line)


class UriError(S3Error, ValueError):
    """What was written names no S3 object."""


class OptionError(S3Error, ValueError):
    """An option or setting that does not exist, or a value that does not fit it."""


class ObjectNotFoundError(S3Error, FileNotFoundError):
    """No such bucket, key or version."""


class ObjectExistsError(S3Error, FileExistsError):
    """The object exists already, and was to be made only where there is none."""


class AccessDeniedError(S3Error, PermissionError):
    """The credentials are fine, but not allowed to do this."""


class CredentialsError(S3Error, PermissionError):
    """No credentials were found, or they have expired, or S3 does not know them."""


class EndpointError(S3Error, ConnectionError):
    """Nobody answers at the endpoint, or the bucket lives in another region."""


class DownloadError(S3Error, ConnectionError):
    """Transient faults outlasted the retry budget; the message names the offset and the last cause."""


class StalledError(DownloadError, TimeoutError):
    """A wait reached its bound: pool, connection, first byte, body, throughput floor or total."""


class RedirectError(S3Error, ConnectionError):
    """The server pointed to another host; it was not followed, for it would have been given the token."""


class ProtocolError(S3Error, OSError):
    """The answer is not what was asked for: status, Content-Range, length or encoding."""


class ServiceError(S3Error, OSError):
    """S3 refused the request for a reason that has no class of its own here.

    Attributes:
        code: The S3 error code, such as ``InvalidObjectState``.
    """

    code: str = ""


class ObjectChangedError(S3Error, OSError):
    """The object was replaced or deleted while it was being read; running again reads the new one."""


class ChecksumError(S3Error, OSError):
    """The bytes that arrived are not those that were stored."""


class NotVerifiedError(S3Error, OSError):
    """``verify="require"`` was asked for and the object gives nothing to verify with."""


class FormatError(S3Error, ValueError):
    """The bytes are not of that format; ``offset`` says where, when that is known."""


class TruncatedError(FormatError, EOFError):
    """The bytes are a beginning of that format and end too early."""


class BlockedPickleError(S3Error, pickle.UnpicklingError):
    """The pickle needs names that are not on the safe list; nothing of it was run.

    Attributes:
        names: Dotted names that were blocked, sorted, as ``--allow`` takes them.
    """

    names: tuple[str, ...] = ()


class TooLargeError(S3Error, ValueError):
    """More bytes than ``max_bytes`` allows, or a decompression bomb."""


class MissingPackageError(S3Error, ImportError):
    """The format or codec needs a package that is not installed; the message has the install line."""


class PartialLoadError(S3Error):
    """Some of several objects could not be loaded; the others are not lost.

    Attributes:
        values: What was loaded, as the call would have given it: by key for a glob, by name or address for several.
        errors: What was not, and why; the error of a glob among several targets is one of these again.
    """

    values: dict[str, Any]
    errors: dict[str, S3Error]

    def __init__(
        self, message: str = "", *, uri: str = "", offset: int | None = None, attempts: int | None = None
    ) -> None:
        super().__init__(message, uri=uri, offset=offset, attempts=attempts)
        self.values, self.errors = {}, {}


class LoadCancelledError(S3Error):
    """The load was cancelled; nothing was bound."""
