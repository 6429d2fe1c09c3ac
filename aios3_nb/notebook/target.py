"""What a word of the line asks for: an object, and perhaps the name of a variable for it.

``NAME=URI`` and keys such as ``year=2024/part.pkl`` look alike. The rule goes by what is written, never by the value
of a variable. A word is ``NAME=URI`` if ``NAME=`` is not quoted and what follows

1. is an ``s3://``, ``https://`` or ARN form, or begins with ``./`` or ``../``: ``m=s3://b/k.pkl``, ``m=./2024/k.pkl``
2. begins with a quote, or is one variable: ``m="{root}/k.pkl"``, ``m={uri}``, ``m=$uri``
3. is a plain file name, which begins with a letter, has a suffix and neither ``/`` nor another ``=``: ``m=model.pkl``

Everything else is a key: ``year=2024/part.pkl``, ``epoch=9-step=500.ckpt``, ``lr=0.1.pkl``. A leading ``./``, or
quotes around the word, always make it a key: ``./m=model.pkl``, ``'m=model.pkl'``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aios3_nb.address import ASSIGNED, check_name, is_absolute, is_file_name, is_located, is_name, quote, quote_text
from aios3_nb.errors import OptionError
from aios3_nb.notebook.expand import expand_text, is_reference
from aios3_nb.notebook.line import Token, expand
from aios3_nb.text import in_quotes, visible


@dataclass(frozen=True, slots=True)
class Target:
    """An object to load.

    Attributes:
        name: Variable to bind it to; None when the line gives none.
        text: What names the object, for `aios3_nb.address.uri.parse`.
    """

    name: str | None
    text: str

    @property
    def otherwise(self) -> str | None:
        """How to write the word if it was meant the other way, as a name or as a key; None if that is no question."""
        if self.name is not None:
            return None if is_absolute(self.text) else quote(f"./{self.name}={self.text}")
        name, equals, rest = self.text.partition("=")
        return f"{name}={quote_text(rest)}" if equals and rest and is_name(name) else None


def read_target(token: Token, namespace: Mapping[str, Any], *, names: bool = True) -> Target:
    """Return what `token` asks for; without `names` no ``NAME=`` is looked for.

    Raises:
        OptionError: NAME is no identifier, nothing follows it, or only a variable's value would make it a name.
    """
    match = ASSIGNED.match(token.bare) if names else None
    if match is None:
        return Target(None, expand(token, namespace))
    rest = token.without(match[0])
    _check_rest(token, match["name"], rest, namespace)
    if _is_meant(rest) or (is_name(match["name"]) and is_file_name(rest.text)):
        return Target(check_name(match["name"]), expand(rest, namespace))
    return Target(None, expand(token, namespace))


def _is_meant(rest: Token) -> bool:
    """Whether `rest`, after ``NAME=``, can only be what is to be bound: rules 1 and 2."""
    if is_located(rest.bare):
        return True
    return not rest.bare or (len(rest.pieces) == 1 and is_reference(rest.bare))


def _check_rest(token: Token, name: str, rest: Token, namespace: Mapping[str, Any]) -> None:
    if not rest.pieces or (not name and _is_meant(rest)):
        raise OptionError(f"{in_quotes(token.text)} is half of NAME=URI, which has no spaces around the '='.")
    if _is_meant(rest) or not rest.bare.startswith(("{", "$")):
        return
    # `m={root}/k.pkl` or `year={year}/part.pkl`? The value must not decide it.
    if is_absolute(expand_text(rest.bare, namespace)):
        raise OptionError(
            f"{in_quotes(token.text)} may be a name and a URI, or a key. "
            f'For a name write {visible(name)}="{visible(rest.text)}", for a key put ./ before it.'
        )
