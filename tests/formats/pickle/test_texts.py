"""Rows of texts that are measured by numpy come to the same bytes as when each is walked over: nothing hides there."""

from __future__ import annotations

import io
import pickle
import random
import sys

import numpy as np
import pytest

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle import feed, load_pickle, texts
from aios3_nb.formats.pickle.texts import TextRows, text_rows
from tests.formats.pickle.attacks.named import call, data, name, object_dtype, pickled, put, text


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Have little measured, too; in the field that takes longer than to walk over it."""
    monkeypatch.setattr(texts, "_SMALLEST", 0)


BEHIND = [b"\x94"] * 97 + [b"a", b"b", b"R"]


def row(rng: random.Random, count: int) -> bytes:
    """Return `count` short texts, of bytes that are opcodes as well; behind some comes another one than MEMOIZE."""
    several = [bytes(rng.choices(b"abRbuse.(\x8c\x94\x05\x93t", k=rng.randrange(12))) for _ in range(count)]
    return b"".join(b"\x8c" + bytes([len(text)]) + text + rng.choice(BEHIND) for text in several)


def frame(rng: random.Random) -> bytes:
    """Return rows between other opcodes, and in strings, with some bytes spoilt."""
    parts = []
    for _ in range(rng.randrange(2, 7)):
        several = row(rng, rng.randrange(20, 90))
        long_text = b"X" + len(several).to_bytes(4, "little") + several
        cut = b"C\xff" + several[: rng.randrange(255)]
        parts += rng.choices((several, long_text, cut, b"](" + several + b"e"), (8, 1, 1, 4))
        parts.append(
            rng.choice((b"", b"R", b"\x85R\x94", b"K\x8c", b"J\x94\x8c\x01a", b"e(", b"h\x94", b"C\x03\x94\x8c\x05"))
        )
    spoilt = bytearray(b"".join(parts))
    for _ in range(rng.choice((0, 0, 1, 5))):
        spoilt[rng.randrange(len(spoilt))] = rng.choice(b"\x8c\x94R\x00\x05X.")
    return bytes(spoilt) + b"."


def handed_on(code: bytes) -> tuple[bytes, str]:
    """Return what the unpickler gets of a frame of `code`, and how that ends."""
    file = io.BufferedReader(io.BytesIO(b"\x80\x04\x95" + len(code).to_bytes(8, "little") + code))
    fed = feed.Feed(file, careful=True)
    got = b""
    try:
        while piece := fed.peek(1):
            got += fed.read(len(piece))
    except FormatError as exc:
        return got, str(exc)
    return got, "the end"


@pytest.mark.parametrize("seed", range(60))
def test_measured_or_walked_over_the_unpickler_gets_the_same(seed, monkeypatch):
    code = frame(random.Random(seed))
    measured = handed_on(code)
    monkeypatch.delitem(sys.modules, "numpy")
    assert list(text_rows(code, 0, len(code))) == []
    assert measured == handed_on(code)


def test_the_frames_of_this_test_have_rows():
    codes = [frame(random.Random(seed)) for seed in range(200)]
    rows = [list(text_rows(code, 0, len(code))) for code in codes]
    assert sum(map(bool, rows)) > 50


def test_rows_are_found_as_python_writes_them():
    written = [f"text {i} \u010c" for i in range(2500)]
    code = pickle.dumps(written, 4)
    found = list(text_rows(code, 2, len(code)))
    assert len(found) == 3  # for Python writes 1,000 at once
    assert sum(end - begin for begin, end in found) > len(code) * 0.95
    array = np.array(written, dtype=object)
    assert load_pickle(io.BufferedReader(io.BytesIO(pickle.dumps(array, 5)))).tolist() == written


def test_rows_are_looked_for_in_no_byte_twice(monkeypatch):
    monkeypatch.setattr(texts, "_SMALLEST", 1000)
    code = pickle.dumps([f"text {i}" for i in range(900)], 4)
    rows = TextRows()
    assert list(rows.find(code, 2, len(code), 2))
    assert not list(rows.find(code, 11, len(code), 11))
    assert list(rows.find(code, 2, len(code), len(code)))


ABS = name("numpy", "absolute")
"""What may stand in the data, and is never called."""

SHORT = b"\x8c\x03abc\x94"
ROW = SHORT * 300
CALLS = {
    "behind a row": ROW + ABS + text("x") + b"\x85R" + ROW,
    "between two texts": ROW + ABS + SHORT + b"\x85R\x94" + ROW,
    "behind a text that is shorter than it looks": ROW + ABS + b"\x8c\x01x\x85R\x94" + ROW,
    "behind one that is longer, and swallows the next": ROW
    + ABS
    + b"\x8c\x0a\xe1\x94\x8c\x03abc\xe1\x94\x8c\x85R\x94"
    + ROW,
    "in front of a row that is in a string": ROW + ABS + b"\x8c\x01x\x85RB" + len(ROW).to_bytes(4, "little") + ROW,
    "behind a row that is in a string": b"B" + len(ROW).to_bytes(4, "little") + ROW + ABS + SHORT + b"\x85R" + ROW,
    "behind half a row that is in a string": b"C\x06" + ROW + ABS + b"\x8c\x01x\x85R" + ROW,
    "that a text alone is an item of": ROW + ABS + b"\x8c\x03abca" + ROW,
    "of what a row put into the memo": ABS + put(0) + ROW + b"h\x00" + SHORT + b"\x85R" + ROW,
}


@pytest.mark.parametrize("code", CALLS.values(), ids=list(CALLS))
def test_a_call_beside_texts_is_refused(code):
    attack = pickled(b"](" + object_dtype() + code + b"e")
    with pytest.raises(FormatError, match=r"(calls an instance of|puts items into) numpy\.ufunc"):
        load_pickle(io.BufferedReader(io.BytesIO(attack), len(attack)))


def test_what_the_refused_ones_are_made_of_loads():
    good = pickled(
        b"]("
        + object_dtype()
        + ROW
        + ABS
        + SHORT
        + b"\x85\x94"
        + ROW
        + call(name("builtins", "bytearray"), data(b"x"))
        + b"e"
    )
    assert load_pickle(io.BufferedReader(io.BytesIO(good), len(good))).count("abc") == 600
