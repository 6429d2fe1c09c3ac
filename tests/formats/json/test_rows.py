"""JSON as it comes: values in a row, lines that are called JSON, values over several lines, and all encodings."""

from __future__ import annotations

import json

import pytest

from aios3_nb.errors import FormatError, OptionError, TruncatedError
from aios3_nb.formats import LoadOptions, recognise
from aios3_nb.formats.json import iterate_json, iterate_lines, iterate_lines_between, load_json, load_lines
from tests.dripping import Dripping

ROWS = [{"a": 1, "b": [{}, "}{"]}, {"a": 2}, [3, [4]], {}]


def drip(text, chunk=1 << 20):
    return Dripping(text if isinstance(text, bytes) else text.encode(), chunk)


WAYS = {
    "lines": "\n".join(map(json.dumps, ROWS)),
    "lines, with one at the end": "".join(json.dumps(row) + "\r\n" for row in ROWS),
    "without newlines": "".join(map(json.dumps, ROWS)),
    "with spaces": " ".join(map(json.dumps, ROWS)),
    "over several lines": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "over several lines, without newlines between": "".join(json.dumps(row, indent=2) for row in ROWS),
    "blank lines": "\n \n" + "\n\n\n".join(map(json.dumps, ROWS)) + "\n\n",
    "some lines with several": json.dumps(ROWS[0]) + "\n" + "".join(map(json.dumps, ROWS[1:3])) + "\n{}",
    "files put together, with their marks": "".join("\ufeff" + json.dumps(row) + "\n" for row in ROWS),
    "RFC 7464": "".join("\x1e" + json.dumps(row) + "\n" for row in ROWS),
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("chunk", [1, 5, 1 << 20])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("way", WAYS)
def test_values_in_a_row_are_a_list_and_items_whatever_is_between_them(way, encoding, chunk):
    data = WAYS[way].encode(encoding)
    if way in ("RFC 7464", "files put together, with their marks") and encoding != "utf-8":
        return  # these are made of UTF-8
    assert load_lines(drip(data, chunk)) == ROWS
    assert list(iterate_lines(drip(data, chunk))) == ROWS
    assert load_json(drip(data, chunk)) == ROWS
    assert list(iterate_json(drip(data, chunk))) == ROWS


@pytest.mark.parametrize(
    "text", ["1\n2\n3", '"a"\n"b"', "null\ntrue", "-1.5\n0e1\n", '{"a":1}\n2', '1 \n [2]\n"3"', "NaN\n1"]
)
def test_lines_may_be_numbers_and_texts(text):
    expected = [json.loads(line) for line in text.splitlines() if line.strip()]
    for read in (load_json, load_lines, lambda file: list(iterate_json(file)), lambda file: list(iterate_lines(file))):
        for chunk in (1, 2, 100):
            assert repr(read(drip(text, chunk))) == repr(expected)


@pytest.mark.parametrize(
    "text", ["{} x", "[1] 2", '{"a": 1}]', "[1],[2]", '{"a":1},\n{"a":2}', "[1]}{", "{} {1}", "12 34"]
)
def test_a_document_with_something_behind_it_is_malformed_and_says_where(text):
    with pytest.raises(FormatError, match="Extra data") as caught:
        load_json(drip(text))
    assert not isinstance(caught.value, TruncatedError)
    assert caught.value.offset == len(text) - len(text.lstrip('{} []a":1')) or caught.value.offset < len(text)


@pytest.mark.parametrize("text", ['{"a":1}{"a":', '{"a":1}\n{"a":2}\n{"a', "[1][2"])
def test_a_row_that_ends_within_a_value_is_truncated(text):
    for read in (load_json, load_lines, lambda file: list(iterate_json(file)), lambda file: list(iterate_lines(file))):
        with pytest.raises(TruncatedError):
            read(drip(text, 3))


def test_a_mistake_far_into_a_row_says_the_byte():
    text = '{"a":1}' * 50 + '{"a" 2}'
    for read in (load_json, load_lines, lambda file: list(iterate_json(file)), lambda file: list(iterate_lines(file))):
        with pytest.raises(FormatError) as caught:
            read(drip(text, 10))
        assert caught.value.offset == 7 * 50 + 5


def test_glued_numbers_are_not_two():
    for text in ("1null", "truefalse", "1-2", "nullnull"):
        with pytest.raises(FormatError):
            load_lines(drip(text))


def test_the_first_of_a_row_comes_before_much_is_read():
    """Also where no newline says that a value ends, as Firehose writes."""
    for text in ('{"id": 1, "name": "somebody"}', '{"id": 1,\n "name": "somebody"}\n'):
        for iterate in (iterate_lines, iterate_json):
            source = drip(text * 200_000, 64 * 1024)
            assert next(iterate(source)) == json.loads(text)
            assert source.tell() <= 256 * 1024


def test_a_document_without_items_is_not_read_to_its_end_to_know_that():
    source = drip('{"a": [' + "1, " * 4_000_000 + "1]}", 64 * 1024)
    with pytest.raises(FormatError, match="Say with path"):
        next(iterate_json(source))
    assert source.tell() < 3 * 1024 * 1024


def test_long_lines_are_lines():
    rows = [{"n": n, "text": "x" * 300_000} for n in range(5)]
    text = "\n".join(map(json.dumps, rows))
    for chunk in (64 * 1024, 1 << 20):
        assert list(iterate_lines(drip(text, chunk))) == rows
        assert list(iterate_json(drip(text, chunk))) == rows


# Encodings that are said.


@pytest.mark.parametrize("encoding", ["cp1252", "latin1", "utf-16", "utf-16-be", "utf-32-le", "utf-8-sig", "utf-8"])
@pytest.mark.parametrize("name", ["json", "jsonl", "csv", "tsv", "text"])
def test_an_encoding_that_is_said_is_the_one_it_is_read_in(name, encoding):
    text = {"json": '{"n": "Café"}', "jsonl": '{"n": "Café"}\n[1]\n', "csv": "n\nCafé\n", "tsv": "n\nCafé\n"}.get(
        name, "Café\r\nß"
    )
    format = recognise("", b"", name)
    options = LoadOptions(encoding=encoding)
    found = format.load(drip(text.encode(encoding), 3), options)
    if name in ("csv", "tsv"):
        assert list(found["n"]) == ["Café"]
    else:
        assert found == {"json": {"n": "Café"}, "jsonl": [{"n": "Café"}, [1]], "text": text}[name]
    if name in ("jsonl", "text"):
        items = list(format.iterate(drip(text.encode(encoding), 3), options))
        assert items == (found if name == "jsonl" else ["Café\r\n", "ß"])


@pytest.mark.parametrize("name", ["json", "jsonl", "csv", "tsv", "text"])
def test_what_is_not_utf_8_says_the_way_on(name):
    format = recognise("", b"", name)
    data = '{"n": "Café", "m": 1}\n'.encode("cp1252")
    with pytest.raises(FormatError, match=r"Not UTF-8 text.*encoding='cp1252'.*aios3_nb\.open\(uri\)"):
        format.load(drip(data), LoadOptions())
    with pytest.raises(OptionError, match="format='bytes'"):
        format.load(drip(data), LoadOptions(encoding="bytes"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_mark_says_the_encoding_of_a_table(encoding):
    found = recognise("t.csv", b"").load(drip("größe,n\nä,1\n".encode(encoding), 3), LoadOptions())
    assert list(found.columns) == ["größe", "n"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_is_known_without_a_suffix_in_any_encoding_that_has_a_mark(encoding):
    data = ' \n{"a": "ü"}'.encode(encoding)
    if encoding in ("utf-16-le", "utf-16-be"):
        return
    assert recognise("data", data).name == "json"


def test_formats_that_have_no_text_take_no_encoding():
    for name in ("npy", "parquet", "bytes", "arrow", "npz", "safetensors"):
        with pytest.raises(OptionError, match="encoding is for text"):
            recognise("", b"", name).load(drip(b""), LoadOptions(encoding="latin1"))


EVERY_WAY = (load_json, load_lines, lambda file: list(iterate_json(file)), lambda file: list(iterate_lines(file)))


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@pytest.mark.parametrize("read", EVERY_WAY)
@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('\x1e{"a": 1}\n', [{"a": 1}]),  # a list, of one as of many
        ('\x1e{\n "a": 1\n}\n\x1e[2,\n3]\n\x1e{"b": 4}\n', [{"a": 1}, [2, 3], {"b": 4}]),  # some over several lines
        ('\n\x1e\x1e{"a": 1}\x1e"x"\x1e\n\x1e', [{"a": 1}, "x"]),  # several RS in a row are no record
        ("\x1e1\n\x1etrue\n\x1enull \n\x1e-2.5\n", [1, True, None, -2.5]),
        ('\ufeff\x1e{"a": NaN, "b": 123456789012345678901}\n', [{"a": float("nan"), "b": 123456789012345678901}]),
        ('\x1e{"a": "\\u001e"}\n', [{"a": "\x1e"}]),
    ],
)
def test_a_text_sequence_is_the_list_of_its_records(text, values, read, chunk):
    """See: https://www.rfc-editor.org/rfc/rfc7464."""
    assert repr(read(drip(text, chunk))) == repr(values)


@pytest.mark.parametrize("read", EVERY_WAY)
@pytest.mark.parametrize(
    ("text", "kind", "offset"),
    [
        ('\x1e{"a": 1}\n\x1e{"a": \x1e{"b": 2}\n', TruncatedError, 17),  # whoever wrote it was stopped, and began again
        ('\x1e{"a": 1}\n\x1e{"a"', TruncatedError, 15),
        ("\x1e[1]\n\x1e12\x1e[2]\n", TruncatedError, 6),  # perhaps 123 was to be written
        ("\x1e[1]\n\x1etrue", TruncatedError, 6),
        ('\x1e{"a": 1}{"a": 2}\n', FormatError, 9),
        ("\x1e[1]\n\x1e[2}\n", FormatError, 8),
        ('\x1e"\xe9"\n'.encode("latin1"), FormatError, 2),
    ],
)
def test_a_record_that_is_cut_or_malformed_is_an_error_that_says_where(text, kind, offset, read):
    with pytest.raises(FormatError) as caught:
        read(drip(text, 3))
    assert (type(caught.value), caught.value.offset) == (kind, offset)


def test_a_sequence_has_no_path_and_no_pieces_and_is_known_by_its_beginning():
    data = '\x1e{"a": 1}\n\x1e{"a": 2}\n'
    for read in (load_json, lambda file, path: list(iterate_json(file, path=path))):
        with pytest.raises(FormatError, match=r"text sequence \(RFC 7464\).*Load it without"):
            read(drip(data), path="a")
    assert [list(iterate_lines_between(drip(data), start, 99)) for start in (0, 10)] == [[{"a": 1}, {"a": 2}], []]
    assert recognise("no-suffix", data.encode()).name == "json"
    assert recognise("x.json-seq.gz", b"").name == recognise("x.geojsons", b"").name == "json-seq"
    assert list(recognise("x.json-seq", b"").load(drip(data), LoadOptions(columns=("a",)))["a"]) == [1, 2]
