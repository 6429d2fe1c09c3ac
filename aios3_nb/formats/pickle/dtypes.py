"""numpy's dtypes, so that none is forged.

``dtype.__setstate__`` believes what it is told: a state can claim that plain bytes hold pointers to objects, or that a
field lies behind the end of its item, and numpy follows it. So a dtype is always a new one, it gets one state, at
once, and only one that numpy itself gives to an equal dtype made the public way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aios3_nb.formats.pickle.refuse import refused

if TYPE_CHECKING:
    import numpy as np

_CODE = re.compile(r"[?bhilqpBHILQPefdgFDGO]|[biufcOSUVMm]\d{0,10}")
_ALIGNED = 0x80
"""NPY_ALIGNED_STRUCT of numpy/ndarraytypes.h."""

_MOST_KNOWN = 1000
"""States of dtypes that are remembered."""

State = tuple[Any, ...]

_known: dict[Any, State] = {}
"""What a dtype was made of, and its state -> the state that is safe to give it, which is all of our own making."""


class DTypes:
    """Makes the dtypes of one load, and gives them their states.

    Attributes:
        open: Those that wait for their state, by id. They must not be used meanwhile.
        sizes: Bytes of one element, by the id of the dtype, of those that are finished and whose elements are bytes:
            neither objects nor text of any length.
        of_objects: By id, those that are finished and whose elements are objects and nothing else.
    """

    def __init__(self) -> None:
        self.open: dict[int, tuple[np.dtype[Any], Any]] = {}
        self.sizes: dict[int, int] = {}
        self.of_objects: set[int] = set()
        self._kept: list[np.dtype[Any]] = []

    def release(self) -> None:
        """Let go of all of them."""
        self.open.clear()
        self.sizes.clear()
        self.of_objects.clear()
        self._kept.clear()

    def make(self, args: tuple[Any, ...]) -> np.dtype[Any]:
        """Return ``numpy.dtype(*args)``, for the arguments that its pickles have; it is always a new one.

        Raises:
            FormatError: They are others.
        """
        dtype = self._made(args)
        self.open[id(dtype)] = dtype, args[0]
        return dtype

    def _made(self, args: tuple[Any, ...]) -> np.dtype[Any]:
        import numpy as np

        if len(args) != 3 or type(args[1]) not in (bool, int) or type(args[2]) not in (bool, int) or not args[2]:
            raise refused("numpy.dtype", f"{len(args)} arguments that are not those of its pickles")
        code = args[0]
        if type(code) is bytes:  # of Python 2
            code = code.decode("latin1")
        if code is not np.record and not (type(code) is str and _CODE.fullmatch(code)):
            raise refused("numpy.dtype", "that type")
        return np.dtype(code, bool(args[1]), True)

    def build(self, dtype: np.dtype[Any], state: Any) -> None:
        """Give `dtype` its `state`.

        Raises:
            FormatError: The state is not one that an honest dtype has, or this is not the time for it.
        """
        found = self.open.pop(id(dtype), None)
        if found is None:
            raise refused("numpy.dtype.__setstate__", "a second state")
        key = _key(found[1], state)
        private = _known.get(key) if key is not None else None
        if private is None:
            private = self._judged(dtype, state)
            if key is not None and len(_known) < _MOST_KNOWN:
                _known[key] = private
        dtype.__setstate__(private)  # type: ignore[attr-defined]
        if is_of_bytes(dtype):
            self.sizes[id(dtype)] = dtype.itemsize
            self._kept.append(dtype)
        elif dtype.char == "O":
            self.of_objects.add(id(dtype))
            self._kept.append(dtype)

    def _judged(self, dtype: np.dtype[Any], state: Any) -> State:
        """Return what is safe to give `dtype` in place of `state`: equal to it, of parts made by numpy."""
        if type(state) is not tuple or not 8 <= len(state) <= 9:
            raise refused("numpy.dtype.__setstate__", "a state of an unknown shape")
        if type(state[1]) is bytes:  # of Python 2
            state = (state[0], state[1].decode("latin1"), *state[2:])
        if type(state[1]) is not str:
            raise refused("numpy.dtype.__setstate__", "a state of an unknown shape")
        honest = self._honest(dtype, state)
        # A number with fields, or of a shape, keeps its type, and with it code that reads it at the type's own length.
        if honest.type is not dtype.type:
            raise refused("numpy.dtype.__setstate__", "a state of another type")
        expected: State = honest.__reduce__()[2]  # type: ignore[assignment]
        if state[1:7] != expected[1:7] or not _same_flags(state[7], expected[7]):
            raise refused("numpy.dtype.__setstate__", "a forged state")
        return _private(state, expected)

    def _honest(self, dtype: np.dtype[Any], state: State) -> np.dtype[Any]:
        """Return a dtype made from what `state` says, by numpy's public constructors."""
        import numpy as np

        order, subarray, names, fields, itemsize, _, flags = state[1:8]
        if subarray is not None:
            base, shape = subarray
            return np.dtype((self._finished(base), tuple(shape)))
        if names is not None:
            honest = self._structured(names, fields, itemsize, bool(flags & _ALIGNED))
            return np.dtype((np.record, honest)) if dtype.type is np.record else honest
        if dtype.kind in "Mm" and len(state) == 9 and state[8] is not None:
            return np.dtype(f"{order}{dtype.char}8[{_unit(state[8][1])}]")
        return dtype.newbyteorder(order)

    def _structured(self, names: Any, fields: Any, itemsize: int, align: bool) -> np.dtype[Any]:
        import numpy as np

        parts = [fields[name] for name in names]
        formats, offsets = [self._finished(part[0]) for part in parts], [part[1] for part in parts]
        # numpy adds these up as 32 bits, and takes a field near the end of their range for one that begins before it.
        if not {int}.issuperset(map(type, (itemsize, *offsets))) or not all(
            0 <= offset <= itemsize - inner.itemsize for inner, offset in zip(formats, offsets, strict=True)
        ):
            raise refused("numpy.dtype.__setstate__", "a field outside of its item")
        layout = {"names": list(names), "formats": formats, "offsets": offsets, "itemsize": itemsize}
        if any(len(part) > 2 for part in parts):
            layout["titles"] = [part[2] if len(part) > 2 else None for part in parts]
        return np.dtype(layout, align=align)  # type: ignore[call-overload, no-any-return]

    def _finished(self, dtype: Any) -> np.dtype[Any]:
        import numpy as np

        if not isinstance(dtype, np.dtype) or id(dtype) in self.open:
            raise refused("numpy.dtype.__setstate__", "a field that is not finished")
        return dtype


