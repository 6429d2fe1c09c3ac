"""Ordinary objects, by library, as people pickle them: what must load without a word about safety.

Each function returns ``{what it is: the object}``. The names that their pickles import are what
`aios3_nb.formats.pickle.names` has to list; `tests/formats/pickle/test_names.py` compares the two.
"""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import fractions
import functools
import ipaddress
import pathlib
import random
import re
import time
import types
import uuid
import warnings
import zoneinfo
from typing import Any

Table = dict[str, Any]


def standard_library() -> Table:
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    cycle: list[Any] = []
    cycle.append({"self": cycle})
    return {
        "numbers": [0, 255, 256, 65536, 2**31, 2**63, -(2**200), 1.5, float("inf"), 1j, True, None],
        "text": ["", "ä", "\n", "\u2028", "b" * 300, "x" * 70_000, b"", b"b", b"\x93\x94" * 200, bytearray(b"ab")],
        "containers": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {"a": [1]}, {1, 2}, frozenset({1}), [], set()],
        "nested": [[[[[{"a": {"b": (1, [2])}}]]]]],
        "cycle": cycle,
        "builtins": [
            range(3),
            slice(1, 2),
            bytearray(b"x" * 300),
            Ellipsis,
            NotImplemented,
            object,
            int,
            ValueError("x"),
        ],
        "collections": [
            collections.OrderedDict(a=1),
            collections.defaultdict(list, a=[1]),
            collections.Counter("abca"),
            collections.deque([1], maxlen=3),
            collections.ChainMap({"a": 1}),
        ],
        "datetime": [
            dt.datetime(2024, 1, 2, 3, 4, 5, 6),
            dt.datetime(2024, 1, 2, tzinfo=dt.UTC),
            dt.datetime(2024, 7, 2, tzinfo=berlin, fold=1),
            dt.date(2024, 1, 2),
            dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2), "X")),
            dt.timedelta(1, 2, 3),
            berlin,
        ],
        "numbers with names": [decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=5)],
        "paths": [pathlib.PurePosixPath("/a/b"), pathlib.PosixPath("a"), pathlib.PureWindowsPath("c:/x")],
        "addresses": [
            ipaddress.ip_address("10.0.0.1"),
            ipaddress.ip_network("10.0.0.0/8"),
            ipaddress.ip_interface("10.0.0.1/8"),
            ipaddress.ip_address("::1"),
            ipaddress.ip_network("::/8"),
            ipaddress.ip_interface("::1/8"),
        ],
        "others": [
            array.array("d", [1.0, 2.0]),
            array.array("B", b"abc"),
            types.SimpleNamespace(a=1),
            re.compile("a+", re.I),
            time.gmtime(0),
        ],
        "random": random.Random(3),
    }


