"""Searches keep their scorers, and these call nothing but measures and the methods by which models answer."""

from __future__ import annotations

import pickle
import types
from pathlib import PurePosixPath

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer, roc_auc_score
from sklearn.metrics._scorer import _PassthroughScorer
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV

from aios3_nb.errors import FormatError
from tests.formats.pickle.test_load import load_pickle, opened

FEATURES, CLASSES = np.random.RandomState(0).rand(40, 3), np.arange(40) % 2
SCORINGS = [None, "accuracy", "roc_auc", "neg_log_loss", make_scorer(f1_score, average="macro")]


@pytest.mark.parametrize("scoring", SCORINGS, ids=str)
def test_a_fitted_search_loads_and_scores_alike(scoring):
    model = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2, scoring=scoring).fit(FEATURES, CLASSES)
    assert load_pickle(opened(pickle.dumps(model))).score(FEATURES, CLASSES) == model.score(FEATURES, CLASSES)


def test_a_tuned_threshold_loads():
    model = TunedThresholdClassifierCV(LogisticRegression(), cv=2).fit(FEATURES, CLASSES)
    loaded = load_pickle(opened(pickle.dumps(model)))
    assert (loaded.predict(FEATURES) == model.predict(FEATURES)).all()


WRONG = {
    "another method": {"_response_method": "write_text"},
    "another method among others": {"_response_method": ("predict", "unlink")},
    "a function that is no measure": {"_score_func": np.abs},
    "a class as a measure": {"_score_func": dict},
    "a model as an argument": {"_kwargs": {"average": LogisticRegression()}},
    "a method of its own": {"__call__": dict},
    "another attribute": {"_accept_sample_weight": dict},
    "something else's score": {"_estimator": types.SimpleNamespace(score=dict)},
    "a path as its model": {"_estimator": PurePosixPath("x")},
}


@pytest.mark.parametrize("state", WRONG.values(), ids=WRONG)
def test_a_scorer_that_would_call_anything_else_is_refused(state):
    for scorer in (make_scorer(roc_auc_score), _PassthroughScorer(LogisticRegression())):
        scorer.__dict__.update(state)
        with pytest.raises(FormatError, match="safe"):
            load_pickle(opened(pickle.dumps(scorer)))
