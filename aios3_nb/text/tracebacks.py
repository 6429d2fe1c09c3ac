"""What a notebook shows of an error of this package: the lines of whoever called it, and not ours.

A read goes through some fifteen frames of this package, asyncio and botocore, and none tells a user more than the error
itself does. ``%xmode Verbose`` shows them all, and so do scripts.
"""

from __future__ import annotations

import copy
import traceback
from types import TracebackType
from typing import Any

_OURS = "aios3_nb"


def rendered(exc: BaseException, *, whole: bool = False) -> list[str]:
    """Return what IPython shows of `exc`: the frames above the call into this package, unless all are to be shown."""
    from IPython.core.getipython import get_ipython  # only IPython asks

    shell: Any = get_ipython()
    if shell is None:
        return traceback.format_exception(exc)
    show = shell.InteractiveTB
    above = _above(exc.__traceback__)
    if whole or above is None or show.mode == "Verbose":
        shown, above = exc, exc.__traceback__
    else:
        shown = copy.copy(exc)  # without what caused it
    lines: list[str] = show.structured_traceback(type(exc), shown, above)
    return lines


def _above(entry: TracebackType | None) -> TracebackType | None:
    """Return the traceback down to the last entry before one of ours; None if that is the first."""
    entries = []
    while entry is not None and entry.tb_frame.f_globals.get("__name__", "").partition(".")[0] != _OURS:
        entries.append(entry)
        entry = entry.tb_next
    above = None
    for each in reversed(entries):
        above = TracebackType(above, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return above
