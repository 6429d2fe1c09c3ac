"""Pickles as trees that can be changed, and written again by any opcodes.

A pickle that Python wrote is read without running it (`read`); each `Node` of the tree can be put elsewhere, twice, or
into itself, and `Writer` makes bytes of what comes out, whether or not Python would ever write that.
"""

from __future__ import annotations

import itertools
import pickle
import pickletools
import random
import struct
from collections.abc import Iterator
from typing import Any

REDUCE, NEWOBJ, NEWOBJ_EX, OBJ, INST = b"R", b"\x81", b"\x92", b"o", b"i"
BUILD, APPENDS, SETITEMS, ADDITEMS = b"b", b"e", b"u", b"\x90"
CALLS = (REDUCE, NEWOBJ, NEWOBJ_EX, OBJ, INST)


class Node:
    """A part of a pickle.

    Attributes:
        kind: ``atom``, ``name``, ``tuple``, ``list``, ``dict``, ``set``, ``frozenset`` or ``call``; ``late`` is its one
            part, which is there already, with more done to it.
        what: The atom's value, the name's module and qualified name, or the opcode of the call.
        parts: Items (of a dict key after value), or the function and the arguments of a call.
        then: What is done with it afterwards: opcodes, each with its arguments.
    """

    __slots__ = ("kind", "parts", "then", "what")

    def __init__(self, kind: str, what: Any = None, parts: list[Node] | None = None) -> None:
        self.kind = kind
        self.what = what
        self.parts = parts or []
        self.then: list[tuple[bytes, list[Node]]] = []

    @property
    def dotted(self) -> tuple[str, str]:
        """The name that a call calls; nothing for other nodes."""
        if self.kind == "call" and self.parts and self.parts[0].kind == "name":
            return self.parts[0].what
        return "", ""

    def inner(self) -> list[list[Node]]:
        """Return the lists of nodes that this one holds; they are its own, and can be changed."""
        return [self.parts, *(parts for _, parts in self.then)]


def atom(value: Any) -> Node:
    return Node("atom", value)


def name(module: str, qualname: str) -> Node:
    return Node("name", (module, qualname))


def tuple_of(*parts: Node) -> Node:
    return Node("tuple", parts=list(parts))


def call(function: Node, *args: Node, by: bytes = REDUCE) -> Node:
    return Node("call", by, [function, tuple_of(*args)])


def dict_of(items: dict[Any, Node]) -> Node:
    return Node("dict", parts=[part for key, value in items.items() for part in (atom(key), value)])


def built(target: Node, state: Node) -> Node:
    target.then.append((BUILD, [state]))
    return target


def walk(root: Node) -> Iterator[Node]:
    """Yield every node once."""
    seen = {id(root)}
    ways = [root]
    while ways:
        node = ways.pop()
        yield node
        # Half of the time that programs take to be written: no lists are made here.
        held = itertools.chain(node.parts, *(parts for _, parts in node.then)) if node.then else node.parts
        for part in held:
            if id(part) not in seen:
                seen.add(id(part))
                ways.append(part)


def copied(root: Node) -> Node:
    """Return a tree of new nodes that are shared as those of `root` are."""
    nodes = list(walk(root))
    new = {id(node): Node(node.kind, node.what) for node in nodes}
    for node in nodes:
        twin = new[id(node)]
        twin.parts = [new[id(part)] for part in node.parts]
        twin.then = [(opcode, [new[id(part)] for part in parts]) for opcode, parts in node.then]
    return new[id(root)]


# ---- reading

_MARK: Any = object()
_EMPTY = {"EMPTY_LIST": "list", "EMPTY_DICT": "dict", "EMPTY_SET": "set", "EMPTY_TUPLE": "tuple"}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_AT_MARK = {"TUPLE": "tuple", "LIST": "list", "DICT": "dict", "FROZENSET": "frozenset"}
_ITEMS_AT_MARK = {"APPENDS": APPENDS, "SETITEMS": SETITEMS, "ADDITEMS": ADDITEMS}


class _Reader:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Node] = {}

    def pops(self, count: int) -> list[Node]:
        found = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return found

    def pop_to_mark(self) -> list[Node]:
        at = max(place for place, held in enumerate(self.stack) if held is _MARK)
        found = self.stack[at + 1 :]
        del self.stack[at:]
        return found

    def do(self, opcode: str, argument: Any) -> None:
        stack = self.stack
        if opcode == "MARK":
            stack.append(_MARK)
        elif opcode in _EMPTY:
            stack.append(Node(_EMPTY[opcode]))
        elif opcode in _AT_MARK:
            stack.append(Node(_AT_MARK[opcode], parts=self.pop_to_mark()))
        elif opcode in _SHORT_TUPLES:
            stack.append(Node("tuple", parts=self.pops(_SHORT_TUPLES[opcode])))
        elif opcode in _ITEMS_AT_MARK:
            self._items(_ITEMS_AT_MARK[opcode], self.pop_to_mark())
        elif not self._memo(opcode, argument) and not self._call(opcode, argument):
            stack.append(atom(_CONSTANTS.get(opcode, argument)))

    def _items(self, opcode: bytes, items: list[Node]) -> None:
        target = self.stack[-1]
        # Into a container of its own kind they are parts, as long as it got nothing else.
        if target.kind in ("list", "dict", "set") and not target.then:
            target.parts += items
        else:
            target.then.append((opcode, items))

    def _memo(self, opcode: str, argument: Any) -> bool:
        if opcode == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif opcode.endswith("PUT"):
            self.memo[int(argument)] = self.stack[-1]
        elif opcode.endswith("GET"):
            self.stack.append(self.memo[int(argument)])
        elif opcode == "POP":
            self.stack.pop()
        else:
            return opcode in ("PROTO", "FRAME", "STOP")
        return True

    def _call(self, opcode: str, argument: Any) -> bool:
        if opcode == "STACK_GLOBAL":
            module, qualname = self.pops(2)
            self.stack.append(name(module.what, qualname.what))
        elif opcode == "GLOBAL":
            self.stack.append(name(*argument.split(" ", 1)))
        elif opcode in ("REDUCE", "NEWOBJ", "NEWOBJ_EX"):
            parts = self.pops(3 if opcode == "NEWOBJ_EX" else 2)
            self.stack.append(Node("call", {"REDUCE": REDUCE, "NEWOBJ": NEWOBJ}.get(opcode, NEWOBJ_EX), parts))
        elif opcode == "BUILD":
            self._items(BUILD, self.pops(1))
        elif opcode == "APPEND":
            self._items(APPENDS, self.pops(1))
        elif opcode == "SETITEM":
            self._items(SETITEMS, self.pops(2))
        else:
            return False
        return True


