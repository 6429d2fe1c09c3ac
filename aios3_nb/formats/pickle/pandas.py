"""pandas: what its pickles call to make frames, indexes and columns, each with arguments that such pickles have."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aios3_nb.formats.pickle.blocks import check_manager
from aios3_nb.formats.pickle.frames import check_index, is_offset_argument, is_place, is_value
from aios3_nb.formats.pickle.refuse import refused
from aios3_nb.formats.pickle.signature import is_kind

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.makes import Builder, Load, Maker

_FREQUENCY = re.compile(r"[Pp]eriod\[[A-Za-z0-9-]{1,30}\]|[A-Za-z0-9-]{1,30}")
_INDEX_KEYS = frozenset(
    (
        *("data", "dtype", "name", "names", "copy", "start", "stop", "step", "left", "right", "closed"),
        *("levels", "codes", "labels", "sortorder", "freq", "tz"),
    )
)
_STR = {str}
_MOST_JUDGED = 200
"""Combinations of parts that are remembered for one name."""

_NAMES = ("plain", "tuple", "list", "number", "tz", "offset", "frozenset")


def _placement(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 1 or not is_place(args[0]):
            raise refused(dotted, "arguments of its own")
        load.check_finished(dotted, args)
        return found(*args)

    return make


def _block(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 3 or not is_value(args[0]) or not is_place(args[1]) or type(args[2]) is not int:
            raise refused(dotted, "arguments of its own")
        load.check_finished(dotted, args)
        return found(*args)

    return make


def _manager(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if not args:  # of pandas up to 1.2, which gives it a state then
            return load.fresh(empty(found)(), build) if build else None
        parts = args[0] if type(args[0]) is tuple else (args[0],)
        if len(args) > 1 and type(args[1]) is list:  # which the pickle could put more into after the check
            args = (args[0], list(args[1]), *args[2:])
        axes = args[1] if len(args) > 1 and type(args[1]) is list else list(args[1:2])
        blocks = all(_is_block(type(part)) for part in parts)
        plain = len(args) == 2 or (len(args) == 3 and type(args[2]) is bool)
        if not plain or not blocks or not all(is_kind("index", type(axis)) for axis in axes):
            raise refused(dotted, "arguments of its own")
        load.check_finished(dotted, (*parts, *axes))
        manager = found(*args)
        load.check_later(check_manager, manager, lasting=True)
        return manager

    return make


def _is_block(cls: type) -> bool:
    return "Block" in cls.__name__ and cls.__module__.startswith("pandas")


def empty(cls: Any) -> Callable[[], Any]:
    """Return what makes empty instances of any class; a few of pandas need arguments for that.

    See: `load_newobj` in pandas/compat/pickle_compat.py
    """
    if cls.__module__.startswith("pandas"):
        if cls.__name__ == "BlockManager":
            return functools.partial(cls.__new__, cls, (), [], False)
        if cls.__name__ == "StringDtype":  # to which pandas up to 1.2 gave no state
            import pandas as pd

            return functools.partial(cls, "python", pd.NA)
        if cls.__name__ in ("DatetimeArray", "TimedeltaArray"):
            import numpy as np

            nothing = np.array([], "M8[ns]" if cls.__name__ == "DatetimeArray" else "m8[ns]")
            return functools.partial(cls.__new__, cls, nothing, nothing.dtype)
    return functools.partial(cls.__new__, cls)


def _index(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    judged: set[tuple[Any, ...]] = set()

    def judge(cls: Any, parts: dict[Any, Any]) -> None:
        if not _is_index_class(cls) or not _INDEX_KEYS.issuperset(parts):
            raise refused(dotted, "parts that an index does not have")
        for key, value in parts.items():
            if not _is_part(key, value):
                raise refused(dotted, f"{key} of the type {type(value).__name__}")

    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 2 or not isinstance(args[0], type) or type(args[1]) is not dict:
            raise refused(dotted, "arguments of its own")
        parts = args[1]
        if not _STR.issuperset(map(type, parts)):
            raise refused(dotted, "parts that an index does not have")
        kinds = (args[0], *parts, *map(type, parts.values()))
        if kinds not in judged:
            judge(args[0], parts)
            # What is in a sequence was looked at, too, and can be anything the next time.
            if len(judged) < _MOST_JUDGED and not any(map(_is_sequence, parts.values())):
                judged.add(kinds)
        load.check_finished(dotted, tuple(parts.values()))
        index = found(args[0], dict(parts))
        load.check_later(check_index, index, lasting=True)
        return index

    return make


def _is_index_class(value: Any) -> bool:
    return isinstance(value, type) and is_kind("index", value)


def _is_sequence(value: Any) -> bool:
    return type(value) in (list, tuple) or (isinstance(value, list) and type(value).__name__ == "FrozenList")


def _is_part(key: str, value: Any) -> bool:
    """Return whether `value` is what pandas writes as the part `key` of an index."""
    if key in ("data", "left", "right"):
        return is_value(value) or (type(value) is list and all(is_kind("plain", type(item)) for item in value))
    if key in ("levels", "codes", "labels"):
        # Each of them is made an array of, and would be asked for `__array_interface__`.
        return _is_sequence(value) and all(_is_part("data", item) for item in value)
    if key == "dtype":
        return value is None or type(value).__name__.endswith(("Dtype", "DType")) or isinstance(value, (str, type))
    if key in ("name", "names"):
        return any(is_kind(kind, type(value)) for kind in _NAMES) or type(value).__name__ == "FrozenList"
    return any(is_kind(kind, type(value)) for kind in ("plain", "tz", "offset"))


def _period_dtype(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        by_name = len(args) == 1 and type(args[0]) is str and _FREQUENCY.fullmatch(args[0])
        if not by_name and not (len(args) == 1 and is_kind("offset", type(args[0]))):
            raise refused(dotted, "arguments of its own")
        return found(*args)

    return make


def _timestamp(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    """Return what calls Timestamp; pandas up to 1.2 wrote ``(value, freq, tz)``, which newer ones take for a date.

    See: pandas/compat/pickle_compat.py
    """

    def make(args: tuple[Any, ...]) -> Any:
        fits = 1 <= len(args) <= 3 and type(args[0]) is int
        fits = fits and all(part is None or _is_zone_or_frequency(part) for part in args[1:])
        if not fits:
            raise refused(dotted, "arguments of its own")
        zone = args[2] if len(args) == 3 else None
        return found(args[0]) if zone is None else found(args[0], tz=zone)

    return make


def _is_zone_or_frequency(value: Any) -> bool:
    return is_kind("tz", type(value)) or is_kind("offset", type(value)) or (type(value) is str and len(value) < 30)


def _offset(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if not all(map(is_offset_argument, args)):
            raise refused(dotted, "arguments of its own")
        value = found(*args)
        return load.fresh(value, build) if build is not None and type(value) is found else value

    return make


def empty_array(cls: Any, *_: Any) -> Any:
    """Return an empty array of pandas, as the ``__pyx_unpickle_PeriodMixin`` of pandas 1.1 and 1.2 did."""
    return empty(cls)()


def _periods(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 3 or getattr(args[0], "__name__", "") != "PeriodArray" or args[2] is not None:
            raise refused(dotted, "arguments of its own")
        return load.empty(args[0])

    return make


MAKERS: dict[str, Callable[..., Maker]] = {
    "pandas.placement": _placement,
    "pandas.block": _block,
    "pandas.manager": _manager,
    "pandas.index": _index,
    "pandas.period_dtype": _period_dtype,
    "pandas.timestamp": _timestamp,
    "pandas.offset": _offset,
    "pandas.periods": _periods,
}
