"""Classes that the user allowed: made empty and given their attributes, as `copyreg` does for ordinary classes.

That is state without code of the pickle's choosing: what runs is the class's own ``__new__`` and ``__setstate__``. A
call of the class itself would run its ``__init__`` with arguments of the pickle, which may start a program; so only
exceptions, members of enumerations, and tuples with names are made by calls.
"""

from __future__ import annotations

import enum
import sys
import types
from typing import TYPE_CHECKING, Any

from aios3_nb.errors import BlockedPickleError
from aios3_nb.formats.pickle.names import Entry
from aios3_nb.text import visible

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.makes import Load, Maker

ENTRY = Entry(make="empty", state="attributes", why="allowed by the user, for one call", library="")
"""Of every name that was allowed."""


def may_be_called(cls: Any) -> bool:
    """Return whether pickles make objects of `cls` by calling it, which then does nothing but keep the arguments."""
    if not isinstance(cls, type):
        return False
    named_tuple = issubclass(cls, tuple) and hasattr(cls, "_fields") and cls.__init__ is object.__init__
    plain_error = issubclass(cls, BaseException) and not isinstance(cls.__init__, types.FunctionType)
    return named_tuple or plain_error or issubclass(cls, enum.Enum)


def maker(load: Load, cls: Any, dotted: str) -> Maker:
    """Return what calls `cls`, if it may be called."""

    def make(args: tuple[Any, ...]) -> Any:
        if not may_be_called(cls):
            raise BlockedPickleError(
                f"{visible(dotted)} is allowed as a class with attributes, and this pickle calls it with arguments, "
                "which can run anything. If you trust whoever wrote it, that takes --trust."
            )
        value = cls(*args)
        return value if issubclass(cls, enum.Enum) else load.fresh(value, set_state)

    return make


def set_state(target: Any, state: Any) -> None:
    """Do what BUILD does; see `load_build` in Lib/pickle.py of CPython."""
    setstate = getattr(type(target), "__setstate__", None)
    if setstate is not None:
        setstate(target, state)
        return
    slots = None
    if type(state) is tuple and len(state) == 2:
        state, slots = state
    for key, value in (state or {}).items():
        vars(target)[sys.intern(key) if type(key) is str else key] = value
    for key, value in (slots or {}).items():
        setattr(target, key, value)