def numpy() -> Table:
    import numpy as np

    table: Table = {
        f"array {code}": np.zeros((2, 3), code)
        for code in ["f2", "f4", "f8", "g", "c8", "c16", "i1", "u2", "i4", "u8", "?", ">i4", ">f8", ">c16"]
    }
    table |= {f"array {code}": np.array(["a", "bcd"], code) for code in ["U5", ">U5", "S3", "O"]}
    table |= {f"array {code}": np.array([1, 2], "i8").astype(code) for code in ["M8[ns]", "m8[D]", ">M8[s]", "M8[25s]"]}
    structured = np.array([(1, 2.0, "x")], [("a", "i4"), ("b", ">f8", (2,)), ("c", "U3")])
    objects = np.array([(1, [2])], [("a", "i4"), ("b", "O")])
    titled = np.zeros(2, [(("Title", "a"), "i4"), ("b", "f4")])
    nested = np.zeros(2, [("p", [("x", "f4"), ("y", "M8[us]")]), ("q", "i2")])
    masked = np.ma.array([1, 2, 3], mask=[0, 1, 0])
    table |= {
        "structured": structured,
        "structured with objects": objects,
        "titled": titled,
        "nested structured": nested,
        "aligned": np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
        "offsets": np.zeros(2, np.dtype({"names": ["a"], "formats": ["f4"], "offsets": [4], "itemsize": 16})),
        "void": np.zeros(2, "V7"),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "strided": np.arange(10)[::2],
        "zero dimensions": np.array(3),
        "empty": np.zeros((0, 3)),
        "shared": [(shared := np.arange(3.0)), shared, {"again": shared}],
        "dtypes": [
            np.dtype(d)
            for d in ("f8", ">i4", "U7", "S", "M8[ns]", "m8", "O", "V3", [("a", "i4")], ("f4", (2, 3)), ("O", (2,)))
        ],
        "scalars": [
            np.float64(1),
            np.int32(2),
            np.bool_(True),
            np.datetime64("2020-01-01"),
            np.str_("x"),
            structured[0],
        ],
        "more scalars": [np.bytes_(b"x"), np.timedelta64(3, "h"), np.complex64(1j), np.float16(1), np.void(b"ab")],
        "types": [np.float64, np.int64, np.ndarray, np.str_, np.datetime64, np.generic],
        "records": structured.view(np.recarray),
        "record": structured.view(np.recarray)[0],
        "records with objects": objects.view(np.recarray),
        "masked": masked,
        "masked structured": np.ma.zeros(2, [("a", "i4")]),
        "matrix": _quietly(lambda: np.matrix([[1, 2]])),
        "ufuncs": [np.log1p, np.sqrt, np.exp],
        "random": [np.random.default_rng(1), np.random.RandomState(2)],
        "bit generators": [np.random.PCG64DXSM(1), np.random.SFC64(1), np.random.Philox(1), np.random.MT19937(1)],
        "seed": np.random.SeedSequence(1),
        "polynomial": np.polynomial.Polynomial([1, 2]),
    }
    if hasattr(np.dtypes, "StringDType"):
        table["strings of any length"] = np.array(["a", "b" * 50], np.dtypes.StringDType())
        table["missing strings"] = np.array(["a", None], np.dtypes.StringDType(na_object=None))
    return table


def pandas() -> Table:
    import numpy as np
    import pandas as pd

    days = pd.date_range("2024-01-01", periods=3, freq="D")
    frame = pd.DataFrame(
        {
            "f": [1.0, 2.0, np.nan],
            "i": [1, 2, 3],
            "s": ["a", "b", None],
            "t": days,
            "z": days.tz_localize("UTC"),
            "b": days.tz_localize("Europe/Berlin"),
            "c": pd.Categorical(["x", "y", "x"]),
            "n": pd.array([1, None, 3], dtype="Int64"),
            "y": pd.array([True, None, False], dtype="boolean"),
            "o": pd.Series([[1], {"a": 2}, None], dtype=object),
            "d": pd.to_timedelta([1, 2, 3], unit="s"),
        }
    )
    table: Table = {
        "frame": frame,
        "frame by day": frame.set_index("t"),
        "frame of floats": pd.DataFrame(np.arange(6.0).reshape(2, 3), columns=list("abc")),
        "empty frame": pd.DataFrame(),
        "attrs": _with_attrs(frame[["f"]].copy()),
        "two levels": frame.set_index(["i", "s"]),
        "series": pd.Series([1, 2], name="x", index=["a", "b"]),
        "period": pd.Series(pd.period_range("2024-01", periods=2, freq="M")),
        "interval": pd.Series(pd.interval_range(0, 2)),
        "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])),
        "strings": pd.Series(["a", None], dtype="string"),
        "python strings": pd.Series(["a", None], dtype="string[python]"),
        "floats": pd.array([1.5, None], dtype="Float64"),
        "indexes": [
            pd.RangeIndex(3),
            pd.Index([1, 2]),
            pd.Index([1.5]),
            pd.Index(["a"]),
            pd.Index(["a"], dtype=object),
            days,
            days.tz_localize("UTC"),
            pd.to_timedelta([1, 2], unit="h"),
            pd.period_range("2024", periods=2, freq="Y"),
            pd.interval_range(0, 2),
            pd.CategoricalIndex(["a"]),
            pd.MultiIndex.from_product([[1, 2], ["a"]]),
        ],
        "scalars": [
            pd.Timestamp("2024-01-01"),
            pd.Timestamp("2024-01-01", tz="Europe/Berlin"),
            pd.Timedelta("1D"),
            pd.NaT,
            pd.NA,
            pd.Period("2024-01", "M"),
            pd.Interval(0, 1),
        ],
        "dtypes": [
            pd.Int64Dtype(),
            pd.Float64Dtype(),
            pd.BooleanDtype(),
            pd.StringDtype(),
            pd.CategoricalDtype(["a"]),
            pd.DatetimeTZDtype(tz="UTC"),
            pd.PeriodDtype("D"),
            pd.IntervalDtype("int64"),
            pd.SparseDtype(),
        ],
        "small integers": [pd.array([1, None], dtype=f"{u}Int{n}") for u in ("", "U") for n in (8, 16, 32, 64)],
        "float32": pd.array([1, None], dtype="Float32"),
        "grouped offsets": _offsets(pd),
    }
    try:
        table["arrow"] = pd.Series([1, None], dtype="int64[pyarrow]")
        table["arrow strings"] = pd.Series(["a", None], dtype="string[pyarrow]")
        table["arrow frame"] = frame[["f", "i", "s", "t"]].convert_dtypes(dtype_backend="pyarrow")
    except ImportError:
        pass
    return table


