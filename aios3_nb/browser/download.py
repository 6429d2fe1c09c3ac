"""An object -> a file in one folder: the key can neither lead out of it nor replace what is there.

A key is any text that anybody with the right to write to the bucket made up, and the folder is where Python
looks for modules first. So the name is made anew from the last part of the key, and the file appears under it
only when it is complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.machinery
import importlib.util
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePath

from aios3_nb.pipeline import Order, open_file
from aios3_nb.streams import Monitor
from aios3_nb.text import is_visible

_LONGEST = 200
"""Bytes of a file name; most file systems take 255, and " (12)" may follow."""

_NOT_IN_NAMES = frozenset('<>:"/\\|?*')
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_PIECE = 1024 * 1024


async def download(order: Order, folder: Path, monitor: Monitor) -> tuple[Path, str]:
    """Return the new file in `folder` that holds the object, and what was checked of it.

    A file that is there keeps its name; the new one gets another: ``model (1).pkl``.

    Raises:
        S3Error: Nothing is left in the folder.
        OSError: The folder cannot be written to, or is full.
    """
    with _temporary(folder) as temporary:
        file = open_file(order, monitor, whole=True)
        try:
            with temporary.open("wb") as out:
                while data := await file.aread(_PIECE):
                    await asyncio.to_thread(out.write, data)
            verdict = await file.afinish()
        finally:
            await file.aclose()
        return _put(temporary, folder, local_name(order.uri.key)), verdict


def local_name(key: str) -> str:
    """Return a file name for `key` that is safe on every system: its last part, with the odd characters as ``_``."""
    last = key.rstrip("/").rpartition("/")[2].rpartition("\\")[2]
    text = "".join("_" if c in _NOT_IN_NAMES or not is_visible(c) else c for c in last).strip(" ")
    text = text.rstrip(". ")
    if text.startswith("."):
        text = f"_{text}"  # hidden, and perhaps a configuration file of something
    path = PurePath(_shortened(text) or "download")
    return f"_{path}" if path.name.split(".")[0].strip().lower() in _DEVICES else str(path)


def _shortened(text: str) -> str:
    stem, suffix = os.path.splitext(text)
    if len(os.fsencode(suffix)) > 32:
        stem, suffix = text, ""
    room = _LONGEST - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """Give a new file in `folder`, hidden and for its owner only; it is gone afterwards, unless it was renamed."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _put(temporary: Path, folder: Path, name: str) -> Path:
    """Rename `temporary` to `name`, or to the next name that is free."""
    for path in _candidates(folder, name):
        try:
            # O_EXCL takes the name in one step, and takes none that a link (even a broken one) has.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        mode = path.stat().st_mode  # what the user's umask makes of it; a temporary file is its owner's only
        temporary.chmod(mode)
        return temporary.replace(path)
    raise FileExistsError(f"There are too many files called {name} already.")


def _candidates(folder: Path, name: str) -> Iterator[Path]:
    stem, suffix = os.path.splitext(name)
    if not _hides_module(stem, suffix):
        yield folder / name
    for number in range(1, 1000):
        yield folder / f"{stem} ({number}){suffix}"


def _hides_module(stem: str, suffix: str) -> bool:
    """Return whether the next ``import`` of a module that exists might take this file instead."""
    if not any(suffix == each or each.endswith(suffix) for each in importlib.machinery.all_suffixes() if suffix):
        return False
    module = stem.partition(".")[0]
    try:
        return module.isidentifier() and importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return True
