"""What keeps numpy's dtypes and arrays from being forged.

``dtype.__setstate__`` believes what it is told: a state can claim that plain bytes hold pointers to objects,
or that a field lies behind the end of its item, and numpy follows it. So a dtype gets a state only once, only
one that numpy itself gives to an equal dtype made the public way, and only while nobody uses it yet whose
memory the change would reinterpret.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aios3_nb.formats.pickle.guards import refused_arguments

if TYPE_CHECKING:
    import numpy as np

_CODE = re.compile(r"[?bhilqpBHILQPefdgFDGO]|[biufcOSUVMm]\d{0,10}")
_ALIGNED = 0x80
"""NPY_ALIGNED_STRUCT of numpy/ndarraytypes.h."""

State = tuple[Any, ...]


class DTypes:
    """Makes the dtypes of one load, and gives them their states.

    Args:
        memo: Returns a copy of the unpickler's memo.
        unused: Returns the references to a dtype that nothing uses, those in the memo not counted; None
            while that is being measured.

    Attributes:
        references: References to the last dtype that had to be unused, those in the memo not counted.
    """

    def __init__(self, memo: Callable[[], dict[int, Any]], unused: Callable[[], int | None]) -> None:
        self.references = 0
        self._unused = unused
        self._memo = memo
        self._open: dict[int, np.dtype[Any]] = {}

    def make(self, *args: Any) -> np.dtype[Any]:
        """Return ``numpy.dtype(*args)``, for the arguments that its pickles have."""
        import numpy as np

        if len(args) != 3 or not all(isinstance(arg, (bool, int)) for arg in args[1:]):
            raise refused_arguments("numpy.dtype", f"{len(args)} arguments")
        code = args[0]
        if code is not np.record and not (isinstance(code, str) and _CODE.fullmatch(code)):
            raise refused_arguments("numpy.dtype", "that type")
        dtype = np.dtype(code, bool(args[1]), bool(args[2]))
        self._open[id(dtype)] = dtype
        return dtype

    def build(self, dtype: np.dtype[Any], state: Any) -> None:
        """Give `dtype` its `state`.

        Raises:
            FormatError: The state is not one that an honest dtype has, or this is not the time for it.
        """
        if self._open.pop(id(dtype), None) is not dtype:
            raise refused_arguments("numpy.dtype.__setstate__", "a second state")
        self._check_shape(state)
        honest = self._honest(dtype, state)
        expected: State = honest.__reduce__()[2]  # type: ignore[assignment]
        if state[1:7] != expected[1:7] or not _same_flags(state[7], expected[7]):
            raise refused_arguments("numpy.dtype.__setstate__", "a forged state")
        if honest.hasobject != dtype.hasobject or honest.itemsize != dtype.itemsize:
            self._check_unused(dtype)
        dtype.__setstate__(_private(state, expected))  # type: ignore[attr-defined]

    def _check_shape(self, state: Any) -> None:
        if type(state) is not tuple or not 8 <= len(state) <= 9 or type(state[1]) is not str:
            raise refused_arguments("numpy.dtype.__setstate__", "a state of an unknown shape")

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
        layout = {
            "names": list(names),
            "formats": [self._finished(part[0]) for part in parts],
            "offsets": [part[1] for part in parts],
            "itemsize": itemsize,
        }
        if any(len(part) > 2 for part in parts):
            layout["titles"] = [part[2] if len(part) > 2 else None for part in parts]
        return np.dtype(layout, align=align)  # type: ignore[call-overload, no-any-return]

    def _finished(self, dtype: Any) -> np.dtype[Any]:
        import numpy as np

        if not isinstance(dtype, np.dtype) or id(dtype) in self._open:
            raise refused_arguments("numpy.dtype.__setstate__", "a field that is not finished")
        return dtype

    def _check_unused(self, dtype: np.dtype[Any]) -> None:
        """Refuse to change how much memory `dtype` means, or which of it are objects, when it is in use.

        Only the memo and the caller may hold it then: what else does could be an array.
        """
        memo = self._memo()
        in_memo = sum(value is dtype for value in memo.values())
        del memo
        self.references = sys.getrefcount(dtype) - in_memo
        unused = self._unused()
        if unused is not None and self.references > unused:
            raise refused_arguments("numpy.dtype.__setstate__", "a dtype that is in use")


def _same_flags(flags: Any, expected: int) -> bool:
    """Return whether the flags are those expected; numpy 1 wrote its 8 bits with a sign."""
    return type(flags) is int and (flags == expected or (-128 <= flags < 0 and flags + 256 == expected))


def _private(state: State, expected: State) -> State:
    """Return `expected` with the flags and metadata of `state`, holding nothing the pickle can still change."""
    fields = None if expected[4] is None else dict(expected[4])
    return (state[0], *expected[1:4], fields, *expected[5:7], *state[7:])


def _unit(unit: Any) -> str:
    name, count, denominator, _ = unit
    name = name.decode() if isinstance(name, bytes) else name
    if not re.fullmatch(r"generic|[a-zA-Zμ]{1,2}", name) or type(count) is not int or denominator != 1:
        raise refused_arguments("numpy.dtype.__setstate__", "an unknown unit of time")
    return name if name == "generic" else f"{count}{name}"


def guarded_array(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `_reconstruct` of numpy that makes empty arrays only; BUILD fills them."""
    check = _empty_check()

    def reconstruct(subtype: Any, shape: Any, code: Any) -> Any:
        check(subtype, shape, code)
        return real(subtype, shape, code)

    return reconstruct


def guarded_masked_array(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `_mareconstruct` of numpy.ma that makes empty arrays only."""
    check = _empty_check()

    def reconstruct(subtype: Any, base: Any, shape: Any, code: Any) -> Any:
        check(base, shape, code)
        check(subtype, shape, code)
        return real(subtype, base, shape, code)

    return reconstruct


def _empty_check() -> Callable[[Any, Any, Any], None]:
    import numpy as np

    ndarray = np.ndarray

    def check(subtype: Any, shape: Any, code: Any) -> None:
        is_array = subtype is ndarray or (isinstance(subtype, type) and issubclass(subtype, ndarray))
        if not is_array or shape != (0,) or code not in (b"b", "b"):
            raise refused_arguments("numpy._core.multiarray._reconstruct", "arguments of its own")

    return check


def build_array(array: np.ndarray[Any, Any], state: Any) -> None:
    """Give `array` its elements, unless it has some, or the list of them is not as long as it says."""
    if array.size or type(state) is not tuple:
        raise refused_arguments("numpy.ndarray.__setstate__", "a second state")
    if len(state) >= 5 and type(state[4]) is list and math.prod(state[1]) != len(state[4]):
        raise refused_arguments("numpy.ndarray.__setstate__", "another number of elements than its shape has")
    array.__setstate__(state)


def check_generator(generator: Any) -> None:
    """Refuse a bit generator whose place in its buffer lies outside; it would read memory there."""
    state = generator.state
    place, size = state.get("buffer_pos"), 4
    if state["bit_generator"] == "MT19937":
        place, size = state["state"]["pos"], 624
    if place is not None and not 0 <= place <= size:
        raise refused_arguments(f"numpy.random.{state['bit_generator']}", "a place outside of its buffer")
