"""What the ways to load an object share, and all of them by name; see `ours`, `peers`, `systems` and `floors`.

A way is prepared (client made, libraries imported) before the clock starts, and returns what to time: a function
without arguments that returns the loaded object. Each is as its own documentation shows it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.benchmarks.configuration import BUCKET

Load = Callable[[], Any]
Way = Callable[[str], Load]
"""Takes the key and returns what to time."""

WARM_KEY = "warm.pkl"
"""Loaded once before the clock starts, so that nobody's clock has the making of a client in it."""

RUN_OPTIONS: dict[str, Any] = json.loads(os.environ.get("BENCH_OPTIONS", "{}"))
"""Settings of this run for our own ways."""


def uri(key: str) -> str:
    return f"s3://{BUCKET}/{key}"


def path_of(key: str) -> Path:
    return Path(os.environ["BENCH_ROOT"], BUCKET, key)


def keys_of(pattern: str) -> list[str]:
    root = Path(os.environ["BENCH_ROOT"], BUCKET)
    return sorted(str(path.relative_to(root)) for path in root.glob(pattern))


def all_ways() -> dict[str, Way]:
    """Return all ways by name."""
    modules = [import_module(f"tests.benchmarks.{name}") for name in ("ours", "peers", "floors", "systems")]
    return {name: way for module in modules for name, way in _ways_in(module).items()}


def _ways_in(module: ModuleType) -> dict[str, Way]:
    if hasattr(module, "WAYS"):
        return dict(module.WAYS)
    return {
        name: way
        for name, way in vars(module).items()
        if callable(way) and getattr(way, "__module__", "") == module.__name__ and name[0] != "_" and name.islower()
    }
