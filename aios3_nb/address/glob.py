"""Patterns over keys: ``*``, ``?``, ``[]`` within one part of a key, ``**`` across ``/``.

A key that looks like a pattern is written with its special characters in brackets, ``[*]``, as `glob.escape` does;
and where an object has exactly the key that was written, it is that object that is meant.
"""

from __future__ import annotations

import re
from itertools import pairwise

_SPECIAL = re.compile(r"[*?\[]")

_ITEM = re.compile(
    r"""(?P<folders>(?:(?<=/)|(?<![\s\S]))\*\*+/)   # at the start of a part: any number of whole parts, or none
      | (?P<anything>\*\*+)
      | (?P<star>\*)
      | (?P<one>\?)
      | \[(?P<negated>!?+)(?P<members>\][^\]]*|[^\]]+)\]   # a `]` that comes first is a member, as in fnmatch
      | (?P<literal>[\s\S])                         # also a bracket that is never closed
    """,
    re.VERBOSE,
)


def glob_prefix(key: str) -> str:
    """Return what every match of the pattern begins with, literally: the prefix to list."""
    prefix = []
    for match in _ITEM.finditer(key):
        literal = _literal(match)
        if literal is None:
            break
        prefix.append(literal)
    return "".join(prefix)


def glob_literal(key: str) -> str | None:
    """Return the one key that the pattern matches; None if it may match several."""
    if not _SPECIAL.search(key):
        return key
    characters = [_literal(match) for match in _ITEM.finditer(key)]
    return "".join(filter(None, characters)) if all(characters) else None


def is_set_aside(key: str, pattern: str) -> bool:
    """Return whether `key` is passed over by `pattern`, which it matches: a part of it is named as no data is.

    Parts that begin with ``_`` or ``.`` are markers, logs and checksums to Spark, Hive and Dask, but for partitions,
    ``_year=2024``. A pattern takes them if a part of it begins so, as ``_*``, ``[_.]*`` or ``_logs/*`` do.
    """
    named = [glob_match(part) for part in pattern.split("/") if _begins_aside(part)]
    first = glob_prefix(pattern).count("/")
    parts = [part for part in key.split("/")[first:] if part[:1] in ("_", ".") and not (part[0] == "_" and "=" in part)]
    return any(not any(each.fullmatch(part) for each in named) for part in parts)


def _begins_aside(part: str) -> bool:
    match = _ITEM.match(part)
    if match is None or match["negated"]:
        return False
    return (match["literal"] or match["members"] or " ")[0] in ("_", ".")


def glob_match(key: str) -> re.Pattern[str]:
    """Return the expression whose ``fullmatch`` a whole key passes if the pattern does.

    Its time is bounded: what follows a star is taken where it comes first and never tried again, except after the
    last star of a kind; so `*a*a*a*b` does not go through all ways to share out the a's.
    """
    items = list(_ITEM.finditer(key))
    wild = [i for i, match in enumerate(items) if match["star"] or match["anything"] or match["folders"]]
    pattern = []
    for start, stop in pairwise([0, *wild, len(items)]):
        run = "".join(_expression(match) for match in items[start:stop])
        settled = start < stop < len(items) and _is_settled(items[start], items[stop])
        pattern.append(f"(?>{run})" if settled else run)
    return re.compile("".join(pattern), re.DOTALL)


def glob_escape(key: str) -> str:
    """Return the pattern that matches `key` only."""
    return _SPECIAL.sub(r"[\g<0>]", key)


def _is_settled(wild: re.Match[str], following: re.Match[str]) -> bool:
    """Whether the first place for what follows `wild` is as good as any, for `following` takes up from there."""
    if wild["star"]:
        return True
    return bool(wild["anything"] and following["anything"])


def _literal(match: re.Match[str]) -> str | None:
    """Return the one character that `match` stands for; None if there are several."""
    if match["literal"]:
        return match["literal"]
    if match["members"] and len(match["members"]) == 1 and not match["negated"]:
        return match["members"]
    return None


def _expression(match: re.Match[str]) -> str:
    literal = _literal(match)
    if literal is not None:
        return re.escape(literal)
    if match["folders"]:
        return "(?:.*?/)??"
    if match["anything"]:
        return ".*?"
    if match["star"]:
        return "[^/]*?"
    if match["one"]:
        return "[^/]"
    return _one_of(match["members"], negated=bool(match["negated"]))


def _one_of(members: str, *, negated: bool) -> str:
    """Return the expression for a bracket; like ``*`` and ``?`` it never matches ``/``."""
    ranges = [_range(match) for match in re.finditer(r"(?P<low>.)(?:-(?P<high>.))?", members, re.DOTALL)]
    inside = "".join(part for part in ranges if part)
    if negated:
        return f"[^/{inside}]"
    return f"(?!/)[{inside}]" if inside else "(?!)"


def _range(match: re.Match[str]) -> str:
    low, high = match["low"], match["high"] or match["low"]
    # `[z-a]` is an empty range for fnmatch, and an error for re.
    return f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
