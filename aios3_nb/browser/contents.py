"""What is in archives and files of arrays, as tables that are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import BinaryIO

from aios3_nb.browser.preview import Preview
from aios3_nb.browser.table import cells
from aios3_nb.pipeline.peek import Array, npy_array, npz_arrays, safetensors_arrays, tar_members, zip_members
from aios3_nb.text import counted, size_text

_MOST = 500
"""Members that are shown."""

_MOST_HEADERS = 60
"""Arrays of an archive that are looked into."""


def zip_preview(file: BinaryIO, size: int) -> Preview:
    """Return the members of a zip archive."""
    members = zip_members(file)
    rows = [(member.name, size_text(member.size), size_text(member.packed)) for member in members]
    total = size_text(sum(member.size for member in members))
    title = f"Zip archive, {size_text(size)}: {counted(len(members), 'member')}, {total} unpacked"
    return _listed(title, ("name", "size", "packed"), rows, len(members))


def tar_preview(file: BinaryIO, size: int) -> Preview:
    """Return the members of a tar archive, as far as a look goes."""
    members, complete = tar_members(file, _MOST)
    rows = [(member.name, member.kind, size_text(member.size)) for member in members]
    title = f"Tar archive, {size_text(size)}: {'' if complete else 'the first '}{counted(len(rows), 'member')}"
    return _listed(title, ("name", "kind", "size"), rows, len(rows) if complete else None)


def npy_preview(file: BinaryIO, size: int) -> Preview:
    """Return type and shape of one array."""
    array = npy_array(file)
    shown = cells((array.dtype, _shape(array), array.order))
    return Preview(f"NumPy array, {size_text(size)}", pairs=tuple(zip(("dtype", "shape", "order"), shown, strict=True)))


def npz_preview(file: BinaryIO, size: int) -> Preview:
    """Return type and shape of each array of an archive of arrays."""
    return _arrays(f"NumPy archive, {size_text(size)}", npz_arrays(file, _MOST_HEADERS))


def safetensors_preview(file: BinaryIO, size: int) -> Preview:
    """Return type and shape of each tensor."""
    return _arrays(f"Safetensors, {size_text(size)}", safetensors_arrays(file))


def _arrays(title: str, arrays: Sequence[Array]) -> Preview:
    rows = [(array.name, array.dtype, _shape(array), size_text(array.size)) for array in arrays]
    return _listed(f"{title}: {counted(len(arrays), 'array')}", ("name", "dtype", "shape", "size"), rows, len(arrays))


def _listed(title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]], all: int | None) -> Preview:
    shown = rows[:_MOST]
    note = "" if all == len(shown) else f"Shown: the first {len(shown):,}."
    return Preview(title, note, table=(names, *map(cells, shown)))


def _shape(array: Array) -> str:
    if array.shape is None:
        return ""
    return " x ".join(f"{length:,}" for length in array.shape) or "one value"


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
