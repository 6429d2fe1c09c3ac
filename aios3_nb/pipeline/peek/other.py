"""What is in an object of any other format, as far as its first bytes tell."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass

from aios3_nb.formats import codec_and_mark, picture_kind, sound_kind, told_encoding
from aios3_nb.pipeline.peek.members import Array, npy_array
from aios3_nb.text import visible

NOT_UTF_8 = "not UTF-8: say --encoding cp1252, or whatever it is written in"
_TEXTS = ("csv", "tsv", "text")
_LINES = 5
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class OtherOutline:
    """The first lines of a text, the type of an array, the first bytes of anything else.

    Attributes:
        lines: Heading and text of each.
    """

    lines: tuple[tuple[str, str], ...]

    def rows(self) -> list[tuple[str, str]]:
        """Return what to show, line by line: a heading and its text."""
        return list(self.lines)


def outline_other(head: bytes, name: str) -> OtherOutline:
    """Return the outline of an object of the format `name` that begins with `head`."""
    if not head:
        return OtherOutline((("holds", "nothing, it is empty"),))
    if (kind := _media(head, name)) is not None:
        return OtherOutline((("holds", kind),))
    if head.startswith(b"\x93NUMPY"):
        return OtherOutline((("holds", _array(head)),))
    text = _text(head)
    if text is None and name in _TEXTS:
        lines = head[:2000].decode("latin-1").splitlines()[:_LINES]
        rows = [(f"line {number}", visible(line, most=_WIDTH)) for number, line in enumerate(lines, 1)]
        return OtherOutline((*([("problem", NOT_UTF_8)] if _is_other_text(head) else []), *rows))
    if text is None:
        return OtherOutline((("begins", head[:32].hex(" ")), ("as text", _printable(head[:32]))))
    lines = text.splitlines()[:_LINES]
    return OtherOutline(tuple((f"line {number}", visible(line, most=_WIDTH)) for number, line in enumerate(lines, 1)))


def outline_problem(text: str) -> OtherOutline:
    """Return the outline of what cannot be looked into, for what `text` says."""
    return OtherOutline((("problem", visible(text, most=300)),))


def _media(head: bytes, name: str) -> str | None:
    """Return what picture or sound it is; None if it is none."""
    if name == "audio":
        return f"sound ({sound_kind(head) or 'audio/mpeg'})"
    if name != "image":
        return None
    kind = picture_kind(head)
    if kind == "png" and len(head) >= 24:
        return f"picture (png) of {int.from_bytes(head[16:20], 'big')} x {int.from_bytes(head[20:24], 'big')} pixels"
    if kind == "gif" and len(head) >= 10:
        return f"picture (gif) of {int.from_bytes(head[6:8], 'little')} x {int.from_bytes(head[8:10], 'little')} pixels"
    return f"picture ({kind})" if kind else "no picture that a notebook shows"


def array_text(array: Array) -> str:
    """Return the shape and dtype of an array; empty if they are not known."""
    return "" if array.shape is None else f"array of shape {array.shape}, dtype {visible(array.dtype, most=_WIDTH)}"


def _array(head: bytes) -> str:
    try:
        return array_text(npy_array(io.BytesIO(head)))
    except ValueError:
        return "an array whose header cannot be read"


def _is_other_text(head: bytes) -> bool:
    """Return whether `head`, which may end within a character, is no UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return True
    return False


def _text(head: bytes) -> str | None:
    """Return `head` as text if it is; its last character may be cut."""
    if (encoding := told_encoding(head)) and encoding != "utf-8":
        codec, mark = codec_and_mark(encoding, head)
        return head[mark:].decode(codec, "ignore")
    if b"\0" in head:
        return None
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return None


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)
