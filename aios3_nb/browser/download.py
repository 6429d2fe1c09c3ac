"""An object -> a file in one folder: the key can neither lead out of it nor replace what is there.

A key is any text that anybody with the right to write to the bucket made up, and the folder is where Python looks for
modules first, and where shells and tools look for commands and for their configuration. So the name is made anew from
the last part of the key; whatever could be picked up by itself is stored as text, ``isal.py`` as ``isal.py.txt``; and
the file appears under its name only when it is complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from aios3_nb.pipeline import Order, open_file
from aios3_nb.streams import Monitor
from aios3_nb.text import is_visible

_LONGEST = 200
"""Bytes of a file name; most file systems take 255, and " (12)" may follow."""

_NOT_IN_NAMES = frozenset('<>:"/\\|?*')
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_PICKED_UP = re.compile(
    r"""
    # Whatever Python imports, or its tools take for a module or for what is installed: by the suffix, for a module
    # that nobody has today may be imported tomorrow.
    .* \. (?: py[a-z]? | so (?: \.[\d.]+ )? | sl | dll | dylib | ipy | _? pth | egg | egg-info | egg-link
        | dist-info | whl )
    # What a shell runs by its name; that of Windows looks here first.
    | .* \. (?: sh | bash | zsh | fish | csh | ksh | bat | cmd | com | exe | ps[dm]?1 | vb[es] | jse? | ws[fh] | msc
        | hta | scr | cpl | lnk | pif )
    # Configuration that tools read from the folder they are started in: make, setuptools, test runners, linters,
    # Jupyter and IPython (both read theirs here), matplotlib, conda, node, containers.
    | .* \. (?: cfg | ini | mk | mak )
    | [^.]* (?: file | rc | config )
    | (?: jupyter | ipython ) .* \. json
    | (?: pyproject | ruff | uv | tox | poetry | pixi | hatch | fixtures | mise | config ) \. toml
    | (?: environment | (?: docker- )? compose .* | mkdocs | tasks | anaconda-project ) \. ya?ml
    | (?: package | composer | deno ) \. json
    | dockerfile .* | .* \. makefile
    """,
    re.VERBOSE | re.DOTALL,
)
"""Names, in lower case, of what is picked up by itself from the folder that something is started in."""

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
    if text.startswith((".", "-", "~")):
        text = f"_{text}"  # hidden, and perhaps a configuration file; an option; somebody's home
    name = _shortened(text) or "download"
    if name.split(".")[0].strip().lower() in _DEVICES:
        name = f"_{name}"
    # Last of all: shortening may have made the name one of these.
    return f"{name}.txt" if _PICKED_UP.fullmatch(name.lower()) else name


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
    yield folder / name
    for number in range(1, 1000):
        yield folder / f"{stem} ({number}){suffix}"
