"""The bucket browser: a panel to look around in S3, look inside, and load into a variable.

The page draws (``static/browser.js``), and asks for what its user wants; what may be done is decided here. Everything
that waits for S3 runs on the background loop with a client of its own: so the panel goes on while a cell keeps the
main thread busy, as far as the page's messages get through to it. Annotations are evaluated, for `spelled_out` reads
them.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine, Sequence
from importlib.resources import files
from typing import Any, Unpack

import anywidget
import traitlets
from IPython.display import display

from aios3_nb.address import S3Uri
from aios3_nb.browser import listing
from aios3_nb.browser.desk import Desk
from aios3_nb.browser.hands import handle
from aios3_nb.browser.messages import MessageError, message_of
from aios3_nb.browser.page import Page, route_freely, waits_for_cells
from aios3_nb.browser.saved import listing_html
from aios3_nb.errors import LoadCancelledError, OptionError, S3Error
from aios3_nb.loop import background
from aios3_nb.options import Browsing, divided, spelled_out
from aios3_nb.pipeline import locate_folder
from aios3_nb.settings import Settings
from aios3_nb.text import visible

_WAITS = (
    "While a cell runs, clicks wait here until it ends: this frontend or kernel has no thread for them. "
    "JupyterLab 4.4 and later with ipykernel 7 have one."
)
_HEIGHTS = (240, 2000)
_FIRST_LISTING = 1.5
"""Seconds that showing the panel waits for rows, so that a saved notebook has them."""

_height = 460
"""Pixels of the next panel of this kernel: those of the last one that was made higher or lower."""


def _static(name: str) -> str:
    """Return a file of the page's side as text: as a file object, anywidget would keep every panel for ever."""
    return (files("aios3_nb.browser") / "static" / name).read_text(encoding="utf-8")


class S3Browser(anywidget.AnyWidget):  # type: ignore[misc]  # not typed, for what it builds on is not
    """The panel; `browse` makes one.

    Attributes:
        selected: The object, folder or bucket that is chosen, or None; ``observe`` it to follow the choice. Of
            several, it is the last.
        where: The folder or bucket that is listed; None for the buckets. To be observed as well.
        height: Pixels.
    """

    _esm = _static("browser.js")
    _css = _static("browser.css")

    selected = traitlets.Instance(S3Uri, allow_none=True, read_only=True)
    where = traitlets.Instance(S3Uri, allow_none=True, read_only=True)
    height = traitlets.Int().tag(sync=True)

    _place = traitlets.Dict().tag(sync=True)
    _listing = traitlets.Dict().tag(sync=True)
    _chosen = traitlets.Dict({"count": 0}).tag(sync=True)
    _cards = traitlets.List().tag(sync=True)
    _connection = traitlets.Dict().tag(sync=True)
    _note = traitlets.Unicode().tag(sync=True)

    def __init__(self, address: S3Uri | None, settings: Settings, *, height: int | None = None) -> None:
        super().__init__(height=_height if height is None else height)
        self.settings = settings
        self._under_way: set[concurrent.futures.Future[None]] = set()
        self._shell = _shell()
        self._listed = threading.Event()
        self._page = Page(self._shell, self._bundle, self._listed.is_set)
        self._desk = Desk(self, lambda: self._variables, self._bind)
        self.on_msg(self._hear)
        route_freely(self, self._page.answers)
        self._desk.learn_connection()
        self._desk.lists.ask(listing.question_for(address))

    def __repr__(self) -> str:
        place = "buckets" if self.where is None else visible(str(self.where))
        return f"<S3Browser {place}>"

    def _ipython_display_(self) -> None:
        self._listed.wait(_FIRST_LISTING)
        handle = display(self._bundle(), raw=True, display_id=True)
        if handle is not None:
            self._page.shown(handle)
            self.post(self._page.watch)

    def _bundle(self, note: str = "") -> dict[str, Any]:
        """Return what a notebook keeps of the panel: with a `note` that nobody answers, without the panel itself."""
        contents = self._desk.lists.contents
        bundle: dict[str, Any] = {"text/plain": f"{self!r}{note and f' {note}'}"}
        if contents.listed_at is not None or note:
            bundle["text/html"] = listing_html(contents, note)
        if not note:
            view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
            bundle["application/vnd.jupyter.widget-view+json"] = view
        return bundle

    def close(self) -> None:
        """Stop what is under way, and take the panel away."""
        for future in list(self._under_way):
            future.cancel()
        self.layout.close()
        super().close()

    def go(self, uri: str | None) -> None:
        """List what is at `uri`, as if it was typed into the field for it; None lists the buckets."""
        self._desk.lists.go(uri or "")

    # ---- what the page tells

    def _hear(self, _: Any, content: object, buffers: Sequence[memoryview]) -> None:
        self._page.answers()
        try:
            message = message_of(content, buffers)
            self.tell({"is": "heard", "n": message.number})
            self._note = _WAITS if waits_for_cells(self._shell) else ""
            if message.do == "height":
                self._grow(message.whole("pixels"))
            else:
                handle(self._desk, message)
        except MessageError as exc:
            self.say(f"The page asked for something that is not known here ({visible(str(exc), most=60)}).", "error")
        except S3Error as exc:
            self.say(exc.said, "error")

    def _grow(self, pixels: int) -> None:
        global _height
        least, most = _HEIGHTS
        _height = self.height = min(max(pixels, least), most)

    # ---- what the desk shows

    def show(self, part: str, value: Any) -> None:
        self.set_trait(f"_{part}", value)
        if part == "listing" and not value["busy"]:
            self._listed.set()

    def tell(self, content: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        self.send(content, list(buffers))

    def say(self, text: str, kind: Any = "done") -> None:
        self._desk.activity.say(text, kind)

    def is_at(self, where: S3Uri | None) -> None:
        self.set_trait("where", where)

    def has_chosen(self, uri: S3Uri | None) -> None:
        self.set_trait("selected", uri)

    def post(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        future = asyncio.run_coroutine_threadsafe(self._shown(work, *args), background().loop)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)

    async def _shown(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        try:
            await work(*args)
        except LoadCancelledError as exc:
            self.say(exc.said, "note")
        except S3Error as exc:
            self.say(exc.said, "error")
        except Exception as exc:
            # Whatever a pickle of trusted names or a full disk raises: nobody else would show it.
            self.say(f"{type(exc).__name__}: {visible(str(exc), most=500)}", "error")

    # ---- where it runs

    @property
    def _variables(self) -> dict[str, Any]:
        return self._shell.user_ns if self._shell is not None else {}

    def _bind(self, name: str, value: Any) -> None:
        if self._shell is None:
            raise OptionError("There is no notebook here to bind a variable in; aios3_nb.load returns the object.")
        self._shell.push({name: value})


@spelled_out
def browse(uri: str | None = None, **options: Unpack[Browsing]) -> S3Browser:
    """Return the bucket browser, a panel: the value of a cell's last line is shown.

    Args:
        uri: Where to begin; else the place of ``%s3cd``, else the buckets.
        height: Pixels; else as high as the last panel was made.
        options: Settings for this panel alone, such as ``profile`` and ``endpoint_url``.

    Raises:
        UriError: `uri` names nothing.
        OptionError: An option that does not exist, or a value that does not fit.
    """
    chosen, settings = divided(options, Browsing)
    if (height := chosen.get("height")) is not None:
        _check_height(height)
    return S3Browser(locate_folder(uri, settings), settings, height=height)


def _check_height(height: int) -> None:
    least, most = _HEIGHTS
    if not least <= height <= most:
        raise OptionError(f"height={height} does not fit: it must be {least} to {most} pixels.")


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()
