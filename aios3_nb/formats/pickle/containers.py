"""The containers that pickles fill: those of Python, and of classes that the user allowed; nothing else gets items."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from aios3_nb.formats.pickle.refuse import name_of, not_done

_DICTS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)


class Containers:
    """Does what the opcodes do that put items into something.

    Args:
        is_allowed: Tells whether the user allowed a class.
    """

    def __init__(self, is_allowed: Callable[[type], bool]) -> None:
        self._is_allowed = is_allowed

    def append(self, target: Any, item: Any) -> Any:
        """Do what APPEND does."""
        if type(target) is not list:
            return self.extend(target, [item])
        target.append(item)
        return target

    def extend(self, target: Any, items: list[Any]) -> Any:
        """Do what APPENDS does."""
        if type(target) is list or type(target) is collections.deque or self._is_allowed_kind(target, list):
            target.extend(items)
            return target
        raise _no_container(target)

    def set(self, target: Any, item: tuple[Any, Any]) -> Any:
        """Do what SETITEM does."""
        key, value = item
        if type(target) is not dict:
            return self.update(target, {key: value})
        target[key] = value
        return target

    def update(self, target: Any, items: dict[Any, Any]) -> Any:
        """Do what SETITEMS does."""
        if type(target) is dict:
            target.update(items)
        elif type(target) in _DICTS or _is_bunch(type(target)) or self._is_allowed_kind(target, dict):
            for key, value in items.items():
                target[key] = value
        else:
            raise _no_container(target)
        return target

    def add(self, target: Any, items: list[Any]) -> Any:
        """Do what ADDITEMS does."""
        if type(target) is set or self._is_allowed_kind(target, set):
            target.update(items)
            return target
        raise _no_container(target)

    def _is_allowed_kind(self, target: Any, base: type) -> bool:
        return isinstance(target, base) and self._is_allowed(type(target))


def _is_bunch(cls: type) -> bool:
    return cls.__name__ == "Bunch" and cls.__module__ == "sklearn.utils._bunch"


def _no_container(target: Any) -> Exception:
    return not_done(f"puts items into {name_of(target)}")
