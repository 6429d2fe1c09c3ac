"""Keeping a panel alive while a cell is running, as far as frontend and kernel can."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from aios3_nb.loop import background


def route_freely(widget: Any) -> None:
    """Have what the frontend says to `widget` and those in it handled where the frontend asked for it.

    JupyterLab asks for a subshell, a thread that is free while a cell runs. But ipykernel 7.4 sends a comm's
    messages to the shell that last spoke on it: the main one, where the panel was made. That is ipykernel's own
    affair and may go; then clicks wait for the cell.
    """
    comm: Any = getattr(widget, "comm", None)
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = _as_asked  # noqa: SLF001 - see above
    for each in getattr(widget, "children", ()):
        route_freely(each)


def waits_for_cells(shell: Any) -> bool:
    """Return whether the click that is handled just now would have waited for a running cell."""
    return getattr(shell, "kernel", None) is not None and threading.current_thread() is threading.main_thread()


def is_own_doing() -> bool:
    """Return whether this is the background loop: what a widget tells there was set there, by drawing."""
    try:
        return asyncio.get_running_loop() is background().loop
    except RuntimeError:
        return False


def _as_asked(data: Any, default: Any) -> Any:
    return default
