"""Progress as rows in the page; as text where the page does not show them."""

from __future__ import annotations

import time
from typing import Any

from IPython.display import display

from aios3_nb.progress.progress import Progress
from aios3_nb.progress.row import ProgressRow

_PATIENCE = 3.0
"""Seconds after which a page that has not answered shows no widgets: see `ProgressRow.can_tell`."""

_BETWEEN = 1.0
"""Seconds between two texts in a row's place; each is drawn anew."""

_MISSING = "(Text, for this page shows no widgets: pip install anywidget jupyterlab_widgets where the server runs.)"


class WidgetDisplay:
    """The row of one progress; the loads of one total share a widget, below it.

    Args:
        progress: What is shown.

    Attributes:
        row: The widget.
    """

    def __init__(self, progress: Progress) -> None:
        above = progress.total.display if progress.total is not None else None
        self._handle: Any = None
        self._began = self._said = time.monotonic()
        self._as_text = False
        if isinstance(above, WidgetDisplay):
            self.row: ProgressRow = above.row
            self.row.join(progress)
        else:
            self.row = ProgressRow(progress)
            self._handle = display(self.row, display_id=True)

    def update(self, progress: Progress) -> None:
        """Show the figures."""
        self.row.draw()
        if self._handle is None or not self.row.can_tell:
            return
        if not self.row.answered:
            self._say()
        elif self._as_text:
            # A page that was busy shows it after all: without it there was no Cancel, and the text stood still.
            self._as_text = False
            self._handle.update(self.row)

    def close(self, progress: Progress) -> None:
        """Put plain text in the widget's place: a saved notebook has no widgets behind it."""
        self.row.draw()
        if self._handle is None:
            return  # the total closes for all
        self._handle.update(_final(self.row, progress), raw=True)
        self.row.layout.close()
        self.row.close()

    def _say(self) -> None:
        """Put the figures in the row's place as text, every now and then, when nobody draws it."""
        now = time.monotonic()
        if now - self._began > _PATIENCE and now - self._said > _BETWEEN:
            self._said, self._as_text = now, True
            self._handle.update({"text/plain": "\n".join([*self.row.lines, _MISSING])}, raw=True)


def _final(row: ProgressRow, progress: Progress) -> dict[str, str]:
    # The closing line follows, or an error that says as much: one of them is enough.
    if progress.state == "done" or (progress.state == "cancelled" and len(row.lines) == 1):
        return {"text/plain": "", "text/html": ""}
    return {"text/plain": "\n".join(row.lines)}  # no HTML: JupyterLab would typeset what stands between dollar signs
