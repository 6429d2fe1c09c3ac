"""What is looked over once it is built, since compiled code believes it: indices, offsets, lengths.

Each check raises `FormatError` for what would have its library read outside of its memory. A library's own check is
called as the function of the class: what the pickle put into the object never stands before it.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle.models import MODELS
from aios3_nb.formats.pickle.refuse import refused, require
from aios3_nb.text import visible

Check = Callable[[Any], None]


def check_for(cls: type) -> Check | None:
    """Return the check for instances of `cls` that get attributes; None when there is none."""
    if cls.__module__.startswith("scipy.sparse."):
        return _sparse_check(cls.__name__.partition("_")[0])
    if cls.__module__.startswith("scipy.interpolate."):
        return check_spline
    if cls.__module__.startswith("sklearn."):
        return MODELS.get(cls.__name__)
    return None


def is_of_arrays(cls: type) -> bool:
    """Return whether the check for `cls` looks at arrays and numbers alone, and at no list or dict of the pickle's."""
    return cls.__module__.startswith("scipy.sparse.") and not cls.__name__.startswith(("dok", "lil"))


def is_model(cls: type) -> bool:
    """Return whether the check for `cls` is of something that nothing uses before the pickle has ended."""
    return cls.__module__.startswith("sklearn.")


@functools.cache
def _ndarray() -> Any:
    import numpy as np

    return np.ndarray


_INT = {int}
_MOST_OF_32_BITS = (1 << 31) - 1
FEW = 64
"""So many numbers are looked at faster one by one than by numpy."""


# ---- scipy


def _sparse_check(kind: str) -> Check:
    """Return what looks at the indices of sparse matrices of scipy of that kind."""
    look = _SPARSE[kind]

    def check(matrix: Any) -> None:
        if kind == "dok" and "_dict" not in vars(matrix):
            raise FormatError(
                "The pickle has a dok_matrix of scipy before 1.11, whose items newer ones do not read. Load it there, "
                "and store it anew, as .tocsr(): pip install 'scipy<1.11'"
            )
        try:
            look(matrix)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as exc:
            text = visible(str(exc), most=200)
            raise FormatError(f"The pickle has a {kind} matrix that is not consistent: {text}") from exc

    return check


def _shape(matrix: Any) -> tuple[int, ...]:
    state = vars(matrix)
    shape = state["_shape"] if "_shape" in state else state.get("shape")
    if type(shape) is tuple and len(shape) == 2:  # as nearly all are
        rows, columns = shape
        require(type(rows) is type(columns) is int and rows >= 0 and columns >= 0, "shape")
        return shape
    require(type(shape) is tuple and _INT.issuperset(map(type, shape)) and min(shape, default=0) >= 0, "shape")
    return shape  # type: ignore[no-any-return]


def _vector(values: Any, kinds: str = "iu") -> Any:
    require(type(values) is _ndarray() and values.ndim == 1 and values.dtype.kind in kinds, "indices")
    return values


def _check_rows(matrix: Any) -> None:
    shape = _shape(matrix)
    _check_compressed(vars(matrix), *((1, *shape) if len(shape) == 1 else shape))


def _check_columns(matrix: Any) -> None:
    rows, columns = _shape(matrix)
    _check_compressed(vars(matrix), columns, rows)


def _check_compressed(state: dict[str, Any], rows: int, columns: int) -> None:
    pointers, indices, data = state["indptr"], state["indices"], state["data"]
    fits = type(pointers) is type(indices) is type(data) is _ndarray()
    fits = fits and pointers.ndim == indices.ndim == data.ndim == 1 and len(indices) == len(data)
    fits = fits and pointers.dtype.kind in "iu" and indices.dtype.kind in "iu" and data.dtype.kind in "?biufcO"
    require(fits, "indices")
    _check_pointers(pointers, rows, len(indices))
    _check_indices(indices, columns)


def _check_pointers(pointers: Any, rows: int, count: int) -> None:
    require(len(pointers) == rows + 1, "index pointers")
    if len(pointers) <= FEW:
        places = pointers.tolist()
        require(places[0] == 0 and places[-1] <= count and places == sorted(places), "index pointers")
        return
    require(pointers[0] == 0 and pointers[-1] <= count, "index pointers")
    require(bool((pointers[1:] >= pointers[:-1]).all()), "index pointers")


