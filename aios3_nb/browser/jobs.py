"""A row of progress in the panel for whatever takes its time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from aios3_nb.browser.panel import Panel
from aios3_nb.errors import LoadCancelledError
from aios3_nb.progress import Progress, WidgetDisplay


@contextmanager
def showing(panel: Panel, name: str) -> Iterator[Progress]:
    """Show progress in `panel` while the body runs, from the moment that it is worth it."""
    progress = Progress(name, partial(WidgetDisplay, show=panel.show_job))
    try:
        yield progress
    except BaseException as exc:
        progress.end("cancelled" if isinstance(exc, (LoadCancelledError, asyncio.CancelledError)) else "failed")
        raise
    progress.end("done")
