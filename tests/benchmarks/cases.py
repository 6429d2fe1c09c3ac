"""What is measured: object, server, ways, rounds, and what is to be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Run:
    """One way, with settings of our own where it is ours; `rounds` at most, where one takes a minute.

    Its `key`, where it has one, goes before that of the case.
    """

    way: str
    label: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 99
    key: str = ""

    @property
    def name(self) -> str:
        return self.label or self.way


@dataclass(frozen=True)
class Case:
    """One table of the results.

    Attributes:
        title: What is loaded, and from where.
        server: ``s3``, ``straggler``, ``plain``, ``tls`` (nginx) or ``seaweedfs``.
        key: The object.
        runs: The ways, in the order of the table.
        rounds: Times that each is measured.
        repeat: Loads within one process, whose median counts.
        in_short: Whether it has a row in the table that stands first.
    """

    title: str
    server: str
    key: str
    runs: tuple[Run, ...]
    rounds: int = 3
    repeat: int = 1
    in_short: bool = True

    @property
    def keys(self) -> set[str]:
        """All objects that it needs."""
        return {run.key or self.key for run in self.runs}


def _runs(*ways: str) -> tuple[Run, ...]:
    return tuple(Run(way) for way in ways)


_ARRAYS = _runs("ours", "megfile", "boto3_download", "boto3_stream", "obstore", "local_pickle")
_SLOW = (*_runs("smart_open", "pandas_pickle"), Run("aios3", rounds=1))
_MIB = 1 << 20


def _scaling(name: str, values: tuple[int, ...], unit: int = 1) -> tuple[Run, ...]:
    word = "connections" if name == "concurrency" else "MiB parts"
    return tuple(Run("ours", f"ours, {value} {word}", {name: value * unit}) for value in values)


_IN_PARTS = (
    Run("ours", "ours, not checked", {"verify": "off"}),
    Run("ours", "ours, by the CRC32Cs of the parts", {"verify": "require"}),
    Run("ours", "ours, by the MD5s of the parts", key="in-md5-parts.pkl"),
    Run("ours", "ours, by the MD5s, waiting for them", {"verify": "require"}, key="in-md5-parts.pkl"),
    *_runs("megfile", "boto3_download", "boto3_stream"),
)


CASES: dict[str, Case] = {
    "arrays": Case("512 MB of arrays, S3-like server", "s3", "arrays.pkl", (*_ARRAYS, *_SLOW), rounds=5),
    "arrays-plain": Case("512 MB of arrays, loopback without limits", "plain", "arrays.pkl", _ARRAYS, rounds=5),
    "arrays-tls": Case("512 MB of arrays, loopback without limits, TLS", "tls", "arrays.pkl", _ARRAYS[:-1]),
    "arrays-seaweedfs": Case("512 MB of arrays, SeaweedFS", "seaweedfs", "arrays.pkl", _ARRAYS[:-1]),
    "safety": Case(
        "512 MB of arrays: safe unpickling, checksum and progress, on and off",
        "s3",
        "arrays.pkl",
        _runs("ours", "ours_unsafe", "magic", "magic_bare"),
        rounds=7,
    ),
    "straggler": Case(
        "512 MB of arrays, S3-like server, one connection in ten brings 1 MB/s",
        "straggler",
        "arrays.pkl",
        (*_runs("ours", "megfile", "boto3_download"), Run("s3fs_cat_file", rounds=1)),
        in_short=False,
    ),
    "in-parts": Case(
        "512 MB of arrays, uploaded in parts, S3-like server", "s3", "in-parts.pkl", _IN_PARTS, in_short=False
    ),
    "in-parts-plain": Case(
        "512 MB of arrays, uploaded in parts, loopback without limits",
        "plain",
        "in-parts.pkl",
        _IN_PARTS,
        in_short=False,
    ),
    "in-parts-seaweedfs": Case(
        "512 MB of arrays, uploaded in parts, SeaweedFS", "seaweedfs", "in-parts.pkl", _IN_PARTS, in_short=False
    ),
    "dicts": Case(
        "A million dicts, pickle",
        "s3",
        "dicts.pkl",
        _runs("ours", "ours_unsafe", "boto3_stream", "boto3_download", "local_pickle", "memory_pickle"),
    ),
    "json": Case("A million dicts, JSON", "s3", "dicts.json", _runs("ours", "boto3_json", "memory_json")),
    "jsonl": Case("A million dicts, JSON Lines", "s3", "dicts.jsonl", _runs("ours", "ours_items", "boto3_json_lines")),
    "frame": Case(
        "192 MB DataFrame",
        "s3",
        "frame.pkl",
        _runs("ours", "megfile", "boto3_download", "boto3_stream", "pandas_pickle"),
    ),
    "first": Case(
        "First record of 1 GB of pickles", "s3", "many.pkl", _runs("ours_first", "boto3_stream", "s3fs_first")
    ),
    "first-ten": Case(
        "First ten records of 1 GB of pickles",
        "s3",
        "many.pkl",
        _runs("ours_first_ten", "boto3_first_ten", "s3fs_first_ten"),
    ),
    "second": Case(
        "512 MB of arrays, with the local cache",
        "s3",
        "arrays.pkl",
        _runs("ours", "ours_keeping", "ours_cached", "ours_offline", "local_pickle"),
    ),
    "second-dicts": Case(
        "A million dicts, with the local cache",
        "s3",
        "dicts.pkl",
        _runs("ours", "ours_keeping", "ours_cached", "ours_offline", "local_pickle"),
    ),
    "small": Case(
        "1,000 objects of 10 KB", "s3", "small/*", _runs("ours_glob", "ours_gather", "boto3_threads", "boto3_loop")
    ),
    "fs-parquet": Case(
        "File systems: two columns of forty of a Parquet file of 512 MB",
        "s3",
        "wide.parquet",
        _runs("ours_scan", "s3fs_scan", "obstore_scan"),
    ),
    "fs-cat": Case(
        "File systems: cat of 1,000 objects of 10 KB", "s3", "small/*", _runs("ours_cat", "s3fs_cat", "obstore_cat")
    ),
    "fs-find": Case(
        "File systems: find of 100,000 keys", "s3", "keys/*", _runs("ours_find", "s3fs_find", "obstore_find")
    ),
    "fs-zarr": Case(
        "File systems: a Zarr array of 256 MB in chunks of 1 MB",
        "s3",
        "cube.zarr",
        _runs("ours_read_zarr", "s3fs_read_zarr", "obstore_read_zarr"),
    ),
    "dask": Case(
        "Dask on two workers: 2 GB in 64 pickles of arrays", "s3", "lake/*", _runs("ours_dask", "s3fs_dask"), rounds=1
    ),
    "one": Case(
        "One object of 1 KB, client warm", "s3", "one.pkl", _runs("ours", "boto3_stream", "pandas_pickle"), repeat=20
    ),
    "import": Case("import aios3_nb; %load_ext aios3_nb", "s3", "one.pkl", _runs("import", "load_ext"), rounds=7),
    "stream": Case("4 GB streamed in chunks", "plain", "sparse.bin", _runs("ours_chunks", "boto3_chunks"), rounds=1),
    "connections": Case(
        "512 MB of arrays by connections", "s3", "arrays.pkl", _scaling("concurrency", (1, 2, 4, 8, 16))
    ),
    "parts": Case(
        "512 MB of arrays by length of a part", "s3", "arrays.pkl", _scaling("part_size", (2, 4, 8, 16), _MIB)
    ),
    "connections-plain": Case(
        "512 MB of arrays by connections, without limits",
        "plain",
        "arrays.pkl",
        _scaling("concurrency", (1, 2, 4, 8, 16)),
    ),
    "parts-plain": Case(
        "512 MB of arrays by length of a part, without limits",
        "plain",
        "arrays.pkl",
        _scaling("part_size", (2, 4, 8, 16), _MIB),
    ),
}
