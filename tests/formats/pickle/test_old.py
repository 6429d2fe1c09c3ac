"""Pickles that older versions wrote: what has moved is found, and what is gone is named with the versions."""

from __future__ import annotations

import ast
import enum
import importlib
import io
import pickle
import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse

from aios3_nb.errors import BlockedPickleError, FormatError, MissingPackageError
from aios3_nb.formats.pickle import load_pickle
from aios3_nb.formats.pickle.find import is_allowable
from tests.formats.pickle.old import PICKLES

NAMES = {"pd": pd, "np": np, "sparse": sparse, "O": pd.offsets}


def opened(data: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(data))


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("what", [each for each in PICKLES if "dok" not in each[1]], ids=" ".join)
def test_what_has_moved_is_found(what: tuple[str, str], trust: bool) -> None:
    expected = eval(what[1], NAMES)
    loaded = load_pickle(opened(PICKLES[what]), trust=trust)
    assert type(loaded) is type(expected)
    if sparse.issparse(expected):
        assert (loaded != expected).nnz == 0
    elif isinstance(expected, (pd.DataFrame, pd.Series, pd.Index)):
        assert loaded.to_dict() == expected.to_dict() if hasattr(loaded, "to_dict") else list(loaded) == list(expected)
    else:
        assert repr(loaded) == repr(expected)
    if not trust and "string" in what[1]:
        assert loaded.dtype == pd.StringDtype("python")


def test_a_matrix_whose_items_newer_ones_lose_says_which_version_reads_it() -> None:
    data = PICKLES["1.0", "sparse.dok_matrix(np.eye(2))"]
    with pytest.raises(FormatError, match=r"scipy before 1\.11.*pip install 'scipy<1\.11'"):
        load_pickle(opened(data))


@pytest.mark.parametrize("state", [b"}", b"}(X\x01\0\0\0nK\x01X\x09\0\0\0normalizecsys\nmodules\nu", b"K\x01", b")"])
def test_a_frequency_of_pandas_1_gets_no_state_of_its_own(state: bytes) -> None:
    data = b"\x80\x02cpandas.tseries.offsets\nDay\n)\x81" + state + b"b."
    with pytest.raises((FormatError, BlockedPickleError)):
        load_pickle(opened(data))


def test_an_array_of_periods_is_made_of_no_other_class() -> None:
    data = b"\x80\x02cpandas._libs.tslibs.period\n__pyx_unpickle_PeriodMixin\n(cpandas\nSeries\nK\x01Nt R."
    with pytest.raises(FormatError):
        load_pickle(opened(data.replace(b" ", b"")))


# ---- scikit-learn says which version wrote it


