"""The objects that the benchmark loads. All are made, none is downloaded; the same every time."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

MB = 1 << 20

PARTS = {"in-parts.pkl": "crc32c", "in-md5-parts.pkl": ""}
"""Objects that were uploaded in parts, and of what a checksum is kept; of the latter there is only the ETag."""

PART = 8 * MB
"""Bytes of one part, as the AWS CLI and boto3 have them."""


def write(folder: Path, keys: set[str], scale: float) -> None:
    """Write the objects `keys` to `folder`; `scale` is their size, 1 in full."""
    folder.mkdir(parents=True, exist_ok=True)
    for key in sorted(keys):
        if key in _FOLDERS:
            _FOLDERS[key](folder / key.removesuffix("/*"), scale)
        else:
            with (folder / key).open("wb") as file:
                _WRITERS[key](file, scale)


def _arrays(file: BinaryIO, scale: float) -> None:
    """Write a dict of 64 float64 arrays of 8 MB."""
    import numpy

    generator = numpy.random.default_rng(1)
    arrays = {f"layer_{index}": generator.random(1 << 20) for index in range(max(2, int(64 * scale)))}
    pickle.dump(arrays, file, protocol=5)


def _rows(scale: float) -> Iterator[dict[str, Any]]:
    generator = random.Random(1)
    for index in range(int(1_000_000 * scale)):
        yield {
            "id": index,
            "name": f"user-{generator.randrange(10**6)}",
            "score": generator.random(),
            "active": index % 3 == 0,
            "tags": [generator.randrange(100), generator.randrange(100)],
            "city": generator.choice(("Oslo", "Lima", "Bonn", "Pune")),
        }


def _dicts(file: BinaryIO, scale: float) -> None:
    pickle.dump(list(_rows(scale)), file, protocol=5)


def _json(file: BinaryIO, scale: float) -> None:
    file.write(json.dumps(list(_rows(scale))).encode())


def _json_lines(file: BinaryIO, scale: float) -> None:
    for row in _rows(scale):
        file.write(json.dumps(row).encode() + b"\n")


def _frame(file: BinaryIO, scale: float) -> None:
    """Write a DataFrame of 24 columns of a million numbers."""
    import numpy
    import pandas

    generator = numpy.random.default_rng(2)
    table = pandas.DataFrame({f"c{index}": generator.random(int(1_000_000 * scale)) for index in range(24)})
    pickle.dump(table, file, protocol=5)


def _many(file: BinaryIO, scale: float) -> None:
    """Write 1 GB of pickles in a row, some 10 KB each."""
    block = _in_a_row(100, numbers=1100)
    for _ in range(int(1024 * MB * scale) // len(block)):
        file.write(block)


def _larger(file: BinaryIO, scale: float) -> None:
    """Write 1,000 pickles in a row, 84 KB each."""
    block = _in_a_row(10, numbers=9300)
    for _ in range(max(2, int(100 * scale))):
        file.write(block)


def _in_a_row(count: int, numbers: int) -> bytes:
    generator = random.Random(3)
    return b"".join(
        pickle.dumps({"id": index, "values": [generator.random() for _ in range(numbers)]}, protocol=5)
        for index in range(count)
    )


def _sparse(file: BinaryIO, scale: float) -> None:
    """Write 4 GB of nothing, which take no place on the disk."""
    file.truncate(int(4096 * MB * scale))


def _one(file: BinaryIO, scale: float) -> None:
    """Write one object of 1 KB."""
    pickle.dump({"threshold": 0.5, "weights": bytes(1000)}, file, protocol=5)


def _parquet(file: BinaryIO, scale: float) -> None:
    """Write 40 columns of 1.6 million numbers, 512 MB, in 16 groups of rows."""
    import numpy
    import pyarrow
    import pyarrow.parquet

    generator, rows = numpy.random.default_rng(5), int(100_000 * scale)
    schema = pyarrow.schema([(f"c{index}", pyarrow.float64()) for index in range(40)])
    with pyarrow.parquet.ParquetWriter(file, schema, compression="none", use_dictionary=False) as writer:
        for _ in range(16):
            writer.write_table(pyarrow.table([generator.random(rows) for _ in schema], schema=schema))


def _write_small(folder: Path, scale: float) -> None:
    folder.mkdir(exist_ok=True)
    generator = random.Random(4)
    for index in range(max(20, int(1000 * scale))):
        data = pickle.dumps({"id": index, "values": [generator.random() for _ in range(1100)]}, protocol=5)
        (folder / f"{index:04}.pkl").write_bytes(data)


def _write_beside(small: int, folder: Path, scale: float) -> None:
    """Write one object of 24 MB and `small` of a few bytes, which come after it in a listing."""
    folder.mkdir(exist_ok=True)
    (folder / "big.pkl").write_bytes(pickle.dumps(random.Random(8).randbytes(int(24 * MB * scale))))
    for index in range(small):
        (folder / f"small-{index}.pkl").write_bytes(pickle.dumps(index, protocol=2))


def _write_tiny(folder: Path, scale: float) -> None:
    """Write 2,500 numbers, 8 bytes or less each."""
    folder.mkdir(exist_ok=True)
    for index in range(int(2500 * scale)):
        (folder / f"{index:04}.pkl").write_bytes(pickle.dumps(index, protocol=2))


def _write_keys(folder: Path, scale: float) -> None:
    """Write nothing, under 100,000 names that are listed."""
    folder.mkdir(exist_ok=True)
    for index in range(int(100_000 * scale)):
        (folder / f"{index:06}.bin").touch()


def _write_lake(folder: Path, scale: float) -> None:
    """Write 64 dicts of four arrays, 32 MB each."""
    import numpy

    folder.mkdir(exist_ok=True)
    generator = numpy.random.default_rng(6)
    for index in range(64):
        arrays = {f"layer_{number}": generator.random(int((1 << 20) * scale)) for number in range(4)}
        (folder / f"{index:02}.pkl").write_bytes(pickle.dumps(arrays, protocol=5))


def _write_zarr(folder: Path, scale: float) -> None:
    """Write an array of 256 chunks of 1 MB."""
    import numpy
    import zarr

    side, generator = max(1, int(16 * scale)), numpy.random.default_rng(7)
    array = zarr.create_array(
        str(folder), shape=(side * 1024, 2048), chunks=(1024, 128), dtype="f8", compressors=None, zarr_format=3
    )
    array[:] = generator.random(array.shape)


_FOLDERS: dict[str, Callable[[Path, float], None]] = {
    "small/*": _write_small,
    "beside-none/*": partial(_write_beside, 0),
    "beside-one/*": partial(_write_beside, 1),
    "beside-three/*": partial(_write_beside, 3),
    "tiny/*": _write_tiny,
    "keys/*": _write_keys,
    "lake/*": _write_lake,
    "cube.zarr": _write_zarr,
}
_WRITERS: dict[str, Callable[[BinaryIO, float], None]] = {
    "arrays.pkl": _arrays,
    "in-parts.pkl": _arrays,
    "in-md5-parts.pkl": _arrays,
    "dicts.pkl": _dicts,
    "dicts.json": _json,
    "dicts.jsonl": _json_lines,
    "frame.pkl": _frame,
    "many.pkl": _many,
    "larger.pkl": _larger,
    "sparse.bin": _sparse,
    "one.pkl": _one,
    "wide.parquet": _parquet,
    "warm.pkl": _one,
}

KEYS = (*_FOLDERS, *_WRITERS)
