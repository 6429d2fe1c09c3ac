"""The members of archives and the arrays of files, by tables of contents and headers: a few small ranges.

Nothing is unpacked but headers of some bytes, nothing is executed, and no package is needed. What is no such file is an
error of whichever module of Python reads it, or a `FormatError`.
"""

from __future__ import annotations

import ast
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, BinaryIO, TypeVar

from aios3_nb.formats import no_member, read_safetensors_header
from aios3_nb.pipeline.peek.ranged import TooMuchError

_LONGEST_HEADER = 64 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive.

    Attributes:
        kind: ``file``, ``folder`` or ``link``.
        size: Bytes, unpacked.
        packed: Bytes in the archive.
    """

    name: str
    kind: str
    size: int
    packed: int


@dataclass(frozen=True, slots=True)
class Array:
    """One array of a file.

    Attributes:
        dtype: As the file words it; empty where there is no shape.
        shape: None where its header was not looked at, or is none.
        size: Bytes.
        order: ``C`` or ``Fortran``.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] | None
    size: int
    order: str = "C"


def zip_members(file: BinaryIO) -> list[Member]:
    """Return what is in a zip archive, by the table of contents at its end."""
    with zipfile.ZipFile(file) as archive:
        return [
            Member(info.filename, "folder" if info.is_dir() else "file", info.file_size, info.compress_size)
            for info in archive.infolist()
        ]


def tar_members(file: BinaryIO, most: int) -> tuple[list[Member], bool]:
    """Return the first members of a tar archive, which has a header before each; and whether there are no more.

    They are `most` at most, and fewer where it is damaged, or where `file` fetches no more.
    """
    found: list[Member] = []
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                if len(found) == most:
                    return found, False
                kind = "folder" if member.isdir() else "link" if member.issym() or member.islnk() else "file"
                found.append(Member(member.name, kind, member.size, member.size))
        return found, True
    except (tarfile.ReadError, TooMuchError):
        if not found:
            raise
        return found, False


def npy_array(file: IO[bytes], name: str = "", size: int = 0) -> Array:
    """Return what the header of an ``.npy`` file says, at which `file` stands.

    See: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

    Raises:
        ValueError: It is none, or cannot be read.
    """
    start = file.read(8)
    if not start.startswith(b"\x93NUMPY"):
        raise ValueError("it does not begin as an array does")
    length = int.from_bytes(file.read(4 if start[6] > 1 else 2), "little")
    try:
        header = ast.literal_eval(file.read(min(length, _LONGEST_HEADER)).decode("latin1").strip())
        shape = tuple(header["shape"])
        if not all(type(number) is int for number in shape):
            raise ValueError("a shape that is none")
        return Array(name, str(header["descr"]), shape, size, "Fortran" if header["fortran_order"] else "C")
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError) as exc:
        raise ValueError("its header cannot be read") from exc


def npz_arrays(file: BinaryIO, most: int, *, only: str | None = None) -> list[Array]:
    """Return the arrays of a numpy archive, or `only` one of them; `most` are looked into: each is a range of its own.

    Raises:
        OptionError: There is no array `only`.
    """
    with zipfile.ZipFile(file) as archive:
        named = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        chosen = _chosen(named, only).items()
        return [
            _member_array(archive, name, info) if at < most else Array(name, "", None, info.file_size)
            for at, (name, info) in enumerate(chosen)
        ]


def _member_array(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> Array:
    try:
        with archive.open(info) as member:
            return npy_array(member, name, info.file_size)
    except ValueError:
        return Array(name, "", None, info.file_size)  # it is something else


def safetensors_arrays(file: BinaryIO, *, only: str | None = None) -> list[Array]:
    """Return the arrays of a safetensors file, or `only` one of them.

    Raises:
        OptionError: There is no array `only`.
    """
    tensors = _chosen(read_safetensors_header(file), only)
    return [Array(name, each.dtype, each.shape, each.stop - each.start) for name, each in tensors.items()]


def _chosen(arrays: Mapping[str, T], only: str | None) -> Mapping[str, T]:
    if only is None:
        return arrays
    if only not in arrays:
        raise no_member(only, list(arrays))
    return {only: arrays[only]}
