"""A pickle's bytes on their way into the C unpickler, with all that acts on an object made to ask first.

The C unpickler has a hook for names (``find_class``) and none for what is done with them, and that is where a
harmless name turns dangerous: it is called with anything, its attributes are set, and ``append`` is looked up on
it. There is one more hook, ``persistent_load``, called by BINPERSID with what is on top of the stack. So whatever
calls something, sets a state, or puts items into a container is replaced by opcodes that make a tuple ``(object,
argument, number of what to do)``, and BINPERSID: the hook does it, if it may be done, and what it returns is pushed,
as the opcode would have left it. REDUCE, the most frequent one, has a tuple without a number. Everything else stays
as it was written, and runs at the speed of C; and so do, in the end, long rows of small things whose bytes show that
they are harmless (`aios3_nb.formats.pickle.proven`).

Replacing takes knowing where opcodes begin. A regular expression finds that out at some 25 ns an opcode, and 130 ns
for each that is replaced, which would nearly double the time of a pickle of plain data. So frames (protocol 4 on:
pieces of 64 KB that hold whole opcodes) pass unread for as long as nothing has been imported but what may be called
with anything. After each of them comes a word that only this module knows, for the hook to hear: if it does not, the
frame ended inside an opcode, and reading it on its own was wrong.

Over 300 lines: what is sent, what is rewritten and what is heard share one window of bytes at every step.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from aios3_nb.errors import BlockedPickleError, FormatError
from aios3_nb.formats.pickle import opcodes
from aios3_nb.formats.pickle.asks import ASKS, IN_PLACE, INST, QUIET, asking
from aios3_nb.formats.pickle.glance import names_something
from aios3_nb.formats.pickle.opcodes import (
    BRIEF,
    COUNTED,
    EXTENSION,
    FIXED,
    FRAME,
    LINES,
    MEMOIZE,
    NEWEST_PROTOCOL,
    OUT_OF_BAND,
    PERSISTENT,
    PROTO,
    PUTS,
    runs_after,
)
from aios3_nb.formats.pickle.source import Source
from aios3_nb.formats.pickle.texts import TextRows

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from aios3_nb.formats.pickle.proven import Proofs

_INLINE = 64 * 1024
"""Strings beyond this go from the file straight into the object, in no buffer of ours."""

_LONGEST = 1 << 38
"""A string beyond this is a lie; memory for it is not even asked for."""

_LARGEST_FRAME = 16 * 1024 * 1024
"""A frame beyond this is read opcode by opcode instead; Python writes frames of 64 KiB."""

_EMPTY = {
    b"T": b"U\x00",
    b"B": b"C\x00",
    b"X": b"\x8c\x00",
    b"\x8b": b"\x8a\x00",
    b"\x8d": b"\x8c\x00",
    b"\x8e": b"C\x00",
    b"\x96": b"\x96" + bytes(8),
}
"""Opcode of a long string -> the same kind of thing, empty."""


Rule = tuple[re.Pattern[bytes], Mapping[bytes | None, bytes]]
"""What splits opcodes into runs and those that act, and what takes the place of these."""


class EnoughError(Exception):
    """So much was looked through for names as was asked for; more names may follow."""


class NeedsCareError(Exception):
    """What passed unread names something that not everything may be done with; start again, carefully."""


class Feed:
    """The file that a C unpickler reads one pickle from.

    Args:
        file: Positioned at the pickle; left right behind its STOP.
        base: Offset of the pickle in the object, for errors.
        careful: Look into every frame from the start.
        quiet: Have nothing ask and nothing act: for names alone.

    Attributes:
        protocol: Of the pickle; 0 until its PROTO was met.
        careful: Whether every frame is looked into from here on.
        plain: Whether what the unpickler is executing passed unread.
        executing: Offset of the piece that the unpickler is in.
        word: What the hook hears when a plain frame ended where it should; then it calls `heard`.
        refusal: Why the pickle cannot be loaded whatever is allowed; None when it can.
        proofs: Says what may run as it was written, if there is someone who knows what was imported.
        claimed: Length that is still missing of the long string being read; 0 between strings.
    """

    # Looked up for every opcode that asks, and faster so; the others are where they always are.
    __slots__ = ("__dict__", "plain")

    def __init__(self, file: BinaryIO, *, base: int = 0, careful: bool = False, quiet: bool = False) -> None:
        self.protocol = 0
        self.careful = careful
        self.plain = False
        self.executing = base
        self.word = secrets.token_hex(8)
        self.refusal: BlockedPickleError | None = None
        self.claimed = 0
        self.proofs: Proofs | None = None
        self._acting = QUIET if quiet else IN_PLACE
        self._source = Source(file, base)
        self._piece = b""
        self._at = 0
        self._goodbye = b"\x8c\x10" + self.word.encode() + b"Q0"
        self._farewell = b""
        self._awaits_word = False
        self._seen = 0
        self._text_rows = TextRows()
        self._frame_end = base
        self._stop_at: int | None = None
        # Where a frame likely begins there is no run to look for; a glance at the file's next bytes would copy them.
        self._at_frame = True

    @property
    def truncated(self) -> bool:
        """Whether the file ended before the pickle did."""
        return self._source.truncated

    @property
    def position(self) -> int:
        """Offset in the object up to which the pickle was taken from the file."""
        return self._source.position

    @property
    def left_over(self) -> bool:
        """Whether the pickle stopped inside a frame, so that the file is behind its end, or ended before the frame."""
        return self.position < self._frame_end or (self.plain and self._at < len(self._piece))

    def heard(self) -> None:
        """Note that the unpickler came to the end of a plain frame, and between two opcodes there."""
        self._awaits_word = False

    def stop_after(self, size: int) -> None:
        """Skip long strings from here on, and raise `EnoughError` when `size` bytes more were read."""
        if self._stop_at is None:
            self._stop_at = self.position + size

    # What the C unpickler calls: peek to look ahead, read to consume, readinto for long bytes.

    def peek(self, size: int, /) -> bytes:
        """Return the rest of the piece; the next one when it is used up; nothing inside a long string."""
        if self._at == len(self._piece) and not self.claimed:
            self._next_piece()
        return self._piece[self._at :]

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, or fewer at the end of what there is."""
        if self._at == len(self._piece):
            if self.claimed:
                data = self._source.take(min(size, self.claimed))
                self.claimed -= len(data)
                return data
            self._next_piece()
        data = self._piece[self._at : self._at + size]
        self._at += len(data)
        return data

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer` with the long string; returns less than its length only when the file ends."""
        view = memoryview(buffer).cast("B")
        if not self.claimed:
            data = self.read(len(view))
            view[: len(data)] = data
            return len(data)
        count = self._source.take_into(view[: self.claimed])
        self.claimed -= count
        return count

    def readline(self) -> bytes:
        """Return the rest of the piece's line; pieces hold whole lines, so C finds them without asking."""
        end = self._piece.find(b"\n", self._at) + 1 or len(self._piece)
        return self.read(end - self._at)

    # Pieces: opcodes, each looked at, or a frame unread.

    def _next_piece(self) -> None:
        if self._farewell:
            # In a piece of its own, since the frame would have to be copied to add it.
            self._piece, self._at, self._farewell = self._farewell, 0, b""
            return
        if self._awaits_word:
            raise FormatError("Not a pickle: an opcode crosses the end of its frame.", offset=self.executing)
        if self._stop_at is not None and self.position > self._stop_at:
            raise EnoughError
        self.executing = self.position
        self.plain = False
        self._at = 0
        self._piece = b""
        # A frame's header leaves nothing for the unpickler, and what follows it may be another.
        while not (self._piece or self.claimed or self.truncated):
            self._piece = (b"" if self._at_frame else self._run(*self._source.window())) or self._one_opcode()

    def _run(self, window: bytes, start: int) -> bytes:
        """Return the opcodes from `start` that are whole, with those replaced that have to ask."""
        parts: list[bytes | memoryview] = []
        at, asked = start, 0
        # Once a name was blocked, nothing is built.
        proofs = self.proofs if self._stop_at is None else None
        pattern = proofs.pattern() if proofs else runs_after(self._seen)
        span = min(proofs.span if proofs else len(window), BRIEF if self._seen < BRIEF else len(window))
        size = min(len(window), start + span)
        # Each text of a row is put where MEMOIZE puts it; in a memo with gaps that may be a place that is relied on.
        may_put = proofs is None or proofs.permits_put(MEMOIZE)
        rows = self._text_rows.find(window, start, size, self.position) if may_put else ()
        for begin, end in (*rows, (size, size)):
            at, more = _replaced((pattern, self._acting), window, at, begin, parts)
            asked += more
            if at == begin:  # or what looks like a row is in a string
                parts.append(memoryview(window)[begin:end])
                at = end
        if proofs:
            proofs.note(asked, at - start)
        self._seen += at - start
        self._source.advance(at - start)
        return b"".join(parts)

    def _one_opcode(self) -> bytes:
        """Return the opcode that `_run` stopped at, taken as the file has it; nothing for a frame's header."""
        start = self.position
        self._at_frame = False
        taken = self._source.taken_from_file if self._source.in_frame else None
        code = self._source.take(1)
        opcode = self._opcode(code, start)
        if taken not in (None, self._source.taken_from_file):
            raise FormatError("Not a pickle: an opcode crosses the end of its frame.", offset=start)
        return opcode

    def _opcode(self, code: bytes, start: int) -> bytes:
        if code in _SPECIAL:
            return self._special(code, start)
        if code in ASKS:
            return self._acting[code]
        if code in COUNTED:
            return self._counted(code)
        if code in LINES or code in FIXED:
            return self._with_argument(code)
        if code:
            raise FormatError(f"Not a pickle: there is no opcode {code!r} (byte {start:,}).", offset=start)
        return b""

    def _with_argument(self, code: bytes) -> bytes:
        opcode = code + self._source.take(FIXED.get(code, 0))
        opcode += b"".join(self._source.take_line() for _ in range(LINES.get(code, 0)))
        if code in PUTS and self.proofs:
            self.proofs.check_put(opcode)
        return opcode

    def _special(self, code: bytes, start: int) -> bytes:
        if code == FRAME:
            return self._frame()
        if code == opcodes.INST:
            named = opcodes.GLOBAL + self._source.take_line() + self._source.take_line()
            return b"1" + named if self._acting is QUIET else b"t" + named + asking(INST)
        if code == PROTO:
            self._at_frame = True
            return code + self._checked_protocol(start)
        # The unpickler turns this error, as one of its own kind, into another; so it is kept.
        self.refusal = _refused(code, start)
        raise self.refusal

    def _counted(self, code: bytes) -> bytes:
        head = self._source.take(COUNTED[code])
        size = int.from_bytes(head, "little")
        if size <= _INLINE or self._source.in_frame or self.truncated:
            return code + head + self._source.take(size)
        if size > _LONGEST:
            raise FormatError(f"Not a pickle: it announces a string of {size:,} bytes.", offset=self.position)
        if self._stop_at is not None:
            return self._skipped(code, size)
        self.claimed = size
        return code + head

    def _skipped(self, code: bytes, size: int) -> bytes:
        if self._stop_at is None or not self._source.skip(size):
            raise EnoughError
        # What is skipped costs a request, counted as the bytes of a short one.
        self._stop_at += size - _INLINE
        return _EMPTY[code]

    def _checked_protocol(self, start: int) -> bytes:
        version = self._source.take(1)
        self.protocol = version[0] if version else 0
        if self.protocol > NEWEST_PROTOCOL:
            raise FormatError(
                f"Pickle protocol {self.protocol} is not known; the newest is {NEWEST_PROTOCOL}.", offset=start
            )
        return version

    def _frame(self) -> bytes:
        """Return the frame that begins here if it can pass unread; else nothing, and it will be looked into."""
        size = int.from_bytes(self._source.take(8), "little")
        end = self.position + size
        if self.position < self._frame_end < end:
            raise FormatError("Not a pickle: a frame crosses the end of the one around it.", offset=self.position)
        self._frame_end = max(self._frame_end, end)
        if self._source.in_frame or size > _LARGEST_FRAME:
            return b""
        frame = self._source.take_frame(size)
        ends_in_a_head = frame[-9:-8] == FRAME  # of a frame that begins in this one, perhaps
        careful = self.careful or self._stop_at is not None or self._source.frame_is_cut or ends_in_a_head
        if careful or names_something(frame):
            self._source.look_into(frame)
            return b""
        self.plain = True
        self._awaits_word = self._at_frame = True
        self._farewell = self._goodbye
        if self.proofs:
            self.proofs.note_unread(size)
        return frame


_SPECIAL = PERSISTENT | EXTENSION | OUT_OF_BAND | {FRAME, PROTO, opcodes.INST}


def _replaced(rule: Rule, window: bytes, at: int, stop: int, parts: list[bytes | memoryview]) -> tuple[int, int]:
    """Add to `parts` the opcodes from `at` on that are whole before `stop`; return where they end, and how many ask."""
    pattern, in_place = rule
    view = memoryview(window)[:stop]
    asked = 0
    while True:
        # In C, for all of them: nothing, a run, the acting opcode, nothing, a run, ...; none at the end.
        found: list[Any] = pattern.split(view[at:])
        plain, acting = found[1::3], found[2::3]
        found[2::3] = map(in_place.__getitem__, acting)
        parts += found
        acted = len(acting) - acting[-2:].count(None)
        asked += acted
        at += sum(map(len, plain)) + acted
        end = _end_of_counted(window, at, stop)
        if not end:
            return at, asked
        parts.append(window[at:end])
        at = end


def _end_of_counted(window: bytes, at: int, stop: int) -> int:
    """Return where the string at `at` ends; 0 when there is none, or it is not all there before `stop`."""
    code = window[at : at + 1]
    if code not in COUNTED:
        return 0
    begin = at + 1 + COUNTED[code]
    end = begin + int.from_bytes(window[at + 1 : begin], "little")
    return end if begin <= end <= stop else 0


def _refused(code: bytes, offset: int) -> BlockedPickleError:
    what = "an object of its own application (a persistent id)"
    if code in EXTENSION:
        what = "an extension code of the application that wrote it"
    elif code in OUT_OF_BAND:
        what = "a buffer that was stored somewhere else"
    return BlockedPickleError(
        f"The pickle refers at byte {offset:,} to {what}; only that application can load it.", offset=offset
    )
