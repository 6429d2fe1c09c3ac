r"""The line of a magic: split into words first, variables filled in afterwards, inside one word.

So a value can become neither an option, nor a name, nor a second word. The words are those of a shell:

    'a b'       literal
    "a {x} b"   with variables; a backslash goes before " \ $ { }
    $'a\nb'     literal, with the escapes \n \t \r \\ \' \" \xHH \uHHHH \UHHHHHHHH
    a\ b        a backslash goes before white space, quotes, \ $ { } # and ;, and is a backslash elsewhere
    # ...       a comment, where a word would begin
    ;           at the end: for IPython, which then shows no result
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aios3_nb.address import quote_text
from aios3_nb.errors import OptionError
from aios3_nb.notebook.expand import expand_text
from aios3_nb.text import in_quotes, visible

# ASCII only: a no-break space is a character of a key.
_SPACE = r"[ \t\r\n\f\v]"
_PIECE = re.compile(
    rf"""(?P<space>{_SPACE}+)
      | '(?P<single>[^']*)'
      | \$'(?P<ansi>(?:[^'\\]|\\.)*)'
      | "(?P<double>(?:[^"\\]|\\.)*)"
      | \\(?P<escaped>[ \t\r\n\f\v'"\\$#;{{}}])
      | (?P<bare>(?:(?!{_SPACE})[^'"\\$]|\$(?!')|\\(?![ \t\r\n\f\v'"\\$#;{{}}]))+)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE = re.compile(r"\\([\"\\${}])")
_IN_ANSI = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|(?P<plain>[ntr\\'\"]))"
)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word that is quoted in one way.

    Attributes:
        text: What it stands for, before variables are filled in.
        is_bare: Not quoted at all; only such text can be an option or a name.
        expands: Variables in it are filled in.
    """

    text: str
    is_bare: bool = False
    expands: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the line.

    Attributes:
        pieces: Its parts, in order.
        start: Where it begins in the line.
        stop: Where it ends.
    """

    pieces: tuple[Piece, ...]
    start: int = 0
    stop: int = 0

    @property
    def text(self) -> str:
        """The word without its quotes, before variables are filled in."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def bare(self) -> str:
        """What the word begins with before any quote."""
        return self.pieces[0].text if self.pieces and self.pieces[0].is_bare else ""

    def without(self, prefix: str) -> Token:
        """This word without `prefix`, which `bare` begins with."""
        first, *others = self.pieces
        rest = Piece(first.text.removeprefix(prefix), is_bare=True, expands=True)
        return Token((rest, *others) if rest.text else tuple(others), self.start + len(prefix), self.stop)


def split(line: str) -> list[Token]:
    """Return the words of `line`, without a comment and a closing ``;``.

    Raises:
        OptionError: A quote is never closed.
    """
    return _without_semicolon(list(_words(line)))


def split_partial(line: str) -> list[Token]:
    """Return the words of a line that is still being written: a quote at its end may be open. It never raises."""
    unescaped = line.removesuffix("\\")
    for text in (line, f"{line}'", f'{line}"', f"{unescaped}'", f'{unescaped}"'):
        try:
            tokens = list(_words(text))
        except OptionError:
            continue
        return [replace(token, stop=min(token.stop, len(line))) for token in tokens]
    return []


def expand(token: Token, namespace: Mapping[str, Any]) -> str:
    """Return the word with its variables filled in, each value as it is; see `expand_text`."""
    return "".join(expand_text(p.text, namespace) if p.expands else p.text for p in token.pieces)


def _words(line: str) -> Iterator[Token]:
    pieces: list[Piece] = []
    start = position = 0
    while position < len(line):
        if start == position and line[position] == "#":
            return
        match = _PIECE.match(line, position)
        if match is None:
            raise _unclosed(line, start, position)
        if match["space"] is None:
            pieces += _pieces(match)
            position = match.end()
            continue
        if start < position:
            yield Token(tuple(pieces), start, position)
        pieces, start, position = [], match.end(), match.end()
    if start < position:
        yield Token(tuple(pieces), start, position)


def _unclosed(line: str, start: int, position: int) -> OptionError:
    word = re.split(_SPACE, line[start:], maxsplit=1)[0]
    return OptionError(
        f"A quote is never closed: {in_quotes(line[position:])}. "
        f"If it belongs to the key, write {visible(quote_text(word), most=120)}."
    )


def _pieces(match: re.Match[str]) -> list[Piece]:
    if match["bare"] is not None:
        return [Piece(match["bare"], is_bare=True, expands=True)]
    if match["double"] is not None:
        # A character that a backslash went before is a piece of its own, and so no part of a variable.
        return [Piece(part, expands=True) for part in _IN_DOUBLE.split(match["double"])]
    if match["ansi"] is not None:
        return [Piece(_IN_ANSI.sub(_unescaped, match["ansi"]))]
    return [Piece(match["single"] if match["single"] is not None else match["escaped"])]


def _without_semicolon(tokens: list[Token]) -> list[Token]:
    if not tokens or not tokens[-1].pieces[-1].is_bare:
        return tokens
    *others, last = tokens[-1].pieces
    text = last.text.rstrip(";")
    pieces = (*others, replace(last, text=text)) if text else tuple(others)
    return [*tokens[:-1], replace(tokens[-1], pieces=pieces)] if pieces else tokens[:-1]


def _unescaped(match: re.Match[str]) -> str:
    if match["plain"]:
        return _PLAIN_ESCAPES.get(match["plain"], match["plain"])
    code = int(match["x"] or match["u"] or match["U"], 16)
    if code > sys.maxunicode:
        raise OptionError(f"{in_quotes(match[0])} is no character.")
    return chr(code)
