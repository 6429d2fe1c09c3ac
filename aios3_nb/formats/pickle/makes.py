"""How names with `make` are called: each call's arguments are looked at by the check that ``names.toml`` names.

Every class and function on the stack is the real one. A pickle calls something by asking (see
`aios3_nb.formats.pickle.feed`), and what is called is decided by the name that it imported: `maker` returns, for one
name and one load, what takes the arguments, looks at them, and makes the object.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Protocol

from aios3_nb.formats.pickle import arrays, arrow, pandas, states
from aios3_nb.formats.pickle.dtypes import DTypes
from aios3_nb.formats.pickle.names import Entry
from aios3_nb.formats.pickle.refuse import refused
from aios3_nb.formats.pickle.signature import Signature

Maker = Callable[[tuple[Any, ...]], Any]
Check = Callable[[Any], None]
Builder = Callable[[Any, Any], None]


class Load(Protocol):
    """One load, as far as what is made in it concerns it."""

    dtypes: DTypes

    def fresh(self, value: Any, build: Builder | None, *, waits: bool = False) -> Any:
        """Note that `value` was made in this load, and may be given a state once by `build`, if any; return it.

        What `waits` is of no use before.
        """

    def check_finished(self, name: str, args: tuple[Any, ...]) -> None:
        """Refuse arguments that still wait for their state."""

    def check_later(self, check: Check, value: Any, *, lasting: bool = False, apart: bool = False) -> None:
        """Check `value` now, and again when the pickle has ended, if it can still change until then.

        Lasting is what `check` finds if it looks at nothing that pickles put items into, but only at numbers, at
        arrays and columns, and at what libraries made of these for themselves. Apart is what lies in memory of a
        library, over bytes and bytearrays of the pickle's, which nothing that a pickle may do writes into.
        """

    def check_at_end(self, check: Check, value: Any) -> None:
        """Check `value` when the pickle has ended; it is of no use to anything that a pickle may call before."""

    def empty(self, cls: Any, make: Callable[[], Any] | None = None) -> Any:
        """Return an empty instance of `cls`, by `make`, if the pickle imported it as a class that may be made empty."""

    def inner(self, owner: type, name: str) -> Any:
        """Return the class inside of `owner`, when it may be imported by its own name."""

    def callable(self, value: Any, maker: Maker) -> Any:
        """Note that the pickle may call `value` by `maker`, as if it had imported it; return it."""


def maker(load: Load, dotted: str, entry: Entry, found: Any) -> Maker | None:
    """Return what calls `found`, which the pickle imports as `dotted`; None when it is never called by REDUCE.

    It takes the arguments as one tuple. Where nothing has to be looked at, it is `found` itself, which takes them as
    they are: of all calls these are the most frequent ones.
    """
    make = entry.make.removeprefix("new or ")
    if not make or make == "empty":
        return None
    build = states.builder(load, entry.state, found) if entry.state else None
    special = _SPECIAL.get(make)
    if special is not None:
        return special(load, dotted, found, build)
    return _by_signature(load, dotted, found, build, _signature(make))


@functools.cache
def _signature(text: str) -> Signature:
    return Signature(text)


def is_known(make: str) -> bool:
    """Return whether there is a check of that name, or it is a signature; see ``names.toml``."""
    make = make.removeprefix("new or ")
    return make == "empty" or make in _SPECIAL or Signature.reads(make)


def is_special(make: str) -> bool:
    """Return whether `make` names a check of its own, and is no signature."""
    return make in _SPECIAL


def _by_signature(load: Load, dotted: str, found: Any, build: Builder | None, signature: Signature) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        signature.check(dotted, args)
        load.check_finished(dotted, args)
        value = found(*args)
        return value if type(value) is not found else load.fresh(value, build)

    return make


def _anything(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    if build is None:
        return found  # type: ignore[no-any-return]

    def make(args: tuple[Any, ...]) -> Any:
        return load.fresh(found(*args), build)

    return make


# ---- the standard library

CODECS = frozenset(("latin1", "latin-1", "ascii", "utf-8"))
_BASES = (object, dict, list, tuple, set, frozenset, str, bytes, int, float, complex)
_FRACTION = re.compile(r"-?\d+(/\d+)?")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,3}")
_DEBUG = 128
"""re.DEBUG"""


def _checked(check: Callable[[str, tuple[Any, ...]], bool]) -> Callable[..., Maker]:
    """Return what makes makers for names that are called when `check` holds of their arguments."""

    def bind(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
        def make(args: tuple[Any, ...]) -> Any:
            if not check(dotted, args):
                raise refused(dotted, "arguments of its own")
            return found(*args)

        return make

    return bind


def _is_text_and_codec(_: str, args: tuple[Any, ...]) -> bool:
    return 1 <= len(args) <= 2 and type(args[0]) is str and all(type(c) is str and c in CODECS for c in args[1:])


def _is_bytearray(_: str, args: tuple[Any, ...]) -> bool:
    if len(args) == 2:
        return type(args[0]) is str and args[1] in ("latin-1", "latin1")
    return not args or (len(args) == 1 and type(args[0]) in (bytes, bytearray))


def _is_array(_: str, args: tuple[Any, ...]) -> bool:
    if len(args) != 2 or type(args[0]) is not str or len(args[0]) != 1:
        return False
    return type(args[1]) is bytes or (type(args[1]) is list and {int, float, str}.issuperset(map(type, args[1])))


def _is_factory(_: str, args: tuple[Any, ...]) -> bool:
    return len(args) <= 1 and all(arg is None or isinstance(arg, type) for arg in args)


def _is_fraction(_: str, args: tuple[Any, ...]) -> bool:
    if len(args) == 1 and type(args[0]) is str:
        return _FRACTION.fullmatch(args[0]) is not None
    return len(args) == 2 and type(args[0]) is type(args[1]) is int


def _is_pattern(_: str, args: tuple[Any, ...]) -> bool:
    return len(args) == 2 and type(args[0]) in (str, bytes) and type(args[1]) is int and not args[1] & _DEBUG


def _reconstructor(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 3 or not isinstance(args[0], type) or not any(args[1] is base for base in _BASES):
            raise refused(dotted, "arguments of its own")
        cls, base, state = args
        if base is not object and (not issubclass(cls, base) or type(state) is not base):
            raise refused(dotted, "a base of its own")
        return load.empty(cls, lambda: found(cls, base, state))

    return make


def _getattr(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        import zoneinfo

        if len(args) == 2 and isinstance(args[0], type) and type(args[1]) is str:
            if args[0] is zoneinfo.ZoneInfo and args[1] == "_unpickle":
                return load.callable(zoneinfo.ZoneInfo._unpickle, _zone)  # type: ignore[attr-defined]  # noqa: SLF001
            return load.inner(args[0], args[1])
        raise refused(dotted, "arguments of its own")

    return make


def _zone(args: tuple[Any, ...]) -> Any:
    import zoneinfo

    if len(args) != 2 or type(args[0]) is not str or not _ZONE.fullmatch(args[0]) or type(args[1]) not in (bool, int):
        raise refused("zoneinfo.ZoneInfo._unpickle", "arguments of its own")
    return zoneinfo.ZoneInfo._unpickle(*args)  # type: ignore[attr-defined]  # noqa: SLF001


# ---- numpy


def _dtype(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    return load.dtypes.make


def _bit_generator(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 1 or not states.is_bit_generator(args[0]):
            raise refused(dotted, "arguments of its own")
        value = found(*args)
        return load.fresh(value, states.builder(load, "numpy.generator", type(value)))

    return make


def _generator(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        from numpy.random import _pickle

        by_name = not args or states.is_bit_generator(args[0]) or states.is_bit_generator(type(args[0]))
        own = len(args) < 2 or args[1] is _pickle.__bit_generator_ctor  # noqa: SLF001
        if not by_name or not own or len(args) > 2:
            raise refused(dotted, "arguments of its own")
        load.check_finished(dotted, args)
        value = found(*args)
        return load.fresh(value, states.builder(load, "numpy.generator", type(value)))

    return make


# ---- Cython's own way: an empty instance of a class, a checksum of its fields, and perhaps a state


def _cython(load: Load, dotted: str, found: Any, build: Builder | None, counts: tuple[int, ...] = (3,)) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if len(args) not in counts or not isinstance(args[0], type):
            raise refused(dotted, "arguments of its own")
        state = args[2] if len(args) == 3 else None
        if (len(args) == 3 and type(args[1]) is not int) or (state is not None and state != ()):
            raise refused(dotted, "a state of its own")
        build = states.builder_of_class(load, args[0], dotted)
        value = found(*args)
        return load.fresh(value, build, waits=True)

    return make


_SPECIAL: dict[str, Callable[[Load, str, Any, Builder | None], Maker]] = {
    "anything": _anything,
    "encode": _checked(_is_text_and_codec),
    "bytearray": _checked(_is_bytearray),
    "array.array": _checked(_is_array),
    "defaultdict": _checked(_is_factory),
    "fraction": _checked(_is_fraction),
    "pattern": _checked(_is_pattern),
    "reconstructor": _reconstructor,
    "getattr": _getattr,
    "numpy.dtype": _dtype,
    "numpy.bit_generator": _bit_generator,
    "numpy.generator": _generator,
    "cython": _cython,
    "cython one": functools.partial(_cython, counts=(1,)),
    **arrays.MAKERS,
    **arrow.MAKERS,
    **pandas.MAKERS,
}
"""Name of a check in ``names.toml`` -> what binds it to a name and a load."""
