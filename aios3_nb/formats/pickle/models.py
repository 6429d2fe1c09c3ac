"""Models of scikit-learn whose compiled code believes what they say: that trees fit a forest, and how many threads.

A model looks at the number of columns of what it is given, and hands the rest to its trees without another look. So
each tree must ask for no other columns than the model has.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from aios3_nb.formats.pickle.refuse import require
from aios3_nb.formats.pickle.signature import is_kind

_TREES = ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor")

_TREE = "sklearn.tree._tree.Tree"

_MOST_THREADS = 4096
"""Beyond what machines have that fit models; where there are fewer cores, they take turns."""


def check_tree_model(model: Any) -> None:
    """Look at a model of one tree."""
    state = vars(model)
    if "tree_" not in state:
        return
    tree = state["tree_"]
    require(is_kind(_TREE, type(tree)), "tree of a model")
    require(_columns(model) == tree.n_features, "columns of a tree")


def _columns(model: Any) -> int:
    columns = vars(model).get("n_features_in_", vars(model).get("n_features_"))
    require(type(columns) is int and columns >= 0, "number of columns")
    return columns  # type: ignore[no-any-return]


def check_forest(model: Any) -> None:
    """Look at a model of many trees, each of which sees the columns of the model."""
    if "estimators_" not in vars(model):
        return
    trees = vars(model)["estimators_"]
    require(type(trees) is list, "trees of a model")
    columns = _columns(model) if trees else 0
    for tree in trees:
        _check_member(tree, columns)


def _check_member(model: Any, columns: int) -> None:
    """Look at a model of one tree that is one of many, which have so many columns."""
    require(_is_member(type(model)), "trees of a model")
    tree = vars(model).get("tree_")
    require(is_kind(_TREE, type(tree)), "tree of a model")
    require(_columns(model) == tree.n_features == columns, "columns of a tree")


def _may_be_member(cls: type) -> bool:
    return cls.__name__ in _TREES and cls.__module__.startswith("sklearn.")


_is_member: Callable[[type], bool] = functools.lru_cache(_may_be_member)
"""Return whether objects of exactly a type are models of one tree; no pickle can make a type, or change one."""


def check_boosting(model: Any) -> None:
    """Look at a gradient boosting: an array of trees, one column of them for each output."""
    import numpy as np

    state = vars(model)
    if "estimators_" not in state:
        return
    trees = state["estimators_"]
    require(type(trees) is np.ndarray and trees.ndim == 2 and trees.dtype.kind == "O", "trees of a model")
    outputs = state.get("n_trees_per_iteration_", state.get("_n_classes", trees.shape[1]))
    require(outputs == trees.shape[1], "outputs of a model")
    first = state.get("init_")
    if trees.shape[1] > 1 and first is not None and type(first) is not str:
        require(len(vars(first).get("classes_", ())) == trees.shape[1], "outputs of a model")
    columns = _columns(model) if trees.size else 0
    for tree in trees.flat:
        require(type(tree).__name__ == "DecisionTreeRegressor", "trees of a model")
        _check_member(tree, columns)
        require(tree.tree_.n_outputs == 1, "outputs of a tree")


def check_isolation(model: Any) -> None:
    """Look at an isolation forest, whose trees may see some of its columns."""
    state = vars(model)
    if "estimators_" not in state:
        return
    trees, features = state["estimators_"], state.get("estimators_features_")
    require(type(trees) is list and type(features) is list and len(trees) == len(features), "trees of a model")
    for tree, columns in zip(trees, features, strict=True):
        require(type(tree).__name__ in _TREES and "tree_" in vars(tree), "trees of a model")
        check_tree_model(tree)
        require(_columns(tree) == len(columns), "columns of a tree")


def check_histogram_boosting(model: Any) -> None:
    """Look at a histogram gradient boosting: its trees know only its columns."""
    state = vars(model)
    if "_predictors" not in state:
        return
    rounds, columns = state["_predictors"], _columns(model)
    require(type(rounds) is list and all(type(trees) is list for trees in rounds), "trees of a model")
    mapper = state.get("_bin_mapper")
    of_categories = None if mapper is None else vars(mapper).get("is_categorical_")
    for trees in rounds:
        require(len(trees) == state.get("n_trees_per_iteration_"), "outputs of a model")
        for tree in trees:
            require(type(tree).__name__ == "TreePredictor", "trees of a model")
            check_predictor(tree)
            inner = tree.nodes[tree.nodes["is_leaf"] == 0]
            require(bool((inner["feature_idx"] < columns).all()), "feature of a tree's node")
            _check_categories(inner["feature_idx"][inner["is_categorical"] != 0], of_categories)


def _check_categories(columns: Any, of_categories: Any) -> None:
    """Look whether the `columns` that nodes ask for a category have some, which the model looks up."""
    import numpy as np

    if len(columns):
        require(type(of_categories) is np.ndarray and of_categories.ndim == 1, "categories of a tree")
        require(bool((columns < len(of_categories)).all()), "categories of a tree")
        require(bool(of_categories[columns].all()), "categories of a tree")


def check_predictor(predictor: Any) -> None:
    """Look at the nodes of one tree of a histogram gradient boosting."""
    import numpy as np

    state = vars(predictor)
    nodes = state.get("nodes")
    require(type(nodes) is np.ndarray and nodes.ndim == 1 and len(nodes) > 0 and nodes.dtype.names is not None, "nodes")
    places = np.flatnonzero(nodes["is_leaf"] == 0)
    inner = nodes[places]
    for side in ("left", "right"):
        require(bool(np.all((inner[side] > places) & (inner[side] < len(nodes)))), "child of a tree's node")
    require(bool(np.all(inner["feature_idx"] >= 0)), "feature of a tree's node")
    by_category = inner[inner["is_categorical"] != 0]
    for name in ("binned_left_cat_bitsets", "raw_left_cat_bitsets"):
        sets = state.get(name)
        require(type(sets) is np.ndarray and sets.ndim == 2 and sets.shape[1] == 8, "categories of a tree")
        require(bool(np.all(by_category["bitset_idx"] < len(sets))), "categories of a tree's node")


def check_vectors(model: Any) -> None:
    """Look at a support vector machine: libsvm takes the sizes of its arrays for each other's."""
    import numpy as np

    state = vars(model)
    if "support_vectors_" not in state:
        return
    vectors, weights, counts = state["support_vectors_"], state.get("_dual_coef_"), state.get("_n_support")
    support, offsets, fitted = state.get("support_"), state.get("_intercept_"), state.get("shape_fit_")
    require(all(type(part) is np.ndarray and part.ndim == 1 for part in (counts, support, offsets)), "support vectors")
    if state.get("_sparse", False) is not False:
        require(_is_rows(vectors) and _is_rows(weights), "support vectors")
        # Not by its indices: libsvm takes as many as there are vectors, for each class.
        require(vars(weights)["data"].size == math.prod(weights.shape), "support vectors")
    else:
        require(type(vectors) is type(weights) is np.ndarray and vectors.ndim == weights.ndim == 2, "support vectors")
    # With a kernel that was computed before, there are none, and it takes those columns.
    kernel = state.get("kernel")
    computed = (type(kernel) is str and kernel == "precomputed") or callable(kernel)
    require(weights.shape[1] == len(support), "support vectors")
    require(vectors.shape[0] == len(support) or (computed and vectors.shape[0] == 0), "support vectors")
    rows = fitted[0] if type(fitted) is tuple and fitted and type(fitted[0]) is int else 0
    require(not len(support) or bool(support.min() >= 0 and support.max() < rows), "support vectors")
    _check_classes(state, len(counts), weights.shape[0], len(offsets))
    if "classes_" in state:
        require(bool(counts.min(initial=0) >= 0) and int(counts.sum()) == len(support), "support vectors")


