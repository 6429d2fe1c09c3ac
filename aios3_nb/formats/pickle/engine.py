"""The safe unpickler: exact names, and every BUILD looked at where it could do harm."""

from __future__ import annotations

import functools
import io
import pickle
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle.arrays import DTypes, build_array, guarded_array, guarded_masked_array
from aios3_nb.formats.pickle.checks import Check, check_arrow, check_arrow_parts, check_for
from aios3_nb.formats.pickle.feed import Feed, NeedsCareError
from aios3_nb.formats.pickle.find import Names, python3_name
from aios3_nb.formats.pickle.guards import (
    StandIn,
    guarded_bytearray,
    guarded_encode,
    guarded_getattr,
    guarded_reconstructor,
)
from aios3_nb.formats.pickle.scan import REST_BYTES, Scan

_HEAP_TYPE = 1 << 9
_IMMUTABLE_TYPE = 1 << 8
_CAREFREE_MODULES = frozenset(("array", "builtins", "collections", "datetime", "decimal"))
"""Modules whose types, where they are written in C, and instances a BUILD cannot harm."""

_NO_STATE = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, StandIn)


@functools.cache
def unused_dtype_references() -> int:
    """Return how many references a dtype has during its BUILD when nothing uses it; the interpreter decides."""
    import numpy as np

    honest = pickle.dumps(np.dtype([("a", "O")]))
    feed = Feed(io.BufferedReader(io.BytesIO(honest)), careful=True)
    unpickler = SafeUnpickler(feed, Names(), unused_dtype=lambda: None)
    unpickler.load()
    return unpickler.dtypes.references


class SafeUnpickler(Scan):
    """Unpickles what `names` permits; after a name that it does not, only looks for further ones.

    Attributes:
        blocked: Dotted names that were not permitted, in the order of their first use.
        blocked_at: Offset of the piece with the first of them.
    """

    def __init__(
        self,
        feed: Feed,
        names: Names,
        *,
        encoding: str = "ASCII",
        unused_dtype: Callable[[], int | None] = unused_dtype_references,
    ) -> None:
        super().__init__(feed, encoding)
        self.blocked: dict[str, None] = {}
        self.blocked_at = 0
        self._names = names
        self._stand_ins: dict[tuple[str, str], StandIn] = {}
        self._to_check: list[tuple[Check, Any]] = []
        self._builders: dict[type, Callable[[Any, Any], None]] = {}
        self.dtypes = DTypes(lambda: self.memo.copy(), unused_dtype)

    def find_class(self, module: str, name: str) -> Any:
        """Return what the name stands for, a guard, or nothing to speak of once a name was blocked."""
        module, name = python3_name(module, name, self.feed.protocol)
        if not self.permits(module, name) or self.blocked:
            return super().find_class(module, name)
        found = self._names.find(module, name)
        if self._names.is_guarded(module, name):
            found = self._stand_in(module, name, found)
        if not self.feed.careful and needs_care(found):
            if self.feed.plain:
                raise NeedsCareError
            self.feed.careful = True
        return found

    def persistent_load(self, pid: Any) -> Any:
        """Do the BUILD of ``(object, state)``; see `aios3_nb.formats.pickle.feed` for how it comes here."""
        if type(pid) is not tuple or self.feed.plain or self.blocked:
            return self._word(pid)
        target, state = pid
        builder = self._builders.get(type(target))
        if builder is None:
            builder = self._builders[type(target)] = self._builder(target)
        builder(target, state)
        return target

    def finish(self) -> None:
        """Look over what was built, now that the pickle can change it no more.

        Raises:
            FormatError: Something is not consistent, or holds a function that a guard stood in for.
        """
        for check, target in self._to_check:
            check(target)

    def release(self) -> list[tuple[str, Callable[[], StandIn | None]]]:
        """Let go of all that was unpickled; return each guard's name, and what tells whether it lives on."""
        self.memo.clear()
        taken: list[tuple[str, Callable[[], StandIn | None]]] = [
            (stand_in.name, weakref.ref(stand_in)) for stand_in in self._stand_ins.values()
        ]
        self._stand_ins.clear()
        return taken

    def _word(self, pid: Any) -> Any:
        if type(pid) is tuple and not self.feed.plain:
            return pid[0]
        if pid != self.feed.word:
            # It passed unread; looked into, its place is found.
            raise NeedsCareError
        self.feed.heard()
        return None

    def _stand_in(self, module: str, name: str, real: Any) -> StandIn:
        key = (module, name)
        if key not in self._stand_ins:
            make, care = _GUARDS[name]
            self._stand_ins[key] = StandIn(f"{module}.{name}", make(self, real), needs_care=care)
        return self._stand_ins[key]

    def permits(self, module: str, name: str) -> bool:
        """Return whether the pickle may have the name; from the first that it may not, only names are read."""
        if self._names.permits(module, name):
            return True
        if not self.blocked:
            self.blocked_at = self.feed.executing
        self.blocked[f"{module}.{name}"] = None
        self.feed.stop_after(REST_BYTES)
        return False

    def check_later(self, check: Check, target: Any) -> None:
        """Check `target` now, and again when the pickle has ended: until then it can still change."""
        check(target)
        self._to_check.append((check, target))

    # BUILD

    def _builder(self, target: Any) -> Callable[[Any, Any], None]:
        """Return what gives objects like `target` their state."""
        if isinstance(target, _NO_STATE):
            return _refuse_state
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(target, numpy.dtype):
            return self._build_dtype
        if numpy is not None and isinstance(target, numpy.ndarray):
            return build_array
        check = check_for(type(target))
        return set_state if check is None else functools.partial(self._build_checked, check)

    def _build_dtype(self, dtype: Any, state: Any) -> None:
        self.dtypes.build(dtype, state)

    def _build_checked(self, check: Check, target: Any, state: Any) -> None:
        set_state(target, state)
        self.check_later(check, target)


