"""What safe unpickling costs over the standard C unpickler: ``python tests/benchmarks/pickle_cost.py [CASE ...]``.

Both load the same local file, alternately, with the garbage collector paused. The figures are medians of the
processor time, since a machine that does other things too makes clocks on the wall useless.
"""

from __future__ import annotations

import datetime as dt
import gc
import pickle
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aios3_nb.formats.pickle import load_pickle

ROUNDS = 9


def rows(count: int = 1_000_000) -> Any:
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
        for i in range(count)
    ]


def arrays() -> Any:
    import numpy as np

    return {f"a{i}": np.full(4_000_000, i, "f8") for i in range(16)}


def frame() -> Any:
    import numpy as np
    import pandas as pd

    count = 1_000_000
    floats = {f"c{i}": np.arange(count) / (i + 1) for i in range(20)}
    texts = pd.Series([f"s{i % 1000}" for i in range(count)], dtype="str")
    return pd.DataFrame(floats | {"time": pd.date_range("2020", periods=count, freq="s"), "text": texts})


def frame_of_objects() -> Any:
    import pandas as pd

    return frame()[["time"]].assign(text=pd.Series([f"string {i}" for i in range(1_000_000)], dtype=object))


def datetimes() -> Any:
    return [dt.datetime(2020, 1, 1) + dt.timedelta(microseconds=i * 1_234_567) for i in range(1_000_000)]


def numpy_scalars() -> Any:
    import numpy as np

    return [{"a": np.float64(i), "b": i} for i in range(300_000)]


def small_arrays() -> Any:
    import numpy as np

    return [np.arange(3.0) for _ in range(100_000)]


def texts() -> Any:
    return ["lorem ipsum \u2013 dolor\n" * 30 + str(i) for i in range(100_000)]


CASES: dict[str, Callable[[], Any]] = {
    case.__name__: case
    for case in (rows, arrays, frame, frame_of_objects, datetimes, numpy_scalars, small_arrays, texts)
}


def seconds(path: Path, load: Callable[[Any], Any]) -> float:
    with path.open("rb") as file:
        gc.collect()
        gc.disable()
        try:
            begin = time.process_time()
            value = load(file)
            taken = time.process_time() - begin
        finally:
            gc.enable()
    del value
    return taken


def compare(name: str, folder: Path) -> None:
    path = folder / f"{name}.pkl"
    with path.open("wb") as file:
        pickle.dump(CASES[name](), file)
    gc.collect()
    pairs = []
    for turn in range(ROUNDS + 1):
        # The one that goes second finds the processor warmer, so they take turns.
        order = (pickle.load, load_pickle) if turn % 2 else (load_pickle, pickle.load)
        taken = {load: seconds(path, load) for load in order}
        pairs.append((taken[pickle.load], taken[load_pickle]))
    pairs = pairs[1:]
    standard, safe = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(second / first for first, second in pairs)
    print(f"{name:18}{path.stat().st_size / 1e6:8.0f} MB   {standard:8.3f} s {safe:8.3f} s   {ratio:.2f}", flush=True)
    path.unlink()


def main(names: list[str]) -> None:
    print(f"{'':18}{'size':>8}      {'standard':>10} {'safe':>10}   safe/standard")
    with tempfile.TemporaryDirectory() as folder:
        for name in names or CASES:
            compare(name, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
