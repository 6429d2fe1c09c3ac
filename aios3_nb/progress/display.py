"""Who shows progress where: apart from `Progress`, which the displays know, and it must not know them."""

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
        from aios3_nb.progress.text import TextDisplay

        return TextDisplay
    return lambda progress: None
