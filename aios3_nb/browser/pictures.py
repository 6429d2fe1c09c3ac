"""Which bytes are a picture that a page can show, and how large it would get there.

SVG is none: it is markup, and may hold scripts.
"""

from __future__ import annotations

from collections.abc import Callable

_TOO_MANY = 1 << 40
"""Pixels of a picture whose size is not where it belongs."""

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of JPEG that begin a frame, which has the size. See: ITU-T T.81, table B.1."""


def picture_of(head: bytes) -> tuple[str, int] | None:
    """Return the format of the picture that begins with `head`, and its pixels; None if it is none.

    A few bytes can expand to gigabytes in the page: hence the pixels.
    """
    for format, begins, pixels in _FORMATS:
        if begins(head):
            try:
                return format, pixels(head)
            except IndexError:
                return format, _TOO_MANY
    return None


def _png(head: bytes) -> int:
    return int.from_bytes(head[16:20], "big") * int.from_bytes(head[20:24], "big")


def _gif(head: bytes) -> int:
    return int.from_bytes(head[6:8], "little") * int.from_bytes(head[8:10], "little")


def _jpeg(head: bytes) -> int:
    at = 2
    while head[at] == 0xFF:
        marker = head[at + 1]
        if marker in _FRAMES:
            return int.from_bytes(head[at + 5 : at + 7], "big") * int.from_bytes(head[at + 7 : at + 9], "big")
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return _TOO_MANY


def _webp(head: bytes) -> int:
    """See: https://developers.google.com/speed/webp/docs/riff_container ."""
    kind, at = head[12:16], 20
    if kind == b"VP8X":
        return (_little(head, at + 4, 3) + 1) * (_little(head, at + 7, 3) + 1)
    if kind == b"VP8L":
        bits = _little(head, at + 1, 4)
        return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
    return (_little(head, at + 6, 2) & 0x3FFF) * (_little(head, at + 8, 2) & 0x3FFF)


def _little(head: bytes, at: int, length: int) -> int:
    return int.from_bytes(head[at : at + length], "little")


_FORMATS: tuple[tuple[str, Callable[[bytes], bool], Callable[[bytes], int]], ...] = (
    ("png", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    ("jpeg", lambda head: head.startswith(b"\xff\xd8\xff"), _jpeg),
    ("gif", lambda head: head.startswith((b"GIF87a", b"GIF89a")), _gif),
    ("webp", lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP", _webp),
)
