"""Walk through a JSON text that is still arriving: build the values that are wanted, pass over the others.

Values are built by the standard library's decoder, from text that is known to hold all of them, so they are
its values. What is kept is the value being built, twice that at most; what is passed over is not kept at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from aios3_nb.errors import FormatError
from aios3_nb.formats.decoding import TextReader
from aios3_nb.formats.json.decode import is_glued, starts_another
from aios3_nb.formats.json.errors import NUMBER_TAILS, DecodeFailure, format_error, is_cut_short

CHUNK_SIZE = 128 * 1024
"""Bytes asked for at a time; the first item needs no more than this, unless it is larger itself."""

_decode = json.JSONDecoder().raw_decode
_space = re.compile(r"[ \t\n\r]*").match
_between = re.compile(r"[ \t\n\r\ufeff\x1e]*").match
_between_and_bracket = re.compile(r"[ \t\n\r\ufeff\x1e]*(?=[\[{])").match
_comma_and_bracket = re.compile(r"[ \t\n\r]*,[ \t\n\r]*(?=[\[{])").match
_scalar = re.compile(r"[^,\]} \t\n\r]*").match
_string_rest = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL).match
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_PLAIN = r'[^"\[\]{}]*+'


def _balanced(levels: int) -> str:
    """Return the expression for text whose brackets all close, nested up to `levels` deep."""
    inside = rf"|[\[{{]{_balanced(levels - 1)}[\]}}]" if levels else ""
    return rf"{_PLAIN}(?:(?:{_STRING}{inside}){_PLAIN})*+"


# Two levels: rows of a table, with small objects in them, are passed in one match. A third costs more than it gives.
_to_bracket = re.compile(_balanced(2), re.DOTALL).match


class OddError(Exception):
    """A value cannot be built at once: it is cut, or two members of an object have the same name."""


class _RepeatedNameError(Exception):
    """An object has two members of the same name."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RepeatedNameError
    return members


_decode_unique = json.JSONDecoder(object_pairs_hook=_unique).raw_decode


