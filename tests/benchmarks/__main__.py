"""``make bench ARGS='[case ...] [--quick] [--rounds N] [--list]'``: measure, and write RESULTS.md and what shows it.

Every figure comes from a fresh process, and the ways take turns, so that a machine that grows slower does so for all.
A case is one table; ``arrays*`` stands for all that begin so.
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
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.benchmarks import report, samples, tables
from tests.benchmarks.case import Case, Run
from tests.benchmarks.cases import CASES
from tests.benchmarks.configuration import BUCKET, SERVERS
from tests.benchmarks.storage import Nginx, Request, nginx, seaweedfs
from tests.benchmarks.together import open_by_quarter
from tests.benchmarks.ways import WARM_KEY

REPOSITORY = Path(__file__).parents[2]
LONGEST = 300
"""Seconds for one process."""
QUICK = 0.125
"""Size of the objects for a quick look."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help="name of a case, or a pattern; else all")
    parser.add_argument("--list", action="store_true", help="say what cases there are")
    parser.add_argument("--quick", action="store_true", help="objects of an eighth, one round; nothing is written")
    parser.add_argument("--rounds", type=int, help="times that each way is measured")
    parser.add_argument("--ways", nargs="+", default=[], help="measure no others of the cases; nothing is written")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{name:20} {case.title}" for name, case in CASES.items()))
        return
    if unknown := [pattern for pattern in options.cases if not chosen([pattern])]:
        parser.error(f"no such case: {', '.join(unknown)}. --list says what there is.")
    scale = QUICK if options.quick else 1.0
    rounds = 1 if options.quick else options.rounds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # or nginx would outlive it
    # Beside the other temporary files, and on the disk: a RAM disk would have the objects in memory twice.
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, contextlib.ExitStack() as stack:
        cases = {name: with_ways(case, options.ways) for name, case in chosen(options.cases or ["*"]).items()}
        servers = Servers(Path(folder), stack, cases, scale)
        for name, case in cases.items():
            records = measure_case(name, case, servers, rounds)
            print(tables.table(case, records), flush=True)
            if not (options.quick or options.ways or options.dry):
                report.save(records)


def chosen(patterns: Sequence[str]) -> dict[str, Case]:
    """Return the cases that a pattern names, in their order."""
    return {name: case for name, case in CASES.items() if any(fnmatchcase(name, each) for each in patterns)}


def with_ways(case: Case, names: Sequence[str]) -> Case:
    """Return `case` with the runs that `names` calls by their way or label alone; without names all."""
    return replace(case, runs=tuple(run for run in case.runs if not names or {run.way, run.name} & {*names}))


class Servers:
    """The servers that the cases need, with their objects: none if they need none."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack, cases: Mapping[str, Case], scale: float) -> None:
        self.root = folder / "root"
        self.nginx: Nginx | None = None
        self.seaweedfs: Mapping[str, str] = {}
        needed = set().union(*(case.servers for case in cases.values()))
        if not needed:
            return
        print("making the objects ...", flush=True)
        keys = set().union(*(case.keys(*needed) for case in cases.values()))
        samples.write(self.root / BUCKET, keys | {WARM_KEY}, scale)
        if needed - {"seaweedfs"}:
            self.nginx = stack.enter_context(nginx(folder, self.root))
        if "seaweedfs" in needed:
            uploaded = set().union(*(case.keys("seaweedfs") for case in cases.values()))
            self.seaweedfs = stack.enter_context(seaweedfs(self.root, [*sorted(uploaded), WARM_KEY]))

    def environment(self, server: str) -> dict[str, str]:
        """Return the variables that point every library at `server`."""
        where = self.seaweedfs if server == "seaweedfs" else {}
        if self.nginx and server in SERVERS:
            where = self.nginx.environment(server)
        return {**where, "BENCH_ROOT": str(self.root)}

    def new_requests(self) -> list[Request]:
        """Return what nginx was asked since the last call, but for what warmed a client."""
        requests = self.nginx.new_requests() if self.nginx else []
        return [request for request in requests if not request.key.endswith(f"/{WARM_KEY}")]


def measure_case(name: str, case: Case, servers: Servers, rounds: int | None) -> list[dict[str, Any]]:
    """Return one record for each round and way, the ways taking turns."""
    records = []
    dead: set[str] = set()
    for number in range(rounds or case.rounds):
        for run in case.runs:
            if run.name in dead or number >= run.rounds:
                continue
            record = {"case": name, "run": run.name, "round": number, "load_average": os.getloadavg()[0]}
            record |= measure_one(case, run, servers)
            if "error" in record:
                dead.add(run.name)
                print(f"{name}: {run.name} failed: {record['error']}", flush=True)
            records.append(record)
    return records


def measure_one(case: Case, run: Run, servers: Servers) -> dict[str, Any]:
    """Return the figures of one fresh process, or its error."""
    if servers.nginx and (run.server or case.server) in ("straggler", "even"):
        servers.nginx.number_anew(run.server or case.server)
    servers.new_requests()
    arguments = [sys.executable, "-m", "tests.benchmarks.measure", run.way, run.key or case.key, str(case.repeat)]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "AIOS3_NB_"))}
    variables = inherited | servers.environment(run.server or case.server) | {"BENCH_OPTIONS": json.dumps(run.options)}
    try:
        done = subprocess.run(
            arguments, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": f"took more than {LONGEST} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if asked := servers.new_requests():
        figures |= {"requests": len(asked), "bytes": sum(request.bytes for request in asked)}
        if case.repeat == 1:
            figures["open"] = open_by_quarter(asked)
    return figures


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"done in {time.monotonic() - began:.0f} s")
