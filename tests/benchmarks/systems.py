"""The ways of file systems, and of Dask on two workers; see `ways`."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.benchmarks.configuration import BUCKET
from tests.benchmarks.ways import WARM_KEY, Load, Way

Maker = Callable[[], Any]
WORKERS = 2


# ---- the file systems


def _ours() -> Any:
    import aios3_nb

    return aios3_nb.filesystem()


def _s3fs() -> Any:
    import s3fs

    return s3fs.S3FileSystem()


def _obstore() -> Any:
    from obstore.fsspec import FsspecStore

    url = os.environ["AWS_ENDPOINT_URL_S3"]
    return FsspecStore("s3", endpoint=url, virtual_hosted_style_request=False, client_options={"allow_http": True})


def _warm(make: Maker) -> Any:
    files = make()
    files.cat(f"{BUCKET}/{WARM_KEY}")
    return files


def scan(make: Maker, key: str) -> Load:
    """Two columns of a Parquet file, by pyarrow."""
    import pyarrow.parquet

    files = _warm(make)
    return lambda: pyarrow.parquet.read_table(f"{BUCKET}/{key}", columns=["c3", "c30"], filesystem=files).num_rows


def cat(make: Maker, key: str) -> Load:
    """Many small files in one call."""
    files = _warm(make)
    paths = files.find(f"{BUCKET}/{key.removesuffix('/*')}")
    return lambda: sum(map(len, files.cat(paths).values()))


def find(make: Maker, key: str) -> Load:
    files = _warm(make)
    return lambda: len(files.find(f"{BUCKET}/{key.removesuffix('/*')}"))


def read_zarr(make: Maker, key: str) -> Load:
    """All chunks of an array, through zarr, which has opened it before: it has a loop and connections of its own."""
    import zarr

    array = zarr.open_array(_zarr_store(make, key), mode="r", zarr_format=3)
    return lambda: array[:].nbytes


def _zarr_store(make: Maker, key: str) -> Any:
    import zarr

    _warm(make)
    if make is _obstore:
        from obstore.store import S3Store

        url = os.environ["AWS_ENDPOINT_URL_S3"]
        options: Any = {"endpoint": url, "virtual_hosted_style_request": False, "client_options": {"allow_http": True}}
        return zarr.storage.ObjectStore(S3Store(BUCKET, prefix=key, **options), read_only=True)
    if make is _ours:
        import aios3_nb

        files = aios3_nb.filesystem(asynchronous=True)
    else:
        import s3fs

        files = s3fs.S3FileSystem(asynchronous=True)
    return zarr.storage.FsspecStore(files, path=f"{BUCKET}/{key}", read_only=True)


# ---- Dask


def _total(arrays: Any) -> float:
    return float(sum(array.sum() for array in arrays.values()))


def _on_workers(make_bag: Callable[[], Any], load_one: Callable[[], Any]) -> Load:
    """Return what computes the bag on two processes, which have loaded one small object each before."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=WORKERS, threads_per_worker=2, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    client = Client(cluster)
    client.run(load_one)
    return lambda: make_bag().map(_total).sum().compute()


def _load_ours() -> Any:
    import aios3_nb

    return aios3_nb.load(f"s3://{BUCKET}/{WARM_KEY}")


def ours_dask(key: str) -> Load:
    import aios3_nb

    _load_ours()
    return _on_workers(lambda: aios3_nb.bag(f"s3://{BUCKET}/{key}"), _load_ours)


def _load_by_s3fs(path: str = f"{BUCKET}/{WARM_KEY}") -> Any:
    with _s3fs().open(path) as file:
        return pickle.load(file)


def s3fs_dask(key: str) -> Load:
    """As Dask's own pages have it for what they have no reader of: a function over the paths."""
    import dask.bag

    files = _warm(_s3fs)

    def make_bag() -> Any:
        paths = files.find(f"{BUCKET}/{key.removesuffix('/*')}")
        return dask.bag.from_sequence(paths, partition_size=1).map(_load_by_s3fs)

    return _on_workers(make_bag, _load_by_s3fs)


SYSTEMS: dict[str, Maker] = {"ours": _ours, "s3fs": _s3fs, "obstore": _obstore}
WAYS: dict[str, Way] = {
    f"{name}_{call.__name__}": partial(call, make)
    for call in (scan, cat, find, read_zarr)
    for name, make in SYSTEMS.items()
} | {"ours_dask": ours_dask, "s3fs_dask": s3fs_dask}
