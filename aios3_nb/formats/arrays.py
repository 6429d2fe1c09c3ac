"""Formats of numpy: npy and npz."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from aios3_nb.errors import FormatError, S3Error, TruncatedError
from aios3_nb.formats.codecs import mapped
from aios3_nb.formats.expansion import ExpansionLimit
from aios3_nb.formats.format import Format, LoadOptions, begins_with, library_errors, no_member, package

_OBJECTS = (
    "The array holds Python objects, that is a pickle, which could run code. Only if you trust who wrote it. With its "
    "own library: numpy.load(aios3_nb.open(uri), allow_pickle=True)"
)

_MOST_HEADER = 1024 * 1024
"""Characters of the longest header, which is a Python literal; that of ten thousand named fields fits.

numpy's own limit of 10,000 is for what may be handed to an old Python's parser, which deep nesting could crash.
"""


def _load_npy(file: BinaryIO, options: LoadOptions) -> object:
    with package("numpy", "npy"):
        import numpy  # noqa: F401  looked for before the download
    array = _mapped_array(file)
    return _read_array(file) if array is None else array


def _mapped_array(file: Any) -> Any:
    """Return the array over memory that `file` gives as a whole; None where it has to be read."""
    from numpy.lib import format as npy

    memory = mapped(file)
    if memory is None:
        return None
    array = None
    with _array_errors():
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(npy.read_magic(file))
        if read_header is not None:
            shape, is_fortran, dtype = read_header(file, max_header_size=_MOST_HEADER)
            array = _array_in(memory[file.tell() :], dtype, shape[::-1] if is_fortran else shape)
            array = array.T if is_fortran and array is not None else array
    if array is None:
        file.seek(0)
    return array


def _array_in(memory: memoryview, dtype: Any, shape: tuple[int, ...]) -> Any:
    """Return the array at the beginning of `memory`, uncopied; None where it holds objects, nothing, or is cut."""
    import numpy as np

    count = math.prod(shape)
    if dtype.hasobject or not count or count * dtype.itemsize > len(memory):
        return None
    return np.frombuffer(memory, dtype, count).reshape(shape)


def _read_array(file: Any) -> Any:
    from numpy.lib import format as npy

    with _array_errors():
        return npy.read_array(file, allow_pickle=False, max_header_size=_MOST_HEADER)


@contextmanager
def _array_errors() -> Iterator[None]:
    try:
        yield
    except S3Error:
        raise
    except MemoryError as exc:
        raise FormatError("The array asks for more memory than there is.") from exc
    # numpy reads the header of old files by tokens first, and what those are is an error of its own.
    except (ValueError, OverflowError, TypeError, SyntaxError, RecursionError, tokenize.TokenError) as exc:
        raise _error(str(exc)) from exc


def _error(text: str) -> FormatError:
    if "max_header_size" in text:  # which speaks of allow_pickle too
        return FormatError(f"The array's header is longer than {_MOST_HEADER:,} characters, which is not supported.")
    if "allow_pickle" in text:
        return FormatError(_OBJECTS)
    if text.startswith("we only support format version"):
        return FormatError(f"This npy is of a version that is not supported: {text}")
    kind = TruncatedError if text.startswith("EOF") else FormatError
    return kind(f"Not valid npy: {text}" if text.endswith(".") else f"Not valid npy: {text}.")


def _load_npz(file: BinaryIO, options: LoadOptions) -> object:
    """Return the arrays by name, all of them loaded: an archive that is open would need the object open."""
    with package("numpy", "npz"):
        import numpy  # noqa: F401  looked for before the download
    if options.path is not None:
        return _load_member(file, options.path, ExpansionLimit(options.max_bytes))
    data = file.read()
    with library_errors("npz"):
        archive = zipfile.ZipFile(io.BytesIO(data))
    # zipfile gives no more of a member than is declared here.
    ExpansionLimit(options.max_bytes).check(sum(info.file_size for info in archive.infolist()), len(data))
    return {_array_name(name): _member(archive, name) for name in archive.namelist()}


def _load_member(file: BinaryIO, path: str, limit: ExpansionLimit) -> object:
    """Return one array, of which and of the archive's list alone the bytes are read."""
    with library_errors("npz"):
        archive = zipfile.ZipFile(file)
    members = {_array_name(name): name for name in archive.namelist()}
    if path not in members:
        raise no_member(path, list(members))
    info = archive.getinfo(members[path])
    limit.check(info.file_size, info.compress_size)
    return _member(archive, members[path])


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    with library_errors("npz"), archive.open(name) as member:
        return _read_array(member)


def _array_name(name: str) -> str:
    return name.removesuffix(".npy")


def _dump_npy(value: object, file: BinaryIO) -> None:
    from numpy.lib import format as npy

    npy.write_array(file, _array(value), allow_pickle=False)


def _dump_npz(value: object, file: BinaryIO) -> None:
    """Write a dict of arrays by name, or one array, or several, which get the names that numpy.savez gives."""
    from numpy.lib import format as npy

    if isinstance(value, (list, tuple)):
        value = {f"arr_{number}": array for number, array in enumerate(value)}
    elif not isinstance(value, dict):
        value = {"arr_0": value}
    arrays = {str(name): _array(array) for name, array in value.items()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, array, allow_pickle=False)


def _array(value: object) -> Any:
    import numpy as np

    if not isinstance(value, (np.ndarray, np.generic)):
        raise TypeError(f"a numpy array is meant, this is {type(value).__name__}: numpy.asarray(...) makes one")
    if value.dtype.hasobject:
        raise TypeError("an array of Python objects is a pickle")
    return np.asanyarray(value)


NPY = Format(
    name="npy",
    suffixes=(".npy",),
    matches=begins_with(b"\x93NUMPY"),
    loader=_load_npy,
    dumper=_dump_npy,
    way_on="numpy.load(aios3_nb.open(uri))",
)
NPZ = Format(
    name="npz",
    suffixes=(".npz",),
    matches=lambda head: head.startswith(b"PK\x03\x04") and b".npy" in head[30:256],
    loader=_load_npz,
    dumper=_dump_npz,
    takes_path=True,
    way_on="numpy.load(aios3_nb.open(uri))",
)
