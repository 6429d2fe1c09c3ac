"""What a path finds, how much is read for it, and in how little memory."""

from __future__ import annotations

import io
import json
import tracemalloc

import pytest

from aios3_nb.errors import FormatError, TruncatedError
from aios3_nb.formats.json import iterate_json, iterate_lines, load_json
from tests.dripping import Dripping


def drip(text, chunk=1 << 20):
    return Dripping(text if isinstance(text, bytes) else text.encode(), chunk)


NESTED = {
    "skipped": [{"x": '"]}\\', "y": [[]]}, "[{", 1.5e3, None, {}],
    "text": "a" * 100 + '"\\',
    "a": {"n": -1, "b": {"c": [1, [2], {"d": 3}], "e": {}}},
    "users": [{"id": 1, "name": "x"}, {"id": 2}, 7, [8], {"tags": [], "name": {"first": "y"}, "z": [1]}],
    "item": 5,
    "last": True,
}
PATHS = [
    ("a", NESTED["a"]),
    ("a.n", -1),
    ("a.b.c", [1, [2], {"d": 3}]),
    ("a.b.c.item", [1, [2], {"d": 3}]),
    ("a.b.c.item.d", [3]),
    ("a.b.c.item.item", [2]),
    ("users.item.name", ["x", {"first": "y"}]),
    ("users.item.name.first", ["y"]),
    ("users.item.tags.item", []),
    ("item", 5),
    ("last", True),
]


@pytest.mark.parametrize("chunk", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_a_path_leads_to_one_value_or_to_those_in_arrays(path, expected, chunk):
    for text in (json.dumps(NESTED), json.dumps(NESTED, indent=3), json.dumps(NESTED, separators=(",", ":"))):
        assert load_json(drip(text, chunk), path=path) == expected
        items = list(iterate_json(drip(text, chunk), path=path))
        through_array = ".item" in path
        assert items == (expected if through_array else [expected])


@pytest.mark.parametrize("path", ["b", "a.c", "a.n.x", "users.name", "text.item", "a.item", "users.item.nme"])
def test_a_path_that_leads_nowhere_is_an_error(path):
    for read in (load_json, lambda file, path: list(iterate_json(file, path=path))):
        with pytest.raises(FormatError, match="Nothing is at the path"):
            read(drip(json.dumps(NESTED)), path=path)


@pytest.mark.parametrize("chunk", [3, 1 << 20])
def test_of_members_with_the_same_name_a_path_takes_the_first(chunk):
    """Otherwise nothing could be left unread. It is the same however the bytes arrive."""
    text = '[{"a": 4}, {"a": 1, "b": {"a": 1, "a": 2}, "a": 3}]'
    assert load_json(drip(text, chunk), path="item.a") == [4, 1]
    assert load_json(drip('{"a": 1, "a": 2}', chunk), path="a") == 1
    assert load_json(drip(text, chunk), path="item.b") == [{"a": 2}], "the value itself is json.loads's"


@pytest.mark.parametrize("chunk", [5, 1 << 20])
@pytest.mark.parametrize("text", ['{"a": [1, {"b": "', '{"a": "x', '{"a": 1', '{"a"', '{"a": [1, 2]', "{", '{"a": "\\'])
def test_a_document_cut_while_passing_over_it_is_truncated(text, chunk):
    with pytest.raises(TruncatedError):
        load_json(drip(text, chunk), path="z")


@pytest.mark.parametrize(
    "text", ['{"a": , "b": 1}', '{"a" 1, "b": 1}', '{"a": [1] "b": 1}', '{a: 1, "b": 1}', '{"a": 1,, "b": 1}']
)
def test_what_is_passed_over_must_be_a_value_and_stand_where_one_may(text):
    with pytest.raises(FormatError) as caught:
        load_json(drip(text), path="b")
    assert not isinstance(caught.value, TruncatedError)


def test_no_array_has_no_items_and_the_error_says_how_to_go_on():
    for text in ('{"a": []}', '"abc"', "12", "null"):
        with pytest.raises(FormatError, match="Say with path"):
            list(iterate_json(drip(text)))


def test_nothing_is_read_behind_what_was_asked_for():
    rows = b",".join(b'{"id": %d, "name": "somebody"}' % n for n in range(200_000))
    source = drip(b'{"head": 1, "rows": [' + rows + b"]}", 64 * 1024)
    assert load_json(source, path="head") == 1
    assert source.tell() <= 64 * 1024 + 4
    items = iterate_json(drip_ := drip(b"[" + rows + b"]", 64 * 1024))
    assert next(items) == {"id": 0, "name": "somebody"}
    assert drip_.tell() <= 64 * 1024 + 4
    lines = iterate_lines(drip_ := drip(rows.replace(b"},", b"}\n"), 64 * 1024))
    assert next(lines) == {"id": 0, "name": "somebody"}
    assert drip_.tell() <= 64 * 1024 + 4


class Endless(io.RawIOBase):
    """The beginning of a document, then the same piece again and again, `size` bytes in all."""

    def __init__(self, start, piece, end, size):
        self._start, self._piece, self._end, self._left = start, piece * (65536 // len(piece)), end, size

    def peek(self, size=0):
        return (self._start + self._piece)[:size]

    def read(self, size=-1):
        data, self._start = self._start[:size], self._start[size:]
        return data

    def read1(self, size=-1):
        if self._start:
            return self.read(size)
        if self._left > 0:
            self._left -= len(self._piece)
            return self._piece
        data, self._end = self._end, b""
        return data


ROW = b'{"id": 1, "name": "somebody", "tags": ["a", "b"]}'


@pytest.mark.parametrize(
    ("start", "piece", "end", "read"),
    [
        (b"[" + ROW, b"," + ROW, b"]", lambda file: sum(1 for _ in iterate_json(file))),
        (b"", ROW + b"\n", b"", lambda file: sum(1 for _ in iterate_lines(file))),
        (b'{"skip": [' + ROW, b"," + ROW, b'], "a": 1}', lambda file: load_json(file, path="a")),
        (b'{"skip": "', b'text, {"'.replace(b'"', b'\\"'), b'", "a": 1}', lambda file: load_json(file, path="a")),
        (b'{"skip": 1', b"234", b', "a": 1}', lambda file: load_json(file, path="a")),
        (b"[" + ROW, b"," + ROW, b"]", lambda file: sum(1 for _ in iterate_json(file, path="item.name"))),
        (b"[1", b"   \n", b"]", lambda file: list(iterate_json(file))),
    ],
)
def test_memory_does_not_grow_with_the_stream(start, piece, end, read):
    tracemalloc.start()
    try:
        assert read(Endless(start, piece, end, 6 << 20))
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(30)
def test_a_large_item_that_comes_in_little_pieces_takes_linear_time():
    """Each attempt sees twice as much as the one before; an attempt for each piece would take minutes."""
    item = json.dumps(list(range(200_000)))
    values = list(iterate_json(drip(f"[{item}, 1]", 64)))
    assert [len(values[0]), values[1]] == [200_000, 1]
