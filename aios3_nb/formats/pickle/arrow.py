"""pyarrow: how arrays, tables and types are made; compiled code believes their offsets, so these are looked over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle.refuse import refused
from aios3_nb.formats.pickle.signature import is_kind
from aios3_nb.text import visible

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.makes import Builder, Load, Maker

_MOST_KNOWN = 100
_known: dict[str, Any] = {}
"""By the name of a type, the parts of an empty array."""


def check_arrow(array: Any) -> None:
    """Look at every offset and every text of an Arrow array, batch or table."""
    try:
        array.validate(full=True)
    except (ValueError, IndexError, TypeError) as exc:
        text = visible(str(exc), most=300)
        raise FormatError(f"The pickle has an Arrow array that is not consistent: {text}") from exc


def check_arrow_parts(parts: Any) -> None:
    """Look at the parts of an Arrow array before they are put together; Arrow aborts the process otherwise."""
    try:
        _compare_parts(parts, _honest_parts(parts[0]))
    except (TypeError, ValueError, IndexError, NotImplementedError) as exc:
        raise refused("pyarrow.lib._restore_array", "parts that do not fit") from exc


def _honest_parts(kind: Any) -> Any:
    import pyarrow as pa

    # Of a plain type, which has its name and no more, and is equal to no other.
    simple = type(kind) is pa.DataType and kind.num_fields == 0
    honest = _known.get(str(kind)) if simple else None
    if honest is None:
        honest = pa.nulls(0, kind).__reduce__()[1][0]
        if simple and len(_known) < _MOST_KNOWN:
            _known[str(kind)] = honest
    return honest


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


def _arrow_array(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 1:
            raise refused(dotted, "arguments of its own")
        check_arrow_parts(args[0])
        array = found(*args)
        load.check_later(check_arrow, array, apart=True)
        return array

    return make


def _arrow_table(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 2 or type(args[0]) is not list or not all(_is_arrow(part) for part in (*args[0], args[1])):
            raise refused(dotted, "arguments of its own")
        table = found(*args)
        load.check_later(check_arrow, table, apart=True)
        return table

    return make


def _arrow_type(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if not all(map(_is_arrow_argument, args)):
            raise refused(dotted, "arguments of its own")
        return found(*args)

    return make


def _arrow_scalar(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if not 1 <= len(args) <= 2 or not _is_plain(args[0]) or not all(map(_is_arrow, args[1:])):
            raise refused(dotted, "arguments of its own")
        return found(*args)

    return make


def _is_plain(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(_is_plain(part) for item in value.items() for part in item)
    return is_kind("plain", type(value))


def _is_arrow(value: Any) -> bool:
    return type(value).__module__ == "pyarrow.lib" and not isinstance(value, type)


def _is_arrow_argument(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_arrow_argument, value))
    if type(value) is dict:
        return all(type(part) in (str, bytes) for item in value.items() for part in item)
    return value is None or type(value) in (bool, int, str, bytes) or _is_arrow(value)


MAKERS: dict[str, Callable[..., Maker]] = {
    "arrow.array": _arrow_array,
    "arrow.table": _arrow_table,
    "arrow.type": _arrow_type,
    "arrow.scalar": _arrow_scalar,
}
