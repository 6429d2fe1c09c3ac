"""What a pickle may do with which names: the table ``names.toml``, read once."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PIP_NAMES = {
    "dateutil": "python-dateutil",
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "cv2": "opencv-python",
    "yaml": "pyyaml",
}
"""Import name -> name on PyPI, where the two differ."""


_MOVED = {
    ("pandas.core.internals.blocks", "new_block"): ("pandas._libs.internals", "_unpickle_block"),
    ("pandas._libs.tslibs.nattype", "__nat_unpickle"): ("pandas._libs.tslibs.nattype", "_nat_unpickle"),
    ("pandas.core.arrays.sparse.dtype", "SparseDtype"): ("pandas.core.dtypes.dtypes", "SparseDtype"),
    ("pandas.core.arrays.arrow.dtype", "ArrowDtype"): ("pandas.core.dtypes.dtypes", "ArrowDtype"),
} | {
    ("pandas.core.indexes.numeric", f"{kind}Index"): ("pandas.core.indexes.base", "Index")
    for kind in ("Int64", "UInt64", "Float64")
}
"""What pandas 1 called by other names -> what took its place."""


_MOVED_MODULES = {"pandas.tseries.offsets": "pandas._libs.tslibs.offsets"} | {
    f"scipy.sparse.{kind}": f"scipy.sparse._{kind}" for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
}
"""Modules of pandas up to 1.0 and scipy up to 1.7 -> where what they had is now."""

_SPARSE_ARRAYS = "scipy.sparse._arrays"
"""Where scipy 1.8 to 1.10 had ``csr_array`` and its kin; each is in a module of its own now."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What may be done with the names of one group; see ``names.toml``.

    Attributes:
        make: The check of `aios3_nb.formats.pickle.makes` before a call; empty when it is never called.
        state: The rule of `aios3_nb.formats.pickle.states` for the state of what it makes; empty when that gets none.
        free: Whether pieces of a pickle that import nothing else pass unread.
        why: What it does.
        library: Whose name it is.
    """

    make: str = ""
    state: str = ""
    free: bool = False
    why: str = ""
    library: str = ""


@functools.cache
def safe_names() -> Mapping[tuple[str, str], Entry]:
    """Return every listed ``(module, name)``, each with what may be done with it."""
    entries = {}
    for group in table()["group"]:
        entry = Entry(**{key: value for key, value in group.items() if key != "names"})
        entries.update(dict.fromkeys(names_of(group["names"]), entry))
    return entries


@functools.cache
def never_modules() -> frozenset[str]:
    """Return the modules of which nothing can be allowed."""
    return frozenset(table()["never"]["modules"].split())


@functools.cache
def never_names() -> frozenset[str]:
    """Return the parts of dotted names that cannot be allowed in any module."""
    return frozenset(table()["never"]["names"].split())


@functools.cache
def table() -> dict[str, Any]:
    """Return the table as it is written."""
    return tomllib.loads(importlib.resources.files(__package__).joinpath("names.toml").read_text("utf-8"))


def names_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield ``(module, name)`` of lines such as ``module: name name``, which indented lines go on with."""
    module = ""
    for line in text.splitlines():
        words = line
        if not line.startswith(" "):
            module, _, words = line.partition(":")
        for word in words.split():
            yield module, word


def current_home(module: str, name: str) -> tuple[str, str]:
    """Return where the installed versions keep what older ones had elsewhere; anything else as it is.

    See: https://numpy.org/devdocs/numpy_2_0_migration_guide.html#numpy-namespace, pandas/compat/pickle_compat.py
    """
    if (module, name) in _MOVED:
        return _MOVED[module, name]
    if module == "numpy.core" or module.startswith("numpy.core."):
        return "numpy._core" + module.removeprefix("numpy.core"), name
    if module == _SPARSE_ARRAYS and name.endswith("_array"):
        return f"scipy.sparse._{name.removesuffix('_array')}", name
    if module in _MOVED_MODULES and (_MOVED_MODULES[module], name) in safe_names():
        return _MOVED_MODULES[module], name
    return module, name


def pip_name(module: str) -> str:
    """Return what to ``pip install`` for `module`."""
    package = module.partition(".")[0]
    return PIP_NAMES.get(package, package)
