"""The safe unpickler: exact names, and whatever a pickle does with them asks first.

Classes and functions stand on the unpickler's stack as they are. Only what this load imported by a name that may be
called is called, by what looks at the arguments first (`aios3_nb.formats.pickle.makes`); never an instance, and never
what a call returned. A state goes only to an object that this load has just made, once, by the rule of its class
(`aios3_nb.formats.pickle.states`). Items go only into the containers that pickles fill.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aios3_nb.errors import BlockedPickleError
from aios3_nb.formats.pickle import allowed, pandas, states
from aios3_nb.formats.pickle.containers import Containers
from aios3_nb.formats.pickle.dtypes import DTypes
from aios3_nb.formats.pickle.feed import Feed, NeedsCareError
from aios3_nb.formats.pickle.find import Names, blocked_text, python3_name
from aios3_nb.formats.pickle.grammar import Known
from aios3_nb.formats.pickle.makes import Builder, Check, Maker, maker
from aios3_nb.formats.pickle.names import Entry
from aios3_nb.formats.pickle.proven import known_places
from aios3_nb.formats.pickle.refuse import NAMED, name_of, not_done, refused
from aios3_nb.formats.pickle.scan import REST_BYTES, Scan


class SafeUnpickler(Scan):
    """Unpickles what `names` permits; after a name that it does not, only looks for further ones.

    Attributes:
        blocked: Dotted names that were not permitted, in the order of their first use, with module and name of each.
        blocked_at: Offset of the piece with the first of them.
        dtypes: Those of numpy that this load made.
    """

    # Looked up for every opcode that asks, and faster so.
    __slots__ = (
        *("blocked", "blocked_at", "dtypes", "_names", "_makers", "_open", "_empties", "_kept", "_fresh", "_waiting"),
        *("_needy", "_to_check", "_do", "_entries"),
    )

    def __init__(self, feed: Feed, names: Names, *, encoding: str = "ASCII") -> None:
        super().__init__(feed, encoding)
        self.blocked: dict[str, tuple[str, str]] = {}
        self.blocked_at = 0
        self.dtypes = DTypes()
        self._names = names
        self._open = self.dtypes.open
        self._makers: dict[int, Maker] = {}
        """By the id of what may be called, which `_kept` keeps alive; none once a name was blocked."""
        self._entries: dict[int, Entry] = {}
        """By the id of what was imported, and stays alive too, what may be done with it."""
        self._empties: dict[int, tuple[Callable[[], Any], Builder | None, bool]] = {}
        """By the id of what may be made empty: what does it, what gives it a state, if it gets one, and if it waits."""
        self._kept: list[Any] = []
        self._fresh: dict[int, tuple[Any, Builder]] = {}
        """By id, what was made and may get a state."""
        self._waiting: set[int] = set()  # ids of those that are of no use before they have it
        self._needy: set[type] = set()  # classes that were imported, whose instances have to get one
        self._to_check: list[tuple[Check, Any]] = []
        containers = Containers(self._is_allowed)
        self._do: tuple[Callable[[Any, Any], Any], ...] = (
            self._build,
            self._newobj,
            containers.extend,
            containers.update,
            containers.append,
            containers.set,
            containers.add,
            self._newobj_ex,
            lambda parts, _: self._inst(parts[1:], parts[0]),
            self._inst,
        )

    def find_class(self, module: str, name: str) -> Any:
        """Return what the name stands for, or nothing to speak of once a name was blocked."""
        module, name = python3_name(module, name, self.feed.protocol)
        if not self.permits(module, name) or self.blocked:
            return super().find_class(module, name)
        entry = self._names.entry(module, name)
        if not self.feed.careful and not entry.free:
            if self.feed.plain:
                raise NeedsCareError
            self.feed.careful = True
        return self._import(module, name, entry)

    def _import(self, module: str, name: str, entry: Entry) -> Any:
        found = self._names.find(module, name)
        dotted = f"{module}.{name}"
        if id(found) in self._makers or id(found) in self._empties:
            return found
        self._kept.append(found)
        if entry is allowed.ENTRY:
            self._allow(found, dotted)
            return found
        self._entries[id(found)] = entry
        call = maker(self, dotted, entry, found)
        if call is not None:
            self._makers[id(found)] = call
        if entry.make == "empty" or entry.make.startswith("new or "):
            build = states.builder(self, entry.state, found) if entry.state else None
            self._empties[id(found)] = pandas.empty(found), build, states.is_awaited(entry.state)
        if states.is_needed(entry.state):
            self._needy.add(found)
        return found

    def _allow(self, cls: type, dotted: str) -> None:
        self._empties[id(cls)] = pandas.empty(cls), allowed.set_state, False
        self._makers[id(cls)] = allowed.maker(self, cls, dotted)

    def persistent_load(self, pid: Any) -> Any:
        """Do what an opcode asks for; see `aios3_nb.formats.pickle.feed` for how it comes here."""
        if self.feed.plain:
            return self._word(pid)
        if len(pid) == 2:
            function, args = pid
            call = self._makers.get(id(function))
            if call is None or type(args) is not tuple or self._open:
                return self._reduce(function, args)
            return function(*args) if call is function else call(args)
        if self.blocked:
            return super().persistent_load(pid)
        target, argument, what = pid
        return self._do[what](target, argument)

    def known(self) -> Known | None:
        """Return where in the memo is what some opcodes are harmless by; None when nothing is to be relied on."""
        if self.blocked:
            return None
        return known_places(self.memo.copy(), self.feed.protocol, self._entries, self.dtypes)

    def count_known(self) -> int:
        """Return how many things there are that `known` may know."""
        return len(self._entries) + len(self.dtypes.sizes) + len(self.dtypes.of_objects)

    def finish(self) -> None:
        """Look over what was built, now that the pickle can change it no more.

        Raises:
            FormatError: Something is not consistent.
        """
        if self._needy:
            for value, _ in self._fresh.values():
                if type(value) in self._needy:
                    raise not_done(f"makes one of {name_of(type(value))} and gives it no state")
        for check, target in self._to_check:
            check(target)

    def release(self) -> None:
        """Let go of all that was unpickled, and of the circles that this object stands in."""
        self.memo.clear()
        self.feed.proofs = None
        for held in (self._makers, self._empties, self._entries, self._kept, self._fresh, self._needy, self._to_check):
            held.clear()
        self.dtypes.release()
        self._do = ()

    def _word(self, pid: Any) -> Any:
        if pid != self.feed.word:
            # It passed unread; looked into, its place is found.
            raise NeedsCareError
        self.feed.heard()
        return None

    def permits(self, module: str, name: str) -> bool:
        """Return whether the pickle may have the name; from the first that it may not, only names are read."""
        if self._names.permits(module, name):
            return True
        if not self.blocked:
            self.blocked_at = self.feed.executing
        self.blocked[f"{module}.{name}"] = module, name
        self._makers.clear()
        self.feed.stop_after(REST_BYTES)
        return False

    # ---- what makers need of a load

    def fresh(self, value: Any, build: Builder | None, *, waits: bool = False) -> Any:
        """Note that `value` was made in this load, and may be given a state once by `build`, if any; return it.

        What `waits` is of no use before.
        """
        if build is None:
            return value
        self._fresh[id(value)] = value, build
        if waits:
            self._waiting.add(id(value))
        return value

    def check_finished(self, name: str, args: tuple[Any, ...]) -> None:
        """Refuse arguments that still wait for their state: they would change behind the back of what uses them."""
        if self._waiting and not self._waiting.isdisjoint(map(id, args)):
            raise refused(name, "something that is not finished")

    def check_later(self, check: Check, value: Any, *, lasting: bool = False, apart: bool = False) -> None:
        """Check `value` now, and again when the pickle has ended, if it can still change until then.

        What is `lasting` cannot once nothing waits for its state: arrays and columns wait from when they are made, get
        one state, and do not change otherwise; nor can what is `apart`. But who knows what a class of the user's does.
        """
        check(value)
        if self._names.allows or not (apart or (lasting and not self._waiting)):
            self._to_check.append((check, value))

    def check_at_end(self, check: Check, value: Any) -> None:
        """Check `value` when the pickle has ended; it is of no use to anything that a pickle may call before."""
        if self._names.allows:  # but to a class of the user's
            check(value)
        self._to_check.append((check, value))

    def empty(self, cls: Any, make: Callable[[], Any] | None = None) -> Any:
        """Return an empty instance of `cls`, by `make`, if the pickle imported it as a class that may be made empty."""
        made_empty = self._empties.get(id(cls))
        if made_empty is None:
            raise self._not_callable(cls)
        new, build, waits = made_empty
        value = new() if make is None else make()
        if build is not None and type(value) is cls:
            self._fresh[id(value)] = value, build
            if waits:
                self._waiting.add(id(value))
        return value

    def inner(self, owner: type, name: str) -> Any:
        """Return the class inside of `owner`, when it may be imported by its own name."""
        path = f"{owner.__qualname__}.{name}"
        if not self.permits(owner.__module__, path):
            raise BlockedPickleError(blocked_text([f"{owner.__module__}.{path}"]))
        found = self._import(owner.__module__, path, self._names.entry(owner.__module__, path))
        if isinstance(found, type) and found.__qualname__ == path:
            return found
        raise refused("builtins.getattr", repr(name))

    def callable(self, value: Any, maker: Maker) -> Any:
        """Note that the pickle may call `value` by `maker`, as if it had imported it; return it."""
        self._kept.append(value)
        self._makers[id(value)] = maker
        return value

    # ---- what opcodes ask for

    def _reduce(self, function: Any, args: Any) -> Any:
        if self.blocked:
            return super().persistent_load((function, args))
        call = self._makers.get(id(function))
        if call is None or type(args) is not tuple:
            raise self._not_callable(function)
        if self._open:
            self._check_beside_dtype(function)
        return function(*args) if call is function else call(args)

    def _build(self, target: Any, state: Any) -> Any:
        if self._open:
            if id(target) in self._open:
                self.dtypes.build(target, state)
                return target
            raise refused(name_of(type(target)), "a dtype that is not finished")
        held = self._fresh.pop(id(target), None)
        if self._waiting:
            self._waiting.discard(id(target))
        if held is None:
            raise not_done(f"sets the state of {name_of(target)} itself, or a second time")
        held[1](target, state)
        return target

    def _newobj(self, cls: Any, args: Any) -> Any:
        if type(args) is not tuple or args:
            return self._newobj_ex(cls, (args, {}))
        if self._open:
            raise refused(name_of(cls), "a dtype that is not finished")
        return self.empty(cls)

    def _newobj_ex(self, cls: Any, arguments: Any) -> Any:
        args, keywords = arguments
        # Only a class that the user allowed takes arguments here.
        if not self._is_allowed(cls) or type(args) is not tuple or type(keywords) is not dict:
            raise self._not_callable(cls)
        return self.empty(cls, lambda: cls.__new__(cls, *args, **keywords))

    def _inst(self, args: tuple[Any, ...], cls: Any) -> Any:
        return self._reduce(cls, args) if args or id(cls) not in self._empties else self._newobj(cls, args)

    def _is_allowed(self, cls: Any) -> bool:
        """Return whether the user allowed `cls`."""
        return self._empties.get(id(cls), _NEVER)[1] is allowed.set_state

    def _check_beside_dtype(self, function: Any) -> None:
        """Refuse to call what could use a dtype that waits for its state; its state is made of few things."""
        if (getattr(function, "__module__", ""), getattr(function, "__name__", "")) not in _BESIDE_DTYPE:
            raise refused(name_of(function), "a dtype that is not finished")

    @staticmethod
    def _not_callable(function: Any) -> Exception:
        named = isinstance(function, NAMED)
        return not_done(f"calls {'' if named else 'an instance of '}{name_of(function)}")


_NEVER = (None, None, False)
_BESIDE_DTYPE = frozenset((("numpy", "dtype"), ("_codecs", "encode"), ("builtins", "bytes")))
