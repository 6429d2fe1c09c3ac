"""What runs as it was written, since its bytes show what it does: never more than what asks first is permitted."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import pickle
import pickletools
import random
import re
import uuid

import numpy as np
import pytest

from aios3_nb.errors import FormatError, S3Error
from aios3_nb.formats.pickle import grammar, load_pickle, proven, texts
from aios3_nb.formats.pickle.asks import ASKS
from aios3_nb.formats.pickle.dtypes import DTypes
from aios3_nb.formats.pickle.grammar import Known
from aios3_nb.formats.pickle.names import Entry
from aios3_nb.formats.pickle.opcodes import runs
from aios3_nb.formats.pickle.proven import known_places
from tests.formats.pickle.attacks.frames import split
from tests.formats.pickle.attacks.named import (
    FALSE,
    NDARRAY,
    POP,
    RECONSTRUCT,
    data,
    dtype,
    get,
    number,
    object_dtype,
    put,
    text,
    tuple_of,
)

EPOCH = dt.datetime(2020, 1, 1)

KINDS = {
    "numbers of numpy": lambda i: {"a": np.float64(i), "b": i, "c": np.int16(i), "d": np.bool_(i % 2)},
    "times of numpy": lambda i: [np.datetime64(i, "us"), np.timedelta64(i, "ns")],
    "small arrays": lambda i: np.arange(3.0) + i,
    "arrays of several shapes": lambda i: (np.zeros((i % 3, 2), "i4"), np.array(i), np.ones((2, 1, i % 4), order="F")),
    "arrays of objects": lambda i: np.array([f"text {i}", i, None, 1.5, (), [], b"x", i, i, i][: i % 11], object),
    "arrays of times": lambda i: np.arange(3).astype("M8[s]"),
    "UUIDs": lambda i: uuid.UUID(int=(1 << 127 | i) >> i % 128),
    "times": lambda i: [EPOCH + dt.timedelta(i), dt.timedelta(i), dt.date(2020, 1, 1 + i % 28), dt.time(i % 24)],
    "times in a zone": lambda i: (EPOCH + dt.timedelta(i)).replace(tzinfo=dt.UTC),
    "decimals": lambda i: {
        "amount": decimal.Decimal(i) / 7,
        "of": (complex(i, 2), np.float32(i), "x" * (i % 50), b"y"),
    },
    "containers": lambda i: [(1, 2, 3, i), {1, 2, i}, [np.int8(1), []], {1: {}, 2: ()}],
}


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Have the memo looked at after a few asks; in the field it is after thousands."""
    monkeypatch.setattr(proven, "_FIRST_LOOK", 10)
    monkeypatch.setattr(proven, "_NEXT_LOOK", 4)
    monkeypatch.setattr(proven, "_ONLY_COMPILED", 1)


def unframed(data_: bytes) -> bytes:
    """Return the pickle without frames, which would all be in one piece, and be read before anything is known."""
    return data_[:2] + b"".join(split(data_))


def loaded(data_: bytes, window: int = 700):
    """Load it by a file that shows little at once, so that some of it comes after the look."""
    return load_pickle(io.BufferedReader(io.BytesIO(data_), window))


class Counting(proven.Proofs):
    asks = 0

    def note(self, asked: int, size: int) -> None:
        type(self).asks += asked
        super().note(asked, size)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("make", KINDS.values(), ids=list(KINDS))
def test_what_runs_as_it_was_written_is_what_the_standard_unpickler_makes(make, protocol, monkeypatch):
    monkeypatch.setattr("aios3_nb.formats.pickle.load.Proofs", Counting)
    monkeypatch.setattr(Counting, "asks", 0)
    data_ = unframed(pickle.dumps([make(i) for i in range(600)], protocol))
    assert pickle.dumps(loaded(data_), 4) == pickle.dumps(pickle.loads(data_), 4)
    acting = sum(opcode.code.encode("latin1") in ASKS for opcode, _, _ in pickletools.genops(data_))
    assert Counting.asks < acting * 0.8, (Counting.asks, acting)


