"""The compiled trees of scikit-learn, of decisions and of neighbours: their state is looked over as they get it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle.refuse import refused, require
from aios3_nb.text import visible

if TYPE_CHECKING:
    from aios3_nb.formats.pickle.makes import Load


_FEW = 16
"""So many nodes are looked at faster one by one than by numpy."""


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
    count, features = tree.node_count, tree.n_features
    require(0 < count <= tree.capacity, "number of nodes")
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    if count <= _FEW:
        _check_few_nodes(zip(left.tolist(), right.tolist(), feature.tolist(), strict=True), count, features)
        return
    places = (left != -1).nonzero()[0]
    if len(places):
        for children in (left[places], right[places]):
            # Before anything is taken from them: the difference to the lowest number of all would be a high one.
            require(bool(children[children.argmin()] > 0), "child of a tree's node")
            steps = children - places
            fits = steps[steps.argmin()] > 0 and children[children.argmax()] < count
            require(bool(fits), "child of a tree's node")
        feature = feature[places]
        fits = feature[feature.argmin()] >= 0 and feature[feature.argmax()] < features
        require(bool(fits), "feature of a tree's node")


def _check_few_nodes(nodes: Iterable[tuple[int, int, int]], count: int, features: int) -> None:
    for place, (left, right, feature) in enumerate(nodes):
        if left != -1 and not (place < left < count and place < right < count and 0 <= feature < features):
            require(False, "child or feature of a tree's node")


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
    _check_arrays_of_neighbours(state, 2 if type(tree).__name__.startswith("KD") else 1)
    type(tree).__setstate__(tree, state)


def _check_arrays_of_neighbours(state: tuple[Any, ...], limits: int) -> None:
    """Look at what a tree of neighbours is given; it has so many limits for each node and column."""
    import numpy as np

    data, indices, nodes, bounds = state[:4]
    require(data.ndim == 2 and nodes.ndim == 1 and nodes.dtype.names is not None, "nodes of a tree")
    count = len(data)
    require(indices.shape == (count,) and bool(np.all((indices >= 0) & (indices < count))), "index of a tree")
    begin, end = nodes["idx_start"], nodes["idx_end"]
    require(bool(np.all((begin >= 0) & (begin <= end) & (end <= count))), "node of a tree")
    require(bounds.shape == (limits, len(nodes), data.shape[1]), "bounds of a tree")
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
