"""numpy's arrays and scalars, so that none is forged.

``ndarray.__setstate__`` believes what it is told, so an array gets exactly as many bytes or objects as its shape says.
What is of a dtype that this load has judged already is compared by its length alone.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aios3_nb.formats.pickle.dtypes import is_of_bytes
from aios3_nb.formats.pickle.refuse import refused

if TYPE_CHECKING:
    import numpy as np

    from aios3_nb.formats.pickle.makes import Builder, Load, Maker


@functools.cache
def array_types() -> frozenset[type]:
    """Return the kinds of arrays that ``_reconstruct`` may make."""
    import numpy as np

    return frozenset((np.ndarray, np.matrix, np.recarray, np.ma.MaskedArray))


def check_empty(subtype: Any, shape: Any, code: Any) -> None:
    """Refuse what ``_reconstruct`` is not called with by numpy's own pickles.

    Raises:
        FormatError: It is something else than an empty array of a listed kind.
    """
    ordinary = type(shape) is tuple and shape == (0,) and type(shape[0]) is int and code in _CODES
    if not ordinary or not isinstance(subtype, type) or subtype not in array_types():
        raise refused("numpy._core.multiarray._reconstruct", "arguments of its own")


_BYTES = (bytes, bytearray)
_INT = {int}
_CODES = (b"b", "b")
_ORDERS = ("C", "F", "K")


def _fills(shape: Any, size: int | None, content: Any) -> bool:
    """Return whether `content` is exactly the bytes of an array of `shape`, with elements of `size` bytes, if known."""
    if size is None or type(shape) is not tuple or type(content) not in _BYTES:
        return False
    if len(shape) == 1:  # as most are
        (count,) = shape
        return type(count) is int and count >= 0 and count * size == len(content)
    if not _INT.issuperset(map(type, shape)):
        return False
    return min(shape, default=0) >= 0 and math.prod(shape) * size == len(content)


def check_content(what: str, shape: Any, dtype: Any, content: Any) -> None:
    """Refuse what is not exactly as many bytes or objects as an array of `shape` and `dtype` has.

    Raises:
        FormatError: It is more or fewer, or of another kind.
    """
    import numpy as np

    numbers = type(shape) is tuple and _INT.issuperset(map(type, shape)) and min(shape, default=0) >= 0
    if not numbers or not isinstance(dtype, np.dtype):
        raise refused(what, "a shape or a dtype that is none")
    count = math.prod(shape)
    if type(content) is list:
        fits = len(content) == count and not is_of_bytes(dtype)
    else:
        # numpy turns text of Python 2 into as many bytes.
        fits = type(content) in (*_BYTES, str) and len(content) == count * dtype.itemsize and is_of_bytes(dtype)
    if not fits:
        raise refused(what, "another number of elements than its shape has")


def build_array(load: Load, array: np.ndarray[Any, Any], state: Any) -> None:
    """Give `array` its elements.

    Raises:
        FormatError: They are not as many as its shape says.
    """
    if type(state) is not tuple or len(state) != 5 or type(state[0]) is not int:
        raise refused("numpy.ndarray.__setstate__", "a state of an unknown shape")
    _, shape, dtype, _, content = state
    known = load.dtypes
    if type(content) is list:
        fits = type(shape) is tuple and len(shape) == 1 and type(shape[0]) is int and shape[0] == len(content)
        fits = fits and id(dtype) in known.of_objects
    else:
        fits = _fills(shape, known.sizes.get(id(dtype)), content)
    if not fits:
        check_content("numpy.ndarray.__setstate__", shape, dtype, content)
    type(array).__setstate__(array, state)


def build_masked(load: Load, array: Any, state: Any) -> None:
    """Give a masked array its elements and marks."""
    import numpy as np

    what = "numpy.ma.MaskedArray.__setstate__"
    if type(state) is not tuple or len(state) != 7:
        raise refused(what, "a state of an unknown shape")
    _, shape, dtype, _, content, mask, fill = state
    check_content(what, shape, dtype, content)
    check_content(what, shape, np.ma.make_mask_descr(dtype), mask)
    if not (fill is None or type(fill) in (bool, int, float, complex, str, bytes) or _is_numpy(fill)):
        raise refused(what, "a value to fill with that is none")
    np.ma.MaskedArray.__setstate__(array, state)  # type: ignore[arg-type]


def _is_numpy(value: Any) -> bool:
    import numpy as np

    return type(value) is np.ndarray or (isinstance(value, np.generic) and type(value).__module__ == "numpy")


def check_scalar(dtype: Any, content: Any) -> None:
    """Refuse what is not exactly the bytes of one element.

    Raises:
        FormatError: It is something else.
    """
    import numpy as np

    fits = False
    if isinstance(dtype, np.dtype) and is_of_bytes(dtype):
        fits = type(content) in (bytes, str) and len(content) == dtype.itemsize
    elif isinstance(dtype, np.dtype) and dtype.names and type(content) is np.ndarray:
        # Of objects in fields; numpy takes the element out of an array of the same dtype.
        fits = content.dtype == dtype and content.size == 1
    if not fits:
        raise refused("numpy._core.multiarray.scalar", "another number of bytes than its dtype has")


def check_buffer(args: tuple[Any, ...], sizes: Mapping[int, int]) -> None:
    """Refuse what ``_frombuffer`` is not called with by numpy's own pickles; `sizes` are those of `DTypes`.

    Raises:
        FormatError: Not exactly the bytes of the shape, or a dtype of objects.
    """
    what = "numpy._core.numeric._frombuffer"
    if not 4 <= len(args) <= 5 or type(args[0]) not in _BYTES or args[3] not in _ORDERS:
        raise refused(what, "arguments of its own")
    buffer, dtype, shape = args[:3]
    if not _fills(shape, sizes.get(id(dtype)), buffer):
        check_content(what, shape, dtype, buffer)
    if len(args) == 5 and args[4] is not None and sorted(args[4]) != list(range(len(shape))):
        raise refused(what, "axes that there are not")


# ---- what calls them


def _reconstruct(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 3:
            raise refused(dotted, "arguments of its own")
        check_empty(*args)
        return load.fresh(found(*args), build, waits=True)

    return make


def _masked(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    def make(args: tuple[Any, ...]) -> Any:
        import numpy as np

        if len(args) != 4 or args[0] is not np.ma.MaskedArray or args[1] is not np.ndarray:
            raise refused(dotted, "arguments of its own")
        check_empty(*args[1:])
        return load.fresh(found(*args), build, waits=True)

    return make


def _scalar(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    sizes = load.dtypes.sizes

    def make(args: tuple[Any, ...]) -> Any:
        if len(args) != 2:
            raise refused(dotted, "arguments of its own")
        dtype, content = args
        if type(content) is not bytes or sizes.get(id(dtype)) != len(content):
            check_scalar(dtype, content)
            load.check_finished(dotted, args)
        return found(dtype, content)

    return make


def _frombuffer(load: Load, dotted: str, found: Any, build: Builder | None) -> Maker:
    import numpy as np

    sizes = load.dtypes.sizes
    of_bytes = np.frombuffer

    def make(args: tuple[Any, ...]) -> Any:
        if len(args) == 4 and args[3] in _ORDERS:
            content, dtype, shape, _ = args
            size = sizes.get(id(dtype))
            if size and type(shape) is tuple and len(shape) == 1 and type(content) in _BYTES:  # as nearly all are
                (count,) = shape
                if type(count) is int and count >= 0 and count * size == len(content):
                    array = of_bytes(content, dtype)
                    if array.ndim == 1:  # and so of that shape; to give it one would take as long again
                        return array
            elif _fills(shape, size, content):
                return found(*args)
        check_buffer(args, sizes)
        return found(*args)

    return make


MAKERS: dict[str, Callable[..., Maker]] = {
    "numpy.reconstruct": _reconstruct,
    "numpy.masked": _masked,
    "numpy.scalar": _scalar,
    "numpy.frombuffer": _frombuffer,
}
