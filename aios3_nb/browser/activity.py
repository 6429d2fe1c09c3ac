"""What goes on in the bucket browser, and what came of it: a card for each, one below the other.

A card is a row of progress with a Cancel of its own, a question, or an outcome. Questions wait here for their
answer; whatever is asked is fixed when it is put.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aios3_nb.errors import LoadCancelledError
from aios3_nb.progress import Progress

Kind = Literal["running", "question", "done", "note", "error"]
_MOST = 30
"""Cards that are kept; of a hundred uploads, the oldest outcomes go first."""


@dataclass(slots=True)
class _Card:
    kind: Kind
    text: str
    name: str = ""
    fraction: float | None = None
    lines: Sequence[str] = ()
    code: str = ""
    answer: str = ""
    stop: Callable[[], None] = field(default=lambda: None)

    def shown(self, number: int) -> dict[str, Any]:
        return {
            "id": number,
            "kind": self.kind,
            "name": self.name,
            "text": self.text,
            "fraction": self.fraction,
            "lines": list(self.lines),
            "code": self.code,
            "answer": self.answer,
        }


class Activity:
    """The cards of one panel.

    Args:
        draw: Shows all cards, each as a dict of plain values.
    """

    def __init__(self, draw: Callable[[list[dict[str, Any]]], None]) -> None:
        self._draw = draw
        self._cards: dict[int, _Card] = {}
        self._answers: dict[int, asyncio.Future[bool]] = {}
        self._about_choice: set[int] = set()
        self._numbers = itertools.count(1)
        # Rows of progress are told from threads that decode, outcomes from the loop, choices from the page's thread.
        self._lock = threading.RLock()

    # ---- outcomes

    def say(self, text: str, kind: Kind = "done", *, lines: Sequence[str] = (), code: str = "") -> None:
        """Show what came of something, and perhaps a line to be copied."""
        if text:
            self._put(_Card(kind, text, lines=lines, code=code))

    def clear(self) -> None:
        """Take away the outcomes, and the questions about what was chosen."""
        with self._lock:
            for number in list(self._about_choice):
                self.answer(number, yes=False)
            for number in [n for n, card in self._cards.items() if card.kind in ("done", "note", "error")]:
                del self._cards[number]
            self._redraw()

    def dismiss(self, number: int) -> None:
        """Take away one outcome."""
        with self._lock:
            card = self._cards.get(number)
            if card is not None and card.kind in ("done", "note", "error"):
                del self._cards[number]
                self._redraw()

    # ---- questions

    async def ask(self, text: str, answer: str, *, about_choice: bool = False) -> bool:
        """Return whether the user wants what `answer` says; choosing another row means no if it was `about_choice`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        with self._lock:
            number = self._put(_Card("question", text, answer=answer))
            self._answers[number] = future
            if about_choice:
                self._about_choice.add(number)
        try:
            return await future
        finally:
            self._forget(number)

    def answer(self, number: int, *, yes: bool) -> None:
        """Answer the question of a card; one that is not there any more is not answered twice."""
        with self._lock:
            future = self._answers.pop(number, None)
            self._forget(number)
        if future is not None:
            future.get_loop().call_soon_threadsafe(_settle, future, yes)

    def _forget(self, number: int) -> None:
        with self._lock:
            self._answers.pop(number, None)
            self._about_choice.discard(number)
            if self._cards.pop(number, None) is not None:
                self._redraw()

    # ---- progress

    @contextmanager
    def showing(self, name: str) -> Iterator[Progress]:
        """Show progress while the body runs, from the moment that it is worth it."""
        progress = Progress(name, lambda progress: _Row(self, progress))
        try:
            yield progress
        except BaseException as exc:
            progress.end("cancelled" if isinstance(exc, (LoadCancelledError, asyncio.CancelledError)) else "failed")
            raise
        progress.end("done")

    def cancel(self, number: int) -> None:
        """Stop what the row of a card is about, and nothing else."""
        card = self._cards.get(number)
        if card is not None:
            card.stop()

    def put_row(self, progress: Progress) -> int:
        """Add a row; return its number."""
        return self._put(_Card("running", progress.text, progress.name, progress.fraction, stop=progress.cancel))

    def show_row(self, number: int, progress: Progress) -> None:
        """Show the figures of a row."""
        with self._lock:
            card = self._cards.get(number)
            if card is not None:
                card.text, card.fraction = progress.text, progress.fraction
                self._redraw()

    def drop_row(self, number: int) -> None:
        """Take a row away: what came of it is said apart."""
        self._forget(number)

    def _put(self, card: _Card) -> int:
        with self._lock:
            number = next(self._numbers)
            self._cards[number] = card
            over = [n for n, each in self._cards.items() if each.kind not in ("running", "question")][:-_MOST]
            for old in over:
                del self._cards[old]
            self._redraw()
            return number

    def _redraw(self) -> None:
        self._draw([card.shown(number) for number, card in self._cards.items()])


class _Row:
    """The `Display` of one progress."""

    def __init__(self, activity: Activity, progress: Progress) -> None:
        self._activity = activity
        self._number = activity.put_row(progress)

    def update(self, progress: Progress) -> None:
        self._activity.show_row(self._number, progress)

    def close(self, progress: Progress) -> None:
        self._activity.drop_row(self._number)


def _settle(future: asyncio.Future[bool], yes: bool) -> None:
    if not future.done():
        future.set_result(yes)
