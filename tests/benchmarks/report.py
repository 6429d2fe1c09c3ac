"""What was measured, as tables and as one plot."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.cases import CASES, Case

FOLDER = Path(__file__).parent
PLOT = FOLDER.parents[1] / "docs" / "images" / "bench.png"
PACKAGES = ("aiobotocore", "aiohttp", "boto3", "s3fs", "pandas", "numpy", "smart_open", "megfile", "obstore", "aios3")

Record = dict[str, Any]

_LEGEND = """\
Seconds are those of the load alone, with a client that is warm; peak is the memory on top of what the
process had before, "over" the same without the arrays themselves. `ours` is `aios3_nb.load`, with safe
unpickling and checksums on.
"""


def save(records: Sequence[Record]) -> None:
    """Write RESULTS.md and the figures behind it; what was not measured this time stays as it was."""
    raw = FOLDER / "results.json"
    former = json.loads(raw.read_text()) if raw.exists() else {"machines": {}, "records": []}
    measured = {record["case"] for record in records}
    merged = [record for record in former["records"] if record["case"] not in measured]
    today = time.strftime("%Y-%m-%d")
    merged += [{"date": today} | record for record in records]
    machines = {day: what for day, what in former["machines"].items() if day != today} | {today: machine()}
    order = list(CASES)
    merged = sorted((record for record in merged if record["case"] in order), key=lambda one: order.index(one["case"]))
    raw.write_text(json.dumps({"machines": machines, "records": merged}, indent=0) + "\n")
    days = [f"* {day}: {what}" for day, what in machines.items()]
    tables = [table(CASES[name], [record for record in merged if record["case"] == name]) for name in order]
    lines = [
        "# Results of `make bench`",
        "",
        *days,
        "",
        _LEGEND,
        *(each for each in [summary(merged), *tables] if each),
    ]
    (FOLDER / "RESULTS.md").write_text("\n".join(lines))
    plot(merged)


def summary(records: Sequence[Record]) -> str:
    """Return the table of the page about speed: ours, and the others with the fastest first; the best is bold."""
    rows = ["| median seconds | aios3_nb | the others |", "| --- | ---: | --- |"]
    for name, case in CASES.items():
        bars = [bar for bar in _bars(name, records) if not bar[0].startswith(("local_", "memory_"))]
        ours = [seconds for label, seconds in bars if label.startswith("ours")]
        others = [(label.replace("_", " "), seconds) for label, seconds in bars if label[:4] != "ours"]
        if case.in_short and ours and others and "magic" not in {run.way for run in case.runs}:
            best = min(ours[0], *(seconds for _, seconds in others))
            told = ", ".join(f"{label} {_bold_if_best(seconds, best)}" for label, seconds in others)
            busy = " (busy machine)" if _is_busy([one for one in records if one["case"] == name]) else ""
            rows.append(f"| {case.title}{busy} | {_bold_if_best(ours[0], best)} | {told} |")
    return "## In short\n\n" + "\n".join(rows) + "\n" if len(rows) > 2 else ""


def _bold_if_best(seconds: float, best: float) -> str:
    return f"**{_figure(seconds)}**" if seconds == best else _figure(seconds)


def machine() -> str:
    """Return what was measured on, and with."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    memory = next((int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    packages = ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name)))
    return (
        f"{os.cpu_count()} cores of {model}, {memory} GB, {platform.system()}, "
        f"Python {platform.python_version()}; {packages}."
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def table(case: Case, records: Sequence[Record]) -> str:
    """Return the figures of one case as a table in Markdown."""
    rows = []
    for run in case.runs:
        mine = [record for record in records if record["run"] == run.name]
        if mine:
            rows.append(_row(run.name, mine))
    if not rows:
        return ""
    loads = [record["load_average"] for record in records]
    days = sorted({record["date"] for record in records if "date" in record})
    about = [f"{', '.join(days)}, load average {min(loads):.1f} to {max(loads):.1f}.", ""] if days else []
    head = ("", "median s", "min", "max", "CPU s", "peak MB", "over MB", "requests", "MB sent")
    lines = [f"| {' | '.join(row)} |" for row in (head, ("---", *["---:"] * (len(head) - 1)), *rows)]
    return "\n".join([f"## {case.title}", "", *about, *lines, ""])


def _is_busy(records: Sequence[Record]) -> bool:
    """Return whether others had so much to do meanwhile that seconds compare ways, and say little by themselves."""
    return median(record["load_average"] for record in records) > 2 * (os.cpu_count() or 1)


def _row(name: str, records: Sequence[Record]) -> tuple[str, ...]:
    good = [record for record in records if "error" not in record]
    if not good:
        return (name, f"failed: {records[0]['error'][:60]}", *[""] * 7)
    seconds = [record["seconds"] for record in good]
    return (
        name,
        f"**{_figure(median(seconds))}**",
        _figure(min(seconds)),
        _figure(max(seconds)),
        _middle(good, "cpu", 1, "{:.2f}"),
        _middle(good, "peak", 1e6, "{:.0f}"),
        _middle(good, "over", 1e6, "{:.0f}"),
        _middle(good, "requests", 1, "{:.0f}"),
        _middle(good, "bytes", 1e6, "{:.1f}"),
    )


def _middle(records: Sequence[Record], name: str, unit: float, form: str) -> str:
    values = [record[name] for record in records if record.get(name) is not None]
    return form.format(median(values) / unit) if values else ""


def _figure(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds >= 0.2 else f"{seconds:.4f}"


_COLOURS = {"ours": "#d1495b", "local_pickle": "#bbbbbb", "memory_pickle": "#bbbbbb", "memory_json": "#bbbbbb"}
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
        colours = [_COLOURS.get(label, "#5b8db8") for label, _ in bars]
        drawn = axis.barh([label.replace("_", " ") for label, _ in bars], [value for _, value in bars], color=colours)
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


def _bars(name: str, records: Sequence[Record]) -> list[tuple[str, float]]:
    bars = []
    for run in CASES[name].runs:
        seconds = [
            one["seconds"] for one in records if one["case"] == name and one["run"] == run.name and "error" not in one
        ]
        if seconds and run.name not in _UNPLOTTED:
            bars.append((run.name, median(seconds)))
    return sorted(bars, key=lambda bar: bar[1])
