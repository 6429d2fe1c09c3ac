"""What is told to whoever asked: in the spelling of a line or of a call, and warnings in one line.

Messages are written as one writes lines of magics: ``--limit N``, ``%s3ls s3://b/``. To who has called from Python they
are told as calls: ``limit=N``, ``aios3_nb.ls('s3://b/')``.
"""

from __future__ import annotations

import re
import warnings
from keyword import iskeyword
from typing import Any

from aios3_nb.text.words import visible

_FLAGS = frozenset({"background", "concat", "dask", "no_sign_request", "quiet", "recursive", "trust"})

# A value is taken for one only where it cannot be a word of the sentence: "--limit is for items" has none.
_VALUE = (
    r"(?:NAMES?|N|P|ID|URL|raise|skip|bytes|jsonl?|pickle|text|latin1|cp1252|auto|require|offline|off|requester"
    r"|pandas|polars|arrow|numpy|pil|parquet|safetensors|np[yz]|[ct]sv|\d\w*|/?[\w*]+(?:[./,][\w*]+)+)(?![\w-])"
)
_OPTION = rf"--(?:[a-z]+-)*[a-z]+(?:[ =]{_VALUE})?"
_WORD = r"""(?:s3://|\x00)\S*|\$'(?:\\.|[^'\\])*'|'[^']*'|"[^"]*"|URI\b"""
_SAID = re.compile(
    rf"""(?P<shell>\baws\ [a-z].*)   # a command line of another program, to its end
      | %s3(?P<call>load|ls|cd|peek|browse|open)(?:\ (?P<word>{_WORD}))?(?P<options>(?:\ {_OPTION})*)
      | (?<![^\s(])(?P<option>{_OPTION})""",
    re.VERBOSE,
)
_PARTS = re.compile(rf"--(?P<name>[a-z-]+)(?:[ =](?P<value>{_VALUE}))?")

_warned: dict[Any, Any] = {}
"""Where `warnings` notes what it has shown."""

_HOLE = "\0"
"""Stands for the object's address, which may look like anything, while the rest is spelled anew."""


def as_call(text: str, uri: str = "") -> str:
    """Return a message with what to type spelled for Python; what is in the address `uri` stays as it is."""
    shown = visible(uri)
    hidden = text.replace(shown, _HOLE) if shown else text
    return _SAID.sub(lambda found: _spelled(found, shown), hidden).replace(_HOLE, shown)


def warn(text: str, *, again: bool = False) -> None:
    """Warn of `text` once, or `again` each time, in one line: it shows neither path nor source of a line of ours."""
    warnings.warn_explicit(text, UserWarning, "aios3_nb", 0, registry=None if again else _warned)


def _spelled(found: re.Match[str], address: str) -> str:
    if found["shell"]:
        return found["shell"]
    if found["option"]:
        return _option(found["option"])
    options = [_option(each[0]) for each in _PARTS.finditer(found["options"])]
    arguments = [*([_literal(found["word"].replace(_HOLE, address))] if found["word"] else []), *options]
    return f"aios3_nb.{found['call']}({', '.join(arguments)})"


def _option(written: str) -> str:
    parts = _PARTS.fullmatch(written)
    assert parts is not None
    name, value = parts["name"].replace("-", "_"), parts["value"]
    name = f"{name}_" if iskeyword(name) else name
    if name == "iter":
        return "aios3_nb.iterate"
    if value is None:
        return f"{name}=True" if name in _FLAGS else name
    if name == "allow" and not value.isupper():
        return f"allow={value.split(',')!r}"
    return f"{name}={value if value.isupper() or value.isdecimal() else repr(value)}"


def _literal(word: str) -> str:
    """Return a word of a line as Python writes it."""
    if word.startswith("$"):
        return word[1:]
    if word.startswith("'"):
        return word.replace("\\", "\\\\")
    return word if word.startswith('"') or word == "URI" else f"'{word}'"