_PLAIN_KEY = frozenset((int, str, type(None)))


def _key(code: Any, state: Any) -> Any:
    """Return what `state` is remembered by; None for those with fields, which are rare, and of unknown shapes."""
    if type(code) is not str or type(state) is not tuple or not 8 <= len(state) <= 9:
        return None
    if not _PLAIN_KEY.issuperset(map(type, state[:8])):
        return None
    if len(state) == 8:
        return code, state
    extra = state[8]
    if type(extra) is not tuple or len(extra) != 2 or extra[0] or type(extra[1]) is not tuple:
        return None
    unit = extra[1]
    if len(unit) != 4 or type(unit[0]) is not bytes or not _PLAIN_KEY.issuperset(map(type, unit[1:])):
        return None
    return code, state[:8], extra[0] is None, unit


def _same_flags(flags: Any, expected: int) -> bool:
    """Return whether the flags are those expected; numpy 1 wrote its 8 bits with a sign."""
    return type(flags) is int and (flags == expected or (-128 <= flags < 0 and flags + 256 == expected))


def _private(state: State, expected: State) -> State:
    """Return `expected` with the flags and metadata of `state`, holding nothing the pickle can still change."""
    fields = None if expected[4] is None else dict(expected[4])
    extra = state[8:]
    if extra and type(extra[0]) is tuple and type(extra[0][0]) is dict:
        extra = ((dict(extra[0][0]), *extra[0][1:]),)
    return (state[0], *expected[1:4], fields, *expected[5:7], state[7], *extra)


def _unit(unit: Any) -> str:
    name, count, denominator, _ = unit
    name = name.decode() if isinstance(name, bytes) else name
    if not re.fullmatch(r"generic|[a-zA-Zμ]{1,2}", name) or type(count) is not int or denominator != 1:
        raise refused("numpy.dtype.__setstate__", "an unknown unit of time")
    return name if name == "generic" else f"{count}{name}"


def is_of_bytes(dtype: np.dtype[Any]) -> bool:
    """Return whether its elements are bytes: not objects, nor text of any length, which lies elsewhere."""
    return not dtype.hasobject and dtype.char != "T"
