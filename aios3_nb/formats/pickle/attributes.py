"""Attributes of objects: which names a state may have, and how they are set.

Names are plain text, stand before no method or property of the class, and are none of the switches by which a library
is told to trust or to show something.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from aios3_nb.formats.pickle.refuse import refused

_SHADOWABLE = (type(None), bool, int, float, str)
"""Attributes of classes that are the defaults of attributes of their instances."""

_PRIVATE = frozenset(
    ("check_format", "_check", "append", "extend", "add", "_metadata", "_accessors", "_internal_names")
)
_PRIVATE_STARTS = ("__", "_repr_", "_ipython_", "_doc_link", "_html_repr")
_MOST_JUDGED = 2000


def is_private(key: str) -> bool:
    """Return whether no state may have the attribute, of whatever class."""
    return key in _PRIVATE or key.startswith(_PRIVATE_STARTS)


class Attributes:
    """Judges and sets the attributes of instances of one class; what was judged once is not looked at again.

    Args:
        cls: Their class.
        keys: The only names that there may be; any that harm nothing when there are none.
    """

    def __init__(self, cls: type, keys: frozenset[str] = frozenset()) -> None:
        self.name = f"{cls.__module__}.{cls.__qualname__}"
        self._cls = cls
        self._keys = keys
        self._judged: set[str] = set()
        self._setstate = getattr(cls, "__setstate__", None)

    def check(self, state: Any) -> None:
        """Raise unless `state` is a dict of attributes that such an object may have."""
        if type(state) is not dict:
            raise refused(f"{self.name}.__setstate__", "a state that is no dict")
        if not self._judged.issuperset(state) or not {str}.issuperset(map(type, state)):
            self._judge(state)

    def _judge(self, state: dict[Any, Any]) -> None:
        for key in state:
            if type(key) is not str or not self._permits(key):
                raise refused(f"{self.name}.__setstate__", f"the attribute {str(key)[:100]!r}")
        if len(self._judged) < _MOST_JUDGED:
            self._judged.update(state)

    def _permits(self, key: str) -> bool:
        if self._keys:
            return key in self._keys
        if is_private(key):
            return False
        return all(type(vars(base)[key]) in _SHADOWABLE for base in self._cls.__mro__ if key in vars(base))

    def set(self, target: Any, state: dict[str, Any]) -> None:
        """Give `target` its `state`, as BUILD does; the dict stays the pickle's own.

        See: `load_build` in Lib/pickle.py of CPython.
        """
        if self._setstate is not None:
            self._setstate(target, dict(state))
        else:
            vars(target).update({sys.intern(key): value for key, value in state.items()})


class Slots:
    """The slots of a class, for states of two parts: attributes, and what stands in slots."""

    def __init__(self, cls: type) -> None:
        self._name = f"{cls.__module__}.{cls.__qualname__}"
        self.names = {
            key: value
            for base in cls.__mro__
            for key, value in vars(base).items()
            if isinstance(value, types.MemberDescriptorType)
        }

    def set(self, target: Any, state: tuple[Any, Any]) -> Any:
        """Set what stands in slots; return the attributes, None when there are none."""
        attributes, slots = state
        if type(slots) is not dict or not {str}.issuperset(map(type, slots)):
            raise refused(f"{self._name}.__setstate__", "a state of its own")
        for key, value in slots.items():
            if key not in self.names:
                raise refused(f"{self._name}.__setstate__", f"the attribute {key[:100]!r}")
            self.names[key].__set__(target, value)
        return attributes
