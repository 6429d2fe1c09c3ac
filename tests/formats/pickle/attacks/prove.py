"""Proof that the generator sees harm: with a check switched off, there has to be some of the kind that it prevents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aios3_nb.formats.pickle.names import Entry, safe_names
from tests.formats.pickle.attacks.programs import Programs
from tests.formats.pickle.attacks.runner import Runner

Name = tuple[str, str]

_UNCHECKED = "pandas.keys _shape indptr indices data maxprint has_canonical_format _has_canonical_format blocksize"
BAD: dict[Name, tuple[Entry, str]] = {
    ("builtins", "open"): (Entry(make="anything"), "event"),
    ("numpy", "ndarray"): (Entry(make="anything"), "canary"),
    ("dateutil.tz.tz", "tzutc"): (Entry(make="()", state="attributes"), "changed"),
    ("scipy.sparse._csr", "csr_matrix"): (Entry(make="empty", state=_UNCHECKED), "crash"),
}
"""Names, each with what a bad table says of it, and the harm that this does."""

_MOST = 5000
"""Programs against one name."""

_STEP = 100
"""Programs after which is looked whether one has done the harm: those behind it prove no more."""


def prove(runner: Runner, programs: Callable[[Name], Programs]) -> dict[str, int]:
    """Return, for each bad entry, how many programs it took until it did the harm; 0 where none did."""
    return {f"{name[0]}:{name[1]}": _until(runner, programs(name), name) for name in BAD}


def _until(runner: Runner, programs: Programs, name: Name) -> int:
    entry, kind = BAD[name]
    ordinary, runner.write = runner.write, programs.program
    try:
        with _table({name: entry}):
            for first in range(0, _MOST, _STEP):
                found = [harm.number for harm in runner.run(first, first + _STEP) if harm.kind == kind]
                if found:
                    return min(found) + 1
    finally:
        runner.write = ordinary
    return 0


@contextmanager
def _table(entries: dict[Name, Entry]) -> Iterator[None]:
    """Have the engine believe other entries than those of ``names.toml``."""
    table = safe_names()
    assert isinstance(table, dict)
    before = {name: table.get(name) for name in entries}
    table.update(entries)
    try:
        yield
    finally:
        for name, entry in before.items():
            if entry is None:
                del table[name]
            else:
                table[name] = entry
