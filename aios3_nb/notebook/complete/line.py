"""Where in a magic's line the cursor is, and what is asked for there. Nothing is looked up here.

What can stand there is read from the magic's own parser: its options, their choices, and the metavars of its
positional arguments (``[NAME=]URI``, ``URI``, ``FOLDER``, ``NAME URI``).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aios3_nb.notebook.line import Token, expand, split_partial
from aios3_nb.notebook.options import LITERAL, is_option, known_options, positional_actions

Kind = Literal["option", "value", "name", "address"]

# `{{` is a brace of the key; a backslash or single quotes make it another piece, which does not end so.
_REFERENCE = re.compile(r"(?P<opening>(?<![{$])\$?\{|(?<!\$)\$)(?P<name>(?:[^\W\d]\w*)?)\Z")


@dataclass(frozen=True, slots=True)
class Gap:
    """What the cursor is at the end of.

    Attributes:
        kind: What is asked for.
        word: The word so far; without a piece when none has begun.
        raw: As it is written.
        action: The option whose value it is, or the positional argument.
        metavar: What stands there, of a positional argument: ``[NAME=]URI``, ``URI``, ``FOLDER`` or ``NAME``.
        given: Options of the line and their values, variables filled in.
        after: What is written behind the cursor.
    """

    kind: Kind
    word: Token
    raw: str
    action: argparse.Action | None = None
    metavar: str = ""
    given: Mapping[str, str | None] = field(default_factory=dict)
    after: str = ""

    @property
    def takes_name(self) -> bool:
        """Whether ``NAME=`` may go before the address."""
        return "NAME=" in self.metavar

    @property
    def reference(self) -> tuple[str, str] | None:
        """The variable that is being written, as what it begins with (``{``, ``${`` or ``$``) and its name so far."""
        if not self.word.pieces or not self.word.pieces[-1].expands or self.kind not in {"value", "address"}:
            return None
        if self.kind == "value" and self.action is not None and LITERAL & set(self.action.option_strings):
            return None
        match = _REFERENCE.search(self.word.pieces[-1].text)
        return (match["opening"], match["name"]) if match and self.raw.endswith(match[0]) else None


def find_gap(
    parser: argparse.ArgumentParser, before: str, after: str = "", namespace: Mapping[str, Any] | None = None
) -> Gap | None:
    """Return what is asked for between `before` and `after`, the two parts of the line; None in a comment."""
    tokens = split_partial(before)
    end = tokens[-1].stop if tokens else 0
    if before[end:].strip():  # no words: a comment
        return None
    word = tokens.pop() if tokens and end == len(before) else Token((), len(before), len(before))
    walk = _Walk(parser, namespace or {})
    walk.over(tokens)
    index, pending, closed = walk.words, walk.pending, walk.closed
    # Options may also stand behind the cursor; first comes the rest of the word that it is in, if it is in one.
    walk.over(split_partial(after)[0 if after[:1].isspace() else 1 :])
    gap = Gap("option", word, before[word.start :], given=walk.given, after=after)
    if pending is not None:
        return replace(gap, kind="value", action=pending)
    if not closed and word.bare.startswith("-"):
        return _in_option(gap, parser)
    return _in_word(gap, parser, index)


def option_names(parser: argparse.ArgumentParser, given: Mapping[str, str | None]) -> list[str]:
    """Return the options that may still be given, in the order of the magic's help."""
    return [name for name, action in known_options(parser).items() if action.dest not in given]


class _Walk:
    """Tells options, their values and other words apart, as `_options.parse` does, but minds no mistakes."""

    def __init__(self, parser: argparse.ArgumentParser, namespace: Mapping[str, Any]) -> None:
        self._known = known_options(parser)
        self._namespace = namespace
        self.given: dict[str, str | None] = {}
        self.words = 0
        self.pending: argparse.Action | None = None
        self.closed = False

    def over(self, tokens: Sequence[Token]) -> None:
        rest = iter(tokens)
        self.pending = None
        for token in rest:
            if self.closed or not is_option(token):
                self.words += 1
            elif token.text == "--":
                self.closed = True
            else:
                self._take(token, rest)

    def _take(self, token: Token, rest: Iterator[Token]) -> None:
        name, equals, _ = token.bare.partition("=")
        action = self._known.get(name)
        if action is None:
            return
        if action.nargs == 0:
            self.given[action.dest] = None
            return
        value = token.without(f"{name}=") if equals else next(rest, None)
        if value is None:
            self.pending = action
        else:
            self.given[action.dest] = expand(value, self._namespace)


def _in_option(gap: Gap, parser: argparse.ArgumentParser) -> Gap | None:
    """Return the gap of an option, or of its value after ``=``."""
    name, equals, _ = gap.word.bare.partition("=")
    if not equals:
        return gap
    action = known_options(parser).get(name)
    if action is None or action.nargs == 0:
        return None
    start = len(name) + 1
    return replace(gap, kind="value", word=gap.word.without(gap.raw[:start]), raw=gap.raw[start:], action=action)


def _in_word(gap: Gap, parser: argparse.ArgumentParser, index: int) -> Gap | None:
    """Return the gap of the word number `index`; None when the magic takes no more words."""
    for action in positional_actions(parser):
        metavars = str(action.metavar).split()
        if action.nargs in {"+", "*"}:
            metavars = [str(action.metavar)] * (index + 1)
        if index < len(metavars):
            kind: Kind = "name" if metavars[index] == "NAME" else "address"
            return replace(gap, kind=kind, action=action, metavar=metavars[index])
        index -= len(metavars)
    return None
