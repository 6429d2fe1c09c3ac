"""How long the packages took that a load had to import first: most of the time of a small model's first load."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: ContextVar[dict[str, float] | None] = ContextVar("aios3_nb_imports", default=None)


@contextmanager
def noted_imports() -> Iterator[dict[str, float]]:
    """Give what is filled, while the body runs, with the seconds that each package took to import."""
    seconds: dict[str, float] = {}
    token = _noted.set(seconds)
    try:
        yield seconds
    finally:
        _noted.reset(token)


@contextmanager
def importing(module: str) -> Iterator[None]:
    """Note the time of the body, which imports `module`, for its package; an import within another is the other's."""
    seconds = _noted.get()
    if seconds is None or module in sys.modules:
        yield
        return
    token = _noted.set(None)
    began = time.perf_counter()
    try:
        yield
    finally:
        _noted.reset(token)
        package = module.partition(".")[0]
        seconds[package] = seconds.get(package, 0.0) + time.perf_counter() - began
