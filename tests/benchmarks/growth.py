"""Time against size, for all formats and awkward contents: the case ``growth``; no network, no server.

What takes four times as long for four times as many bytes is linear. It is the least of some runs, in seconds of the
processor; what takes less than a millisecond is not divided, for that tells of the clock. The tests count steps instead
(`tests/formats/pickle/test_growth.py`); here one sees what nobody has thought of.
"""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import itertools
import json
import lzma
import pickle
import pickletools
import time
from collections.abc import Callable
from functools import partial
from typing import Any

SIZES = (250_000, 1_000_000, 4_000_000)
RUNS = 3
_LEAST = 1e-3

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


def _numbers(size: int) -> Any:
    import numpy

    return numpy.arange(size // 8)


def _by_numpy(save: str, size: int) -> bytes:
    import numpy

    names = {"arr": _numbers(size)} if save == "save" else {f"a{n}": _numbers(20_000) for n in range(size // 20_000)}
    return _written(lambda file: getattr(numpy, save)(file, **names))


def _safetensors(size: int) -> bytes:
    from safetensors.numpy import save

    return bytes(save({f"a{n}": _numbers(20_000) for n in range(size // 20_000)}))


def _arrow(writer: str, size: int) -> bytes:
    """Return record batches of 500 rows, as a stream or a file."""
    import pyarrow

    table = pyarrow.Table.from_pandas(_frame(size))

    def write(file: Any) -> None:
        with getattr(pyarrow.ipc, writer)(file, table.schema) as written:
            written.write_table(table, max_chunksize=500)

    return _written(write)


def _joblib(size: int) -> bytes:
    import joblib

    return _written(lambda file: joblib.dump([_numbers(20_000) for _ in range(size // 20_000)], file))


def _lz4(data: bytes) -> bytes:
    import lz4.frame

    return bytes(lz4.frame.compress(data))


def _zstd(data: bytes) -> bytes:
    try:
        from compression import zstd
    except ImportError:  # Python 3.13 and before
        from backports import zstd
    return bytes(zstd.compress(data))


def _lines(size: int) -> bytes:
    return "\n".join(map(json.dumps, _rows(size))).encode()


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
        "pickle, arrays": ("a.pkl", lambda size: pickle.dumps([_numbers(2000) for _ in range(size // 2000)])),
        "pickle, a table": ("a.pkl", lambda size: pickle.dumps(_frame(size))),
        "JSON, rows": ("a.json", lambda size: json.dumps(_rows(size)).encode()),
        "JSON, indented": ("a.json", lambda size: json.dumps(_rows(size), indent=2).encode()),
        "JSON, in a row": ("a.json", _lines),
        "JSON Lines": ("a.jsonl", _lines),
        "JSON sequence": ("a.json-seq", lambda size: b"\x1e" + _lines(size).replace(b"\n", b"\n\x1e") + b"\n"),
        "text": ("a.txt", lambda size: b"some words in a line\n" * (size // 21)),
        "bytes": ("a.bin", bytes),
        "CSV": ("a.csv", lambda size: _frame(size).to_csv().encode()),
        "TSV": ("a.tsv", lambda size: _frame(size).to_csv(sep="\t").encode()),
        "Parquet": ("a.parquet", lambda size: _written(_frame(size).to_parquet)),
        "Feather": ("a.feather", lambda size: _written(_frame(size).to_feather)),
        "Arrow file": ("a.arrow", partial(_arrow, "new_file")),
        "Arrow stream": ("a.arrows", partial(_arrow, "new_stream")),
        "npy": ("a.npy", partial(_by_numpy, "save")),
        "npz": ("a.npz", partial(_by_numpy, "savez")),
        "npz, compressed": ("a.npz", partial(_by_numpy, "savez_compressed")),
        "safetensors": ("a.safetensors", _safetensors),
        "joblib": ("a.joblib", _joblib),
        "gzip of JSON Lines": ("a.jsonl.gz", lambda size: gzip.compress(_lines(size))),
        "bz2 of JSON Lines": ("a.jsonl.bz2", lambda size: bz2.compress(_lines(size // 4))),
        "xz of JSON Lines": ("a.jsonl.xz", lambda size: lzma.compress(_lines(size // 4), preset=0)),
        "lz4 of JSON Lines": ("a.jsonl.lz4", lambda size: _lz4(_lines(size))),
        "zstd of JSON Lines": ("a.jsonl.zst", lambda size: _zstd(_lines(size))),
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


CONTENTS = tuple(contents())


def measure(name: str) -> dict[str, Any]:
    """Return how long `name` takes in each of `SIZES`, and how much longer for four times as many bytes, at most."""
    key, make = contents()[name]
    found = [(len(data), seconds(key, data)) for data in map(make, SIZES)]
    steps = [
        (later / before) / (longer / shorter) * 4
        for (shorter, before), (longer, later) in itertools.pairwise(found)
        if before >= _LEAST
    ]
    return {"seconds": found[-1][1], "times": [took for _, took in found], "growth": max(steps, default=None)}


def seconds(key: str, data: bytes) -> float:
    """Return the least of what it takes to load `data` as the object `key`."""
    took = []
    for _ in range(RUNS):
        gc.collect()
        began = time.process_time()
        load(key, data)
        took.append(time.process_time() - began)
    return min(took)


def load(key: str, data: bytes) -> Any:
    """Return what the object `key` holds."""
    from aios3_nb.formats import LoadOptions, decompressed, recognise

    plain = decompressed(io.BufferedReader(io.BytesIO(data)), max_bytes=None)  # type: ignore[arg-type]
    # A joblib dump is not for safe unpickling; nothing else here is refused.
    return recognise(key, data[:4096], None).load(plain, LoadOptions(trust=key.endswith(".joblib")))
