"""A walk through a pickle's opcodes that keeps the unpickler's stack and memo, of what is known and not built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aios3_nb.formats.pickle import (
    COUNTED,
    EXTENSION,
    FIXED,
    LINES,
    NEWEST_PROTOCOL,
    OUT_OF_BAND,
    PERSISTENT,
    STOP,
    TEXT,
    python3_name,
)
from aios3_nb.pipeline.peek.ranges import Ranges

_LONGEST_NAME = 300
_LONG = 12
_MOST_KEYS = 300
_MOST_NOTED = 2000
"""Kinds of calls and states that are noted, each of so many keys at most."""


class RefusedError(Exception):
    """The pickle needs the application that wrote it."""


class Thing(NamedTuple):
    """What is known of something on the unpickler's stack."""

    kind: str
    depth: int = 0
    items: int = 0
    text: str = ""
    named: tuple[str, str] | None = None
    parts: tuple[Any, ...] | None = None
    """Of a short tuple."""
    keys: tuple[str, ...] = ()
    """Of a dict, those that are short texts."""
    maker: tuple[str, str] | None = None
    """The name by which it was made."""


NOTHING = Thing("")
_MARK = Thing("mark")
_UNKNOWN = Thing("object")

_CONSTANTS = {
    b"N": Thing("None"),
    b"\x88": Thing("bool"),
    b"\x89": Thing("bool"),
    b"]": Thing("list", 1),
    b"}": Thing("dict", 1),
    b")": Thing("tuple", 1, parts=()),
    b"\x8f": Thing("set", 1),
    b"(": _MARK,
} | (
    dict.fromkeys((b"I", b"L", b"K", b"M", b"J", b"\x8a", b"\x8b"), Thing("int"))
    | dict.fromkeys((b"F", b"G"), Thing("float"))
    | dict.fromkeys((b"C", b"B", b"\x8e"), Thing("bytes"))
    | {b"\x96": Thing("bytearray")}
)
_CONTAINERS = ("list", "dict", "tuple", "set", "frozenset")
_FROM_MARK = {b"t": "tuple", b"l": "list", b"d": "dict", b"\x91": "frozenset"}
_SHORT_TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}
_INTO = {b"a": 1, b"s": 2}
_INTO_FROM_MARK = {b"e": 1, b"u": 2, b"\x90": 1}
_STRINGS_OF_PYTHON_2 = (b"S", b"T", b"U")
_GETS = (b"h", b"j", b"g")
_PUTS = (b"q", b"r", b"p", b"\x94")
_MAKES_ITS_FIRST = frozenset(("_reconstruct", "_reconstructor", "__newobj__", "newObj", "_new_Index", "_mareconstruct"))
_MAKES = {"_frombuffer": "numpy.ndarray", "_unpickle_timestamp": "pandas.Timestamp", "_restore_array": "pyarrow.Array"}


