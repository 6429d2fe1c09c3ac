"""What ordinary pickles are made of: each call in them, by what it calls, and values for every kind of argument."""

from __future__ import annotations

import copy
import copyreg
import io
import pickle
import random
import warnings
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aios3_nb.formats.pickle.names import safe_names
from aios3_nb.formats.pickle.signature import is_kind
from tests.formats.pickle import objects
from tests.formats.pickle.attacks.nodes import Node, Writer, read, walk

PROTOCOLS = (2, 5)
_LARGEST = 20_000
"""Bytes of a pickle; those beyond only make every program slow."""

_MOST = 12
"""Samples of the calls of one name."""

_MOST_NODES = 600
"""Of one sample; larger ones say nothing that smaller ones do not."""

FEW = (
    "pipeline log kernels search forest boosting stack tf-idf sgd",
    "histogram_absolute histogram_classes neighbours_by_ball neighbours_by_k-d",
)
"""Models that together have nearly every class of scikit-learn that is not just attributes."""


def ordinary(*, all_models: bool) -> dict[str, Any]:
    """Return ordinary objects by name; with `all_models` those of every estimator, which takes 12 seconds.

    They are the same in every process: what is made of them is by its seed alone.
    """
    import numpy as np

    np.random.seed(0)  # it chooses for models without a seed of their own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = {key: make for key, make in objects.TABLES.items() if key != "sklearn"}
        found = {f"{key}: {what}": value for key, make in tables.items() for what, value in make().items()}
        models = objects.sklearn() if all_models else _few_models()
    return found | {f"sklearn: {what}": _timeless(value) for what, value in models.items()}


def _timeless(model: Any) -> Any:
    """Return a copy of `model` without what it notes of its fit by clock and by address."""
    model = copy.deepcopy(model)
    if hasattr(model, "refit_time_"):
        model.refit_time_ = 1.0
        for what in ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time"):
            model.cv_results_[what][:] = 1.0
    if hasattr(model, "_stop_words_id"):
        model._stop_words_id = 1
    return model


def _few_models() -> dict[str, Any]:
    import numpy as np
    from sklearn.base import clone
    from sklearn.svm import SVC

    features = np.abs(np.random.RandomState(0).rand(30, 3)) + 0.1
    wanted = {word.replace("_", " ") for line in FEW for word in line.split()}
    models = {what: model for what, model in objects._models().items() if what in wanted} | {"svc": SVC()}
    return {what: clone(model).fit(features, np.arange(30) % 3 + 1) for what, model in models.items()}


class Corpus:
    """Ordinary pickles, taken apart.

    Args:
        values: Ordinary objects.

    Attributes:
        pickles: Of them all, as bytes.
        calls: By the name that is called: trees of such calls, with what is done with the result.
        names: Every listed name that the installed versions have.
        objects: What these names stand for.
    """

    def __init__(self, values: Iterable[Any]) -> None:
        self.pickles = list(_pickles(values))
        self.calls: dict[tuple[str, str], list[Node]] = defaultdict(list)
        for data in self.pickles:
            for node in walk(read(data)):
                found = self.calls[node.dotted] if node.dotted != ("", "") and node.kind == "call" else None
                if found is not None and len(found) < _MOST and sum(1 for _ in walk(node)) < _MOST_NODES:
                    found.append(node)
        self.calls = {dotted: found for dotted, found in self.calls.items() if found}
        self.names = sorted(each for each in safe_names() if _found(*each) is not None)
        self.objects = {each: _found(*each) for each in self.names}
        self._by_type = self._values_by_type()

    def of_kind(self, kind: str, rng: random.Random) -> Node | None:
        """Return a value that a signature calls `kind`; None when there is none."""
        if kind == "None":
            return Node("atom", None)
        fitting = [nodes for cls, nodes in self._by_type.items() if is_kind(kind, cls)]
        return rng.choice(rng.choice(fitting)) if fitting else None

    def _values_by_type(self) -> dict[type, list[Node]]:
        rng = random.Random(0)
        found: dict[type, list[Node]] = defaultdict(list)
        for node in (node for some in self.calls.values() for made in some[:2] for node in walk(made)):
            try:
                cls = type(pickle.loads(Writer(rng).write(node)))
            except Exception:  # a part that is in a circle is nothing by itself
                continue
            if len(found[cls]) < _MOST:
                found[cls].append(node)
        return {cls: nodes for cls, nodes in found.items() if nodes}


def _pickles(values: Iterable[Any]) -> Iterable[bytes]:
    for value in values:
        for protocol in PROTOCOLS:
            try:
                data = _dumped(value, protocol)
            except (TypeError, pickle.PicklingError):
                continue
            if len(data) < _LARGEST:
                yield data


def _dumped(value: Any, protocol: int) -> bytes:
    """Return the pickle of `value`; what other packages registered for the pickling of errors stays out."""
    from sklearn.tree._tree import Tree

    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol)
    pickler.dispatch_table = {
        kind: reduce
        for kind, reduce in copyreg.dispatch_table.items()
        if not (getattr(reduce, "__module__", None) or "").startswith("tblib")
    } | {Tree: _reduced_tree}
    pickler.dump(value)
    return out.getvalue()


def _reduced_tree(tree: Any) -> tuple[Any, ...]:
    """Return what Python would pickle of a tree of scikit-learn, with zeros between its fields: there lies anything."""
    import numpy as np

    kind, arguments, state = tree.__reduce__()
    nodes = np.zeros(state["nodes"].shape, state["nodes"].dtype)  # zeros_like leaves what is between the fields
    for field in nodes.dtype.names:
        nodes[field] = state["nodes"][field]
    return kind, arguments, state | {"nodes": nodes}


def _found(module: str, qualname: str) -> Any:
    import importlib
    import operator

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return operator.attrgetter(qualname)(importlib.import_module(module))
    except (ImportError, AttributeError):
        return None
