"""What stands in for functions that are harmless with some arguments only.

A stand-in must never become part of a value, since it is not what the pickle named; the unpickler checks that
after a load. It has no attributes that a pickle could set, and no state.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any

from aios3_nb.errors import BlockedPickleError, FormatError
from aios3_nb.formats.pickle.find import blocked_text
from aios3_nb.text import visible

_CODECS = frozenset(("latin1", "latin-1", "ascii", "utf-8"))
_LONGEST_ZEROS = 64 * 1024 * 1024
_BASES = (object, dict, list, tuple, set, frozenset, str, bytes, int, float, complex)


class StandIn:
    """Called by a pickle in place of the function `name`.

    Attributes:
        name: Dotted name of what it stands in for.
        needs_care: Whether it makes objects to which a BUILD could do harm.
    """

    __slots__ = ("__weakref__", "_call", "name", "needs_care")

    def __init__(self, name: str, call: Callable[..., Any], *, needs_care: bool = False) -> None:
        self.name = name
        self.needs_care = needs_care
        self._call = call

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def __setstate__(self, state: Any) -> None:
        raise refused_arguments(self.name, "a new state")


def refused_arguments(name: str, what: str) -> FormatError:
    """Return the error for a call of `name` with arguments that Python never writes."""
    return FormatError(f"The pickle calls {name} with {what}, which Python never writes and which is not safe.")


def guarded_getattr(permits: Callable[[str, str], bool]) -> Callable[..., Any]:
    """Return a ``getattr`` for the two things pickles use it for.

    Those are ``ZoneInfo._unpickle``, and classes inside classes (before protocol 4) that `permits` knows.
    """

    def get(owner: Any, name: str) -> Any:
        if owner is zoneinfo.ZoneInfo and name == "_unpickle":
            return zoneinfo.ZoneInfo._unpickle  # type: ignore[attr-defined]  # noqa: SLF001
        if isinstance(owner, type) and isinstance(name, str):
            path = f"{owner.__qualname__}.{name}"
            if not permits(owner.__module__, path):
                raise BlockedPickleError(blocked_text([f"{owner.__module__}.{path}"]))
            inner = getattr(owner, name)
            if isinstance(inner, type) and inner.__qualname__ == path:
                return inner
        raise refused_arguments("builtins.getattr", f"{visible(repr(name), most=60)}")

    return get


def guarded_encode(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``_codecs.encode`` for how protocols before 3 write bytes; other codecs import modules."""

    def encode(text: str, codec: str = "utf-8") -> Any:
        if type(text) is not str or codec not in _CODECS:
            raise refused_arguments("_codecs.encode", f"codec {visible(repr(codec), most=40)}")
        return real(text, codec)

    return encode


def guarded_bytearray(real: type[bytearray]) -> Callable[..., Any]:
    """Return a ``bytearray`` that makes no gigabytes out of a number."""

    def make(*args: Any) -> bytearray:
        if args and not isinstance(args[0], (bytes, bytearray, str, list)):
            raise refused_arguments("builtins.bytearray", f"a {type(args[0]).__name__}")
        return real(*args)

    return make


def guarded_reconstructor(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``copyreg._reconstructor`` for classes made from the builtin ones (protocols 0 and 1)."""

    def reconstruct(cls: Any, base: Any, state: Any) -> Any:
        if not isinstance(cls, type) or base not in _BASES or not issubclass(cls, base):
            raise refused_arguments("copyreg._reconstructor", f"base {visible(repr(base), most=40)}")
        return real(cls, base, state)

    return reconstruct
