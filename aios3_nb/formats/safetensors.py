"""safetensors: a header of JSON that says where each array is, and the arrays. All of them, or one by its name.

Read here and not by the package of that name: it wants all bytes in memory first, and knows no bfloat16 for numpy.

See: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from aios3_nb.errors import FormatError, MissingPackageError, TruncatedError
from aios3_nb.formats.codecs import mapped
from aios3_nb.formats.format import Format, LoadOptions, no_member, package
from aios3_nb.text import visible

_MOST_HEADER = 100_000_000
"""Bytes of the longest header; the reference implementation's limit."""

_NUMPY = {
    "BOOL": "?", "U8": "<u1", "I8": "<i1", "U16": "<u2", "I16": "<i2", "F16": "<f2", "U32": "<u4", "I32": "<i4",
    "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8", "C64": "<c8",
}  # fmt: skip
_ML_DTYPES = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """What the header says of one array; its bytes are ``[start, stop)`` behind the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def _load(file: BinaryIO, options: LoadOptions) -> object:
    with package("numpy", "safetensors"):
        import numpy as np  # noqa: F401  looked for before the download
    tensors = read_safetensors_header(file)
    if options.path is not None:
        if options.path not in tensors:
            raise no_member(options.path, list(tensors))
        tensor = tensors[options.path]
        file.seek(tensor.start, 1)
        return _array(file, options.path, tensor)
    for name, tensor in tensors.items():
        _dtype(name, tensor)  # what cannot be loaded is said before the download
    start = file.tell()
    if (memory := mapped(file)) is not None and len(memory) == start + sum(t.stop - t.start for t in tensors.values()):
        return {name: _mapped_array(memory[start:], name, tensor) for name, tensor in tensors.items()}
    arrays = {name: _array(file, name, tensors[name]) for name in sorted(tensors, key=lambda name: tensors[name].start)}
    if file.read(1):
        raise FormatError("Not valid safetensors: more bytes follow the last array.")
    return {name: arrays[name] for name in tensors}


def read_safetensors_header(file: BinaryIO) -> Mapping[str, Tensor]:
    """Return what the header at the beginning of `file` says, by name, and leave `file` behind it.

    Raises:
        FormatError: It is none; TruncatedError if it is cut.
    """
    size = int.from_bytes(_exactly(file, 8), "little")
    if not 2 <= size <= _MOST_HEADER:
        raise FormatError(f"Not valid safetensors: a header of {size:,} bytes.")
    try:
        header = json.loads(_exactly(file, size))
        tensors = {name: _tensor(about) for name, about in header.items() if name != "__metadata__"}
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as exc:
        if isinstance(exc, FormatError):
            raise
        raise FormatError(f"Not valid safetensors: its header cannot be read ({visible(str(exc), most=100)}).") from exc
    _check_places(tensors)
    return tensors


def _tensor(about: Mapping[str, Any]) -> Tensor:
    start, stop = about["data_offsets"]
    shape = tuple(about["shape"])
    if not all(type(number) is int and number >= 0 for number in (start, stop, *shape)):
        raise ValueError("a place or length that is no number")
    return Tensor(str(about["dtype"]), shape, start, stop)


def _check_places(tensors: Mapping[str, Tensor]) -> None:
    """Check that the arrays follow one another without gaps, which the format demands."""
    at = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].stop)):
        if tensor.start != at or tensor.stop < tensor.start:
            raise FormatError(f"Not valid safetensors: {visible(name)} is not where the array before it ends.")
        at = tensor.stop


def _array(file: BinaryIO, name: str, tensor: Tensor) -> Any:
    import numpy as np

    dtype = _dtype(name, tensor)
    _check_length(name, tensor, dtype)
    try:
        data = np.empty(tensor.stop - tensor.start, np.uint8)
    except (MemoryError, ValueError, OverflowError) as exc:
        raise FormatError(f"{visible(name)} asks for more memory than there is.") from exc
    _fill(file, data.data, name)
    array = data.view(dtype).reshape(tensor.shape)
    native: Any = array.astype(dtype.newbyteorder("="), copy=False)
    return native


def _mapped_array(memory: memoryview, name: str, tensor: Tensor) -> Any:
    """Return the array in the memory behind the header, uncopied where that is possible."""
    import numpy as np

    dtype = _dtype(name, tensor)
    _check_length(name, tensor, dtype)
    flat = np.frombuffer(memory[tensor.start : tensor.stop], np.uint8)
    return flat.view(dtype).reshape(tensor.shape).astype(dtype.newbyteorder("="), copy=False)


def _check_length(name: str, tensor: Tensor, dtype: Any) -> None:
    if math.prod(tensor.shape) * dtype.itemsize != tensor.stop - tensor.start:
        raise FormatError(f"Not valid safetensors: {visible(name)} has not as many bytes as its shape says.")


def _dtype(name: str, tensor: Tensor) -> Any:
    """Return numpy's type for the array.

    Raises:
        MissingPackageError: It is ml_dtypes' to have one.
        FormatError: Nobody has one.
    """
    import numpy as np

    if tensor.dtype in _NUMPY:
        return np.dtype(_NUMPY[tensor.dtype])
    wanted = _ML_DTYPES.get(tensor.dtype)
    others = "The other arrays can be loaded by name: --path NAME."
    if wanted is None:
        raise FormatError(f"{visible(name)} is of type {visible(tensor.dtype, most=40)}, not supported here. {others}")
    try:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, wanted))
    except (ImportError, AttributeError) as exc:
        raise MissingPackageError(
            f"{visible(name)}: {wanted} needs ml_dtypes: pip install -U ml_dtypes. {others}"
        ) from exc


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise TruncatedError("Not valid safetensors: it is cut short within its header.", offset=file.tell())
    return data


def _fill(file: BinaryIO, view: memoryview, name: str) -> None:
    at = 0
    while at < len(view):
        count = file.readinto(view[at:])  # type: ignore[attr-defined]
        if not count:
            raise TruncatedError(f"Not valid safetensors: it is cut short within {visible(name)}.", offset=file.tell())
        at += count


def _is_safetensors(head: bytes) -> bool:
    return head[8:10] == b'{"' and 2 <= int.from_bytes(head[:8], "little") <= _MOST_HEADER


SAFETENSORS = Format(
    name="safetensors",
    suffixes=(".safetensors",),
    matches=_is_safetensors,
    loader=_load,
    takes_path=True,
    way_on="safetensors.numpy.load(aios3_nb.open(uri).read())",
)
