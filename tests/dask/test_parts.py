"""How objects become partitions, and what that costs; computed in this process, on the server that misbehaves."""

from __future__ import annotations

import gzip
import io
import json
import pickle
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

import aios3_nb
from aios3_nb.pipeline import pieces
from tests.faults.fault import Kind
from tests.faults.server import FaultServer

pytestmark = pytest.mark.filterwarnings("default")  # of dask, when it is imported

ROWS = [{"n": n, "s": "x" * (n * 37 % 90), "ü": [n]} for n in range(300)]
LINES = b"".join(json.dumps(row, ensure_ascii=n % 3 == 0).encode() + b"\n" for n, row in enumerate(ROWS))


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets how long pieces are, instead of 64 MiB."""
    return lambda length: monkeypatch.setattr(pieces, "LENGTH", length)


def computed(collection: Any) -> Any:
    return collection.compute(scheduler="synchronous")


@pytest.mark.parametrize("length", [397, 1000, len(LINES) - 1])
def test_lines_are_cut_where_they_end(faulty: FaultServer, lengths: Any, length: int) -> None:
    faulty.put("bkt", "a.jsonl", LINES)
    lengths(length)
    bag = aios3_nb.bag("s3://bkt/a.jsonl")
    assert bag.npartitions == -(-len(LINES) // length)
    assert computed(bag) == ROWS
    if length > 500:  # else there are as many tables
        frame = aios3_nb.frame("s3://bkt/a.jsonl")
        assert frame.npartitions == bag.npartitions
        assert computed(frame).n.tolist() == list(range(300))


def test_a_piece_fetches_itself_and_the_beginning_that_tells_what_it_is_of(faulty: FaultServer, lengths: Any) -> None:
    line = json.dumps({"s": "x" * 1000}).encode() + b"\n"
    body = line * 12_000
    faulty.put("bkt", "a.jsonl", body)
    lengths(4 << 20)
    bag = aios3_nb.bag("s3://bkt/a.jsonl")
    faulty.reset()
    assert len(computed(bag.to_delayed()[1])) == len(body) // 3 // len(line)
    asked = [(start, stop) for start, stop in faulty.gets("a.jsonl") if stop is not None]
    assert len(asked) == len(faulty.gets("a.jsonl"))
    assert sum(stop - start for start, stop in asked) < len(body) // 3 + (2 << 20)


@pytest.mark.parametrize(
    ("key", "body", "options"),
    [
        ("a.jsonl.gz", gzip.compress(LINES), {}),
        ("a.jsonl", LINES, {"verify": "require"}),
        ("a.jsonl", LINES, {"format": "text"}),
        ("a.json", LINES, {}),
    ],
)
def test_what_means_nothing_in_pieces_stays_whole(
    faulty: FaultServer, lengths: Any, key: str, body: bytes, options: Any
) -> None:
    faulty.put("bkt", key, body, checksum="crc32")
    lengths(1000)
    bag = aios3_nb.bag(f"s3://bkt/{key}", **options)
    assert bag.npartitions == 1
    assert computed(bag) == (LINES.decode().splitlines(keepends=True) if "format" in options else ROWS)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(LINES),
        LINES.decode().encode("utf-16"),
        LINES.replace(b"\n", b" "),
        json.dumps(ROWS, indent=1).encode(),
    ],
    ids=["compressed", "utf-16", "no newlines", "one value over many lines"],
)
def test_what_turns_out_to_have_no_lines_is_all_in_its_first_piece(
    faulty: FaultServer, lengths: Any, body: bytes
) -> None:
    faulty.put("bkt", "a.jsonl", body)
    lengths(400)
    bag = aios3_nb.bag("s3://bkt/a.jsonl")
    assert bag.npartitions > 2
    assert computed(bag) == (list(aios3_nb.iterate("s3://bkt/a.jsonl")))


def test_a_line_that_is_damaged_is_an_error_with_its_place(faulty: FaultServer, lengths: Any) -> None:
    at = LINES.index(b'{"n": 200')
    faulty.put("bkt", "a.jsonl", LINES[:at] + b"?" + LINES[at + 1 :])
    lengths(1000)
    with pytest.raises(aios3_nb.FormatError, match=r"a\.jsonl") as caught:
        computed(aios3_nb.bag("s3://bkt/a.jsonl"))
    assert caught.value.offset == at


def row(count: int, protocol: int = 5) -> tuple[list[Any], bytes]:
    """Return values, some of which have pickles in them, and their pickles in a row."""
    random = np.random.default_rng(3)
    values = [
        {"n": n, "data": random.bytes(n * 37 % 700), "inner": pickle.dumps([n, "."], protocol) * (n % 3)}
        for n in range(count)
    ]
    return values, b"".join(pickle.dumps(value, protocol) for value in values)


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("length", [1000, 9000])
def test_pickles_in_a_row_are_cut_where_they_end(faulty: FaultServer, lengths: Any, protocol: int, length: int) -> None:
    """Also where those that stand in the data of others look as if they began there."""
    values, body = row(60, protocol)
    faulty.put("bkt", "a.pkl", body)
    faulty.put("bkt", "b.pkl", pickle.dumps("small"))
    lengths(length)
    bag = aios3_nb.bag("s3://bkt/*.pkl")
    assert bag.npartitions == -(-len(body) // length) + 1
    assert computed(bag) == [*values, "small"]


def test_one_pickle_stays_whole_and_so_do_those_that_may_run_anything(faulty: FaultServer, lengths: Any) -> None:
    values, body = row(30)
    faulty.put("bkt", "one.pkl", pickle.dumps(values))
    faulty.put("bkt", "many.pkl", body)
    lengths(500)
    assert aios3_nb.bag("s3://bkt/one.pkl").npartitions == 1
    assert aios3_nb.bag("s3://bkt/many.pkl", trust=True).npartitions == 1
    assert computed(aios3_nb.bag("s3://bkt/many.pkl", trust=True)) == values


def test_pickles_are_those_of_the_whole_whatever_they_turn_out_to_be(faulty: FaultServer, lengths: Any) -> None:
    """The first object has many; another has one, or is compressed, or ends too early, or names what is blocked."""
    values, body = row(30)
    faulty.put("bkt", "w/0.pkl", body)
    faulty.put("bkt", "w/1.pkl", pickle.dumps(values))
    faulty.put("bkt", "w/2.pkl", gzip.compress(body))
    lengths(1000)
    assert computed(aios3_nb.bag("s3://bkt/w/*.pkl")) == [*values, values, *values]
    faulty.put("bkt", "w/3.pkl", body + pickle.dumps("x" * 100)[:-9])
    with pytest.raises(aios3_nb.TruncatedError, match=r"3\.pkl"):
        computed(aios3_nb.bag("s3://bkt/w/*.pkl"))
    blocked = b"\x80\x04cos\nsystem\n(S'true'\ntR."
    faulty.put("bkt", "w/3.pkl", body + blocked + body)
    with pytest.raises(aios3_nb.BlockedPickleError, match=r"3\.pkl") as caught:
        computed(aios3_nb.bag("s3://bkt/w/*.pkl"))
    assert caught.value.offset is not None
    assert caught.value.offset >= len(body)


def arrow(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_feather(file, compression="uncompressed")
    return file.getvalue()


@pytest.mark.parametrize("form", ["arrow", "parquet", "csv", "jsonl", "csv.gz"])
def test_making_a_frame_fetches_the_head_of_one_object(faulty: FaultServer, form: str) -> None:
    frame = pd.DataFrame({"n": np.arange(250_000), "x": np.random.default_rng(1).random(250_000)})
    write: Any = {
        "arrow": arrow,
        "parquet": lambda frame: frame.to_parquet(index=False),
        "csv": lambda frame: frame.to_csv(index=False).encode(),
        "jsonl": lambda frame: frame.to_json(lines=True, orient="records").encode(),
        "csv.gz": lambda frame: gzip.compress(frame.to_csv(index=False).encode(), 1),
    }[form]
    body = write(frame)
    for n in range(3):
        faulty.put("bkt", f"t/{n}.{form}", body)
    made = aios3_nb.frame(f"s3://bkt/t/*.{form}")
    gets = [request for request in faulty.requests if request.key and "*" not in request.key]
    assert {request.key for request in gets} == {f"t/0.{form}"}
    assert sum(request.sent for request in gets) < (2 << 20) < len(body)
    assert list(made.columns) == ["n", "x"]
    assert computed(made.n.max()) == 249_999


def test_records_may_lack_what_others_have_and_a_column_of_later_ones_is_an_error(faulty: FaultServer) -> None:
    faulty.put("bkt", "r/0.jsonl", b'{"a": 1, "b": 2}\n')
    faulty.put("bkt", "r/1.jsonl", b'{"b": 3}\n')
    assert computed(aios3_nb.frame("s3://bkt/r/*.jsonl"))["a"].isna().tolist() == [False, True]
    assert computed(aios3_nb.frame("s3://bkt/r/*.jsonl")["b"]).tolist() == [2, 3]
    faulty.put("bkt", "r/2.jsonl", b'{"b": 3, "later": 4}\n')
    with pytest.raises(aios3_nb.FormatError, match=r"2\.jsonl has columns .*: later\."):
        computed(aios3_nb.frame("s3://bkt/r/*.jsonl"))
    faulty.put("bkt", "c/0.csv", b"a,b\n1,2\n")
    faulty.put("bkt", "c/1.csv", b"a\n1\n")
    with pytest.raises(aios3_nb.FormatError, match=r"1\.csv lacks columns .*: b\."):
        computed(aios3_nb.frame("s3://bkt/c/*.csv"))


def test_what_is_to_be_checked_is_checked_where_it_is_loaded(faulty: FaultServer) -> None:
    faulty.put("bkt", "unchecked.json", b"[1]", etag='"no-hash"')
    assert computed(aios3_nb.bag("s3://bkt/unchecked.json")) == [1]
    with pytest.raises(aios3_nb.NotVerifiedError, match=r"unchecked\.json"):
        computed(aios3_nb.bag("s3://bkt/unchecked.json", verify="require"))


def test_a_bag_takes_what_a_load_takes(faulty: FaultServer) -> None:
    """The format by content where the name says none or another; the one value where there are no items."""
    dump = io.BytesIO()
    joblib.dump({"w": np.arange(3)}, dump)
    faulty.put("bkt", "model.pkl", dump.getvalue())  # which has no items
    faulty.put("bkt", "part-00000", pickle.dumps(1) + pickle.dumps(2))
    faulty.put("bkt", "rows", b'[{"a": 1}, {"a": 2}]')
    faulty.put("bkt", "deep.json", b'{"rows": [3, 4]}')
    [model] = computed(aios3_nb.bag("s3://bkt/model.pkl", trust=True))
    assert model["w"].tolist() == [0, 1, 2]
    assert computed(aios3_nb.bag("s3://bkt/part-00000")) == [1, 2]
    assert computed(aios3_nb.bag("s3://bkt/rows")) == [{"a": 1}, {"a": 2}]
    assert computed(aios3_nb.bag("s3://bkt/deep.json", path="rows.item")) == [3, 4]
    with pytest.raises(aios3_nb.FormatError, match=r"aios3_nb\.bag"):
        aios3_nb.frame("s3://bkt/part-00000")
    with pytest.raises(aios3_nb.OptionError, match="take"):
        aios3_nb.bag("s3://bkt/rows", limit=1)


@pytest.fixture
def partly(faulty: FaultServer) -> FaultServer:
    """Three objects of lines, the first of which is damaged."""
    for n in range(3):
        faulty.put("bkt", f"p/{n}.jsonl", b'{"a": %d, "b": 1.5}\n' % n)
    faulty.put("bkt", "p/0.jsonl", b'{"a": 0, ')
    return faulty


def test_objects_that_fail_can_be_left_out_with_a_warning(partly: FaultServer) -> None:
    with pytest.warns(UserWarning, match=r"s3://bkt/p/0\.jsonl was left out: .*cut short"):
        assert computed(aios3_nb.bag("s3://bkt/p/*", errors="skip")) == [{"a": 1, "b": 1.5}, {"a": 2, "b": 1.5}]
    frame = aios3_nb.frame("s3://bkt/p/*", errors="skip")
    with pytest.warns(UserWarning, match="was left out"):
        table = computed(frame)
    assert table.a.tolist() == [1, 2]
    assert table.dtypes.to_dict() == {"a": np.dtype("int64"), "b": np.dtype("float64")}
    with pytest.warns(UserWarning, match="was left out"):
        assert computed(frame.b).tolist() == [1.5, 1.5]


def test_objects_that_fail_fail_the_computation_by_their_names(partly: FaultServer) -> None:
    for options in ({}, {"errors": "raise"}):
        with pytest.raises(aios3_nb.TruncatedError, match=r"s3://bkt/p/0\.jsonl"):
            computed(aios3_nb.bag("s3://bkt/p/*", **options))
    with pytest.raises(aios3_nb.TruncatedError, match=r"s3://bkt/p/0\.jsonl"):
        aios3_nb.frame("s3://bkt/p/*")


def test_skipping_is_for_several_objects_and_not_for_what_concerns_them_all(partly: FaultServer) -> None:
    with pytest.raises(aios3_nb.OptionError, match="several"):
        aios3_nb.bag("s3://bkt/p/1.jsonl", errors="skip")
    bag = aios3_nb.bag("s3://bkt/p/*", errors="skip")
    partly.fault(Kind.STATUS, status=403, code="InvalidAccessKeyId", times=None)
    with pytest.raises(aios3_nb.CredentialsError):
        computed(bag)
