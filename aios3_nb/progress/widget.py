"""Progress as a row of widgets with a Cancel button that works while the cell runs."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from aios3_nb.progress.progress import Progress

_MARKS = {"running": "▶", "done": "✓", "failed": "✗", "cancelled": "■"}
_STYLES = {"running": "info", "done": "success", "failed": "danger", "cancelled": "warning"}


def _show_below(row: Any) -> Any:
    return display(row, display_id=True)


class _Row(widgets.HBox):  # type: ignore[misc]  # ipywidgets is not typed
    """A row that frontends without widgets, such as ``jupyter console``, show as a line of text."""

    text = ""

    def __repr__(self) -> str:
        return self.text


class WidgetDisplay:
    """One row: name, bar, figures, Cancel.

    Text goes through `html.escape` into HTML widgets: a Label would typeset what stands between dollar signs.

    Args:
        progress: What is shown.
        show: Puts the row somewhere, and returns what `update` puts something else in its place with.
    """

    def __init__(self, progress: Progress, show: Callable[[Any], Any] = _show_below) -> None:
        # Bases that fit what they mostly hold, so that the bars of several rows stand below each other and keep
        # their length while the figures change.
        self._name = widgets.HTML(layout=widgets.Layout(flex="0 1 14em", min_width="8em", overflow="hidden"))
        self._bar = widgets.FloatProgress(min=0.0, max=1.0, layout=widgets.Layout(flex="1 1 8em", min_width="6em"))
        self._figures = widgets.HTML(layout=widgets.Layout(flex="0 1 26em"))
        self._button = widgets.Button(
            description="Cancel",
            icon="stop",
            tooltip=f"Stop loading {progress.name}; nothing is bound",
            layout=widgets.Layout(width="auto", flex="0 0 auto"),
        )
        self._row = _Row(
            [self._name, self._bar, self._figures, self._button],
            layout=widgets.Layout(align_items="center", width="100%", flex_flow="row wrap", grid_gap="0 0.6em"),
        )
        for widget in (self._row, self._name, self._figures, self._button):
            widget.add_class("aios3-nb-progress")
        wire_cancel(self._button, progress.cancel)
        self._show(progress)
        self._handle = show(self._row)

    def update(self, progress: Progress) -> None:
        """Show the figures."""
        self._show(progress)

    def close(self, progress: Progress) -> None:
        """Put plain text in the widgets' place: a saved notebook has no widgets behind it."""
        if self._handle is not None:
            self._handle.update(_final(progress), raw=True)
        for widget in (*self._row.children, self._row):
            widget.close()

    def _show(self, progress: Progress) -> None:
        self._name.value = _one_line(f"{_MARKS[progress.state]} {progress.name}")
        self._bar.value = progress.fraction
        self._bar.bar_style = _STYLES[progress.state]
        self._figures.value = _escaped(progress.text)
        self._row.text = f"{_MARKS[progress.state]} {progress.name}: {progress.text}"


def wire_cancel(button: Any, cancel: Callable[[], None]) -> None:
    """Have a click on `button` call `cancel`, also while a cell is running.

    ``on_click`` is enough where clicks reach a free thread: ipykernel 7.0 to 7.3 (subshells), and 7.4 when the
    main thread awaits. While a sync cell runs, ipykernel 7.4 would deliver the click after the cell; but it asks
    the comm for a route in the thread that receives messages, the moment the click arrives. That call is
    ipykernel's own and may go; then the stop button of the notebook remains.
    """
    button.on_click(lambda _: cancel())
    comm = button.comm
    if not hasattr(comm, "_reply_subshell_for"):
        return

    def route(data: Any, default: Any) -> Any:
        content = data.get("content") if isinstance(data, dict) else None
        if isinstance(content, dict) and content.get("event") == "click":
            cancel()
        return default

    comm._reply_subshell_for = route  # noqa: SLF001 - see above


def _final(progress: Progress) -> dict[str, str]:
    if progress.state == "done":  # the closing line follows, and says more
        return {"text/plain": "", "text/html": ""}
    line = f"{_MARKS[progress.state]} {progress.name} {progress.state}: {progress.text}"
    return {"text/plain": line}  # no HTML: JupyterLab would typeset what stands between dollar signs


def _one_line(text: str) -> str:
    """Return `text` in bold on one line; what there is no room for shows under the mouse."""
    escaped = html.escape(text)
    style = "display:block;max-width:13.5em;overflow:hidden;text-overflow:ellipsis;white-space:pre;font-weight:600"
    return f'<span style="{style}" title="{escaped}">{escaped}</span>'


def _escaped(text: str) -> str:
    return f'<span style="font-variant-numeric:tabular-nums;white-space:pre-wrap">{html.escape(text)}</span>'
