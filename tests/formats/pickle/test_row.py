"""Many pickles in a row: the same objects as pickle.load gives one after the other, plain ones taken quickly."""

from __future__ import annotations

import datetime
import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from aios3_nb.errors import BlockedPickleError, FormatError, TruncatedError
from aios3_nb.formats.pickle import iterate_pickles
from aios3_nb.formats.pickle.row import NotPlainError, Row
from tests.dripping import Dripping

PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(max_size=300)),
    lambda inner: st.one_of(st.lists(inner), st.tuples(inner, inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)
ITEMS = st.one_of(PLAIN, st.dates(), st.datetimes(), st.just({"n": np.int64(3)}["n"]), st.sets(st.integers()))


def a_file(data: bytes) -> Any:
    return io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None)
@given(items=st.lists(st.tuples(ITEMS, st.integers(0, 5)), max_size=25), step=st.sampled_from([1, 2, 7, 1000]))
def test_a_row_gives_what_pickle_gives(items: list[tuple[Any, int]], step: int) -> None:
    data = b"".join(pickle.dumps(item, protocol) for item, protocol in items)
    assert list(iterate_pickles(Dripping(data, step))) == [item for item, _ in items]


def test_large_and_small_follow_one_another() -> None:
    items = [b"x" * 3_000_000, {"n": 1}, np.arange(500_000.0), "end", bytearray(2_000_000)]
    loaded = list(iterate_pickles(a_file(b"".join(map(pickle.dumps, items)))))
    assert loaded[:2] == items[:2]
    np.testing.assert_array_equal(loaded[2], items[2])
    assert loaded[3:] == items[3:]


def test_after_a_pickle_that_is_not_plain_the_file_stands_where_it_stood() -> None:
    moment = datetime.datetime(2024, 5, 6)
    row = Row(a_file(pickle.dumps(1) + pickle.dumps(moment) + pickle.dumps(2)))
    assert row.plain() == 1
    at = row.tell()
    with pytest.raises(NotPlainError):
        row.plain()
    assert row.tell() == at
    assert pickle.load(row) == moment
    assert row.plain() == 2
    assert not row.more


def test_what_is_blocked_or_cut_short_is_said_with_its_place() -> None:
    good = b"".join(pickle.dumps({"n": n}) for n in range(50))
    items = iterate_pickles(a_file(good + pickle.dumps(print)))
    assert [next(items)["n"] for _ in range(50)] == list(range(50))
    with pytest.raises(BlockedPickleError) as blocked:
        next(items)
    assert blocked.value.names == ("builtins.print",)
    for cut in (1, 2, 5):
        with pytest.raises(TruncatedError):
            list(iterate_pickles(a_file(good[:-cut])))
    with pytest.raises(FormatError) as wrong:
        list(iterate_pickles(a_file(good + b"<html>")))
    assert wrong.value.offset == len(good)
