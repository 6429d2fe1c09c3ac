"""A value -> bytes, in the format that a key's suffix says, compressed as it says.

What a format cannot hold is an error before anything is sent, in one line that says what would hold it.
"""

from __future__ import annotations

import io
import pickle
import threading
from typing import Any, BinaryIO, cast

from aios3_nb.errors import FormatError, LoadCancelledError, MissingPackageError, OptionError, S3Error
from aios3_nb.formats.compression import Codec, codec_for
from aios3_nb.formats.format import Format
from aios3_nb.formats.plain import BYTES
from aios3_nb.formats.registry import all_formats, expected_format
from aios3_nb.text import visible

_PIECE = 1024 * 1024
"""Bytes that are handed on together: writers write a few bytes at a time, and a stop is noticed between two pieces."""


def writable_names() -> list[str]:
    """Return what ``--format`` takes when something is stored."""
    return sorted({format.name for format in all_formats() if format.dumper is not None})


def format_for_writing(value: object, key: str, name: str | None) -> Format:
    """Return the format to store `value` in: the one called `name`, else that of the key's suffix.

    Raises:
        OptionError: There is none, or it is only read here.
    """
    format = expected_format(key, name)
    if format is not None and format.dumper is not None:
        return format
    # Bytes are what they are under any name: pictures, archives, what somebody else has made.
    if name is None and isinstance(value, (bytes, bytearray, memoryview)):
        return BYTES
    kind = f"{format.name} is only read here" if format is not None else f"cannot tell from {visible(key, most=80)!r}"
    raise OptionError(f"How to write it: {kind}. Say --format NAME; there are {', '.join(writable_names())}.")


def write(value: object, file: BinaryIO, format: Format, key: str, stopped: threading.Event) -> None:
    """Write `value` to `file` in `format`, compressed as the suffix of `key` says.

    Args:
        value: What to write.
        file: Where to.
        format: It has a dumper.
        key: Its last suffix may be one of compression.
        stopped: When it is set, this ends soon.

    Raises:
        FormatError: `format` cannot hold the value.
        MissingPackageError: A package is needed.
        LoadCancelledError: It was stopped.
    """
    assert format.dumper is not None
    sink = _Sink(file, codec_for(key), stopped)
    buffered = io.BufferedWriter(sink, _PIECE)
    try:
        format.dumper(value, cast(BinaryIO, buffered))
        buffered.flush()
        sink.finish()
    except (S3Error, MemoryError):
        raise
    except ImportError as exc:
        raise MissingPackageError(f"Writing {format.name} needs a package: {visible(str(exc), most=200)}") from exc
    except (
        pickle.PicklingError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        OverflowError,
        LookupError,
    ) as exc:
        raise _not_held(value, format, exc) from exc
    except Exception as exc:
        if type(exc).__module__.partition(".")[0] not in ("pyarrow", "pandas", "numpy", "zipfile"):
            raise
        raise _not_held(value, format, exc) from exc
    finally:
        sink.leave()


def _not_held(value: object, format: Format, exc: BaseException) -> FormatError:
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    why = visible(str(exc).strip().partition("\n")[0] or type(exc).__name__, most=200).rstrip(".")
    return FormatError(f"{format.name} cannot hold this {kind}: {why}.{_advice(kind, format.name)}")


def _advice(kind: str, name: str) -> str:
    if kind.startswith("pandas.") and name not in ("parquet", "csv"):
        return " A DataFrame can be stored as .parquet, .csv, .jsonl or .pkl."
    if kind.startswith("numpy.") and name not in ("npy", "pickle"):
        return " An array can be stored as .npy or .pkl."
    if name == "pickle":
        return " A pickle holds data, and functions and classes of modules by their names."
    return " What is no such thing can be stored as .pkl, text as .txt, bytes as .bin." if name != "bytes" else ""


class _Sink(io.RawIOBase):
    """Where bytes are compressed on their way to a file, until somebody stops it."""

    def __init__(self, file: BinaryIO, codec: Codec | None, stopped: threading.Event) -> None:
        super().__init__()
        self._file = file
        self._compressor = None if codec is None else codec.compressor()
        self._stopped = stopped
        self._count = 0
        self._left = False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._count

    def write(self, data: Any, /) -> int:
        """Take all of `data`."""
        if self._left:
            return memoryview(data).nbytes  # what a writer that has failed still holds
        if self._stopped.is_set():
            raise LoadCancelledError("Stopped before anything was stored.")
        size = memoryview(data).nbytes
        self._file.write(data if self._compressor is None else self._compressor.compress(bytes(data)))
        self._count += size
        return size

    def finish(self) -> None:
        """Write what the compressor still holds."""
        if self._compressor is not None:
            self._file.write(self._compressor.flush())

    def leave(self) -> None:
        """Write nothing more to the file."""
        self._left = True
