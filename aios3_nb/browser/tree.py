r"""The beginning of a JSON text -> a tree to be opened step by step. It need be neither complete nor small.

A node is a list: its key, its kind, its text, and the nodes in it. Numbers are the text that they are, of any
length; strings are shown with their escapes undone (``"\u00fc"`` is ``"ü"``), and with what has no look of its own
made visible.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aios3_nb.text import counted, visible

_MOST_NODES = 4_000
_MOST_INSIDE = 500
"""Nodes shown in one array or object; more would not be looked through."""

_DEEPEST = 60
_LONGEST = 1_000

Node = list[Any]

_TOKEN = re.compile(
    r'[ \t\r\n]*(?:(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")|(?P<mark>[\[\]{},:])|(?P<word>-?[\w.+-]+))', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree, and whether there is more of the document than it shows."""

    node: Node
    cut: bool


@dataclass(slots=True)
class _Open:
    """A container that is being read."""

    node: Node
    is_object: bool
    key: str = ""
    left_out: int = 0
    wants: str = field(default="first")


def tree(text: str) -> Tree | None:
    """Return the tree of `text`; None if it does not begin as an array or object, or is broken."""
    reader = _Reader()
    at = 0
    while not reader.done:
        match = _TOKEN.match(text, at)
        if match is None:
            break
        if not reader.take(match):
            return None
        at = match.end()
        if reader.nodes > _MOST_NODES:
            break
    if reader.root is None:
        return None
    rest = text[at:].strip(" \t\r\n")
    if reader.done and rest:
        return None  # something follows: this is no JSON document
    if not reader.done and reader.nodes <= _MOST_NODES and len(rest) > 4096 and not rest.startswith('"'):
        return None  # broken, and not only cut off
    reader.close_all()
    return Tree(reader.root, cut=not reader.done or reader.cut)


class _Reader:
    def __init__(self) -> None:
        self.root: Node | None = None
        self.nodes = 0
        self.done = False
        self.cut = False
        self._open: list[_Open] = []

    def take(self, match: re.Match[str]) -> bool:
        """Take one token; return whether it can stand here."""
        if match["mark"]:
            return self._take_mark(match["mark"])
        if not self._open:
            return False
        return self._take_plain(match["string"], match["word"])

    def close_all(self) -> None:
        for each in self._open:
            self._finish(each)

    def _take_mark(self, mark: str) -> bool:
        if mark in "[{":
            return self._enter(mark == "{")
        if not self._open:
            return False
        top = self._open[-1]
        if mark in "]}":
            if (mark == "}") != top.is_object or top.wants not in ("first", "next"):
                return False
            self._finish(self._open.pop())
            self.done = not self._open
            return True
        expected = "next" if mark == "," else "colon"
        if top.wants != expected:
            return False
        top.wants = ("key" if top.is_object else "value") if mark == "," else "value"
        return True

    def _enter(self, is_object: bool) -> bool:
        if self._open and not self._may_have_value():
            return False
        if len(self._open) >= _DEEPEST:
            return False
        node: Node = ["", "object" if is_object else "array", "", []]
        if self._open:
            self._put(node)
        else:
            self.root = node
        self._open.append(_Open(node, is_object))
        return True

    def _take_plain(self, string: str | None, word: str | None) -> bool:
        top = self._open[-1]
        if top.is_object and top.wants in ("first", "key"):
            if string is None:
                return False
            top.key, top.wants = _string(string, 200), "colon"
            return True
        if not self._may_have_value():
            return False
        if string is not None:
            self._put(["", "string", _string(string, _LONGEST), None])
        else:
            kind = "word" if word in ("true", "false", "null") else "number"
            self._put(["", kind, visible(word or "", most=_LONGEST), None])
        return True

    def _may_have_value(self) -> bool:
        top = self._open[-1]
        return top.wants == "value" or (top.wants == "first" and not top.is_object)

    def _put(self, node: Node) -> None:
        top = self._open[-1]
        node[0], top.wants = top.key, "next"
        if len(top.node[3]) >= _MOST_INSIDE:
            top.left_out += 1
            self.cut = True
        else:
            top.node[3].append(node)
            self.nodes += 1

    def _finish(self, each: _Open) -> None:
        count = len(each.node[3]) + each.left_out
        each.node[2] = counted(count, "key" if each.is_object else "item")
        if each.left_out:
            each.node[3].append(["", "more", f"and {each.left_out:,} more", None])


def _string(token: str, most: int) -> str:
    try:
        return visible(json.loads(token), most=most)
    except ValueError:
        return visible(token[1:-1], most=most)
