"""Dumps of joblib: pickles with the arrays between their opcodes, or (before joblib 0.10) in files beside them."""

from __future__ import annotations

import contextlib
import io
import os
import pickletools
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from aios3_nb.errors import BlockedPickleError, FormatError, MissingPackageError, ObjectNotFoundError, S3Error
from aios3_nb.formats.collector import collector_paused
from aios3_nb.formats.format import Beside, Format, LoadOptions, package
from aios3_nb.text import visible

_ZFILE = b"ZF0x"
"""What joblib before 0.10 compressed begins with; then the length in hexadecimal, and zlib's bytes."""

_ARRAY = re.compile(r"[^/\\\0]{1,200}\.npy(?:\.z)?")
"""What a file beside an old dump is called."""

_CHUNK_SIZE = 1024 * 1024


def _load_joblib(file: BinaryIO, options: LoadOptions) -> object:
    if not options.trust:
        raise BlockedPickleError(
            "This looks like a joblib dump: pickles and arrays in turn, which only joblib can read, running whatever "
            "they ask for. If you trust where it comes from say --trust. A dump without arrays is an ordinary "
            "pickle: --format pickle."
        )
    with package("joblib", "joblib dumps"):
        import joblib
    is_old = file.peek(len(_ZFILE)).startswith(_ZFILE)  # type: ignore[attr-defined]
    with collector_paused(), _explained(), warnings.catch_warnings():
        # That it is old, and what joblib itself does in old ways: nothing that a user here can change.
        warnings.simplefilter("ignore", DeprecationWarning)
        if is_old:
            return _load_from_disk(joblib, file, options)
        try:
            return joblib.load(file)
        except FileNotFoundError:
            if options.beside is None:
                raise
        file.seek(0)
        return _load_from_disk(joblib, file, options)


def _load_from_disk(joblib: Any, file: BinaryIO, options: LoadOptions) -> object:
    """Return what an old dump holds; joblib takes only the path of one, and looks for its arrays there."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dump")
        with open(path, "wb") as copy:
            while data := file.read(_CHUNK_SIZE):
                copy.write(data)
        if options.beside is not None:
            for name in _names_beside(path):
                _fetch(options.beside, name, folder)
        return joblib.load(path)


def _names_beside(path: str) -> list[str]:
    """Return the names of the files with the arrays of the old dump at `path`: ``model.pkl_01.npy`` and the like."""
    from joblib.numpy_pickle_compat import read_zfile

    with open(path, "rb") as dump:
        is_packed = dump.read(len(_ZFILE)) == _ZFILE
        dump.seek(0)
        source = io.BytesIO(read_zfile(dump)) if is_packed else dump
        found: dict[str, None] = {}
        with contextlib.suppress(ValueError, UnicodeDecodeError):  # joblib says better what is wrong with it
            for _, argument, _ in pickletools.genops(source):
                if isinstance(argument, str) and _ARRAY.fullmatch(argument):
                    found[argument] = None
    return list(found)


def _fetch(beside: Beside, name: str, folder: str) -> None:
    try:
        with open(os.path.join(folder, name), "wb") as copy:
            beside(name, copy)
    except ObjectNotFoundError as exc:
        raise FormatError(
            f"This is a dump of a joblib before 0.10, which put the arrays into files beside it: {visible(name)} is "
            "needed, and is not there. Put all of them beside it."
        ) from exc


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what joblib raises, and whatever it runs, into an error that says what is the matter."""
    try:
        yield
    except S3Error:
        raise
    except FileNotFoundError as exc:
        name = os.path.basename(str(exc.filename or ""))
        raise FormatError(
            f"This is a dump of a joblib before 0.10, which put the arrays into files beside it: {visible(name)} is "
            "needed. Download all of them into one folder and load it there with joblib.load(path)."
        ) from exc
    except ModuleNotFoundError as exc:
        missing = visible(exc.name or "a package")
        raise MissingPackageError(f"The joblib dump needs {missing}, which is not installed.") from exc
    except MemoryError as exc:
        raise FormatError("The joblib dump asks for more memory than there is.") from exc
    except Exception as exc:
        cause = visible(f"{type(exc).__name__}: {exc}", most=300)
        hint = (
            " It was written by another version of a package, or by Python 2."
            if isinstance(exc, (AttributeError, ImportError, TypeError, UnicodeDecodeError))
            or "Python 2" in str(exc)
            or "python 2" in str(exc)
            else ""
        )
        raise FormatError(f"joblib cannot load this dump: {cause}.{hint}") from exc


def is_joblib(head: bytes) -> bool:
    """Return whether a plain file that begins with `head` was written by joblib, with arrays."""
    return head.startswith(_ZFILE) or (head.startswith(b"\x80") and b"joblib.numpy_pickle" in head)


JOBLIB = Format(
    name="joblib",
    suffixes=(".joblib",),
    matches=is_joblib,
    loader=_load_joblib,
    way_on="joblib.load(aios3_nb.open(uri))",
)
