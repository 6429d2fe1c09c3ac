"""For any pickle that Python writes, the safe unpickler gives what the standard one gives."""

from __future__ import annotations

import datetime as dt
import io
import pickle
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from scipy import sparse

from aios3_nb.formats.pickle import load_pickle
from tests.dripping import Dripping

# numpy 2.5 on dtypes that older versions wrote.
pytestmark = pytest.mark.filterwarnings("ignore:The 'generic' unit:DeprecationWarning")

PROTOCOLS = st.integers(0, 5)
RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def assert_same(value, protocol, chunk=None):
    """The pickle of `value` loads to what `pickle.loads` gives: equal, of equal types, shared alike."""
    try:
        data = pickle.dumps(value, protocol)
    except (TypeError, pickle.PicklingError):
        return
    file = Dripping(data, chunk) if chunk else io.BufferedReader(io.BytesIO(data))
    expected = pickle.loads(data)
    loaded = load_pickle(file)
    assert type(loaded) is type(expected)
    assert pickle.dumps(loaded, 5) == pickle.dumps(expected, 5)
    assert file.read() == b""


ZONES = st.sampled_from([None, dt.UTC, zoneinfo.ZoneInfo("Europe/Berlin"), dt.timezone(dt.timedelta(hours=-3), "X")])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(),
    st.binary().map(bytearray),
    st.text("<>|=b.\n\x93\x94", max_size=4),
    st.datetimes(timezones=ZONES),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.sampled_from([range(3), Ellipsis, int, ValueError("x"), dt.UTC, Fraction, np.float64(2), np.int8(1)]),
)
HASHABLE = st.one_of(st.integers(), st.text(), st.booleans(), st.none(), st.datetimes(), st.fractions())


def _containers(inner):
    return st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.lists(inner).map(deque),
        st.dictionaries(HASHABLE, inner),
        st.dictionaries(st.text(), inner).map(OrderedDict),
        st.dictionaries(st.text(), inner).map(lambda items: defaultdict(list, items)),
        st.lists(st.text()).map(Counter),
        st.frozensets(HASHABLE),
        st.sets(HASHABLE),
        # The same object twice: the second time it comes from the memo.
        inner.map(lambda value: [value, value, {"again": value}]),
    )


VALUES = st.recursive(SCALARS, _containers, max_leaves=40)


@RELAXED
@given(VALUES, PROTOCOLS, st.sampled_from([None, 1, 13]))
def test_any_value_of_the_standard_library(value, protocol, chunk):
    assert_same(value, protocol, chunk)


@RELAXED
@given(st.lists(VALUES, min_size=1), PROTOCOLS)
def test_any_recursive_structure(values, protocol):
    circle = list(values)
    circle.append({"self": circle, "values": values})
    circle.append((circle,))
    assert_same(circle, protocol)


