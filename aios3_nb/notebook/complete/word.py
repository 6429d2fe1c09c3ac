"""What is found -> the words that say it. Each is tried: it reads as just that, whatever the key holds."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aios3_nb.address import S3Uri, quote, quote_text
from aios3_nb.errors import S3Error, UriError
from aios3_nb.notebook.complete.keys import BUCKETS, look_up
from aios3_nb.notebook.complete.line import Gap
from aios3_nb.notebook.expand import as_text
from aios3_nb.notebook.line import expand, split
from aios3_nb.notebook.options import is_option
from aios3_nb.notebook.target import read_target
from aios3_nb.pipeline import locate, place
from aios3_nb.settings import Settings
from aios3_nb.text import is_visible

MOST_REQUESTS = 2
"""For one ``<TAB>``; a word may be read in several ways."""

_NAMED = re.compile(r"(?P<name>[^\W\d]\w*)=")
# What can only be an address, after `NAME=`: it is absolute, begins at the place, or is quoted.
_MEANT = re.compile(r"s3[an]?:|arn:|https?:|\.{1,2}/|['\"]|\$'")
_SCHEME = "s3://"
_BUCKET = re.compile(r"s3[an]?://(?P<start>[^/]*)\Z")
_WEB = re.compile(r"https?:")
_TAIL = re.compile(r"[^/}]*\Z")
_IN_DOUBLE = re.compile(r'(["\\${}])')


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read the word so far.

    Attributes:
        lead: What goes before the address: ``NAME=``, or nothing.
        raw: The address as it is written.
        text: The address, variables filled in.
        is_literal: No variable stands in it.
    """

    lead: str
    raw: str
    text: str
    is_literal: bool


def variables(gap: Gap, namespace: Mapping[str, Any]) -> list[str]:
    """Return the variables that can stand where one is being written: ``{na`` -> ``{name}``."""
    if gap.reference is None:
        return []
    opening, start = gap.reference
    closing = "}" if opening.endswith("{") and not gap.after.startswith("}") else ""
    names = (name for name in sorted(namespace) if name.startswith(start) and as_text(namespace[name]) is not None)
    return [f"{opening}{name}{closing}" for name in names]


def value(text: str, gap: Gap) -> str:
    """Return `text` as the value of an option, quoted as that was begun."""
    return _trimmed(_quoted(text, gap.raw), gap.raw, gap)


def addresses(gap: Gap, settings: Settings, namespace: Mapping[str, Any]) -> list[str]:
    """Return the words that the one so far may become: folders first, each with ``/`` at its end."""
    wanted = [
        (reading, prefix) for reading in _readings(gap, namespace) for prefix in _prefixes(reading.text, settings)
    ][:MOST_REQUESTS]
    found: dict[str, None] = {}  # keeps the order
    for (reading, prefix), entries in zip(wanted, look_up([p for _, p in wanted], settings), strict=True):
        for entry in entries:
            # The empty object that some tools put in a folder's place is no step on.
            if (gap.metavar == "FOLDER" and not entry.is_prefix) or (entry.uri == prefix and prefix.is_prefix):
                continue
            for word in _words(reading, entry.uri, prefix):
                if _reads_as(reading.lead + word, reading.lead, entry.uri, gap, settings, namespace):
                    found[reading.lead + _trimmed(word, reading.raw, gap)] = None
                    break
    return list(found)


def _readings(gap: Gap, namespace: Mapping[str, Any]) -> Iterator[_Reading]:
    """Yield the address in ``NAME=``, if it may be one, and the whole word as an address, unless it cannot be."""
    match = _NAMED.match(gap.word.bare) if gap.takes_name else None
    if match is not None:
        rest = gap.word.without(match[0])
        raw = gap.raw[match.end() :]
        yield _Reading(match[0], raw, expand(rest, namespace), expand(rest, namespace) == rest.text)
        if _MEANT.match(raw):
            return
    text = expand(gap.word, namespace)
    yield _Reading("", gap.raw, text, text == gap.word.text)


def _prefixes(text: str, settings: Settings) -> Iterator[S3Uri]:
    """Yield what to look up for an address that begins with `text`."""
    here = place()
    if _BUCKET.match(text) or (_SCHEME.startswith(text) and (text or here is None)):
        yield BUCKETS
    if not text and here is not None:
        yield here
    if not text or _BUCKET.match(text) or _WEB.match(text):
        return
    with contextlib.suppress(UriError):
        found = locate(text, settings)
        if found.version_id is None:
            yield found


def _words(reading: _Reading, uri: S3Uri, prefix: S3Uri) -> Iterator[str]:
    """Yield ways to write `uri` that go on from what was written, the nicest first."""
    if prefix == BUCKETS:
        typed = _BUCKET.match(reading.text)
        if uri.bucket.startswith(typed["start"] if typed else ""):
            yield _quoted(str(uri), reading.raw)
        return
    start = prefix.key.rpartition("/")[2]
    added = uri.key[len(prefix.key) - len(start) :]
    text = reading.text.removesuffix(start) + added
    if reading.is_literal and quote(text) == text and not _is_quoted(reading.raw):
        yield text
    yield from _continued(reading.raw, start, added)
    if reading.is_literal:
        for each in (text, f"./{text}", str(uri)):
            yield _quoted(each, reading.raw)


def _continued(raw: str, start: str, added: str) -> Iterator[str]:
    """Yield `raw` with `start`, at its end, replaced by `added`, and all before it as it was written.

    Variables stay that way. And JupyterLab, which cuts completions to where it takes the word to begin, can do so
    only if what it cuts off is what was written.
    """
    head, tail = _TAIL.sub("", raw), _TAIL.search(raw)
    if tail is None or tail[0] != start:
        return
    yield f"{head}{quote(added)}"
    if all(map(is_visible, added)):
        yield head + _double(added) + '"'


def _reads_as(word: str, lead: str, uri: S3Uri, gap: Gap, settings: Settings, namespace: Mapping[str, Any]) -> bool:
    """Return whether the magic would read `word` as `uri`, bound to the name in `lead`, and nothing else."""
    try:
        tokens = split(word)
        if len(tokens) != 1 or is_option(tokens[0]):
            return False
        target = read_target(tokens[0], namespace, names=gap.takes_name)
        return target.name == (lead.removesuffix("=") or None) and locate(target.text, settings) == uri
    except S3Error:
        return False


def _quoted(text: str, raw: str) -> str:
    """Return `text` as a word, in quotes if it needs them or `raw`, which it replaces, begins with one."""
    if raw.startswith('"') and all(map(is_visible, text)):
        return '"' + _double(text) + '"'
    return quote_text(text) if _is_quoted(raw) else quote(text)


def _trimmed(word: str, raw: str, gap: Gap) -> str:
    """Return `word` without its closing quote where that is written already: editors put it behind the cursor."""
    return word[:-1] if _is_quoted(raw) and gap.after[:1] in {"'", '"'} and word.endswith(gap.after[0]) else word


def _is_quoted(raw: str) -> bool:
    return raw.startswith(("'", '"', "$'"))


def _double(text: str) -> str:
    """Return `text` as it is written between double quotes."""
    return _IN_DOUBLE.sub(r"\\\1", text)
