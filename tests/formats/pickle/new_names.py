"""Print the names that pickles of the installed versions import and the table does not list: for each new release.

    python -m tests.formats.pickle.new_names

One line a name, as ``names.toml`` writes it, with what objects need it. Exit status 1 when there is one.
"""

from __future__ import annotations

import io
import pickle
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from aios3_nb.formats.pickle import Names
from aios3_nb.formats.pickle.scan import names_in_file
from tests.formats.pickle import objects

PROTOCOLS = (0, 2, 4, 5)


def names_of(value: Any) -> set[tuple[str, str]]:
    """Return every name that a pickle of `value` imports, in any of `PROTOCOLS`; none when it cannot be pickled."""
    found: set[tuple[str, str]] = set()
    for protocol in PROTOCOLS:
        try:
            data = pickle.dumps(value, protocol)
        except (TypeError, pickle.PicklingError):
            continue
        found.update(names_in_file(io.BufferedReader(io.BytesIO(data)), limit=10**9).names)
    return found


def missing(values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> dict[str, list[str]]:
    """Return each name that is not listed, as ``module: name``, with the names of the `values` that need it."""
    needed = defaultdict(list)
    for what, value in dict(values).items():
        for module, name in sorted(names_of(value)):
            if not Names().permits(module, name):
                needed[f"{module}: {name}"].append(what)
    return dict(needed)


def main() -> int:
    """Look at the objects of every library; return the exit status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: needs for make in objects.TABLES.values() for name, needs in missing(make()).items()}
    for name, needs in sorted(found.items()):
        print(f"{name}    # {', '.join(needs[:3])}")
    print(f"{len(found)} names are not listed", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
