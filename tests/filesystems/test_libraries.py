"""Other libraries read and write one real data set each through the file system."""

from __future__ import annotations

import asyncio
import json
import pickle
import warnings
from typing import Any

import duckdb
import fsspec
import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import pytest
import xarray as xr
import zarr

import aios3_nb

FRAME = pd.DataFrame({"n": range(5000), "x": np.linspace(0, 1, 5000), "s": [f"s{n % 7}" for n in range(5000)]})


@pytest.fixture(autouse=True)
def registered(server: Any) -> None:
    """As the entry point does where the package is installed."""
    aios3_nb.register_filesystem()


@pytest.fixture
def fs(server: Any) -> Any:
    return aios3_nb.filesystem()


def test_pandas_reads_and_writes_by_url(bucket: str) -> None:
    for form in ("parquet", "csv", "pickle"):
        url = f"aios3://{bucket}/frame.{form}"
        options = {} if form == "pickle" else {"index": False}
        getattr(FRAME, f"to_{form}")(url, **options)
        pd.testing.assert_frame_equal(getattr(pd, f"read_{form}")(url), FRAME)
    few = pd.read_parquet(f"aios3://{bucket}/frame.parquet", columns=["x"], storage_options={"read_timeout": 9})
    assert list(few.columns) == ["x"]


def test_pyarrow_writes_and_filters_a_partitioned_dataset(fs: Any, bucket: str) -> None:
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    place = f"{bucket}/data set"
    pa.dataset.write_dataset(
        table, place, format="parquet", partitioning=["s"], partitioning_flavor="hive", filesystem=fs
    )
    assert len(fs.ls(place)) == 7
    dataset = pa.dataset.dataset(place, filesystem=fs, partitioning="hive")
    found = dataset.to_table(columns=["n"], filter=pa.dataset.field("s") == "s3").to_pydict()
    assert sorted(found["n"]) == list(range(3, 5000, 7))


def test_what_ray_takes_a_handler_of_pyarrow(fs: Any, bucket: str) -> None:
    """Ray's readers take ``filesystem=PyFileSystem(FSSpecHandler(fs))``."""
    handler = pa.fs.PyFileSystem(pa.fs.FSSpecHandler(fs))
    pa.parquet.write_table(pa.table({"a": [1, 2]}), f"{bucket}/ray.parquet", filesystem=handler)
    assert pa.parquet.read_table(f"{bucket}/ray.parquet", filesystem=handler).to_pydict() == {"a": [1, 2]}
    sent = pickle.loads(pickle.dumps(handler))
    assert sent.get_file_info(f"{bucket}/ray.parquet").size > 0


def test_polars_by_file(fs: Any, bucket: str) -> None:
    frame = pl.from_pandas(FRAME)
    with fs.open(f"{bucket}/p.parquet", "wb") as file:
        frame.write_parquet(file)
    with fs.open(f"{bucket}/p.csv", "wb") as file:
        frame.write_csv(file)
    with fs.open(f"{bucket}/p.csv") as file:
        assert pl.read_csv(file).equals(frame)
    with fs.open(f"{bucket}/p.parquet") as file:
        assert pl.read_parquet(file, columns=["n"]).equals(frame.select("n"))


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # dask's own use of pandas 3.1
@pytest.mark.filterwarnings("default")  # of dask, when it is imported
def test_dask_writes_and_reads_by_url(bucket: str) -> None:
    import dask.bag
    import dask.dataframe as dd

    with dask.config.set(scheduler="threads"):
        dd.from_pandas(FRAME, npartitions=3).to_parquet(f"aios3://{bucket}/dask.parquet")
        again = dd.read_parquet(f"aios3://{bucket}/dask.parquet", columns=["n"])
        assert again.npartitions == 3
        assert int(again.n.sum().compute()) == sum(range(5000))
        lines = dask.bag.from_sequence(["a", "b"], npartitions=2).to_textfiles(f"aios3://{bucket}/dask/*.txt")
        assert len(lines) == 2
        assert dask.bag.read_text(f"aios3://{bucket}/dask/*.txt").map(str.strip).compute() == ["a", "b"]


