"""Tables for notebooks: plain HTML that is at home in light and dark themes, and in exports without any style.

Whatever is not written here goes through `html.escape`: names from S3 become text, never markup.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable, Sequence

_LEFT = "text-align:left;vertical-align:top"
_RIGHT = "text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums"
_LONG = 40
"""Rows from which on a table scrolls in a part of the cell, and does not push the next cell away."""
_SCROLLS = "max-height:32em;overflow:auto"
_STAYS = "position:sticky;top:0;background:var(--jp-layout-color0, Canvas)"
_KINDS = {
    "good": "border-left:3px solid var(--jp-success-color1, #388e3c);padding-left:6px",
    "bad": "border-left:3px solid var(--jp-error-color1, #d32f2f);padding-left:6px",
    "strong": "font-weight:600",
}


def table_html(
    rows: Iterable[Sequence[str]],
    *,
    head: Sequence[str] = (),
    caption: str = "",
    note: str = "",
    numbers: Collection[int] = (),
    kinds: Sequence[str] = (),
) -> str:
    """Return a table; a long one scrolls, with its head in sight.

    Args:
        rows: The cells of each row.
        head: Names of the columns; without them the first cell of each row is its heading.
        caption: What stands above it.
        note: What stands below it.
        numbers: Columns of numbers, which stand to the right.
        kinds: For each row, as far as it goes: ``good`` or ``bad`` for a verdict, ``strong``, or nothing.
    """
    body = [
        _row(cells, numbers, headed=not head, kind=kinds[at] if at < len(kinds) else "")
        for at, cells in enumerate(rows)
    ]
    is_long = len(body) > _LONG
    more = f";{_STAYS}" if is_long else ""
    names = "".join(f'<th style="{_style(at, numbers)}{more}">{html.escape(name)}</th>' for at, name in enumerate(head))
    table = f"<table>{f'<thead><tr>{names}</tr></thead>' if head else ''}<tbody>{''.join(body)}</tbody></table>"
    # Without the classes, JupyterLab typesets what stands between two dollar signs.
    return (
        '<div class="tex2jax_ignore mathjax_ignore">'
        + (f"<p><strong>{html.escape(caption)}</strong></p>" if caption else "")
        + (f'<div style="{_SCROLLS}">{table}</div>' if is_long else table)
        + (f"<p>{html.escape(note)}</p>" if note else "")
        + "</div>"
    )


def _row(cells: Sequence[str], numbers: Collection[int], *, headed: bool, kind: str) -> str:
    pieces = []
    for at, text in enumerate(cells):
        is_head = headed and at == 0
        more = f";{_KINDS[kind]}" if kind and not is_head else ""
        tag = "th" if is_head else "td"
        scope = ' scope="row"' if is_head else ""
        pieces.append(f'<{tag}{scope} style="{_style(at, numbers)}{more}">{html.escape(text)}</{tag}>')
    return f"<tr>{''.join(pieces)}</tr>"


def _style(column: int, numbers: Collection[int]) -> str:
    return _RIGHT if column in numbers else _LEFT
