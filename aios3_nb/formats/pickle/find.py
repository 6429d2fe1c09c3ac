"""From a name in a pickle to the object it stands for, if it may."""

from __future__ import annotations

import _compat_pickle
import functools
import importlib
import importlib.util
import operator
import sys
from collections.abc import Collection
from typing import Any

from aios3_nb.errors import BlockedPickleError, MissingPackageError, OptionError
from aios3_nb.formats.imports import importing
from aios3_nb.formats.pickle import allowed
from aios3_nb.formats.pickle.names import Entry, current_home, never_modules, never_names, pip_name, safe_names
from aios3_nb.formats.pickle.versions import gone_text, installed
from aios3_nb.text import visible

_MOST_SHOWN = 50
_LONGEST_NAME = 200


class OtherVersionError(MissingPackageError):
    """A name is not in the installed version of its package; whoever has the file adds which version wrote it.

    Attributes:
        module: That of the name.
    """

    def __init__(self, message: str, module: str) -> None:
        super().__init__(message)
        self.module = module


class Names:
    """What the pickles of one call may import: the safe list, and what the call allows besides.

    Args:
        allow: Dotted names, exactly as in the message of `BlockedPickleError`.

    Attributes:
        allows: Whether there are any.

    Raises:
        OptionError: A name in `allow` that is not dotted, has a wildcard, or that only trust lifts.
    """

    def __init__(self, allow: Collection[str] = ()) -> None:
        if isinstance(allow, str):
            allow = allow.split(",")
        self._allowed = frozenset(name.strip() for name in allow if name.strip())
        self.allows = bool(self._allowed)
        for name in sorted(self._allowed):
            _check_allowable(name)

    def permits(self, module: str, name: str) -> bool:
        """Return whether a pickle may import `name` of `module`; both as Python 3 has them."""
        return current_home(module, name) in safe_names() or f"{module}.{name}" in self._allowed

    def entry(self, module: str, name: str) -> Entry:
        """Return what may be done with it, for a name that is permitted."""
        return safe_names().get(current_home(module, name), allowed.ENTRY)

    def find(self, module: str, name: str) -> Any:
        """Return the object; what is not permitted is never imported.

        Raises:
            MissingPackageError: The module is not installed, or is of a version without that name.
        """
        if not self.permits(module, name):
            raise BlockedPickleError(blocked_text([f"{module}.{name}"]))
        if current_home(module, name) in safe_names():
            return _imported(module, name)
        return _allowed_object(module, name)


def python3_name(module: str, name: str, protocol: int) -> tuple[str, str]:
    """Return the name as Python 3 has it; protocols below 3 use those of Python 2.

    See: `find_class` in Lib/pickle.py of CPython.
    """
    if protocol >= 3:
        return module, name
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def missing_package(module: str) -> str:
    """Return the top-level package of `module` if it is not installed, else nothing; imports nothing."""
    package = module.partition(".")[0]
    try:
        return "" if package == "__main__" or importlib.util.find_spec(package) else package
    except (ImportError, ValueError):
        return package


def missing_text(module: str, name: str) -> str:
    """Return what to say when the package of a name is not installed."""
    package = module.partition(".")[0]
    return (
        f"The pickle needs {visible(f'{module}.{name}')}, and the package {visible(package)} is not installed. "
        f"Install it with: pip install {visible(pip_name(module))}"
    )


def blocked_text(names: Collection[str], called: Collection[str] = ()) -> str:
    """Return the message about blocked `names`, with the ways on; whoever knows the object puts it in for ``URI``.

    Those of them that the pickle calls are in `called`, as far as that was seen.
    """
    many = "names that are" if len(names) != 1 else "name that is"
    lines = [f"needs {len(names):,} {many} not on the safe list; nothing of it was run:"]
    shown = [visible(name[:_LONGEST_NAME], most=_LONGEST_NAME) for name in list(names)[:_MOST_SHOWN]]
    lines += [f"  {name}" for name in shown]
    if len(names) > len(shown):
        lines.append(f"  and {len(names) - len(shown):,} more")
    never = [name for name in list(names)[:_MOST_SHOWN] if not is_allowable(name, is_called=name in called)]
    lines.append("Loading them runs code. If you trust whoever wrote this file:")
    if not never and len(names) == len(shown):
        lines.append(f"  %s3load URI --allow {','.join(shown)}    (exactly these, this once{_to_install(names)})")
    lines.append("  %s3load URI --trust    (anything it asks for, this once)")
    lines.append("  or trust its prefix in ~/.config/aios3_nb.toml: [[trust]] bucket = ..., prefix = ...")
    if never:
        several = ", ".join(visible(name[:_LONGEST_NAME], most=_LONGEST_NAME) for name in never)
        lines.append(f"--allow does not lift {several}.")
    if any(name.startswith("__main__.") for name in never):
        lines.append("What __main__ has was defined in the script or notebook that wrote it: define it here first.")
    return "\n".join(lines)


