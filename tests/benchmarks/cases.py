"""What is measured: objects, servers, ways, rounds and goals; `CASES` by name."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.case import LOAD, Case, Goal, Run
from tests.benchmarks.growth import CONTENTS
from tests.benchmarks.kinds import KINDS


def _runs(*ways: str, **settings: Any) -> tuple[Run, ...]:
    return tuple(Run(way, **settings) for way in ways)


_NO_NETWORK = _runs("local_pickle", counts=False)
_BARE = tuple(
    Run("bare_buffer", f"bare client, {count} connections", {"concurrency": count}, counts=False) for count in (10, 20)
)
_ARRAYS = _runs("ours", "megfile", "boto3_download", "boto3_stream", "obstore")
_SLOW = (*_runs("smart_open", "pandas_pickle", rounds=2), Run("aios3", rounds=1, counts=False))
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


_AS_ONE_STREAM = (Goal("seconds", "ours", "boto3_stream", 1.0),)
_SMALL = (*_runs("ours_glob", "ours_gather", "boto3_threads"), Run("boto3_loop", rounds=1))
_CHEAP = (Goal("cpu", "ours_gather", "boto3_threads", 1 / 2.2), Goal("cpu", "ours_glob", "boto3_threads", 1 / 2.2))


def _slow_and_even(way: str, rounds: int) -> tuple[Run, Run]:
    """Return the run with slow connections, and the one without, as a baseline."""
    return Run(way, rounds=rounds), Run(way, f"{way}, none slow", rounds=rounds, server="even", counts=False)


CASES: dict[str, Case] = {
    "arrays": Case(
        "512 MB of arrays, S3-like server",
        "s3",
        "arrays.pkl",
        (*_ARRAYS, *_NO_NETWORK, *_BARE, *_SLOW),
        rounds=5,
        in_readme=True,
        goals=(
            Goal("seconds", "ours", "megfile", 1 / 1.8),
            Goal("seconds", "ours", "bare client, 20 connections", 1.4),
        ),
    ),
    "arrays-plain": Case(
        "512 MB of arrays, loopback without limits",
        "plain",
        "arrays.pkl",
        (*_ARRAYS, *_NO_NETWORK),
        rounds=5,
        goals=_AS_ONE_STREAM,
    ),
    "arrays-tls": Case(
        "512 MB of arrays, loopback without limits, TLS", "tls", "arrays.pkl", _ARRAYS, goals=_AS_ONE_STREAM
    ),
    "arrays-seaweedfs": Case(
        "512 MB of arrays, SeaweedFS", "seaweedfs", "arrays.pkl", _ARRAYS, in_readme=True, goals=_AS_ONE_STREAM
    ),
    "safety": Case(
        "512 MB of arrays: safe unpickling, checksum and progress, on and off",
        "s3",
        "arrays.pkl",
        _runs("ours", "ours_unsafe", "magic", "magic_bare"),
        rounds=7,
        short="",
    ),
    "straggler": Case(
        "512 MB of arrays, S3-like server, one connection in ten brings 1 MB/s",
        "straggler",
        "arrays.pkl",
        (
            *_slow_and_even("ours", 9),
            *_slow_and_even("megfile", 1),
            *_slow_and_even("boto3_download", 2),
            *_slow_and_even("s3fs_cat_file", 1),
        ),
        rounds=9,
        goals=(
            Goal("seconds", "ours", "ours, none slow", 1.3),
            Goal("seconds", "megfile", "megfile, none slow"),
            Goal("seconds", "boto3_download", "boto3_download, none slow"),
            Goal("seconds", "s3fs_cat_file", "s3fs_cat_file, none slow"),
        ),
    ),
    "in-parts": Case("512 MB of arrays, uploaded in parts, S3-like server", "s3", "in-parts.pkl", _IN_PARTS, short=""),
    "in-parts-plain": Case(
        "512 MB of arrays, uploaded in parts, loopback without limits",
        "plain",
        "in-parts.pkl",
        _IN_PARTS,
        short="",
    ),
    "in-parts-seaweedfs": Case(
        "512 MB of arrays, uploaded in parts, SeaweedFS", "seaweedfs", "in-parts.pkl", _IN_PARTS, short=""
    ),
    "dicts": Case(
        "A million dicts, pickle",
        "s3",
        "dicts.pkl",
        (
            Run("ours"),
            Run("ours_unsafe", counts=False),
            *_runs("boto3_stream", "boto3_download"),
            *_runs("local_pickle", "memory_pickle", counts=False),
        ),
    ),
    "json": Case(
        "A million dicts, JSON", "s3", "dicts.json", (*_runs("ours", "boto3_json"), Run("memory_json", counts=False))
    ),
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
    "first-ten-larger": Case(
        "First ten of 1,000 pickles of 84 KB",
        "s3",
        "larger.pkl",
        _runs("ours_first_ten", "ours_first_ten_awaited", "boto3_first_ten", "s3fs_first_ten"),
        goals=tuple(
            Goal(figure, way, most=most)
            for way in ("ours_first_ten", "ours_first_ten_awaited")
            for figure, most in (("requests", 3), ("bytes", 2 * 844_000))
        ),
    ),
    "second": Case(
        "512 MB of arrays, with the local cache",
        "s3",
        "arrays.pkl",
        (*_runs("ours", "ours_keeping", "ours_cached", "ours_offline"), *_NO_NETWORK),
    ),
    "second-dicts": Case(
        "A million dicts, with the local cache",
        "s3",
        "dicts.pkl",
        (*_runs("ours", "ours_keeping", "ours_cached", "ours_offline"), *_NO_NETWORK),
    ),
    "request": Case(
        "One small load, loopback without limits, client warm",
        "plain",
        "one.pkl",
        (*_runs("ours", "boto3_stream"), *_runs("ours_awaited", "aiobotocore", "bare_request", counts=False)),
        rounds=5,
        repeat=300,
        short="cpu",
        in_readme=True,
        columns=("cpu_ms", "ms", "min_ms", "max_ms"),
        goals=(
            Goal("cpu", "ours", most=0.0012),
            Goal("cpu", "ours_awaited", most=0.0009),
            Goal("cpu", "ours", "boto3_stream"),
            Goal("cpu", "ours_awaited", "aiobotocore"),
        ),
    ),
    "small": Case("1,000 objects of 10 KB", "s3", "small/*", _SMALL, in_readme=True, goals=_CHEAP),
    "small-plain": Case(
        "1,000 objects of 10 KB, loopback without limits",
        "plain",
        "small/*",
        _SMALL,
        short="cpu",
        columns=LOAD[:-1],
        goals=_CHEAP,
    ),
    "tiny": Case(
        "2,500 numbers of 6 bytes, loopback without limits",
        "plain",
        "tiny/*",
        _runs("ours_glob", "ours_gather", "boto3_threads"),
        rounds=1,
        columns=LOAD[:-1],  # the server's clock is too coarse to tell how many are open
    ),
    "beside": Case(
        "24 MB at 1.2 MB/s per connection, alone and beside objects of 5 bytes",
        "thin",
        "beside-three/*",
        (
            Run("ours_glob", "ours, alone", key="beside-none/*"),
            Run("ours_glob", "ours, beside one", key="beside-one/*"),
            Run("ours_glob", "ours, beside three"),
            Run("ours_loop", "ours, one after the other"),
            Run("boto3_download_loop", "boto3_download, one after the other"),
        ),
        rounds=2,
        short="",
        goals=(
            Goal("seconds", "ours, beside three", "ours, one after the other", 1.0),
            Goal("seconds", "ours, beside one", "ours, alone"),
        ),
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
        "One object of 1 KB, client warm",
        "s3",
        "one.pkl",
        _runs("ours", "boto3_stream", "pandas_pickle"),
        repeat=20,
        in_readme=True,
        goals=(Goal("seconds", "ours", "boto3_stream", 1.0),),
    ),
    "stop": Case(
        "Stop and Cancel: from the press to the kernel's idle",
        "s3",
        "arrays.pkl",
        (
            Run("stop_line", "`%s3load`"),
            Run("stop_line", "`%s3load`, a million dicts", key="dicts.pkl"),
            Run("stop_line", "`%s3load`, a million dicts as JSON", key="dicts.json"),
            Run("stop_several", "`%s3load` of two"),
            Run("stop_line_awaiting", "`%s3load` in a cell that awaits"),
            Run("stop_cell", "`%%s3load`"),
            Run("stop_aload", "`await aload`"),
            Run("stop_iterate", "`iterate`", key="dicts.jsonl"),
            Run("stop_aiterate", "`async for` of `aiterate`", key="dicts.jsonl"),
            Run("cancel_line", "Cancel of `%s3load`"),
            Run("cancel_line_awaiting", "Cancel in a cell that awaits"),
            Run("stop_pandas", "`pandas.read_pickle`", counts=False),
            Run("stop_boto3", "boto3 `get_object`, `pickle.load`", counts=False),
            Run("stop_boto3", "the same, a million dicts", key="dicts.pkl", counts=False),
        ),
        rounds=1,
        short="",
        columns=("median", "most", "longest", "stops"),
        goals=(Goal("longest", most=1.0),),
    ),
    "import": Case(
        "import aios3_nb; %load_ext aios3_nb", "", "", _runs("import", "load_ext"), rounds=7, columns=LOAD[:3]
    ),
    "kinds": Case(
        "Kinds of pickles: safe unpickling against pickle.load",
        "",
        "",
        tuple(Run("kind", kind, key=kind) for kind in KINDS),
        rounds=1,
        short="",
        columns=("size", "stock_ms", "safe_ms", "ratio"),
        goals=(Goal("ratio", most=1.3),),
    ),
    "growth": Case(
        "Growth: processor time against size",
        "",
        "",
        tuple(Run("growth", content, key=content) for content in CONTENTS),
        rounds=1,
        short="",
        columns=("small", "middle", "large", "growth"),
        goals=(Goal("growth", most=8),),
    ),
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