OFFSETS = """
    Day Hour Minute Second Milli Micro Nano BusinessDay BDay MonthEnd MonthBegin YearEnd YearBegin QuarterEnd
    QuarterBegin Week BusinessMonthEnd BusinessMonthBegin BYearEnd BYearBegin BQuarterEnd BQuarterBegin SemiMonthEnd
    SemiMonthBegin BusinessHour CustomBusinessDay WeekOfMonth LastWeekOfMonth Easter CustomBusinessHour
    CustomBusinessMonthEnd CustomBusinessMonthBegin
"""


def _offsets(pd: Any) -> list[Any]:
    from pandas.tseries import offsets

    return [
        pd.DateOffset(months=1),
        *(getattr(offsets, name)() for name in OFFSETS.split()),
        offsets.FY5253(startingMonth=12, weekday=4),
        offsets.FY5253Quarter(startingMonth=12, weekday=4),
    ]


def _with_attrs(frame: Any) -> Any:
    frame.attrs["source"] = "lab"
    return frame


def pyarrow() -> Table:
    import pyarrow as pa

    arrays = {
        "int": pa.array([1, None, 3]),
        "float": pa.array([1.5]),
        "bool": pa.array([True, None]),
        "string": pa.array(["a", None, "ccc"]),
        "binary": pa.array([b"a"]),
        "list": pa.array([[1, 2], None, []]),
        "struct": pa.array([{"a": 1, "b": "x"}]),
        "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())),
        "dictionary": pa.array(["a", "b", "a"]).dictionary_encode(),
        "timestamp": pa.array([0], pa.timestamp("ns", "UTC")),
        "decimal": pa.array([decimal.Decimal("1.10")]),
        "null": pa.nulls(3),
        "date": pa.array([dt.date(2024, 1, 1)]),
        "duration": pa.array([1], pa.duration("s")),
        "fixed binary": pa.array([b"ab"], pa.binary(2)),
        "fixed list": pa.array([[1, 2]], pa.list_(pa.int8(), 2)),
        "large string": pa.array(["a"], pa.large_string()),
        "large list": pa.array([[1]], pa.large_list(pa.int8())),
        "string view": pa.array(["a", "b" * 30], pa.string_view()),
        "slice": pa.array(["a", "b", "c"])[1:],
    }
    table: Table = {f"array of {name}": array for name, array in arrays.items()}
    return table | {
        "types": [array.type for array in arrays.values()],
        "table": pa.table({"a": [1, 2], "s": ["x", None]}),
        "record batch": pa.record_batch({"a": [1]}),
        "chunked": pa.chunked_array([[1], [2, 3]]),
        "schema": pa.schema([("a", pa.int8()), ("b", pa.list_(pa.string()))], metadata={"k": "v"}),
        "field": pa.field("a", pa.int8(), nullable=False),
        "scalar": pa.scalar(1),
        "buffer": pa.py_buffer(b"abc"),
    }


def scipy() -> Table:
    import numpy as np
    from scipy import sparse

    dense = np.array([[0, 1.0, 0], [2, 0, 0]])
    kinds = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
    table: Table = {f"{kind} matrix": getattr(sparse, f"{kind}_matrix")(dense) for kind in kinds}
    return table | {f"{kind} array": getattr(sparse, f"{kind}_array")(dense) for kind in kinds}


