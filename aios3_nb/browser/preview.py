"""The first bytes of an object -> something to look at. Nothing is executed, and no package is needed.

The name of the object only chooses between kinds of text; pictures are told by their first bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from aios3_nb.browser.pictures import picture_of
from aios3_nb.browser.table import Table, records, separated
from aios3_nb.browser.tree import Node, tree
from aios3_nb.errors import S3Error
from aios3_nb.formats import Held, decompressed
from aios3_nb.text import size_text, visible

_MOST_CHARACTERS = 40_000
_MOST_LINES = 400
_LONGEST_LINE = 2_000
_DUMPED = 512
"""What is shown of it; the rest would only be more to scroll through, and to send to the page."""

_EXPANDED = 1024 * 1024
"""Bytes that a compressed beginning is expanded to, at most."""

_COMPRESSED = re.compile(r"\.(?:gz|bz2|xz|zst|zstd|lz4)\Z", re.IGNORECASE)
_JSON = frozenset({".json", ".geojson", ".ipynb"})
_JSON_LINES = frozenset({".jsonl", ".ndjson", ".jsonlines", ".geojsonl", ".json-seq", ".geojsons"})
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*"?)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<rest>[^"\[\]{},:]+|[,:])'
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What to look at; one of the fields has something.

    Attributes:
        title: What it is, and how much of it: ``JSON, the first 1 MB of 512 MB``.
        note: What of it is not shown.
        verdict: ``good``, ``bad`` or ``open``, of a pickle: whether every name that it imports may load.
        blocked: Names of a pickle that the safe list does not have.
        text: Text, safe for any widget that does not read markup.
        table: Rows of cells, the first one a header; likewise.
        types: Of the table's columns; empty where they have none.
        pairs: Names and values, likewise.
        tree: A JSON document as far as it goes, see `tree`; None where there is none.
        picture: The bytes of an image.
        picture_format: Such as ``png``.
    """

    title: str
    note: str = ""
    verdict: str = ""
    blocked: tuple[str, ...] = ()
    text: str = ""
    table: tuple[tuple[str, ...], ...] = ()
    types: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    tree: Node | None = None
    picture: bytes = b""
    picture_format: str = ""


def preview_of(name: str, head: bytes, size: int) -> Preview:
    """Return what to look at of an object.

    Args:
        name: Its key, or the last part of it.
        head: Its first bytes, all of them if it is short.
        size: Bytes of all of it.
    """
    if not size:
        return Preview("Empty: there are no bytes in it")
    if (picture := picture_of(head)) is not None:
        return _picture(head, size, *picture)
    data, packed = _expanded(head)
    whole = len(head) == size and not packed
    suffix = suffix_of(name)
    text = _decoded(data, whole)
    if text is None:
        return Preview(_title("Bytes", head, size, packed), text=_dump(data[:_DUMPED]))
    if suffix in _SEPARATORS:
        return _table(separated(text, _SEPARATORS[suffix], whole), _title("Table", head, size, packed))
    if suffix in _JSON:
        return _json(text, _title("JSON", head, size, packed))
    if suffix in _JSON_LINES:
        title = _title("JSON Lines", head, size, packed)
        table = records(text.replace("\x1e", ""), whole)  # what a sequence has before each
        return _table(table, title) if table is not None else _text(text, title)
    return _text(text, _title("Text", head, size, packed))


def _text(text: str, title: str) -> Preview:
    shown, note = _lines(text)
    return Preview(title, note, text=shown)


def _table(table: Table, title: str) -> Preview:
    return Preview(title, table.note, table=table.rows, types=table.types)


def _json(text: str, title: str) -> Preview:
    found = tree(text)
    if found is None:
        shown, note = _lines(pretty(text))
        return Preview(title, note, text=shown)
    return Preview(title, "Only its beginning is shown." if found.cut else "", tree=found.node)


