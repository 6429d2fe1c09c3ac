"""How many requests a server had open while one load ran, by what it logged of each."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.storage import Request

QUARTERS = 4


def open_by_quarter(requests: Sequence[Request]) -> list[float]:
    """Return how many of `requests` were open at a time, on average, in each quarter of the time that all took.

    A request is open from its first byte until the last byte of its answer has gone to the network.
    """
    spans = [(request.end - request.took, request.end) for request in requests]
    first, last = min(begin for begin, _ in spans), max(end for _, end in spans)
    length = (last - first) / QUARTERS
    if not length:
        return []
    return [_open(spans, first + number * length, length) for number in range(QUARTERS)]


def _open(spans: Sequence[tuple[float, float]], begin: float, length: float) -> float:
    shared = sum(max(0.0, min(end, begin + length) - max(start, begin)) for start, end in spans)
    return round(shared / length, 2)
