"""``python -m tests.benchmarks [case ...] [--quick] [--rounds N]``: measure, and write RESULTS.md and the plot.

Every figure comes from a fresh process, and the ways take turns, so that a machine that grows slower does so for all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks import growth, report, samples
from tests.benchmarks.cases import CASES, Case, Run
from tests.benchmarks.storage import BUCKET, Nginx, nginx, seaweedfs
from tests.benchmarks.ways import WARM_KEY

REPOSITORY = Path(__file__).parents[2]
LONGEST = 300
"""Seconds for one process."""
QUICK = 0.125
"""Size of the objects for a quick look."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"growth, or of: {', '.join(CASES)}")
    parser.add_argument("--quick", action="store_true", help="objects of an eighth, one round; nothing is written")
    parser.add_argument("--rounds", type=int, help="times that each way is measured")
    options = parser.parse_args()
    if options.cases == ["growth"]:
        growth.main()
        return
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    chosen = {name: case for name, case in CASES.items() if not options.cases or name in options.cases}
    scale = QUICK if options.quick else 1.0
    rounds = 1 if options.quick else options.rounds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # or nginx would outlive it
    # Beside the other temporary files, and on the disk: a RAM disk would have the objects in memory twice.
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        measure_all(chosen, Path(folder), scale, rounds)


def measure_all(chosen: Mapping[str, Case], folder: Path, scale: float, rounds: int | None) -> None:
    """Measure the cases, and write down each that is done; in small nothing is written."""
    root = folder / "root"
    print("making the objects ...", flush=True)
    samples.write(root / BUCKET, set().union(*(case.keys for case in chosen.values())) | {WARM_KEY}, scale)
    with nginx(folder, root) as server, contextlib.ExitStack() as stack:
        keys = sorted(set().union(*(case.keys for case in chosen.values() if case.server == "seaweedfs")))
        weed = stack.enter_context(seaweedfs(root, [*keys, WARM_KEY])) if keys else {}
        for name, case in chosen.items():
            environment = weed if case.server == "seaweedfs" else server.environment(case.server)
            records = measure_case(name, case, environment | {"BENCH_ROOT": str(root)}, server, rounds)
            print(report.table(case, records), flush=True)
            if scale == 1:
                report.save(records)


def measure_case(
    name: str, case: Case, environment: Mapping[str, str], server: Nginx, rounds: int | None
) -> list[dict[str, Any]]:
    """Return one record for each round and way, the ways taking turns."""
    records = []
    dead: set[str] = set()
    for number in range(rounds or case.rounds):
        for run in case.runs:
            if run.name in dead or number >= run.rounds:
                continue
            record = {"case": name, "run": run.name, "round": number, "load_average": os.getloadavg()[0]}
            record |= measure_one(case, run, environment, server)
            if "error" in record:
                dead.add(run.name)
                print(f"{name}: {run.name} failed: {record['error']}", flush=True)
            records.append(record)
    return records


def measure_one(case: Case, run: Run, environment: Mapping[str, str], server: Nginx) -> dict[str, Any]:
    """Return the figures of one fresh process, or its error."""
    server.new_requests()
    arguments = [sys.executable, "-m", "tests.benchmarks.measure", run.way, run.key or case.key, str(case.repeat)]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "AIOS3_NB_"))}
    variables = inherited | environment | {"BENCH_OPTIONS": json.dumps(run.options)}
    try:
        done = subprocess.run(
            arguments, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": f"took more than {LONGEST} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    asked = [request for request in server.new_requests() if not request.key.endswith(f"/{WARM_KEY}")]
    if asked:
        figures |= {"requests": len(asked), "bytes": sum(request.bytes for request in asked)}
    return figures


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"done in {time.monotonic() - began:.0f} s")
