"""Hostile pickles by a seed: program number so-and-so of a seed is always the same, with the same libraries.

Only the address that some of them point at is another one in each process.

What they attack with: every name, called by every opcode that calls, with what answers when it is asked; states with
every attribute of a type; calls of what a call returned; parts that are changed after they were checked; and ordinary
pickles of which something was changed, down to single bytes.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Collection
from typing import Any

from aios3_nb.formats.pickle.names import safe_names
from tests.formats.pickle.attacks.corpus import Corpus
from tests.formats.pickle.attacks.gadgets import ASKED, Gadgets
from tests.formats.pickle.attacks.nodes import (
    ADDITEMS,
    APPENDS,
    BUILD,
    CALLS,
    NEWOBJ,
    REDUCE,
    SETITEMS,
    Node,
    Writer,
    atom,
    built,
    copied,
    dict_of,
    name,
    tuple_of,
    walk,
)

UNLISTED = (
    ("os", "system"),
    ("builtins", "eval"),
    ("builtins", "type"),
    ("numpy", "fromfile"),
    ("numpy", "memmap"),
    ("numpy", "frombuffer"),
    ("pandas", "read_pickle"),
    ("operator", "methodcaller"),
    ("functools", "partial"),
    ("collections", "abc.sys"),
    ("zoneinfo", "ZoneInfo.from_file"),
    ("zoneinfo", "ZoneInfo._unpickle"),
    ("types", "SimpleNamespace.__init__"),
    ("sklearn.utils._bunch", "Bunch.__getattr__"),
)


class Programs:
    """Writes the programs of a seed.

    Args:
        seed: Of all of them.
        corpus: What they are made of.
        address: Of bytes that no pickle has any business with.
        size: How many.
        only: The names that are attacked, as ``(module, name)``; all when there are none.
    """

    def __init__(
        self, seed: int, corpus: Corpus, address: int, size: int, only: Collection[tuple[str, str]] = ()
    ) -> None:
        self._seed = seed
        self._corpus = corpus
        self._names = sorted(only or corpus.names)
        self._callees = sorted(set(only) & corpus.calls.keys() or corpus.calls)
        self._kinds: list[Callable[[], bytes]] = [
            self._a_call,
            self._a_call,
            self._a_state,
            self._a_change,
            self._a_change,
            self._a_change,
            self._a_change,
            self._a_late_change,
            self._some_bytes,
        ]
        self._rng = random.Random()
        self._gadgets = Gadgets(self._rng, address, size)

    def program(self, number: int) -> bytes:
        """Return the pickle of that number."""
        self._rng.seed(f"{self._seed}/{number}")
        return self._rng.choice(self._kinds)()

    # ---- kinds

    def _a_call(self) -> bytes:
        """Call any name, by any opcode, with arguments that fit or with others; perhaps call what that returns."""
        rng = self._rng
        dotted = rng.choice(UNLISTED) if rng.random() < 0.03 else rng.choice(self._names)
        made = Node("call", rng.choice((REDUCE, *CALLS)), [name(*dotted), self._arguments(dotted)])
        if rng.random() < 0.2:
            made = Node("call", rng.choice(CALLS), [made, self._arguments(dotted)])
        if rng.random() < 0.3:
            self._do_something_to(made)
        return self._written(self._kept(made))

    def _a_state(self) -> bytes:
        """Give an instance, or what stands for itself, a state with attributes of its type."""
        rng = self._rng
        dotted = rng.choice(self._names)
        target = self._instance(dotted) if rng.random() < 0.8 else name(*dotted)
        attributes = [*dir(self._corpus.objects.get(dotted)), *ASKED]
        keys = rng.sample(attributes, rng.choice((1, 1, 1, 3)))
        state = dict_of({key: self._value() for key in keys})
        if rng.random() < 0.3:
            state = tuple_of(rng.choice((atom(None), Node("dict"), self._value())), state)
        return self._written(self._kept(built(target, state)))

    def _a_change(self) -> bytes:
        """Take an ordinary call, and change parts of it."""
        root = self._sample()
        for _ in range(self._rng.choice((1, 1, 1, 2, 3))):
            self._change(root)
        return self._written(self._kept(root))

    def _a_late_change(self) -> bytes:
        """Change a part when the whole is there and was checked."""
        rng = self._rng
        root = self._sample()
        parts = [node for node in walk(root) if node.kind not in ("atom", "name")]
        part = rng.choice(parts)
        again = Node("tuple", parts=[part])
        self._do_something_to(part)
        done = part.then.pop()
        # Written anew it comes from the memo; what is done with it now stands behind the rest.
        late = Node("late", parts=[part])
        late.then = [done]
        return self._written(root, late, again)

    def _some_bytes(self) -> bytes:
        """Change bytes of an ordinary pickle, wherever they are."""
        rng = self._rng
        data = bytearray(rng.choice(self._corpus.pickles))
        for _ in range(rng.choice((1, 2, 4))):
            at = rng.randrange(2, len(data))
            if rng.random() < 0.5:
                data[at] = rng.randrange(256)
            elif rng.random() < 0.5:
                del data[at : at + rng.randrange(1, 9)]
            else:
                data[at:at] = data[(start := rng.randrange(len(data))) : start + rng.randrange(1, 40)]
        return bytes(data)

    # ---- parts

    def _written(self, root: Node, *later: Node) -> bytes:
        return Writer(self._rng, framed=self._rng.random() < 0.3).write(root, later)

    def _kept(self, node: Node) -> Node:
        """Return `node`, or what has it for a key or for an item that is hashed and compared."""
        rng = self._rng
        if rng.random() < 0.85:
            return node
        other = self._value()
        return rng.choice(
            (
                Node("dict", parts=[node, other]),
                Node("set", parts=[node, other, node]),
                Node("list", parts=[node, other]),
                Node("frozenset", parts=[tuple_of(node), node]),
            )
        )

    def _sample(self) -> Node:
        return copied(self._rng.choice(self._corpus.calls[self._rng.choice(self._callees)]))

    def _value(self) -> Node:
        if self._rng.random() < 0.6:
            return self._gadgets.any()
        return self._sample()

    def _instance(self, dotted: tuple[str, str]) -> Node:
        samples = self._corpus.calls.get(dotted)
        if samples and self._rng.random() < 0.7:
            return copied(self._rng.choice(samples))
        return Node("call", self._rng.choice((NEWOBJ, REDUCE)), [name(*dotted), Node("tuple")])

    def _arguments(self, dotted: tuple[str, str]) -> Node:
        """Return arguments for a call: those of an ordinary one, those of its signature, or any."""
        rng = self._rng
        chance = rng.random()
        if chance < 0.3 and dotted in self._corpus.calls:
            parts = list(copied(rng.choice(self._corpus.calls[dotted])).parts[1].parts)
            if parts and rng.random() < 0.7:
                parts[rng.randrange(len(parts))] = self._value()
            return tuple_of(*parts)
        entry = safe_names().get(dotted)
        if chance < 0.8 and entry is not None and entry.make:
            words = entry.make.removeprefix("new or ").split()
            return tuple_of(*(self._fitting(word) for word in words))
        return tuple_of(*(self._value() for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4, 5)))))

    def _fitting(self, word: str) -> Node:
        rng = self._rng
        kind = rng.choice(word.rstrip("?.").split("|"))
        if kind in ("int", "str", "bytes", "float", "bool") and rng.random() < 0.6:
            return self._gadgets.plain()
        if rng.random() < 0.15:
            return self._value()
        found = self._corpus.of_kind(kind, rng)
        return self._value() if found is None else copied(found)

    # ---- changes

    def _change(self, root: Node) -> None:
        rng = self._rng
        nodes = list(walk(root))
        node = rng.choice(nodes)
        chance = rng.random()
        if chance < 0.35:
            self._change_atom(rng.choice([each for each in nodes if each.kind == "atom"] or nodes))
        elif chance < 0.6:
            self._put_into(node, self._value())
        elif chance < 0.7:
            self._put_into(node, rng.choice(nodes))
        elif chance < 0.8:
            self._rearrange(node)
        elif chance < 0.9:
            self._do_something_to(node)
        elif node.kind == "call":
            node.what = rng.choice(CALLS)

    def _change_atom(self, node: Node) -> None:
        value = node.what
        if type(value) in (bytes, bytearray) and value and self._rng.random() < 0.8:
            node.what = self._poked(value)
        elif type(value) is int and self._rng.random() < 0.5:
            node.what = value + self._rng.choice((-1, 1, 1000, -1000, 2**31))
        elif node.kind == "atom":
            node.what = self._gadgets.plain().what

    def _poked(self, value: bytes) -> bytes:
        """Return the content of an array of which one number, or the length, is another."""
        rng = self._rng
        size = rng.choice((1, 2, 4, 8))
        if rng.random() < 0.2 or len(value) < size:
            return type(value)(rng.choice((value[:-1], value + b"\xff", value * 2, value[: len(value) // 2])))
        at = rng.randrange(len(value) // size) * size
        number = rng.choice((-1, 1, 10**6, 2 ** (8 * size - 1) - 1, -(2 ** (8 * size - 1)), rng.randrange(256)))
        poke = struct.pack("<q", number if abs(number) < 2**63 else -1)[:size]
        return type(value)(value[:at] + poke + value[at + size :])

    def _put_into(self, node: Node, value: Node) -> None:
        places = [parts for parts in node.inner() if parts]
        if places:
            parts = self._rng.choice(places)
            parts[self._rng.randrange(len(parts))] = value

    def _rearrange(self, node: Node) -> None:
        """Drop, repeat or swap parts; do again what was done, or not at all."""
        rng = self._rng
        if node.then and rng.random() < 0.5:
            node.then = rng.choice((node.then[:-1], node.then * 2, node.then[::-1]))
            return
        parts = rng.choice(node.inner())
        if parts:
            at, other = rng.randrange(len(parts)), rng.randrange(len(parts))
            if rng.random() < 0.4:
                del parts[at]
            elif rng.random() < 0.5:
                parts.insert(other, parts[at])
            else:
                parts[at], parts[other] = parts[other], parts[at]

    def _do_something_to(self, node: Node) -> None:
        rng = self._rng
        opcode = rng.choice((BUILD, BUILD, APPENDS, SETITEMS, ADDITEMS))
        parts: list[Node] = [self._value() for _ in range(rng.choice((1, 2)))]
        if opcode == SETITEMS:
            key = atom(rng.choice(ASKED)) if rng.random() < 0.5 else self._value()
            parts = [key, self._value()]
        if opcode == BUILD:
            parts = [self._any_state()]
        node.then.append((opcode, parts))

    def _any_state(self) -> Node:
        rng = self._rng
        samples: list[Any] = self._corpus.calls[rng.choice(self._callees)]
        states = [parts[0] for node in samples for opcode, parts in node.then if opcode == BUILD]
        if states and rng.random() < 0.5:
            return copied(rng.choice(states))
        return dict_of({rng.choice(ASKED): self._value()}) if rng.random() < 0.7 else self._value()