def needs_care(found: Any) -> bool:
    """Return whether a BUILD could do harm to `found`, or to what it makes."""
    if isinstance(found, StandIn):
        return found.needs_care
    if not isinstance(found, type) or found.__module__ not in _CAREFREE_MODULES:
        return True
    return bool(found.__flags__ & _HEAP_TYPE) and not found.__flags__ & _IMMUTABLE_TYPE


def set_state(target: Any, state: Any) -> None:
    """Do what BUILD does; see `load_build` in Lib/pickle.py of CPython."""
    setstate = getattr(target, "__setstate__", None)
    if setstate is not None:
        setstate(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        attributes = target.__dict__
        for key, value in state.items():
            attributes[sys.intern(key) if type(key) is str else key] = value
    if slots:
        for key, value in slots.items():
            setattr(target, key, value)


def _refuse_state(target: Any, _: Any) -> None:
    name = getattr(target, "__qualname__", None) or getattr(target, "name", type(target).__name__)
    raise FormatError(f"The pickle sets attributes of {name} itself, which Python never writes and which is not safe.")


Guard = Callable[[SafeUnpickler, Any], Callable[..., Any]]


def _arrow_array(unpickler: SafeUnpickler, real: Any) -> Callable[..., Any]:
    def restore(parts: Any) -> Any:
        check_arrow_parts(parts)
        array = real(parts)
        unpickler.check_later(check_arrow, array)
        return array

    return restore


def _arrow_table(unpickler: SafeUnpickler, real: Any) -> Callable[..., Any]:
    def reconstruct(*args: Any) -> Any:
        table = real(*args)
        unpickler.check_later(check_arrow, table)
        return table

    return reconstruct


_GUARDS: dict[str, tuple[Guard, bool]] = {
    "encode": (lambda _, real: guarded_encode(real), False),
    "bytearray": (lambda _, real: guarded_bytearray(real), False),
    "getattr": (lambda unpickler, _: guarded_getattr(unpickler.permits), True),
    "_reconstructor": (lambda _, real: guarded_reconstructor(real), True),
    "dtype": (lambda unpickler, _: unpickler.dtypes.make, True),
    "_reconstruct": (lambda _, real: guarded_array(real), True),
    "_mareconstruct": (lambda _, real: guarded_masked_array(real), True),
    "_restore_array": (_arrow_array, True),
    "_reconstruct_table": (_arrow_table, True),
    "_reconstruct_record_batch": (_arrow_table, True),
}
"""Last part of a guarded name -> what makes its guard, and whether what it makes needs care."""
