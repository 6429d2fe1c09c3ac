"""A listing as plain HTML: in saved notebooks and exports, and where the page has no front end for the panel."""

from __future__ import annotations

import html

from aios3_nb.browser.model import Contents
from aios3_nb.browser.shown import row_shown
from aios3_nb.browser.text import place_text, status_text
from aios3_nb.text import table_html

_MOST = 30

MISSING = (
    "This page did not answer: it has no front end for the panel. Install it where the Jupyter server runs "
    "(pip install anywidget), then reload the page."
)


def listing_html(contents: Contents, note: str = "") -> str:
    """Return the first rows of `contents`, and `note` above them."""
    where = contents.question.where
    rows = [(name, size, time) for _, name, size, time, _ in (row_shown(e, where) for e in contents.rows(0, _MOST))]
    more = f" The first {_MOST} are shown." if contents.count > _MOST else ""
    table = table_html(
        rows,
        head=("name", "size", "modified (UTC)") if rows else (),
        caption=place_text(where) or "Buckets",
        note=status_text(contents) + more,
        numbers=(1,),
    )
    return f"<p><em>{html.escape(note)}</em></p>{table}" if note else table
