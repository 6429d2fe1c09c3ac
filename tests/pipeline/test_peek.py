"""Looking into objects: bounded work, nothing executed or imported, and hostile names made harmless."""

from __future__ import annotations

import io
import json
import pickle
import random
import sys
from dataclasses import replace
from fractions import Fraction

import pytest

from aios3_nb.errors import FormatError, S3Error
from aios3_nb.formats.pickle import load_pickle
from aios3_nb.pipeline.peek import Peek, outline_json, outline_other, outline_pickle
from aios3_nb.pipeline.peek.ranges import EndError, EnoughError, Ranges
from tests.formats.pickle import objects as pickle_objects
from tests.formats.pickle.attacks import named as pickle_attacks

MIB = 1024 * 1024


class Ranged:
    """A reader of ranges of `data`, which notes each."""

    def __init__(self, data):
        self.data = data
        self.ranges = []

    def __call__(self, start, stop):
        assert 0 <= start < stop <= len(self.data)
        self.ranges.append((start, stop))
        return bytes(self.data[start:stop])

    @property
    def fetched(self):
        return sum(stop - start for start, stop in self.ranges)


def outlined(value, protocol=4, **limits):
    data = pickle.dumps(value, protocol)
    return outline_pickle(Ranged(data), len(data), **limits)


class Sparse:
    """512 MB of pickled arrays of which only the opcodes are there."""

    def __init__(self, arrays=8, size=64 * MIB):
        import numpy as np

        small = pickle.dumps({f"a{i}": np.zeros(9) for i in range(arrays)}, 4)
        raw = b"C" + bytes([72]) + bytes(72)
        self.parts = [part + b"\x8e" + size.to_bytes(8, "little") for part in small.split(raw)]
        self.parts[-1] = self.parts[-1][:-9]
        # The frame's length no longer fits.
        self.parts[0] = self.parts[0][:2] + self.parts[0][11:]
        self.size = size
        self.length = sum(map(len, self.parts)) + size * arrays
        self.ranges = []

    def __call__(self, start, stop):
        self.ranges.append((start, stop))
        data = bytearray(stop - start)
        at = 0
        for part in self.parts:
            low, high = max(at, start), min(at + len(part), stop)
            if low < high:
                data[low - start : high - start] = part[low - at : high - at]
            at += len(part) + self.size
        return bytes(data)


def test_a_text_sequence_is_called_so_of_one_record_as_of_many() -> None:
    for document in (b'\x1e{"a": 1}\n', b'\x1e{"a": 1}\n\x1e{"a": 2}\n'):
        assert outline_json(document, len(document)).rows() == [
            ("holds", "a JSON text sequence"), ("the first", "object: a"),
        ]  # fmt: skip


def test_half_a_gigabyte_of_arrays_takes_a_few_requests_and_little():
    reader = Sparse()
    outline = outline_pickle(reader, reader.length)
    assert outline.verdict == "every name it imports may load"
    assert (outline.outermost, outline.items) == ("dict", 8)
    assert outline.payload_bytes > 512_000_000
    assert len(reader.ranges) <= 9
    assert sum(stop - start for start, stop in reader.ranges) < MIB


@pytest.mark.parametrize("library", ["stdlib", "numpy", "pandas", "scipy"])
def test_its_verdict_is_what_loading_does(library):
    for what, value in pickle_objects.TABLES[library]().items():
        for protocol in (0, 2, 4, 5):
            try:
                data = pickle.dumps(value, protocol)
            except (TypeError, pickle.PicklingError):
                continue
            outline = outline_pickle(Ranged(data), len(data))
            assert outline.verdict == "every name it imports may load", (what, protocol)
            assert outline.complete
            assert outline.protocol == (protocol if protocol > 1 else 0)
            if not what.startswith("matrix"):
                assert outline.payload_bytes <= len(data)


