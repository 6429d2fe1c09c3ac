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

import builtins
import keyword
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aios3_nb.address.uri import is_absolute
from aios3_nb.errors import OptionError
from aios3_nb.notebook.expand import expand_text, is_reference
from aios3_nb.notebook.line import Token, expand, quote_text
from aios3_nb.text import in_quotes, is_visible, visible

_ASSIGNED = re.compile(r"(?P<name>[^/:=${}]*)=")
_FROM_HERE = re.compile(r"\.{1,2}(?:/|\Z)")
_FILE_NAME = re.compile(r"[^\W\d][^/=]*\.\w+(?:\?versionId=[^?&/#\s]*)?")
_SAFE = re.compile(r"[\w.,/:@%+~^=-]+")

_COMPRESSED = re.compile(r"\.(?:gz|bz2|xz|zst|lz4)\Z", re.IGNORECASE)
_SUFFIX = re.compile(r"(?<=.)\.[A-Za-z]\w{0,11}\Z")
_TAKEN = frozenset({"In", "Out", "get_ipython"}) | frozenset(dir(builtins))


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
        return f"{name}={quote_text(rest)}" if equals and rest and _is_name(name) else None


def read_target(token: Token, namespace: Mapping[str, Any], *, names: bool = True) -> Target:
    """Return what `token` asks for; without `names` no ``NAME=`` is looked for.

    Raises:
        OptionError: NAME is no identifier, nothing follows it, or only a variable's value would make it a name.
    """
    match = _ASSIGNED.match(token.bare) if names else None
    if match is None:
        return Target(None, expand(token, namespace))
    rest = token.without(match[0])
    _check_rest(token, match["name"], rest, namespace)
    if _is_meant(rest) or (_is_name(match["name"]) and _FILE_NAME.fullmatch(rest.text)):
        return Target(check_name(match["name"]), expand(rest, namespace))
    return Target(None, expand(token, namespace))


def quote(text: str) -> str:
    """Return `text` as a word that is read as just this text: no option, no name, no variable; plain if it can be."""
    plain = _SAFE.fullmatch(text) and all(map(is_visible, text)) and not text.startswith("-")
    return text if plain and not _is_ambiguous(text) else quote_text(text)


def check_name(text: str) -> str:
    """Return `text` as the name of a variable, normalized as Python does it.

    Raises:
        OptionError: It is none.
    """
    if _is_name(text):
        return unicodedata.normalize("NFKC", text)
    kind = "a word of Python's own" if keyword.iskeyword(text) else "no name of a variable"
    raise OptionError(f"{in_quotes(text)} is {kind}. Write {name_from_key(text)}=..., or ./ before a key.")


def name_from_key(key: str) -> str:
    """Return the name of a variable for `key`: ``dir/my-model v2.json.gz`` -> ``my_model_v2``.

    It hides neither Python's own names nor IPython's: ``class.pkl`` -> ``class_``, ``input.json`` -> ``input_``.
    """
    file_name = key.removesuffix("/").rpartition("/")[2]
    stem = _SUFFIX.sub("", _COMPRESSED.sub("", file_name))
    text = unicodedata.normalize("NFKC", stem)
    name = re.sub("_+", "_", "".join(c if f"_{c}".isidentifier() else "_" for c in text)).rstrip("_")
    if not name:
        return "data"
    if not name.isidentifier():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(unicodedata.normalize("NFKC", text))


def _is_meant(rest: Token) -> bool:
    """Whether `rest`, after ``NAME=``, can only be what is to be bound: rules 1 and 2."""
    if is_absolute(rest.bare) or _FROM_HERE.match(rest.bare):
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


def _is_ambiguous(text: str) -> bool:
    """Whether `text`, written without quotes, might be read as ``NAME=URI``."""
    match = _ASSIGNED.match(text)
    if match is None:
        return False
    rest = text[match.end() :]
    return not rest or is_absolute(rest) or bool(_FROM_HERE.match(rest) or _FILE_NAME.fullmatch(rest))
