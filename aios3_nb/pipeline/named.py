"""The errors of stages that see only bytes, told with the object that these are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from aios3_nb.address import S3Uri, quote
from aios3_nb.errors import S3Error
from aios3_nb.text import visible


@contextlib.contextmanager
def named(uri: S3Uri) -> Iterator[None]:
    """Put the object's name into errors that have none yet, and into the lines with which they say how to go on."""
    try:
        yield
    except S3Error as exc:
        if not exc.uri:
            exc.uri = str(uri)
            exc.args = (f"{visible(str(uri))}: {_with_uri(exc.said, uri)}", *exc.args[1:])
        raise


def _with_uri(said: str, uri: S3Uri) -> str:
    """Return a stage's words with the object in the lines of Python, and of magics, that are there to be copied."""
    opened = f"aios3_nb.open({str(uri)!r})"
    folder = f"{visible(str(uri)).rpartition('/')[0]}/"
    for general, exact in (
        ("aios3_nb.open(uri)", opened),
        ("aios3_nb.open(URI)", opened),
        ("%s3load URI ", f"%s3load {quote(str(uri))} "),
        ("trust its prefix in", f"trust {folder} in"),
    ):
        said = said.replace(general, exact)
    return said
