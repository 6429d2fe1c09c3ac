"""What is judged once and then let through quickly: what comes after it and is not like it is refused all the same."""

from __future__ import annotations

import io
import pickle
import pickletools

import numpy as np
import pytest

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle import grammar, load_pickle, opcodes
from aios3_nb.formats.pickle.asks import ASKS
from aios3_nb.formats.pickle.scan import names_in_file, names_in_head
from tests.formats.pickle.attacks.named import (
    FALSE,
    FROM_BUFFER,
    NDARRAY,
    NONE,
    POP,
    RECONSTRUCT,
    TRUE,
    built,
    call,
    data,
    dtype,
    dtype_state,
    get,
    name as name_of,
    number,
    object_dtype,
    pickled,
    put,
    text,
    tuple_of,
)
from tests.formats.pickle.old import PICKLES

SCALAR = name_of("numpy._core.multiarray", "scalar")
EIGHT, SEVEN = data(b"12345678"), data(b"1234567")
WITH_ORDER = (3, text("<"), NONE, NONE, NONE, number(-1), number(-1), number(0))
FLOAT = built(dtype("f8"), tuple_of(number(3), *WITH_ORDER[1:])) + put(0) + POP
"""A dtype that is finished, and judged, at place 0 of the memo."""
USED = call(SCALAR, get(0), EIGHT) + POP
PAIR = pickle.dumps(np.dtype(("f8", (2,))), 2)[2:-1]
OBJECTS = object_dtype() + put(1) + POP


def array(dtype_: bytes, shape: bytes, content: bytes) -> bytes:
    state = tuple_of(number(1), shape, dtype_, FALSE, content)
    return built(call(RECONSTRUCT, NDARRAY, tuple_of(number(0)), data(b"b")), state)


def buffer(dtype_: bytes, shape: bytes, content: bytes, order: str = "C") -> bytes:
    return call(FROM_BUFFER, content, dtype_, shape, text(order))


REFUSED = {
    "a scalar of fewer bytes": FLOAT + USED + call(SCALAR, get(0), SEVEN),
    "a scalar of more bytes": FLOAT + USED + call(SCALAR, get(0), data(b"123456789")),
    "a scalar of no bytes": FLOAT + USED + call(SCALAR, get(0)),
    "a scalar of a list": FLOAT + USED + call(SCALAR, get(0), b"](" + number(1) * 8 + b"e"),
    "a scalar of something that is no dtype": FLOAT + USED + call(SCALAR, EIGHT, EIGHT),
    "a scalar of objects": FLOAT + USED + OBJECTS + call(SCALAR, get(1), EIGHT),
    "a scalar of a dtype without a state": FLOAT + USED + call(SCALAR, dtype("f8"), EIGHT),
    "a buffer that is too short": FLOAT + buffer(get(0), tuple_of(number(2)), EIGHT),
    "a buffer that is too long": FLOAT + buffer(get(0), tuple_of(number(0)), EIGHT),
    "a buffer of a negative shape": FLOAT + buffer(get(0), tuple_of(number(-1), number(-1)), EIGHT),
    "a buffer of a shape that is no tuple": FLOAT + buffer(get(0), number(1), EIGHT),
    "a buffer of a shape of truths": FLOAT + buffer(get(0), tuple_of(TRUE), EIGHT),
    "a buffer of text": FLOAT + buffer(get(0), tuple_of(number(1)), text("12345678")),
    "a buffer in an order of its own": FLOAT + buffer(get(0), tuple_of(number(1)), EIGHT, "A"),
    "a buffer of objects": FLOAT + OBJECTS + buffer(get(1), tuple_of(number(1)), EIGHT),
    "an empty buffer of objects": FLOAT + OBJECTS + buffer(get(1), tuple_of(number(0)), data(b"")),
    "a buffer of a dtype that is an array": buffer(PAIR, tuple_of(number(1)), data(b"1234567812345678")),
    "an empty buffer of no dtype": FLOAT + buffer(NONE, tuple_of(number(0)), data(b"")),
    "an empty buffer of a dtype without a state": FLOAT + buffer(dtype("f8"), tuple_of(number(0)), data(b"")),
    "an array that is too short": FLOAT + array(get(0), tuple_of(number(2)), EIGHT),
    "an array of a negative shape": FLOAT + array(get(0), tuple_of(number(-1), number(-1)), EIGHT),
    "an array of objects in bytes": FLOAT + OBJECTS + array(get(1), tuple_of(number(1)), EIGHT),
    "an empty array of objects in bytes": FLOAT + OBJECTS + array(get(1), tuple_of(number(0)), data(b"")),
    "an array of bytes in a list": FLOAT + array(get(0), tuple_of(number(1)), b"](" + number(1) + b"e"),
    "a dtype with two states": FLOAT + built(get(0), dtype_state(size=9)),
    "a call of a scalar": FLOAT + call(SCALAR, get(0), EIGHT) + b")R",
    "a call with arguments that are no tuple": SCALAR + b"]R",
    "a call of a pair": tuple_of(SCALAR, SCALAR) + b")R",
    "a call with the number of another thing to do": tuple_of(FLOAT + get(0), tuple_of(NONE)) + number(0) + b"R",
}