@dataclass(slots=True)
class Walk:
    """The unpickler's stack and memo, of what is known instead of what is built."""

    ranges: Ranges
    protocol: int = 0
    opcodes: int = 0
    payload: int = 0
    depth: int = 0
    start: int = 0
    has_8_bit: bool = False
    calls_others: bool = False
    calls: dict[tuple[Any, ...], None] = field(default_factory=dict)
    """Each kind of call: whether it makes an instance without a call, the name, kinds and texts of the arguments."""
    states: dict[tuple[Any, ...], None] = field(default_factory=dict)
    """Each kind of state: the name that made what gets it, and its attributes."""
    stack: list[Thing] = field(default_factory=list)
    memo: dict[int, Thing] = field(default_factory=dict)
    made: dict[tuple[str, str], int] = field(default_factory=dict)

    def run(self, max_opcodes: int) -> bool:
        """Walk to the STOP, and return whether it was reached."""
        while self.opcodes < max_opcodes:
            self.opcodes += 1
            self.start = self.ranges.position
            code = self.ranges.take(1)
            if code == STOP:
                return True
            self._apply(code, self._argument(code))
        return False

    def _argument(self, code: bytes) -> bytes:
        """Return the argument of `code`; of a string only what could be a name."""
        if code in FIXED:
            return self.ranges.take(FIXED[code]) if FIXED[code] else b""
        if code in COUNTED:
            size = int.from_bytes(self.ranges.take(COUNTED[code]), "little")
            self.payload += size
            if code in TEXT and size <= _LONGEST_NAME:
                return self.ranges.take(size)
            # Whether a long one is ASCII is not looked at.
            self.has_8_bit |= code in _STRINGS_OF_PYTHON_2
            self.ranges.step(size)
            return b""
        return b"\n".join(self.ranges.take_line() for _ in range(LINES[code]))

    def _apply(self, code: bytes, argument: bytes) -> None:
        if code in _CONSTANTS:
            self._push(_CONSTANTS[code])
        elif code in TEXT:
            if code in _STRINGS_OF_PYTHON_2:
                self.has_8_bit |= not argument.isascii() or b"\\x" in argument
            self._push(Thing("str", text=argument.decode("utf-8", "replace").strip("'\"" if code == b"S" else "")))
        elif code in _GETS:
            self._push(self.memo[_index(code, argument)])
        elif code in _PUTS:
            self.memo[len(self.memo) if code == b"\x94" else _index(code, argument)] = self.stack[-1]
        elif code in _INTO or code in _INTO_FROM_MARK:
            self._put_into(code)
        elif code in _FROM_MARK:
            self._push(_container(_FROM_MARK[code], self._to_mark()))
        elif code in _SHORT_TUPLES:
            self._push(_container("tuple", self._popped(_SHORT_TUPLES[code])))
        else:
            _OTHERS.get(code, Walk.refuse)(self, code, argument)

    def _push(self, thing: Thing) -> None:
        self.stack.append(thing)
        self.depth = max(self.depth, thing.depth)

    def _to_mark(self) -> list[Thing]:
        things = []
        while (thing := self.stack.pop()) is not _MARK:
            things.append(thing)
        things.reverse()
        return things

    def _popped(self, count: int) -> list[Thing]:
        things = [self.stack.pop() for _ in range(count)]
        things.reverse()
        return things

    def _put_into(self, code: bytes) -> None:
        """Note that the container on top got more items; what is known of it in the memo stays behind."""
        things = self._to_mark() if code in _INTO_FROM_MARK else self._popped(_INTO[code])
        count = len(things) // (_INTO_FROM_MARK | _INTO)[code]
        owner = self.stack.pop()
        depth = max([owner.depth, *(thing.depth + 1 for thing in things)])
        keys = owner.keys
        if owner.kind == "dict" and len(keys) < _MOST_KEYS:
            keys = (*keys, *(thing.text for thing in things[::2] if thing.kind == "str" and thing.text))
        self._push(owner._replace(depth=depth, items=owner.items + count, keys=keys))

    def note_protocol(self, _: bytes, argument: bytes) -> None:
        self.protocol = argument[0]
        if self.protocol > NEWEST_PROTOCOL:
            raise RefusedError(f"pickle protocol {self.protocol} is not known; the newest is {NEWEST_PROTOCOL}")

    def global_by_lines(self, code: bytes, argument: bytes) -> None:
        module, _, name = argument.decode("utf-8", "replace").partition("\n")
        self._name(module, name)
        if code == b"i":
            called, args = self.stack.pop(), self._to_mark()
            self._make(called, args, args, as_new=not args)

    def global_from_stack(self, _: bytes, __: bytes) -> None:
        name, module = self.stack.pop().text, self.stack.pop().text
        self._name(module or "?", name or "?")

    def _name(self, module: str, name: str) -> None:
        named = python3_name(module, name, self.protocol)
        self.made.setdefault(named, 0)
        self._push(Thing("type", named=named))

    def call(self, code: bytes, _: bytes) -> None:
        if code == b"\x92":
            self.stack.pop()
        args, called = self.stack.pop(), self.stack.pop()
        self._make(called, [args], args.parts, as_new=code != b"R")

    def call_from_mark(self, _: bytes, __: bytes) -> None:
        called, *args = self._to_mark()
        self._make(called, args, args, as_new=not args)

    def _make(self, called: Thing, args: list[Thing], parts: Sequence[Thing] | None, *, as_new: bool) -> None:
        depth = 1 + max((arg.depth for arg in args), default=0)
        if called.named is None:
            # What getattr returned is looked at by its own call: a zone, or a class inside of a class.
            self.calls_others |= called.kind != "builtins.getattr"
            self._push(Thing("object", depth))
            return
        self.made[called.named] = self.made.get(called.named, 0) + 1
        if parts is not None:
            kinds = tuple(part.kind for part in parts)
            texts = tuple(part.text if part.kind == "str" and len(part.text) < _LONG else "" for part in parts)
            self._note(self.calls, (as_new, called.named, kinds, texts))
        last = called.named[1].rpartition(".")[2]
        kind = _MAKES.get(last, ".".join(called.named))
        if last in _MAKES_ITS_FIRST and args and args[0].text:
            kind = args[0].text
        self._push(Thing(kind, depth, maker=called.named))

    def _note(self, where: dict[tuple[Any, ...], None], what: tuple[Any, ...]) -> None:
        if len(where) < _MOST_NOTED:
            where[what] = None

    def build(self, _: bytes, __: bytes) -> None:
        state, target = self.stack.pop(), self.stack.pop()
        if target.maker is not None or target.kind in _CONTAINERS or target.named is not None:
            self._note(self.states, (target.maker, target.kind, state.keys))
        self._push(target._replace(depth=max(target.depth, state.depth + 1)))

    def pop(self, _: bytes, __: bytes) -> None:
        self.stack.pop()

    def pop_mark(self, _: bytes, __: bytes) -> None:
        self._to_mark()

    def duplicate(self, _: bytes, __: bytes) -> None:
        self._push(self.stack[-1])

    def skip(self, _: bytes, __: bytes) -> None:
        """A frame says what to read together; there is nothing to do."""

    def refuse(self, code: bytes, _: bytes) -> None:
        if code in PERSISTENT or code in EXTENSION or code in OUT_OF_BAND:
            raise RefusedError(
                f"only the application that wrote it can load it: it refers to its objects (byte {self.start:,})"
            )
        raise ValueError(code)


