"""Every estimator of scikit-learn, fitted: it loads, and answers as the one that was stored."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.cluster import BisectingKMeans
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, SVR
from sklearn.utils import all_estimators

from tests.formats.pickle import objects
from tests.formats.pickle.test_load import load_pickle, opened

ANSWERS = ("predict", "predict_proba", "decision_function", "transform", "score_samples", "kneighbors", "mahalanobis")


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """Fitted models by name."""
    return objects.sklearn()


def answers(model: Any, given: Any) -> dict[str, Any]:
    """Return what the model says of `given`; what ends in an error says so in both."""
    found = {}
    for name in ANSWERS:
        ask = getattr(model, name, None)
        if ask is None:
            continue
        try:
            found[name] = ask(given)
        except (TypeError, ValueError, AttributeError) as exc:
            found[name] = str(exc)
    learned = {key: value for key, value in vars(model).items() if key.endswith("_") and type(value) is np.ndarray}
    return found | {key: value for key, value in learned.items() if value.dtype != object}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if sparse.issparse(one):
        one, other = one.toarray(), other.toarray()
    if type(one) is not type(other):
        return False
    if np.asarray(one).dtype.kind in "fc":
        # Where an array lies in memory changes how compiled code sums, and so the last bit.
        return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))
    return bool(np.array_equal(one, other))


def test_all_estimators_are_among_them(models):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {name for name, _ in all_estimators()}
    assert len(names) > 150
    assert names <= {type(model).__name__ for model in models.values()}


def test_each_answers_as_the_one_that_was_stored(models):
    features, classes = objects.sklearn_data()
    answered = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, model in models.items():
            loaded = load_pickle(opened(pickle.dumps(model)))
            given = objects.training(type(model).__name__, features, classes)[0]
            expected, said = answers(model, given), answers(loaded, given)
            assert said.keys() == expected.keys(), name
            for key in expected:
                assert same(said[key], expected[key]), (name, key)
            if any(not isinstance(value, str) for value in expected.values()):
                answered.add(type(model).__name__)
    assert {type(model).__name__ for model in models.values()} - answered == set()


def test_models_with_parts_of_unusual_sizes_load():
    rows = np.random.default_rng(1).random((30, 3))
    kinds, gram = (rows[:, 0] * 3).astype(int), rows @ rows.T
    for model, given, known in (
        (SVC(kernel="precomputed"), gram, kinds),
        (SVC(), sparse.csr_matrix(rows), kinds),
        (SVR(epsilon=100), sparse.csr_matrix(rows), kinds),
        (SVR(epsilon=100), rows, kinds),
        (KNeighborsClassifier(algorithm="brute", metric="manhattan"), rows, np.c_[kinds, kinds % 2]),
        (KNeighborsClassifier(metric="precomputed"), 1 - gram / gram.max(), kinds),
        (BisectingKMeans(1), rows, None),
    ):
        fitted = model.fit(given, known)
        assert np.array_equal(load_pickle(opened(pickle.dumps(fitted))).predict(given), fitted.predict(given)), model
