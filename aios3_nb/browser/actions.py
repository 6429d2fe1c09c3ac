"""What the bucket browser does with objects: load them, bind a file to one, save them beside the notebook.

They run on the background loop, each told what it acts on when it was asked for: what is chosen meanwhile in
the panel changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from aios3_nb.address import S3Uri, check_name, name_from_key, quote
from aios3_nb.browser.activity import Activity
from aios3_nb.browser.describe import kind_of, lines_of
from aios3_nb.browser.download import download
from aios3_nb.errors import BlockedPickleError, OptionError
from aios3_nb.formats.pickle import Names
from aios3_nb.pipeline import Order, aload_one, open_file
from aios3_nb.progress import closing_line
from aios3_nb.s3 import Entry
from aios3_nb.settings import Settings, current
from aios3_nb.streams import Monitor
from aios3_nb.text import size_text, visible

_SPELLED = {"profile": "--profile", "region": "--region", "endpoint_url": "--endpoint-url"}


class Actions:
    """The actions of one panel.

    Args:
        activity: Shows questions, progress and outcome.
        variables: Gives the notebook's variables.
        bind: Binds a variable of the notebook.
    """

    def __init__(
        self, activity: Activity, variables: Callable[[], Mapping[str, Any]], bind: Callable[[str, Any], None]
    ) -> None:
        self._activity = activity
        self._variables = variables
        self._bind = bind

    async def load(self, order: Order, name: str) -> None:
        """Load the object and bind it to `name`, safely: nothing that the safe list does not have is run."""
        name = check_name(name)
        if not await self._may_bind(name):
            return
        try:
            with self._activity.showing(order.uri.name) as progress:
                loaded = await aload_one(order, progress)
        except BlockedPickleError as exc:
            code = blocked_code(order, name, exc.names)
            said = exc.said.partition("\n")[0].rstrip(":")
            text = f"{said}: {', '.join(visible(each, most=100) for each in exc.names)}"
            self._activity.say(
                f"{text}. Only if you trust whoever wrote it, run this line in a cell:", "error", code=code
            )
            return
        self._bind(name, loaded.value)
        line = closing_line(order.uri.name, loaded, progress.fetched)
        self._activity.say(f"{name} is a {kind_of(loaded.value)}. {line}", lines=lines_of(loaded.value))

    async def open_file(self, order: Order, name: str) -> None:
        """Bind a lazy file to `name`."""
        name = check_name(name)
        if await self._may_bind(name):
            self._bind(name, open_file(order, Monitor(), whole=False))
            self._activity.say(f"{name} is a file: {name}.read(), or pass it to whatever reads one.")

    async def download(self, order: Order, folder: Path) -> None:
        """Save the object in `folder`, under a name of its own."""
        with self._activity.showing(order.uri.name) as progress:
            path, verdict = await download(order, folder, progress)
        size = size_text(path.stat().st_size)
        self._activity.say(f"Saved as {visible(path.name)}, {size}, {verdict}, in {visible(str(folder))}")

    async def _may_bind(self, name: str) -> bool:
        """Return whether `name` is free, or may be bound anew."""
        variables = self._variables()
        if name not in variables:
            return True
        question = f"{name} is a variable already, a {kind_of(variables[name])}. Replace it?"
        return await self._activity.ask(question, "Replace it", about_choice=True)


def named(objects: Sequence[Entry], name: str) -> list[tuple[Entry, str]]:
    """Return `objects`, each with its variable: `name` for one alone, else each has one of its own."""
    if name and len(objects) == 1:
        return [(objects[0], name)]
    found: dict[str, Entry] = {}
    for entry in objects:
        found[_free_name(name_from_key(entry.uri.key), found)] = entry
    return [(entry, own) for own, entry in found.items()]


def _free_name(name: str, taken: Collection[str]) -> str:
    """Return `name`, or with a number behind it, so that it is none of those taken already."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def blocked_code(order: Order, name: str, blocked: tuple[str, ...]) -> str:
    """Return the line that loads a pickle all the same: it allows the names where they can be, else it trusts."""
    try:
        Names(blocked)
    except OptionError:  # some names are lifted by trust alone
        way = "--trust"
    else:
        way = f"--allow {','.join(blocked)}" if blocked else "--trust"
    return f"{code_for(order.uri, order.settings, name)} {way}"


def code_for(uri: S3Uri, settings: Settings, name: str) -> str:
    """Return the line that loads the object in a cell, reaching S3 as the panel does."""
    session = current()
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
