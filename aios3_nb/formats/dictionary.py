"""Which dictionary a stream was compressed with: its header has the number, and the dictionary is kept elsewhere."""

from __future__ import annotations

ZSTD = b"\x28\xb5\x2f\xfd"
LZ4 = b"\x04\x22\x4d\x18"


def no_dictionary(head: bytes) -> int:
    """Return 0, which stands for none."""
    return 0


def zstd_dictionary(head: bytes) -> int:
    """Return its number, 0 for none; see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1."""
    if not head.startswith(ZSTD) or len(head) < 5:
        return 0
    flags = head[4]
    start = 5 if flags & 0x20 else 6  # behind the size of the window, where that is said
    return int.from_bytes(head[start : start + (0, 1, 2, 4)[flags & 3]], "little")


def lz4_dictionary(head: bytes) -> int:
    """Return its number, 0 for none; see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md."""
    if not head.startswith(LZ4) or len(head) < 5 or not head[4] & 1:
        return 0
    start = 14 if head[4] & 8 else 6  # behind the size of the content, where that is said
    return int.from_bytes(head[start : start + 4], "little")
