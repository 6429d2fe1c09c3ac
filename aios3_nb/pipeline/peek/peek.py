"""What is in an object, found without loading it: the answer of ``peek`` and ``%s3peek``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aios3_nb.pipeline.peek.json import JsonOutline, outline_json
from aios3_nb.pipeline.peek.other import OtherOutline, outline_other, outline_problem
from aios3_nb.pipeline.peek.pickle import MAY_LOAD, PickleOutline, outline_pickle
from aios3_nb.text import as_call, counted, size_text, table_html, visible

__all__ = [
    "JsonOutline",
    "OtherOutline",
    "Outline",
    "Peek",
    "PickleOutline",
    "outline_json",
    "outline_other",
    "outline_pickle",
    "outline_problem",
]

_SAID = ("verdict", "pickles in a row")
"""Rows of a pickle that propose options."""


class Outline(Protocol):
    """What is in an object of some format, as far as it was looked into."""

    def rows(self) -> list[tuple[str, str]]:
        """Return what to show, line by line: a heading and its text."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Peek:
    """What is in an object. Its text and its table in a notebook say the same.

    Attributes:
        uri: The object.
        size: In bytes.
        etag: Of the version that was looked into; empty when the server gives none.
        checked_by: What a load of it is checked by, such as ``CRC32C of 64 parts``; empty if that was not asked.
        format: As ``--format`` takes it.
        codec: What it is compressed with; empty when it is not.
        fetched: Bytes that looking took.
        requests: That looking took.
        outline: What is inside.
        in_line: Whether it is shown to somebody who has typed a magic, and not a call.
    """

    uri: str
    size: int
    etag: str
    checked_by: str
    format: str
    codec: str
    fetched: int
    requests: int
    outline: Outline
    in_line: bool = False

    def rows(self) -> list[tuple[str, str]]:
        """Return what to show, line by line: a heading and its text; hostile characters are visible."""
        kind = f"{self.format}, {self.codec} compressed" if self.codec else self.format
        own = [
            ("size", f"{size_text(self.size)} ({self.size:,} bytes)"),
            ("etag", self.etag),
            *([("checked by", self.checked_by)] if self.checked_by else ()),
            ("format", kind),
            ("looked at", f"{size_text(self.fetched)} in {counted(self.requests, 'request')}"),
        ]
        inside = self.outline.rows()
        if isinstance(self.outline, PickleOutline) and not self.in_line:  # only what is said there is in our words
            inside = [(heading, as_call(text) if heading in _SAID else text) for heading, text in inside]
        return [(heading, visible(text)) for heading, text in own + inside]

    def __repr__(self) -> str:
        rows = self.rows()
        width = max(len(heading) for heading, _ in rows)
        return "\n".join([visible(self.uri), *(f"  {heading:<{width}}  {text}" for heading, text in rows)])

    def _repr_html_(self) -> str:
        rows = self.rows()
        return table_html(rows, caption=visible(self.uri), kinds=[_kind(*row) for row in rows])


def _kind(heading: str, text: str) -> str:
    """Return how a line of a look is marked: whether it says that the object loads, or does not."""
    if heading == "blocked":
        return "bad"
    if heading != "verdict":
        return ""
    return "good" if text == MAY_LOAD else "bad"
