"""A listing as plain HTML: in saved notebooks and exports, and where the page has no front end for the panel."""

from __future__ import annotations

import html

from aios3_nb.browser.model import Contents
from aios3_nb.browser.shown import row_shown
from aios3_nb.browser.text import place_text, status_text

_MOST = 30

MISSING = (
    "This page did not answer: it has no front end for the panel. Install it where the Jupyter server runs "
    "(pip install anywidget), then reload the page."
)


def listing_html(contents: Contents, note: str = "") -> str:
    """Return the first rows of `contents`, and `note` above them."""
    where = contents.question.where
    rows = "".join(
        f'<tr><td style="text-align:left">{html.escape(name)}</td><td>{html.escape(size)}</td>'
        f"<td>{html.escape(time)}</td></tr>"
        for _, name, size, time, _ in (row_shown(entry, where) for entry in contents.rows(0, _MOST))
    )
    head = "<thead><tr><th style='text-align:left'>name</th><th>size</th><th>modified (UTC)</th></tr></thead>"
    more = f" The first {_MOST} are shown." if contents.count > _MOST else ""
    # Without the class, JupyterLab typesets what stands between two dollar signs.
    return (
        '<div class="tex2jax_ignore mathjax_ignore">'
        + (f"<p><em>{html.escape(note)}</em></p>" if note else "")
        + f"<p><strong>{html.escape(place_text(where) or 'Buckets')}</strong></p>"
        + (f"<table>{head}<tbody>{rows}</tbody></table>" if rows else "")
        + f"<p>{html.escape(status_text(contents) + more)}</p></div>"
    )
