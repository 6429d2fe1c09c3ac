"""The formats that there are, and which one an object is in.

By ``--format``, else by the suffix of its key, else by its first bytes; never by its Content-Type, which
whoever stored the object was free to make up. So a ``.json`` that is a pickle is never unpickled.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import BinaryIO

from aios3_nb.errors import FormatError, OptionError, TruncatedError
from aios3_nb.formats.arrays import NPY, NPZ
from aios3_nb.formats.compression import SUFFIXES
from aios3_nb.formats.decoding import codec_and_mark, marked_encoding
from aios3_nb.formats.format import HEAD_SIZE, Format, LoadOptions
from aios3_nb.formats.joblib import JOBLIB
from aios3_nb.formats.media import AUDIO, IMAGE
from aios3_nb.formats.mistaken import mistaken
from aios3_nb.formats.plain import BYTES, TEXT
from aios3_nb.formats.refused import REFUSED
from aios3_nb.formats.safetensors import SAFETENSORS
from aios3_nb.formats.shape import records_table
from aios3_nb.formats.tables import ARROW, CSV, PARQUET, TSV
from aios3_nb.text import warn

__all__ = ["HEAD_SIZE", "Format", "LoadOptions", "format_names", "recognise", "register"]

ENTRY_POINTS = "aios3_nb.formats"
"""Group of entry points by which other packages add formats; each names a `Format`."""


# Pickles and JSON are imported when one of them is met: all that makes them safe and exact is a third of what %load_ext
# would take.


def _load_pickle(file: BinaryIO, options: LoadOptions) -> object:
    from aios3_nb.formats.pickle import load_pickle

    if not file.peek(1):  # type: ignore[attr-defined]
        raise TruncatedError("The pickle is empty.", offset=0)
    return load_pickle(file, allow=options.allow, trust=options.trust, encoding=options.encoding)


def _iterate_pickle(file: BinaryIO, options: LoadOptions) -> Iterator[object]:
    from aios3_nb.formats.pickle import iterate_pickles

    return iterate_pickles(file, allow=options.allow, trust=options.trust, encoding=options.encoding)


def _dump_pickle(value: object, file: BinaryIO) -> None:
    pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)


PICKLE = Format(
    name="pickle",
    suffixes=(".pkl", ".pickle", ".p", ".pck"),
    # Protocols 0 and 1 begin like text; they are known by their suffix only.
    matches=lambda head: head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"),
    loader=_load_pickle,
    items=_iterate_pickle,
    dumper=_dump_pickle,
    way_on='pickle.load(aios3_nb.open(uri), encoding="latin1"), which runs whatever is in it',
    takes_encoding=True,
)


def _is_json(head: bytes) -> bool:
    """Return whether `head`, in UTF-8 or with a mark that says what else, begins as an object or array does."""
    codec, size = codec_and_mark(marked_encoding(head) or "utf-8", head)
    text = head[size:].decode(codec, "ignore").lstrip("\ufeff \t\r\n")
    # The mark of a sequence, and what a record of one begins with.
    return text.startswith(("{", "[", "\x1e{", "\x1e["))


def _load_json(file: BinaryIO, options: LoadOptions) -> object:
    from aios3_nb.formats.json import load_json

    if options.wants_table:
        return records_table(_iterate_json(file, options), options)
    return load_json(file, path=options.path, encoding=options.encoding)


def _iterate_json(file: BinaryIO, options: LoadOptions) -> Iterator[object]:
    from aios3_nb.formats.json import iterate_json

    return iterate_json(file, path=options.path, encoding=options.encoding)


def _dump_json(value: object, file: BinaryIO) -> None:
    from aios3_nb.formats.json import dump_json

    dump_json(value, file)


def _load_lines(file: BinaryIO, options: LoadOptions) -> object:
    from aios3_nb.formats.json import load_lines

    if options.wants_table:
        return records_table(_iterate_lines(file, options), options)
    return load_lines(file, encoding=options.encoding)


def _iterate_lines(file: BinaryIO, options: LoadOptions) -> Iterator[object]:
    from aios3_nb.formats.json import iterate_lines

    return iterate_lines(file, encoding=options.encoding)


def _dump_lines(value: object, file: BinaryIO) -> None:
    from aios3_nb.formats.json import dump_lines

    dump_lines(value, file)


def _dump_sequence(value: object, file: BinaryIO) -> None:
    from aios3_nb.formats.json import dump_sequence

    dump_sequence(value, file)


JSON = Format(
    name="json",
    suffixes=(".json", ".geojson", ".ipynb"),
    matches=_is_json,
    loader=_load_json,
    items=_iterate_json,
    dumper=_dump_json,
    takes_path=True,
    takes_encoding=True,
    takes_columns=True,
    way_on="json.load(aios3_nb.open(uri))",
    way_on_encoded='json.loads(aios3_nb.open(uri).read().decode("cp1252"))',
)
JSON_LINES = Format(
    name="jsonl",
    suffixes=(".jsonl", ".ndjson", ".jsonlines", ".geojsonl"),
    loader=_load_lines,
    items=_iterate_lines,
    dumper=_dump_lines,
    takes_encoding=True,
    takes_columns=True,
    way_on="[json.loads(line) for line in aios3_nb.open(uri)]",
    way_on_encoded='[json.loads(line) for line in aios3_nb.open(uri).read().decode("cp1252").splitlines()]',
)
JSON_SEQUENCE = Format(
    name="json-seq",
    suffixes=(".json-seq", ".geojsons"),
    loader=_load_lines,
    items=_iterate_lines,
    dumper=_dump_sequence,
    takes_columns=True,
    way_on='[json.loads(each) for each in aios3_nb.open(uri).read().split(b"\x1e") if each.strip()]',
)

# In the order in which first bytes are compared: joblib before pickle, npz and torch before zip.
_formats = [
    JOBLIB,
    PICKLE,
    JSON,
    JSON_LINES,
    JSON_SEQUENCE,
    NPY,
    NPZ,
    SAFETENSORS,
    PARQUET,
    ARROW,
    CSV,
    TSV,
    IMAGE,
    AUDIO,
    *REFUSED,
    TEXT,
    BYTES,
]


def register(format: Format) -> None:
    """Add a format. It goes before those that there are, so that it can take over a name or a suffix."""
    _formats.insert(0, format)


def format_names() -> list[str]:
    """Return what ``--format`` takes."""
    return sorted({format.name for format in all_formats() if format.loader is not None})


def recognise(key: str, head: bytes, format: str | None = None) -> Format:
    """Return the format of the object `key`.

    Args:
        key: The key, or any name with its suffix.
        head: The first `HEAD_SIZE` bytes after decompression, fewer only if there are no more.
        format: The name that the user gave, if any.

    Raises:
        OptionError: No format has that name.
        FormatError: Nothing is recognised.
    """
    if format is not None:
        return _named(format)
    found = _by_suffix(_suffix(key))
    if found is PICKLE:
        # People name what joblib and torch write like pickles; neither can be read as one.
        return next((other for other in (JOBLIB, *REFUSED) if other.matches(head)), PICKLE)
    found = found or next((format for format in _formats if format.matches(head)), None)
    if found is None:
        names = ", ".join(format_names())
        raise FormatError(f"Neither its name nor its first bytes say what it is. Say it with --format: {names}.")
    return found


def mistaken_for(chosen: Format, head: bytes) -> str:
    """Return what an object is that begins with `head`, and by its name is `chosen`; empty if nothing contradicts."""
    return mistaken(chosen, head, _formats)


def check_path(key: str, format: str | None, path: str | None) -> None:
    """Check what can be known of `path` before the object is seen: its spelling, unless it may be an array's name.

    Raises:
        OptionError: It is none for a JSON document; or `format` is no format.
    """
    if path is None:
        return
    expected = expected_format(key, format)
    if expected is None or expected.name == JSON.name:
        from aios3_nb.formats.json import parse_path

        parse_path(path)


def expected_format(key: str, format: str | None) -> Format | None:
    """Return the format that the user gave, or else that of the key's suffix; None when neither says.

    Raises:
        OptionError: No format is called `format`.
    """
    return _named(format) if format is not None else _by_suffix(_suffix(key))


def _named(name: str) -> Format:
    for format in all_formats():
        if format.name == name.lower():
            return format
    raise OptionError(f"No format is called {name!r}. There are: {', '.join(format_names())}.")


def _suffix(key: str) -> str:
    """Return the last suffix of a key in lower case, those of compression left out; empty if there is none."""
    name = key.rpartition("/")[2].lower()
    while name.endswith(SUFFIXES):
        name = name.rpartition(".")[0]
    _, dot, suffix = name.rpartition(".")
    return dot + suffix if dot else ""


def _by_suffix(suffix: str) -> Format | None:
    for format in _formats:
        if suffix in format.suffixes:
            return format
    if not suffix:
        return None
    return next((format for format in _plugins() if suffix in format.suffixes), None)


def all_formats() -> list[Format]:
    """Return all formats, those of other packages last."""
    return [*_formats, *_plugins()]


@cache
def _plugins() -> tuple[Format, ...]:
    """Return the formats of other packages; they are imported when a name or suffix is none of ours."""
    found = []
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            format = entry.load()
            if not isinstance(format, Format):
                raise TypeError(f"it is no Format but {type(format).__name__}")
        except Exception as exc:
            warn(f"The format {entry.name!r} ({entry.value}) could not be loaded: {exc}")
        else:
            found.append(format)
    return tuple(found)
