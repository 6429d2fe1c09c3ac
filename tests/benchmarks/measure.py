"""One load in a fresh process: ``python -m tests.benchmarks.measure WAY KEY REPEAT``; prints one line of JSON.

The variables of the environment say which server. What is measured is the load alone: imports and making a client
come before, and are timed apart.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import stopping

KIB = 1024


def measured(load: Any, repeat: int = 1) -> dict[str, Any]:
    """Run `load` and return what it took.

    Args:
        load: What to run.
        repeat: How often; the figure is then the median.
    """
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the high water mark starts anew; proc(5)
    before, cpu = _memory("VmRSS"), _cpu_seconds()
    times = []
    value = None
    for _ in range(repeat):
        began = time.perf_counter()
        value = load()
        times.append(time.perf_counter() - began)
    peak = _memory("VmHWM") - before
    arrays = _array_bytes(value)
    return {
        "seconds": median(times),
        "cpu": (_cpu_seconds() - cpu) / repeat,
        "peak": peak,
        "over": peak - arrays if arrays else None,
    }


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * KIB
    raise OSError(f"no {name}")


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _array_bytes(value: Any) -> int:
    """Return the bytes of the arrays in a dict of them; 0 for anything else."""
    if not isinstance(value, dict):
        return 0
    return sum(getattr(each, "nbytes", 0) for each in value.values())


def measure_import(_: str) -> dict[str, Any]:
    began = time.perf_counter()
    import aios3_nb  # noqa: F401

    return {"seconds": time.perf_counter() - began}


def measure_extension(_: str) -> dict[str, Any]:
    """Time ``%load_ext`` as a kernel finds it: IPython is imported already."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    began = time.perf_counter()
    shell.run_line_magic("load_ext", "aios3_nb")
    return {"seconds": time.perf_counter() - began}


def measure_kernel(key: str, options: str) -> dict[str, Any]:
    """Time ``%s3load`` in a real kernel, widgets and all; the clock runs inside the kernel."""
    from tests.benchmarks.configuration import BUCKET
    from tests.benchmarks.ways import WARM_KEY
    from tests.kernels import kernel

    with kernel() as one:
        one.ok("%load_ext aios3_nb")
        one.ok(f"warm = %s3load s3://{BUCKET}/{WARM_KEY}")
        one.ok("import json, pandas; from tests.benchmarks.measure import measured")
        line = f"s3load {options} s3://{BUCKET}/{key}".replace("  ", " ")
        magic, rest = line.split(" ", 1)
        load = f"lambda: get_ipython().run_line_magic({magic!r}, {rest!r})"
        cell = one.ok(f"print('figures', json.dumps(measured({load})))")
    line = next(line for line in cell.stdout.splitlines() if line.startswith("figures "))
    return dict(json.loads(line.removeprefix("figures ")))


def measure_kind(kind: str) -> dict[str, Any]:
    from tests.benchmarks import kinds

    return kinds.measure(kind)


def measure_growth(name: str) -> dict[str, Any]:
    from tests.benchmarks import growth

    return growth.measure(name)


WITHOUT_A_LOAD: dict[str, Callable[[str], dict[str, Any]]] = {
    "import": measure_import,
    "load_ext": measure_extension,
    "magic": lambda key: measure_kernel(key, ""),
    "magic_bare": lambda key: measure_kernel(key, "--quiet --trust --verify=off"),
    "kind": measure_kind,
    "growth": measure_growth,
    **{name: partial(stopping.measure, name) for name in stopping.WAYS},
}
"""What is measured otherwise than by `measured` in this process."""


def main(way: str, key: str, repeat: int) -> dict[str, Any]:
    if way in WITHOUT_A_LOAD:
        return WITHOUT_A_LOAD[way](key)
    import pandas  # noqa: F401  what the pickles need belongs neither to the load's time nor to its memory

    from tests.benchmarks.ways import all_ways

    began = time.perf_counter()
    load = all_ways()[way](key)
    prepared = time.perf_counter() - began
    return measured(load, repeat) | {"prepared": prepared}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
