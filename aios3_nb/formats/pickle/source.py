"""Where a pickle's opcodes are taken from: the file, and before it the frame that is being looked into."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from aios3_nb.errors import FormatError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_WINDOW = 128 * 1024
"""Bytes looked at together, at most."""

_ENOUGH = 4 * 1024
"""Bytes of those that are left are looked at again before more are asked for, which may have to be waited for."""

_PORTION = 16 * 1024 * 1024
"""Bytes asked of the file at once, so that a length that is a lie costs no memory."""


class Source:
    """Takes bytes from a file exactly as asked, and knows where in the object it is.

    Args:
        file: Positioned at the pickle. Besides what `BinaryIO` promises it has ``peek`` and ``readinto``.
        base: Offset of that position in the object.

    Attributes:
        truncated: Whether more was asked for than there was.
    """

    def __init__(self, file: BinaryIO, base: int) -> None:
        self.truncated = False
        self._file: io.BufferedReader = file  # type: ignore[assignment]  # BinaryIO lacks peek and readinto
        self._base = base
        self._taken = 0
        self._frame = b""
        self._frame_at = 0
        self._frame_is_cut = False
        self._shown = b""
        self._shown_from = 0

    @property
    def position(self) -> int:
        """Offset in the object of the next byte."""
        return self._base + self._taken - (len(self._frame) - self._frame_at)

    @property
    def taken_from_file(self) -> int:
        """Bytes taken from the file, those of the frame in memory included."""
        return self._taken

    @property
    def in_frame(self) -> bool:
        """Whether the next byte comes from a frame that is held in memory."""
        return bool(self._frame)

    def window(self) -> tuple[bytes, int]:
        """Return bytes that are there already, and where in them the next one is; none at the end."""
        if self._frame:
            return self._frame, self._frame_at
        at = self._taken - self._shown_from
        if len(self._shown) - at < _ENOUGH:
            self._shown, self._shown_from, at = self._file.peek(_WINDOW), self._taken, 0
        return self._shown, at

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer, and `truncated` is set, when the file ends before."""
        if self._frame:
            return self._take_of_frame(size)
        data = self._file.read(min(size, _PORTION))
        if len(data) == size:  # as nearly always
            self._taken += size
            return data
        return self._take_more(data, size)

    def _take_more(self, data: bytes, size: int) -> bytes:
        portions = [data]
        missing = size - len(data)
        while missing > 0:
            portion = self._file.read(min(missing, _PORTION))
            if not portion:
                self.truncated = True
                break
            portions.append(portion)
            missing -= len(portion)
        self._taken += size - missing
        return b"".join(portions)

    def advance(self, size: int) -> None:
        """Move on by `size` bytes, all of which `window` has shown."""
        if not self._frame:
            self.take(size)
            return
        self._frame_at += size
        self._drop_used_frame()

    def take_line(self) -> bytes:
        """Return the bytes up to and with the next newline."""
        if self._frame:
            end = self._frame.find(b"\n", self._frame_at) + 1 or len(self._frame) + 1
            return self._take_of_frame(end - self._frame_at)
        line = self._file.readline()
        self._taken += len(line)
        if not line.endswith(b"\n"):
            self.truncated = True
        return line

    def take_into(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` from the file; returns less than its length only when the file ends."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view):
            count = self._file.readinto(view[done:])
            if not count:
                self.truncated = True
                break
            done += count
        self._taken += done
        return done

    def skip(self, size: int) -> bool:
        """Move on by `size` bytes without reading them; False when the file cannot."""
        if not self._file.seekable():
            return False
        self._file.seek(size, io.SEEK_CUR)
        self._taken += size
        return True

    def take_frame(self, size: int) -> bytes:
        """Return the frame of `size` bytes that begins here; `look_into` puts it back."""
        frame = self.take(size)
        self._frame_is_cut, self.truncated = self.truncated, False
        return frame

    @property
    def frame_is_cut(self) -> bool:
        """Whether the file ended inside the last frame that was taken."""
        return self._frame_is_cut

    def look_into(self, frame: bytes) -> None:
        """Have the bytes of `frame`, which was just taken, taken once more."""
        self._frame, self._frame_at = frame, 0

    def _take_of_frame(self, size: int) -> bytes:
        data = self._frame[self._frame_at : self._frame_at + size]
        if len(data) < size:
            if not self._frame_is_cut:
                raise FormatError("Not a pickle: an opcode crosses the end of its frame.", offset=self.position)
            self.truncated = True
        self._frame_at += len(data)
        self._drop_used_frame()
        return data

    def _drop_used_frame(self) -> None:
        if self._frame_at == len(self._frame):
            self._frame = b""
            self._frame_at = 0