@pytest.fixture
def looks(monkeypatch):
    """What was found at each look."""
    seen = []

    def look(*args):
        seen.append(known_places(*args))
        return seen[-1]

    monkeypatch.setattr(grammar, "_compiled", {})
    monkeypatch.setattr("aios3_nb.formats.pickle.engine.known_places", look)
    return seen


NUMBERS = [np.float64(i) for i in range(600)]


def test_nothing_is_looked_for_that_cannot_be_found(looks):
    """The first look is for what is compiled, and one more is enough when nothing new comes."""
    whole = unframed(pickle.dumps(NUMBERS, 4))
    loaded(whole)
    assert len(looks) == 1
    loaded(whole)
    assert len(looks) == 2
    assert looks[0].places == looks[1].places
    other = unframed(pickle.dumps([0, *NUMBERS], 4))
    loaded(other)
    assert len(looks) == 3


def test_what_comes_later_is_found_too(looks, monkeypatch):
    monkeypatch.setattr("aios3_nb.formats.pickle.load.Proofs", Counting)
    later = [uuid.UUID(int=i + 1) for i in range(2000)]
    whole = unframed(pickle.dumps([*NUMBERS, *later], 4))
    loaded(whole)
    assert [("empty uuid" in look.places) for look in looks[-2:]] == [False, True]
    monkeypatch.setattr(Counting, "asks", 0)
    assert loaded(whole)[-1] == later[-1]
    assert Counting.asks < 2000


class Asking(proven.Proofs):
    """Lets nothing run without asking."""

    def pattern(self):
        return runs()


def outcome(data_: bytes) -> bytes | str:
    """Return what loading comes to: the value in protocol 4, or that it was refused."""
    try:
        value = loaded(data_)
    except S3Error:
        return "refused"
    try:
        return pickle.dumps(value, 4)
    except Exception:  # a UUID without a number can tell nothing of itself
        return type(value).__name__


def spoilt(data_: bytes, rng: random.Random) -> bytes:
    """Return the pickle with a few opcodes of its second half exchanged, left out, or changed in a byte."""
    parts = split(data_)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(parts) // 2, len(parts) - 1)
        what = rng.randrange(4)
        if what == 0:
            parts[at] = parts[rng.randrange(len(parts) - 1)]
        elif what == 1:
            parts[at] = b""
        elif what == 2:
            parts.insert(at, rng.choice((b"0", b"(", b"t", b"N", b"2", b"\x85", b"\x86", b"R", b"b", b"e", b"u", b"a")))
        elif parts[at] and parts[at][:1] != b"r":  # to a place far away in the memo, which takes memory for all before
            place = rng.randrange(len(parts[at]))
            parts[at] = parts[at][:place] + bytes([rng.randrange(256)]) + parts[at][place + 1 :]
    return data_[:2] + b"".join(parts)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("make", KINDS.values(), ids=list(KINDS))
def test_what_is_spoilt_comes_to_the_same_as_when_all_of_it_asks(make, protocol, monkeypatch):
    data_ = unframed(pickle.dumps([make(i) for i in range(60)], protocol))
    rng = random.Random(1)
    every = [spoilt(data_, rng) for _ in range(6)]
    quick = list(map(outcome, every))
    monkeypatch.setattr("aios3_nb.formats.pickle.load.Proofs", Asking)
    for program, came_to in zip(every, quick, strict=True):
        assert came_to == outcome(program), program


def honest(protocol: int) -> bytes:
    """Return what begins a pickle, after which numbers, arrays, UUIDs and decimals run as they were written."""
    value = [
        [np.float64(i), np.arange(3.0) + i, uuid.UUID(int=i + 1), decimal.Decimal(i), np.array([i, None], object)]
        for i in range(60)
    ]
    return unframed(pickle.dumps(value, protocol)).removesuffix(b"e.")


