"""JSON files -> objects and items, equal to what json.loads gives."""

from __future__ import annotations

import gc
import json
import math
import random
import struct
import sys

import pytest
from hypothesis import given, settings, strategies as st

from aios3_nb.errors import FormatError, TruncatedError
from aios3_nb.formats.json import decode, iterate_json, iterate_lines, load_json, load_lines
from tests.dripping import Dripping

FAST = [pytest.param(None, id="standard library"), pytest.param(decode.fast_decoder(), id="msgspec")]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]

numbers = st.one_of(st.integers(), st.floats(), st.integers(-(10**400), 10**400))
strings = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, strings),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(strings, inner, max_size=5)),
    max_leaves=20,
)


@st.composite
def documents(draw, contents=values):
    """Text of a valid document, in one of the ways to write it."""
    return json.dumps(
        draw(contents),
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 1, "\t", "\r\n "])),
        separators=draw(st.sampled_from([None, (",", ":"), (" , ", " : ")])),
    )


def same(one, other):
    """Whether two values are equal down to types, the order of members, and the bits of floats."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return one == other


def drip(text, chunk=1 << 20):
    return Dripping(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"), chunk)


@pytest.mark.parametrize("fast", FAST)
@settings(max_examples=200, deadline=None)
@given(text=documents(), encoding=st.sampled_from(ENCODINGS))
def test_a_document_is_what_json_loads_gives(fast, text, encoding):
    data = text.encode(encoding, "surrogatepass")
    assert same(decode.document(data, fast), json.loads(data))


@settings(max_examples=200, deadline=None)
@given(text=documents(st.lists(values, max_size=8)), encoding=st.sampled_from(ENCODINGS), chunk=st.integers(1, 40))
def test_items_are_the_elements_that_json_loads_gives(text, encoding, chunk):
    data = text.encode(encoding, "surrogatepass")
    assert same(list(iterate_json(drip(data, chunk))), json.loads(data))


@settings(max_examples=100, deadline=None)
@given(
    items=st.lists(values, max_size=8),
    ascii=st.booleans(),
    encoding=st.sampled_from(ENCODINGS),
    chunk=st.integers(1, 40),
)
def test_lines_are_what_json_loads_gives_for_each(items, ascii, encoding, chunk):
    data = "\n".join(json.dumps(item, ensure_ascii=ascii) for item in items).encode(encoding, "surrogatepass")
    expected = [json.loads(json.dumps(item)) for item in items]
    assert same(list(iterate_lines(drip(data, chunk))), expected)
    assert same(
        load_lines(drip(data + "\n".encode(encoding.removesuffix("-sig"))[-_width(encoding) :], chunk)),
        expected,
    )


def _width(encoding):
    return {"8": 1, "1": 2, "3": 4}[encoding[4]]


PECULIAR = [
    "18446744073709551616",
    "-9223372036854775809",
    "-0",
    "-0.0",
    "[1e999, -1E400, 1.7976931348623159e308]",
    "[NaN, Infinity, -Infinity]",
    '"NaN"',
    '"\\ud800"',
    '["\\udc00\\ud800", "\\ud83d\\ude00"]',
    '{"a": 1, "b": 2, "a": 3}',
    "1" * 4300,
    "-" + "9" * 4300,
    "0." + "1" * 5000,
    "1" * 5000 + ".5",
    "1" * 5000 + "e-5000",
    "[4.9e-324, 2.2250738585072011e-308, 9007199254740993.0, 0.1]",
    '"\x7f\u2028\\u0000\\/"',
    " \t\r\n[1]\n ",
    "{}",
    "null",
    "[[], {}, [[]], [{}]]",
    "[" * 400 + "]" * 400,
]


@pytest.mark.parametrize("fast", FAST)
@pytest.mark.parametrize("text", PECULIAR)
def test_peculiar_documents_are_what_json_loads_gives(fast, text):
    assert same(decode.document(text.encode(), fast), json.loads(text))


@pytest.mark.parametrize("chunk", [1, 2, 3, 1 << 20])
@pytest.mark.parametrize("text", PECULIAR)
def test_peculiar_items_are_what_json_loads_gives(text, chunk):
    assert same(list(iterate_json(drip(f"[{text} ,{text}]", chunk))), [json.loads(text)] * 2)
    assert same(list(iterate_json(drip(f"[{text}]", chunk), path="item")), [json.loads(text)])


def test_raw_surrogates_in_utf_8_are_read_as_json_loads_reads_them():
    data = b'["a\xed\xa0\x80", 1]'
    assert load_json(drip(data)) == json.loads(data)
    for chunk in range(1, 8):
        assert list(iterate_json(drip(data, chunk))) == json.loads(data)


VALID = (
    '[1, -2.5e+10, "a\\u00e9\\ud83d\\ude00\\n\\\\", {"k" : [true, false , null], "": {}}, NaN, -Infinity, 0.1 , "é"]'
)
MALFORMED = (
    (
        '[1.x [01. ["a"e ["a"t [1.. [1.5. [1e5. 1.5. nullt null. {"a"1 {1 [1|e {"a":1,, [, [1} {"a":1] [00 [-e '
        '[1e+. [-- [+ [. [0x {] 1|2 []e "a". [NaNe [1- [1e-- [truee "\\u12G "\\x [1,] {"a":1,} {\'a\' [1]] nul|l '
        "[1,{}|{}] [1,[]{}]"
    )
    .replace("|", "\0")
    .split(" ")
)


@pytest.mark.parametrize("fast", FAST)
def test_cut_at_any_byte_is_truncated_and_never_malformed(fast):
    data = VALID.encode()
    for end in range(len(data)):
        with pytest.raises(TruncatedError):
            decode.document(data[:end], fast)
        with pytest.raises(TruncatedError):
            list(iterate_json(drip(data[:end], 5)))


@pytest.mark.parametrize("text", [text.replace("\0", " ") for text in MALFORMED])
def test_malformed_is_not_called_truncated(text):
    # Values in a row are no mistake where lines are expected.
    as_lines = () if text == "1 2" else (load_lines,)
    for read in (load_json, lambda file: list(iterate_json(file)), *as_lines):
        with pytest.raises(FormatError) as caught:
            read(drip(text))
        assert not isinstance(caught.value, TruncatedError)


@pytest.mark.parametrize("fast", FAST)
def test_changed_bytes_are_accepted_or_refused_as_by_json_loads(fast):
    noise = random.Random(5)
    for _ in range(3000):
        data = bytearray(VALID.encode())
        for _ in range(noise.randint(1, 3)):
            at = noise.randrange(len(data))
            data[at : at + noise.randint(0, 2)] = bytes(
                [noise.choice(b'[]{},:"\\0123eE+-. \n\0\x80\xff\xed\xa0tfnuNI')]
            )
        _agree(bytes(data), lambda data: decode.document(data, fast))
        if data.startswith(b"["):
            _agree(bytes(data), lambda data: list(iterate_json(drip(data, 16))))


def _agree(data, read):
    try:
        expected = json.loads(data)
    except ValueError:
        with pytest.raises(FormatError):
            read(data)
    else:
        assert same(read(data), expected)


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b'[{"a": tru}]', 7),
        ('["é", x]'.encode(), 7),
        ('["é", x]'.encode("utf-8-sig"), 10),
        ('["é", x]'.encode("utf-16-le"), 12),
        ('["é", x]'.encode("utf-16"), 14),
        ('["\U0001f600", x]'.encode("utf-16-le"), 14),
        (b"[1, 2] 3", 7),
        (b'["\xff"]', 2),
        (b"[1, " + b"7" * 4301 + b"]", 4),
        (b'["' + b"7" * 5000 + b'", 1.' + b"7" * 5000 + b", -" + b"7" * 4301 + b"]", 10_009),
        (b" " * 300_000 + b"[1, 2, oops]", 300_007),
        (b'["' + b"x" * 300_000 + b'", oops]', 300_005),
    ],
)
def test_errors_say_the_byte(data, offset):
    for read in (load_json, lambda file: list(iterate_json(file))):
        with pytest.raises(FormatError, match=f"byte {offset:,}|digits") as caught:
            read(drip(data, 9))
        assert caught.value.offset == offset
        assert caught.value.__context__ is None, "it would keep the whole text alive"


def test_the_error_of_a_line_says_the_byte():
    for encoding, width in (("utf-8", 1), ("utf-16-le", 2)):
        data = '{"a": 1}\r\n\n[1, x]\n3'.encode(encoding)
        lines = iterate_lines(drip(data, 4))
        assert next(lines) == {"a": 1}
        with pytest.raises(FormatError) as caught:
            next(lines)
        assert caught.value.offset == 15 * width


def test_only_the_last_line_can_be_cut_short():
    with pytest.raises(TruncatedError):
        load_lines(drip('1\n{"a": '))
    with pytest.raises(FormatError) as caught:
        load_lines(drip('1\n{"a": \n2'))
    assert not isinstance(caught.value, TruncatedError)


def test_lines_may_be_blank_and_carry_marks():
    assert load_lines(drip(b"\xef\xbb\xbf1\r\n\n \t\n\xef\xbb\xbf[2]\n3")) == [1, [2], 3]
    assert load_lines(drip(b"")) == []
    for wrong in ("1,2\n[3\n4]\n", "{},{}\n", "1\n2,\n", "1\n2]\n"):
        with pytest.raises(FormatError):
            load_lines(drip(wrong))


@pytest.mark.parametrize("data", [b"", b" \n", b"\xef\xbb\xbf"])
def test_an_empty_document_is_truncated(data):
    for read in (
        load_json,
        lambda file: list(iterate_json(file)),
        lambda file: load_json(file, path="a"),
    ):
        with pytest.raises(TruncatedError):
            read(drip(data))


def test_nesting_beyond_what_python_takes_is_an_error_with_the_byte():
    deep = b"[" * 200_000
    for data in (deep, deep + b"]" * 200_000, b'[{"a":' * 100_000):
        for read in (load_json, lambda file: list(iterate_json(file))):
            with pytest.raises(FormatError, match="nested too deeply") as caught:
                read(drip(data))
            assert sys.getrecursionlimit() <= caught.value.offset <= 4 * sys.getrecursionlimit()


def test_passing_over_deep_nesting_needs_no_stack():
    deep = b'{"deep": ' + b"[" * 200_000 + b"]" * 200_000 + b', "a": 1}'
    assert load_json(drip(deep), path="a") == 1


def test_the_collector_is_as_it_was():
    assert gc.isenabled()
    load_json(drip("[1]"))
    with pytest.raises(FormatError):
        load_json(drip("[1"))
    assert gc.isenabled()


def test_nan_is_nan():
    assert math.isnan(load_json(drip("NaN")))


def test_the_fast_decoder_is_asked_only_where_it_does_not_give_up():
    asked = []
    for data in (b"[1]", b"[NaN]", b"[Infinity]"):
        decode.document(data, lambda data: asked.append(data))
    assert asked == [b"[1]"]