@functools.cache
def sklearn() -> Table:
    """Fitted models, small; one of each kind that keeps its state in classes of its own, and all estimators."""
    from sklearn.base import clone
    from sklearn.utils import all_estimators

    features, classes = sklearn_data()
    table: Table = {}
    for name, model in _models().items():
        table[name] = _quietly(lambda model=model: _fitted(clone(model), features, classes))
    for name, kind in all_estimators():
        if name not in table:
            table[name] = _quietly(lambda kind=kind: _of_defaults(kind, features, classes))
    return table


def sklearn_data() -> tuple[Any, Any]:
    """Return the features and classes that the models are fitted to."""
    import numpy as np

    return np.abs(np.random.RandomState(0).rand(30, 3)) + 0.1, np.arange(30) % 3 + 1


def _fitted(model: Any, features: Any, classes: Any) -> Any:
    return model.fit(features, classes)


def _of_defaults(kind: Any, features: Any, classes: Any) -> Any:
    """Return `kind` fitted to what it wants, small."""
    names = kind.__init__.__code__.co_varnames if hasattr(kind.__init__, "__code__") else ()
    small = {"n_estimators": 3, "max_iter": 5, "random_state": 0, "perplexity": 5, "n_components": 2, "cv": 2}
    model = kind(**{name: value for name, value in (small | _wanted(kind)).items() if name in names})
    return model.fit(*training(kind.__name__, features, classes))


def _wanted(kind: Any) -> dict[str, Any]:
    """Return the arguments without which there is no `kind`, or no small one."""
    import numpy as np
    from sklearn.linear_model import LinearRegression, LogisticRegression

    is_regressor = kind.__name__.endswith(("Regressor", "RegressorChain"))
    inner = LinearRegression() if is_regressor else LogisticRegression()
    common = {"estimator": inner, "base_estimator": inner, "estimators": [("a", inner)], "dictionary": np.eye(3)}
    few = {
        "CCA": {"n_components": 1},
        "FrozenEstimator": {"estimator": _trained()},
        "OrthogonalMatchingPursuitCV": {"max_iter": 2},
        "TSNE": {"max_iter": 250},
        "ColumnTransformer": {"transformers": [("all", "passthrough", [0, 1, 2])]},
        "FeatureUnion": {"transformer_list": [("all", "passthrough")]},
        "GridSearchCV": {"param_grid": {"C": [1.0]}},
        "PatchExtractor": {"patch_size": (2, 2)},
        "Pipeline": {"steps": [("a", inner)]},
        "PLSCanonical": {"n_components": 1},
        "PLSSVD": {"n_components": 1},
        "RandomizedSearchCV": {"param_distributions": {"C": [1.0]}, "n_iter": 1},
        "SpectralBiclustering": {"n_clusters": 2, "n_components": 3},
    }
    return common | few.get(kind.__name__, {})


def _trained() -> Any:
    from sklearn.linear_model import LinearRegression

    return LinearRegression().fit(*sklearn_data())


TEXTS = ["one two", "two three", "three one one"] * 10


def training(name: str, features: Any, classes: Any) -> tuple[Any, ...]:
    """Return what an estimator of that name is fitted to: features and classes, or what it takes instead."""
    import numpy as np

    if name in ("CountVectorizer", "HashingVectorizer", "TfidfVectorizer"):
        return (TEXTS,)
    if name in ("LabelBinarizer", "LabelEncoder"):
        return (classes,)
    special = {
        "DictVectorizer": ([{"a": row[0], "b": row[1]} for row in features.tolist()],),
        "FeatureHasher": ([{"a": row[0], "b": row[1]} for row in features.tolist()],),
        "FixedThresholdClassifier": (features, classes > 1),
        "TunedThresholdClassifierCV": (features, classes > 1),
        "FrozenEstimator": (features, classes),
        "IsotonicRegression": (features[:, 0], classes),
        "KernelCenterer": (features @ features.T,),
        "MultiLabelBinarizer": ([(1, 2), (3,)] * 15,),
        "PatchExtractor": (np.ones((2, 8, 8)),),
        "SelfTrainingClassifier": (features, np.where(np.arange(len(classes)) % 5 == 0, -1, classes)),
    }
    if name in special:
        return special[name]
    if name.startswith(("MultiTask", "MultiOutput")) or name in ("ClassifierChain", "RegressorChain"):
        return features, np.stack([classes, classes[::-1]], axis=1)
    return features, classes


