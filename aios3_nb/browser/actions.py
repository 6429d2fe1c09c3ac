"""What the bucket browser does with one object: load it, bind a file to it, save it beside the notebook.

They run on the background loop, each told what it acts on when it was asked for: what is chosen meanwhile in
the panel changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aios3_nb import settings as settings_module
from aios3_nb.address import S3Uri, check_name, quote
from aios3_nb.browser.download import download
from aios3_nb.browser.html import insert_html
from aios3_nb.browser.jobs import showing
from aios3_nb.browser.panel import Panel
from aios3_nb.errors import BlockedPickleError
from aios3_nb.pipeline import Order, aload_one, open_file
from aios3_nb.progress import closing_line
from aios3_nb.settings import Settings
from aios3_nb.streams import Monitor
from aios3_nb.text import is_visible, size_text, visible

_SPELLED = {"profile": "--profile", "region": "--region", "endpoint_url": "--endpoint-url"}


class Actions:
    """The actions of one panel.

    Args:
        panel: Shows progress and outcome.
        variables: Gives the notebook's variables.
        bind: Binds a variable of the notebook.
    """

    def __init__(
        self, panel: Panel, variables: Callable[[], Mapping[str, Any]], bind: Callable[[str, Any], None]
    ) -> None:
        self._panel = panel
        self._variables = variables
        self._bind = bind

    async def load(self, order: Order, name: str) -> None:
        """Load the object and bind it to `name`, safely: nothing that the safe list does not have is run."""
        name = check_name(name)
        try:
            with showing(self._panel, order.uri.name) as progress:
                loaded = await aload_one(order, progress)
        except BlockedPickleError as exc:
            allow = f" --allow {','.join(exc.names)}" if exc.names and all(map(_is_plain, exc.names)) else ""
            code = code_for(order.uri, order.settings, name) + allow
            self._panel.offer(code, insert_html(code))
            self._panel.say(f"{exc} Nothing was run. Below is the line for the notebook, to be run by you.", "error")
            return
        replaced = name in self._variables()
        self._bind(name, loaded.value)
        what = f"{name} is a {type(loaded.value).__name__}{', in place of what it was' if replaced else ''}"
        self._panel.say(f"{visible(what, most=200)}. {closing_line(order.uri.name, loaded, progress.fetched)}")

    async def open_file(self, order: Order, name: str) -> None:
        """Bind a lazy file to `name`."""
        name = check_name(name)
        replaced = ", in place of what it was" if name in self._variables() else ""
        self._bind(name, open_file(order, Monitor(), whole=False))
        self._panel.say(f"{name} is a file{replaced}: {name}.read(), or pass it to whatever reads one.")

    async def download(self, order: Order, folder: Path) -> None:
        """Save the object in `folder`, under a name of its own."""
        with showing(self._panel, order.uri.name) as progress:
            path, verdict = await download(order, folder, progress)
        size = size_text(path.stat().st_size)
        self._panel.say(f"Saved as {visible(path.name)}, {size}, {verdict}, in {visible(str(folder))}")


def code_for(uri: S3Uri, settings: Settings, name: str) -> str:
    """Return the line that loads the object in a cell, reaching S3 as the panel does."""
    session = settings_module.current()
    options = "".join(
        f" {option} {quote(getattr(settings, setting))}"
        for setting, option in _SPELLED.items()
        if getattr(settings, setting) and getattr(settings, setting) != getattr(session, setting)
    )
    if settings.no_sign_request and not session.no_sign_request:
        options += " --no-sign-request"
    if settings.request_payer and not session.request_payer:
        options += f" --request-payer {settings.request_payer}"
    return f"{name} = %s3load {quote(str(uri))}{options}"


def copied_text(uri: S3Uri) -> str:
    """Return the address to be copied; quoted as the magics read it where a text field would lose characters."""
    return str(uri) if all(map(is_visible, str(uri))) else quote(str(uri))


def _is_plain(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))
