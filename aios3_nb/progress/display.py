"""Who shows progress where, and as a line of text; in a widget it is shown by `progress.widget`.

Apart from `Progress`, which the displays know, and it must not know them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from aios3_nb.progress.progress import Display, Progress


def display_for(shell: Any) -> Callable[[Progress], Display | None]:
    """Return what shows progress in `shell`: widgets in a notebook, tqdm in a terminal, nothing in a pipe."""
    if getattr(shell, "kernel", None) is not None:
        from aios3_nb.progress.widget import WidgetDisplay

        return WidgetDisplay
    if sys.stderr is not None and sys.stderr.isatty():
        return TextDisplay
    return lambda progress: None


class TextDisplay:
    """A tqdm bar on stderr; it goes when the load is done, for the closing line says it all."""

    def __init__(self, progress: Progress) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            total=progress.size, desc=progress.name, unit="B", unit_scale=True, leave=False, mininterval=0.1
        )

    def update(self, progress: Progress) -> None:
        """Show the figures."""
        self._bar.total = progress.size
        self._bar.set_postfix_str(_extra(progress), refresh=False)
        self._bar.update(progress.fetched - self._bar.n)

    def close(self, progress: Progress) -> None:
        """Take the bar away, but leave that of a load that did not end well."""
        self._bar.leave = progress.state != "done"
        if self._bar.leave:
            self._bar.set_postfix_str(progress.state, refresh=True)
        self._bar.close()


def _extra(progress: Progress) -> str:
    parts = [progress.doing]
    if progress.count is not None:
        parts.append(f"{progress.count:,} items")
    if progress.retries:
        parts.append(f"retry {progress.retries}")
    return ", ".join(parts)
