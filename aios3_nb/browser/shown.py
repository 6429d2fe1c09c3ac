"""What the page is sent to show: the place, the listing, rows, what is chosen; as plain values.

Everything that comes from S3 passes through `visible` here. The page puts it in as text, never as markup.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from aios3_nb.address import S3Uri, name_from_key
from aios3_nb.browser.look import entry_pairs
from aios3_nb.browser.model import Contents, crumbs
from aios3_nb.browser.preview import Preview
from aios3_nb.browser.text import copied_text, place_text, status_text, title_text
from aios3_nb.s3 import Entry
from aios3_nb.text import size_text, visible

_MOST_CRUMBS = 8
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("pkl", "pickle", "joblib", "pt", "pth"), "pickle"),
        **dict.fromkeys(("csv", "tsv", "tab", "parquet", "feather", "arrow", "xlsx"), "table"),
        **dict.fromkeys(("json", "jsonl", "ndjson", "json-seq", "geojson", "yaml", "yml", "toml", "ipynb"), "json"),
        **dict.fromkeys(("txt", "md", "log", "py", "rst", "xml", "html", "svg"), "text"),
        **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp"), "image"),
        **dict.fromkeys(("zip", "tar", "tgz", "gz", "bz2", "xz", "zst", "lz4", "whl"), "archive"),
        **dict.fromkeys(("npy", "npz", "safetensors", "h5", "hdf5"), "array"),
    }
)
_MOST_COPIED = 20_000
"""Characters of addresses that a page has before it copies them; it asks for more."""

_COMPRESSED = frozenset({"gz", "bz2", "xz", "zst", "zstd", "lz4"})


def place_shown(where: S3Uri | None) -> dict[str, Any]:
    """Return the way to `where`; each step has the number that the page names it by."""
    way = list(enumerate(crumbs(where)))
    shortened = len(way) > _MOST_CRUMBS
    steps = [*way[:2], *way[-(_MOST_CRUMBS - 3) :]] if shortened else way
    return {
        "address": place_text(where),
        "crumbs": [
            {"at": at, "name": visible(name, most=60), "title": place_text(place) or "All buckets"}
            for at, (name, place) in steps
        ],
        "shortened": shortened,
        "can_upload": where is not None,
    }


def listing_shown(contents: Contents) -> dict[str, Any]:
    """Return what there is to say of a listing, and what can be done with it."""
    question = contents.question
    listed = "" if contents.listed_at is None else f"{contents.listed_at.astimezone():%H:%M:%S}"
    return {
        "edition": contents.edition,
        "count": contents.count,
        "state": contents.state,
        "text": status_text(contents),
        "title": title_text(contents),
        "listed": listed,
        "busy": contents.busy,
        "complete": contents.complete,
        "can_go_on": contents.can_go_on,
        "sort": contents.sort,
        "descending": contents.descending,
        "filter": visible(question.needle or question.prefix),
        "contains": bool(question.needle),
        "is_search": question.is_search,
    }


def row_shown(entry: Entry, where: S3Uri | None) -> list[str]:
    """Return kind, name, size, time and class of one row."""
    time = entry.last_modified
    return [
        kind_of(entry),
        visible(_name(entry, where)),
        "" if entry.size is None else size_text(entry.size),
        "" if time is None else f"{time.astimezone(datetime.UTC):%Y-%m-%d %H:%M}",
        visible(entry.storage_class, most=40),
    ]


def kind_of(entry: Entry) -> str:
    """Return what the icon of an entry says: by its name, so it is a guess."""
    if not entry.uri.key:
        return "bucket"
    if entry.is_prefix:
        return "folder"
    parts = entry.uri.name.lower().split(".")[1:]
    if len(parts) > 1 and parts[-1] in _COMPRESSED and parts[-2] in _KINDS:
        return _KINDS[parts[-2]]
    return _KINDS.get(parts[-1], "file") if parts else "file"


def chosen_shown(entries: Sequence[Entry], now: datetime.datetime) -> dict[str, Any]:
    """Return what is known of the rows that are chosen; the last one is what details and preview are of."""
    if not entries:
        return {"count": 0}
    lead = entries[-1]
    objects = [entry for entry in entries if not entry.is_prefix]
    sizes = sum(entry.size or 0 for entry in objects)
    copied = "\n".join(copied_text(entry.uri) for entry in entries)
    several = f"{len(entries):,} chosen, {size_text(sizes)} in {len(objects):,} objects"
    return {
        "count": len(entries),
        "objects": len(objects),
        "kind": kind_of(lead),
        "uri": visible(str(lead.uri)),
        "title": visible(lead.name, most=300) if len(entries) == 1 else several,
        "summary": _summary(lead) if len(entries) == 1 else "",
        "pairs": entry_pairs(lead, now) if len(entries) == 1 else [],
        "variable": name_from_key(lead.uri.key) if len(entries) == 1 and objects else "",
        "blocked": "",
        "copies": copied if len(copied) <= _MOST_COPIED else "",
    }


def preview_shown(preview: Preview) -> dict[str, Any]:
    """Return a preview without its picture, whose bytes go beside it."""
    return {
        "title": preview.title,
        "note": preview.note,
        "verdict": preview.verdict,
        "text": preview.text,
        "types": list(preview.types),
        "table": [list(row) for row in preview.table],
        "pairs": [list(pair) for pair in preview.pairs],
        "tree": preview.tree,
        "picture": preview.picture_format,
    }


def _summary(entry: Entry) -> str:
    parts = ["" if entry.size is None else size_text(entry.size)]
    if entry.last_modified is not None:
        parts.append(f"{entry.last_modified.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC")
    return " · ".join(part for part in parts if part)


def _name(entry: Entry, where: S3Uri | None) -> str:
    if where is None or not entry.uri.key.startswith(where.key):
        return entry.name
    return entry.uri.key[len(where.key) :] or entry.name