class JsonScanner:
    """A place in a JSON text."""

    def __init__(self, reader: TextReader) -> None:
        self._reader = reader
        self._text = ""  # what has arrived and is not passed
        self._at = 0  # the place in it
        self._dropped = self._reader.offset  # bytes of the object before it

    def is_empty(self) -> bool:
        """Return whether nothing but white space is left."""
        return not self._peek_or_end()

    def peek(self) -> str:
        """Pass over white space, and return the character behind it.

        Raises:
            TruncatedError: There is none.
        """
        char = self._peek_or_end()
        if not char:
            raise self._unexpected("Expecting value")
        return char

    def value(self) -> object:
        """Build and pass the value that begins here.

        Raises:
            FormatError: There is none; TruncatedError when only its end is missing.
        """
        self.peek()
        while True:
            failure: DecodeFailure
            try:
                value, end = _decode(self._text, self._at)
            except (ValueError, RecursionError) as exc:
                failure = exc
                # Each attempt sees twice as much, so that large values take two or three times as long, no more.
                if is_cut_short(self._text, failure) and self._read_more(len(self._text) - self._at):
                    continue
            else:
                is_number = type(value) is int or type(value) is float
                if is_number and self._text[end : end + 3] in NUMBER_TAILS and self._read_more():
                    continue
                self._at = end
                return value
            # Outside the handler: the error must not keep the text alive.
            raise self._error(failure)

    def value_at_once(self) -> object:
        """Build and pass the value that begins here if all of it has arrived and no name is there twice.

        Raises:
            OddError: It is not so; the place is where it was.
        """
        try:
            value, self._at = _decode_unique(self._text, self._at)
        except (ValueError, RecursionError, _RepeatedNameError):
            raise OddError from None
        return value

    def elements(self) -> Iterator[None]:
        """Stop at each element of the array that begins here; whoever asks for the next has passed this one."""
        self._at += 1
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield
            if self._comma_or("]"):
                return

    def values(self) -> Iterator[object]:
        """Yield each element of the array that begins here."""
        for _ in self.elements():
            yield self.value()
            # The same without the calls, for objects and arrays that have arrived with the comma before them:
            # twice as fast. What is odd or cut is left to the loop around this one.
            while matched := _comma_and_bracket(self._text, self._at):
                try:
                    value, self._at = _decode(self._text, matched.end())
                except (ValueError, RecursionError):
                    break
                yield value

    def row(self) -> Iterator[object]:
        """Yield each of the values that follow one another from here to the end.

        Between them is white space, a mark of files that were put one behind another, RS (RFC 7464), or nothing.
        """
        while self._peek_or_end(_between):
            yield self.value()
            while matched := _between_and_bracket(self._text, self._at):
                try:
                    value, self._at = _decode(self._text, matched.end())
                except (ValueError, RecursionError):
                    break
                yield value
            at = self._at
            if at < len(self._text) and is_glued(self._text, at) and not _between(self._text, at)[0]:  # type: ignore[index]
                raise self._unexpected("Extra data")

    def is_row(self, most: int) -> bool:
        """Return whether several values follow one another from here on, as far as `most` characters tell; stay here.

        See: `starts_another`.
        """
        while True:
            try:
                _, end = _decode(self._text, self._at)
            except (ValueError, RecursionError) as exc:
                here = len(self._text) - self._at
                if here >= most or not is_cut_short(self._text, exc) or not self._read_more(here):
                    return False
                continue
            behind = _between(self._text, end)
            assert behind is not None
            if behind.end() < len(self._text):
                return starts_another(self._text, end, behind.end())
            if not self._read_more():
                return False

    def members(self) -> Iterator[str]:
        """Stop at each value of the object that begins here, with its name; passing it is up to the caller."""
        self._at += 1
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            if self.peek() != '"':
                raise self._unexpected("Expecting property name enclosed in double quotes")
            name = self.value()
            if self.peek() != ":":
                raise self._unexpected("Expecting ':' delimiter")
            self._at += 1
            self.peek()
            yield str(name)
            if self._comma_or("}"):
                return

    def skip(self) -> None:
        """Pass the value that begins here, whatever its size; only its brackets and quotes are looked at."""
        char = self.peek()
        if char in "[{":
            self._skip_nested()
        elif char == '"':
            self._at += 1
            self._skip_string()
        else:
            if char in ",:]}":
                raise self._unexpected("Expecting value")
            self._skip_while(_scalar)

    def end(self) -> None:
        """Check that nothing but white space is left.

        Raises:
            FormatError: Something is.
        """
        if self._peek_or_end():
            raise self._unexpected("Extra data")

    def _comma_or(self, close: str) -> bool:
        """Pass the comma or the `close` that must be here; return whether it was `close`."""
        char = self.peek()
        if char not in (",", close):
            raise self._unexpected("Expecting ',' delimiter")
        self._at += 1
        return char == close

    def _peek_or_end(self, space: Callable[[str, int], re.Match[str] | None] = _space) -> str:
        while True:
            matched = space(self._text, self._at)
            assert matched is not None
            self._at = matched.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_more():
                return ""

    def _skip_nested(self) -> None:
        depth = 1
        self._at += 1
        while depth:
            self._skip_while(_to_bracket)
            char = self._text[self._at : self._at + 1]
            if not char:
                raise self._unexpected("Expecting ',' delimiter")
            self._at += 1
            if char == '"':  # its end has not arrived
                self._skip_string()
                continue
            depth += 1 if char in "[{" else -1

    def _skip_string(self) -> None:
        self._skip_while(_string_rest)
        # The expression stops before a backslash whose escaped character has not arrived.
        while self._text[self._at : self._at + 1] != '"':
            if not self._read_more():
                raise self._unexpected("Unterminated string")
            self._skip_while(_string_rest)
        self._at += 1

    def _skip_while(self, match: Callable[[str, int], re.Match[str] | None]) -> None:
        """Pass what `match` matches, read on as long as that is all there is."""
        while True:
            matched = match(self._text, self._at)
            assert matched is not None  # these expressions match the empty text
            self._at = matched.end()
            if self._at < len(self._text) or not self._read_more():
                return

    def _read_more(self, least: int = 1) -> bool:
        """Forget what is passed, let `least` or more characters arrive; return whether any did."""
        pieces = [self._text[self._at :]]
        arrived = 0
        while arrived < least and (piece := self._reader.read(CHUNK_SIZE)):
            pieces.append(piece)
            arrived += len(piece)
        self._dropped += self._reader.size_of(self._text[: self._at])
        self._text = "".join(pieces)
        self._at = 0
        return arrived > 0

    def _unexpected(self, words: str) -> FormatError:
        return self._error(json.JSONDecodeError(words, self._text, self._at))

    def _error(self, failure: DecodeFailure) -> FormatError:
        """Return the error for `failure`, which more characters cannot mend, for want of them or anyway."""
        return format_error(
            self._text,
            failure,
            self._reader.size_of,
            start=self._dropped,
            cut_short=is_cut_short(self._text, failure),
        )
