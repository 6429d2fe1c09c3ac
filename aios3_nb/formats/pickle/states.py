"""What a state may be: the rules that ``names.toml`` names, for objects that the same load made.

An object gets one state at most, and only right after it was made. Attributes have plain text as names, stand before
no method or property of the class, and are none of the switches by which a library is told to trust or to show
something.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aios3_nb.formats.pickle import arrays, checks, frames, generators, trees
from aios3_nb.formats.pickle.attributes import Attributes, Slots
from aios3_nb.formats.pickle.names import safe_names
from aios3_nb.formats.pickle.refuse import refused
from aios3_nb.formats.pickle.scorers import scorer

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.makes import Builder, Load


Rule = Callable[["Load", Any, Any], None]
"""Takes a load, an object and its state, and gives the one to the other, or refuses."""


def builder(load: Load, state: str, cls: type) -> Builder:
    """Return what gives an object of exactly `cls`, made in `load`, a state by the rule that `state` names."""
    return functools.partial(_rule(state, cls), load)


def builder_of_class(load: Load, cls: type, maker: str) -> Builder | None:
    """Return what gives objects of `cls` their state; None when they get none.

    Raises:
        FormatError: The class is not listed; `maker` would make one of it.
    """
    name = cls.__name__
    for (module, listed), entry in safe_names().items():
        if listed == name and getattr(sys.modules.get(module), name, None) is cls:
            return builder(load, entry.state, cls) if entry.state else None
    raise refused(maker, f"the class {cls.__module__}.{cls.__qualname__}")


@functools.cache
def _rule(state: str, cls: type) -> Rule:
    name, _, keys = state.partition(" ")
    return _RULES[name](cls, frozenset(keys.split()))


def is_needed(state: str) -> bool:
    """Return whether what is to have a state by that rule is of no use without.

    pandas and trees of decisions read through a null pointer, and trees of neighbours show whatever lies in memory.
    """
    needed = ("pandas.backed", "pandas.categorical", "sklearn.neighbours", "sklearn.tree")
    return state.partition(" ")[0] in needed


def is_awaited(state: str) -> bool:
    """Return whether nothing may use, before it has a state by that rule, what gets one: a column, or one's parts."""
    return is_needed(state) or state.partition(" ")[0] in frames.AWAITED


def is_known(state: str) -> bool:
    """Return whether there is a rule of that name; see ``names.toml``."""
    return state.partition(" ")[0] in _RULES


# ---- attributes


def _attributes(cls: type, keys: frozenset[str]) -> Rule:
    attributes = Attributes(cls, keys)
    slots = Slots(cls)
    check = checks.check_for(cls)
    lasting, at_end = checks.is_of_arrays(cls), checks.is_model(cls)

    def build(load: Load, target: Any, state: Any) -> None:
        if type(state) is tuple and len(state) == 2 and slots.names:
            state = slots.set(target, state)
            if state is None:
                return
        attributes.check(state)
        attributes.set(target, state)
        if check is None:
            return
        if at_end:
            load.check_at_end(check, target)
        else:
            load.check_later(check, target, lasting=lasting)

    return build


# ---- the standard library


def _exception(cls: type, _: frozenset[str]) -> Rule:
    plain = Attributes(cls)
    own = frozenset(("name", "path", "name_from", "obj", "args"))

    def build(load: Load, target: Any, state: Any) -> None:
        if type(state) is not dict:
            raise refused(f"{plain.name}.__setstate__", "a state that is no dict")
        notes = state.get("__notes__", [])
        if type(notes) is not list or not {str}.issuperset(map(type, notes)):
            raise refused(f"{plain.name}.__setstate__", "notes that are no text")
        plain.check({key: value for key, value in state.items() if key not in own and key != "__notes__"})
        cls.__setstate__(target, dict(state))  # type: ignore[attr-defined]

    return build


def _random(cls: type, _: frozenset[str]) -> Rule:
    def build(load: Load, target: Any, state: Any) -> None:
        fits = type(state) is tuple and len(state) == 3 and type(state[0]) is int and type(state[1]) is tuple
        if not fits or not {int}.issuperset(map(type, state[1])) or type(state[2]) not in (float, type(None)):
            raise refused("random.Random.__setstate__", "a state of its own")
        cls.__setstate__(target, state)  # type: ignore[attr-defined]

    return build


def _uuid(cls: type, _: frozenset[str]) -> Rule:
    most = (1 << 128) - 1

    def build(load: Load, target: Any, state: Any) -> None:
        fits = type(state) is dict and type(state.get("int")) is int and 0 <= state["int"] <= most
        if not fits or (len(state) > 1 and not _has_safety(state)):
            raise refused("uuid.UUID.__setstate__", "a state of its own")
        cls.__setstate__(target, state)  # type: ignore[attr-defined]  # which reads it, and keeps nothing of it

    return build


def _has_safety(state: dict[Any, Any]) -> bool:
    value = state.get("is_safe")
    if state.keys() != {"int", "is_safe"}:
        return False
    return value is None or type(value) is int or (type(value).__module__, type(value).__name__) == ("uuid", "SafeUUID")


def _bunch(cls: type, _: frozenset[str]) -> Rule:
    return _attributes(cls, frozenset(("_deprecated_key_to_warnings",)))


def _spline(cls: type, keys: frozenset[str]) -> Rule:
    """From scipy 1.18 on, the public spline has an inner one, which has the knots, and that has none within."""
    build_one = _attributes(cls, keys)

    def build(load: Load, target: Any, state: Any) -> None:
        if type(state) is tuple:
            checks.build_spline(target, state)
            return
        if type(state) is dict and state.get("_delegate_to") is not None:
            raise refused(f"{cls.__module__}.{cls.__qualname__}.__setstate__", "a spline within a spline")
        build_one(load, target, state)

    return build


def is_bit_generator(value: Any) -> bool:
    """Return whether `value` names, or is, one of numpy's five bit generators."""
    return generators.is_bit_generator(value)


_RULES: dict[str, Callable[[type, frozenset[str]], Rule]] = {
    "attributes": _attributes,
    "keys": _attributes,
    "bunch": _bunch,
    "exception": _exception,
    "random": _random,
    "uuid": _uuid,
    "numpy.generator": lambda cls, _: generators.build_generator,
    "numpy.seed": lambda cls, _: generators.build_seed,
    "scipy.sparse": _attributes,
    "scipy.spline": _spline,
    "sklearn.tree": lambda cls, _: trees.build_tree,
    "sklearn.predictor": _attributes,
    "sklearn.neighbours": lambda cls, _: trees.build_neighbours,
    "sklearn.metric": lambda cls, _: trees.build_metric,
    "sklearn.scorer": scorer,
    "numpy.array": lambda cls, _: arrays.build_array,
    "numpy.masked": lambda cls, _: arrays.build_masked,
    **frames.RULES,
}
"""Name of a rule in ``names.toml`` -> what makes it for a class and the names behind it."""
