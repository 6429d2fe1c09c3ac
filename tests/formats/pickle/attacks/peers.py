"""The attacks of ``named`` against other ways to load a pickle, as far as these are installed.

    python -m tests.formats.pickle.attacks.peers

Prints a table: of how many attacks each runs a program, crashes, changes what is not the pickle's or fills the memory,
and how many it refuses. Scanners are asked first, and what they let pass is loaded by `pickle`, as their users do.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import os
import pickle
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from aios3_nb.formats.pickle import load_pickle
from tests.formats.pickle import objects
from tests.formats.pickle.attacks import named
from tests.formats.pickle.attacks.children import in_child, within
from tests.formats.pickle.attacks.use import use

_MEGABYTES = 1500
_SECONDS = 20
_RUNS = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "pty.spawn")


class RefusedError(Exception):
    """A scanner warns of it."""


def _ours(data: bytes) -> Any:
    return load_pickle(io.BufferedReader(io.BytesIO(data)))


def _joblib(data: bytes) -> Any:
    import joblib

    return joblib.load(io.BytesIO(data))


def _torch(data: bytes) -> Any:
    import torch

    return torch.load(_as_torch_writes(data), weights_only=True)


def _as_torch_writes(data: bytes) -> io.BytesIO:
    """Return the archive that `torch.save` makes, with `data` as its pickle: a bare one it takes for corrupt."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (("data.pkl", data), ("version", b"3\n"), ("byteorder", b"little")):
            archive.writestr(f"archive/{name}", content)
    file.seek(0)
    return file


def _fickling(data: bytes) -> Any:
    import fickling

    return fickling.load(io.BytesIO(data))


def _picklescan(data: bytes) -> Any:
    from picklescan.scanner import scan_pickle_bytes

    found = scan_pickle_bytes(io.BytesIO(data), "attack.pkl")
    if found.issues_count or found.scan_err:
        raise RefusedError
    return pickle.loads(data)


def _skops(data: bytes) -> Any:
    import skops.io

    return skops.io.loads(data)


PEERS: dict[str, tuple[str, Callable[[bytes], Any]]] = {
    "aios3_nb": ("", _ours),
    "pickle": ("", pickle.loads),
    "joblib": ("joblib", _joblib),
    "torch.load(weights_only=True), in its own archive": ("torch", _torch),
    "fickling.load": ("fickling", _fickling),
    "picklescan, then pickle": ("picklescan", _picklescan),
    "skops.io (its own format only)": ("skops", _skops),
}
"""Name -> the package whose version is told, and what loads."""


def outcome(load: Callable[[bytes], Any], data: bytes) -> str:
    """Return what a load of `data`, and a look at what came of it, did."""

    def work() -> dict[str, Any]:
        warnings.simplefilter("ignore")
        within(_SECONDS)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            values: list[Any] = []
            told = named._outcome(lambda file: values.append(load(file.read())), data)
            told["files"] = os.listdir(folder)
            if values:
                use(values[0])
            os.chdir("/")
        return told

    told, ended, _ = in_child(work)
    if ended:
        return "crashes or hangs"
    if told["files"] or any(event.startswith(_RUNS) for event in told["events"]):
        return "runs code"
    if told["patched"]:
        return "changes a class"
    if told["megabytes"] > _MEGABYTES:
        return "fills the memory"
    return "refused" if told["error"] else "loads it"


def main() -> None:
    """Print the table."""
    os.environ["OMP_NUM_THREADS"] = "1"
    attacks = {name: make() for name, make in named.ATTACKS.items()}
    _ours(pickle.dumps(b"bytes", 2))  # what a first load imports is no work of an attack
    ordinary = list(_ordinary())
    kinds = ("runs code", "changes a class", "crashes or hangs", "fills the memory", "loads it", "refused")
    last = f"of {len(ordinary)} ordinary objects, loads"
    print(f"| {len(attacks)} attacks | version | {' | '.join(kinds)} | {last} |")
    print(f"|---|---|---|{'---|' * len(kinds)}")
    for peer, (package, load) in PEERS.items():
        try:
            version = importlib.metadata.version(package) if package else f"Python {sys.version.split()[0]}"
            importlib.import_module(package or "pickle")  # else all of it would seem refused
        except ImportError:
            print(f"| {peer} | not installed |{' |' * len(kinds)} |", flush=True)
            continue
        counts = Counter(outcome(load, data) for data in attacks.values())
        loaded = in_child(lambda load=load: sum(_loads(load, data) for data in ordinary))[0]
        print(f"| {peer} | {version} | {' | '.join(str(counts[kind]) for kind in kinds)} | {loaded} |", flush=True)


def _ordinary() -> Iterator[bytes]:
    for library in ("stdlib", "numpy", "pandas", "scipy"):
        for value in objects.TABLES[library]().values():
            with contextlib.suppress(TypeError, pickle.PicklingError):
                yield pickle.dumps(value, 4)


def _loads(load: Callable[[bytes], Any], data: bytes) -> bool:
    warnings.simplefilter("ignore")
    try:
        load(data)
    except Exception:
        return False
    return True


if __name__ == "__main__":
    main()