def _to_install(names: Collection[str]) -> str:
    """Return which packages of `names` have to be installed first; empty if all are there."""
    absent = sorted({pip_name(name) for name in names if missing_package(name)})
    return f"; first: pip install {' '.join(visible(package) for package in absent)}" if absent else ""


def is_allowable(name: str, *, is_called: bool = False) -> bool:
    """Return whether ``--allow`` may be proposed for the dotted `name`; imports nothing.

    It is for classes, and of those that are called for few (`allowed.may_be_called`). What is not imported yet is
    judged by how classes are spelled; whether it may be called cannot be known then, so that it is not proposed.
    """
    parts = name.split(".")
    if _is_never_allowed(name) or len(name) > _LONGEST_NAME or not all(part.isidentifier() for part in parts):
        return False
    for count in range(len(parts) - 1, 0, -1):
        found = sys.modules.get(".".join(parts[:count]))
        if found is not None:
            value = _attribute(found, parts[count:])
            if value is None and count < len(parts) - 1 and hasattr(found, "__path__"):
                break  # a module that is not imported yet
            return _is_class_at(value, ".".join(parts[:count]), ".".join(parts[count:])) and (
                not is_called or allowed.may_be_called(value)
            )
    return not is_called and parts[-1].lstrip("_")[:1].isupper()


def _is_class_at(value: Any, module: str, name: str) -> bool:
    """Return whether `value` is a class, and `name` of `module` its own name and not another one."""
    return isinstance(value, type) and (value.__module__, value.__qualname__) == (module, name)


def _attribute(owner: Any, path: list[str]) -> Any:
    """Return what `path` leads to without running anything of its own; None where it ends."""
    for part in path:
        try:
            owner = vars(owner).get(part)
        except TypeError:
            return None
    return owner


def _check_allowable(name: str) -> None:
    if not all(part.isidentifier() for part in name.split(".")) or "." not in name:
        raise OptionError(f"--allow takes exact dotted names such as package.module.Class, not {visible(name)!r}.")
    if _is_never_allowed(name):
        raise OptionError(f"{visible(name)} cannot be allowed: with it a pickle can run anything. That is --trust.")


def _is_never_allowed(name: str) -> bool:
    """Return whether only trust lifts the dotted `name`."""
    parts = name.split(".")
    if not never_names().isdisjoint(parts) or any(part.startswith("__") for part in parts[1:]):
        return True
    return any(".".join(parts[:count]) in never_modules() for count in range(1, len(parts)))


@functools.cache
def _imported(module: str, name: str) -> Any:
    package = missing_package(module)
    if package:
        raise MissingPackageError(missing_text(module, name))
    for candidate, called in dict.fromkeys((current_home(module, name), (module, name), (_old_home(module), name))):
        try:
            with importing(candidate):
                found = importlib.import_module(candidate)
            return operator.attrgetter(called)(found)
        except (ImportError, AttributeError):
            continue
    raise OtherVersionError(gone_text([f"{module}.{name}"]), module)


def trusted_name(module: str, name: str) -> tuple[str, str]:
    """Return where what a trusted pickle names is now, as far as it has moved."""
    home, called = current_home(module, name)
    return (_old_home(home) if home.startswith("numpy.") and _is_numpy_1() else home), called


def _old_home(module: str) -> str:
    """Return where numpy 1 has what numpy 2 has in `module`."""
    if module in _NUMPY_1:
        return _NUMPY_1[module]
    return module.replace("numpy._core", "numpy.core", 1) if module.startswith("numpy._core") else module


_NUMPY_1 = {"numpy.rec": "numpy.core.records", "numpy.char": "numpy.core.defchararray"}
"""Modules of numpy 2 that are none in numpy 1, only attributes."""


def _is_numpy_1() -> bool:
    """Return whether numpy is installed, and of version 1; that has some modules of numpy 2, too."""
    return installed("numpy").startswith("1.")


def _allowed_object(module: str, name: str) -> Any:
    """Return what the user allowed by name, if that is where it is defined and not a way to something else."""
    if missing_package(module):
        raise MissingPackageError(missing_text(module, name))
    try:
        with importing(module):
            home = importlib.import_module(module)
        found = operator.attrgetter(name)(home)
    except (ImportError, AttributeError) as exc:
        where = "this notebook" if module == "__main__" else f"the installed {module.partition('.')[0]}"
        raise MissingPackageError(
            f"The pickle needs {visible(f'{module}.{name}')}, which {where} does not have."
        ) from exc
    if not isinstance(found, type):
        raise BlockedPickleError(
            f"{visible(f'{module}.{name}')} cannot be allowed: --allow is for classes, which get attributes. "
            "A function is called with arguments of the pickle, which can run anything; if that is what you mean to "
            "run, it takes --trust."
        )
    if not _is_class_at(found, module, name) or any(part.startswith("__") for part in name.split(".")):
        raise BlockedPickleError(
            f"{visible(f'{module}.{name}')} cannot be allowed: it is another name of "
            f"{visible(f'{found.__module__}.{found.__qualname__}')}. If that is what you mean to run, it takes --trust."
        )
    return found
