"""Signatures of ``names.toml``: how many arguments a call has, and of exactly which types."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from aios3_nb.formats.pickle.refuse import refused

_MOST_JUDGED = 200
"""Combinations of types that are remembered for one signature."""

_MOST_KNOWN = 1000
"""Pairs of a kind and a type that are remembered."""

_PLAIN = ("NoneType", "bool", "int", "float", "complex", "str", "bytes")


class Signature:
    """Says which arguments a call may have; types are compared exactly, not by their bases.

    Args:
        text: Kinds in order, such as ``int str|None bool?``: with ``?`` for what may be missing, ``|`` between
            alternatives, and ``...`` for any number of the last one.
    """

    def __init__(self, text: str) -> None:
        words = [] if text == "()" else text.split()
        self._more = bool(words) and words[-1].endswith("...")
        self._kinds = [word.rstrip("?.").split("|") for word in words]
        self._fewest = sum(not word.endswith(("?", "...")) for word in words)
        self._judged: set[tuple[type, ...]] = set()

    @staticmethod
    def reads(text: str) -> bool:
        """Return whether `text` is a signature."""
        kinds = r"[\w.|]+(\?|\.\.\.)?"
        return re.fullmatch(rf"\(\)|{kinds}( {kinds})*", text) is not None

    def may_fit(self, types: Sequence[type | None]) -> bool:
        """Return whether such arguments may pass, of which not every type is known; what seems an int may be a bool."""
        kinds = self._kinds_of(len(types))
        return kinds is not None and all(
            cls is None or any(is_kind(kind, cls) or (cls is int and is_kind(kind, bool)) for kind in alternatives)
            for alternatives, cls in zip(kinds, types, strict=False)
        )

    def check(self, name: str, args: tuple[Any, ...]) -> None:
        """Raise unless `args` are what `name` may be called with.

        Raises:
            FormatError: They are not.
        """
        types = tuple(map(type, args))
        if types in self._judged:
            return
        if not self._fits(types):
            raise refused(name, f"({', '.join(cls.__name__ for cls in types[:10])})")
        if len(self._judged) < _MOST_JUDGED and len(types) <= len(self._kinds):
            self._judged.add(types)

    def _fits(self, types: tuple[type, ...]) -> bool:
        kinds = self._kinds_of(len(types))
        return kinds is not None and all(
            any(is_kind(kind, cls) for kind in alternatives) for alternatives, cls in zip(kinds, types, strict=False)
        )

    def _kinds_of(self, count: int) -> list[list[str]] | None:
        """Return the kinds of so many arguments; None when there are never so many."""
        kinds = self._kinds
        if self._more:
            kinds = [*kinds, *[kinds[-1]] * (count - len(kinds))]
        return kinds if self._fewest <= count <= len(kinds) else None


def _is_kind(kind: str, cls: type) -> bool:
    if kind in _GROUPS:
        return _GROUPS[kind](cls)
    if cls.__module__ == "builtins":
        return cls.__name__ == kind or (kind == "None" and cls.__name__ == "NoneType")
    return f"{cls.__module__}.{cls.__qualname__}" == kind


is_kind: Callable[[str, type], bool] = functools.lru_cache(_MOST_KNOWN)(_is_kind)
"""Return whether objects of exactly a type are what a signature calls by that kind.

No pickle can make a type of its own, or change one, so a type's module and name say what it is, now and later.
"""


def _is_plain(cls: type) -> bool:
    return cls.__module__ in ("datetime", "decimal") or (cls.__module__ == "builtins" and cls.__name__ in _PLAIN)


def _is_number(cls: type) -> bool:
    if cls.__module__ == "numpy":
        return any(base.__qualname__ in ("number", "datetime64", "bool") for base in cls.__mro__)
    if cls.__module__.startswith("pandas"):
        return cls.__name__ in ("Timestamp", "Timedelta", "NaTType")
    return cls in (int, float, bool)


def _has_base(name: str, root: str, cls: type) -> bool:
    return any(base.__name__ == name and base.__module__.startswith(root) for base in cls.__mro__)


_GROUPS: dict[str, Callable[[type], bool]] = {
    "any": lambda cls: True,
    "class": lambda cls: issubclass(cls, type),
    "plain": _is_plain,
    "number": _is_number,
    "tz": lambda cls: issubclass(cls, datetime.tzinfo),
    "offset": lambda cls: _has_base("BaseOffset", "pandas", cls),
    "pyarrow": lambda cls: cls.__module__ == "pyarrow.lib",
    "pandas.NAType": lambda cls: cls.__name__ == "NAType" and cls.__module__.startswith("pandas"),
    "index": lambda cls: _has_base("Index", "pandas", cls),
    "column": lambda cls: (
        (cls.__module__ == "numpy" and cls.__name__ == "ndarray") or _has_base("ExtensionArray", "pandas", cls)
    ),
}
