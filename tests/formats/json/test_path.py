"""Where in a document: names with dots, JSON Pointers, and what others write."""

from __future__ import annotations

import json

import pytest

from aios3_nb.errors import FormatError, OptionError
from aios3_nb.formats.json import iterate_json, load_json
from tests.dripping import Dripping

# RFC 6901, section 5.
OFFICIAL = {
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8,
}  # fmt: skip
DOCUMENT = OFFICIAL | {
    "this.co.uk": {"n": 1, "": {"": 2}},
    "users": [{"name": "x", "tags": ["p", "q"]}, {"name": "y", "tags": []}, {"other": 1}],
    "rows": [[1, 2], [3, 4], []],
    "0": "zero", "01": "name", "*": "star", "-": "minus", "item": ["i"], "none": [],
}  # fmt: skip
POINTERS = [
    ("", DOCUMENT), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3),
    ("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8), ("/this.co.uk/n", 1), ("/this.co.uk//", 2),
    ("/users/*/name", ["x", "y"]), ("/users/1/name", "y"), ("/users/*/tags/*", ["p", "q"]),
    ("/users/*/tags/1", ["q"]), ("/users/0/tags/*", ["p", "q"]), ("/rows/*/0", [1, 3]), ("/rows/*/*", [1, 2, 3, 4]),
    ("/rows/1/1", 4), ("/0", "zero"), ("/01", "name"), ("/*", "star"), ("/-", "minus"), ("/item", ["i"]),
    ("/item/0", "i"), ("/none/*", []), ("/none/*/x", []),
]  # fmt: skip


def drip(value, chunk):
    return Dripping((value if isinstance(value, str) else json.dumps(value)).encode(), chunk)


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@pytest.mark.parametrize(("pointer", "expected"), POINTERS)
def test_a_json_pointer_leads_to_a_value_and_a_star_to_those_of_all_elements(pointer, expected, chunk):
    assert load_json(drip(DOCUMENT, chunk), path=pointer) == expected
    if pointer:
        items = list(iterate_json(drip(DOCUMENT, chunk), path=pointer))
        is_many = "*" in pointer and pointer != "/*"
        assert items == (expected if is_many else [expected])


@pytest.mark.parametrize("chunk", [1, 1 << 20])
@pytest.mark.parametrize(
    "path",
    ["/bar", "/foo/2", "/foo/-", "/foo/01", "/foo/-1", "/foo/bar", "/users/*/nme", "/users/name", "/foo/0/x", "/a/b",
     "/users/9/name", "/none/0", "users.item.nme", "users.name", "foo.item.x"],
)  # fmt: skip
def test_where_nothing_is_there_is_an_error_and_not_nothing(path, chunk):
    for read in (load_json, lambda file, path: list(iterate_json(file, path=path))):
        with pytest.raises(FormatError, match="Nothing is at the path"):
            read(drip(DOCUMENT, chunk), path=path)


@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_the_error_tells_the_names_that_are_there(chunk):
    with pytest.raises(FormatError, match="there are: name, tags"):
        list(iterate_json(drip(DOCUMENT, chunk), path="users.item.nme"))
    with pytest.raises(FormatError, match="there are: n, "):
        load_json(drip(DOCUMENT, chunk), path="/this.co.uk/m")


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("$.rows", "/rows"),
        ("$", "/"),
        ("rows[0].id", "/rows/0/id"),
        ("$.rows[*].id", "/rows/*/id"),
        (".rows[].id", "/rows/*/id"),
        ("$['this.co.uk'][\"a/b\"].n", "/this.co.uk/a~1b/n"),
        ("rows[0][1]", "/rows/0/1"),
        ("$..name", "/name"),
        (".a.b", "/a/b"),
        ("[0]", "/0"),
    ],
)
def test_paths_of_others_are_refused_with_the_spelling_that_works(path, pointer):
    for read in (load_json, lambda file, path: list(iterate_json(file, path=path))):
        file = drip(DOCUMENT, 10)
        with pytest.raises(OptionError) as caught:
            read(file, path=path)
        assert str(caught.value).endswith(f"Write it as {pointer}")
        assert file.tell() == 0


@pytest.mark.parametrize("path", ["a[b", "a]", "rows[x]", "a$b", "größe.x"])
def test_odd_names_are_names(path):
    document = value = {}
    for name in path.split(".")[:-1]:
        value = value.setdefault(name, {})
    value[path.split(".")[-1]] = 5
    assert load_json(drip(document, 10), path=path) == 5


def test_a_wrong_escape_is_refused():
    with pytest.raises(OptionError, match="~0"):
        load_json(drip(DOCUMENT, 10), path="/m~n")


def test_nothing_is_read_behind_an_element_that_a_number_names():
    source = drip('{"rows": [' + ",".join(f'{{"id": {n}}}' for n in range(200_000)) + "]}", 64 * 1024)
    assert load_json(source, path="/rows/2/id") == 2
    assert source.tell() <= 64 * 1024 + 4
