"""Event loops of a test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


def run_afresh(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on a loop that nobody has used, and that is closed then.

    Where nest-asyncio2 was applied, `asyncio.run` takes the loop that is there, with what earlier tests left on it: its
    clients, for one; and it leaves it open.
    """
    with asyncio.Runner() as runner:
        runner.run(main)
