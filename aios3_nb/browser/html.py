"""The markup of the bucket browser; whatever is not written here goes through `html.escape`.

An HTML widget sets innerHTML: one name from S3 that came through as it is could run a script in the page.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence

_FONT = "var(--jp-code-font-family, monospace)"
_LINE = "var(--jp-border-color2, #8884)"
_FAINT = "var(--jp-ui-font-color2, #777)"

STYLE = f"""<style>
.aios3-nb-browser {{ border: 1px solid {_LINE}; border-radius: 4px; padding: 6px 10px 8px; overflow: hidden; }}
.aios3-nb-browser > .widget-html:first-child {{ display: none; }}
.aios3-nb-browser .widget-html-content {{ line-height: 1.45; }}
.aios3-nb-rows select {{ font-family: {_FONT}; font-size: 12px; line-height: 1.5; padding: 2px 0; }}
.aios3-nb-rows select option {{ padding: 1px 6px; }}
.aios3-nb-crumbs button {{ background: none; box-shadow: none !important; padding: 0 5px; font-weight: 600;
  color: var(--jp-content-link-color, #1565c0); border: 1px solid transparent; }}
.aios3-nb-crumbs button:hover {{ text-decoration: underline; }}
.aios3-nb-crumbs button:focus-visible {{ border-color: currentColor; }}
.aios3-nb-crumbs button + button::before {{ content: "/"; display: inline-block; padding-right: 9px;
  color: {_FAINT}; font-weight: 400; text-decoration: none; }}
.aios3-nb-text {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
.aios3-nb-faint {{ color: {_FAINT}; }}
.aios3-nb-header {{ font: 600 12px {_FONT}; white-space: pre; padding: 4px 7px 0; color: {_FAINT}; }}
.aios3-nb-error {{ border-left: 3px solid var(--jp-error-color1, #d32f2f); padding: 2px 8px; }}
.aios3-nb-done {{ border-left: 3px solid var(--jp-success-color1, #388e3c); padding: 2px 8px; }}
.aios3-nb-note {{ border-left: 3px solid var(--jp-warn-color1, #f57c00); padding: 2px 8px; }}
.aios3-nb-pre {{ font: 12px/1.45 {_FONT}; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 260px;
  overflow: auto; margin: 2px 0; padding: 6px 8px; border: 1px solid {_LINE}; border-radius: 3px; }}
.aios3-nb-scroll {{ max-height: 260px; overflow: auto; border: 1px solid {_LINE}; border-radius: 3px; }}
.aios3-nb-scroll table, .aios3-nb-pairs {{ border-collapse: collapse; font-size: 12px; margin: 0; }}
.aios3-nb-scroll td, .aios3-nb-scroll th {{ padding: 2px 8px; text-align: left; white-space: nowrap;
  border-bottom: 1px solid {_LINE}; }}
.aios3-nb-pairs td {{ padding: 0 14px 0 0; vertical-align: top; text-align: left; overflow-wrap: anywhere; }}
.aios3-nb-pairs td:first-child {{ color: {_FAINT}; white-space: nowrap; }}
.aios3-nb-insert {{ cursor: pointer; }}
.aios3-nb-preview img {{ max-width: 100%; max-height: 400px; object-fit: contain; }}
</style>"""


def text_html(text: str, kind: str = "text") -> str:
    """Return a line of text; `kind` is ``text``, ``faint``, ``header``, ``error``, ``done`` or ``note``."""
    return f'<div class="aios3-nb-text aios3-nb-{kind}">{html.escape(text)}</div>' if text else ""


def title_html(text: str) -> str:
    """Return a short heading."""
    return f'<div class="aios3-nb-text"><b>{html.escape(text)}</b></div>'


def pre_html(text: str) -> str:
    """Return text in lines, that scrolls when it is long."""
    return f'<pre class="aios3-nb-pre" tabindex="0">{html.escape(text)}</pre>'


def pairs_html(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values below each other."""
    rows = "".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in pairs)
    return f'<table class="aios3-nb-pairs">{rows}</table>'


def table_html(rows: Sequence[Sequence[str]]) -> str:
    """Return a table that scrolls; the first row is its header."""
    if not rows:
        return ""
    header = "".join(f"<th>{html.escape(cell)}</th>" for cell in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows[1:])
    return (
        f'<div class="aios3-nb-scroll" tabindex="0"><table><thead><tr>{header}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def insert_html(code: str) -> str:
    """Return a button that JupyterLab and Notebook 7 put `code` into a new cell for; nothing is run.

    Their "command linker" runs the commands that an element names when it is clicked; the newest asks first.
    Other frontends do nothing, so the code stands beside it to be copied.

    See: https://jupyterlab.readthedocs.io/en/stable/user/commands.html
    """
    commands = ["notebook:insert-cell-below", "notebook:replace-selection"]
    arguments = html.escape(json.dumps({"commands": commands, "args": {"text": code}}), quote=True)
    return (
        '<button class="jupyter-button widget-button aios3-nb-insert" title="JupyterLab and Notebook 7 only" '
        f'data-commandlinker-command="apputils:run-all-enabled" data-commandlinker-args="{arguments}">'
        "Insert below</button>"
    )
