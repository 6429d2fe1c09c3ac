"""Where in a JSON document the value or the items are: ``users.item.name``, or a JSON Pointer, ``/users/*/name``.

See: https://www.rfc-editor.org/rfc/rfc6901
"""

from __future__ import annotations

import re
from typing import NamedTuple

from aios3_nb.errors import OptionError
from aios3_nb.text import visible


class Step(NamedTuple):
    """One step into a document.

    Attributes:
        name: Of a member, where there is an object.
        every: Whether each element is meant, where there is an array.
        number: Of the element that is meant, where there is an array; -1 for none.
    """

    name: str
    every: bool = False
    number: int = -1


_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_BAD_ESCAPE = re.compile(r"~(?![01])")
# JSONPath, jq and Python: $.rows[*].id, .rows[].id, rows[0]["id"]
_OTHER_SYNTAX = re.compile(r"""^\$|^\.|\[(?:\*|-?[0-9]*|"[^"]*"|'[^']*')\]""")
_OTHER_STEP = re.compile(r"""\.?\[(?:(\*|)|(-?[0-9]+)|"([^"]*)"|'([^']*)')\]|\.?([^.\[\]]+)|\.""")


def parse_path(path: str) -> tuple[Step, ...]:
    """Return the steps that `path` says; none for the empty one, which is the whole document.

    What begins with ``/`` is a JSON Pointer, in which ``*`` stands for every element of an array. Anything else is
    names joined by dots, in which ``item`` does.

    Raises:
        OptionError: It is neither.
    """
    if not path:
        return ()
    if path.startswith("/"):
        if _BAD_ESCAPE.search(path):
            raise OptionError(
                f"--path {visible(path, most=120)}: in a JSON Pointer '~' is written ~0, and '/' in a name ~1."
            )
        return tuple(_pointer_step(word) for word in path[1:].split("/"))
    if _OTHER_SYNTAX.search(path):
        raise OptionError(
            f"--path {visible(path, most=120)} is not understood. Write it as {visible(_as_pointer(path), most=120)}"
        )
    return tuple(Step(name, every=name == "item") for name in path.split("."))


def _pointer_step(word: str) -> Step:
    name = word.replace("~1", "/").replace("~0", "~")
    return Step(name, every=word == "*", number=int(word) if _NUMBER.fullmatch(word) else -1)


def _as_pointer(path: str) -> str:
    """Return the JSON Pointer for a path as JSONPath, jq or Python write it."""
    words = []
    for match in _OTHER_STEP.finditer(path.removeprefix("$")):
        every, index, double, single, name = match.groups()
        if every is not None:
            words.append("*")
        elif index is not None:
            words.append(index)
        elif (text := next((each for each in (double, single, name) if each is not None), None)) is not None:
            words.append(text.replace("~", "~0").replace("/", "~1"))
    return "/" + "/".join(words)
