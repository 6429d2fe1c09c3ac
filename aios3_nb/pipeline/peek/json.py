"""What is in a JSON document, from its beginning."""

from __future__ import annotations

import codecs
import contextlib
import json
import re
from dataclasses import dataclass
from typing import Any

from aios3_nb.pipeline.peek.shape import LOOKED_AT, Number, shape_of
from aios3_nb.text import share_text, visible

_SHOWN = 20
_IN_A_ROW = "several values in a row"
_SEQUENCE = "a JSON text sequence"
_BEGIN = re.compile(r"\ufeff?[ \t\r\n]*\x1e").match
_CLOSING = {"{": "}", "[": "]"}
_SPACE = re.compile(r"[ \t\r\n]*")


_decoder = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)


@dataclass(frozen=True, slots=True)
class JsonOutline:
    """The outermost level of a JSON document, as far as its beginning shows.

    Attributes:
        outermost: ``object``, ``array``, ``text``, ``number``, ``true``, ``null``; or ``lines`` of several.
        entries: Of an object its keys, of an array the places of its items; each with what is there.
        complete: Whether the document's end was seen.
        scanned: Bytes that were looked at.
        size: Of the document in bytes.
        problem: Why it is no JSON; empty when nothing was found.
        shape: Of an array, what its elements are.
    """

    outermost: str
    entries: tuple[tuple[str, str], ...]
    complete: bool
    scanned: int
    size: int
    problem: str = ""
    shape: str = ""

    def rows(self) -> list[tuple[str, str]]:
        """Return what to show, line by line: a heading and its text."""
        more = "" if self.complete else f" or more ({share_text(self.scanned, self.size)} looked at)"
        count = (
            f" of {len(self.entries):,}{more}" if self.entries and self.outermost not in (_IN_A_ROW, _SEQUENCE) else ""
        )
        rows = [("holds", f"{self.outermost}{count}{f': {self.shape}' if self.shape else ''}")]
        rows += [(visible(key, most=40), text) for key, text in self.entries[:_SHOWN]]
        if len(self.entries) > _SHOWN:
            rows.append(("...", f"and {len(self.entries) - _SHOWN:,} more"))
        if self.problem:
            rows.append(("problem", self.problem))
        return rows


def outline_json(head: bytes, size: int) -> JsonOutline:
    """Return the outline of the JSON document, or JSON Lines, that begins with `head` and has `size` bytes."""
    encoding = json.detect_encoding(head)
    text = head.decode(encoding, "replace")
    begin = _BEGIN(text)
    at = _end_of_space(text, begin.end() if begin else 0)
    scanner = _Scanner(text, is_cut=len(head) < size)
    problem = ""
    try:
        outermost, entries, end = scanner.outermost(at)
    except (_CutError, ValueError) as exc:
        outermost, entries, end = scanner.kind or "?", scanner.entries, -1
        if len(head) >= size or not isinstance(exc, _CutError):
            problem = f"not JSON, or cut short, after {len(entries):,} entries"
    complete = end >= 0 and len(head) >= size
    if begin or (end >= 0 and _end_of_space(text, end) < len(text)):
        first = describe(entries, outermost)
        outermost, entries = _SEQUENCE if begin else _IN_A_ROW, [("the first", first)]
    if not problem and "\ufffd" in text and _is_wrong(head, encoding):
        problem = "not UTF-8: say --encoding cp1252, or whatever it is written in"
    shape = shape_of(scanner.elements) if outermost == "array" else ""
    return JsonOutline(outermost, tuple(entries), complete, len(head), size, problem, shape)


