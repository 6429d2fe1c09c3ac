"""Which names a pickle imports, found by unpickling it into nothing."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from aios3_nb.errors import S3Error
from aios3_nb.formats.pickle.asks import INST, OBJ
from aios3_nb.formats.pickle.feed import EnoughError, Feed
from aios3_nb.formats.pickle.find import python3_name
from aios3_nb.formats.pickle.opcodes import STACK_GLOBAL, imports_by_lines

REST_BYTES = 4 * 1024 * 1024
"""Bytes looked through for further names once one is blocked."""


GETATTR = ("builtins", "getattr")


class Inert:
    """Takes the place of every class and function; takes everything, does nothing.

    Nothing a pickle does reaches it: what would set its attributes or call it only asks, and is not done.
    """

    __slots__ = ()

    module, name = "", ""
    """What it stands for."""

    def __new__(cls, *_: Any, **__: Any) -> Inert:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> Inert:
        return self

    def __setitem__(self, *_: Any) -> None:
        pass

    def append(self, *_: Any) -> None:
        pass

    extend = add = append


class Scan(pickle.Unpickler):
    """Unpickles with `Inert` for everything that is imported, and notes the names.

    Attributes:
        found: ``(module, name)`` of each, as Python 3 has it, in the order of their first use.
        called: Dotted names of those that are called.
        within: ``(module, name)`` of what is taken out of a class, with those of the class.
    """

    __slots__ = ("called", "feed", "found", "within")

    def __init__(self, feed: Feed, encoding: str = "latin1") -> None:
        super().__init__(feed, encoding=encoding)
        self.feed = feed
        self.found: dict[tuple[str, str], None] = {}
        self.called: set[str] = set()
        self.within: dict[tuple[str, str], tuple[str, str]] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Note the name."""
        module, name = python3_name(module, name, self.feed.protocol)
        self.found[module, name] = None
        return type("Inert", (Inert,), {"__slots__": (), "module": module, "name": name})

    def persistent_load(self, pid: Any) -> Any:
        """Build nothing."""
        if type(pid) is tuple and not self.feed.plain:
            self._note_call(pid)
            # Made from a mark, the class is within the tuple or behind it; what is pushed takes everything.
            return Inert() if len(pid) == 3 and pid[2] in (OBJ, INST) else pid[0]
        if pid != self.feed.word:
            raise pickle.UnpicklingError("persistent id")
        self.feed.heard()
        return None

    def _note_call(self, pid: tuple[Any, ...]) -> None:
        """Note what a REDUCE calls, and what it takes out of a class; other opcodes make empty objects."""
        function, args = pid[:2]
        if len(pid) != 2 or not _is_inert(function):
            return
        self.called.add(f"{function.module}.{function.name}")
        if (function.module, function.name) == GETATTR and type(args) is tuple and len(args) == 2:
            self._note_inner(*args)

    def _note_inner(self, owner: Any, name: Any) -> None:
        if not _is_inert(owner) or type(name) is not str:
            return
        pair = owner.module, owner.name
        # Of an instance that protocols 0 and 1 make, such as a bound method: only classes give up what is within.
        taken = GETATTR if pair == ("copyreg", "_reconstructor") else (owner.module, f"{owner.name}.{name}")
        self.within[taken] = pair


def _is_inert(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Inert)


@dataclass(frozen=True, slots=True)
class Imports:
    """What a pickle imports.

    Attributes:
        names: ``(module, name)`` of each, in the order of their first use.
        called: Dotted names of those that it calls.
        within: ``(module, name)`` of what it takes out of a class, with those of the class.
    """

    names: tuple[tuple[str, str], ...] = ()
    called: frozenset[str] = frozenset()
    within: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)


def names_in_head(head: bytes) -> tuple[tuple[str, str], ...]:
    """Return the names imported by the beginning of a pickle, as far as `head` shows."""
    if STACK_GLOBAL not in head and not imports_by_lines(head):
        return ()
    return _scanned(Feed(io.BufferedReader(io.BytesIO(head), max(len(head), 1)), careful=True, quiet=True)).names


def names_in_file(file: BinaryIO, limit: int = REST_BYTES) -> Imports:
    """Return the names imported by the pickle at the file's position, reading about `limit` bytes of it."""
    feed = Feed(file, careful=True)
    feed.stop_after(limit)
    return _scanned(feed)


def _scanned(feed: Feed) -> Imports:
    scan = Scan(feed)
    try:
        scan.load()
    except (S3Error, EnoughError) as exc:
        if isinstance(exc, S3Error) and not feed_fault(exc):
            raise
    except Exception:  # noqa: S110  # whatever is wrong with it, the names so far are the answer
        pass
    return Imports(tuple(scan.found), frozenset(scan.called), dict(scan.within))


def feed_fault(exc: S3Error) -> bool:
    """Return whether `exc` is about the pickle, and not about reaching it."""
    return isinstance(exc, (ValueError, pickle.UnpicklingError))
