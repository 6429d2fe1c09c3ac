"""Rows of progress in the page, with one Cancel that works while the cell runs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from aios3_nb.progress.progress import Progress

MARKS = {"running": "▶", "done": "✓", "failed": "✗", "cancelled": "■"}


def _static(name: str) -> str:
    """Return a file of the page's side as text: as a file object, anywidget would keep every row for ever."""
    return (files("aios3_nb.progress") / "static" / name).read_text(encoding="utf-8")


class ProgressRow(anywidget.AnyWidget):  # type: ignore[misc]  # not typed, for what it builds on is not
    """One load, or several with their total above them; frontends without widgets show it as a line of text.

    Args:
        progress: Of the load, or the total of several.

    Attributes:
        answered: Whether a page has said that it shows this.
        can_tell: Whether it would be known at once that a page has; else only when the cell is done.
    """

    _esm = _static("progress.js")
    _css = _static("progress.css")

    _rows = traitlets.List().tag(sync=True)
    _stops = traitlets.Unicode().tag(sync=True)

    def __init__(self, progress: Progress) -> None:
        self._all = [progress]
        super().__init__(_rows=[_shown(progress)], _stops=f"Stop loading {progress.name}; nothing is bound")
        self.answered = False
        self.can_tell = _wire(self, self._hear)

    def __repr__(self) -> str:
        return text_of(self._all[0])

    def join(self, progress: Progress) -> None:
        """Show one more load below the total."""
        self._all.append(progress)
        self.draw()

    def draw(self) -> None:
        """Show the figures as they are now."""
        self._rows = [_shown(each) for each in self._all]

    @property
    def lines(self) -> list[str]:
        """The figures as text, a line for each load."""
        return [text_of(each) for each in self._all]

    def _hear(self, event: object) -> None:
        self.answered = True
        if event == "click":
            self._all[0].cancel()


def text_of(progress: Progress) -> str:
    """Return a row as text: ``▶ model.pkl: 120 of 512 MB, 465 MB/s``."""
    state = "" if progress.state == "running" else f" {progress.state}"
    return f"{MARKS[progress.state]} {progress.name}{state}: {progress.text}"


def _shown(progress: Progress) -> dict[str, Any]:
    done = progress.state == "done" or progress.doing == "loaded"
    return {
        "name": progress.name,
        "text": progress.figures,
        "marks": progress.marks,
        "state": "done" if done else progress.state,
        "fraction": progress.fraction if progress.size is not None else None,
    }


def _wire(row: ProgressRow, hear: Callable[[object], None]) -> bool:
    """Have `hear` told what the page says, also while a cell is running; return whether that is sure.

    ``on_msg`` is enough where messages reach a free thread: ipykernel 7.0 to 7.3 (subshells), and 7.4 when the
    main thread awaits. While a sync cell runs, ipykernel 7.4 would deliver them after the cell; but it asks
    the comm for a route in the thread that receives messages, the moment one arrives. That call is
    ipykernel's own and may go; then the stop button of the notebook remains.
    """
    row.on_msg(lambda _, content, __: hear(content.get("event") if isinstance(content, dict) else None))
    comm = row.comm
    if not hasattr(comm, "_reply_subshell_for"):
        return False

    def route(data: Any, default: Any) -> Any:
        content = data.get("content") if isinstance(data, dict) else None
        if isinstance(content, dict):
            hear(content.get("event"))
        return default

    comm._reply_subshell_for = route  # noqa: SLF001 - see above
    return True