@pytest.mark.parametrize(
    ("value", "kind", "items"),
    [
        ([1, 2, 3], "list", 3),
        ({"a": 1}, "dict", 1),
        ((1, 2), "tuple", 2),
        ({1, 2, 3}, "set", 3),
        (list(range(5000)), "list", 5000),
        ("text", "str", 0),
        (None, "None", 0),
        (7, "int", 0),
        (Fraction(1, 3), "fractions.Fraction", 0),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_the_outermost_type_is_named_and_counted(value, kind, items, protocol):
    outline = outlined(value, protocol)
    if protocol == 2 and kind == "set":
        kind, items = "builtins.set", 0
    assert (outline.outermost, outline.items) == (kind, items)


@pytest.mark.parametrize("protocol", range(6))
def test_frames_and_arrays_are_called_what_they_are(protocol):
    import numpy as np
    import pandas as pd

    assert outlined(np.zeros(3), protocol).outermost == "numpy.ndarray"
    assert outlined(np.zeros(3, "M8[s]"), protocol).outermost == "numpy.ndarray"
    assert outlined(pd.DataFrame({"a": [1]}), protocol).outermost == "pandas.DataFrame"


def test_names_come_with_how_many_objects_are_made():
    outline = outlined([Fraction(i, 7) for i in range(1, 5)])
    assert outline.names == {"fractions.Fraction": 4}
    assert outline.depth == 3


class Outside:
    """A class that is on no list."""


def test_blocked_names_are_the_verdict():
    outline = outlined({"a": Outside(), "b": Fraction(1)})
    assert outline.blocked == (f"{__name__}.Outside",)
    assert "not on the safe list" in outline.verdict
    assert ("blocked", f"{__name__}.Outside  (1 made)") in outline.rows()


def test_a_package_that_is_not_installed_is_named_and_nothing_is_imported(monkeypatch):
    from aios3_nb.formats.pickle import find

    data = b"\x80\x02csklearn.dummy\nDummyClassifier\n)\x81."
    monkeypatch.setattr(find.importlib.util, "find_spec", lambda package: None)
    outline = outline_pickle(Ranged(data), len(data))
    assert outline.missing == ("sklearn",)
    assert "pip install scikit-learn" in outline.verdict


def test_nothing_is_imported_or_run():
    data = b"\x80\x02cthis\ns\n(cantigravity\nx\ntR."
    outline = outline_pickle(Ranged(data), len(data))
    assert set(outline.names) == {"this.s", "antigravity.x"}
    assert not {"this", "antigravity"} & sys.modules.keys()


def test_work_is_bounded_by_opcodes_and_says_how_far_it_came():
    outline = outlined([{"i": i} for i in range(1000)], max_opcodes=500)
    assert not outline.complete
    assert outline.opcodes == 500
    assert outline.verdict.startswith("could not tell yet")


def test_work_is_bounded_by_bytes():
    data = pickle.dumps([str(i) * 10 for i in range(300_000)], 4)
    reader = Ranged(data)
    outline = outline_pickle(reader, len(data), max_bytes=MIB)
    assert not outline.complete
    assert reader.fetched <= MIB
    assert reader.fetched == max(stop for _, stop in reader.ranges)


def test_many_arrays_take_a_bounded_number_of_requests():
    reader = Sparse(arrays=300, size=MIB)
    outline = outline_pickle(reader, reader.length)
    assert not outline.complete
    assert len(reader.ranges) <= 64


@pytest.mark.parametrize("name", pickle_attacks.ATTACKS)
def test_an_attack_has_an_outline_and_what_is_blocked_there_is_blocked_when_loading(name):
    data = pickle_attacks.ATTACKS[name]()
    outline = outline_pickle(Ranged(data), len(data))
    assert outline.verdict
    if outline.blocked or "only the application" in outline.problem:
        with pytest.raises(S3Error):
            load_pickle(io.BufferedReader(io.BytesIO(data)))


def test_any_bytes_have_an_outline():
    rng = random.Random(5)
    honest = pickle.dumps([{"a": (1, "x" * 300)}, Fraction(1, 3), {1, 2}, b"y" * 70_000], 4)
    for _ in range(500):
        data = bytearray(honest[: rng.randrange(len(honest))] if rng.random() < 0.5 else honest)
        for _ in range(rng.randrange(4)):
            if data:
                data[rng.randrange(min(len(data), 400))] = rng.randrange(256)
        outline = outline_pickle(Ranged(bytes(data)), len(data))
        assert outline.complete or outline.problem or outline.verdict
    for length in range(40):
        outline_pickle(Ranged(rng.randbytes(length)), length)


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_a_cut_pickle_is_called_cut(cut):
    data = pickle.dumps(["some text", Fraction(1, 3)])[:-cut]
    assert "cut short" in outline_pickle(Ranged(data), len(data)).verdict


# Ranges.


def test_ranges_grow_and_are_small_after_a_step():
    reader = Ranged(bytes(20 * MIB))
    ranges = Ranges(reader, 20 * MIB, max_bytes=10 * MIB, max_requests=9)
    for _ in range(10):
        ranges.take(60_000)
    ranges.step(5 * MIB)
    ranges.take(1)
    sizes = [stop - start for start, stop in reader.ranges]
    assert sizes == [128 * 1024, 256 * 1024, 512 * 1024, 16 * 1024]
    assert ranges.position == 10 * 60_000 + 5 * MIB + 1


def test_ranges_end():
    ranges = Ranges(Ranged(b"abc\ndef"), 7, max_bytes=100, max_requests=1)
    assert ranges.take_line() == b"abc"
    assert ranges.take(3) == b"def"
    for beyond in (lambda: ranges.take(1), ranges.take_line, lambda: ranges.step(1)):
        with pytest.raises(EndError):
            beyond()
    with pytest.raises(EnoughError):
        Ranges(Ranged(b"abc"), 3, max_bytes=1, max_requests=1).take(3)


# JSON and others.


def test_the_keys_of_an_object_and_what_is_there():
    document = json.dumps(
        {"id": 5, "name": "x", "tags": [1, 2], "inner": {"a": 1, "b": 2}, "n": None, "t": True}
    ).encode()
    outline = outline_json(document, len(document))
    assert outline.complete
    assert outline.outermost == "object"
    assert outline.entries == (
        ("id", "number, 5"),
        ("name", "text, x"),
        ("tags", "array of 2 int"),
        ("inner", "object of 2: a, b"),
        ("n", "null"),
        ("t", "true"),
    )


def test_any_beginning_of_a_document_has_an_outline_that_claims_no_more_than_it_shows():
    document = json.dumps([{"id": n, "text": "ü" * n, "deep": [[n]]} for n in range(12)], ensure_ascii=False).encode()
    whole = outline_json(document, len(document))
    assert (whole.outermost, len(whole.entries), whole.problem) == ("array", 12, "")
    for end in range(len(document)):
        outline = outline_json(document[:end], len(document))
        assert not outline.complete
        assert not outline.problem
        sure = [entry for entry in outline.entries if "cut here" not in entry[1]]
        assert sure == list(whole.entries[: len(sure)])


def test_the_elements_of_an_array_are_told_by_what_their_keys_hold():
    users = [{"id": n, "name": "x", "address": {"city": "y"}, **({"w": 1.5} if n else {})} for n in range(2000)]
    shape = "{id: int, name: str, address: {...}, w?: float}"
    document = json.dumps({"users": users, "none": [], "mixed": [1, "x", [2], None]}).encode()
    shown = dict(outline_json(document, len(document)).rows())
    assert shown["users"] == f"array of 2,000 {shape}"
    assert (shown["none"], shown["mixed"]) == ("array of 0", "array of 4 int | str | [...] | null")
    # Most of it is not looked at, and the array does not end in what is.
    assert dict(outline_json(document[:5000], len(document)).rows())["users"] == f"array of {shape} (cut here)"
    document = json.dumps(users).encode()
    assert outline_json(document[:5000], len(document)).rows()[0][1].endswith(f" looked at): {shape}")
    wide = json.dumps([[dict.fromkeys(map(str, range(20)), 1)]]).encode()
    assert "7: int, ...}" in outline_json(wide, len(wide)).rows()[1][1]


@pytest.mark.parametrize("document", [b"hello", b"{1: 2}", b'{"a" 1}', b"[1 2]", b"[1,]", b"", b'{"a":', b"\xff\xfe"])
def test_what_is_no_json_is_called_so(document):
    assert outline_json(document, len(document)).problem


def test_numbers_and_depth_that_parsers_choke_on_do_no_harm():
    for document in (b"9" * 100_000, b"[" * 100_000, b'{"a":' * 100_000, b"1e999999999", b"[NaN, Infinity]"):
        outline_json(document, len(document) + 1)


def test_json_lines_are_lines():
    outline = outline_json(b'{"a": 1}\n{"a": 2}\n', 18)
    assert outline.rows() == [("holds", "several values in a row"), ("the first", "object: a")]


def test_other_formats_show_what_they_begin_with():
    import numpy as np

    array = io.BytesIO()
    np.save(array, np.zeros((3, 4), ">f4"))
    assert outline_other(array.getvalue(), "npy").rows() == [("holds", "array of shape (3, 4), dtype >f4")]
    assert outline_other(b"\x93NUMPY\x01\0\xff\xff__import__('os')", "npy").rows()[0][1].endswith("cannot be read")
    assert outline_other("first\nsecond ü".encode()[:-1], "text").rows() == [("line 1", "first"), ("line 2", "second ")]
    assert outline_other(b"\x00\x01", "bytes").rows()[0] == ("begins", "00 01")
    assert outline_other(b"", "bytes").rows() == [("holds", "nothing, it is empty")]


# What is shown.


def peeked(outline, uri="s3://b/k.pkl"):
    return Peek(uri, 1234, '"etag"', "CRC32", "pickle", "", 500, 1, outline)


def test_what_is_in_the_object_is_never_respelled():
    for outline in (outline_other(b"see --trust", "text"), outline_json(b'{"verdict": "--trust"}', 22)):
        assert "--trust" in repr(peeked(outline))
    two = peeked(outlined_twice({"a": 1}))
    assert "aios3_nb.iterate gives all" in repr(two)
    assert "--iter gives all" in repr(replace(two, in_line=True))


def outlined_twice(value):
    data = pickle.dumps(value) * 2
    return outline_pickle(Ranged(data), len(data))


def test_text_and_table_say_the_same():
    peek = peeked(outlined({"a": 1}))
    assert "dict of 1" in repr(peek)
    assert "every name it imports may load" in repr(peek)
    assert repr(peek).splitlines()[0] == "s3://b/k.pkl"
    for heading, text in peek.rows():
        assert heading in peek._repr_html_()
        assert text.replace('"', "&quot;") in peek._repr_html_()


@pytest.mark.parametrize("hostile", ["<img src=x onerror=alert(1)>", "\x1b[31mred", "\u202etxt", "a\nb"])
def test_hostile_names_are_shown_harmlessly(hostile):
    data = b"\x80\x04\x8c" + bytes([len(hostile.encode())]) + hostile.encode() + b"\x8c\x01x\x93."
    pickled = peeked(outline_pickle(Ranged(data), len(data)), uri=f"s3://b/{hostile}")
    document = json.dumps({hostile: hostile}).encode()
    parsed = peeked(outline_json(document, len(document)))
    other = peeked(outline_other(hostile.encode(), "text"))
    for peek in (pickled, parsed, other):
        assert "<img" not in peek._repr_html_()
        for shown in (repr(peek), peek._repr_html_()):
            assert not set(shown) & {"\x1b", "\u202e"}
        assert len(repr(peek).splitlines()) == len(peek.rows()) + 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x80\x02cnumpy\nabs\n)R.", "calls numpy.abs, which a pickle may only name"),
        (b"\x80\x02cnumpy\nndarray\n)R.", "calls numpy.ndarray"),
        (b"\x80\x02ctypes\nSimpleNamespace\n)R)R.", "calls what is no name"),
        # Arguments and states, as far as they are known.
        (b"\x80\x02cbuiltins\nbytes\nX\1\0\0\0xX\4\0\0\0idna\x86R.", "calls builtins.bytes with (str, str)"),
        (b"\x80\x02c_codecs\nencode\nX\1\0\0\0xX\4\0\0\0idna\x86R.", "calls _codecs.encode with (str, str)"),
        (b"\x80\x02cbuiltins\nbytearray\nM\xff\xff\x85R.", "calls builtins.bytearray with (int)"),
        (b"\x80\x02cnumpy\ndtype\n]X\1\0\0\0xX\1\0\0\0x\x87R.", "calls numpy.dtype with (list, str, str)"),
        (b"\x80\x02cuuid\nUUID\nK\1\x85\x81.", "calls uuid.UUID with (int)"),
        (b"\x80\x02cuuid\nUUID\nK\1\x85R.", "calls uuid.UUID with (int)"),
        (b"\x80\x02(cuuid\nUUID\nK\1o.", "calls uuid.UUID with (int)"),
        (b"\x80\x02(K\1iuuid\nUUID\n.", "calls uuid.UUID with (int)"),
        (b"\x80\x02ctypes\nSimpleNamespace\n)R}X\x09\0\0\0__class__Nsb.", "a state that Python never writes"),
        (b"\x80\x02cpandas\nNA\n}X\1\0\0\0xNsb.", "sets the state of a type"),
        (b"\x80\x02]}X\1\0\0\0xNsb.", "sets the state of a list"),
        (b"\x80\x02cdecimal\nDecimal\n)R}X\1\0\0\0xNsb.", "a state that Python never writes"),
    ],
)
def test_its_verdict_knows_what_loading_never_calls(data, says):
    outline = outline_pickle(Ranged(data), len(data))
    assert says in outline.verdict
    with pytest.raises(FormatError):
        load_pickle(io.BufferedReader(io.BytesIO(data)))
