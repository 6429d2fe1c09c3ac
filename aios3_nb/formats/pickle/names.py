"""The safe list: which names a pickle may import unasked, read from ``names.txt``."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterator, Mapping

GUARDED = "!"
NEVER = "never"

PIP_NAMES = {
    "dateutil": "python-dateutil",
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "cv2": "opencv-python",
    "yaml": "pyyaml",
}
"""Import name -> name on PyPI, where the two differ."""


@functools.cache
def safe_names() -> Mapping[tuple[str, str], bool]:
    """Return every listed ``(module, name)``, each with whether a guard stands in for it."""
    return {
        (module, word.lstrip(GUARDED)): word.startswith(GUARDED)
        for section, module, words in _lines()
        if section != NEVER
        for word in words
    }


@functools.cache
def never_modules() -> frozenset[str]:
    """Return the modules of which nothing can be allowed."""
    return _never("modules")


@functools.cache
def never_names() -> frozenset[str]:
    """Return the parts of dotted names that cannot be allowed in any module."""
    return _never("names")


def _never(what: str) -> frozenset[str]:
    return frozenset(word for section, key, words in _lines() if (section, key) == (NEVER, what) for word in words)


def _lines() -> Iterator[tuple[str, str, list[str]]]:
    """Yield ``(section, what stands before the colon, the words after it)``; a key can come several times."""
    text = importlib.resources.files(__package__).joinpath("names.txt").read_text("utf-8")
    section = key = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith(" "):
            yield section, key, line.split()
        elif line and not line.startswith("#"):
            key, _, words = line.partition(":")
            yield section, key, words.split()


def current_home(module: str, name: str) -> tuple[str, str]:
    """Return where numpy 2 keeps what numpy 1 had in ``numpy.core``; anything else as it is.

    See: https://numpy.org/devdocs/numpy_2_0_migration_guide.html#numpy-namespace
    """
    if module == "numpy.core" or module.startswith("numpy.core."):
        return "numpy._core" + module.removeprefix("numpy.core"), name
    return module, name


def pip_name(module: str) -> str:
    """Return what to ``pip install`` for `module`."""
    package = module.partition(".")[0]
    return PIP_NAMES.get(package, package)
