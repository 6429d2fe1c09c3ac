"""The main rows as bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.cases import CASES
from tests.benchmarks.tables import Record, middle

PLOT = Path(__file__).parents[2] / "docs" / "images" / "bench.png"
_OURS, _OTHERS, _TO_COMPARE = "#d1495b", "#5b8db8", "#bbbbbb"
_UNPLOTTED = {"aios3", "ours_unsafe"}  # one would leave the others no room, the other is not what users get
_PLOTTED = ("arrays", "dicts", "json", "frame")


def plot(records: Sequence[Record]) -> None:
    """Draw the median seconds of the main cases, ours among the others."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    shown = [name for name in _PLOTTED if any(record["case"] == name for record in records)]
    if not shown:
        return
    figure, axes = pyplot.subplots(1, len(shown), figsize=(3.1 * len(shown), 2.9), squeeze=False)
    for axis, name in zip(axes[0], shown, strict=True):
        bars = _bars(name, records)
        names, seconds, colours = zip(*bars, strict=True)
        drawn = axis.barh(names, seconds, color=colours)
        axis.bar_label(drawn, fmt="%.1f", padding=2, fontsize=7)
        axis.set_title(CASES[name].title.split(", S3")[0], fontsize=9)
        axis.set_xlabel("seconds", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.margins(x=0.15)
        axis.invert_yaxis()
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=110)
    pyplot.close(figure)


def _bars(name: str, records: Sequence[Record]) -> list[tuple[str, float, str]]:
    """Return what each run is called, its median, and its colour; the fastest first."""
    bars = []
    for run in CASES[name].runs:
        value = middle([one for one in records if (one["case"], one["run"]) == (name, run.name)], "seconds")
        if value is not None and run.name not in _UNPLOTTED:
            colour = _OURS if run.name == "ours" else _OTHERS if run.counts else _TO_COMPARE
            bars.append((run.name.replace("_", " "), value, colour))
    return sorted(bars, key=lambda bar: bar[1])
