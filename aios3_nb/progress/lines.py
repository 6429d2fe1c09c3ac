"""The line that stays when a load is done: plain text, in a saved notebook too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aios3_nb.text import counted, seconds_text, share_text, size_text, visible

if TYPE_CHECKING:
    from aios3_nb.pipeline import Loaded, Stored
    from aios3_nb.streams import ObjectInfo

_RATED = 1_000_000
"""Bytes from which the closing line gives a rate."""

_LONG_IMPORT = 0.1
"""Seconds from which on the closing line says that they went into an import."""


def closing_line(name: str, loaded: Loaded, fetched: int) -> str:
    """Return the line that stays: ``model.pkl: 512 MB in 1.1 s (465 MB/s), CRC32 ok, etag "b63e..."``.

    Where only part of it was wanted, it says how little was `fetched`: ``users.json: fetched 0.3 of 954 MB in ...``.
    """
    size, seconds = loaded.info.size, f"{seconds_text(loaded.seconds)}{_imports(loaded.imports)}"
    note = f", {loaded.note}" if loaded.note else ""
    if fetched < size:
        return (
            f"{visible(name, most=80)}: {_came(loaded.info)} {share_text(fetched, size)} in {seconds}, "
            f"{loaded.verdict}{note}{_etag(loaded.info)}"
        )
    # That of a small object would tell of round trips.
    busy = loaded.seconds - sum(loaded.imports.values())
    rate = f" ({size_text(size / busy)}/s)" if busy > 0.05 and size >= _RATED else ""
    trusted = f", {loaded.trusted}" if loaded.trusted else ""
    return (
        f"{visible(name, most=80)}: {size_text(size)} in {seconds}{rate}, {loaded.verdict}{trusted}{note}"
        f"{_etag(loaded.info)}"
    )


def stored_line(name: str, stored: Stored) -> str:
    """Return the line that stays after storing: ``rows.json: stored 52 MB in 1.9 s (27 MB/s), CRC32 ok, etag ...``."""
    size, seconds = stored.size, stored.seconds
    rate = f" ({size_text(size / seconds)}/s)" if seconds > 0.05 and size >= _RATED else ""
    etag = f", etag {visible(stored.etag, most=44)}" if stored.etag else ""
    return (
        f"{visible(name, most=80)}: stored {size_text(size)} in {seconds_text(seconds)}{rate}, {stored.verdict}{etag}"
    )


def total_line(count: int, size: int, seconds: float, verdicts: Mapping[str, int]) -> str:
    """Return the line that stays after many loads: ``60 objects: 12 MB in 0.4 s, 60 CRC32 ok``."""
    checked = ", ".join(f"{number:,} {verdict}" for verdict, number in verdicts.items())
    return f"{counted(count, 'object')}: {size_text(size)} in {seconds_text(seconds)}, {checked}"


def items_line(
    name: str, count: int, fetched: int, info: ObjectInfo | None, verdict: str = "", trusted: str = ""
) -> str:
    """Return the line that stays after an iteration: ``events.jsonl: 10 items, fetched 0.3 of 954 MB``.

    One that went to the end says what was checked of it, its `verdict`, and with it whether that is from the cache.
    """
    share = share_text(fetched, info.size) if info is not None else "0 B"
    came = share if verdict and info is not None and info.is_cached else f"{_came(info)} {share}"
    notes = "".join(f", {note}" for note in (verdict, trusted) if note)
    items = counted(count, "item")
    return f"{visible(name, most=80)}: {items}, {came}{notes}{_etag(info)}"


def _came(info: ObjectInfo | None) -> str:
    return "from the cache" if info is not None and info.is_cached else "fetched"


def _imports(imports: Mapping[str, float]) -> str:
    """Return how much of the time went into imports, if it is worth a word: ``, of which 2.5 s importing sklearn``."""
    long = sorted((name for name in imports if imports[name] >= _LONG_IMPORT), key=lambda name: -imports[name])
    if not long:
        return ""
    names = " and ".join(visible(name, most=40) for name in long[:2])
    return f", of which {seconds_text(sum(imports[name] for name in long))} importing {names}"


def _etag(info: ObjectInfo | None) -> str:
    return f", etag {visible(info.etag, most=44)}" if info is not None and info.etag else ""
