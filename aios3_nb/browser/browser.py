"""The bucket browser: a panel of widgets to look around in S3, look inside, and load into a variable.

Everything that waits for S3 runs on the background loop with a client of its own, and only there `_contents`
is touched: so the panel goes on while a cell keeps the main thread busy, as far as clicks get through to it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import ipywidgets as widgets
import traitlets

from aios3_nb import settings as settings_module
from aios3_nb.address import S3Uri, is_absolute, name_from_key, parse
from aios3_nb.browser import listing
from aios3_nb.browser.actions import Actions, code_for, copied_text
from aios3_nb.browser.changes import Changes, LocalFile, local_file, sent_files
from aios3_nb.browser.html import insert_html, text_html
from aios3_nb.browser.look import details_pairs, entry_pairs, look
from aios3_nb.browser.model import Contents, Question, child
from aios3_nb.browser.panel import CONTAINS, Panel, discard, show
from aios3_nb.browser.route import is_own_doing, route_freely, waits_for_cells
from aios3_nb.errors import LoadCancelledError, OptionError, S3Error
from aios3_nb.loop import background
from aios3_nb.pipeline import Order, locate, place
from aios3_nb.s3 import Entry
from aios3_nb.settings import Overrides, Settings
from aios3_nb.text import visible

_WAITS = (
    "While a cell runs, clicks wait here until it ends: this frontend or kernel has no thread for them. "
    "JupyterLab 4.4 and later with ipykernel 7 have one."
)


class S3Browser(widgets.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """The panel; `browse` makes one.

    Attributes:
        selected: The object, folder or bucket that is chosen, or None; ``observe`` it to follow the choice.
        where: The folder or bucket that is listed; None for the buckets. To be observed as well.
    """

    selected = traitlets.Instance(S3Uri, allow_none=True, read_only=True)
    where = traitlets.Instance(S3Uri, allow_none=True, read_only=True)

    def __init__(self, address: S3Uri | None, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._contents = Contents()
        self._chosen: Entry | None = None
        self._under_way: set[concurrent.futures.Future[None]] = set()
        self._shell = _shell()
        self._panel = Panel(self)
        self._actions = Actions(self._panel, lambda: self._variables, self._bind)
        self._changes = Changes(self._panel, self._drop, self._list_again)
        self._panel.endpoint.value = settings.endpoint_url or ""
        self._choose(None)
        self._wire()
        route_freely(self)
        self._post(self._learn_connection)
        self._ask(listing.question_for(address))

    def __repr__(self) -> str:
        place = "buckets" if self.where is None else visible(str(self.where))
        return f"<S3Browser {place}>"

    def close(self) -> None:
        """Stop what is under way, and take the panel away."""
        for future in list(self._under_way):
            future.cancel()
        for widget in self.children:
            discard(widget)
        self.layout.close()
        super().close()

    # ---- going somewhere

    def go(self, uri: str | None) -> None:
        """List what is at `uri`, as if it was typed into the field for it; None lists the buckets."""
        self._ask(listing.question_for(self._located(uri or "")))

    def _located(self, text: str) -> S3Uri | None:
        text = text.strip()
        if text in {"", "s3://", "s3:"}:
            return None
        if self.where is None and not is_absolute(text):
            text = f"s3://{text}"
        return parse(text, base=self.where, endpoint_url=self._settings.endpoint_url)

    def _ask(self, question: Question) -> None:
        self._choose(None)
        self._panel.say("")
        self.set_trait("where", question.where)
        self._post(self._list, question)

    async def _list(self, question: Question) -> None:
        generation = self._contents.begin(question)
        self._panel.draw(self._contents)
        await self._take(generation)

    async def _take(self, generation: int) -> None:
        """Add the next batch, of a search the next ones, to the contents; draw what came."""
        contents, question = self._contents, self._contents.question
        for turn in range(listing.SEARCH_PAGES):
            try:
                found = await listing.batch(question, self._settings, token=contents.token)
            except S3Error as exc:
                if contents.fail(generation, exc):
                    self._panel.draw(contents)
                return
            if not contents.is_current(generation):
                return
            folder = listing.folder_meant(question, found)
            if folder is not None and not contents.count:
                await asyncio.to_thread(self.set_trait, "where", folder)  # as in _drop
                await self._list(Question(folder))
                return
            more = question.is_search and bool(found.token) and turn + 1 < listing.SEARCH_PAGES
            contents.add(generation, found, now=_now(), more=more)
            self._panel.draw(contents)
            if not more:
                return

    async def _go_on(self) -> None:
        if self._contents.needs_request:
            generation = self._contents.go_on()
            self._panel.draw(self._contents)
            await self._take(generation)
        else:
            self._contents.forward()
            self._panel.draw(self._contents)

    async def _change(self, change: Callable[..., None], *args: Any) -> None:
        """Change the contents without a request."""
        change(*args)
        self._panel.draw(self._contents)

    # ---- what the widgets tell

    def _wire(self) -> None:
        panel = self._panel
        panel.on_crumb = lambda where: self._ask(Question(where))  # type: ignore[method-assign]
        clicks: dict[Any, Callable[[], None]] = {
            panel.refresh: lambda: self._ask(self._contents.question),
            panel.stop: lambda: self._post(self._change, self._contents.stop),
            panel.back: lambda: self._move(self._change, self._contents.back),
            panel.more: lambda: self._move(self._go_on),
            panel.open: self._open,
            panel.load: lambda: self._act(self._actions.load, panel.name.value),
            panel.open_file: lambda: self._act(self._actions.open_file, panel.name.value),
            panel.download: lambda: self._act(self._actions.download, Path.cwd()),
            panel.copy_uri: self._copy,
            panel.code: self._insert,
            panel.delete: self._delete,
            panel.confirm: lambda: self._post(self._changes.confirmed),
            panel.keep: self._changes.forget,
        }
        for button, handler in clicks.items():
            button.on_click(self._heard(handler))
        changes: dict[Any, Callable[[], None]] = {
            panel.address: lambda: self.go(panel.address.value),
            panel.filter: self._filter,
            panel.mode: self._filter,
            panel.sort: lambda: self._move(self._change, self._contents.sort_by, panel.sort.value),
            panel.profile: lambda: self._connect(profile=panel.profile.value or None),
            panel.endpoint: lambda: self._connect(endpoint_url=_endpoint(panel.endpoint.value)),
            panel.upload_toggle: lambda: show(panel.uploading, panel.upload_toggle.value),
            panel.files: self._upload_sent,
            panel.path: self._upload_path,
        }
        for widget, handler in changes.items():
            widget.observe(self._heard(handler), "value")
        panel.rows.observe(self._heard(self._row_chosen), "index")

    def _heard(self, handler: Callable[[], None]) -> Callable[[Any], None]:
        """Return `handler` for a widget's events: but for those that the panel causes itself, by drawing."""

        def handle(_: Any) -> None:
            if is_own_doing():
                return
            if waits_for_cells(self._shell):
                self._panel.note.value = text_html(_WAITS, "note")
            try:
                handler()
            except S3Error as exc:
                self._panel.say(str(exc), "error")

        return handle

    def _filter(self) -> None:
        text, where = self._panel.filter.value, self._contents.question.where
        if not text and not self._contents.question.is_filtered:
            return
        if self._panel.mode.value == CONTAINS:
            self._ask(Question(where, needle=text))
        else:
            self._ask(Question(where, prefix=text))

    def _move(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        self._choose(None)
        self._post(work, *args)

    def _connect(self, **changes: Any) -> None:
        """Reach S3 in another way from now on."""
        self._settings = replace(self._settings, **changes)
        self._post(self._learn_connection)
        self._ask(Question(None if "endpoint_url" in changes else self.where))

    def _row_chosen(self) -> None:
        index, rows = self._panel.rows.index, self._contents.rows
        self._choose(rows[index] if index is not None and index < len(rows) else None)

    def _choose(self, entry: Entry | None) -> None:
        panel, self._chosen = self._panel, entry
        if entry is None:
            panel.rows.index = None
        is_object = entry is not None and not entry.is_prefix
        for widget in (panel.load, panel.name, panel.open_file, panel.code, panel.download, panel.delete):
            widget.disabled = not is_object
        panel.open.disabled = panel.copy_uri.disabled = entry is None
        panel.open.description = "Open" if entry is not None and entry.is_prefix else "Preview"
        panel.name.value = name_from_key(entry.uri.key) if is_object and entry is not None else ""
        panel.draw_details([] if entry is None else entry_pairs(entry, _now()))
        panel.draw_preview(None)
        panel.offer("")
        self._changes.forget()
        self.set_trait("selected", None if entry is None else entry.uri)

    # ---- acting on the choice

    def _open(self) -> None:
        entry = self._chosen
        if entry is None:
            return
        if entry.is_prefix:
            self._ask(child(self._contents.question, entry))
        else:
            self._post(self._look, entry)

    async def _look(self, entry: Entry) -> None:
        known, preview = await look(Order(uri=entry.uri, settings=self._settings))
        if self._chosen is entry:
            self._panel.draw_details(details_pairs(known, _now()))
            self._panel.draw_preview(preview)

    def _act(self, action: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        if self._chosen is not None:
            self._panel.say("")
            self._post(action, Order(uri=self._chosen.uri, settings=self._settings), *args)

    def _copy(self) -> None:
        if self._chosen is not None:
            self._panel.offer(copied_text(self._chosen.uri))

    def _insert(self) -> None:
        if self._chosen is not None:
            name = self._panel.name.value or name_from_key(self._chosen.uri.key)
            code = code_for(self._chosen.uri, self._settings, name)
            self._panel.offer(code, insert_html(code))

    def _delete(self) -> None:
        if self._chosen is not None:
            self._changes.ask_delete(self._chosen.uri, self._settings)

    async def _drop(self, uri: S3Uri) -> None:
        if self.selected == uri:
            await asyncio.to_thread(self._choose, None)  # whoever observes it may wait
        self._contents.remove(uri)
        self._panel.draw(self._contents)

    async def _list_again(self, where: S3Uri) -> None:
        if self._contents.question.where == where:
            await self._list(self._contents.question)

    def _upload_sent(self) -> None:
        files, self._panel.files.value = sent_files(self._panel.files.value), ()
        self._upload(files)

    def _upload_path(self) -> None:
        if text := self._panel.path.value.strip():
            self._upload([local_file(text, Path.cwd())])

    def _upload(self, files: list[LocalFile]) -> None:
        if self.where is not None and files:
            self._panel.say("")
            self._post(self._changes.store, self.where, files, self._settings)

    # ---- where it runs

    @property
    def _variables(self) -> dict[str, Any]:
        return self._shell.user_ns if self._shell is not None else {}

    def _bind(self, name: str, value: Any) -> None:
        if self._shell is None:
            raise OptionError("There is no notebook here to bind a variable in; aios3_nb.load returns the object.")
        self._shell.push({name: value})

    def _post(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Have `work` run on the background loop; what it fails of is shown."""
        future = asyncio.run_coroutine_threadsafe(self._shown(work, *args), background().loop)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)

    async def _shown(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        try:
            await work(*args)
        except LoadCancelledError as exc:
            self._panel.say(str(exc), "note")
        except S3Error as exc:
            self._panel.say(str(exc), "error")
        except Exception as exc:
            # Whatever a pickle of trusted names or a full disk raises: nobody else would show it.
            self._panel.say(f"{type(exc).__name__}: {visible(str(exc), most=500)}", "error")

    async def _learn_connection(self) -> None:
        names = await asyncio.to_thread(listing.profiles)
        self._panel.draw_profiles(names, self._settings.profile)
        self._panel.endpoint.placeholder = visible(await listing.endpoint(self._settings), most=200)


def browse(uri: str | None = None, **options: Unpack[Overrides]) -> S3Browser:
    """Return the bucket browser, a panel of widgets: the value of a cell's last line is shown.

    Args:
        uri: Where to begin; else the place of ``%s3cd``, else the buckets.
        options: Settings for this panel alone, such as ``profile`` and ``endpoint_url``.

    Raises:
        UriError: `uri` names nothing.
        OptionError: An option that does not exist, or a value that does not fit.
    """
    settings = settings_module.current(**options)
    return S3Browser(place() if uri is None else locate(uri, settings), settings)


def _endpoint(text: str) -> str | None:
    text = text.strip()
    if text and not text.lower().startswith(("http://", "https://")):
        raise OptionError("An endpoint is a URL such as https://storage.example.org; leave it empty for AWS.")
    return text or None


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()