def _check_classes(state: dict[str, Any], classes: int, weights: int, offsets: int) -> None:
    """Look whether all of a support vector machine is for so many classes; a regression has the numbers of two."""
    import numpy as np

    require(classes == weights + 1 and offsets == classes * (classes - 1) // 2, "classes of a model")
    require("classes_" not in state or len(state["classes_"]) == classes, "classes of a model")
    for name in ("_probA", "_probB"):
        chances = state.get(name)
        require(chances is None or (type(chances) is np.ndarray and len(chances) in (0, offsets)), "chances")


def _is_rows(matrix: Any) -> bool:
    """Return whether `matrix` is a sparse one by rows, whose own check looks at its indices."""
    cls = type(matrix)
    return cls.__module__.startswith("scipy.sparse.") and cls.__name__ in ("csr_matrix", "csr_array")


def check_neighbours_of(model: Any) -> None:
    """Look at a model that compares with the rows that it was fitted with, which have its columns."""
    state = vars(model)
    rows = state.get("_fit_X")
    if rows is None:
        return
    require("n_features_in_" not in state or _width(rows) == _columns(model), "columns of a model")
    if "classes_" in state and "_y" in state:
        _check_labels(state["_y"], state["classes_"], rows.shape[0])


def _check_labels(labels: Any, classes: Any, count: int) -> None:
    """Look at which class each of so many rows is of, for each output: a vote is written to its place."""
    import numpy as np

    require(type(labels) is np.ndarray and labels.ndim in (1, 2) and labels.dtype.kind in "iu", "classes of a model")
    outputs, known = (labels.T, classes) if labels.ndim == 2 else ([labels], [classes])
    require(len(labels) == count and len(outputs) == len(known), "classes of a model")
    for column, kinds in zip(outputs, known, strict=True):
        require(not count or bool(column.min() >= 0 and column.max() < len(kinds)), "classes of a model")


def check_clusters(model: Any) -> None:
    """Look at clusters: their centres have the columns of the model."""
    check_threads(model)
    state = vars(model)
    if "n_features_in_" not in state:  # of scikit-learn up to 0.22, which looks at no columns
        return
    if "cluster_centers_" in state:
        require(_width(state["cluster_centers_"]) == _columns(model), "columns of a cluster")
    parts, seen = [state.get("_bisecting_tree")], set()
    while parts:
        part = parts.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        require(type(part).__name__ == "_BisectingTree", "tree of clusters")
        inner = vars(part)
        require(inner.get("center") is None or _width(inner["center"]) == _columns(model), "columns of a cluster")
        parts += [inner.get("left"), inner.get("right")]


def check_links(model: Any) -> None:
    """Look at clusters that are linked two by two: it writes to a place for each that it is told of."""
    import numpy as np

    links = vars(model).get("_single_linkage_tree_")
    if links is None:
        return
    require(type(links) is np.ndarray and links.ndim == 1 and links.dtype.names is not None, "links of clusters")
    for side in ("left_node", "right_node"):
        require(side in links.dtype.names, "links of clusters")
        require(bool(((links[side] >= 0) & (links[side] <= 2 * len(links))).all()), "links of clusters")


def _width(rows: Any) -> int:
    """Return the length of the last axis of an array, or of a sparse matrix."""
    import numpy as np

    require(type(rows) is np.ndarray or type(rows).__module__.startswith("scipy.sparse."), "columns of a model")
    require(len(rows.shape) > 0, "columns of a model")
    return rows.shape[-1]  # type: ignore[no-any-return]


def check_threads(model: Any) -> None:
    """Look at what works in threads of OpenMP, which ends the process where there cannot be so many."""
    state = vars(model)
    for name in ("_n_threads", "n_threads"):
        threads = state.get(name)
        require(threads is None or (type(threads) is int and 0 < threads <= _MOST_THREADS), "number of threads")


MODELS: dict[str, Callable[[Any], None]] = {
    **dict.fromkeys(_TREES, check_tree_model),
    **dict.fromkeys(
        (
            "RandomForestClassifier",
            "RandomForestRegressor",
            "ExtraTreesClassifier",
            "ExtraTreesRegressor",
            "RandomTreesEmbedding",
        ),
        check_forest,
    ),
    "GradientBoostingClassifier": check_boosting,
    "GradientBoostingRegressor": check_boosting,
    "HistGradientBoostingClassifier": check_histogram_boosting,
    "HistGradientBoostingRegressor": check_histogram_boosting,
    "IsolationForest": check_isolation,
    "TreePredictor": check_predictor,
    "_BinMapper": check_threads,
    "HDBSCAN": check_links,
    **dict.fromkeys(("KMeans", "MiniBatchKMeans", "BisectingKMeans"), check_clusters),
    **dict.fromkeys(
        (
            *("NearestNeighbors", "KNeighborsClassifier", "KNeighborsRegressor", "KNeighborsTransformer"),
            *("RadiusNeighborsClassifier", "RadiusNeighborsRegressor", "RadiusNeighborsTransformer"),
            "LocalOutlierFactor",
        ),
        check_neighbours_of,
    ),
    **dict.fromkeys(("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM"), check_vectors),
}
"""Name of a class -> its check."""
