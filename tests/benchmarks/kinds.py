"""What safe unpickling costs over the standard unpickler, by kinds of pickles: the case ``kinds``; no server.

Both load the same bytes, in turns and with the garbage collector paused. The figures are seconds of the processor,
medians, for what else a machine does makes clocks on the wall useless; the ratio is the median of those of the turns.
"""

from __future__ import annotations

import base64
import datetime as dt
import gc
import io
import pickle
import random
import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

from aios3_nb.formats.pickle import load_pickle

SECONDS = 2.0
"""So long both are compared, but `FEWEST` times at least and `MOST` at most."""

FEWEST, MOST = 5, 40


def _rows() -> Any:
    rng = random.Random(1)
    return [
        {
            "id": i,
            "name": f"user{i}",
            "score": rng.random(),
            "tags": ["a", "b", str(i % 7)],
            "active": bool(i % 2),
            "city": f"city {i % 1000}",
            "visits": i * 3,
        }
        for i in range(200_000)
    ]


def _texts() -> Any:
    return ["lorem ipsum \u2013 dolor\n" * 30 + str(i) for i in range(20_000)]


def _hex_strings() -> Any:
    rng = random.Random(2)
    return [rng.randbytes(3000).hex() for _ in range(300)]


def _one_hex_string() -> Any:
    return random.Random(3).randbytes(200_000).hex()


def _base64_strings() -> Any:
    rng = random.Random(4)
    return [base64.urlsafe_b64encode(rng.randbytes(4500)).decode() for _ in range(300)]


def _proteins() -> Any:
    rng = random.Random(5)
    return {f"p{i}": "".join(rng.choices("acdefghiklmnpqrstvwy", k=4000)) for i in range(100)}


def _arrays() -> Any:
    import numpy

    return {f"a{i}": numpy.full(1_000_000, i, "f8") for i in range(8)}


def _small_arrays() -> Any:
    import numpy

    return [numpy.arange(7.0) for _ in range(100_000)]


def _object_arrays() -> Any:
    import numpy

    return [numpy.array([f"text {i}", i, None], dtype=object) for i in range(30_000)]


def _object_array() -> Any:
    import numpy

    return numpy.array([f"text {i}" for i in range(500_000)], dtype=object)


def _numpy_scalars() -> Any:
    import numpy

    return [{"a": numpy.float64(i), "b": i} for i in range(100_000)]


def _numpy_times() -> Any:
    import numpy

    return [numpy.datetime64("2020-01-01", "us") + i for i in range(50_000)]


def _frame() -> Any:
    import numpy
    import pandas

    count = 200_000
    floats = {f"c{i}": numpy.arange(count) / (i + 1) for i in range(20)}
    texts = pandas.Series([f"s{i % 1000}" for i in range(count)], dtype="str")
    return pandas.DataFrame(floats | {"time": pandas.date_range("2020", periods=count, freq="s"), "text": texts})


def _frame_of_objects() -> Any:
    import pandas

    return pandas.DataFrame({"text": pandas.Series([f"string {i}" for i in range(300_000)], dtype=object)})


def _small_frames() -> Any:
    import numpy
    import pandas

    return [pandas.DataFrame({"a": numpy.arange(5), "b": numpy.arange(5) / 2}) for _ in range(2000)]


def _sparse() -> Any:
    import scipy.sparse

    return [scipy.sparse.random(20, 20, 0.1, format="csr", random_state=i) for i in range(2000)]


def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(300, max_depth=6, random_state=1).fit(*_samples())


def _boosting() -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(n_estimators=500, max_depth=2, random_state=1).fit(*_samples())


def _samples() -> Any:
    import numpy

    values = numpy.random.default_rng(1).random((300, 8))
    return values, values.sum(axis=1) > 4


def _uuids() -> Any:
    rng = random.Random(6)
    return [uuid.UUID(int=rng.getrandbits(128)) for _ in range(50_000)]


def _datetimes() -> Any:
    return [dt.datetime(2020, 1, 1) + dt.timedelta(microseconds=i * 1_234_567) for i in range(200_000)]


_MAKERS: dict[str, tuple[Callable[[], Any], int]] = {
    "200,000 dicts": (_rows, 5),
    "200,000 dicts, protocol 2": (_rows, 2),
    "20,000 texts": (_texts, 5),
    "300 hex strings of 6 KB": (_hex_strings, 5),
    "300 hex strings of 6 KB, protocol 2": (_hex_strings, 2),
    "one hex string of 400 KB": (_one_hex_string, 5),
    "300 base64url strings of 6 KB": (_base64_strings, 5),
    "100 protein sequences": (_proteins, 5),
    "8 arrays of 8 MB": (_arrays, 5),
    "100,000 arrays of 56 bytes": (_small_arrays, 5),
    "30,000 small arrays of objects": (_object_arrays, 5),
    "an array of 500,000 texts": (_object_array, 5),
    "100,000 numpy scalars": (_numpy_scalars, 5),
    "50,000 numpy datetime64": (_numpy_times, 5),
    "a DataFrame, 200,000 rows": (_frame, 5),
    "a DataFrame of texts": (_frame_of_objects, 5),
    "2,000 small DataFrames": (_small_frames, 5),
    "2,000 scipy CSR matrices": (_sparse, 5),
    "RandomForest, 300 trees": (_forest, 5),
    "GradientBoosting, 500 trees": (_boosting, 5),
    "50,000 UUIDs": (_uuids, 5),
    "200,000 datetimes": (_datetimes, 5),
    "200,000 datetimes, protocol 2": (_datetimes, 2),
}
"""What is made, and the protocol of its pickle."""

KINDS = tuple(_MAKERS)


def measure(kind: str) -> dict[str, Any]:
    """Return what the safe and the standard unpickler take for a pickle of `kind`, and the ratio of both."""
    make, protocol = _MAKERS[kind]
    data = pickle.dumps(make(), protocol)
    ways = {"seconds": load_pickle, "stock": pickle.load}
    for load in ways.values():
        took(load, data)  # what is imported at the first time is no work of the loads
    turns: list[dict[str, float]] = []
    began = time.monotonic()
    while len(turns) < FEWEST or (len(turns) < MOST and time.monotonic() - began < SECONDS):
        # The one that goes second finds the processor warmer, so they take turns.
        order = list(ways) if len(turns) % 2 else list(reversed(ways))
        turns.append({name: took(ways[name], data) for name in order})
    middle = {name: statistics.median(turn[name] for turn in turns) for name in ways}
    ratio = statistics.median(turn["seconds"] / turn["stock"] for turn in turns)
    return {**middle, "ratio": ratio, "size": len(data)}


def took(load: Callable[[Any], Any], data: bytes) -> float:
    """Return the seconds of the processor that one load takes, without letting go of what it made."""
    file = io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        value = load(file)
        seconds = time.process_time() - began
    finally:
        gc.enable()
    del value
    return seconds
