"""Keeping a panel alive while a cell is running, as far as frontend and kernel can."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def route_freely(widget: Any, arrived: Callable[[], None]) -> None:
    """Have what the page says to `widget` handled where the page asked for it; `arrived` is called at once.

    JupyterLab asks for a subshell, a thread that is free while a cell runs. But ipykernel 7.4 sends a comm's
    messages to the shell that last spoke on it: the main one, where the panel was made. That is ipykernel's own
    affair and may go; then clicks wait for the cell.
    """
    comm: Any = getattr(widget, "comm", None)
    if not hasattr(comm, "_reply_subshell_for"):
        return

    def route(data: Any, default: Any) -> Any:
        arrived()
        return default

    comm._reply_subshell_for = route  # noqa: SLF001 - see above


def waits_for_cells(shell: Any) -> bool:
    """Return whether the click that is handled just now would have waited for a running cell."""
    return getattr(shell, "kernel", None) is not None and threading.current_thread() is threading.main_thread()