def _models() -> Table:
    """Models with arguments that bring further classes along."""
    import numpy as np
    from sklearn import (
        compose,
        ensemble,
        feature_extraction,
        gaussian_process,
        linear_model,
        model_selection,
        multiclass,
        multioutput,
        naive_bayes,
        neighbors,
        pipeline,
        preprocessing,
        svm,
        tree,
    )
    from sklearn.gaussian_process import kernels as k

    kernel = k.ConstantKernel() * k.RBF() + k.WhiteKernel() + k.Matern() ** 2 + k.RationalQuadratic() + k.DotProduct()
    columns = compose.ColumnTransformer(
        [
            ("scale", preprocessing.StandardScaler(), [0, 1]),
            ("code", preprocessing.OneHotEncoder(handle_unknown="ignore"), [2]),
        ],
        remainder="passthrough",
    )
    return {
        "pipeline": pipeline.make_pipeline(columns, linear_model.LogisticRegression()),
        "log": pipeline.make_pipeline(preprocessing.FunctionTransformer(np.log1p), linear_model.Ridge()),
        "union": pipeline.make_union(preprocessing.MinMaxScaler(), preprocessing.PolynomialFeatures()),
        "search": model_selection.GridSearchCV(svm.SVC(), {"C": [1, 2]}, cv=2),
        "kernels": gaussian_process.GaussianProcessRegressor(kernel, optimizer=None),
        "neighbours by ball": neighbors.KNeighborsClassifier(algorithm="ball_tree"),
        "neighbours by k-d": neighbors.KNeighborsRegressor(algorithm="kd_tree", metric="manhattan"),
        "histogram poisson": ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=2),
        "histogram quantile": ensemble.HistGradientBoostingRegressor(loss="quantile", quantile=0.5, max_iter=2),
        "histogram absolute": ensemble.HistGradientBoostingRegressor(loss="absolute_error", max_iter=2),
        "histogram classes": ensemble.HistGradientBoostingClassifier(max_iter=2),
        "histogram stop": ensemble.HistGradientBoostingClassifier(max_iter=3, early_stopping=True),
        "boosting": ensemble.GradientBoostingClassifier(n_estimators=2),
        "boosting huber": ensemble.GradientBoostingRegressor(n_estimators=2, loss="huber"),
        "boosting quantile": ensemble.GradientBoostingRegressor(n_estimators=2, loss="quantile"),
        "forest": ensemble.RandomForestClassifier(n_estimators=3, random_state=np.random.RandomState(0)),
        "tree with limits": tree.DecisionTreeClassifier(max_depth=2),
        "votes": ensemble.VotingClassifier([("a", naive_bayes.GaussianNB()), ("b", linear_model.Perceptron())]),
        "stack": ensemble.StackingClassifier([("a", naive_bayes.GaussianNB())], cv=2),
        "one against rest": multiclass.OneVsRestClassifier(linear_model.SGDClassifier()),
        "one against one": multiclass.OneVsOneClassifier(svm.LinearSVC()),
        "sgd": linear_model.SGDClassifier(loss="log_loss"),
        "sgd huber": linear_model.SGDRegressor(loss="huber"),
        "tweedie": linear_model.TweedieRegressor(power=1.5),
        "gamma": linear_model.GammaRegressor(),
        "hashing": feature_extraction.FeatureHasher(4).fit([{"a": 1}]) and feature_extraction.FeatureHasher(4),
        "counts": _Text(feature_extraction.text.CountVectorizer()),
        "tf-idf": _Text(feature_extraction.text.TfidfVectorizer()),
        "columns by kind": compose.TransformedTargetRegressor(
            linear_model.Ridge(), func=np.sqrt, inverse_func=np.square
        ),
        "several outputs": _Several(multioutput.MultiOutputRegressor(linear_model.Ridge())),
    }


class _Text:
    """Stands where a model stands, fitted on text."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __sklearn_clone__(self) -> _Text:
        return self

    def fit(self, *_: Any) -> Any:
        return self.model.fit(["a few words", "a few more"])


class _Several(_Text):
    def fit(self, features: Any, classes: Any) -> Any:
        return self.model.fit(features, features)


def _quietly(make: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


TABLES = {
    "stdlib": standard_library,
    "numpy": numpy,
    "pandas": pandas,
    "pyarrow": pyarrow,
    "scipy": scipy,
    "sklearn": sklearn,
}
