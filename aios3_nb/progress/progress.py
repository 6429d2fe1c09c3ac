"""How far a load has come: the figures, their text, and who shows them. No S3 and no widgets here."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from aios3_nb.streams import Monitor
from aios3_nb.text import seconds_text, share_text, size_text, visible

if TYPE_CHECKING:
    from aios3_nb.streams import ObjectInfo

_FIRST_SHOWN = 0.4
"""Seconds before anything is shown: a load that is done by then needs only its closing line."""

_BETWEEN = 0.1
"""Seconds between two updates."""

_ITEMS_BETWEEN = 64
"""Items between two looks at the clock."""

_RATE_WINDOW = 3.0
"""Seconds over which the rate is averaged."""


class Display(Protocol):
    """Shows one progress, and is told when that has changed."""

    def update(self, progress: Progress) -> None:
        """Show the figures of `progress`."""
        ...

    def close(self, progress: Progress) -> None:
        """Show how it ended, once."""
        ...


class Progress(Monitor):
    """The figures of one load, shown some ten times a second while it runs.

    Attributes:
        name: The object's name, as it is shown.
        state: ``running``, ``done``, ``failed`` or ``cancelled``.
        doing: The phase.
        size: Bytes of the object; None before the first answer.
        fetched: Bytes received.
        count: Items handed out; None when it is no iteration.
        retries: Retries so far.
        resumed: Offset at which the last retry resumed.
        is_announced: Whether `size` was known before anything began.
    """

    def __init__(
        self, name: str, make_display: Callable[[Progress], Display | None], *, total: Progress | None = None
    ) -> None:
        self.name = visible(name, most=80)
        self.state = "running"
        self.doing = "waiting"
        self.size: int | None = None
        self.fetched = 0
        self.count: int | None = None
        self.retries = 0
        self.resumed = 0
        self._stop: Callable[[], None] | None = None
        self._cancelled = False
        self.is_announced = False
        self._make_display = make_display
        self._total = total
        self._display: Display | None = None
        self._began = self._updated = time.monotonic()
        self._marks = [(self._began, 0)]
        self._ticker: asyncio.TimerHandle | None = None

    def announce(self, size: int) -> None:
        """Say that `size` bytes are to come, of all parts together, before the first of them begins."""
        self.size, self.is_announced = size, True

    # ---- told by the pipeline

    def began(self, cancel: Callable[[], None]) -> None:
        self._stop = cancel
        if self._cancelled:
            cancel()

    def opened(self, info: ObjectInfo) -> None:
        self.size = info.size
        if self._total is not None and not self._total.is_announced:
            self._total.size = (self._total.size or 0) + info.size

    def received(self, count: int) -> None:
        self.fetched += count
        self._tick()
        if self._total is not None:
            self._total.received(count)

    def retried(self, count: int, offset: int) -> None:
        self.retries, self.resumed = count, offset
        if self._total is not None:
            self._total.retries += 1

    def phase(self, name: str) -> None:
        self.doing = name
        if self._total is not None and name != "loaded":
            self._total.phase(name)
        # While nothing comes, nobody calls: the loop's own timer goes on showing that.
        with contextlib.suppress(RuntimeError):
            if self._ticker is None:
                self._arm(asyncio.get_running_loop())

    def items(self, count: int) -> None:
        self.count = count
        if count % _ITEMS_BETWEEN == 0:
            self._tick()

    # ---- told by the caller

    def cancel(self) -> None:
        """Stop the load, from any thread; one that has not begun yet will stop when it begins."""
        self._cancelled = True
        if self._stop is not None:
            self._stop()

    def end(self, state: str) -> None:
        """Show how the load ended: ``done``, ``failed`` or ``cancelled``. Only the first call counts."""
        if self.state != "running":
            return
        self.state = state
        if self._ticker is not None:
            self._ticker.cancel()
        if self._display is not None:
            self._display.close(self)

    def appear(self) -> None:
        """Be shown from now on, below what is shown already."""
        if self._display is None:
            self._display = self._make_display(self)

    # ---- figures

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    @property
    def fraction(self) -> float:
        """Share of the bytes that were received, 0.0 to 1.0; 0.0 while the size is not known."""
        return min(1.0, self.fetched / self.size) if self.size else 0.0

    @property
    def rate(self) -> float:
        """Bytes per second, of late."""
        now = time.monotonic()
        began, fetched = self._marks[0]
        return (self.fetched - fetched) / max(now - began, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """Estimate; None when there is nothing to estimate from."""
        if not self.size or self.rate < 1 or self.fetched >= self.size:
            return None
        return (self.size - self.fetched) / self.rate

    @property
    def text(self) -> str:
        """The figures in words: ``120 of 512 MB, 465 MB/s, 0.8 s left, retry 1, resumed at 80 MB, downloading``."""
        figures = self._figures()
        at = len(figures) - (self._phase is not None)
        return ", ".join([*figures[:at], *self.marks, *figures[at:]])

    @property
    def figures(self) -> str:
        """The figures without the `marks`."""
        return ", ".join(self._figures())

    @property
    def marks(self) -> list[str]:
        """What was in the way: retries, and where the last one went on."""
        resumed = [f"resumed at {size_text(self.resumed)}"] if self.resumed else []  # of several, the total has none
        return [f"retry {self.retries}", *resumed] if self.retries else []

    @property
    def total(self) -> Progress | None:
        """The progress of all that this is part of."""
        return self._total

    @property
    def display(self) -> Display | None:
        """What shows this, once it is worth it."""
        return self._display

    @property
    def _phase(self) -> str | None:
        if self.size is None or self.state != "running":
            return None
        # It is decoded while it comes; as long as it comes, that is what there is to wait for.
        return "downloading" if self.doing == "decoding" and self.fetched < self.size else self.doing

    def _figures(self) -> list[str]:
        unknown = "encoding" if self.doing == "encoding" else "waiting for the first byte"
        parts = [share_text(self.fetched, self.size) if self.size is not None else unknown]
        if self.fetched and self.doing != "loaded":
            parts.append(f"{size_text(self.rate)}/s")
        if self.count is not None:
            parts.append(f"{self.count:,} items")
        if self.seconds_left is not None and self.state == "running":
            parts.append(f"{seconds_text(self.seconds_left)} left")
        return [*parts, *([self._phase] if self._phase is not None else [])]

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        def tick() -> None:
            if self.state == "running":
                self._tick()
                self._ticker = loop.call_later(_BETWEEN, tick)

        self._ticker = loop.call_later(_BETWEEN, tick)

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._updated < _BETWEEN:
            return
        self._updated = now
        self._marks.append((now, self.fetched))
        while now - self._marks[0][0] > _RATE_WINDOW:
            self._marks.pop(0)
        if self._display is None and now - self._began >= _FIRST_SHOWN:
            if self._total is not None:  # which stands above its parts
                self._total.appear()
            self.appear()
        if self._display is not None:
            self._display.update(self)
