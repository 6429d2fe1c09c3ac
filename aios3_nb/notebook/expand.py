"""``{name}`` and ``$name`` in the words of a magic line -> the values of the notebook's variables."""

from __future__ import annotations

import datetime
import numbers
import os
import re
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any

from aios3_nb.address import S3Uri
from aios3_nb.errors import OptionError
from aios3_nb.text import in_quotes

_NAME = r"[^\W\d]\w*"
_DOTTED = rf"{_NAME}(?:\.{_NAME})*"
_REFERENCE = re.compile(rf"\$?\{{(?P<braced>{_DOTTED})\}}|\$(?P<plain>{_NAME})")
_EXPANDED = re.compile(rf"(?P<brace>\{{\{{|\}}\}})|{_REFERENCE.pattern}")

_TEXTUAL = (numbers.Number, datetime.date, datetime.time, uuid.UUID, S3Uri)


def expand_text(text: str, namespace: Mapping[str, Any]) -> str:
    """Return `text` with ``{name}``, ``{name.attribute}``, ``${name}`` and ``$name`` replaced, once.

    Names and attributes only: nothing is called, indexed or computed. ``{{`` and ``}}`` are single braces. What is
    not defined, or holds no text, number, date, path or URI, stays as it was written, for keys have braces too.

    Raises:
        OptionError: Looking up an attribute failed with something else than that there is none.
    """

    def value(match: re.Match[str]) -> str:
        if match["brace"]:
            return match["brace"][0]
        found = _look_up(match["braced"] or match["plain"], namespace)
        return match[0] if found is None else found

    return _EXPANDED.sub(value, text)


def is_reference(text: str) -> bool:
    """Return whether `text` is one ``{name}`` or ``$name`` and nothing else."""
    return _REFERENCE.fullmatch(text) is not None


def _look_up(dotted: str, namespace: Mapping[str, Any]) -> str | None:
    # Python normalizes the identifiers of a program, so the namespace has them in this form.
    name, *attributes = unicodedata.normalize("NFKC", dotted).split(".")
    if name not in namespace:
        return None
    value = namespace[name]
    for attribute in attributes:
        try:
            value = getattr(value, attribute)
        except AttributeError:
            return None
        except Exception as exc:
            raise OptionError(f"{in_quotes(dotted)} cannot be looked up: {in_quotes(repr(exc))}.") from exc
    return as_text(value)


def as_text(value: Any) -> str | None:
    """Return `value` as a person would write it into a key; None for a module, class, list, DataFrame, ..."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, os.PathLike):
        path = os.fspath(value)
        return path if isinstance(path, str) else None
    return str(value) if isinstance(value, _TEXTUAL) else None