@pytest.mark.parametrize("attack", REFUSED.values(), ids=list(REFUSED))
def test_what_is_not_like_what_was_judged_is_refused(attack):
    for protocol in (2, 4):
        with pytest.raises(FormatError):
            load_pickle(io.BufferedReader(io.BytesIO(pickled(attack).replace(b"\x80\x04", bytes((0x80, protocol))))))


def test_what_the_refused_ones_begin_with_loads():
    """Or they would be refused for something else."""
    good = [
        FLOAT + USED + call(SCALAR, get(0), EIGHT),
        FLOAT + buffer(get(0), tuple_of(number(1)), EIGHT),
        FLOAT + buffer(get(0), tuple_of(number(0), number(3)), data(b"")),
        FLOAT + array(get(0), tuple_of(number(1)), EIGHT),
        FLOAT + OBJECTS + array(get(1), tuple_of(number(1)), b"](" + number(1) + b"e"),
    ]
    for parts in good:
        loaded = load_pickle(io.BufferedReader(io.BytesIO(pickled(parts))))
        np.testing.assert_array_equal(loaded, pickle.loads(pickled(parts)))


def test_an_array_of_protocol_5_is_as_numpy_makes_it():
    """Also where it is made without numpy's own function, which gives it a shape that it has."""
    made = FLOAT + buffer(get(0), tuple_of(number(2)), b"\x96\x10" + bytes(7) + b"1234567812345678" + put(2))
    both = b"](" + made + get(2) + b"e"
    for load in (pickle.loads, lambda data_: load_pickle(io.BufferedReader(io.BytesIO(data_)))):
        array_, content = load(pickled(both))
        assert (type(content), array_.shape, array_.flags.writeable, array_.flags.owndata) == (
            bytearray,
            (2,),
            True,
            False,
        )
        assert array_.strides == (8,)
        content[0] = 0
        assert array_.tobytes() == bytes(content)
        with pytest.raises(BufferError):  # or the array would be of memory that is no more
            content.extend(b"more")


@pytest.mark.parametrize("length", [8, 255, 256, 264, 1024, 2040])
def test_bytes_of_small_arrays_swallow_what_is_in_them(length):
    opcode = b"\x96" + length.to_bytes(8, "little") + b"R" * length
    for pattern in opcodes.runs(), grammar.patterns(grammar.Known(framed=True))[0]:
        assert pattern.split(opcode + b"R" * 2)[1:3] == [opcode, b"R"]
        assert pattern.split(opcode[:-1])[1:3] == [b"", None]


@pytest.mark.parametrize("length", [257, 2047, 2048, 256 << 8, 256 << 16, 256 << 32])
def test_bytes_of_other_lengths_are_no_part_of_a_run(length):
    opcode = b"\x96" + length.to_bytes(8, "little") + b"R" * 3000
    assert opcodes.runs().split(opcode)[1:3] == [b"", None]


CLASS = name_of("decimal", "Decimal")
ACTING = {
    "REDUCE": CLASS + b"(" + text("1") + b"tR",
    "BUILD": CLASS + b")\x81}b",
    "NEWOBJ_EX": CLASS + b")}\x92",
    "APPENDS": b"](" + CLASS + NONE + b"e",
    "APPEND": b"]" + CLASS + b"a",
    "SETITEMS": b"}(" + text("a") + CLASS + b"u",
    "SETITEM": b"}" + text("a") + CLASS + b"s",
    "ADDITEMS": b"\x8f(" + CLASS + b"\x90",
    "OBJ": b"(" + CLASS + NONE + b"o",
    "INST": b"(" + NONE + b"idecimal\nDecimal\n",
    "a list as a key": CLASS + b"0}(]" + NONE + b"u",
}


@pytest.mark.parametrize("program", ACTING.values(), ids=list(ACTING))
def test_names_are_found_behind_whatever_acts(program):
    """What acts is left out, and leaves one thing on the stack, as it would have done."""
    # A name of two texts with all of it between them, which has to be gone by one POP.
    whole = b"\x80\x04" + text("os") + program + POP + program + put(0) + POP + text("getcwd") + b"\x93."
    assert names_in_head(whole) == (("decimal", "Decimal"), ("os", "getcwd"))


@pytest.mark.parametrize("old", PICKLES.values(), ids=map(" ".join, PICKLES))
def test_names_ahead_are_those_that_a_whole_look_finds(old):
    whole = names_in_file(io.BufferedReader(io.BytesIO(old))).names
    assert names_in_head(old) == whole != ()


def test_what_acts_is_what_has_to_ask():
    assert {bytes([code]) for code in opcodes.ACTING} == ASKS.keys()
    plain = {opcode.code.encode("latin1") for opcode in pickletools.opcodes} - ASKS.keys()
    for code in plain:
        assert opcodes.runs().split(code)[2] is None, code


@pytest.mark.parametrize("protocol", range(6))
def test_opcodes_are_told_from_the_bytes_that_look_like_them(protocol):
    value = [{"Rb\x81euas": b"Rbeuas" * n, n: [float(n), "R" * n]} for n in range(300)] + [bytearray(b"R" * 70)]
    assert load_pickle(io.BufferedReader(io.BytesIO(pickle.dumps([value, np.float64(1)], protocol))))[0] == value
