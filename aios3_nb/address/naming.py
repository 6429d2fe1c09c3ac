"""The names of variables: which text is one, and which one a key suggests."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata

from aios3_nb.errors import OptionError
from aios3_nb.text import in_quotes, is_visible

_COMPRESSED = re.compile(r"\.(?:gz|bz2|xz|zst|lz4)\Z", re.IGNORECASE)
_SUFFIX = re.compile(r"(?<=.)\.[A-Za-z]\w{0,11}\Z")
_TAKEN = frozenset({"In", "Out", "get_ipython"}) | frozenset(dir(builtins))


def is_name(text: str) -> bool:
    """Return whether `text` can be the name of a variable."""
    return text.isidentifier() and not keyword.iskeyword(unicodedata.normalize("NFKC", text))


def check_name(text: str) -> str:
    """Return `text` as the name of a variable, normalized as Python does it.

    Raises:
        OptionError: It is none.
    """
    if is_name(text):
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
    name = re.sub("_+", "_", "".join(c if f"_{c}".isidentifier() and is_visible(c) else "_" for c in text)).rstrip("_")
    if not name:
        return "data"
    if not name.isidentifier():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name
