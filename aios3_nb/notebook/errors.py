"""How an error is shown in a notebook: as one line, without the lines of the code that found it."""

from __future__ import annotations

import functools


def shorten(exc: BaseException, text: str) -> None:
    """Have IPython show `exc` as `text`, without a traceback: it asks the exception itself."""
    exc._render_traceback_ = functools.partial(_one_line, text)  # type: ignore[attr-defined]


def is_short(exc: BaseException) -> bool:
    """Say whether `shorten` was told already how `exc` is shown."""
    return hasattr(exc, "_render_traceback_")


def _one_line(text: str) -> list[str]:
    return [text]