def _is_wrong(head: bytes, encoding: str) -> bool:
    """Return whether `head`, which may end within a character, is no text in `encoding`."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return True
    return False


def describe(entries: list[tuple[str, str]], kind: str) -> str:
    """Return in a few words what a value of `kind` with `entries` is."""
    if kind == "object":
        return f"object: {', '.join(visible(key, most=40) for key, _ in entries[:_SHOWN])}"
    return f"{kind} of {len(entries):,}" if kind == "array" else kind


class _CutError(Exception):
    """The beginning ends here."""


class _Scanner:
    """Reads the outermost level of a document, value by value, as far as the text goes."""

    def __init__(self, text: str, *, is_cut: bool) -> None:
        self.kind = ""
        self.entries: list[tuple[str, str]] = []
        self.elements: list[Any] = []
        """The first ones of an array."""
        self._text = text
        self._is_cut = is_cut

    def outermost(self, at: int) -> tuple[str, list[tuple[str, str]], int]:
        """Return the kind of the value at `at`, its entries, and where it ends."""
        first = self._char(at)
        if first not in "{[":
            value, end = self._value(at)
            self.kind = _described(value)
            return self.kind, [], end
        self.kind = "object" if first == "{" else "array"
        at = self._skip(at + 1)
        while self._char(at) != _CLOSING[first]:
            at = self._entry(at, _CLOSING[first])
        return self.kind, self.entries, at + 1

    def _entry(self, at: int, closing: str) -> int:
        """Read the entry at `at`, and return where the next one begins, or the closing bracket is."""
        key = f"[{len(self.entries)}]"
        if self.kind == "object":
            key, at = self._key(at)
        try:
            value, at = self._value(at)
        except _CutError:
            self.entries.append((key, f"{self._begun(at)} (cut here)"))
            raise
        self.entries.append((key, _described(value)))
        if len(self.elements) < LOOKED_AT:
            self.elements.append(value)
        at = self._skip(at)
        if self._char(at) == ",":
            at = self._skip(at + 1)
            is_wrong = self._char(at) == closing
        else:
            is_wrong = self._char(at) != closing
        if is_wrong:
            raise ValueError(at)
        return at

    def _key(self, at: int) -> tuple[str, int]:
        key, at = self._value(at)
        at = self._skip(at)
        if type(key) is not str or self._char(at) != ":":
            raise ValueError(at)
        return key, self._skip(at + 1)

    def _value(self, at: int) -> tuple[Any, int]:
        self._char(at)
        try:
            value, end = _decoder.raw_decode(self._text, at)
        except (ValueError, RecursionError):
            # What is wrong may only be that it is cut; nobody looks into what is left.
            raise _CutError from None
        if end == len(self._text) and isinstance(value, Number) and self._is_cut:
            raise _CutError  # more digits may follow
        return value, end

    def _begun(self, at: int) -> str:
        """Return what the value at `at`, which goes on behind the text, is; of an array its first elements."""
        kind = {"{": "object", "[": "array", '"': "text"}.get(self._text[at : at + 1], "a value")
        elements: list[Any] = []
        if kind == "array":
            with contextlib.suppress(_CutError):
                while len(elements) < LOOKED_AT and self._text[at] in "[,":
                    value, at = self._value(self._skip(at + 1))
                    elements.append(value)
                    at = self._skip(at)
                    self._char(at)
        return f"{kind} of {shape_of(elements)}" if elements else kind

    def _skip(self, at: int) -> int:
        return _end_of_space(self._text, at)

    def _char(self, at: int) -> str:
        if at >= len(self._text):
            raise _CutError
        return self._text[at]


def _end_of_space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing at least


def _described(value: Any) -> str:
    if isinstance(value, dict):
        keys = ", ".join(visible(key, most=30) for key in list(value)[:8])
        return f"object of {len(value):,}: {keys}{', ...' if len(value) > 8 else ''}"
    if isinstance(value, list):
        return f"array of {len(value):,}{f' {shape_of(value)}' if value else ''}"
    if isinstance(value, Number):
        return f"number, {visible(value, most=60)}"
    if isinstance(value, str):
        return f"text, {visible(value, most=60)}"
    return json.dumps(value)
