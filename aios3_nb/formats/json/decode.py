"""Bytes of one JSON text -> its value.

Always the value that json.loads gives. msgspec, when it is installed, builds it in about half the time; it may,
because all that it accepts it reads as json.loads does, while NaN, infinities, numbers beyond a float, lone
surrogates, other encodings than UTF-8 and all that is malformed it refuses. Then the standard library decides.
(orjson turns large integers into floats instead; ijson's C parser dies of an integer of 4301 digits.)
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable
from functools import cache, partial

from aios3_nb.errors import FormatError, TruncatedError
from aios3_nb.formats.decoding import decoded
from aios3_nb.formats.json.encoding import encoding_of
from aios3_nb.formats.json.errors import DecodeFailure, format_error, is_cut_short

_decode = json.JSONDecoder().decode
_decode_one = json.JSONDecoder().raw_decode
_space = re.compile(r"[ \t\n\r]*").match
_between = re.compile(r"[ \t\n\r\ufeff\x1e]*").match
# Where one of these occurs the fast decoder gives up, after having built all that comes before it.
_REFUSED_WORDS = (b"NaN", b"Infinity")

FastDecoder = Callable[[bytes], object]


def document(data: bytes, fast: FastDecoder | None, encoding: str | None = None) -> object:
    """Return the value of a whole document, or the list of the values, if they are several in a row.

    Those that are called ``.json`` are objects or arrays, or there are newlines between them; anything else behind a
    document is a mistake. `data` is let go of as soon as it has been decoded to text, if the caller keeps no reference
    of its own.

    Raises:
        FormatError: It is malformed; TruncatedError: it is a beginning of a document.
    """
    if not data or data.isspace():
        raise TruncatedError("The JSON document is empty.", offset=0)
    codec, mark_size = encoding_of(data, encoding)
    # Without being told, the fast decoder knows by itself what is not UTF-8.
    is_fast = fast is not None and (encoding is None or codec == "utf-8")
    if is_fast and fast is not None and not any(word in data for word in _REFUSED_WORDS):
        value = _attempt(fast, data)
        if value is not _REFUSED:
            return value
    text = _text(data, codec, mark_size, 0, at_end=True)
    del data
    return _exact_or_row(text, codec, mark_size)


def _exact_or_row(text: str, encoding: str, offset: int) -> object:
    first = _one(text, 0)
    if not isinstance(first, tuple):
        return exact(text, encoding, offset)
    value, end = first
    at = _end(_between, text, end)
    if at == len(text) == _end(_space, text, end):
        return value
    if at == len(text) or not starts_another(text, end, at):
        return exact(text, encoding, offset)
    second = _one(text, at)
    if not isinstance(second, tuple) and not is_cut_short(text, second):
        return exact(text, encoding, offset)  # it says that there is something behind the first
    return [value, *row(text, encoding, offset, at, at_end=True)]


def _one(text: str, at: int) -> tuple[object, int] | DecodeFailure:
    """Return the value that begins at `at`, or behind white space there, and where it ends; or what is wrong."""
    try:
        return _decode_one(text, _end(_space, text, at))
    except (ValueError, RecursionError) as exc:
        return exc


def starts_another(text: str, end: int, at: int) -> bool:
    """Return whether what begins at `at`, behind a value that ends at `end`, is another value of several in a row."""
    return text[at : at + 1] in ("{", "[") or "\n" in text[end:at] or "\x1e" in text[end:at]


def line(data: bytes, fast: FastDecoder | None, *, offset: int, at_end: bool) -> list[object]:
    """Return the values of one line of UTF-8, which begins at byte `offset` of the object: one, or several in a row.

    `at_end` says that the object ends with it, without a newline.
    """
    if fast is not None:
        value = _attempt(fast, data)
        if value is not _REFUSED:
            return [value]
    # Files with a mark each, put one behind another, have marks in the middle.
    mark_size = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
    text = _text(data, "utf-8", mark_size, offset, at_end=at_end)
    return row(text, "utf-8", offset + mark_size, 0, at_end=at_end)


def whole(data: bytes, fast: FastDecoder | None, *, offset: int) -> object:
    """Return the value of one document of UTF-8 that is `data`, which begins at byte `offset` of the object."""
    if fast is not None:
        value = _attempt(fast, data)
        if value is not _REFUSED:
            return value
    return exact(_text(data, "utf-8", 0, offset, at_end=True), "utf-8", offset)


def row(text: str, encoding: str, offset: int, at: int, *, at_end: bool) -> list[object]:
    """Return the values that follow one another in `text` from the character `at` on, by the standard library.

    The other arguments are those of `exact`.
    """
    failure: DecodeFailure
    values: list[object] = []
    try:
        while (start := _end(_between, text, at)) < len(text):
            if values and start == at and is_glued(text, at):
                raise json.JSONDecodeError("Extra data", text, at)
            value, at = _decode_one(text, start)
            values.append(value)
        return values
    except (ValueError, RecursionError) as exc:
        failure = exc
    raise _error(text, failure, encoding, offset, at_end=at_end)


def is_cut(data: bytes) -> bool:
    """Return whether the bytes of a line end within a value."""
    try:
        row(_text(data.removeprefix(BOM_UTF8), "utf-8", 0, 0, at_end=False), "utf-8", 0, 0, at_end=True)
    except FormatError as exc:
        return isinstance(exc, TruncatedError)
    return False


def begins_with_value(data: bytes) -> bool:
    """Return whether a whole object or array is at the beginning of `data`, which is cut anywhere."""
    text = data.removeprefix(BOM_UTF8).decode("utf-8", "ignore")
    try:
        value, _ = _decode_one(text, _end(_between, text, 0))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, (dict, list))


def is_glued(text: str, at: int) -> bool:
    """Return whether a value that ends at `at` and what follows it there could have been one: ``12`` is not 1 and 2."""
    return at > 0 and text[at - 1] not in '}]"' and text[at] not in '{["'


def _end(match: Callable[[str, int], re.Match[str] | None], text: str, at: int) -> int:
    return match(text, at).end()  # type: ignore[union-attr]  # these match nothing at least


_REFUSED = object()


def _attempt(fast: FastDecoder, data: bytes) -> object:
    try:
        return fast(data)
    except (_refusal(), ValueError, RecursionError):
        return _REFUSED


def _text(data: bytes, encoding: str, mark_size: int, offset: int, *, at_end: bool) -> str:
    # With surrogatepass, as json.loads has it, which lets lone surrogates through.
    decode = partial(str, memoryview(data)[mark_size:], encoding, "surrogatepass")
    return decoded(decode, offset + mark_size, at_end=at_end)


def exact(text: str, encoding: str, offset: int, *, at_end: bool = True) -> object:
    """Return the value of `text` by the standard library.

    Args:
        text: One JSON text.
        encoding: What it was decoded from.
        offset: Byte of the object that it begins at.
        at_end: Whether the object ends with it.
    """
    failure: DecodeFailure
    try:
        return _decode(text)
    except (ValueError, RecursionError) as exc:
        failure = exc
    # Outside the handler: the decoder's error holds the whole text, and ours would hold it.
    raise _error(text, failure, encoding, offset, at_end=at_end)


def _error(text: str, failure: DecodeFailure, encoding: str, offset: int, *, at_end: bool) -> FormatError:
    def size_of(part: str) -> int:
        return len(part.encode(encoding, "surrogatepass"))

    return format_error(text, failure, size_of, start=offset, cut_short=at_end and is_cut_short(text, failure))


@cache
def fast_decoder() -> FastDecoder | None:
    """Return msgspec's decoder, or None when it is not installed."""
    try:
        import msgspec
    except ImportError:
        return None
    return msgspec.json.Decoder().decode


@cache
def _refusal() -> type[Exception]:
    import msgspec

    return msgspec.MsgspecError