def _lines(text: str) -> tuple[str, str]:
    """Return the beginning of `text` with everything odd in it made visible, line by line; and what was cut."""
    kept = text[:_MOST_CHARACTERS]
    cut = len(kept) < len(text)
    if cut and "\n" in kept:
        kept = kept.rpartition("\n")[0]  # the last line is not all there
    lines = kept.removesuffix("\n").split("\n")
    cut = cut or len(lines) > _MOST_LINES
    shown = [visible(line.removesuffix("\r").expandtabs(4), most=_LONGEST_LINE) for line in lines[:_MOST_LINES]]
    return "\n".join(shown), f"Shown: the first {len(shown):,} lines." if cut else ""


def pretty(text: str) -> str:
    """Return the beginning of a JSON text with line breaks and indents, and nothing else changed.

    It need not be complete, nor correct: numbers of any length and depths of any kind are only text here.
    """
    pieces: list[str] = []
    depth = length = 0
    empty = False
    for match in _JSON_TOKEN.finditer(text):
        piece, depth, empty = _laid_out(match, depth, empty)
        pieces.append(piece)
        length += len(piece)
        if length > 2 * _MOST_CHARACTERS:
            break
    return "".join(pieces)


def _laid_out(match: re.Match[str], depth: int, empty: bool) -> tuple[str, int, bool]:
    """Return one token with the white space around it, the depth behind it, and whether a bracket has just opened."""
    piece = match[0] if match["string"] else match[0].strip()
    line = "\n" + "  " * min(depth, 40)
    if not piece:
        return "", depth, empty
    if match["close"]:
        outer = max(depth - 1, 0)
        return ("" if empty else "\n" + "  " * min(outer, 40)) + piece, outer, False
    if piece in ",:":
        return (f",{line}" if piece == "," else ": "), depth, False
    is_open = bool(match["open"])
    return (line if empty else "") + piece, depth + is_open, is_open


def suffix_of(name: str, *, packed: bool = False) -> str:
    """Return the last suffix of `name` in lower case; that of compression counts only when it may be `packed`."""
    stem = (name if packed else _COMPRESSED.sub("", name)).lower()
    dot = stem.rfind(".")
    return stem[dot:] if dot >= 0 else ""


def _expanded(head: bytes) -> tuple[bytes, bool]:
    """Return `head`, or what it expands to as far as it goes, and whether it was compressed."""
    raw = Held(head)
    try:
        file = decompressed(raw, max_bytes=2 * _EXPANDED)
    except S3Error:
        return head, False
    if file is raw:
        return head, False
    return _read(file), True


def _read(file: BinaryIO) -> bytes:
    data = bytearray()
    try:
        while len(data) < _EXPANDED and (piece := file.read(4096)):
            data += piece
    except S3Error:
        pass  # the beginning of a compressed file ends in the middle of something
    return bytes(data[:_EXPANDED])


def _decoded(data: bytes, whole: bool) -> str | None:
    """Return `data` as text; None if it is none."""
    for encoding, mark in (("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"), ("utf-8-sig", b"")):
        if not data.startswith(mark):
            continue
        text = data.decode(encoding, errors="replace")
        if not whole:
            text = text.rstrip("\ufffd")  # a character that was cut in two
        odd = text.count("\ufffd") + sum(text.count(c) for c in "\x00\x01\x02\x03\x04\x05\x06\x08\x0e\x0f")
        return text if odd <= len(text) // 100 else None
    return None


def _picture(head: bytes, size: int, format: str, pixels: int) -> Preview:
    if len(head) < size:
        return Preview(f"A picture ({format}) of {size_text(size)}: too large for a preview. Download it.")
    if pixels > 50_000_000:
        return Preview(f"A picture ({format}) of {pixels:,} pixels: too large for a preview. Download it.")
    return Preview(f"Picture ({format}), {size_text(size)}", picture=head, picture_format=format)


def _dump(data: bytes) -> str:
    lines = []
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        lines.append(f"{start:08x}  {row.hex(' '):47}  {text}")
    return "\n".join(lines)


def _title(kind: str, head: bytes, size: int, packed: bool) -> str:
    share = size_text(size) if len(head) == size else f"the first {size_text(len(head))} of {size_text(size)}"
    return f"{kind}, {share}{', decompressed' if packed else ''}"