def written(version: str, protocol: int, body: bytes = b"") -> bytes:
    """Return the pickle of an estimator, that needs what is gone, with the version that wrote it."""
    gone = body or b"csklearn.ensemble._gb_losses\nBinomialDeviance\n)\x81"
    text = pickle.dumps({"loss": 0, "_sklearn_version": version}, protocol)
    state = text[text.index(b"}") + 1 :] if protocol else text
    return b"\x80\x04]" + gone + b"a" + (b"}" + state.rstrip(b".") if protocol else b"") + b"0."


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("version", ["1.2.2", "0.22.2.post1", "0.24.dev0", "1.10.0rc1"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_is_gone_names_the_version_that_wrote_it_the_one_that_is_here_and_what_to_install(
    version: str, protocol: int, trust: bool
) -> None:
    with pytest.raises(MissingPackageError) as caught:
        load_pickle(opened(written(version, protocol)), trust=trust)
    said = str(caught.value)
    assert "sklearn.ensemble._gb_losses.BinomialDeviance" in said
    assert f"the installed scikit-learn {sklearn.__version__} does not have" in said
    assert f"written with scikit-learn {version}, and {sklearn.__version__} is installed" in said
    assert said.endswith(f"pip install 'scikit-learn=={version}'")
    assert "allow" not in said
    assert "-U" not in said


@pytest.mark.parametrize("trust", [False, True])
def test_a_version_that_the_pickle_does_not_say_is_not_made_up(trust: bool) -> None:
    for name in (b"sklearn.preprocessing.imputation\nImputer", b"scipy.linalg.no_such\nThing"):
        with pytest.raises(MissingPackageError, match=r"does not say which.*==VERSION'"):
            load_pickle(opened(b"\x80\x02c" + name + b"\n)\x81."), trust=trust)


@pytest.mark.parametrize("trust", [False, True])
def test_a_pickle_of_an_old_pandas_says_which_one_still_reads_it(trust: bool) -> None:
    data = b"\x80\x02cpandas.indexes.base\n_new_Index\n(cpandas.indexes.range\nRangeIndex\n}t\x52."
    with pytest.raises(MissingPackageError, match=r"pandas\.indexes.*pandas 1\.5\.3 reads.*'pandas==1\.5\.3'"):
        load_pickle(opened(data), trust=trust)


def test_a_tree_whose_nodes_have_changed_names_the_versions() -> None:
    from sklearn.tree import DecisionTreeClassifier

    model = DecisionTreeClassifier().fit([[0], [1]], [0, 1])
    data = pickle.dumps(model, 2)
    assert sklearn.__version__.encode() in data
    for before, after in ((b"missing_go_to_left", b"missing_go_to_lift"), (sklearn.__version__.encode(), b"1.2.0")):
        data = data.replace(before, after)
    for trust in (False, True):
        with pytest.raises(FormatError, match=r"written with scikit-learn 1\.2\.0, and .* 'scikit-learn==1\.2\.0'"):
            load_pickle(opened(data), trust=trust)


def test_a_model_of_another_version_that_loads_warns_with_both() -> None:
    from sklearn.preprocessing import StandardScaler

    data = pickle.dumps(StandardScaler().fit([[1.0], [2.0]]), 2)
    data = data.replace(sklearn.__version__.encode(), b"1.2.0")
    with pytest.warns(match=rf"StandardScaler from version 1\.2\.0 when using version {sklearn.__version__}"):
        load_pickle(opened(data))


# ---- --allow is proposed for what it lifts


class Plain:
    """A class with attributes."""


class Called:
    """A class that pickles call."""

    def __reduce__(self):
        return Called, (1,)


class Colour(enum.Enum):
    RED = 1


class Wrong(Exception):
    """An exception without anything of its own."""


class Bound:
    def method(self):
        """Return nothing."""


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value", [Plain(), Called(), Colour.RED, Wrong("x"), Bound().method, Bound.method, [Plain(), Called()]], ids=repr
)
def test_what_allow_is_proposed_for_is_what_it_lifts(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    with pytest.raises(BlockedPickleError) as caught:
        load_pickle(opened(data))
    proposed = re.search(r"allow=(\[.*?\])\)    \(", str(caught.value))
    names = caught.value.names
    if proposed is None:
        with pytest.raises((BlockedPickleError, FormatError)):
            load_pickle(opened(data), allow=[name for name in names if is_allowable(name)])
        assert "allow does not lift" in str(caught.value)
    else:
        assert ast.literal_eval(proposed[1]) == list(names)
        assert type(load_pickle(opened(data), allow=names)) is type(value)


def test_allow_is_not_proposed_for_another_name_of_something() -> None:
    importlib.import_module("statistics")
    with pytest.raises(BlockedPickleError, match=r"allow does not lift statistics\.Decimal\."):
        load_pickle(opened(b"\x80\x02cstatistics\nDecimal\n)\x81."))


def test_what_a_notebook_lacks_is_to_be_defined_first() -> None:
    with pytest.raises(BlockedPickleError, match=r"(?s)does not lift __main__\.Model\..*define it here first"):
        load_pickle(opened(b"\x80\x02c__main__\nModel\n)\x81."))


def test_a_package_that_is_not_there_is_to_be_installed_first() -> None:
    with pytest.raises(
        BlockedPickleError, match=r"allow=\['no_such_package\.C'\]\)    \(.*; first: pip install no_such_package"
    ):
        load_pickle(opened(b"\x80\x02cno_such_package\nC\n)\x81."))


def test_looking_for_what_is_gone_imports_nothing() -> None:
    before = set(sys.modules)
    with warnings.catch_warnings(), pytest.raises(MissingPackageError):
        load_pickle(opened(b"\x80\x02csklearn.externals.joblib.numpy_pickles\nX\n)\x81."))
    assert {name for name in set(sys.modules) - before if name.startswith("sklearn")} == set()
