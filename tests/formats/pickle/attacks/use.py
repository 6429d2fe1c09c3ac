"""What a notebook does with an object as soon as it is there: shows it, copies it, computes with it."""

from __future__ import annotations

import contextlib
import copy
import pickle
from collections.abc import Callable
from typing import Any

_FEATURES = 3


def _ask_model(model: Any) -> None:
    import numpy as np

    columns = getattr(model, "n_features_in_", getattr(model, "n_features_", _FEATURES))
    rows = np.ones((4, columns if type(columns) is int and 0 < columns < 1000 else _FEATURES))
    for method in ("predict", "transform", "decision_function", "predict_proba", "score_samples", "kneighbors"):
        _try(lambda method=method: getattr(model, method)(rows))


def _ask_tree(tree: Any) -> None:
    import numpy as np

    columns = getattr(tree, "n_features", _FEATURES)
    if type(columns) is int and columns < 1000:
        _try(lambda: tree.predict(np.ones((2, columns), np.float32)))
        _try(lambda: tree.apply(np.ones((2, columns), np.float32)))
    _try(lambda: tree.query(np.ones((2, tree.data.shape[1])), 1))
    _try(lambda: tree.query_radius(np.ones((1, tree.data.shape[1])), 1.0))


def _ask_sparse(matrix: Any) -> None:
    import numpy as np

    if all(size < 10_000 for size in matrix.shape):
        _try(lambda: matrix.toarray())
        _try(lambda: matrix @ np.ones(matrix.shape[-1]))
    _try(lambda: matrix.sum())
    _try(lambda: matrix.tocsr().tocsc())
    _try(lambda: matrix.tocoo())


def _ask_frame(frame: Any) -> None:
    for ask in (
        "describe",
        "isna",
        "sort_index",
        "copy",
        "to_numpy",
        "nunique",
        "sum",
        "unique",
        "argsort",
        "drop_duplicates",
    ):
        _try(lambda ask=ask: getattr(frame, ask)())
    _try(lambda: frame.iloc[:2])
    _try(lambda: frame == frame)


def _ask_array(array: Any) -> None:
    if array.size < 10**6:
        _try(lambda: array.tolist())
        _try(lambda: array + array)
        _try(lambda: array.astype(str))
        _try(lambda: array.copy())


def _ask_arrow(array: Any) -> None:
    for ask in ("to_pylist", "to_pandas", "combine_chunks", "unique", "dictionary_encode"):
        _try(lambda ask=ask: getattr(array, ask)())


def _ask_random(generator: Any) -> None:
    for ask in ("random", "random_sample", "random_raw", "standard_normal", "spawn"):
        _try(lambda ask=ask: getattr(generator, ask)(3))


_BY_MODULE: dict[str, Callable[[Any], None]] = {
    "sklearn.tree._tree": _ask_tree,
    "sklearn.neighbors._kd_tree": _ask_tree,
    "sklearn.neighbors._ball_tree": _ask_tree,
    "sklearn": _ask_model,
    "scipy.sparse": _ask_sparse,
    "pandas": _ask_frame,
    "numpy.random": _ask_random,
    "numpy": _ask_array,
    "pyarrow": _ask_arrow,
}


def _try(do: Callable[[], Any]) -> None:
    with contextlib.suppress(Exception):  # whatever is wrong with it, the interpreter is to stay alive
        do()


def use(value: Any) -> str:
    """Do with `value` what notebooks do; return the page that it is shown by."""
    page: list[Any] = []
    _try(lambda: repr(value))
    _try(lambda: page.append(value._repr_html_()))
    _try(lambda: len(value))
    _try(lambda: next(iter(value)))
    _try(lambda: copy.copy(value))
    _try(lambda: value == copy.copy(value))
    _try(lambda: pickle.dumps(value, 5))
    module = type(value).__module__
    known = [known for known in _BY_MODULE if module == known or module.startswith(f"{known}.")]
    if known:
        _try(lambda: _BY_MODULE[max(known, key=len)](value))
    return str(page[0]) if page else ""