def _index(code: bytes, argument: bytes) -> int:
    return int(argument) if code in (b"g", b"p") else int.from_bytes(argument, "little")


def _container(kind: str, things: list[Thing]) -> Thing:
    """Return a container; as `text` it keeps the name it begins with, which may be that of what is made of it."""
    named = things[0].named if things else None
    items = len(things) // 2 if kind == "dict" else len(things)
    depth = 1 + max((thing.depth for thing in things), default=0)
    keys = tuple(thing.text for thing in things[::2] if thing.kind == "str" and thing.text) if kind == "dict" else ()
    parts = tuple(things) if kind == "tuple" and len(things) < _LONG else None
    return Thing(kind, depth, items, ".".join(named) if named else "", parts=parts, keys=keys[:_MOST_KEYS])


_OTHERS: dict[bytes, Callable[[Walk, bytes, bytes], None]] = {
    b"\x80": Walk.note_protocol,
    b"c": Walk.global_by_lines,
    b"i": Walk.global_by_lines,
    b"\x93": Walk.global_from_stack,
    b"R": Walk.call,
    b"\x81": Walk.call,
    b"\x92": Walk.call,
    b"o": Walk.call_from_mark,
    b"b": Walk.build,
    b"0": Walk.pop,
    b"1": Walk.pop_mark,
    b"2": Walk.duplicate,
    b"\x95": Walk.skip,
}
