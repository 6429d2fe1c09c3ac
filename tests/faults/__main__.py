"""``make faults``: the table of faults over all readers, each cell in a process of its own.

    python -m tests.faults PEERS_PYTHON [READER...]

PEERS_PYTHON is the interpreter of the environment that has the other readers. The table goes to RESULTS.md
beside this file, where readers that are not named keep their columns; the details of each cell go to
standard output.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import platform
import random
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cases import Case, Scene, stored_as, table
from tests.faults.peers import OURS, READERS, WAIT
from tests.faults.server import FaultServer

SIZE = 8 << 20
BOUND = 60
"""Seconds after which a reader counts as hanging, and is killed."""
AT_ONCE = 4
"""Cells under way together; most of them only wait."""

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
RIGHT, NEW, ERROR, WRONG, HANG, UNREACHED = "✓", "n", "E", "**W**", "**H**", "·"
TOKEN_SENT = "†"

LEGEND = f"""\
{RIGHT} right data; {NEW} the new version, whole; {ERROR} an error; **W** wrong data and no error; **H** still not
finished after {BOUND} s; {UNREACHED} right data, for the reader never makes the request that the fault waits for;
{TOKEN_SENT} it sent the session token to the other host."""

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDFAULTS",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_SESSION_TOKEN": "not-a-token",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True, slots=True)
class Contents:
    """An object, one of the same size that it is overwritten with, and one that another host gives out."""

    key: str
    data: bytes
    other: bytes
    foreign: bytes


@dataclass(frozen=True, slots=True)
class Cell:
    """What one reader made of one fault: a mark, and how that came about."""

    case: str
    reader: str
    mark: str
    detail: str


def main() -> None:
    """Fill the table and write it down."""
    peers_python, *only = sys.argv[1:]
    rows = [name for name, case in table(Scene(size=SIZE, other=b"")).items() if case.compared]
    marks = _former_marks() if only else {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pairs = [(row, reader) for row in rows for reader in only or READERS]
        for cell in pool.map(lambda pair: _measure(*pair, peers_python), pairs):
            print(f"{cell.mark:6} {cell.reader:24} {cell.case:40} {cell.detail}", flush=True)
            marks[cell.case, cell.reader] = cell.mark
    readers = [reader for reader in READERS if any((row, reader) in marks for row in rows)]
    text = _markdown(rows, readers, marks, _versions(peers_python))
    print(text)
    RESULTS.write_text(text)


def _former_marks() -> dict[tuple[str, str], str]:
    """Return the marks that RESULTS.md has, by row and reader."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {(row[0], reader): mark for row in cells[2:-1] for reader, mark in zip(cells[0][1:], row[1:], strict=True)}


def contents_for(reader: str) -> Contents:
    """Return what `reader` reads: JSON lines where items are iterated, else one pickle."""
    make = _lines if reader.endswith("iterate") else _pickle
    return Contents("data.jsonl" if make is _lines else "data.pkl", make(1), make(2), make(3))


def _pickle(seed: int) -> bytes:
    return pickle.dumps(random.Random(seed).randbytes(SIZE))


def _lines(seed: int) -> bytes:
    letters = random.Random(seed).randbytes(SIZE // 2).hex().translate(str.maketrans("0123456789", "ghijklmnop"))
    return "".join(f'"{letters[i : i + 97]}"\n' for i in range(0, len(letters), 97)).encode()


def _measure(row: str, reader: str, peers_python: str) -> Cell:
    contents = contents_for(reader)
    with FaultServer() as server, FaultServer() as sink:
        sink.put("bucket", contents.key, contents.foreign)
        case = table(Scene(size=len(contents.data), other=contents.other, sink=sink.url, pause=70))[row]
        _arrange(server, case, contents)
        python = sys.executable if reader.startswith(OURS) else peers_python
        said = _run([python, str(HERE / "peers.py"), reader, server.url, "bucket", contents.key])
        token = TOKEN_SENT if any("x-amz-security-token" in request.headers for request in sink.requests) else ""
        mark = _mark(said, contents, reached=server.strikes > 0)
        detail = f"{said.get('error', '')} {said.get('message', said.get('length', ''))}"
        return Cell(row, reader, mark + token, f"{' '.join(detail.split())} ({len(server.requests)} requests)")


def _arrange(server: FaultServer, case: Case, contents: Contents) -> None:
    server.put("bucket", contents.key, contents.data, **stored_as(case, len(contents.data)))
    for fault in case.faults:
        server.fault(fault)


def _run(command: list[str]) -> dict[str, str]:
    """Return what the reader's process says; nothing when it had to be killed."""
    environment = {**os.environ, **CREDENTIALS}
    try:
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=BOUND, check=False)
    except subprocess.TimeoutExpired:
        return {}
    if ended.returncode:
        return {"error": f"exit status {ended.returncode}", "message": ended.stderr[-300:]}
    found: dict[str, str] = json.loads(ended.stdout.splitlines()[-1])
    return found


def _mark(said: dict[str, str], contents: Contents, *, reached: bool) -> str:
    if not said:
        return HANG
    if "error" in said:
        return ERROR
    if said["sha256"] == _digest(contents.data):
        return RIGHT if reached else UNREACHED
    whole = {_digest(contents.other), _digest(contents.other[: len(contents.data) // 3])}
    return NEW if said["sha256"] in whole else WRONG


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _versions(peers_python: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for python in (peers_python, sys.executable):
        said = subprocess.run([python, str(HERE / "peers.py"), "versions"], capture_output=True, text=True, check=True)
        found |= {name: version for name, version in json.loads(said.stdout).items() if name not in found}
    return found


def _markdown(rows: list[str], readers: list[str], marks: dict[tuple[str, str], str], versions: dict[str, str]) -> str:
    counts = {
        reader: tuple(sum(marks.get((row, reader), "").startswith(mark) for row in rows) for mark in (WRONG, HANG))
        for reader in readers
    }
    total = [f"**{wrong} / {hang}**" for wrong, hang in counts.values()]
    python = ".".join(platform.python_version_tuple()[:2])
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        "# What readers of S3 make of faults",
        "",
        f"Written by `make faults`: a server that misbehaves on purpose, an object of {SIZE >> 20} MiB, parts of",
        f"1 MiB, a read timeout of {WAIT} s where the reader has one, its own retries. Each cell is a process of",
        f"its own, killed after {BOUND} s. {os.cpu_count()} cores, Python {python};",
        f"{packages}.",
        "",
        LEGEND,
        "",
        _line(["fault", *readers]),
        _line(["---"] * (len(readers) + 1)),
        *(_line([row, *(marks.get((row, reader), "?") for reader in readers)]) for row in rows),
        _line(["**wrong / hang**", *total]),
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
