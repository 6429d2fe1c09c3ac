"""The scorers that searches of scikit-learn keep: they can be called, so what they would call is looked at.

With a method's name of its own, a scorer would call any method of any object. Those of scikit-learn name one of the
methods by which a model answers, and a measure of `sklearn.metrics`, or ask the model itself.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from aios3_nb.formats.pickle.attributes import Attributes
from aios3_nb.formats.pickle.names import safe_names
from aios3_nb.formats.pickle.refuse import refused
from aios3_nb.formats.pickle.signature import is_kind

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.makes import Load
    from aios3_nb.formats.pickle.states import Rule

_METHODS = frozenset(("predict", "predict_proba", "predict_log_proba", "decision_function", "score", "default"))
_KEYS = frozenset(
    ("_score_func", "_sign", "_kwargs", "_response_method", "_thresholds", "_metadata_request", "_estimator")
)


def scorer(cls: type, _: frozenset[str]) -> Rule:
    """Return what gives a scorer its measure, the methods that it asks a model for, or its model."""
    attributes = Attributes(cls, _KEYS)

    def build(load: Load, target: Any, state: Any) -> None:
        attributes.check(state)
        for key, value in state.items():
            if not _CHECKS[key](value):
                raise refused(f"{attributes.name}.__setstate__", f"{key} of its own")
        attributes.set(target, state)

    return build


def _is_measure(value: Any) -> bool:
    name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
    return type(value) is types.FunctionType and name[0].startswith("sklearn.metrics.") and name in safe_names()


def _are_methods(value: Any) -> bool:
    return all(type(name) is str and name in _METHODS for name in (value if type(value) in (tuple, list) else (value,)))


def _is_plain(value: Any) -> bool:
    if type(value) is dict:
        return all(_is_plain(part) for item in value.items() for part in item)
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    return is_kind("plain", type(value)) or is_kind("number", type(value)) or is_kind("numpy.ndarray", type(value))


def _is_model(value: Any) -> bool:
    """Return whether `value` is one of scikit-learn's own models, which have a score and cannot be called."""
    cls = type(value)
    return cls.__module__.startswith("sklearn.") and hasattr(cls, "score") and not callable(value)


_CHECKS = {
    "_score_func": _is_measure,
    "_sign": lambda value: type(value) is int and value in (1, -1),
    "_kwargs": _is_plain,
    "_response_method": _are_methods,
    "_thresholds": _is_plain,
    "_metadata_request": lambda value: type(value).__module__.startswith("sklearn.") or _is_plain(value),
    "_estimator": _is_model,
}
