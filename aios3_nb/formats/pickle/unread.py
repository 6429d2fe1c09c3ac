"""A pickle without frames (protocols 0 to 3) that passes unread, for as long as it imports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from aios3_nb.formats.pickle.feed import Feed, NeedsCareError
from aios3_nb.formats.pickle.source import Source

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Unread(Feed):
    """Hands on the file as it is; what needs more than that makes the unpickler start again, carefully."""

    def __init__(self, file: BinaryIO, protocol: int) -> None:
        super().__init__(file)
        self.protocol = protocol
        self.plain = True
        # The unpickler looks these up on the instance; no call of Python's stands in between.
        self.peek = file.peek  # type: ignore[attr-defined, method-assign]  # BinaryIO has none; ours do
        self.read = file.read  # type: ignore[method-assign]
        self.readline = file.readline  # type: ignore[method-assign]
        self._direct = Source(file, 0)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`; returns less than its length only when the file ends."""
        return self._direct.take_into(buffer)

    def stop_after(self, size: int) -> None:
        """Start again: what follows a blocked name is not to be built."""
        raise NeedsCareError
