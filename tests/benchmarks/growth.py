"""Time against size, for all formats and awkward contents: ``make bench ARGS=growth``; no network, nothing is saved.

What takes four times as long for four times as many bytes is linear. It is the least of some runs, in seconds of the
processor; what takes less than a millisecond is not divided, for that tells of the clock. The tests count steps instead
(`tests/formats/pickle/test_growth.py`); here one sees what nobody has thought of.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import itertools
import json
import lzma
import pickle
import pickletools
import time
from collections.abc import Callable
from typing import Any

from aios3_nb.errors import S3Error
from aios3_nb.formats import LoadOptions, decompressed, recognise

SIZES = (250_000, 1_000_000, 4_000_000)
RUNS = 3
_LEAST = 1e-3
_TOO_MUCH = 8.0
"""Times as long, for four times as many bytes, from which on it is marked."""

RUN_OF = {"letters": "c", "digits": "7", "newlines": "\n", "quotes": '"', "brackets": "[", "escapes": "\\\\"}


def _rows(size: int) -> list[dict[str, Any]]:
    return [{"id": n, "name": f"user {n}", "tags": ["a", str(n % 7)]} for n in range(size // 60)]


def _frame(size: int) -> Any:
    import pandas

    return pandas.DataFrame(_rows(size)).drop(columns="tags")


def _written(write: Callable[[Any], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _npy(size: int) -> bytes:
    import numpy

    return _written(lambda file: numpy.save(file, numpy.arange(size // 8)))


def _pickles_of(text: str) -> dict[str, Callable[[int], object]]:
    return {
        "one text": lambda size: text * (size // len(text)),
        "texts": lambda size: [f"{n:06}{text * 6000}" for n in range(size // 6000)],
    }


def contents() -> dict[str, tuple[str, Callable[[int], bytes]]]:
    """Return what is loaded: by its name, the key that says its format, and what makes it of about so many bytes."""
    made: dict[str, tuple[str, Callable[[int], bytes]]] = {
        "pickle, rows": ("a.pkl", lambda size: pickle.dumps(_rows(size))),
        "pickle, protocol 2, rows": ("a.pkl", lambda size: pickle.dumps(_rows(size), protocol=2)),
        "pickle, protocol 0, rows": ("a.pkl", lambda size: pickle.dumps(_rows(size // 2), protocol=0)),
        "pickle, without memo": ("a.pkl", lambda size: pickletools.optimize(pickle.dumps(_rows(size)))),
        "JSON, rows": ("a.json", lambda size: json.dumps(_rows(size)).encode()),
        "JSON, indented": ("a.json", lambda size: json.dumps(_rows(size), indent=2).encode()),
        "JSON, in a row": ("a.json", lambda size: "\n".join(map(json.dumps, _rows(size))).encode()),
        "JSON Lines": ("a.jsonl", lambda size: "\n".join(map(json.dumps, _rows(size))).encode()),
        "text": ("a.txt", lambda size: b"some words in a line\n" * (size // 21)),
        "CSV": ("a.csv", lambda size: _frame(size).to_csv().encode()),
        "Parquet": ("a.parquet", lambda size: _written(_frame(size).to_parquet)),
        "Feather": ("a.feather", lambda size: _written(_frame(size).to_feather)),
        "npy": ("a.npy", _npy),
        "gzip of JSON Lines": ("a.jsonl.gz", lambda size: gzip.compress(json.dumps(_rows(size)).encode())),
        "bz2 of JSON": ("a.json.bz2", lambda size: bz2.compress(json.dumps(_rows(size // 4)).encode())),
        "xz of JSON": ("a.json.xz", lambda size: lzma.compress(json.dumps(_rows(size // 4)).encode(), preset=0)),
    }
    for name, text in RUN_OF.items():
        for kind, make in _pickles_of(text).items():
            made[f"pickle, {kind} of {name}"] = ("a.pkl", lambda size, make=make: pickle.dumps(make(size)))  # type: ignore[misc]
        made[f"pickle, protocol 0, {name}"] = ("a.pkl", lambda size, t=text: pickle.dumps(t * size, protocol=0))  # type: ignore[misc]
        made[f"JSON, a text of {name}"] = ("a.json", lambda size, t=text: json.dumps([t * size]).encode())  # type: ignore[misc]
        made[f"JSON Lines of {name}"] = (
            "a.jsonl",
            lambda size, t=text: (json.dumps(t * 500).encode() + b"\n") * (size // 500),
        )  # type: ignore[misc]
        made[f"text of {name}"] = ("a.txt", lambda size, t=text: (t * size).encode())  # type: ignore[misc]
    return made


def seconds(key: str, data: bytes) -> float:
    """Return what it takes to load `data` as the object `key`; what is refused took its time as well."""
    took = []
    for _ in range(RUNS):
        began = time.process_time()
        with contextlib.suppress(S3Error):
            plain = decompressed(io.BufferedReader(io.BytesIO(data)), max_bytes=None)  # type: ignore[arg-type]
            recognise(key, data[:4096], None).load(plain, LoadOptions())
        took.append(time.process_time() - began)
    return min(took)


def main() -> None:
    """Print a line for each content: the times, and by how much they grow."""
    heads = " | ".join(f"{size / 1e6:.2g} MB, ms" for size in SIZES)
    print(f"|  | {heads} | growth |\n| --- |{' ---: |' * (len(SIZES) + 1)}")
    for name, (key, make) in contents().items():
        found = [(len(data), seconds(key, data)) for data in map(make, SIZES)]
        steps = [
            (later / before) / (longer / shorter) * 4
            for (shorter, before), (longer, later) in itertools.pairwise(found)
            if before >= _LEAST
        ]
        growth = ", ".join(f"{step:.1f}{' !' if step > _TOO_MUCH else ''}" for step in steps)
        print(f"| {name} | {' | '.join(f'{each * 1e3:.2f}' for _, each in found)} | {growth} |", flush=True)
