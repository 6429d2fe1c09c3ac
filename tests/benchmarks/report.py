"""What was measured, written down: RESULTS.md, and the tables of the pages that are made from it."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.case import Case
from tests.benchmarks.cases import CASES
from tests.benchmarks.tables import Record, figure, table

FOLDER = Path(__file__).parent
RAW = FOLDER / "results.json"
PACKAGES = ("aiobotocore", "aiohttp", "boto3", "s3fs", "pandas", "numpy", "smart_open", "megfile", "obstore", "aios3")
PAGES = {
    FOLDER.parents[1] / "README.md": {name: case for name, case in CASES.items() if case.in_readme},
    FOLDER.parents[1] / "docs" / "explain" / "speed.md": CASES,
}
"""What has the table in short, and of which cases."""

SHORT_HEAD = "| median seconds | aios3_nb | the others |"

_LEGEND = """\
Seconds are those of the load alone, with a client that is warm; peak is the memory on top of what the
process had before, "over" the same without the arrays themselves. "Open by quarter" is how many requests the server had
open at a time, on average, in each quarter of the load. `ours` is `aios3_nb.load`, with safe unpickling and checksums
on. A load average of more than 4 means that others kept both cores busy: such a table compares the ways, and a quiet
machine takes a fraction of the time.
"""


def save(records: Sequence[Record]) -> None:
    """Write the figures, and all that is made from them; what was not measured this time stays as it was."""
    from tests.benchmarks.plot import plot

    former = json.loads(RAW.read_text()) if RAW.exists() else {"machines": {}, "records": []}
    today = time.strftime("%Y-%m-%d")
    found = merged(former, [{"date": today} | record for record in records], {today: machine()})
    RAW.write_text(json.dumps(found, indent=0) + "\n")
    write(found)
    plot(found["records"])


def write(found: Mapping[str, Any]) -> None:
    """Write the pages that are made from the figures."""
    (FOLDER / "RESULTS.md").write_text(results(found))
    for page, cases in PAGES.items():
        page.write_text(with_table(page.read_text(), summary(found["records"], cases)))


def merged(former: Mapping[str, Any], records: Sequence[Record], machines: Mapping[str, str]) -> dict[str, Any]:
    """Return the figures of before with those of now; a case that was measured now has no others."""
    measured = {record["case"] for record in records}
    order = list(CASES)
    kept = [one for one in former["records"] if one["case"] not in measured and one["case"] in order]
    everything = sorted([*kept, *records], key=lambda one: order.index(one["case"]))
    days = {record["date"] for record in everything}
    return {
        "machines": {day: what for day, what in (former["machines"] | dict(machines)).items() if day in days},
        "records": everything,
    }


def results(found: Mapping[str, Any]) -> str:
    """Return the page of results."""
    records = found["records"]
    days = [f"* {day}: {what}" for day, what in found["machines"].items()]
    short = f"## In short\n\n{summary(records)}"
    tables = [table(case, [one for one in records if one["case"] == name]) for name, case in CASES.items()]
    return "\n".join(["# Results of `make bench`", "", *days, "", _LEGEND, short, *(each for each in tables if each)])


def with_table(page: str, short: str) -> str:
    """Return the text of a page with its table in short replaced."""
    before, head, after = page.partition(SHORT_HEAD)
    lines = after.split("\n")
    end = next(number for number, line in enumerate(lines) if number and not line.startswith("|"))
    assert head, f"no table to replace that begins with {SHORT_HEAD}"
    return before + short + "\n".join(lines[end:])


def summary(records: Sequence[Record], cases: Mapping[str, Case] = CASES) -> str:
    """Return the table in short: ours, and the others with the fastest first; the best is bold, whoever has it."""
    rows = [SHORT_HEAD, "| --- | ---: | --- |"]
    for name, case in cases.items():
        bars = _bars(name, records, case.short) if case.short else []
        ours = [seconds for label, seconds in bars if label.startswith("ours")]
        others = [(label.replace("_", " "), seconds) for label, seconds in bars if label[:4] != "ours"]
        if ours and others:
            best = min(ours[0], *(seconds for _, seconds in others))
            told = ", ".join(f"{label} {_bold_if_best(seconds, best)}" for label, seconds in others)
            remarks = [
                *(["processor"] if case.short == "cpu" else []),
                *(["busy machine"] if _is_busy([one for one in records if one["case"] == name]) else []),
            ]
            remark = f" ({', '.join(remarks)})" if remarks else ""
            rows.append(f"| {case.title}{remark} | {_bold_if_best(ours[0], best)} | {told} |")
    return "\n".join(rows) + "\n" if len(rows) > 2 else ""


def _bold_if_best(seconds: float, best: float) -> str:
    return f"**{figure(seconds)}**" if seconds == best else figure(seconds)


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


def _is_busy(records: Sequence[Record]) -> bool:
    """Return whether others had so much to do meanwhile that seconds compare ways, and say little by themselves."""
    return median(record["load_average"] for record in records) > 2 * (os.cpu_count() or 1)


def _bars(name: str, records: Sequence[Record], what: str) -> list[tuple[str, float]]:
    """Return name and median of each run that counts, the least first."""
    found = []
    for run in CASES[name].runs:
        values = [one[what] for one in records if (one["case"], one["run"]) == (name, run.name) and "error" not in one]
        if values and run.counts:
            found.append((run.name, median(values)))
    return sorted(found, key=lambda bar: bar[1])
