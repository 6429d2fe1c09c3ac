"""What the bucket browser does with what is chosen: look inside, load, copy, store, delete.

Each thing that is done is fixed when it is asked for; what is chosen meanwhile changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aios3_nb.address import S3Uri, name_from_key
from aios3_nb.browser import listing
from aios3_nb.browser.actions import Actions, blocked_code, code_for, named
from aios3_nb.browser.activity import Activity
from aios3_nb.browser.changes import Changes, local_file
from aios3_nb.browser.face import Face
from aios3_nb.browser.lists import Lists, now
from aios3_nb.browser.look import details_pairs, look
from aios3_nb.browser.model import Question, child
from aios3_nb.browser.objects import ASKED_FOR, PREVIEW
from aios3_nb.browser.shown import chosen_shown, preview_shown
from aios3_nb.browser.text import copied_text
from aios3_nb.browser.uploads import Uploads
from aios3_nb.errors import OptionError, S3Error
from aios3_nb.options import DEFAULTS
from aios3_nb.pipeline import Order
from aios3_nb.s3 import Entry, signed_url
from aios3_nb.settings import Settings
from aios3_nb.text import visible

_MOST_CHOSEN = 1000
"""Rows that can be chosen together: each is loaded, stored or deleted by requests of its own."""


class Desk:
    """The kernel's side of one panel.

    Args:
        face: Shows what comes of it.
        variables: Gives the notebook's variables.
        bind: Binds a variable of the notebook.

    Attributes:
        lists: Where the panel is.
        activity: What goes on.
    """

    def __init__(
        self, face: Face, variables: Callable[[], Mapping[str, Any]], bind: Callable[[str, Any], None]
    ) -> None:
        self._face = face
        self._chosen: tuple[Entry, ...] = ()
        self._edition = 0
        self._answered = 0
        self._preview: tuple[dict[str, Any], list[bytes]] | None = None
        self.activity = Activity(lambda cards: face.show("cards", cards))
        self.lists = Lists(face, self.choose_nothing, self._follow)
        self._actions = Actions(self.activity, variables, bind)
        self._changes = Changes(self.activity, self._drop, self.lists.list_again)
        self._uploads = Uploads(face.tell)

    # ---- choosing

    def choose(self, edition: int, ranges: Sequence[tuple[int, int]], lead: int, number: int) -> None:
        """Choose rows, as the page's message `number` says; the one at `lead` is shown, and counts as the last.

        None is chosen when the rows stand elsewhere by now: what is asked for next would else be done with those that
        were chosen before.
        """
        entries: list[Entry] = []
        for start, stop in ranges:
            entries += self.lists.contents.rows(start, min(stop, start + _MOST_CHOSEN - len(entries)))
        last = self.lists.row(edition, lead)
        self._answered = number
        if edition != self.lists.contents.edition:
            self.choose_nothing()
            return
        entries = [*(entry for entry in entries if entry != last), *([last] if last is not None else [])]
        self._choose(edition, entries, lead)

    def choose_nothing(self) -> None:
        """Choose no row."""
        self._choose(self.lists.contents.edition, [], None)

    def _choose(self, edition: int, entries: Sequence[Entry], at: int | None) -> None:
        before, self._chosen, self._edition = self._chosen, tuple(entries), edition
        if self._chosen != before:
            self.activity.clear()
            self._show_preview(None)
        self._show_chosen(at)
        self._face.has_chosen(entries[-1].uri if entries else None)

    def _show_chosen(self, at: int | None, **known: Any) -> None:
        shown = chosen_shown(self._chosen, now()) | known
        self._face.show("chosen", shown | {"at": at, "edition": self._edition, "answers": self._answered})

    def _follow(self) -> None:
        """Stay on the row that is chosen when rows were added before it."""
        if self._edition != self.lists.contents.edition and self._chosen:
            self._edition, self._chosen = self.lists.contents.edition, self._chosen[-1:]
            at = self.lists.contents.place_of(self._chosen[0].uri)
            self._show_chosen(at)

    @property
    def _objects(self) -> list[Entry]:
        return [entry for entry in self._chosen if not entry.is_prefix]

    def _order(self, entry: Entry) -> Order:
        return Order(uri=entry.uri, settings=self._face.settings)

    # ---- looking

    def open(self, edition: int, row: int) -> None:
        """Go into the folder of a row, or look into its object."""
        entry = self.lists.row(edition, row)
        if entry is None:
            return
        if entry.is_prefix:
            self.lists.ask(child(self.lists.contents.question, entry))
        else:
            self._choose(edition, [entry], row)
            self.look(by_itself=False)

    def look(self, *, by_itself: bool) -> None:
        """Look into the object that is chosen; `by_itself` says that nobody has asked for it, so it costs little."""
        if len(self._chosen) == 1 and not self._chosen[0].is_prefix:
            self._face.post(self._look, self._chosen[0], PREVIEW if by_itself else ASKED_FOR)

    def show_again(self) -> None:
        """Show the preview once more, to a page that has only come."""
        self._send_preview()

    async def _look(self, entry: Entry, most: int) -> None:
        if self._chosen != (entry,):
            return
        self._show_preview(({"is": "looking", "name": visible(entry.name, most=100)}, []))
        try:
            known, preview = await look(self._order(entry), most=most)
        except S3Error as exc:
            if self._chosen == (entry,):
                self._show_preview(({"is": "preview", "error": exc.said}, []))
            return
        if self._chosen != (entry,):
            return
        shown: dict[str, Any] = {"pairs": details_pairs(known, now())}
        if preview.blocked:
            order = self._order(entry)
            shown["blocked"] = blocked_code(order, name_from_key(entry.uri.key), preview.blocked)
        self._show_chosen(self.lists.contents.place_of(entry.uri), **shown)
        picture = [preview.picture] if preview.picture else []
        self._show_preview(({"is": "preview", "preview": preview_shown(preview)}, picture))

    def _show_preview(self, preview: tuple[dict[str, Any], list[bytes]] | None) -> None:
        if preview is not None or self._preview is not None:
            self._preview = preview
            self._send_preview()

    def _send_preview(self) -> None:
        content, buffers = self._preview or ({"is": "preview", "preview": None}, [])
        self._face.tell(content, buffers)

    # ---- acting on what is chosen

    def load(self, name: str) -> None:
        """Load what is chosen: one object into `name`, several each into a name of its own."""
        self._bind_each(self._actions.load, name)

    def open_file(self, name: str) -> None:
        """Bind a lazy file to `name`, or one for each object to a name of its own."""
        self._bind_each(self._actions.open_file, name)

    def _bind_each(self, action: Callable[..., Any], name: str) -> None:
        self.activity.clear()
        for entry, own in named(self._objects, name):
            self._face.post(action, self._order(entry), own)

    def download(self) -> None:
        """Save what is chosen beside the notebook."""
        self.activity.clear()
        for entry in self._objects:
            self._face.post(self._actions.download, self._order(entry), Path.cwd())

    def copy(self, number: int) -> None:
        """Send the page that asked by `number` the addresses that it copies."""
        lines = [copied_text(entry.uri) for entry in self._chosen]
        self._face.tell({"is": "copied", "text": "\n".join(lines), "answers": number})

    def sign(self, number: int) -> None:
        """Send the page that asked by `number` addresses that it copies: anybody can read from them for a while."""
        if self._objects:
            self._face.post(self._sign, [entry.uri for entry in self._objects], self._face.settings, number)

    async def _sign(self, uris: Sequence[S3Uri], settings: Settings, number: int) -> None:
        lines = [await signed_url(uri, settings, expires=DEFAULTS["expires"]) for uri in uris]
        # To the page alone: a card would stay in the panel's state, and in a notebook that is saved with it.
        self._face.tell({"is": "copied", "text": "\n".join(lines), "answers": number})

    def code(self, name: str, number: int) -> None:
        """Send the page that asked by `number` the lines that load what is chosen."""
        lines = [code_for(entry.uri, self._face.settings, own) for entry, own in named(self._objects, name)]
        if lines:
            self._face.tell({"is": "code", "text": "\n".join(lines), "answers": number})

    def delete(self) -> None:
        """Ask whether to delete what is chosen."""
        self.activity.clear()
        self._face.post(self._changes.delete, [entry.uri for entry in self._objects], self._face.settings)

    async def _drop(self, uris: Collection[S3Uri]) -> None:
        if any(entry.uri in uris for entry in self._chosen):
            await asyncio.to_thread(self.choose_nothing)  # whoever observes it may wait
        self.lists.contents.remove(uris)
        self.lists.draw()

    # ---- bringing something in

    def upload(self, place: int, number: int, name: str, size: int) -> None:
        """Store a file of the page in the place that it shows."""
        where = self.lists.place(place)
        if where is not None:
            self._face.post(self._upload, where, number, name, size)

    async def _upload(self, where: S3Uri, number: int, name: str, size: int) -> None:
        file = self._uploads.begin(number, name, size)
        await self._changes.store(where, file, self._face.settings)

    def take_piece(self, number: int, at: int, data: bytes) -> None:
        """Take a piece of a file that the page sends."""
        self._face.post(self._take_piece, number, at, data)

    async def _take_piece(self, number: int, at: int, data: bytes) -> None:
        self._uploads.take(number, at, data)

    def upload_path(self, place: int, text: str) -> None:
        """Store a file from beside the notebook in the place that the page shows.

        Raises:
            OptionError: There is no such file.
        """
        where = self.lists.place(place)
        if where is not None and text.strip():
            local = local_file(text.strip(), Path.cwd())
            self._face.post(self._changes.store, where, local, self._face.settings)

    # ---- reaching S3

    def connect(self, profile: str, endpoint: str) -> None:
        """Reach S3 in another way from now on.

        Raises:
            OptionError: The endpoint is no URL.
        """
        before = self._face.settings
        settings = replace(before, profile=profile or None, endpoint_url=_endpoint(endpoint))
        self._face.settings = settings
        self.learn_connection()
        moved = settings.endpoint_url != before.endpoint_url
        self.lists.ask(Question(None if moved else self.lists.where))

    def learn_connection(self) -> None:
        """Show how S3 is reached."""
        self._face.post(self._learn_connection)

    async def _learn_connection(self) -> None:
        settings = self._face.settings
        names = await asyncio.to_thread(listing.profiles)
        chosen = settings.profile or ""
        shown = {
            "profile": chosen,
            "profiles": [*names, *([chosen] if chosen and chosen not in names else [])],
            "endpoint": settings.endpoint_url or "",
            "found": "",
        }
        self._face.show("connection", shown)
        with contextlib.suppress(S3Error):  # the listing says what is wrong
            found = visible(await listing.endpoint(settings), most=200)
            self._face.show("connection", shown | {"found": found})


def _endpoint(text: str) -> str | None:
    text = text.strip()
    if text and not text.lower().startswith(("http://", "https://")):
        raise OptionError("An endpoint is a URL such as https://storage.example.org; leave it empty for AWS.")
    return text or None