def read(data: bytes) -> Node:
    """Return the tree of a pickle that Python wrote; nothing of it is run."""
    reader = _Reader()
    for opcode, argument, _ in pickletools.genops(data):
        reader.do(opcode.name, argument)
    return reader.stack[-1]


# ---- writing


class Writer:
    """Makes the bytes of a tree, by opcodes that are chosen at random where there is a choice.

    Args:
        rng: Chooses.
        framed: Whether frames are put around it, which then pass unread where they may.
    """

    def __init__(self, rng: random.Random, *, framed: bool = False) -> None:
        self._rng = rng
        self._framed = framed
        self._out: list[bytes] = []
        self._memo: dict[int, int] = {}
        self._open: set[int] = set()

    def write(self, root: Node, later: tuple[Node, ...] = ()) -> bytes:
        """Return a pickle of `root`; each of `later` is made, and dropped, when `root` is whole."""
        self._node(root)
        for node in later:
            self._node(node)
            self._out.append(b"0")
        body = b"".join(self._out) + b"."
        if not self._framed:
            return b"\x80\x04" + body
        return b"\x80\x04\x95" + struct.pack("<Q", len(body)) + body

    def _node(self, node: Node) -> None:
        index = self._memo.get(id(node))
        if index is not None:
            self._out.append(b"j" + struct.pack("<I", index))
        elif id(node) in self._open:
            self._out.append(b"N")  # into itself before it is there
        else:
            self._open.add(id(node))
            self._make(node)
            if node.kind not in ("atom", "late"):
                self._out.append(b"\x94")
                self._memo[id(node)] = len(self._memo)
            self._fill(node)
            for opcode, parts in node.then:
                self._do(opcode, parts)
            self._open.discard(id(node))

    def _make(self, node: Node) -> None:
        if node.kind == "atom":
            self._out.append(_atom(node.what))
        elif node.kind == "late":
            self._node(node.parts[0])
        elif node.kind == "name":
            self._name(*node.what)
        elif node.kind == "call":
            self._call(node)
        elif node.kind in ("tuple", "frozenset"):
            self._marked(node.parts, b"t" if node.kind == "tuple" else b"\x91")
        else:
            self._out.append({"list": b"]", "dict": b"}", "set": b"\x8f"}[node.kind])

    def _fill(self, node: Node) -> None:
        fill = {"list": APPENDS, "dict": SETITEMS, "set": ADDITEMS}.get(node.kind)
        if fill is not None and node.parts:
            self._marked(node.parts, fill)

    def _do(self, opcode: bytes, parts: list[Node]) -> None:
        if opcode != BUILD:
            self._marked(parts, opcode)
            return
        for part in parts:
            self._node(part)
        self._out.append(BUILD)

    def _marked(self, parts: list[Node], opcode: bytes) -> None:
        self._out.append(b"(")
        for part in parts:
            self._node(part)
        self._out.append(opcode)

    def _name(self, module: str, qualname: str) -> None:
        if self._rng.random() < 0.2 and "\n" not in module + qualname:
            self._out.append(f"c{module}\n{qualname}\n".encode())
        else:
            self._out.append(_atom(module) + _atom(qualname) + b"\x93")

    def _call(self, node: Node) -> None:
        function, *args = node.parts or [atom(None)]
        opcode = node.what
        flat = args[0].parts if args and args[0].kind == "tuple" else args
        if opcode == INST and function.kind == "name":
            self._out.append(b"(")
            for part in flat:
                self._node(part)
            self._out.append("i{}\n{}\n".format(*function.what).encode())
        elif opcode in (OBJ, INST):
            self._marked([function, *flat], OBJ)
        else:
            wanted = 3 if opcode == NEWOBJ_EX else 2
            for part in [function, *args, Node("dict")][:wanted]:
                self._node(part)
            self._out.append(opcode)


def _atom(value: Any) -> bytes:
    """Return the opcodes of one atom, without those that remember it."""
    if type(value) is str:
        data = value.encode("utf-8", "surrogatepass")
        if len(data) < 256:
            return b"\x8c" + bytes([len(data)]) + data
        return b"X" + struct.pack("<I", len(data)) + data
    if type(value) is bytes:
        return b"C" + bytes([len(value)]) + value if len(value) < 256 else b"B" + struct.pack("<I", len(value)) + value
    if type(value) is bytearray:
        return b"\x96" + struct.pack("<Q", len(value)) + value
    return pickle.dumps(value, 2)[2:-1]
