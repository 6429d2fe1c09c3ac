"""A value -> JSON, JSON Lines or a sequence, exactly as json.dumps writes it, at its speed and in pieces.

json.dump writes in pieces too, but by Python's own encoder, which takes four times as long; one json.dumps of
everything would keep the interpreter for seconds, in which nothing can be stopped. So what is large is divided.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

_encode = json.dumps

_AT_ONCE = 256
"""Elements or members that are encoded together."""

_DEPTH = 3
"""Levels that are divided where they hold few large things; below it a value is encoded in one piece."""


def dump_json(value: object, file: BinaryIO) -> None:
    """Write `value` to `file` as json.dumps has it.

    Raises:
        TypeError: JSON has no such thing; ValueError: it contains itself.
    """
    for piece in pieces(value, _DEPTH):
        file.write(piece.encode())


def dump_lines(value: object, file: BinaryIO) -> None:
    """Write each element of a list to a line of its own; of a DataFrame each row, as an object.

    Raises:
        TypeError: It is no list, or JSON has no such thing.
    """
    if hasattr(value, "to_json") and hasattr(value, "columns"):
        value.to_json(file, orient="records", lines=True, date_format="iso", force_ascii=False)
        return
    if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__iter__"):
        raise TypeError("lines are made of a list, of another iterable, or of a DataFrame")
    for element in value:
        for piece in pieces(element, _DEPTH):
            file.write(piece.encode())
        file.write(b"\n")


def dump_sequence(value: object, file: BinaryIO) -> None:
    """Write what `dump_lines` writes as a JSON text sequence: RS before each line.

    Raises:
        TypeError: It is no list, or JSON has no such thing.
    """
    if isinstance(value, (str, bytes, dict)) or hasattr(value, "to_json") or not hasattr(value, "__iter__"):
        raise TypeError("records are made of a list, or of another iterable")
    for element in value:
        file.write(b"\x1e")
        dump_lines([element], file)


def pieces(value: Any, depth: int = _DEPTH) -> Iterator[str]:
    """Yield the text of json.dumps(value), divided."""
    if depth and isinstance(value, (list, tuple)) and value:
        yield from _in_brackets("[]", _of_list(value, depth))
    elif depth and isinstance(value, dict) and value:
        yield from _in_brackets("{}", _of_members(value, depth))
    else:
        yield _encode(value)


def _in_brackets(brackets: str, parts: Iterator[Iterator[str]]) -> Iterator[str]:
    before = brackets[0]
    for part in parts:
        yield before
        yield from part
        before = ", "
    yield brackets[1]


def _of_list(value: Any, depth: int) -> Iterator[Iterator[str]]:
    if len(value) <= _AT_ONCE // 4:
        yield from (pieces(element, depth - 1) for element in value)
        return
    for start in range(0, len(value), _AT_ONCE):
        yield iter([_encode(value[start : start + _AT_ONCE])[1:-1]])


def _of_members(value: dict[Any, Any], depth: int) -> Iterator[Iterator[str]]:
    if len(value) <= _AT_ONCE // 4:
        yield from (_member(name, member, depth) for name, member in value.items())
        return
    members = iter(value.items())
    while batch := dict(islice(members, _AT_ONCE)):
        yield iter([_encode(batch)[1:-1]])


def _member(name: Any, member: Any, depth: int) -> Iterator[str]:
    # Names may be numbers, True and None, which are written as text; only json.dumps knows how.
    yield _encode({name: 0})[1:-2]
    yield from pieces(member, depth - 1)