def _check_indices(indices: Any, most: int) -> None:
    if len(indices):
        # Where the least one is takes a fifth of the time that numpy takes to say what it is.
        require(bool(indices[indices.argmin()] >= 0), "indices must be >= 0: indices")
        require(bool(indices[indices.argmax()] < most), "indices")


def _check_blocks(matrix: Any) -> None:
    import numpy as np

    rows, columns = _shape(matrix)
    pointers, indices, data = _vector(matrix.indptr), _vector(matrix.indices), matrix.data
    require(type(data) is np.ndarray and data.ndim == 3 and 0 not in data.shape[1:], "blocks")
    require(rows % data.shape[1] == 0 and columns % data.shape[2] == 0, "blocks")
    _check_pointers(pointers, rows // data.shape[1], len(indices))
    require(len(indices) == len(data), "indices")
    _check_indices(indices, columns // data.shape[2])


def _check_coordinates(matrix: Any) -> None:
    shape, state = _shape(matrix), vars(matrix)
    coordinates = state["coords"] if "coords" in state else (state["row"], state["col"])
    data = _vector(matrix.data, "?biufcO")
    require(type(coordinates) is tuple and len(coordinates) == len(shape), "coordinates")
    for places, most in zip(coordinates, shape, strict=True):
        require(len(_vector(places)) == len(data), "coordinates")
        _check_indices(places, most)


def _check_diagonals(matrix: Any) -> None:
    import numpy as np

    shape = _shape(matrix)
    require(len(shape) == 2, "shape")
    offsets, data = _vector(matrix.offsets), matrix.data
    require(type(data) is np.ndarray and data.ndim == 2 and offsets.shape == data.shape[:1], "diagonals")
    if len(offsets):
        # scipy counts from there over all rows, in the numbers of the offsets and, where the shape lets it, in 32 bits.
        most = int(np.iinfo(offsets.dtype).max)
        most = min(most, _MOST_OF_32_BITS) if max(shape) <= _MOST_OF_32_BITS else most
        require(-most <= int(offsets.min()) and int(offsets.max()) + shape[0] <= most, "diagonals")


def _check_lists(matrix: Any) -> None:
    shape = _shape(matrix)
    rows, data = _vector(matrix.rows, "O"), _vector(matrix.data, "O")
    require(rows.shape == data.shape == shape[:1], "rows")
    for indices, values in zip(rows, data, strict=True):
        require(type(indices) is type(values) is list and len(indices) == len(values), "rows")
        require({int}.issuperset(map(type, indices)), "columns")
        require(not indices or 0 <= min(indices) <= max(indices) < shape[1], "columns")


def _check_keys(matrix: Any) -> None:
    shape = _shape(matrix)
    for key in vars(matrix)["_dict"]:
        places = key if type(key) is tuple else (key,)
        require(len(places) == len(shape), "keys")
        for place, most in zip(places, shape, strict=True):
            require(type(place) is int or type(place).__module__ == "numpy", "keys")
            require(bool(0 <= place < most), "keys")


_SPARSE: dict[str, Check] = {
    "csr": _check_rows,
    "csc": _check_columns,
    "bsr": _check_blocks,
    "coo": _check_coordinates,
    "dia": _check_diagonals,
    "lil": _check_lists,
    "dok": _check_keys,
}


def check_spline(spline: Any) -> None:
    """Look at the knots and coefficients of a spline as its constructor does."""
    state = vars(spline)
    try:
        knots, coefficients = state.get("_t", state.get("t")), state.get("_c", state.get("c"))
        type(spline)(copy.copy(knots), copy.copy(coefficients), state["k"], state["extrapolate"], state["axis"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as exc:
        raise FormatError(f"The pickle has a spline that is not consistent: {visible(str(exc), most=200)}") from exc


def build_spline(spline: Any, state: tuple[Any, ...]) -> None:
    """Give a spline the inner one that was checked when it got its knots, and the empty array that says of what kind.

    See: ``BSpline.__setstate__`` of scipy 1.18.
    """
    import numpy as np

    cls = type(spline)
    inner, kind = state if len(state) == 2 else (None, None)
    is_inner = (type(inner).__module__, type(inner).__name__) == (cls.__module__, "_BSpline")
    if not hasattr(cls, "__setstate__") or not is_inner or type(vars(inner).get("t")) is not np.ndarray:
        raise refused(f"{cls.__module__}.{cls.__qualname__}.__setstate__", "a state of its own")
    require(type(kind) is np.ndarray and kind.size == 0, "spline")
    cls.__setstate__(spline, state)
