"""What imports nothing is loaded at the speed of C; whatever else it may be is left to the careful way."""

from __future__ import annotations

import datetime
import pickle
from typing import Any

import pytest
from hypothesis import given, settings

from aios3_nb.formats import Held
from aios3_nb.formats.pickle import load_pickle
from aios3_nb.formats.pickle.plain import NotPlainError, load_plain
from tests.formats.pickle.test_row import PLAIN


@settings(max_examples=50, deadline=None)
@given(value=PLAIN)
def test_plain_data_is_what_pickle_makes_of_it(value: Any) -> None:
    assert load_plain(pickle.dumps(value, protocol=5), "ASCII") == value


@pytest.mark.parametrize("value", [7, "short", {"values": [1 / 3] * 2000}, b"x" * 5000])
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_the_file_is_left_behind_the_pickle(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol=protocol)
    for rest in (b"", b"the rest"):
        file = Held(data + rest)
        assert load_pickle(file) == value
        assert file.tell() == len(data)


def framed(opcodes: bytes, size: int | None = None) -> bytes:
    return b"\x80\x04\x95" + (len(opcodes) if size is None else size).to_bytes(8, "little") + opcodes


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(pickle.dumps(datetime.date(2026, 1, 1)), id="a name"),
        pytest.param(framed(b"cos\nsystem\n."), id="a name by lines"),
        pytest.param(framed(b"\x8c\x03who\x51."), id="a persistent id"),
        pytest.param(pickle.dumps([1]) + pickle.dumps([2]), id="two in a row"),
        pytest.param(pickle.dumps("text" * 20)[:-1], id="cut short"),
        pytest.param(framed(b"N." + b"N" * 20), id="more behind its stop"),
        pytest.param(framed(b"N" * 20 + b"0" * 19 + b".", size=30), id="more behind its frame"),
        pytest.param(b"\x80\x04N0" + framed(b"\x8c\x05a", size=3)[2:] + b"bcde.", id="a string across a frame's end"),
        pytest.param(b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b".", id="a terabyte"),
    ],
)
def test_anything_else_takes_the_careful_way(data: bytes) -> None:
    with pytest.raises(NotPlainError):
        load_plain(data, "ASCII")