class Places:
    """Gets things out of the memo of an honest beginning."""

    def __init__(self, known) -> None:
        self.places = known.places

    def __getitem__(self, kind):
        return b"h" + bytes([self.place(kind)])

    def place(self, kind) -> int:
        return self.places[kind][0]

    def scalar(self, content: bytes, *, dtype_: bytes = b"") -> bytes:
        return self["numpy.scalar"] + (dtype_ or self[8]) + content + b"\x86R"

    def array(self, shape: bytes, content: bytes, *, dtype_: bytes = b"", end: bytes = b"b") -> bytes:
        empty = self["numpy.reconstruct numpy.array"] + self["ndarray"] + b"K\x00\x85C\x01b\x87R"
        return empty + b"(K\x01" + shape + (dtype_ or self[8]) + FALSE + content + b"t" + end

    def objects(self, count: int, items: bytes, *, end: bytes = b"b") -> bytes:
        return self.array(b"K%c\x85" % count, b"]" + items, dtype_=self["objects"], end=end)

    def uuid(self, number_: bytes) -> bytes:
        return self["empty uuid"] + b")\x81}" + self["'int'"] + number_ + b"sb"

    def putting(self, what: bytes, kind, opcode: bytes) -> bytes:
        """Put `what` to the place of something else."""
        place = self.place(kind)
        places = {b"q": bytes([place]), b"r": place.to_bytes(4, "little"), b"p": b"%d\n" % place}
        return what + opcode + places[opcode] + POP


@pytest.fixture
def places(protocol, monkeypatch):
    seen = []

    def see(*args):
        seen.append(known_places(*args))
        return seen[-1]

    monkeypatch.setattr("aios3_nb.formats.pickle.engine.known_places", see)
    loaded(honest(protocol) + b"e.")
    return Places(seen[-1])


EIGHT, NINE = data(b"12345678"), data(b"123456789")
ONE, TWO = b"K\x01\x85", b"K\x02\x85"  # as Python writes them, or they would fit no pattern
WHOLE_UUID = b"\x8a\x10" + b"x" * 16

