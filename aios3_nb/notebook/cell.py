"""``%%s3load``: its first line becomes a statement, the rest of the cell stays the user's own.

So tracebacks, ``Out``, line numbers and a top-level ``await`` are as in any other cell. (Running the body with
``run_cell`` would show errors twice, through our frames.) What the line opened is closed when the cell is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

_MAGIC = "%%s3load"


def rewritten(lines: list[str], begin: str) -> list[str]:
    """Return the lines of a cell, its first one a call of `begin`, any expression, when it is ``%%s3load ...``.

    Only the first line is touched and stays one line. ``%%s3load?`` asks for help and is left to IPython, and so
    is a cell with nothing else in it.
    """
    if not lines or not lines[0].startswith(_MAGIC):
        return lines
    rest = lines[0][len(_MAGIC) :]
    if rest[:1].strip() or not "".join(lines[1:]).strip():
        return lines
    return [f"{begin}({rest.strip()!r})\n", *lines[1:]]


class Body:
    """What a cell has open: closed once, when the body ends, however it ends."""

    def __init__(self, opened: Iterable[Any]) -> None:
        self._opened = [each for each in opened if hasattr(each, "close")]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is still open."""
        while self._opened:
            self._opened.pop().close()

    def close_after_cell(self, shell: Any) -> None:
        """Close when the cell that runs now has ended, also by an error or an interrupt."""

        def on_end(*_: Any) -> None:
            shell.events.unregister("post_execute", on_end)
            self.close()

        shell.events.register("post_execute", on_end)
