"""Whether an object plausibly fits into memory, said before it is loaded.

A forecast from size and format, no more: it warns and never refuses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_GB = 1e9

FACTORS: Mapping[str, tuple[float, float]] = {
    "pickle": (1.0, 13.0),
    "joblib": (1.0, 2.0),
    "json": (2.0, 7.0),
    "jsonl": (2.0, 6.0),
    "json-seq": (2.0, 6.0),
    "csv": (1.0, 2.0),
    "tsv": (1.0, 2.0),
    "parquet": (2.0, 6.0),
    "arrow": (2.0, 4.0),
    "npy": (1.0, 1.0),
    "npz": (2.0, 3.0),
    "safetensors": (2.0, 2.0),
    "text": (2.0, 2.0),
    "bytes": (1.0, 1.0),
    "image": (1.0, 1.0),
    "audio": (1.0, 1.0),
}
"""Memory at the peak of a load, per byte of the plain file, from kind to unkind content.

Measured as growth of resident memory with Python 3.11, numpy 2.4, pandas 3.1, pyarrow 26: a pickle of arrays 1.0,
of a DataFrame 1.4, of a million dicts 10 to 13; JSON of a million dicts 6.6, as lines 5.6; the same DataFrame as
CSV 1.1, Parquet 6.1, Feather 4.2; npy 1.0, npz of random numbers 2.1, ASCII text 2.0; pictures and sounds 1.0. The
other ends are what the way of loading implies: JSON, text and the formats read in one piece are in memory twice for a
moment.
"""

_EXPANSION = (1.0, 7.0)
"""Plain bytes per compressed byte; gzip takes JSON Lines to a seventh, random numbers not at all."""


def forecast(size: int, format_name: str, *, compressed: bool = False, free: int | None = None) -> str | None:
    """Return a warning if loading may take more memory than is free, else None.

    Args:
        size: Bytes of the object.
        format_name: A format's name; of one that is not known here nothing is forecast.
        compressed: Whether `size` is that of compressed bytes.
        free: Bytes that are free; None means to look.
    """
    factors = FACTORS.get(format_name)
    if factors is None:
        return None
    free = free_memory() if free is None else free
    expansion = _EXPANSION if compressed else (1.0, 1.0)
    least, most = (size * factor * times for factor, times in zip(factors, expansion, strict=True))
    if free is None or most <= free:
        return None
    need = _figure(least) if least == most else f"{_figure(least)} to {_figure(most)}"
    fits = "does not fit" if least > free else "may not fit"
    return (
        f"This {fits} into memory: loading {_figure(size)} of {format_name} takes about {need}, and "
        f"{_figure(free)} is free. --iter (aios3_nb.iterate) loads item by item where the format has items; "
        "--max-bytes (max_bytes=) refuses what is too large."
    )


def _figure(size: float) -> str:
    return f"{size / _GB:.1f} GB" if size >= 0.1 * _GB else f"{size / 1e6:.0f} MB"


def free_memory(root: Path = Path("/")) -> int | None:
    """Return how many bytes this process can still take before something is killed; None if that is unknown.

    The least of what the machine has and what its control groups leave; containers are limited by the latter.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    found = [*_of_machine(root), *_of_cgroups(root)]
    return max(0, min(found)) if found else None


def _of_machine(root: Path) -> Iterator[int]:
    """Yield what the machine has: free, or soon freed. See: proc_meminfo(5), MemAvailable."""
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024
            return
    try:
        # Not Linux: all there is, which is at least a bound. Windows has no sysconf.
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return


def _of_cgroups(root: Path) -> Iterator[int]:
    """Yield what is left of the limit of each control group that this process is in.

    See: https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html beside it.
    """
    mount = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _left(mount, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left(mount / "memory", path, *names)


def _left(mount: Path, path: str, limit_name: str, usage_name: str, cache_name: str) -> Iterator[int]:
    group = mount / path.strip("/")
    # Every group above limits too. In a container the path is the host's, and only the mount itself is there.
    for folder in (group, *group.parents):
        limit, usage = _number(folder / limit_name), _number(folder / usage_name)
        if limit is not None and usage is not None:
            yield limit - usage + _statistic(folder / "memory.stat", cache_name)
        if folder == mount:
            return


def _number(path: Path) -> int | None:
    text = "".join(_lines(path))
    return int(text) if text.isdigit() else None  # "max" is no limit


def _statistic(path: Path, name: str) -> int:
    """Return a figure of memory.stat; cached pages of files count as used but are given up when needed."""
    for line in _lines(path):
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
