"""What the bucket browser changes in S3: it stores and deletes objects, and asks first where something would be lost.

What a question is about is fixed when it is put: what is chosen in the panel meanwhile changes nothing.
"""

from __future__ import annotations

import asyncio
import io
import os
import stat
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from aios3_nb.address import S3Uri
from aios3_nb.browser import objects
from aios3_nb.browser.html import text_html
from aios3_nb.browser.jobs import showing
from aios3_nb.browser.panel import Panel, show
from aios3_nb.errors import LoadCancelledError, OptionError
from aios3_nb.settings import Settings
from aios3_nb.text import size_text, visible


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to be stored.

    Attributes:
        name: Becomes the last part of the key, literally.
        file: Open, to be read to its end.
        size: Bytes.
    """

    name: str
    file: BinaryIO
    size: int


@dataclass(frozen=True, slots=True)
class _Deletion:
    uri: S3Uri
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Upload:
    uri: S3Uri
    local: LocalFile
    settings: Settings


class Changes:
    """The changes of one panel.

    Args:
        panel: Shows questions, progress and outcome.
        deleted: Told which object is gone.
        stored: Told in which folder there is a new one.
    """

    def __init__(
        self,
        panel: Panel,
        deleted: Callable[[S3Uri], Coroutine[Any, Any, None]],
        stored: Callable[[S3Uri], Coroutine[Any, Any, None]],
    ) -> None:
        self._panel = panel
        self._deleted = deleted
        self._stored = stored
        self._asked: list[_Deletion | _Upload] = []

    def ask_delete(self, uri: S3Uri, settings: Settings) -> None:
        """Ask whether to delete the object."""
        self._ask([_Deletion(uri, settings)], f"Delete {visible(str(uri))}? Here this cannot be undone.", "Delete it")

    async def store(self, where: S3Uri, files: list[LocalFile], settings: Settings) -> None:
        """Store `files` in `where` under their names; ask about those that would replace something."""
        taken: list[_Deletion | _Upload] = []
        for local in files:
            upload = _Upload(replace(where, key=where.key + local.name), local, settings)
            if await objects.exists(upload.uri, settings):
                taken.append(upload)
            else:
                await self._store(upload)
        if taken:
            names = ", ".join(visible(str(upload.uri), most=200) for upload in taken)
            self._ask(taken, f"There is already {names}. Replace it?", "Replace it")

    async def confirmed(self) -> None:
        """Do what was asked about."""
        asked, self._asked = self._asked, []
        self.forget()
        for change in asked:
            if isinstance(change, _Upload):
                await self._store(change)
            else:
                await objects.delete(change.uri, change.settings)
                self._panel.say(f"Deleted {visible(str(change.uri))}")
                await self._deleted(change.uri)

    def forget(self) -> None:
        """Take the question back."""
        for change in self._asked:
            if isinstance(change, _Upload):
                change.local.file.close()
        self._asked = []
        show(self._panel.confirmation, False)

    def _ask(self, changes: list[_Deletion | _Upload], question: str, answer: str) -> None:
        self.forget()
        self._asked = changes
        self._panel.question.value = text_html(question, "note")
        self._panel.confirm.description = answer
        show(self._panel.confirmation, True)

    async def _store(self, upload: _Upload) -> None:
        local, uri = upload.local, upload.uri
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        with local.file, showing(self._panel, local.name) as progress:
            progress.began(partial(_call_on, loop, task.cancel))
            progress.size = local.size
            progress.phase("uploading")
            try:
                await objects.upload(uri, local.file, upload.settings, progress.received)
            except asyncio.CancelledError:
                raise LoadCancelledError(f"Cancelled: nothing was stored at {visible(str(uri))}.") from None
        self._panel.say(f"Stored {visible(str(uri))}, {size_text(local.size)}")
        await self._stored(uri.parent)


def _call_on(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    loop.call_soon_threadsafe(call)


def local_file(text: str, folder: Path) -> LocalFile:
    """Return the file at the path that a user typed, relative to `folder`.

    Raises:
        OptionError: There is none, or it is no file to be read to its end.
    """
    path = folder / os.path.expanduser(text)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise OptionError(f"{visible(str(path))} is no file.")
        return LocalFile(path.name, path.open("rb"), about.st_size)
    except (OSError, ValueError) as exc:
        if isinstance(exc, OptionError):
            raise
        reason = getattr(exc, "strerror", None) or str(exc)
        raise OptionError(f"Cannot read {visible(str(path))}: {reason}") from exc


def sent_files(value: Any) -> list[LocalFile]:
    """Return the files that the browser sent, as a FileUpload has them."""
    files = []
    for each in value:
        name = str(each["name"]).replace("\\", "/").rpartition("/")[2] or "upload"
        files.append(LocalFile(name, io.BytesIO(each["content"]), len(each["content"])))
    return files
