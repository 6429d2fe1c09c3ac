"""What the loader would say of a call or a state, as far as that is known before anything is built or imported.

Whoever looks into a pickle knows of most things of what kind they are, of short texts what they say, and of nothing
what it is in the end. What is said here is never stricter than the load.
"""

from __future__ import annotations

from collections.abc import Sequence

from aios3_nb.formats.pickle.attributes import is_private
from aios3_nb.formats.pickle.makes import CODECS, is_special
from aios3_nb.formats.pickle.names import Entry
from aios3_nb.formats.pickle.signature import Signature

_TYPES: dict[str, type] = {
    **{cls.__name__: cls for cls in (int, float, bool, str, bytes, bytearray, tuple, list, dict, set, frozenset)},
    "None": type(None),
}

_SHAPES = {
    "encode": "str str?",
    "bytearray": "bytes|bytearray|str? str?",
    "array.array": "str bytes|list",
    "defaultdict": "any?",
    "fraction": "str|int int?",
    "pattern": "str|bytes int",
    "reconstructor": "any any any",
    "getattr": "any str",
    "numpy.dtype": "any int|bool int|bool",
    "numpy.reconstruct": "any tuple bytes|str",
    "numpy.masked": "any any tuple bytes|str",
    "numpy.scalar": "any any",
    "numpy.frombuffer": "bytes|bytearray any tuple str any?",
    "numpy.bit_generator": "any",
    "numpy.generator": "any? any?",
    "cython": "any any any",
    "cython one": "any",
    "pandas.placement": "any",
    "pandas.block": "any any int",
    "pandas.index": "any dict",
    "pandas.timestamp": "int any? any?",
    "arrow.array": "tuple",
    "arrow.table": "list any",
}
"""Checks of their own in ``names.toml`` -> how many arguments of which kinds pass them, at most."""

_STATE_OF_THEIRS = frozenset(
    ("numpy.dtype", "numpy.bit_generator", "numpy.generator", "cython", "cython one", "reconstructor", "getattr")
)
"""What these make gets the state of a class that the arguments name."""


def refused_call(entry: Entry, kinds: Sequence[str], texts: Sequence[str]) -> bool:
    """Return whether a call of a name, for which `entry` stands, with arguments of such `kinds` is refused for sure.

    Args:
        entry: Of the name.
        kinds: Names of builtin types; anything else is not known.
        texts: What they say; empty where they are no texts, or that is not known.
    """
    make = entry.make.removeprefix("new or ")
    if make in ("", "empty"):
        return True
    if make == "encode" and any(text and text not in CODECS for text in texts[1:]):
        return True
    shape = _SHAPES.get(make)
    if shape is None and is_special(make):
        return False
    return not Signature(shape or make).may_fit([_TYPES.get(kind) for kind in kinds])


def refused_state(entry: Entry, keys: Sequence[str]) -> bool:
    """Return whether a state with such attributes is refused for sure to what a name made, for which `entry` stands."""
    if entry.make in _STATE_OF_THEIRS:
        return False
    if not entry.state:
        return True
    rule, _, own = entry.state.partition(" ")
    if own.split():
        return not set(own.split()).issuperset(keys)
    return rule == "attributes" and any(map(is_private, keys))
