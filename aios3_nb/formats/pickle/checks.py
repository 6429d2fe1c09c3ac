"""What is looked over once it is built, since compiled code believes it: indices, offsets, lengths.

Each check raises `FormatError` for what would have its library read outside of its memory.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle.arrays import check_generator
from aios3_nb.formats.pickle.guards import refused_arguments

Check = Callable[[Any], None]


def check_for(cls: type) -> Check | None:
    """Return the check for instances of `cls`; None when there is none."""
    if cls.__module__.startswith("scipy.sparse."):
        return check_sparse
    return _CHECKS.get(f"{cls.__module__}.{cls.__qualname__}")


def check_sparse(matrix: Any) -> None:
    """Look at the indices of a sparse matrix of scipy."""
    # The checks of scipy tidy up as they go; what was loaded stays as it was written.
    draft = copy.copy(matrix)
    kind = draft.format
    try:
        if kind in ("csr", "csc", "bsr"):
            draft.check_format(full_check=True)
        elif kind == "coo":
            draft._check()  # noqa: SLF001
        elif kind == "dia":
            _require(draft.data.ndim == 2 and draft.offsets.shape == draft.data.shape[:1], "diagonals")
        elif kind == "lil":
            _check_rows(draft)
    except (AttributeError, IndexError, TypeError, ValueError) as exc:
        raise FormatError(f"The pickle has a {kind} matrix that is not consistent: {exc}") from exc


def _check_rows(matrix: Any) -> None:
    _require(matrix.rows.shape == matrix.data.shape == matrix.shape[:1], "rows")
    for indices, values in zip(matrix.rows, matrix.data, strict=True):
        _require(type(indices) is list and len(indices) == len(values), "rows")
        _require(not indices or 0 <= min(indices) <= max(indices) < matrix.shape[1], "columns")


def check_tree(tree: Any) -> None:
    """Look at the nodes of a decision tree of scikit-learn: children come later, features exist."""
    import numpy as np

    count = tree.node_count
    _require(0 <= count <= tree.capacity, "number of nodes")
    left, right = tree.children_left, tree.children_right
    leaf = left == -1
    places = np.arange(count)
    for children in (left, right):
        _require(bool(np.all(leaf | ((children > places) & (children < count)))), "child of a tree's node")
    _require(bool(np.all(leaf | ((tree.feature >= 0) & (tree.feature < tree.n_features)))), "feature of a tree's node")


def check_predictor(predictor: Any) -> None:
    """Look at the nodes of one tree of a histogram gradient boosting."""
    import numpy as np

    nodes = predictor.nodes
    inner = nodes[nodes["is_leaf"] == 0]
    places = np.flatnonzero(nodes["is_leaf"] == 0)
    for side in ("left", "right"):
        _require(bool(np.all((inner[side] > places) & (inner[side] < len(nodes)))), "child of a tree's node")
    _require(bool(np.all(inner["feature_idx"] >= 0)), "feature of a tree's node")
    by_category = inner[inner["is_categorical"] != 0]
    for sets in (predictor.binned_left_cat_bitsets, predictor.raw_left_cat_bitsets):
        _require(bool(np.all(by_category["bitset_idx"] < len(sets))), "categories of a tree's node")


def check_neighbours(tree: Any) -> None:
    """Look at the indices of a ball tree or k-d tree."""
    import numpy as np

    data, indices, nodes, bounds, *_ = tree.__getstate__()
    count = len(data)
    _require(indices.shape == (count,) and bool(np.all((indices >= 0) & (indices < count))), "index of a tree")
    begin, end = nodes["idx_start"], nodes["idx_end"]
    _require(bool(np.all((begin >= 0) & (begin <= end) & (end <= count))), "node of a tree")
    _require(bounds.ndim == 3 and bounds.shape[1:] == (len(nodes), data.shape[1]), "bounds of a tree")
    _require(tree.__getstate__()[6] == len(nodes) and _levels_fit(nodes), "nodes of a tree")


def _levels_fit(nodes: Any) -> bool:
    """Return whether every node that is not a leaf has its two children, at 2i+1 and 2i+2."""
    import numpy as np

    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    return not inner.size or int(inner.max()) * 2 + 2 < len(nodes)


def check_random_state(state: Any) -> None:
    """Look at the generator inside of numpy's old ``RandomState``."""
    check_generator(state._bit_generator)  # noqa: SLF001


def check_arrow(array: Any) -> None:
    """Look at every offset and every text of an Arrow array, batch or table."""
    try:
        array.validate(full=True)
    except (ValueError, IndexError, TypeError) as exc:
        raise FormatError(f"The pickle has an Arrow array that is not consistent: {exc}") from exc


def check_arrow_parts(parts: Any) -> None:
    """Look at the parts of an Arrow array before they are put together; Arrow aborts the process otherwise."""
    import pyarrow as pa

    try:
        _compare_parts(parts, pa.nulls(0, parts[0]).__reduce__()[1][0])
    except (TypeError, ValueError, IndexError, NotImplementedError) as exc:
        raise refused_arguments("pyarrow.lib._restore_array", "parts that do not fit") from exc


def _compare_parts(parts: Any, honest: Any) -> None:
    kind, length, nulls, offset, buffers, children, dictionary = parts
    as_many = len(buffers) == len(honest[4]) or (len(buffers) > 2 and "view" in str(kind))
    fits = kind == honest[0] and as_many and len(children) == len(honest[5])
    if not fits or (dictionary is None) != (honest[6] is None) or min(length, offset, nulls + 1) < 0:
        raise ValueError("parts")
    for child, honest_child in zip(children, honest[5], strict=True):
        _compare_parts(child, honest_child)
    if dictionary is not None:
        _compare_parts(dictionary, honest[6])


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise FormatError(f"The pickle is not consistent: {what} outside of what there is.")


_CHECKS: dict[str, Check] = {
    "sklearn.tree._tree.Tree": check_tree,
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": check_predictor,
    "numpy.random._mt19937.MT19937": check_generator,
    "numpy.random._philox.Philox": check_generator,
    "numpy.random.mtrand.RandomState": check_random_state,
} | {
    f"sklearn.neighbors.{module}.{name}{bits}": check_neighbours
    for module, name in (("_kd_tree", "KDTree"), ("_ball_tree", "BallTree"))
    for bits in ("", "32", "64")
}
