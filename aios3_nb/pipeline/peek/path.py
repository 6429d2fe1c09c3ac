"""What is at a path of an object: a value in a JSON document, an array of an npz or safetensors file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import BinaryIO, cast

from aios3_nb.errors import TruncatedError
from aios3_nb.formats import Format, LoadOptions
from aios3_nb.pipeline.peek.contents import outline_contents
from aios3_nb.pipeline.peek.json import outline_json
from aios3_nb.pipeline.peek.other import OtherOutline
from aios3_nb.pipeline.peek.peek import Outline
from aios3_nb.pipeline.peek.ranged import RangedFile, TooMuchError
from aios3_nb.text import size_text, visible


def outline_path(
    format: Format, path: str, reader: Callable[[int, int], bytes], size: int, *, max_bytes: int, is_cut: bool
) -> Outline:
    """Return the outline of what is at `path`: the first of what is there, if that is in every element of an array.

    Args:
        format: Of the object.
        path: As `load` takes it.
        reader: Returns exactly the bytes from start to stop; each call is a request.
        size: Of the object.
        max_bytes: Fetched at most.
        is_cut: Whether the object goes on behind `size`.

    Raises:
        OptionError: Nothing is at a path in such a format.
        FormatError: Nothing is at this one.
    """
    if format.name in ("npz", "safetensors") and not is_cut:
        found = outline_contents(format.name, reader, size, max_bytes=max_bytes, only=path)
        return found or OtherOutline((("holds", "nothing, it is empty"),))
    file = io.BufferedReader(RangedFile(reader, size, most=max_bytes), 1024)
    try:
        value = next(iter(format.iterate(cast(BinaryIO, file), LoadOptions(path=path))))
    except TooMuchError:
        return _not_found(path, f"not in the first {size_text(max_bytes)}")
    except TruncatedError:
        if not is_cut:
            raise
        return _not_found(path, f"not in the first {size_text(size)}")
    except StopIteration:
        return _not_found(path, "nothing, the array is empty")
    text = json.dumps(value).encode()
    return OtherOutline((("path", visible(path, most=120)), *outline_json(text, len(text)).rows()))


def _not_found(path: str, where: str) -> OtherOutline:
    return OtherOutline((("path", visible(path, most=120)), ("holds", where)))
