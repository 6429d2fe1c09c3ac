"""The states of pandas' frames, indexes and columns, whose parts have to fit: compiled code believes that they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aios3_nb.formats.pickle.attributes import Attributes
from aios3_nb.formats.pickle.blocks import check_manager
from aios3_nb.formats.pickle.refuse import refused, require
from aios3_nb.formats.pickle.signature import is_kind

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.makes import Load
    from aios3_nb.formats.pickle.states import Rule

_FRAME_KEYS = frozenset(("_mgr", "_data", "_typ", "_metadata", "_attrs", "attrs", "_flags", "_name", "name"))


def _is_column(value: Any) -> bool:
    return is_kind("column", type(value))


def is_place(value: Any) -> bool:
    """Return whether `value` says which rows of a frame a block has."""
    if type(value) is slice:
        return all(type(part) is int or part is None for part in (value.start, value.stop, value.step))
    if type(value).__name__ == "BlockPlacement":
        return True
    return is_kind("numpy.ndarray", type(value)) and value.ndim == 1 and value.dtype.kind in "iu"


def is_value(value: Any) -> bool:
    """Return whether `value` is what a block or an index can hold."""
    return _is_column(value) or is_kind("index", type(value))


# ---- states


def _keys(cls: type, keys: frozenset[str]) -> Rule:
    attributes = Attributes(cls, keys)

    def build(load: Load, target: Any, state: Any) -> None:
        _check_state(load, attributes, state)
        attributes.set(target, state)
        if "_mask" in state:
            check_masked(target)

    return build


def _check_state(load: Load, attributes: Attributes, state: Any) -> None:
    attributes.check(state)
    check_values(attributes.name, state)
    load.check_finished(attributes.name, tuple(state.values()))


def check_values(name: str, state: dict[str, Any]) -> None:
    """Refuse functions where data belongs, also among what is remembered for later."""
    values = (*state.values(), *_cached(name, state))
    if any(map(callable, values)) and not all(isinstance(value, type) for value in filter(callable, values)):
        raise refused(f"{name}.__setstate__", "a function")


def _cached(name: str, state: dict[str, Any]) -> tuple[Any, ...]:
    cache = state.get("_cache")
    if cache is None:
        return ()
    if type(cache) is not dict or not {str}.issuperset(map(type, cache)):
        raise refused(f"{name}.__setstate__", "something else than what is remembered")
    return tuple(cache.values())


def check_masked(array: Any) -> None:
    """Look whether there are as many marks as values."""
    import numpy as np

    state = vars(array)
    values, marks = state.get("_data"), state.get("_mask")
    require(type(values) is type(marks) is np.ndarray and values.shape == marks.shape, "marks of a column")
    require(marks.dtype.kind == "b", "marks of a column")


def _frame(cls: type, _: frozenset[str]) -> Rule:
    keys = _keys(cls, _FRAME_KEYS)

    def build(load: Load, target: Any, state: Any) -> None:
        name = f"pandas.{cls.__name__}.__setstate__"
        if type(state) is not dict or type(state.get("_typ")) is not str:
            raise refused(name, "a state of its own")
        manager = state.get("_mgr", state.get("_data"))
        flags = state.get("_flags", {})
        wanted = "SingleBlockManager" if cls.__name__ == "Series" else "BlockManager"
        own = type(state.get("_metadata", [])) is list and state.get("_metadata", []) in ([], ["_name"], ["name"])
        if type(manager).__name__ != wanted or not own or not _are_flags(flags):
            raise refused(name, "a state of its own")
        keys(load, target, state)

    return build


def _are_flags(flags: Any) -> bool:
    return (
        type(flags) is dict
        and set(flags) <= {"allows_duplicate_labels"}
        and {bool}.issuperset(map(type, flags.values()))
    )


def _manager_state(cls: type, _: frozenset[str]) -> Rule:
    name = f"pandas.{cls.__name__}.__setstate__"

    def build(load: Load, target: Any, state: Any) -> None:
        if type(state) is not tuple or len(state) != 4 or type(state[3]) is not dict or "0.14.1" not in state[3]:
            raise refused(name, "a state of its own")
        parts = state[3]["0.14.1"]
        if type(parts) is not dict or type(parts.get("axes")) is not list or type(parts.get("blocks")) is not list:
            raise refused(name, "a state of its own")
        axes, blocks = parts["axes"], parts["blocks"]
        if not all(is_kind("index", type(axis)) for axis in axes) or not all(map(_is_block, blocks)):
            raise refused(name, "a state of its own")
        load.check_finished(name, tuple(part for block in blocks for part in block.values()))
        own = {"axes": list(axes), "blocks": [dict(block) for block in blocks]}
        type(target).__setstate__(target, (*state[:3], {"0.14.1": own}))
        load.check_later(check_manager, target, lasting=True)

    return build


def _is_block(block: Any) -> bool:
    return type(block) is dict and is_value(block.get("values")) and is_place(block.get("mgr_locs"))


def _backed(cls: type, _: frozenset[str]) -> Rule:
    name = f"{cls.__module__}.{cls.__qualname__}"

    def build(load: Load, target: Any, state: Any) -> None:
        if type(state) is dict:  # of pandas up to 1.2
            state = _checked_old_backed(name, state)
        elif type(state) is not tuple or not 1 <= len(state) <= 3:
            raise refused(f"{name}.__setstate__", "a state of its own")
        else:
            _check_backed(name, state)
        load.check_finished(name, state if type(state) is tuple else tuple(state.values()))
        cls.__setstate__(target, state)  # type: ignore[attr-defined]
        if cls.__name__ == "Categorical":
            load.check_later(check_categorical, target, lasting=True)

    return build


_BACKED_KEYS = frozenset(["_data", "_ndarray", "_codes", "_dtype", "_freq", "_cache", "_readonly"])


def _checked_old_backed(name: str, state: dict[Any, Any]) -> dict[Any, Any]:
    if not {str}.issuperset(map(type, state)) or not _BACKED_KEYS.issuperset(state):
        raise refused(f"{name}.__setstate__", "a state of its own")
    check_values(name, state)
    return dict(state)


def _check_backed(name: str, state: tuple[Any, ...]) -> None:
    for part in state:
        if type(part) is dict:
            _checked_old_backed(name, part)
        elif not is_kind("numpy.ndarray", type(part)) and not type(part).__name__.endswith(("Dtype", "DType")):
            raise refused(f"{name}.__setstate__", f"a {type(part).__name__}")


def _interval(cls: type, _: frozenset[str]) -> Rule:
    keys = ("_left", "_right", "_dtype", "_closed", "_cache", "_readonly", "closed")
    attributes = Attributes(cls, frozenset(keys))

    def build(load: Load, target: Any, state: Any) -> None:
        inner = state[0] if type(state) is tuple and len(state) == 1 else state
        _check_state(load, attributes, inner)
        bounds = inner.get("_left"), inner.get("_right")
        require(all(map(is_value, bounds)) and len(bounds[0]) == len(bounds[1]), "bounds of intervals")
        if hasattr(cls, "__setstate__"):
            cls.__setstate__(target, state)
        elif hasattr(cls, "__setstate_cython__"):
            cls.__setstate_cython__(target, state if type(state) is tuple else (state,))
        else:
            vars(target).update(inner)

    return build


def _sparse(cls: type, _: frozenset[str]) -> Rule:
    keys = _keys(cls, frozenset(["_sparse_index", "_sparse_values", "_dtype", "_cache", "_readonly"]))

    def build(load: Load, target: Any, state: Any) -> None:
        if type(state) is tuple and len(state) == 2 and state[0] is None:
            state = state[1]
        keys(load, target, state)
        index, values = state.get("_sparse_index"), state.get("_sparse_values")
        require(type(index).__name__ in ("IntIndex", "BlockIndex"), "places of values")
        require(is_kind("numpy.ndarray", type(values)) and values.shape == (index.npoints,), "places of values")

    return build


# ---- what has to fit


def check_index(index: Any) -> None:
    """Look whether the codes of an index are those of its levels or categories."""
    if hasattr(type(index), "_verify_integrity"):
        _check_levels(index)
    data = vars(index).get("_data")  # asked for it, a range would make all of its numbers
    if type(data).__name__ == "Categorical":
        check_categorical(data)


def _check_levels(index: Any) -> None:
    levels, codes = list(index._levels), list(index._codes)  # noqa: SLF001
    require(len(levels) == len(codes) > 0, "codes of an index")
    for level, numbers in zip(levels, codes, strict=True):
        require(is_kind("index", type(level)) and is_kind("numpy.ndarray", type(numbers)), "codes of an index")
        require(len(numbers) == len(codes[0]), "codes of an index")
        _check_codes(numbers, len(level))


def check_categorical(values: Any) -> None:
    """Look whether the codes of a categorical are those of its categories."""
    dtype = values._dtype  # noqa: SLF001
    require(type(dtype).__name__ == "CategoricalDtype", "categories")
    categories = dtype._categories  # noqa: SLF001
    require(is_kind("index", type(categories)), "categories")
    _check_codes(values._ndarray, len(categories))  # noqa: SLF001


def _check_codes(codes: Any, count: int) -> None:
    require(codes.dtype.kind == "i", "codes")
    if codes.size:
        require(bool(codes.min() >= -1 and codes.max() < count), "codes")


def is_offset_argument(value: Any) -> bool:
    """Return whether `value` is what a frequency is made of: numbers, texts, times, other ones, or several of these."""
    if type(value) in (tuple, list):
        return all(map(is_offset_argument, value))
    return any(is_kind(kind, type(value)) for kind in ("plain", "number", "offset"))


def _offset(cls: type, _: frozenset[str]) -> Rule:
    """Of pandas up to 1.0, which made a frequency empty; later ones call it."""
    name = f"{cls.__module__}.{cls.__qualname__}.__setstate__"

    def build(load: Load, target: Any, state: Any) -> None:
        if type(state) is not dict or not {str}.issuperset(map(type, state)) or not {"n", "normalize"} <= set(state):
            raise refused(name, "a state of its own")
        if not all(is_offset_argument(value) or (key == "_cache" and value == {}) for key, value in state.items()):
            raise refused(name, "a state of its own")
        cls.__setstate__(target, dict(state))  # type: ignore[attr-defined]

    return build


AWAITED = frozenset(f"pandas.{rule}" for rule in ("column", "backed", "categorical", "interval", "sparse"))
"""Rules of columns, whose length is not known before they have a state."""

RULES: dict[str, Callable[[type, frozenset[str]], Rule]] = {
    "pandas.keys": _keys,
    "pandas.column": _keys,
    "pandas.frame": _frame,
    "pandas.manager": _manager_state,
    "pandas.categorical": _backed,
    "pandas.backed": _backed,
    "pandas.interval": _interval,
    "pandas.offset": _offset,
    "pandas.sparse": _sparse,
}
