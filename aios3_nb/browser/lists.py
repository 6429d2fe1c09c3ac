"""Going from place to place in the bucket browser, and listing each as far as it is wanted.

Whatever waits for S3 runs on the background loop, and only there the contents change.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable
from functools import partial

from aios3_nb.address import S3Uri, is_absolute, is_all_buckets, parse
from aios3_nb.browser import listing
from aios3_nb.browser.face import Face
from aios3_nb.browser.kept import COLUMNS
from aios3_nb.browser.messages import MessageError
from aios3_nb.browser.model import Contents, Question, crumbs, parent
from aios3_nb.browser.shown import listing_shown, place_shown, row_shown
from aios3_nb.errors import S3Error
from aios3_nb.s3 import Entry

MOST_ROWS = 500
"""Rows of one message to the page."""

_HEAD = 100
"""Rows that are sent with the listing: what a page asks for at once."""

_NEAR_THE_END = 300
"""Rows before the last that is here, at which the next page is asked for."""

_BETWEEN = 0.2
"""Seconds between two updates of the page while all is being listed."""

_MOST_BACK = 100
"""Places that are remembered to go back to."""


class Lists:
    """The places of one panel.

    Args:
        face: Shows them.
        left: Called when the rows that were shown are left, so that none of them is chosen any more.
        drawn: Called when rows were drawn, on the background loop.
    """

    def __init__(self, face: Face, left: Callable[[], None], drawn: Callable[[], None]) -> None:
        self.contents = Contents()
        self.listed = False
        self._face = face
        self._left = left
        self._drawn = drawn
        # What was asked for last. The contents come to it on the loop, when it has time: what is asked for next must
        # not be understood as if they were still what counts.
        self._asked = Question()
        self._places: list[S3Uri | None] = []
        self._before: list[Question] = []
        self._updated = 0.0
        self._headed = 0

    # ---- going somewhere

    def go(self, text: str) -> None:
        """List what is at an address that was typed; nothing is the buckets.

        Raises:
            UriError: It is no address.
        """
        self.ask(listing.question_for(self._located(text)))

    def ask(self, question: Question, *, back: bool = False) -> None:
        """List the answer to `question` in the place of what is listed."""
        if not back and question != self._asked:
            self._before = [*self._before[-_MOST_BACK:], self._asked] if self.listed else []
        self._asked = question
        self._left()
        self._moved(question.where)
        self._face.post(self._list, question)

    @property
    def where(self) -> S3Uri | None:
        """What is listed, or is going to be."""
        return self._asked.where

    def place(self, number: int) -> S3Uri | None:
        """Return the place that was shown under `number`: a page acts on the one that it shows, be it left already.

        Raises:
            MessageError: None was.
        """
        if number >= len(self._places):
            raise MessageError(f"place {number}")
        return self._places[number]

    def crumb(self, place: int, at: int) -> None:
        """Go to a step of the way to a place."""
        way = crumbs(self.place(place))
        if at < len(way):
            self.ask(Question(way[at][1]))

    def up(self) -> None:
        """Go to the place above this one."""
        if self.where is not None:
            self.ask(Question(parent(self.where)))

    def back(self) -> None:
        """Go to the place before this one."""
        if self._before:
            self.ask(self._before.pop(), back=True)

    def refresh(self) -> None:
        """List the same again."""
        self.ask(self._asked)

    def filter(self, text: str, *, contains: bool) -> None:
        """List only what begins with `text`, or what contains it in all that is below this place."""
        if not text and not self._asked.is_filtered:
            return
        self.ask(Question(self.where, needle=text) if contains else Question(self.where, prefix=text))

    def sort(self, column: str) -> None:
        """Put the rows in the order of `column`, or in the opposite one if they are in that already."""
        for known in COLUMNS:
            if known == column:
                self._face.post(self._change, partial(self.contents.turn, known))

    def _located(self, text: str) -> S3Uri | None:
        text = text.strip()
        if not text or is_all_buckets(text, base=self.where):
            return None
        if self.where is None and not is_absolute(text):
            text = f"s3://{text}"
        return parse(text, base=self.where, endpoint_url=self._face.settings.endpoint_url)

    def _moved(self, where: S3Uri | None) -> None:
        self._places.append(where)
        self._face.is_at(where)
        number = len(self._places) - 1
        self._face.show("place", place_shown(where) | {"number": number, "can_go_back": bool(self._before)})

    def _corrected(self, question: Question) -> None:
        if self._asked is question:
            self._moved(question.where)

    # ---- listing

    def go_on(self, *, all: bool = False) -> None:
        """Ask for what follows; for all of it, or for as much as is asked for at once."""
        self._face.post(self._go_on, all)

    def stop(self) -> None:
        """Ask for no more; what is there stays."""
        self._face.post(self._change, self.contents.stop)

    def send_rows(self, edition: int, start: int, stop: int) -> None:
        """Send rows to the page; near the end of what is here, ask for more."""
        self._face.post(self._send_rows, edition, start, min(stop, start + MOST_ROWS))

    def find(self, edition: int, text: str, start: int, number: int) -> None:
        """Tell the page, in answer to its message `number`, which row begins with `text`."""
        self._face.post(self._find, edition, text, start, number)

    def row(self, edition: int, at: int) -> Entry | None:
        """Return a row, or None if it stands somewhere else by now."""
        found = self.contents.rows(at, at + 1) if edition == self.contents.edition else []
        return found[0] if found else None

    async def list_again(self, where: S3Uri) -> None:
        """List anew, if this is what is listed."""
        if self.contents.question.where == where:
            await self._list(self.contents.question)

    def draw(self) -> None:
        """Show how the listing stands."""
        self._updated = time.monotonic()
        self._face.show("listing", listing_shown(self.contents) | {"head": self._head()})
        self._drawn()

    def _head(self) -> list[list[str]]:
        """Return the first rows, once: with the listing itself, so that they do not come a round trip later."""
        contents = self.contents
        if self._headed == contents.edition or not contents.count:
            return []
        self._headed = contents.edition
        return [row_shown(entry, contents.question.where) for entry in contents.rows(0, _HEAD)]

    async def _list(self, question: Question) -> None:
        generation = self.contents.begin(question)
        self.draw()
        await self._take(generation)

    async def _go_on(self, all: bool) -> None:
        self.contents.wants_all = self.contents.wants_all or all
        if self.contents.can_go_on:
            generation = self.contents.go_on()
            self.draw()
            await self._take(generation)

    async def _take(self, generation: int) -> None:
        """Add the next batch to the contents, or as many as are wanted; draw what came."""
        contents, question, turn = self.contents, self.contents.question, 0
        while True:
            turn += 1
            try:
                found = await listing.batch(question, self._face.settings, token=contents.token)
            except S3Error as exc:
                if contents.fail(generation, exc):
                    self.listed = True
                    self.draw()
                return
            if not contents.is_current(generation):
                return
            folder = listing.folder_meant(question, found)
            if folder is not None and not contents.count:
                await self._list_folder(question, Question(folder))
                return
            more = bool(found.token) and (contents.wants_all or (question.is_search and turn < listing.SEARCH_PAGES))
            contents.add(generation, found, now=now(), more=more)
            self.listed = True
            if not more or question.is_search or time.monotonic() - self._updated > _BETWEEN:
                self.draw()
            if not more:
                return

    async def _list_folder(self, typed: Question, meant: Question) -> None:
        """List the folder that was typed without its ``/``, unless something else was asked for meanwhile."""
        if self._asked is typed:
            self._asked = meant
            await asyncio.to_thread(self._corrected, meant)  # whoever observes it may wait
        if self._asked is meant:
            await self._list(meant)

    async def _change(self, change: Callable[[], None]) -> None:
        change()
        self.draw()

    async def _send_rows(self, edition: int, start: int, stop: int) -> None:
        contents = self.contents
        if edition != contents.edition:
            return
        where = contents.question.where
        rows = [row_shown(entry, where) for entry in contents.rows(start, stop)]
        self._face.tell({"is": "rows", "edition": edition, "from": start, "rows": rows})
        if stop >= contents.count - _NEAR_THE_END and contents.can_go_on and not contents.question.is_search:
            await self._go_on(all=False)

    async def _find(self, edition: int, text: str, start: int, number: int) -> None:
        same = edition == self.contents.edition
        at = await asyncio.to_thread(self.contents.find, text, start) if same else None
        self._face.tell({"is": "found", "edition": edition, "row": at, "answers": number})


def now() -> datetime.datetime:
    """Return this moment."""
    return datetime.datetime.now(datetime.UTC)
