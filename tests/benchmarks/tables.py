"""The records of one case as a table in Markdown, and what they say of its goals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.benchmarks.case import Case, Goal
from tests.benchmarks.growth import SIZES

Record = dict[str, Any]


def table(case: Case, records: Sequence[Record]) -> str:
    """Return the figures of one case as a table, and what became of its goals."""
    runs = [run for run in case.runs if any(record["run"] == run.name for record in records)]
    if not runs:
        return ""
    columns = [COLUMNS[name] for name in case.columns]
    rows = [("", *(column.head for column in columns)), ("---", *["---:"] * len(columns))]
    rows += [_row(run.name, of(run.name, records), columns) for run in runs]
    loads = [record["load_average"] for record in records]
    days = sorted({record["date"] for record in records if "date" in record})
    about = [f"{', '.join(days)}, load average {min(loads):.1f} to {max(loads):.1f}.", ""] if days else []
    lines = [f"| {' | '.join(row)} |" for row in rows]
    told = [f"* {line}" for goal in case.goals for line in outcome(goal, case, records)]
    return "\n".join([f"## {case.title}", "", *about, *lines, "", *told, *([""] if told else [])])


def of(run: str, records: Sequence[Record]) -> list[Record]:
    """Return the records of a run."""
    return [record for record in records if record["run"] == run]


def _row(name: str, records: Sequence[Record], columns: Sequence[Column]) -> tuple[str, ...]:
    good = [record for record in records if "error" not in record]
    if not good:
        return (name, f"failed: {records[0]['error'][:60]}", *[""] * (len(columns) - 1))
    return (name, *(column.cell(good) for column in columns))


# ---- goals


def outcome(goal: Goal, case: Case, records: Sequence[Record]) -> list[str]:
    """Return what the figures say of a goal, in at most one line; nothing of what was not measured."""
    if not goal.run:
        return _of_each(goal, case, records)
    value = middle(of(goal.run, records), goal.figure)
    base = middle(of(goal.of, records), goal.figure) if goal.of else 1.0
    if value is None or not base:
        return []
    unit = f" x that of {goal.of}" if goal.of else UNITS[goal.figure]
    reached = value / base
    text = f"{WORDS[goal.figure]}, {goal.run}: {_number(reached)}{unit}"
    return [text + _judged(reached, goal.most)]


def _of_each(goal: Goal, case: Case, records: Sequence[Record]) -> list[str]:
    assert goal.most is not None
    values = {run.name: middle(of(run.name, records), goal.figure) for run in case.runs if run.counts}
    found = {name: value for name, value in values.items() if value is not None}
    if not found:
        return []
    above = [f"{name} {_number(value)}" for name, value in found.items() if value > goal.most]
    missed = f"; missed by {len(above)}: {'; '.join(above)}" if above else ", and they have"
    rows = "rows" if all(run.counts for run in case.runs) else "rows of ours"
    return [f"{WORDS[goal.figure]}: all {len(found)} {rows} were to have {_number(goal.most)} at most{missed}."]


def _judged(reached: float, most: float | None) -> str:
    if most is None:
        return "."
    return f"; the goal was {_number(most)} at most: {'reached' if reached <= most else 'missed'}."


WORDS = {
    "seconds": "Seconds",
    "cpu": "Processor",
    "requests": "Requests",
    "bytes": "Bytes sent",
    "ratio": "Safe to stock",
    "growth": "For four times the bytes",
    "longest": "Longest, s",
}
UNITS = {"seconds": " s", "cpu": " s", "requests": "", "bytes": ""}


def _number(value: float) -> str:
    """Return `value` with three digits, or all of a large one."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


# ---- columns


@dataclass(frozen=True)
class Column:
    """One column: its head, and what it says of the records of a run, none of which failed."""

    head: str
    cell: Callable[[Sequence[Record]], str]


def middle(records: Sequence[Record], name: str) -> float | None:
    """Return the median of a figure, if any of `records` has it."""
    values = [record[name] for record in records if record.get(name) is not None]
    return median(values) if values else None


def figure(seconds: float) -> str:
    """Return seconds as they are written everywhere."""
    return f"{seconds:.2f}" if seconds >= 0.2 else f"{seconds:.4f}"


def _middle(name: str, form: str, unit: float = 1) -> Callable[[Sequence[Record]], str]:
    def cell(records: Sequence[Record]) -> str:
        value = middle(records, name)
        return "" if value is None else form.format(value / unit)

    return cell


def _bold(cell: Callable[[Sequence[Record]], str]) -> Callable[[Sequence[Record]], str]:
    return lambda records: f"**{cell(records)}**"


def _seconds(choose: Callable[[list[float]], float]) -> Callable[[Sequence[Record]], str]:
    return lambda records: figure(choose([record["seconds"] for record in records]))


def _milliseconds(choose: Callable[[list[float]], float]) -> Callable[[Sequence[Record]], str]:
    return lambda records: f"{choose([record['seconds'] for record in records]) * 1e3:.2f}"


def _figure(name: str) -> Callable[[Sequence[Record]], str]:
    return lambda records: figure(max(record[name] for record in records))


def _open(records: Sequence[Record]) -> str:
    quarters = [record["open"] for record in records if record.get("open")]
    return " ".join(f"{median(each):.1f}" for each in zip(*quarters, strict=True))


def _time(number: int) -> Column:
    def cell(records: Sequence[Record]) -> str:
        return f"{median(record['times'][number] for record in records) * 1e3:.2f}"

    return Column(f"{SIZES[number] / 1e6:.2g} MB, ms", cell)


COLUMNS: dict[str, Column] = {
    "median": Column("median s", _bold(_seconds(median))),
    "min": Column("min", _seconds(min)),
    "max": Column("max", _seconds(max)),
    "cpu": Column("CPU s", _middle("cpu", "{:.2f}")),
    "peak": Column("peak MB", _middle("peak", "{:.0f}", 1e6)),
    "over": Column("over MB", _middle("over", "{:.0f}", 1e6)),
    "requests": Column("requests", _middle("requests", "{:.0f}")),
    "sent": Column("MB sent", _middle("bytes", "{:.1f}", 1e6)),
    "open": Column("open by quarter", _open),
    "cpu_ms": Column("CPU ms", _bold(_middle("cpu", "{:.2f}", 1e-3))),
    "ms": Column("median ms", _milliseconds(median)),
    "min_ms": Column("min", _milliseconds(min)),
    "max_ms": Column("max", _milliseconds(max)),
    "size": Column("MB", _middle("size", "{:.2f}", 1e6)),
    "stock_ms": Column("pickle.load, ms", _middle("stock", "{:.2f}", 1e-3)),
    "safe_ms": Column("safe, ms", _middle("seconds", "{:.2f}", 1e-3)),
    "ratio": Column("safe to stock", _bold(_middle("ratio", "{:.2f}"))),
    "small": _time(0),
    "middle": _time(1),
    "large": _time(2),
    "most": Column("95 % within", _figure("most")),
    "longest": Column("longest", _bold(_figure("longest"))),
    "stops": Column("loads stopped", _middle("stops", "{:.0f}")),
    "growth": Column("growth", _middle("growth", "{:.1f}")),
}
