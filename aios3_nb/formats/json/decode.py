"""Bytes of one JSON text -> its value.

Always the value that json.loads gives. msgspec, when it is installed, builds it in about half the time; it may,
because all that it accepts it reads as json.loads does, while NaN, infinities, numbers beyond a float, lone
surrogates, other encodings than UTF-8 and all that is malformed it refuses. Then the standard library decides.
(orjson turns large integers into floats instead; ijson's C parser dies of an integer of 4301 digits.)
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable
from functools import cache, partial

from aios3_nb.errors import FormatError, TruncatedError
from aios3_nb.formats.decoding import decoded
from aios3_nb.formats.json.encoding import encoding_of
from aios3_nb.formats.json.errors import DecodeFailure, format_error, is_cut_short

_decode = json.JSONDecoder().decode
# Where one of these occurs the fast decoder gives up, after having built all that comes before it.
_REFUSED_WORDS = (b"NaN", b"Infinity")

FastDecoder = Callable[[bytes], object]


def document(data: bytes, fast: FastDecoder | None) -> object:
    """Return the value of a whole document.

    `data` is let go of as soon as it has been decoded to text, if the caller keeps no reference of its own.

    Raises:
        FormatError: It is malformed; TruncatedError: it is a beginning of a document.
    """
    if not data or data.isspace():
        raise TruncatedError("The JSON document is empty.", offset=0)
    if fast is not None and not any(word in data for word in _REFUSED_WORDS):
        value = _attempt(fast, data)
        if value is not _REFUSED:
            return value
    encoding, mark_size = encoding_of(data)
    text = _text(data, encoding, mark_size, 0, at_end=True)
    del data
    return exact(text, encoding, mark_size, at_end=True)


def line(data: bytes, fast: FastDecoder | None, *, offset: int, at_end: bool) -> object:
    """Return the value of one line of UTF-8, which begins at byte `offset` of the object.

    `at_end` says that the object ends with it, without a newline.
    """
    if fast is not None:
        value = _attempt(fast, data)
        if value is not _REFUSED:
            return value
    # Files with a mark each, put one behind another, have marks in the middle.
    mark_size = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
    text = _text(data, "utf-8", mark_size, offset, at_end=at_end)
    return exact(text, "utf-8", offset + mark_size, at_end=at_end)


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


def exact(text: str, encoding: str, offset: int, *, at_end: bool) -> object:
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