SEEDS = st.integers(0, 2**32 - 1)
ORDER = st.sampled_from("<>=")
UNIT = st.sampled_from(["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "25s", "2D"])
PLAIN_CODES = st.sampled_from("bBhHiIqQefdgFDG?lL")
PLAIN = st.one_of(
    st.builds(lambda order, code: np.dtype(code).newbyteorder(order), ORDER, PLAIN_CODES),
    st.builds(lambda order, size: np.dtype(f"{order}U{size}"), ORDER, st.integers(0, 9)),
    st.integers(0, 9).map(lambda size: np.dtype(f"S{size}")),
    st.integers(1, 9).map(lambda size: np.dtype(f"V{size}")),
    st.builds(lambda order, kind, unit: np.dtype(f"{order}{kind}8[{unit}]"), ORDER, st.sampled_from("Mm"), UNIT),
    st.just(np.dtype("O")),
    st.sampled_from(["M8", "m8"]).map(np.dtype),
)
SHAPES = st.lists(st.integers(1, 3), max_size=2).map(tuple)
NAMES = st.text("abcdefgh>", min_size=1, max_size=3)


def _compound(inner):
    fields = st.lists(st.tuples(NAMES, inner), min_size=1, max_size=4, unique_by=lambda field: field[0])
    return st.one_of(
        fields.map(np.dtype),
        st.builds(lambda parts, align: np.dtype(parts, align=align), fields, st.booleans()),
        fields.map(lambda parts: np.dtype([((f"title of {name}", name), inside) for name, inside in parts])),
        # numpy has no fields of arrays of nothing.
        st.builds(lambda dtype, shape: np.dtype([("a", dtype, shape)]), inner.filter(lambda d: d.itemsize), SHAPES),
        fields.map(lambda parts: np.dtype((np.record, parts))),
    )


DTYPES = st.recursive(PLAIN, _compound, max_leaves=6)


@RELAXED
@given(DTYPES, PROTOCOLS)
def test_any_dtype(dtype, protocol):
    assert_same([dtype, {"again": dtype}, np.dtype([("x", dtype)])], protocol)


@RELAXED
@given(DTYPES, st.lists(st.integers(0, 3), max_size=3).map(tuple), st.sampled_from("CF"), PROTOCOLS, SEEDS)
def test_any_array(dtype, shape, order, protocol, seed):
    array = np.zeros(shape, dtype, order)
    if not dtype.hasobject and array.size:
        raw = np.random.default_rng(seed).integers(0, 127, array.nbytes, dtype=np.uint8)
        flat = np.frombuffer(raw.tobytes(), dtype) if dtype.itemsize else array.ravel()
        if dtype.kind not in "U" and flat.size == array.size:
            array = flat.reshape(shape, order=order)
    assert_same(array, protocol)
    assert_same([array, array.T, array[..., :1] if array.ndim else array, {"again": array}], protocol)
    if array.ndim:
        assert_same(list(array.flat)[:3], protocol)
    if array.ndim and dtype.kind not in "VMm":
        # numpy has no value to fill the others with.
        assert_same(np.ma.masked_array(array, mask=array.astype(bool) if dtype.kind in "iuf" else False), protocol)


@RELAXED
@given(st.lists(st.one_of(VALUES, st.just(None)), max_size=4), PROTOCOLS)
def test_any_array_of_objects(values, protocol):
    array = np.empty(len(values), object)
    for place, value in enumerate(values):
        array[place] = value
    assert_same(array, protocol)


COLUMNS = {
    "float": lambda n: pd.Series(np.arange(n) / 3),
    "big endian": lambda n: pd.Series(np.arange(n).astype(">i4")),
    "text": lambda n: pd.Series([f"b{i}" for i in range(n)], dtype="str"),
    "object": lambda n: pd.Series([{"i": i} for i in range(n)], dtype=object),
    "time": lambda n: pd.Series(pd.date_range("2024", periods=n, freq="h")),
    "zone": lambda n: pd.Series(pd.date_range("2024", periods=n, freq="h", tz="Europe/Berlin")),
    "seconds": lambda n: pd.Series(pd.date_range("2024", periods=n, freq="s", unit="s")),
    "span": lambda n: pd.Series(pd.to_timedelta(np.arange(n), unit="m")),
    "category": lambda n: pd.Series(pd.Categorical([f"c{i % 2}" for i in range(n)])),
    "integer": lambda n: pd.Series(pd.array([None, *range(n)][:n], dtype="Int32")),
    "boolean": lambda n: pd.Series(pd.array([True, None] * n, dtype="boolean")[:n]),
    "arrow": lambda n: pd.Series(pd.array(range(n), dtype="int8[pyarrow]")),
    "interval": lambda n: pd.Series(pd.interval_range(0, n)),
    "period": lambda n: pd.Series(pd.period_range("2024-01", periods=n, freq="D")),
    "sparse": lambda n: pd.Series(pd.arrays.SparseArray([0, 0, 1] * n)[:n]),
}


@RELAXED
@given(st.lists(st.sampled_from(sorted(COLUMNS)), unique=True), st.integers(1, 5), st.booleans(), PROTOCOLS)
def test_any_frame(kinds, rows, indexed, protocol):
    frame = pd.DataFrame({kind: COLUMNS[kind](rows) for kind in kinds})
    if indexed and kinds:
        frame = frame.set_index(kinds[0])
    assert_same(frame, protocol)
    assert_same([frame, *(frame[kind] for kind in frame.columns)], protocol)


ARROW = [
    (pa.int16(), st.integers(-5, 5)),
    (pa.string(), st.text(max_size=20)),
    (pa.large_binary(), st.binary(max_size=5)),
    (pa.list_(pa.float32()), st.lists(st.integers(0, 9), max_size=3)),
    (
        pa.struct([("a", pa.bool_()), ("b", pa.string())]),
        st.fixed_dictionaries({"a": st.booleans(), "b": st.text(max_size=3)}),
    ),
    (pa.string_view(), st.text(max_size=20)),
    (pa.map_(pa.string(), pa.int8()), st.lists(st.tuples(st.text(max_size=2), st.integers(0, 5)), max_size=2)),
    (pa.dictionary(pa.int8(), pa.string()), st.sampled_from("abc")),
]

TYPED = st.sampled_from(ARROW).flatmap(lambda kind: st.tuples(st.just(kind[0]), st.lists(st.none() | kind[1])))


@RELAXED
@given(TYPED, PROTOCOLS)
def test_any_arrow_array(typed, protocol):
    kind, values = typed
    array = pa.array(values, kind)
    assert_same(array, protocol)
    assert_same(array.slice(1), protocol)
    assert_same(pa.table({"a": array}), protocol)


@RELAXED
@given(
    st.sampled_from(["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]),
    st.sampled_from(["matrix", "array"]),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 99),
    PROTOCOLS,
)
def test_any_sparse_matrix(kind, family, rows, columns, seed, protocol):
    dense = np.random.default_rng(seed).integers(0, 3, (rows, columns)).astype(float)
    assert_same(getattr(sparse, f"{kind}_{family}")(dense), protocol)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", [np.array([1, 2], ">i4"), np.dtype(">f8"), np.dtype(">M8[s]"), Decimal("1.5")])
def test_the_order_of_bytes_is_kept(value, protocol):
    """A dtype whose state is ignored would come back in the machine's own order, silently."""
    assert_same([">", value, "<", value], protocol)
