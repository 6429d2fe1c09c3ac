"""What is in archives and files of arrays, by their tables of contents: a few ranges of an object of any size.

Nothing is unpacked but headers of some bytes, and nothing is executed.
"""

from __future__ import annotations

import ast
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import IO, BinaryIO

from aios3_nb.browser.preview import Preview
from aios3_nb.browser.table import cells
from aios3_nb.pipeline.peek import TooMuchError
from aios3_nb.settings import MIB
from aios3_nb.text import size_text

_MOST = 500
"""Members that are shown."""

_MOST_HEADERS = 60
"""Arrays of an archive that are looked into: each is a range of its own."""

_LONGEST_HEADER = 64 * 1024


def zip_preview(file: BinaryIO, size: int) -> Preview:
    """Return the table of contents of a zip archive, which stands at its end."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        rows = [(info.filename, size_text(info.file_size), size_text(info.compress_size)) for info in members[:_MOST]]
    total = sum(info.file_size for info in members)
    title = f"Zip archive, {size_text(size)}: {len(members):,} members, {size_text(total)} unpacked"
    return _listed(title, ("name", "size", "packed"), rows, len(members))


def tar_preview(file: BinaryIO, size: int) -> Preview:
    """Return the members of a tar archive, as far as a look goes: it has a header before each."""
    rows: list[tuple[str, ...]] = []
    complete = False
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                rows.append((member.name, _kind(member), size_text(member.size)))
                if len(rows) == _MOST:
                    break
            else:
                complete = True
    except (tarfile.ReadError, TooMuchError):
        if not rows:
            raise
    title = f"Tar archive, {size_text(size)}: {'' if complete else 'the first '}{len(rows):,} members"
    return _listed(title, ("name", "kind", "size"), rows, len(rows) if complete else None)


def npy_preview(file: BinaryIO, size: int) -> Preview:
    """Return type and shape of one array."""
    return Preview(f"NumPy array, {size_text(size)}", pairs=_npy_pairs(file))


def npz_preview(file: BinaryIO, size: int) -> Preview:
    """Return type and shape of each array of an archive of arrays."""
    rows = []
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        for info in members[:_MOST_HEADERS]:
            with archive.open(info) as member:
                known = dict(_npy_pairs(member)) if info.filename.endswith(".npy") else {}
            name = info.filename.removesuffix(".npy")
            rows.append((name, known.get("dtype", ""), known.get("shape", ""), size_text(info.file_size)))
    title = f"NumPy archive, {size_text(size)}: {len(members):,} arrays"
    return _listed(title, ("name", "dtype", "shape", "size"), rows, len(members))


def safetensors_preview(file: BinaryIO, size: int) -> Preview:
    """Return type and shape of each tensor.

    See: https://github.com/huggingface/safetensors#format
    """
    (length,) = struct.unpack("<Q", file.read(8))
    if length > 8 * MIB:
        raise ValueError("its header is too long")
    header = json.loads(file.read(length))
    about = header.pop("__metadata__", {})
    rows = [
        (name, str(info["dtype"]), _shape(info["shape"]), size_text(info["data_offsets"][1] - info["data_offsets"][0]))
        for name, info in header.items()
    ]
    title = f"Safetensors, {size_text(size)}: {len(rows):,} tensors{f', {len(about)} notes' if about else ''}"
    return _listed(title, ("name", "dtype", "shape", "size"), rows[:_MOST], len(rows))


def _listed(title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]], all: int | None) -> Preview:
    note = "" if all == len(rows) else f"Shown: the first {len(rows):,}."
    return Preview(title, note, table=(names, *map(cells, rows)))


def _npy_pairs(file: IO[bytes]) -> tuple[tuple[str, str], ...]:
    """See: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html ."""
    start = file.read(8)
    if not start.startswith(b"\x93NUMPY"):
        raise ValueError("it does not begin as an array does")
    wide = start[6] > 1
    length = int.from_bytes(file.read(4 if wide else 2), "little")
    header = ast.literal_eval(file.read(min(length, _LONGEST_HEADER)).decode("latin1").strip())
    order = "Fortran" if header["fortran_order"] else "C"
    return tuple(
        zip(("dtype", "shape", "order"), cells((header["descr"], _shape(header["shape"]), order)), strict=True)
    )


def _shape(shape: object) -> str:
    if not isinstance(shape, (list, tuple)):
        raise TypeError("no shape")
    return " x ".join(f"{int(length):,}" for length in shape) or "one value"


def _kind(member: tarfile.TarInfo) -> str:
    return "folder" if member.isdir() else "link" if member.issym() or member.islnk() else "file"


Look = Callable[[BinaryIO, int], Preview]

BY_SUFFIX: Mapping[str, Look] = MappingProxyType(
    {
        **dict.fromkeys((".zip", ".whl", ".pt", ".pth", ".ptl"), zip_preview),
        ".tar": tar_preview,
        ".npy": npy_preview,
        ".npz": npz_preview,
        ".safetensors": safetensors_preview,
    }
)
