"""Headers of pages of Parquet, in Thrift's compact protocol: the numbers in them.

See: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aios3_nb.errors import FormatError

_PIECE = 64
"""Bytes of a header that are read at once; most have fewer."""


class Thrift:
    """Reads one header.

    Args:
        read: Returns the bytes from start to stop.
        at: Where it begins.
        stop: Where it has to have ended.

    Attributes:
        at: Where the next byte is.
    """

    def __init__(self, read: Callable[[int, int], bytes | memoryview], at: int, stop: int) -> None:
        self.at = at
        self._read, self._stop = read, stop
        self._piece: bytes | memoryview = b""
        self._begin = at

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields by their numbers; numbers and structs only, the rest is passed over."""
        fields: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != 0:
            step, kind = head >> 4, head & 15
            number = number + step if step else self._zigzag()
            fields[number] = self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if depth > 8:
            raise FormatError("One of its pages has a header of too many levels.")
        if kind in (1, 2):  # a boolean, in the kind itself
            return kind == 1
        if kind == 12:
            return self.struct(depth + 1)
        if kind in (4, 5, 6):
            return self._zigzag()
        lengths = {3: 1, 7: 8}
        self._skip(lengths[kind] if kind in lengths else self._bytes_of(kind))
        return None

    def _bytes_of(self, kind: int) -> int:
        if kind != 8:
            raise FormatError("One of its pages has a header that cannot be read.")
        return self._varint()

    def _skip(self, count: int) -> None:
        self.at += count
        if self.at > self._stop:
            raise FormatError("One of its pages is cut short.")

    def _byte(self) -> int:
        self._skip(1)
        place = self.at - 1
        if not self._begin <= place < self._begin + len(self._piece):
            self._begin, self._piece = place, self._read(place, min(place + _PIECE, self._stop))
            if not self._piece:
                raise FormatError("One of its pages is cut short.")
        return self._piece[place - self._begin]

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise FormatError("One of its pages has a header that cannot be read.")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
