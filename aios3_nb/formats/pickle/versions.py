"""Which version of a library wrote a pickle, which is here, and what to install.

A pickle of scikit-learn says the version that wrote it, once, within the first state of an estimator. Others say none.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Collection
from typing import BinaryIO

from aios3_nb.errors import S3Error
from aios3_nb.formats.pickle.names import pip_name
from aios3_nb.text import visible

_MOST = 4 * 1024 * 1024
"""Bytes of a pickle that are looked through for its version."""

_SKLEARN = re.compile(rb"_sklearn_version(?:\x94|q.|r....|\np\d+\n)?(?:\x8c(.)|X(.)\0\0\0|V)", re.DOTALL)
"""The name of the attribute, as all protocols write it; then the opcode of its text, and how long that is."""

_LONGEST = 40
"""Bytes behind the name that are needed to read the version."""

_VERSION = re.compile(rb"\d+(?:\.\w+){1,4}")

_LIBRARIES = frozenset(("numpy", "pandas", "pyarrow", "scipy", "sklearn"))
"""Packages whose names are listed; where one of theirs is not there, it was in another version."""

_PANDAS_1 = (
    "pandas 1.5.3 reads what older ones wrote; in an environment of its own, with Python 3.8 to 3.11, load it there "
    "and store it anew: pip install 'pandas==1.5.3' 'numpy<2'"
)
_OWN = "in an environment of its own, for it may need an older Python and numpy, too"


def installed(module: str) -> str:
    """Return the version of the package of `module`; empty if it is not there."""
    top = module.partition(".")[0]
    if version := getattr(sys.modules.get(top), "__version__", ""):
        return str(version)
    try:
        return importlib.metadata.version(pip_name(top))
    except importlib.metadata.PackageNotFoundError:
        return ""


def with_version(module: str) -> str:
    """Return the package of `module` and its version, as ``scikit-learn 1.9.1``."""
    return f"{pip_name(module)} {installed(module)}".rstrip()


def is_gone(module: str) -> bool:
    """Return whether `module` is of a listed library, which is installed and has no such module; imports nothing."""
    return module.partition(".")[0] in _LIBRARIES and _has_no_module(module)


@functools.cache
def _has_no_module(module: str) -> bool:
    package, *parts = module.split(".")
    spec = importlib.util.find_spec(package)
    path = package
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return spec is not None
        path = f"{path}.{part}"
        found = importlib.machinery.PathFinder.find_spec(path, spec.submodule_search_locations)
        if found is None:
            return True
        spec = found
    return False


def gone_text(names: Collection[str]) -> str:
    """Return what to say of dotted `names` that the installed version of their library does not have."""
    shown = ", ".join(visible(name, most=200) for name in list(names)[:5])
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return f"The pickle needs {shown}{more}, which the installed {with_version(next(iter(names)))} does not have."


def advice(file: BinaryIO, start: int, module: str) -> str:
    """Return which version of the package of `module` wrote the pickle at `start`, and what to install."""
    package = pip_name(module)
    written = written_with(file, start) if package == "scikit-learn" else ""
    if written:
        return (
            f"It was written with {package} {written}, and {installed(module)} is installed. "
            f"Install the one that wrote it, {_OWN}: pip install '{package}=={written}'"
        )
    if package == "pandas":
        return f"Another version wrote it. {_PANDAS_1}"
    return (
        f"Another version wrote it, and the pickle does not say which. Ask who wrote it, and install that, {_OWN}: "
        f"pip install '{package}==VERSION'"
    )


def other_version(file: BinaryIO, start: int, head: bytes, said: str) -> str:
    """Return that another version wrote the pickle at `start`, and what to install; empty if that is not so.

    Args:
        file: What it is in.
        start: Where it begins.
        head: Its first bytes.
        said: What went wrong.
    """
    if "is not a known BitGenerator" in said:
        return f"numpy 2 wrote it, and numpy {installed('numpy')} is installed: pip install -U numpy"
    if b"sklearn" not in head:
        is_pandas = b"pandas" in head and ("pandas" in said or "TypeError" in said)
        return f"If an older pandas wrote it: {_PANDAS_1}" if is_pandas else ""
    written = written_with(file, start)
    return advice(file, start, "sklearn") if written and written != installed("sklearn") else ""


def written_with(file: BinaryIO, start: int) -> str:
    """Return the version of scikit-learn that the pickle at `start` says wrote it; empty if it says none."""
    if not file.seekable():
        return ""
    try:
        file.seek(start)
        data = bytearray()
        while len(data) < _MOST and (piece := file.read(min(_MOST - len(data), 256 * 1024))):
            begin = max(len(data) - 64, 0)
            data += piece
            if version := _version_in(data, begin):
                return version
    except (S3Error, OSError):  # what went wrong before is the news
        pass
    return ""


def _version_in(data: bytearray, begin: int) -> str:
    found = _SKLEARN.search(data, begin)
    if found is None:
        return ""
    counted = found[1] or found[2]
    text = bytes(data[found.end() : found.end() + _LONGEST])
    version = _VERSION.fullmatch(text[: counted[0]] if counted else text.partition(b"\n")[0])
    return version[0].decode("ascii") if version else ""
