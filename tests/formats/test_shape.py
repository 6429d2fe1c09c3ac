"""Tables as people ask for them: some columns, the first rows, of another library, several as one."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aios3_nb
from aios3_nb import settings
from tests.faults.server import FaultServer

FRAME = pd.DataFrame({"n": [1, 2, 3], "s": ["a", "b", "ü"], "x": [0.5, 1.5, -1.0]})
ROWS = FRAME.to_dict("records")


def arrow(frame: pd.DataFrame, *, stream: bool = False) -> bytes:
    table, file = pa.Table.from_pandas(frame), io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return file.getvalue()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


BODIES = {
    "t.csv": FRAME.to_csv(index=False).encode(),
    "t.tsv": FRAME.to_csv(index=False, sep="\t").encode(),
    "t.parquet": FRAME.to_parquet(row_group_size=2),
    "t.arrow": arrow(FRAME),
    "t.arrows": arrow(FRAME, stream=True),
    "t.feather": written(FRAME.to_feather),
    "t.jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in ROWS),
    "t.json": json.dumps(ROWS).encode(),
    "t.csv.gz": gzip.compress(FRAME.to_csv(index=False).encode()),
    "t.parquet.gz": gzip.compress(FRAME.to_parquet()),
}


@pytest.fixture
def stocked(faulty: FaultServer) -> FaultServer:
    for key, body in BODIES.items():
        faulty.put("t", key, body, checksum="crc32")
    return faulty


@pytest.mark.parametrize("key", BODIES)
def test_columns_rows_and_kinds(stocked: FaultServer, key: str) -> None:
    def load(**options: Any) -> Any:
        return aios3_nb.load(f"s3://t/{key}", **options)

    pd.testing.assert_frame_equal(load(as_="pandas"), FRAME)
    pd.testing.assert_frame_equal(load(columns=["x", "n"]), FRAME[["x", "n"]])
    pd.testing.assert_frame_equal(load(columns="s", rows=2), FRAME[["s"]][:2])
    pd.testing.assert_frame_equal(load(rows=2), FRAME[:2])
    assert len(load(rows=0, columns="n")) == 0
    assert load(as_="arrow").to_pylist() == ROWS
    assert load(as_="arrow", columns=["s"], rows=1).to_pylist() == [{"s": "a"}]
    assert load(as_="polars", columns="n,s").equals(pl.DataFrame(FRAME[["n", "s"]].to_dict("list")))
    assert np.array_equal(load(as_="numpy", columns=["n", "x"]), FRAME[["n", "x"]].to_numpy())
    with pytest.raises(aios3_nb.OptionError, match=r"There is no column 'zz'. There are: n, s, x\."):
        load(columns=["n", "zz"])


def test_what_is_no_table_says_so(stocked: FaultServer) -> None:
    stocked.put("t", "k.txt", b"text")
    stocked.put("t", "odd.jsonl", b'{"n": 1}\n[2]\n')
    for options in ({"columns": "n"}, {"rows": 1}, {"as_": "pandas"}):
        with pytest.raises(aios3_nb.OptionError, match="are for tables; text makes none"):
            aios3_nb.load("s3://t/k.txt", **options)
    with pytest.raises(aios3_nb.FormatError, match="Row 2 is no record with names, but a list"):
        aios3_nb.load("s3://t/odd.jsonl", as_="pandas")
    assert aios3_nb.load("s3://t/odd.jsonl", columns="n", rows=1).n.tolist() == [1]
    for options, said in (
        ({"as_": "spark"}, "one of pandas, polars, arrow, numpy"),
        ({"rows": -1}, "0 or more"),
        ({"key_column": "k"}, "say both"),
    ):
        with pytest.raises(aios3_nb.OptionError, match=said):
            aios3_nb.load("s3://t/t.csv", **options)


def test_of_json_a_part_can_be_the_table(stocked: FaultServer) -> None:
    stocked.put("t", "in.json", json.dumps({"a": 1, "rows": ROWS}).encode())
    assert aios3_nb.load("s3://t/in.json", path="rows.item", as_="polars").to_dicts() == ROWS


@pytest.fixture
def wide(faulty: FaultServer) -> bytes:
    """A Parquet file of 40 columns in 4 row groups, 10 MB."""
    generator = np.random.default_rng(1)
    file = io.BytesIO()
    pq.write_table(pa.table({f"c{n}": generator.random(32_000) for n in range(40)}), file, row_group_size=8000)
    faulty.put("t", "wide.parquet", file.getvalue())
    faulty.reset()
    return file.getvalue()


def test_of_parquet_only_the_bytes_of_the_columns_are_fetched(faulty: FaultServer, wide: bytes) -> None:
    found = aios3_nb.load("s3://t/wide.parquet", columns=["c3", "c30"])
    pd.testing.assert_frame_equal(found, pd.read_parquet(io.BytesIO(wide), columns=["c3", "c30"]))
    assert sum(each.sent for each in faulty.requests) < 0.15 * len(wide)
    assert len(faulty.gets()) <= 12
    faulty.reset()
    assert len(aios3_nb.load("s3://t/wide.parquet", columns="c3", rows=5)) == 5
    assert sum(each.sent for each in faulty.requests) < 0.15 * len(wide)


def test_columns_come_out_of_the_cache_and_only_a_whole_load_fills_it(
    faulty: FaultServer, wide: bytes, tmp_path: Path
) -> None:
    settings.set_session(cache="1G", cache_dir=str(tmp_path))
    aios3_nb.load("s3://t/wide.parquet", columns="c3")
    assert len(aios3_nb.cached()) == 0
    aios3_nb.load("s3://t/wide.parquet")
    faulty.reset()
    assert len(aios3_nb.load("s3://t/wide.parquet", columns="c3")) == 32_000
    assert [each.status for each in faulty.requests] == [304]


def test_columns_are_bounded_as_the_whole_is(faulty: FaultServer, wide: bytes) -> None:
    with pytest.raises(aios3_nb.TooLargeError):
        aios3_nb.load("s3://t/wide.parquet", columns=["c3", "c30"], max_bytes=len(wide) // 1000)
    texts = io.BytesIO()
    pq.write_table(pa.table({"t": ["x" * 10_000] * 1200, "n": range(1200)}), texts)
    faulty.put("t", "bomb.parquet", texts.getvalue())
    with pytest.raises(aios3_nb.TooLargeError):
        aios3_nb.load("s3://t/bomb.parquet", columns="t", max_bytes=1 << 20)
    assert len(aios3_nb.load("s3://t/bomb.parquet", columns="n", max_bytes=1 << 20)) == 1200


def test_csv_stops_when_there_are_enough_rows(faulty: FaultServer) -> None:
    body = b"n,s\n" + b"".join(b"%d,%s\n" % (n, b"x" * 100) for n in range(100_000))
    faulty.put("t", "long.csv", body)
    assert len(aios3_nb.load("s3://t/long.csv", rows=10)) == 10
    assert sum(each.sent for each in faulty.requests) < 2 << 20


# ---- one table of several


@pytest.fixture
def parts(faulty: FaultServer) -> FaultServer:
    for n in range(4):
        frame = pd.DataFrame({"n": [10 * n, 10 * n + 1], "s": ["a", "b"]})
        faulty.put("t", f"p/{n}.parquet", frame.to_parquet())
        faulty.put("t", f"l/{n}.jsonl", frame.to_json(orient="records", lines=True).encode())
    faulty.reset()
    return faulty


NUMBERS = [0, 1, 10, 11, 20, 21, 30, 31]


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
@pytest.mark.parametrize("where", ["p/*.parquet", "l/*.jsonl"])
def test_concat_makes_one_table_in_the_order_of_the_keys(parts: FaultServer, where: str, kind: str) -> None:
    table = aios3_nb.load(f"s3://t/{where}", concat=True, key_column="from", as_=kind)
    columns = {name: list(table[name].to_pylist() if kind == "arrow" else table[name]) for name in ("from", "n", "s")}
    keys = [where.replace("*", str(n)) for n in range(4) for _ in range(2)]
    assert columns == {"from": keys, "n": NUMBERS, "s": ["a", "b"] * 4}
    if kind == "pandas":
        assert table.index.tolist() == list(range(8))


def test_concat_of_arrays_and_of_one_object(parts: FaultServer) -> None:
    assert aios3_nb.load("s3://t/p/*.parquet", concat=True, as_="numpy", columns="n").ravel().tolist() == NUMBERS
    one = aios3_nb.load("s3://t/p/1.parquet", concat=True, key_column="from")
    assert one["from"].tolist() == ["p/1.parquet"] * 2
    with pytest.raises(aios3_nb.OptionError, match="no columns with names"):
        aios3_nb.load("s3://t/p/*.parquet", concat=True, as_="numpy", key_column="k")
    with pytest.raises(aios3_nb.OptionError, match="has a column 's' already"):
        aios3_nb.load("s3://t/p/*.parquet", concat=True, key_column="s")


def test_rows_in_all_stop_when_there_are_enough(parts: FaultServer) -> None:
    table = aios3_nb.load("s3://t/p/*.parquet", concat=True, rows=3)
    assert table.n.tolist() == [0, 1, 10]
    assert {each.key for each in parts.requests if each.key.startswith("p/") and "*" not in each.key} == {
        "p/0.parquet",
        "p/1.parquet",
    }
    each = aios3_nb.load("s3://t/p/*.parquet", rows=1)
    assert [len(table) for table in each.values()] == [1] * 4


def test_concat_is_for_tables_and_leaves_out_what_fails_when_it_may(parts: FaultServer) -> None:
    parts.put("t", "m/0.json", b'{"n": 1}')
    parts.put("t", "m/1.txt", b"text")
    with pytest.raises(aios3_nb.OptionError, match=r"m/1\.txt is a str"):
        aios3_nb.load("s3://t/m/*.txt", concat=True)
    parts.put("t", "p/2.parquet", b"PAR1 and no more")
    with pytest.raises(aios3_nb.PartialLoadError) as failed:
        aios3_nb.load("s3://t/p/*.parquet", concat=True)
    assert list(failed.value.values) == ["p/0.parquet", "p/1.parquet", "p/3.parquet"]
    with pytest.warns(UserWarning, match="1 of 4 were left out"):
        table = aios3_nb.load("s3://t/p/*.parquet", concat=True, errors="skip")
    assert table.n.tolist() == [0, 1, 10, 11, 30, 31]


def test_columns_that_not_all_have(parts: FaultServer) -> None:
    parts.put("t", "p/9.parquet", pd.DataFrame({"n": [90], "more": [1.5]}).to_parquet())
    table = aios3_nb.load("s3://t/p/[09].parquet", concat=True)
    assert table.n.tolist() == [0, 1, 90]
    assert table.more.tolist()[-1] == 1.5
    assert aios3_nb.load("s3://t/p/[09].parquet", concat=True, as_="arrow")["more"].to_pylist() == [None, None, 1.5]
