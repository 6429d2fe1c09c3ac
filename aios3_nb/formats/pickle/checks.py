"""What is looked over once it is built, since compiled code believes it: indices, offsets, lengths.

Each check raises `FormatError` for what would have its library read outside of its memory. A library's own check is
called as the function of the class: what the pickle put into the object never stands before it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle.models import MODELS
from aios3_nb.formats.pickle.refuse import refused, require
from aios3_nb.text import visible

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.makes import Load

Check = Callable[[Any], None]


def check_for(cls: type) -> Check | None:
    """Return the check for instances of `cls` that get attributes; None when there is none."""
    if cls.__module__.startswith("scipy.sparse."):
        return check_sparse
    if cls.__module__.startswith("scipy.interpolate."):
        return check_spline
    if cls.__module__.startswith("sklearn."):
        return MODELS.get(cls.__name__)
    return None


# ---- scipy


def check_sparse(matrix: Any) -> None:
    """Look at the indices of a sparse matrix of scipy."""
    kind = type(matrix).format.fget(matrix)
    if kind == "dok" and "_dict" not in vars(matrix):
        raise FormatError(
            "The pickle has a dok_matrix of scipy before 1.11, whose items newer ones do not read. Load it there, and "
            "store it anew, as .tocsr(): pip install 'scipy<1.11'"
        )
    try:
        _SPARSE[kind](matrix)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as exc:
        text = visible(str(exc), most=200)
        raise FormatError(f"The pickle has a {kind} matrix that is not consistent: {text}") from exc


def _shape(matrix: Any) -> tuple[int, ...]:
    shape = vars(matrix).get("_shape", vars(matrix).get("shape"))
    require(type(shape) is tuple and all(type(n) is int and n >= 0 for n in shape), "shape")
    return shape  # type: ignore[no-any-return]


def _vector(values: Any, kinds: str = "iu") -> Any:
    import numpy as np

    require(type(values) is np.ndarray and values.ndim == 1 and values.dtype.kind in kinds, "indices")
    return values


def _check_compressed(matrix: Any) -> None:
    shape = _shape(matrix)
    rows, columns = (1, *shape) if len(shape) == 1 else shape
    if matrix.format == "csc":
        rows, columns = columns, rows
    pointers, indices, data = _vector(matrix.indptr), _vector(matrix.indices), _vector(matrix.data, "?biufcO")
    _check_pointers(pointers, rows, len(indices))
    require(len(indices) == len(data), "indices")
    _check_indices(indices, columns)


def _check_pointers(pointers: Any, rows: int, count: int) -> None:
    require(len(pointers) == rows + 1 and pointers[0] == 0 and pointers[-1] <= count, "index pointers")
    require(bool((pointers[1:] >= pointers[:-1]).all()), "index pointers")


def _check_indices(indices: Any, most: int) -> None:
    if len(indices):
        require(bool(indices.min() >= 0), "indices must be >= 0: indices")
        require(bool(indices.max() < most), "indices")


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

    require(len(_shape(matrix)) == 2, "shape")
    offsets, data = _vector(matrix.offsets), matrix.data
    require(type(data) is np.ndarray and data.ndim == 2 and offsets.shape == data.shape[:1], "diagonals")


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
    "csr": _check_compressed,
    "csc": _check_compressed,
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


# ---- scikit-learn's compiled trees


def build_tree(load: Load, tree: Any, state: Any) -> None:
    """Give a decision tree its nodes: children come later, features exist."""
    _check_dict("sklearn.tree._tree.Tree", state, {"max_depth": int, "node_count": int})
    load.check_finished("sklearn.tree._tree.Tree", (state.get("nodes"), state.get("values")))
    type(tree).__setstate__(tree, dict(state))
    check_tree(tree)


def _check_dict(name: str, state: Any, kinds: dict[str, type]) -> None:
    import numpy as np

    if type(state) is not dict or not {str}.issuperset(map(type, state)):
        raise refused(f"{name}.__setstate__", "a state of its own")
    for key, value in state.items():
        if type(value) is not kinds.get(key, np.ndarray):
            raise refused(f"{name}.__setstate__", f"the attribute {key[:100]!r}")


def check_tree(tree: Any) -> None:
    """Look at the nodes of a decision tree of scikit-learn: children come later, features exist."""
    import numpy as np

    count = tree.node_count
    require(0 <= count <= tree.capacity, "number of nodes")
    left, right = tree.children_left, tree.children_right
    leaf = left == -1
    places = np.arange(count)
    for children in (left, right):
        require(bool(np.all(leaf | ((children > places) & (children < count)))), "child of a tree's node")
    require(bool(np.all(leaf | ((tree.feature >= 0) & (tree.feature < tree.n_features)))), "feature of a tree's node")


def build_neighbours(load: Load, tree: Any, state: Any) -> None:
    """Give a ball tree or a k-d tree its arrays, which have to fit each other."""
    import numpy as np

    name = f"{type(tree).__module__}.{type(tree).__qualname__}"
    if type(state) is not tuple or len(state) != 13:
        raise refused(f"{name}.__setstate__", "a state of its own")
    load.check_finished(name, state)
    weights = state[12]
    numbers = {int}.issuperset(map(type, state[4:11]))
    if not numbers or not all(type(part) is np.ndarray for part in state[:4]):
        raise refused(f"{name}.__setstate__", "a state of its own")
    require(weights is None or (type(weights) is np.ndarray and weights.shape == state[0].shape[:1]), "weights")
    if type(state[11]).__module__ != "sklearn.metrics._dist_metrics":
        raise refused(f"{name}.__setstate__", "a distance of its own")
    _check_arrays_of_neighbours(state)
    type(tree).__setstate__(tree, state)


def _check_arrays_of_neighbours(state: tuple[Any, ...]) -> None:
    import numpy as np

    data, indices, nodes, bounds = state[:4]
    require(data.ndim == 2 and nodes.ndim == 1 and nodes.dtype.names is not None, "nodes of a tree")
    count = len(data)
    require(indices.shape == (count,) and bool(np.all((indices >= 0) & (indices < count))), "index of a tree")
    begin, end = nodes["idx_start"], nodes["idx_end"]
    require(bool(np.all((begin >= 0) & (begin <= end) & (end <= count))), "node of a tree")
    require(bounds.ndim == 3 and bounds.shape[1:] == (len(nodes), data.shape[1]), "bounds of a tree")
    require(len(bounds) == (2 if bounds.shape[0] == 2 else 1), "bounds of a tree")
    require(state[6] == len(nodes) > 0 and state[4] > 0 and _levels_fit(nodes), "nodes of a tree")
    try:
        type(state[11])._validate_data(state[11], data)  # noqa: SLF001
    except ValueError as exc:
        raise FormatError(f"The pickle is not consistent: {visible(str(exc), most=200)}") from exc


def _levels_fit(nodes: Any) -> bool:
    """Return whether every node that is not a leaf has its two children, at 2i+1 and 2i+2."""
    import numpy as np

    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    return not inner.size or int(inner.max()) * 2 + 2 < len(nodes)


def build_metric(load: Load, metric: Any, state: Any) -> None:
    """Give a distance its weights; those of Mahalanobis are a square."""
    import numpy as np

    name = f"sklearn.metrics._dist_metrics.{type(metric).__name__}"
    if type(state) is not tuple or len(state) != 3 or not all(type(part) is np.ndarray for part in state[1:]):
        raise refused(f"{name}.__setstate__", "a state of its own")
    load.check_finished(name, state)
    require(type(state[0]) in (int, float) and state[1].ndim == 1 and state[2].ndim == 2, "weights of a distance")
    require(state[2].shape[0] == state[2].shape[1] or "Mahalanobis" not in name, "weights of a distance")
    type(metric).__setstate__(metric, state)
