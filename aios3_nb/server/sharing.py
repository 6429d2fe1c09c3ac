"""One embedded server for all kernels of a user: the first starts it, and a note tells the others where it is.

    kernel A --pipe--> supervisor --> weed server -s3
    kernels B, C --connections--> supervisor

The server ends with the last of them, in whatever order they go. The note is written and removed by the supervisor, in
a folder that only the user can enter: who could write there could hand all kernels another server.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import tempfile
from dataclasses import asdict
from pathlib import Path

from aios3_nb.server.seaweedfs import Endpoint
from aios3_nb.server.supervisor import WELCOME

_NOTE = "server.json"
_ANSWERS_WITHIN = 30.0
"""Seconds for a supervisor on a busy machine; where there is none, the connection is refused at once."""


def note() -> Path | None:
    """Return where the note is or belongs; None where there is no folder that is the user's alone."""
    session = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(session, "aios3_nb") if session else Path(tempfile.gettempdir(), f"aios3_nb-{_user()}")
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        if _is_private(folder):
            return folder / _NOTE
    return None


def order(path: Path, endpoint: Endpoint) -> str:
    """Return the order by which a supervisor shares the server at `endpoint`, with a note at `path`."""
    return f"share {json.dumps({'note': str(path), 'endpoint': asdict(endpoint)})}"


def join() -> tuple[Endpoint, socket.socket] | None:
    """Return the server that another kernel has started, and the connection that keeps it; None when there is none."""
    path = note()
    if path is None:
        return None
    try:
        said = json.loads(path.read_text())
        endpoint = Endpoint(**said["endpoint"])
        connection = socket.create_connection(("127.0.0.1", said["port"]), timeout=_ANSWERS_WITHIN)
    except (OSError, ValueError, TypeError, KeyError):
        return None  # none yet, or of one that was killed
    try:
        connection.sendall(f"{said['token']}\n".encode())
        if connection.recv(len(WELCOME)) == WELCOME:
            return endpoint, connection
    except OSError:
        pass
    connection.close()
    return None


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")


def _is_private(folder: Path) -> bool:
    """Return whether `folder` is the user's own and nobody else may enter it."""
    if not hasattr(os, "getuid"):
        return True  # on Windows, the folder for temporary files is the user's own
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
