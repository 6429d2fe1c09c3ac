"""What is told of a load becomes rows and lines to look at.

In comes what a `Monitor` is told, and at the end what was loaded. Out come a row of widgets or a bar of text while it
runs, and the line that stays. The room must not know who asked for the load: the magics and the browser both use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.progress.display import display_for as display_for
    from aios3_nb.progress.lines import (
        closing_line as closing_line,
        items_line as items_line,
        stored_line as stored_line,
        total_line as total_line,
    )
    from aios3_nb.progress.progress import Progress as Progress
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        display="display_for",
        lines="closing_line items_line stored_line total_line",
        progress="Progress",
    )