REFUSED = {
    "a scalar of fewer bytes": lambda at: at.scalar(data(b"1234567")),
    "a scalar of more bytes": lambda at: at.scalar(NINE),
    "a scalar of text": lambda at: at.scalar(text("123")),
    "a scalar of objects": lambda at: at.scalar(EIGHT, dtype_=object_dtype()),
    "a scalar of a dtype without a state": lambda at: at.scalar(EIGHT, dtype_=dtype("f8")),
    "a scalar of bytes for a dtype": lambda at: at.scalar(EIGHT, dtype_=EIGHT),
    "an array of too few bytes": lambda at: at.array(TWO, EIGHT),
    "an array of too many bytes": lambda at: at.array(ONE, NINE),
    "an array of two negative lengths": lambda at: at.array(b"J\xff\xff\xff\xff" * 2 + b"\x86", EIGHT),
    "an array whose lengths overflow": lambda at: at.array(b"(" + b"M\xff\xff" * 8 + b"t", data(b"")),
    "an array of objects": lambda at: at.array(ONE, EIGHT, dtype_=object_dtype()),
    "an array of text": lambda at: at.array(ONE, text("1234567")),
    "an array that gets a state again": lambda at: (
        at.array(ONE, EIGHT) + b"(K\x01" + ONE + at[8] + FALSE + EIGHT + b"tb"
    ),
    "an array of fewer objects": lambda at: at.objects(3, b"(NNe"),
    "an array of more objects": lambda at: at.objects(2, b"(NNNe"),
    "an array of no objects": lambda at: at.objects(1, b""),
    "an array of one object too many": lambda at: at.objects(0, b"Na"),
    "an array of objects that become one": lambda at: at.objects(2, b"(NN\x86e"),
    "an array of objects that become fewer": lambda at: at.objects(3, b"(NN\x86e"),
    "an array of objects of which one is dropped": lambda at: at.objects(3, b"(NN0e"),
    "an array of objects with a mark among them": lambda at: at.objects(2, b"(N(Ne"),
    "an array of objects of two lists": lambda at: at.objects(2, b"](NNe"),
    "an array of a negative number of objects": lambda at: at.array(
        tuple_of(number(-1)), b"](Ne", dtype_=at["objects"]
    ),
    "an array of bytes in a list": lambda at: at.array(TWO, b"](NNe"),
    "an array of objects that gets a state again": lambda at: (
        at.objects(2, b"(NNe") + b"(K\x01" + TWO + at["objects"] + FALSE + b"](NNetb"
    ),
    "an array of objects gets items": lambda at: at.objects(2, b"(NNe") + b"(" + number(0) + number(1) + b"u",
    "a UUID that gets a state again": lambda at: at.uuid(WHOLE_UUID) + b"}" + at["'int'"] + WHOLE_UUID + b"sb",
    "a UUID of a negative number": lambda at: at.uuid(b"\x8a\x01\xff"),
    "a UUID of a small negative number": lambda at: at.uuid(b"J\xff\xff\xff\xff"),
    "a UUID of 129 bits": lambda at: at.uuid(b"\x8a\x11" + bytes(16) + b"\x01"),
    "a UUID of text": lambda at: at.uuid(text("1")),
    "a UUID without a number": lambda at: at["empty uuid"] + b")\x81}b",
    "a UUID of another attribute": lambda at: at["empty uuid"] + b")\x81}" + text("hex") + WHOLE_UUID + b"sb",
    "a state for what is below": lambda at: at["empty uuid"] + b"}" + at["'int'"] + WHOLE_UUID + b"sb",
    "a call of what is below the values": lambda at: at["anything"] + number(1) + b"\x86R",
    "a call of what is far below": lambda at: at["ndarray"] + at["anything"] + number(1) + b"\x87R",
    "a call of a type": lambda at: at["ndarray"] + TWO + b"R",
    "a call of a value": lambda at: at.scalar(EIGHT) + b")R",
    "an array gets items": lambda at: at.array(ONE, EIGHT) + b"(" + number(0) + number(1) + b"u",
    "an array gets one item": lambda at: at.array(ONE, EIGHT) + number(0) + number(1) + b"s",
    "an array is appended to": lambda at: at.array(ONE, EIGHT) + b"(" + number(0) + b"e",
    "items of a dict for what is below it": lambda at: at.array(ONE, EIGHT) + b"}0(" + number(0) + number(1) + b"u",
    "items of a list for what is below it": lambda at: at.array(ONE, EIGHT) + b"]0(" + number(0) + b"e",
    "items behind two marks": lambda at: at.array(ONE, EIGHT) + b"(}(" + number(0) + number(1) + b"t0u",
    "items of pairs for what is below it": lambda at: at.array(ONE, EIGHT) + b"}0(" + at["'int'"] + number(1) + b"u",
    "a pair of which the value is a scalar of fewer bytes": lambda at: (
        b"}(" + at["'int'"] + number(1) + at["'int'"] + at.scalar(data(b"1234567")) + b"u"
    ),
    "members of what is below the set": lambda at: at.array(ONE, EIGHT) + b"\x8f0(" + number(0) + b"\x90",
    **{
        f"{what} by {opcode.decode()}": lambda at, what=what, opcode=opcode: OVERWRITTEN[what](at, opcode)
        for what in (
            *("a dtype of objects takes a place", "a dtype of numbers takes a place"),
            *("a call takes a place", "a type takes a place"),
        )
        for opcode in (b"q", b"r", b"p")
    },
}
OVERWRITTEN = {
    "a dtype of objects takes a place": lambda at, by: at.putting(object_dtype(), 8, by) + at.scalar(EIGHT),
    "a dtype of numbers takes a place": lambda at, by: at.putting(at[8], "objects", by) + at.objects(2, b"(NNe"),
    "a call takes a place": lambda at, by: at.putting(RECONSTRUCT, "numpy.scalar", by) + at.scalar(EIGHT),
    "a type takes a place": lambda at, by: at.putting(NDARRAY, "anything", by) + at["anything"] + TWO + b"R",
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("make", REFUSED.values(), ids=list(REFUSED))
def test_what_asking_would_refuse_is_refused(make, protocol, places, monkeypatch):
    attack = honest(protocol) + make(places) + b"e."
    for window in (400, 401, 403, 407, 5000):
        with pytest.raises(FormatError):
            loaded(attack, window)
    monkeypatch.setattr("aios3_nb.formats.pickle.load.Proofs", Asking)
    with pytest.raises(FormatError):
        loaded(attack)


@pytest.mark.parametrize("protocol", [2, 4])
def test_what_the_refused_ones_are_made_of_loads(protocol, places):
    """Or they would be refused for something else."""
    parts = places.scalar(EIGHT), places.array(ONE, EIGHT), places.uuid(WHOLE_UUID), places["anything"] + ONE + b"R"
    parts += tuple(places.objects(*few) for few in ((0, b""), (1, b"Na"), (2, b"(NNe")))
    assert len(loaded(honest(protocol) + b"".join(parts) + b"e.")) == 67


@pytest.mark.parametrize("protocol", [2, 4])
def test_bytes_that_look_like_what_runs_are_bytes(protocol, places):
    """Inside of a text nothing begins, and what a text swallows does not run."""
    inside = places.scalar(EIGHT)
    value = loaded(honest(protocol) + data(inside) + data(inside * 10) + b"e.")
    assert value[-2:] == [inside, inside * 10]


def test_a_row_of_texts_comes_to_no_place_that_is_relied_on(monkeypatch):
    """MEMOIZE goes where the memo has a gap, and then over what is behind it: here over the name of a codec."""
    monkeypatch.setattr(texts, "_SMALLEST", 0)
    latin1, place, proto = b"X\x06\0\0\0latin1", 100, b"\x80\x02"
    begin = b"c_codecs\nencode\n" + put(0) + latin1 + put(place) + b"00("
    calls = (get(0) + b"X\x01\0\0\0a" + get(place) + b"\x86R") * 60
    # Begun by an argument that looks like MEMOIZE, and ended without one: no text of the row is met by itself.
    row = b"K\x94" + (text("rot13") + b"\x94") * 150 + text("rot13")
    attack = proto + begin + (calls + proto) * 6 + calls + row + calls + b"t."
    assert pickle.loads(attack)[-1] == "n"
    with pytest.raises(FormatError):
        loaded(attack, len(attack))


@pytest.mark.parametrize("taken", [(), (1, 2, 4), (0, 10, 255), (3, 256), (5, 93, 94, 300), (7, 1 << 16), (1 << 24,)])
def test_no_put_goes_to_what_is_relied_on(taken):
    put = re.compile(b"(?s)" + Known(framed=False, places={"anything": taken[:1], 8: taken[1:]}).put())
    places = {*range(600), *(place + step for place in taken for step in (1, 1 << 8, 1 << 16, 1 << 24)), (1 << 32) - 1}
    for place in sorted(places):
        assert bool(put.fullmatch(b"r" + place.to_bytes(4, "little"))) == (place not in taken)
        if place < 256:
            assert bool(put.fullmatch(b"q" + bytes([place]))) == (place not in taken)


def test_a_gap_in_the_memo_is_nothing_to_rely_on():
    """MEMOIZE would come to what stands behind it."""
    entries = {id(uuid.UUID): Entry(make="empty", state="uuid")}
    assert known_places({0: "a", 1: uuid.UUID}, 4, entries, DTypes()).places == {"empty uuid": (1,)}
    assert known_places({0: "a", 5: uuid.UUID}, 4, entries, DTypes()) is None
    assert known_places({0: "a", 5: uuid.UUID}, 2, entries, DTypes()).places == {"empty uuid": (5,)}
