"""What the bucket browser changes in S3: it stores and deletes objects, and asks first where something would be lost.

What a question is about is fixed when it is put: what is chosen in the panel meanwhile changes nothing.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from aios3_nb.address import S3Uri
from aios3_nb.browser import objects
from aios3_nb.browser.activity import Activity
from aios3_nb.errors import LoadCancelledError, OptionError
from aios3_nb.settings import Settings
from aios3_nb.text import size_text, visible


class LocalFile(Protocol):
    """A file to be stored.

    Attributes:
        name: Becomes the last part of the key, literally.
        size: Bytes.
    """

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    def pieces(self, size: int) -> AsyncIterator[bytes]:
        """Yield its bytes in order, some `size` of them at a time."""
        ...

    def close(self) -> None:
        """Let go of it; nothing more is wanted."""
        ...


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file beside the notebook, open, to be read to its end."""

    name: str
    file: BinaryIO
    size: int

    async def pieces(self, size: int) -> AsyncIterator[bytes]:
        while data := await asyncio.to_thread(self.file.read, size):
            yield data

    def close(self) -> None:
        self.file.close()


class Changes:
    """The changes of one panel.

    Args:
        activity: Shows questions, progress and outcome.
        deleted: Told which objects are gone.
        stored: Told in which folder there is a new one.
    """

    def __init__(
        self,
        activity: Activity,
        deleted: Callable[[Collection[S3Uri]], Coroutine[Any, Any, None]],
        stored: Callable[[S3Uri], Coroutine[Any, Any, None]],
    ) -> None:
        self._activity = activity
        self._deleted = deleted
        self._stored = stored

    async def delete(self, uris: Sequence[S3Uri], settings: Settings) -> None:
        """Delete the objects, if that is really wanted."""
        if not uris:
            return
        if not await self._activity.ask(_deletion(uris), _DELETE[len(uris) > 1], about_choice=True):
            return
        gone: list[S3Uri] = []
        try:
            for uri in uris:
                await objects.delete(uri, settings)
                gone.append(uri)
        finally:
            await self._deleted(gone)
        self._activity.say(f"Deleted {visible(str(uris[0])) if len(uris) == 1 else f'{len(uris):,} objects'}")

    async def store(self, where: S3Uri, local: LocalFile, settings: Settings) -> None:
        """Store `local` in `where` under its name; ask if that would replace something."""
        uri = replace(where, key=where.key + local.name)
        try:
            question = f"There is already {visible(str(uri), most=300)}. Replace it?"
            if not await objects.exists(uri, settings) or await self._activity.ask(question, "Replace it"):
                await self._store(uri, local, settings)
        finally:
            local.close()

    async def _store(self, uri: S3Uri, local: LocalFile, settings: Settings) -> None:
        task = asyncio.current_task()
        assert task is not None
        with self._activity.showing(local.name) as progress:
            progress.began(partial(_call_on, asyncio.get_running_loop(), task.cancel))
            progress.size = local.size
            progress.phase("uploading")
            try:
                await objects.upload(uri, local.pieces(settings.part_size), settings, progress.received)
            except asyncio.CancelledError:
                raise LoadCancelledError(
                    f"Cancelled: {visible(str(uri))} was not stored, unless all of it had been sent already."
                ) from None
        self._activity.say(f"Stored {visible(str(uri))}, {size_text(local.size)}")
        await self._stored(uri.parent)


_DELETE = ("Delete it", "Delete them")


def _deletion(uris: Sequence[S3Uri]) -> str:
    if len(uris) == 1:
        return f"Delete {visible(str(uris[0]))}? Here this cannot be undone."
    names = ", ".join(visible(uri.name, most=60) for uri in uris[:5])
    more = f" and {len(uris) - 5:,} more" if len(uris) > 5 else ""
    return f"Delete {len(uris):,} objects: {names}{more}? Here this cannot be undone."


def _call_on(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    loop.call_soon_threadsafe(call)


def local_file(text: str, folder: Path) -> DiskFile:
    """Return the file at the path that a user typed, relative to `folder`.

    Raises:
        OptionError: There is none, or it is no file to be read to its end.
    """
    path = folder / os.path.expanduser(text)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise OptionError(f"{visible(str(path))} is no file.")
        return DiskFile(path.name, path.open("rb"), about.st_size)
    except (OSError, ValueError) as exc:
        if isinstance(exc, OptionError):
            raise
        reason = getattr(exc, "strerror", None) or str(exc)
        raise OptionError(f"Cannot read {visible(str(path))}: {reason}") from exc
