"""Pickles in a row from the middle of a file on: what begins where it seems to is what a read from the start finds."""

from __future__ import annotations

import io
import pickle
from typing import Any

import pytest

from aios3_nb.formats.pickle import begins_with_several, load_pickles_between, may_begin

VALUES = [1, "text", b"bytes" * 50, {"inner": pickle.dumps([b"."], 4) * 2}, list(range(30)), None]


def file(body: bytes) -> Any:
    return io.BufferedReader(io.BytesIO(body))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_beginning_is_among_those_that_seem_to_be(protocol: int) -> None:
    pickles = [pickle.dumps(value, protocol) for value in VALUES]
    body = b"".join(pickles)
    begins = {sum(map(len, pickles[:n])) for n in range(len(pickles))}
    assert list(may_begin(file(body), 0, 9)) == [0]  # there it is known
    for start in range(1, len(body)):
        for stop in (start + 1, start + 7, len(body)):
            found = list(may_begin(file(body), start, stop))
            assert {begin for begin in begins if start <= begin < stop} <= set(found)
            assert all(start <= place < stop for place in found)
    for number, begin in enumerate(sorted(begins)):
        for stop in range(begin + 1, len(body)):
            values, end = load_pickles_between(file(body), begin, stop)
            assert values == VALUES[number : number + len(values)]
            assert end == sum(map(len, pickles[: number + len(values)])) >= stop


def test_a_long_way_to_the_next_one_is_looked_through_in_steps() -> None:
    large = pickle.dumps(bytes(3 << 20)) + pickle.dumps(2)
    assert list(may_begin(file(large), 5, len(large))) == [len(large) - len(pickle.dumps(2))]


def test_two_whole_ones_that_can_be_found_are_several() -> None:
    several = pickle.dumps(1) + pickle.dumps(2)
    assert begins_with_several(several + b"\x80\x04cut")
    assert not begins_with_several(pickle.dumps(1))
    assert not begins_with_several(several[:-1])
    assert not begins_with_several(pickle.dumps([1], 0) * 2)  # without marks
    assert not begins_with_several(b"")
