"""What the elements of an array of JSON have in common, in a few words: ``{id: int, name: str, address: {...}}``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aios3_nb.text import visible

LOOKED_AT = 50
"""Elements of an array that are looked at; the first ones."""

_KEYS = 8


class Number(str):
    """A number as it is written; of some the value takes long to find out."""

    __slots__ = ()


def shape_of(elements: Sequence[Any]) -> str:
    """Return the kinds of the first `elements`, as Python calls them; of objects what their keys hold."""
    looked_at = elements[:LOOKED_AT]
    objects = [each for each in looked_at if isinstance(each, dict)]
    kinds = dict.fromkeys(_kind(each) for each in looked_at)
    if objects:
        kinds = {_keys(objects) if kind == "{...}" else kind: None for kind in kinds}
    return " | ".join(kinds)


def _keys(objects: Sequence[dict[str, Any]]) -> str:
    """Return what the keys of all `objects` hold; one that some lack has a question mark."""
    held: dict[str, list[Any]] = {}
    for each in objects:
        for key, value in each.items():
            held.setdefault(key, []).append(value)
    words = []
    for key, values in list(held.items())[:_KEYS]:
        kinds = " | ".join(dict.fromkeys(map(_kind, values)))
        words.append(f"{visible(key, most=30)}{'?' if len(values) < len(objects) else ''}: {kinds}")
    return f"{{{', '.join(words)}{', ...' if len(held) > _KEYS else ''}}}"


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "{...}" if value else "{}"
    if isinstance(value, list):
        return "[...]" if value else "[]"
    if isinstance(value, Number):
        return "int" if value.lstrip("-").isdigit() else "float"
    return {str: "str", bool: "bool", type(None): "null"}[type(value)]
