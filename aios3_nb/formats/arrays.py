"""Formats of numpy arrays: npy, npz, safetensors, joblib."""

from __future__ import annotations

import io
import zipfile
from typing import Any, BinaryIO

from aios3_nb.errors import BlockedPickleError, FormatError, TruncatedError
from aios3_nb.formats.collector import collector_paused
from aios3_nb.formats.expansion import ExpansionLimit
from aios3_nb.formats.format import Format, LoadOptions, begins_with, library_errors, package

_OBJECTS = (
    "The array holds Python objects, that is a pickle, which could run code. If you trust it: "
    "numpy.load(aios3_nb.open(uri), allow_pickle=True)"
)


def _load_npy(file: BinaryIO, options: LoadOptions) -> object:
    with package("numpy", "npy"):
        from numpy.lib import format as npy
    try:
        return npy.read_array(file, allow_pickle=False)
    except ValueError as exc:
        raise _npy_error(exc) from exc


def _npy_error(error: ValueError) -> FormatError:
    text = str(error)
    if "allow_pickle" in text:
        return FormatError(_OBJECTS)
    kind = TruncatedError if text.startswith("EOF") else FormatError
    return kind(f"Not valid npy: {text}")


def _load_npz(file: BinaryIO, options: LoadOptions) -> dict[str, Any]:
    """Return the arrays by name, all of them loaded: an archive that is open would need the object open."""
    with package("numpy", "npz"):
        from numpy.lib import format as npy
    data = file.read()
    with library_errors("npz"):
        archive = zipfile.ZipFile(io.BytesIO(data))
    # zipfile gives no more of a member than is declared here.
    ExpansionLimit(options.max_bytes).check(sum(info.file_size for info in archive.infolist()), len(data))
    arrays = {}
    for name in archive.namelist():
        with library_errors("npz"), archive.open(name) as member:
            try:
                arrays[name.removesuffix(".npy")] = npy.read_array(member, allow_pickle=False)
            except ValueError as exc:
                raise _npy_error(exc) from exc
    return arrays


def _load_safetensors(file: BinaryIO, options: LoadOptions) -> object:
    with package("safetensors numpy", "safetensors"):
        from safetensors.numpy import load
    data = file.read()
    with library_errors("safetensors"):
        return load(data)


def _load_joblib(file: BinaryIO, options: LoadOptions) -> object:
    if not options.trust:
        raise BlockedPickleError(
            "This looks like a joblib dump: pickles and arrays in turn, which only joblib can read, running whatever "
            "they ask for. If you trust where it comes from say --trust. A dump without arrays is an ordinary "
            "pickle: --format pickle."
        )
    with package("joblib", "joblib dumps"):
        import joblib
    with collector_paused():
        return joblib.load(file)


def _is_joblib(head: bytes) -> bool:
    if head.startswith(b"\x80"):
        return b"joblib.numpy_pickle" in head
    # joblib.dump(compress=True) is bare zlib; "x^" alone could be a text.
    return head.startswith(_ZLIB) and not head[:64].isascii()


def _is_safetensors(head: bytes) -> bool:
    # Eight bytes with the length of the JSON that follows. See: https://huggingface.co/docs/safetensors
    return head[8:10] == b'{"' and 2 <= int.from_bytes(head[:8], "little") <= 100_000_000


_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")

NPY = Format(name="npy", suffixes=(".npy",), matches=begins_with(b"\x93NUMPY"), loader=_load_npy)
NPZ = Format(
    name="npz",
    suffixes=(".npz",),
    matches=lambda head: head.startswith(b"PK\x03\x04") and b".npy" in head[30:256],
    loader=_load_npz,
)
SAFETENSORS = Format(name="safetensors", suffixes=(".safetensors",), matches=_is_safetensors, loader=_load_safetensors)
JOBLIB = Format(name="joblib", suffixes=(".joblib",), matches=_is_joblib, loader=_load_joblib)
