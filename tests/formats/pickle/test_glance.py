"""What a glance at a frame says spares reading a pickle twice; and where it is wrong, nothing loads that must not."""

from __future__ import annotations

import io
import os
import pickle

import numpy as np
import pytest

from aios3_nb.errors import BlockedPickleError, S3Error
from aios3_nb.formats.pickle import load_pickle
from aios3_nb.formats.pickle.glance import names_something
from tests.dripping import Dripping


class Unseekable(Dripping):
    """A file that cannot be read a second time."""

    def __init__(self, data):
        super().__init__(data, len(data))

    def seekable(self):
        return False


DASHES = "a \u2013 b \u2014 c \u201d " * 100
"""Text whose bytes are those of opcodes: 0x93 that imports, and 0x94 that remembers."""

PLAIN = {
    "long texts": [DASHES + str(i) for i in range(200)],
    "texts of all lengths": [DASHES[:i] for i in range(900)],
    "records of texts": [{"title": f"{i}\u2013", "text": DASHES + str(i), "year": i} for i in range(200)],
    "both bytes one after the other": ["\u24d4\u0413\u0414 \x93\x94" * 200 + str(i) for i in range(200)],
    "short texts": [f"\u2013{i}" for i in range(5000)],
    "numbers": [i * 0.7 for i in range(20_000)],
}


def frames_of(data: bytes) -> list[bytes]:
    frames, at = [], 2
    while data[at : at + 1] == b"\x95":
        end = at + 9 + int.from_bytes(data[at + 1 : at + 9], "little")
        frames.append(data[at + 9 : end])
        at = end
    return frames


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("value", PLAIN.values(), ids=list(PLAIN))
def test_what_imports_nothing_is_not_taken_for_an_import(value, protocol):
    data = pickle.dumps(value, protocol)
    assert [names_something(frame) for frame in frames_of(data)] == [False] * len(frames_of(data))
    assert load_pickle(Unseekable(data)) == value


@pytest.mark.parametrize("value", PLAIN.values(), ids=list(PLAIN))
def test_an_import_is_seen_wherever_it_stands(value):
    """Or the pickle would have to be read a second time, which this file cannot."""
    for before in (0, 1, 20, len(value) // 2, len(value)):
        row = [*value[:before], np.arange(3), *value[before:]]
        data = pickle.dumps(row, 5)
        assert any(map(names_something, frames_of(data)))
        assert load_pickle(Unseekable(data))[before].tolist() == [0, 1, 2]


def framed(code: bytes) -> bytes:
    return b"\x80\x04\x95" + len(code).to_bytes(8, "little") + code


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data + b"\x94"


SYSTEM = b"\x8c\x02os\x94\x8c\x06system\x94"
LONG = text(DASHES * 4) * 20
HIDDEN = {
    "an import that is not remembered": LONG + SYSTEM + b"\x93" + LONG,
    "one by lines": LONG + b"cos\nsystem\n" + LONG,
    "one behind an opcode between name and import": LONG + SYSTEM + b"N0\x93\x94" + LONG,
    "one behind more short opcodes than are counted": b"C\x01\x93" + b"N0" * 20_000 + SYSTEM + b"\x93",
    "one behind bytes of all lengths": b"C\x02\x93\x93" * 400 + SYSTEM + b"\x93",
    "one behind the same in a string of bytes": b"C\xff" + (SYSTEM + b"\x93").ljust(255, b"N") + SYSTEM + b"\x93",
}


@pytest.mark.parametrize("code", HIDDEN.values(), ids=list(HIDDEN))
def test_what_the_glance_does_not_see_is_refused_all_the_same(code, tmp_path):
    made = tmp_path / "made"
    run = text(f"touch {made}") + b"\x85R."
    with pytest.raises(S3Error) as caught:
        load_pickle(io.BufferedReader(io.BytesIO(framed(code + run))))
    assert isinstance(caught.value, BlockedPickleError)
    assert "os.system" in str(caught.value) or os.name == "nt"
    assert not made.exists()


def test_a_length_that_lies_hides_nothing():
    """The text swallows the import, or ends before it: Python reads the same, and so what is there is refused."""
    code = LONG + text("x" * 300) + SYSTEM + b"\x93\x94"
    at = code.index(b"x" * 300) - 4
    for length in (0, 1, 299, 300, 301, 400, 100_000, 2**31):
        lying = framed(code[:at] + length.to_bytes(4, "little") + code[at + 4 :] + b"\x85R.")
        with pytest.raises(S3Error):
            load_pickle(io.BufferedReader(io.BytesIO(lying)))
