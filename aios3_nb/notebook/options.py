"""The line of a magic -> `argparse.Namespace`, with what is an option decided by what is written, not by values."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from aios3_nb.errors import OptionError
from aios3_nb.notebook.line import Token, expand, split
from aios3_nb.notebook.target import Target, read_target
from aios3_nb.text import in_quotes, visible

LITERAL = frozenset({"--trust", "--allow"})
"""What a user must have typed out: no variable's value ever widens what a pickle may run."""


def parse(
    parser: argparse.ArgumentParser,
    line: str,
    namespace: Mapping[str, Any],
    *,
    names: bool = True,
    literal: Collection[str] = LITERAL,
) -> argparse.Namespace:
    """Return what `line` asks for, options before and after the URIs; each positional argument is a `Target`.

    Args:
        parser: Has the options (with one value, or none) and the positional arguments (of no type of their own).
        line: What the user wrote after the name of the magic.
        namespace: The variables of the notebook, for ``{name}`` and ``$name``.
        names: Read ``NAME=URI``; without, every word is a URI.
        literal: Options whose values may hold no variable.

    Raises:
        OptionError: An option is unknown, given twice, or lacks its value or has one that does not fit; NAME is no
            identifier; too few or too many words; a quote is never closed.
    """
    options, words = _separate(parser, split(line))
    argv = [_option(action, name, value, namespace, literal) for action, name, value in options]
    targets = [read_target(word, namespace, names=names) for word in words]
    # argparse sees the numbers of the words: whatever these are, it takes them for no options.
    args, left = _parse(parser, [*map(str, range(len(targets))), *argv])
    if left:
        raise OptionError(f"One word too many: {in_quotes(targets[int(left[0])].text)}. {_help(parser)}")
    for action in positional_actions(parser):
        setattr(args, action.dest, _put_back(getattr(args, action.dest), targets))
    return args


_Option = tuple[argparse.Action, str, Token | None]


def _separate(parser: argparse.ArgumentParser, tokens: Sequence[Token]) -> tuple[list[_Option], list[Token]]:
    """Return the options with their values, and the other words; after ``--`` all words are others."""
    options: list[_Option] = []
    words: list[Token] = []
    rest = iter(tokens)
    for token in rest:
        if token.bare == token.text == "--":
            words.extend(rest)
        elif is_option(token):
            options.append(_read_option(parser, token, rest))
        else:
            words.append(token)
    _check_once(options)
    return options, words


def is_option(token: Token) -> bool:
    """Return whether `token` is written as an option: it begins with ``-``, not quoted."""
    return len(token.bare) > 1 and token.bare.startswith("-")


def _read_option(parser: argparse.ArgumentParser, token: Token, rest: Iterator[Token]) -> _Option:
    name, equals, _ = token.bare.partition("=")
    known = known_options(parser)
    if name not in known or (not equals and token.bare != token.text):
        raise _unknown(parser, token)
    action = known[name]
    if action.nargs == 0:
        if equals:
            raise OptionError(f"{name} takes no value.")
        return action, name, None
    value = token.without(f"{name}=") if equals else next(rest, None)
    if value is None or (not equals and is_option(value)):
        raise OptionError(f"{name} needs a value: {name} {action.metavar or action.dest.upper()}.")
    return action, name, value


def _check_once(options: Sequence[_Option]) -> None:
    seen: set[str] = set()
    for action, name, _ in options:
        if action.dest in seen:
            raise OptionError(f"{name} is given twice.")
        seen.add(action.dest)


def _option(
    action: argparse.Action,
    name: str,
    value: Token | None,
    namespace: Mapping[str, Any],
    literal: Collection[str],
) -> str:
    """Return the option as argparse takes it in one word, which no value can leave."""
    if value is None:
        return name
    text = expand(value, namespace)
    if name in literal and text != expand(value, {}):
        raise OptionError(f"{name} takes no variables, so that its value is what you see. Write it out.")
    if text == "--":
        # argparse drops it, even from `--format=--`, in some versions of Python: the value would be [].
        raise OptionError(f"'--' is no value for {name}.")
    return f"{name}={text}"


def _parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    from IPython.core.error import UsageError  # only a magic calls this, so it is imported already

    try:
        return parser.parse_known_args(argv)
    except UsageError as exc:
        raise OptionError(f"{visible(str(exc))}. {_help(parser)}") from exc


def _unknown(parser: argparse.ArgumentParser, token: Token) -> OptionError:
    name = token.text.partition("=")[0]
    close = difflib.get_close_matches(name, known_options(parser), n=3)
    hint = f"Did you mean {' or '.join(close)}?" if close else _help(parser)
    return OptionError(f"Unknown option {in_quotes(name)}. {hint} A key that begins with '-' goes in quotes.")


def _help(parser: argparse.ArgumentParser) -> str:
    return f"%{parser.prog}? explains the line."


# argparse publishes neither of these; they have been the same since it was written.
def known_options(parser: argparse.ArgumentParser) -> Mapping[str, argparse.Action]:
    """Return the options of `parser` by what is written."""
    return parser._option_string_actions  # noqa: SLF001


def positional_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the positional arguments of `parser`, in order."""
    return parser._get_positional_actions()  # noqa: SLF001


def _put_back(value: Any, targets: Sequence[Target]) -> Any:
    """Return the targets that the numbers in `value` stand for."""
    if isinstance(value, list):
        return [targets[int(number)] for number in value]
    return targets[int(value)] if isinstance(value, str) else value