def test_duckdb_with_the_file_system_registered(fs: Any, bucket: str) -> None:
    FRAME.to_parquet(f"aios3://{bucket}/d/1.parquet")
    FRAME.to_parquet(f"aios3://{bucket}/d/2.parquet")
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        query = f"select count(*), sum(n) from read_parquet('aios3://{bucket}/d/*.parquet')"
        assert connection.sql(query).fetchall() == [(10_000, 2 * sum(range(5000)))]
        connection.sql(f"copy (select 1 as one) to 'aios3://{bucket}/d/made.csv'")
    assert fs.cat(f"{bucket}/d/made.csv") == b"one\n1\n"


def test_zarr_and_xarray(bucket: str) -> None:
    data = xr.Dataset({"t": (("y", "x"), np.arange(3600.0).reshape(60, 60))}, {"y": range(60)})
    url = f"aios3://{bucket}/cube.zarr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of zarr, about formats to come
        data.to_zarr(url)
        with xr.open_zarr(url) as again:
            xr.testing.assert_identical(again.load(), data)
        store = zarr.storage.FsspecStore(aios3_nb.filesystem(asynchronous=True), path=f"{bucket}/sharded.zarr")
        array = zarr.create_array(store, shape=(64, 64), chunks=(8, 8), shards=(32, 32), dtype="f8")
        array[:] = np.arange(4096.0).reshape(64, 64)
        # Of a shard the index is read from its end, and then the chunk alone.
        np.testing.assert_array_equal(zarr.open_array(store, mode="r")[10:12, 40:44], array[10:12, 40:44])
        assert array[11, 41] == 11 * 64 + 41


def test_joblib_dumps_and_loads(fs: Any, bucket: str) -> None:
    value = {"weights": np.arange(1000.0), "name": "m"}
    with fs.open(f"{bucket}/m.joblib", "wb") as file:
        joblib.dump(value, file)
    with fs.open(f"{bucket}/m.joblib") as file:
        np.testing.assert_array_equal(joblib.load(file)["weights"], value["weights"])
    loaded = joblib.Parallel(n_jobs=2, backend="threading")(
        joblib.delayed(aios3_nb.load)(f"s3://{bucket}/m.joblib", trust=True) for _ in range(4)
    )
    assert [one["name"] for one in loaded] == ["m"] * 4


def test_a_flat_map_over_the_lines_of_many_objects(fs: Any, bucket: str) -> None:
    """Spark's ``flatMap(aios3_nb.iterate)`` takes any function that gives items."""
    for part in range(3):
        fs.pipe(f"{bucket}/spark/{part}.jsonl", b"".join(b'{"n": %d}\n' % n for n in range(part * 10, part * 10 + 10)))
    uris = [f"s3://{path}" for path in fs.glob(f"{bucket}/spark/*.jsonl")]
    assert [row["n"] for uri in uris for row in aios3_nb.iterate(uri)] == list(range(30))


def test_a_cache_of_fsspec_lies_on_top(bucket: str, fs: Any, tmp_path: Any) -> None:
    fs.pipe(f"{bucket}/c.txt", b"kept")
    for _ in range(2):
        with fsspec.open(f"filecache::aios3://{bucket}/c.txt", filecache={"cache_storage": str(tmp_path)}) as file:
            assert file.read() == b"kept"


def test_the_coroutines_run_on_the_loop_of_the_caller(bucket: str) -> None:
    async def main() -> Any:
        own = aios3_nb.filesystem(asynchronous=True)
        await own._pipe_file(f"{bucket}/own.json", b"[1]")
        return json.loads(await own._cat_file(f"{bucket}/own.json"))

    assert asyncio.run(main()) == [1]
