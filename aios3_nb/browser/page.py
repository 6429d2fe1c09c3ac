"""How a panel and its page reach each other; and what stands in the panel's place where no page answers.

The page's side of anywidget is installed where the Jupyter *server* runs, which on many hubs is another place than
the kernel's. Nothing tells the kernel that it is missing there, but that nobody ever says hello.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

from aios3_nb.browser.saved import MISSING

_PATIENCE = 3.0
"""Seconds without a cell that runs, or rows that are awaited, after which nobody is going to answer."""

_LOOK = 0.1


class Page:
    """Who shows one panel, if anybody.

    Args:
        shell: IPython's, or None.
        bundle: Returns what to display; with a note, in the place of the panel.
        listed: Whether there is anything to be shown in its place.
    """

    def __init__(self, shell: Any, bundle: Callable[..., dict[str, Any]], listed: Callable[[], bool]) -> None:
        self._shell = shell
        self._bundle = bundle
        self._listed = listed
        self._answered = False
        self._busy = True
        self._given_up: Any = None
        self._handle: Any = None

    def answers(self) -> None:
        """Note that a page has spoken, on any thread; one that comes late gets the panel back."""
        self._answered = True
        handle, self._given_up = self._given_up, None
        if handle is not None:
            handle.update(self._bundle(), raw=True)

    def shown(self, handle: Any) -> None:
        """Note where the panel is displayed; a cell is running just now."""
        self._handle, self._busy = handle, True
        if getattr(self._shell, "kernel", None) is not None:
            self._shell.events.register("pre_run_cell", self._begins)
            self._shell.events.register("post_run_cell", self._ends)

    async def watch(self) -> None:
        """Put a listing in the panel's place when no page answers; while cells run, it may not be able to."""
        if getattr(self._shell, "kernel", None) is None:
            return  # a terminal shows the text that there is
        try:
            quiet = 0.0
            while quiet < _PATIENCE and not self._answered:
                await asyncio.sleep(_LOOK)
                quiet = quiet + _LOOK if self._listed() and not self._busy else 0.0
        finally:
            with contextlib.suppress(ValueError):  # shown twice, watched twice
                self._shell.events.unregister("pre_run_cell", self._begins)
                self._shell.events.unregister("post_run_cell", self._ends)
        if not self._answered:
            self._given_up = self._handle
            self._handle.update(self._bundle(MISSING), raw=True)

    def _begins(self, *_: Any) -> None:
        self._busy = True

    def _ends(self, *_: Any) -> None:
        self._busy = False


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
