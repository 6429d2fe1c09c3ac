"""A URI or a key as one word of a magic's line, written so that it is read back as just this text.

What a line takes for ``NAME=URI`` is said in `aios3_nb.notebook.target`; the forms that it goes by are here, so
that what could be taken for one is put in quotes.
"""

from __future__ import annotations

import re

from aios3_nb.address.uri import is_absolute
from aios3_nb.text import is_visible

ASSIGNED = re.compile(r"(?P<name>[^/:=${}]*)=")
"""The beginning of a word that may be ``NAME=URI``."""

_FROM_HERE = re.compile(r"\.{1,2}(?:/|\Z)")
_FILE_NAME = re.compile(r"[^\W\d][^/=]*\.\w+(?:\?versionId=[^?&/#\s]*)?")
_SAFE = re.compile(r"[\w.,/:@%+~^=-]+")


def quote(text: str) -> str:
    """Return `text` as a word that is read as just this text: no option, no name, no variable; plain if it can be."""
    plain = _SAFE.fullmatch(text) and all(map(is_visible, text)) and not text.startswith("-")
    return text if plain and not _is_ambiguous(text) else quote_text(text)


def quote_text(text: str) -> str:
    """Return `text` in quotes that a line takes off again, with nothing in it filled in; visible, on one line."""
    if all(map(is_visible, text)):
        if "'" not in text:
            return f"'{text}'"
        if not set(text) & set('"\\${}'):
            return f'"{text}"'
    return f"$'{''.join(map(_escaped, text))}'"


def is_located(text: str) -> bool:
    """Return whether `text` begins as only an address does: ``s3://``, ``https://``, an ARN, ``./`` or ``../``."""
    return is_absolute(text) or _FROM_HERE.match(text) is not None


def is_file_name(text: str) -> bool:
    """Return whether `text` is a plain file name: it begins with a letter, has a suffix, and no ``/`` nor ``=``."""
    return _FILE_NAME.fullmatch(text) is not None


def _is_ambiguous(text: str) -> bool:
    """Whether `text`, written without quotes, might be read as ``NAME=URI``."""
    match = ASSIGNED.match(text)
    if match is None:
        return False
    rest = text[match.end() :]
    return not rest or is_located(rest) or is_file_name(rest)


def _escaped(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    return char if is_visible(char) else char.encode("unicode_escape").decode("ascii")
