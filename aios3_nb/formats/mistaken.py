"""What an object is that is not what its name says: told by its first bytes, before a reader makes nonsense of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aios3_nb.formats.format import Format
from aios3_nb.formats.plain import TEXT

_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\b")
_LFS = b"version https://git-lfs"
_ANY_TEXT = ("text", "bytes", "json")
"""What is told by looking for text; a table in another encoding may look like JSON."""
_MAY_BE_ANYTHING = ("pickle", "joblib", "text", "bytes", "image", "audio")
"""Pickles say themselves what else they are; text and bytes are whatever there is."""


def mistaken(chosen: Format, head: bytes, others: Iterable[Format]) -> str:
    """Return what an object is that is taken for the format `chosen` by its name; empty if nothing speaks against it.

    Args:
        chosen: What the name says.
        head: Its first bytes, those of `aios3_nb.formats.format.HEAD_SIZE`.
        others: All formats.
    """
    if chosen.name in _MAY_BE_ANYTHING or not chosen.loader or chosen.matches(head):
        return ""
    if head.startswith(_LFS):
        return "This is a Git LFS pointer; the data itself was not uploaded. Upload it with: git lfs push"
    if _PAGE.match(head):
        return f"This is an HTML page and no {chosen.name}, perhaps what a server said instead. --format text shows it."
    if _XML.match(head):
        return f"This is XML and no {chosen.name}, perhaps what a server said instead. --format text shows it."
    if not head or TEXT.matches(head):
        return ""  # a table may begin with any letters
    for other in others:
        if other is not chosen and other.name not in _ANY_TEXT and other.matches(head):
            advice = other.advice or f"Its first bytes say {other.name}: --format {other.name} loads it so."
            return f"Its name says {chosen.name}. {advice}"
    return ""
