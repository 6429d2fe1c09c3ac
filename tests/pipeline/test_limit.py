"""`limit` without iterating: the first items, rows or objects, little fetched for them, and an error elsewhere."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import safetensors.numpy

import aios3_nb
from aios3_nb.streams.plan import FIRST
from tests.faults.server import FaultServer
from tests.kernels import kernel

ROWS = [{"n": n, "text": f"row {n}", "x": n / 7} for n in range(60_000)]
FRAME = pd.DataFrame(ROWS)


def written(write: Any) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def streamed(file: Any, new: Any) -> None:
    table = pa.Table.from_pandas(FRAME)
    with new(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=1000)


ITEMS = {
    "a.pkl": b"".join(map(pickle.dumps, ROWS)),
    "a.json": json.dumps(ROWS).encode(),
    "lines.json": "\n".join(map(json.dumps, ROWS)).encode(),
    "a.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "a.jsonl.gz": gzip.compress("\n".join(map(json.dumps, ROWS)).encode()),
}
TABLES = {
    "a.csv": FRAME.to_csv(index=False).encode(),
    "a.tsv.gz": gzip.compress(FRAME.to_csv(index=False, sep="\t").encode()),
    "a.parquet": written(lambda file: FRAME.to_parquet(file, row_group_size=5000)),
    "a.feather": written(FRAME.to_feather),
    "file.arrow": written(lambda file: streamed(file, pa.ipc.new_file)),
    "stream.arrow": written(lambda file: streamed(file, pa.ipc.new_stream)),
}


@pytest.mark.parametrize("limit", [0, 1, 3])
@pytest.mark.parametrize("key", ITEMS)
def test_the_first_items_are_a_list(faulty: FaultServer, key: str, limit: int) -> None:
    faulty.put("b", key, ITEMS[key])
    assert aios3_nb.load(f"s3://b/{key}", limit=limit) == ROWS[:limit]


@pytest.mark.parametrize("limit", [0, 1, 3, 2500])
@pytest.mark.parametrize("key", TABLES)
def test_the_first_rows_are_a_frame(faulty: FaultServer, key: str, limit: int) -> None:
    faulty.put("b", key, TABLES[key])
    found = aios3_nb.load(f"s3://b/{key}", limit=limit)
    assert list(found.columns) == list(FRAME.columns)
    assert found["n"].tolist() == list(range(limit))
    assert found["text"].tolist() == FRAME["text"].tolist()[:limit]


def test_more_than_there_are_is_all(faulty: FaultServer) -> None:
    faulty.put("b", "a.json", b"[1, 2]")
    faulty.put("b", "a.csv", b"n\n1\n2\n")
    assert aios3_nb.load("s3://b/a.json", limit=9) == [1, 2]
    assert len(aios3_nb.load("s3://b/a.csv", limit=9)) == 2


def test_little_is_fetched_for_the_first(faulty: FaultServer) -> None:
    for key, data in (("a.pkl", ITEMS["a.pkl"]), ("a.json", ITEMS["a.json"]), ("stream.arrow", TABLES["stream.arrow"])):
        faulty.put("b", key, data * (1 if key == "a.json" else 3))
        before = len(faulty.requests)
        aios3_nb.load(f"s3://b/{key}", limit=2)
        assert len(faulty.requests) - before <= 2


LONG = [{"n": n, "text": (f"{n:07}" * 13_000)[: 84_000 + 500 * (n % 5)]} for n in range(60)]
LONG_ITEMS = {
    "a.pkl": b"".join(map(pickle.dumps, LONG)),
    "a.json": json.dumps(LONG).encode(),
    "a.jsonl": "\n".join(map(json.dumps, LONG)).encode(),
    "a.jsonl.gz": gzip.compress("\n".join(map(json.dumps, LONG)).encode(), 0),
}


async def gathered(uri: str, limit: int) -> list[Any]:
    return [item async for item in aios3_nb.aiterate(uri, limit=limit)]


WAYS = {
    "load": lambda uri, limit: aios3_nb.load(uri, limit=limit),
    "iterate": lambda uri, limit: list(aios3_nb.iterate(uri, limit=limit)),
    "aload": lambda uri, limit: asyncio.run(aios3_nb.aload(uri, limit=limit)),
    "aiterate": lambda uri, limit: asyncio.run(gathered(uri, limit)),
}


@pytest.mark.parametrize(("limit", "most"), [(1, 1), (10, 3), (50, 5)])
@pytest.mark.parametrize("key", LONG_ITEMS)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_fetched_for_some_items_is_about_what_they_are(
    faulty: FaultServer, way: str, key: str, limit: int, most: int
) -> None:
    """Nobody tells how long the items are; a HEAD for the checksum is among the requests."""
    faulty.put("b", key, LONG_ITEMS[key], checksum="crc32")
    assert WAYS[way](f"s3://b/{key}", limit) == LONG[:limit]
    assert len(faulty.requests) <= most
    asked = sum(stop - start for start, stop in faulty.gets())
    assert asked <= max(FIRST, 1.6 * len(LONG_ITEMS[key]) * limit / len(LONG))


def test_what_comes_before_the_first_item_is_not_taken_for_items(faulty: FaultServer) -> None:
    faulty.put("b", "a.json", json.dumps({"head": "x" * 300_000, "rows": [1, 2, 3], "tail": LONG}).encode())
    assert aios3_nb.load("s3://b/a.json", path="/rows/*", limit=3) == [1, 2, 3]
    assert sum(stop - start for start, stop in faulty.gets()) <= 2 * FIRST


def test_lines_of_a_text_and_values_at_a_path(faulty: FaultServer) -> None:
    faulty.put("b", "a.txt", b"one\ntwo\nthree\n")
    assert aios3_nb.load("s3://b/a.txt", limit=2) == ["one\n", "two\n"]
    faulty.put("b", "a.json", json.dumps({"rows": ROWS[:9]}).encode())
    assert aios3_nb.load("s3://b/a.json", path="/rows/*/n", limit=3) == [0, 1, 2]


def test_the_first_objects_of_a_glob_are_whole(faulty: FaultServer) -> None:
    for n in range(9):
        faulty.put("b", f"part-{n}.json", json.dumps([n, n, n]).encode())
    assert aios3_nb.load("s3://b/part-*.json", limit=2) == {"part-0.json": [0, 0, 0], "part-1.json": [1, 1, 1]}


@pytest.mark.parametrize("key", ["a.npy", "a.npz", "a.bin", "a.safetensors", "a.joblib"])
def test_where_a_limit_means_nothing_it_is_an_error(faulty: FaultServer, key: str) -> None:
    save = np.savez if key == "a.npz" else np.save
    array = np.arange(3)
    is_tensors = key == "a.safetensors"
    data = safetensors.numpy.save({"n": array}) if is_tensors else written(lambda file: save(file, array))
    faulty.put("b", key, data)
    with pytest.raises(aios3_nb.OptionError, match="limit is for items and rows"):
        aios3_nb.load(f"s3://b/{key}", limit=1, trust=True)


# A file of many pickles, read without a limit.


def test_the_first_of_many_pickles_says_so_every_time_and_leaves_the_rest(faulty: FaultServer) -> None:
    rows = [{"n": n, "blob": bytes(100_000)} for n in range(400)]
    faulty.put("b", "many.pkl", b"".join(map(pickle.dumps, rows)))
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"first of several pickles \(40 MB follow\); aios3_nb.iterate gives all"):
            assert aios3_nb.load("s3://b/many.pkl") == rows[0]
    faulty.put("b", "one.pkl", pickle.dumps(rows[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aios3_nb.load("s3://b/one.pkl")
    environment = {
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "x", "AIOS3_NB_ENDPOINT_URL": faulty.url
    }  # fmt: skip
    with kernel(environment) as running:
        running.ok("%load_ext aios3_nb")
        for _ in range(2):
            cell = running.ok("row = %s3load s3://b/many.pkl")
            assert "first of several pickles" in cell.stdout
            assert "Warning" not in cell.stderr


def test_looking_into_many_pickles_counts_them(faulty: FaultServer) -> None:
    faulty.put("b", "many.pkl", b"".join(map(pickle.dumps, ROWS)))
    seen = repr(aios3_nb.peek("s3://b/many.pkl"))
    assert "pickles in a row" in seen
    assert "at least " in seen
    faulty.put("b", "few.pkl", b"".join(map(pickle.dumps, ROWS[:5])))
    seen = aios3_nb.peek("s3://b/few.pkl")
    assert "5; aios3_nb.iterate gives all" in repr(seen)
    faulty.put("b", "one.pkl", pickle.dumps(ROWS[0]))
    assert "in a row" not in repr(aios3_nb.peek("s3://b/one.pkl"))


def test_a_name_that_only_a_later_pickle_needs_is_seen(faulty: FaultServer) -> None:
    import os

    faulty.put("b", "many.pkl", pickle.dumps([1]) * 50 + pickle.dumps(os.system))
    seen = repr(aios3_nb.peek("s3://b/many.pkl"))
    assert "system" in seen
    assert "every name it imports may load" not in seen
