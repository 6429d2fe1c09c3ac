"""What is in tables, arrays and archives, by their headers, footers and tables of contents: a few small ranges.

Nothing is unpacked but headers of some bytes, and nothing is executed.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, BinaryIO, cast

from aios3_nb.errors import OptionError, S3Error
from aios3_nb.formats import ExpansionLimit, check_described
from aios3_nb.pipeline.peek.members import npz_arrays, safetensors_arrays, tar_members, zip_members
from aios3_nb.pipeline.peek.other import OtherOutline, array_text
from aios3_nb.pipeline.peek.ranged import RangedFile
from aios3_nb.pipeline.peek.torch import torch_tensors
from aios3_nb.text import counted, size_text, visible

_SHOWN = 40
"""Columns, arrays or members that are shown."""

_WIDTH = 100

_LARGEST_FOOTER = 1_000_000
"""Bytes of Parquet's description of itself; made in memory, they may be 250 times as many."""

_DESCRIBED = ExpansionLimit(max_bytes=50_000_000)
"""What the descriptions of columns of Arrow may take."""

Row = tuple[str, str]


def outline_contents(
    format: str, reader: Callable[[int, int], bytes], size: int, *, max_bytes: int, only: str | None = None
) -> OtherOutline | None:
    """Return the outline of an object of `format`; None when there is no looking into it, or it cannot be read.

    Args:
        format: Its name.
        reader: Returns exactly the bytes from start to stop; each call is a request.
        size: Of the object.
        max_bytes: Fetched at most.
        only: Name of the one array that is looked at; of a format that has arrays.

    Raises:
        OptionError: There is no array of that name.
    """
    look = _LOOKS.get(format)
    if only is not None:
        look = partial(_ARRAYS[format], only=only)
    if look is None or not size:
        return None
    file = io.BufferedReader(RangedFile(reader, size, most=max_bytes), 1024)
    try:
        return OtherOutline(tuple(look(cast(BinaryIO, file))))
    except ImportError as exc:
        return OtherOutline((("holds", f"to look into it: pip install {visible((exc.name or '').partition('.')[0])}"),))
    except S3Error as exc:
        if isinstance(exc, OptionError) or not isinstance(exc, ValueError):
            raise
        return OtherOutline((("problem", visible(exc.said, most=_WIDTH)),))
    except Exception as exc:  # every library has its own
        return OtherOutline((("problem", f"cannot be read as {format}: {visible(str(exc), most=_WIDTH)}"),))


def _parquet(file: BinaryIO) -> list[Row]:
    import pyarrow.parquet as pq

    file.seek(-8, io.SEEK_END)
    length = int.from_bytes(file.read(4), "little")
    if length > _LARGEST_FOOTER:
        return [("holds", f"table whose description alone has {size_text(length)}: more than is looked at")]
    about = pq.read_metadata(file)
    codecs = {about.row_group(0).column(n).compression for n in range(about.num_columns if about.num_row_groups else 0)}
    return [
        (
            "holds",
            f"table of {counted(about.num_rows, 'row')}, {counted(about.num_columns, 'column')}, "
            f"{counted(about.num_row_groups, 'row group')}",
        ),
        ("written by", visible(about.created_by or "?", most=_WIDTH)),
        *([("compressed", ", ".join(sorted(codecs)))] if codecs else []),
        *_columns(about.schema.to_arrow_schema()),
    ]


def _arrow(file: BinaryIO) -> list[Row]:
    import pyarrow as pa

    if file.read(4) == b"FEA1":
        return [("holds", "Feather file of version 1, whose columns its end tells")]
    file.seek(0)
    check_described(file, _DESCRIBED)
    is_file = file.read(6) == b"ARROW1"
    file.seek(0)
    if not is_file:
        return [("holds", "Arrow stream"), *_columns(pa.ipc.open_stream(file).schema)]
    whole = pa.ipc.open_file(file)
    return [
        ("holds", f"Arrow file of {counted(whole.num_record_batches, 'batch', 'batches')}"),
        *_columns(whole.schema),
    ]


def _columns(schema: Any) -> list[Row]:
    return _listed([(field.name, str(field.type)) for field in schema], "column")


def _safetensors(file: BinaryIO, only: str | None = None) -> list[Row]:
    arrays = safetensors_arrays(file, only=only)
    rows = [(array.name, f"{array.dtype} of shape {array.shape}") for array in arrays]
    total = size_text(sum(array.size for array in arrays))
    return [("holds", f"{counted(len(arrays), 'array')}, {total}"), *_listed(rows, "array")]


def _npz(file: BinaryIO, only: str | None = None) -> list[Row]:
    arrays = npz_arrays(file, _SHOWN, only=only)
    return [
        ("holds", f"{counted(len(arrays), 'array')}"),
        *_listed([(array.name, array_text(array)) for array in arrays], "array"),
    ]


def _zip(file: BinaryIO) -> list[Row]:
    members = zip_members(file)
    rows = [(member.name, size_text(member.size)) for member in members if member.kind != "folder"]
    total = size_text(sum(member.size for member in members))
    return [("holds", f"{counted(len(rows), 'file')}, {total} unpacked"), *_listed(rows, "file")]


def _torch(file: BinaryIO) -> list[Row]:
    tensors = torch_tensors(file)
    if not tensors:
        return _zip(file)
    rows = [(name, f"{tensor.dtype} of shape {tensor.shape}") for name, tensor in tensors.items()]
    return [("holds", counted(len(rows), "tensor")), *_listed(rows, "tensor")]


def _tar(file: BinaryIO) -> list[Row]:
    members, complete = tar_members(file, _SHOWN)
    rows = [(member.name, "folder" if member.kind == "folder" else size_text(member.size)) for member in members]
    return [
        ("holds", counted(len(rows), "member") if complete else f"{len(rows):,} or more members"),
        *_listed(rows, "member"),
    ]


def _listed(rows: Sequence[Row], kind: str) -> list[Row]:
    """Return a row for each of the first, and one that says how many more there are."""
    shown = [(visible(name, most=40), visible(text, most=_WIDTH)) for name, text in rows[:_SHOWN]]
    left = len(rows) - len(shown)
    return [*shown, ("...", f"and {counted(left, f'more {kind}')}")] if left else shown


_ARRAYS: Mapping[str, Callable[..., list[Row]]] = MappingProxyType({"safetensors": _safetensors, "npz": _npz})

_LOOKS: Mapping[str, Callable[[BinaryIO], list[Row]]] = MappingProxyType(
    {
        "parquet": _parquet,
        "arrow": _arrow,
        "safetensors": _safetensors,
        "npz": _npz,
        "zip": _zip,
        "torch": _torch,
        "excel": _zip,
        "tar": _tar,
    }
)
