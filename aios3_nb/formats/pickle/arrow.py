"""Arrow's arrays: compiled code believes their offsets and lengths, so they are looked over."""

from __future__ import annotations

from typing import Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle.refuse import refused
from aios3_nb.text import visible


def check_arrow(array: Any) -> None:
    """Look at every offset and every text of an Arrow array, batch or table."""
    try:
        array.validate(full=True)
    except (ValueError, IndexError, TypeError) as exc:
        text = visible(str(exc), most=300)
        raise FormatError(f"The pickle has an Arrow array that is not consistent: {text}") from exc


def check_arrow_parts(parts: Any) -> None:
    """Look at the parts of an Arrow array before they are put together; Arrow aborts the process otherwise."""
    import pyarrow as pa

    try:
        _compare_parts(parts, pa.nulls(0, parts[0]).__reduce__()[1][0])
    except (TypeError, ValueError, IndexError, NotImplementedError) as exc:
        raise refused("pyarrow.lib._restore_array", "parts that do not fit") from exc


def _compare_parts(parts: Any, honest: Any) -> None:
    kind, length, nulls, offset, buffers, children, dictionary = parts
    as_many = len(buffers) == len(honest[4]) or (len(buffers) > 2 and "view" in str(kind))
    fits = kind == honest[0] and as_many and len(children) == len(honest[5])
    if not fits or (dictionary is None) != (honest[6] is None) or min(length, offset, nulls + 1) < 0:
        raise ValueError("parts")
    for child, honest_child in zip(children, honest[5], strict=True):
        _compare_parts(child, honest_child)
    if dictionary is not None:
        _compare_parts(dictionary, honest[6])
