"""numpy's random generators: compiled code believes the places in their buffers, so a state is looked at first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from aios3_nb.formats.pickle.refuse import refused

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.makes import Load

_NAMES = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_KEY_LENGTH = 624
"""Numbers of a MT19937."""


def is_bit_generator(value: Any) -> bool:
    """Return whether `value` names, or is, one of numpy's five bit generators."""
    if isinstance(value, type):
        return value.__module__.startswith("numpy.random.") and value.__name__ in _NAMES
    return type(value) is str and value in _NAMES


def build_generator(load: Load, target: Any, state: Any) -> None:
    """Give a bit generator, a `Generator` or a `RandomState` its state.

    Raises:
        FormatError: A place lies outside of its buffer, or the state is not that of this kind.
    """
    bits = target if is_bit_generator(type(target)) else _bits_of(target)
    inner = state[0] if type(state) is tuple and len(state) == 2 and type(state[0]) is dict else state
    if type(inner) is tuple:
        fits = type(bits).__name__ == "MT19937" and _is_old_state(inner)
    else:
        fits = _is_state(type(bits).__name__, inner)
    if inner is not state:
        load.check_finished("numpy.random", (state[1],))
        fits = fits and (state[1] is None or type(state[1]).__name__ == "SeedSequence")
    if not fits:
        raise refused(f"numpy.random.{type(bits).__name__}.__setstate__", "a state that is not one of its own")
    type(target).__setstate__(target, state)


def _bits_of(generator: Any) -> Any:
    return generator._bit_generator  # noqa: SLF001


def _is_state(kind: str, state: Any) -> bool:
    if type(state) is not dict or state.get("bit_generator") != kind or type(state.get("state")) is not dict:
        return False
    if not all(type(state.get(key, 0)) is int for key in ("has_uint32", "uinteger", "has_gauss")):
        return False
    if type(state.get("gauss", 0.0)) not in (int, float):
        return False
    inner = state["state"]
    if kind == "MT19937":
        return _is_array(inner.get("key"), _KEY_LENGTH) and _is_place(inner.get("pos"), _KEY_LENGTH)
    if kind == "SFC64":
        return _is_array(inner.get("state"), 4)
    if kind == "Philox":
        parts = (inner.get("counter"), 4), (inner.get("key"), 2), (state.get("buffer"), 4)
        return all(_is_array(*part) for part in parts) and _is_place(state.get("buffer_pos"), 4)
    return type(inner.get("state")) is type(inner.get("inc")) is int


def _is_old_state(state: tuple[Any, ...]) -> bool:
    """Return whether `state` is that of a RandomState of numpy up to 1.16."""
    if not 3 <= len(state) <= 5 or state[0] != "MT19937":
        return False
    extra = all(type(part) in (int, float) for part in state[3:])
    return extra and _is_array(state[1], _KEY_LENGTH) and _is_place(state[2], _KEY_LENGTH)


def _is_array(value: Any, count: int) -> bool:
    numpy = sys.modules["numpy"]
    return type(value) is numpy.ndarray and value.shape == (count,) and value.dtype.kind in "ui"


def _is_place(value: Any, size: int) -> bool:
    return type(value) is int and 0 <= value <= size


def build_seed(load: Load, target: Any, state: Any) -> None:
    """Give a `SeedSequence` its numbers."""
    if type(state) is not tuple or len(state) != 5:
        raise refused("numpy.random.SeedSequence.__setstate__", "a state of its own")
    entropy, children, pool, size, spawned = state
    numbers = all(type(part) is int and part >= 0 for part in (children, size))
    if not numbers or not _is_array(pool, size) or not _is_entropy(entropy) or not _is_entropy(spawned):
        raise refused("numpy.random.SeedSequence.__setstate__", "a state of its own")
    type(target).__setstate_cython__(target, state)


def _is_entropy(value: Any) -> bool:
    numpy = sys.modules["numpy"]
    if type(value) in (list, tuple):
        return all(map(_is_entropy, value))
    if type(value) is numpy.ndarray:
        return value.dtype.kind in "ui"
    return value is None or type(value) is int or isinstance(value, numpy.integer)
