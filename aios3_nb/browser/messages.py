"""What the page tells the bucket browser: one message at a time, of which nothing is believed.

A message is a dict: ``do`` names what is wanted, ``n`` numbers it, and the other fields belong to it. A field that
is not there or not of its kind is refused, whatever sent it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LONGEST_TEXT = 8192
_MOST_RANGES = 1000


class MessageError(ValueError):
    """A message that no page of ours would send."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        do: What is wanted.
        number: Counts the messages of one page.
        fields: What belongs to it.
        buffers: Bytes that came with it.
    """

    do: str
    number: int
    fields: Mapping[str, object]
    buffers: Sequence[memoryview] = ()

    def text(self, name: str) -> str:
        """Return a text."""
        value = self.fields.get(name)
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise MessageError(f"{self.do}: no {name}")
        return value

    def whole(self, name: str) -> int:
        """Return a number that counts something."""
        value = self.fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise MessageError(f"{self.do}: no {name}")
        return value

    def flag(self, name: str) -> bool:
        """Return a yes or no."""
        value = self.fields.get(name)
        if not isinstance(value, bool):
            raise MessageError(f"{self.do}: no {name}")
        return value

    def ranges(self, name: str) -> list[tuple[int, int]]:
        """Return half open ranges of rows."""
        value = self.fields.get(name)
        if not isinstance(value, list) or len(value) > _MOST_RANGES:
            raise MessageError(f"{self.do}: no {name}")
        return [_range(each) for each in value]


def message_of(content: object, buffers: Sequence[memoryview] | None = None) -> Message:
    """Return what the page sent as a message.

    Raises:
        MessageError: It is none.
    """
    if not isinstance(content, dict) or not isinstance(content.get("do"), str):
        raise MessageError("no message")
    number = content.get("n")
    return Message(content["do"], number if isinstance(number, int) else 0, content, tuple(buffers or ()))


def _range(value: object) -> tuple[int, int]:
    match value:
        case [int(start), int(stop)] if 0 <= start <= stop:
            return start, stop
    raise MessageError("no range")
