"""What may follow in the line of a magic: options and their values, variables, buckets, folders and keys."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from aios3_nb import settings
from aios3_nb.formats import format_names, writable_names
from aios3_nb.loop import in_thread
from aios3_nb.notebook.complete.keys import in_time
from aios3_nb.notebook.complete.line import Gap, find_gap, option_names
from aios3_nb.notebook.complete.word import addresses, value, variables
from aios3_nb.settings import Settings


class Offer(NamedTuple):
    """What may stand for the end of a line.

    Attributes:
        texts: Any of these may.
        end: That end.
        kind: What they are, as the page labels them: ``option``, ``value``, ``variable`` or ``path``.
    """

    texts: list[str]
    end: str
    kind: str = ""


def complete(parser: argparse.ArgumentParser, before: str, after: str, namespace: Mapping[str, Any]) -> Offer:
    """Return what may stand for the end of `before`, the line up to the cursor.

    At most two requests are sent, and it takes half a second at most.

    Args:
        parser: The magic's.
        before: The magic's line up to the cursor.
        after: The rest of it.
        namespace: The variables of the notebook.
    """
    gap = find_gap(parser, before, after, namespace)
    if gap is None:
        return Offer([], "")
    if gap.reference is not None and (found := variables(gap, namespace)):
        return Offer(found, "".join(gap.reference), "variable")
    if gap.kind == "option":
        return Offer([name for name in option_names(parser, gap.given) if name.startswith(gap.raw)], gap.raw, "option")
    if gap.kind == "name":
        return Offer([name for name in sorted(namespace) if name.startswith(gap.raw)], gap.raw, "variable")
    if gap.kind == "value":
        texts = [value(text, gap) for text in _values(parser, gap) if text.startswith(gap.word.text)]
        return Offer(texts, gap.raw, "value")
    return _without_folder(addresses(gap, _settings_of(gap), namespace), gap.raw)


def _without_folder(texts: list[str], raw: str) -> Offer:
    """Return `texts` and `raw` from the last ``/`` on, if all are the same before: what is chosen from is read.

    And behind a ``/`` JupyterLab offers operators of Python of its own; those go last when ours begin there.
    """
    folder = raw[: raw.rfind("/") + 1]
    if not all(text.startswith(folder) for text in texts):
        return Offer(texts, raw, "path")
    return Offer([text.removeprefix(folder) for text in texts], raw.removeprefix(folder), "path")


def _settings_of(gap: Gap) -> Settings:
    """Return the settings that the line asks for; a request that fails is not sent again."""
    given: Any = {name: gap.given[name] or True for name in settings.CONNECTION if name in gap.given}
    return settings.current(**given, retries=0)


def _values(parser: argparse.ArgumentParser, gap: Gap) -> Iterable[str]:
    assert gap.action is not None
    if gap.action.choices is not None:
        return map(str, gap.action.choices)
    if gap.action.dest == "format":
        return writable_names() if _STORES in parser.prog else format_names()
    return _VALUES.get(gap.action.dest, list)()


def _profiles() -> list[str]:
    # botocore takes half a second to import.
    return in_time(lambda: in_thread(_read_profiles, lambda: None), [])


def _read_profiles() -> list[str]:
    from botocore.session import Session

    return sorted(Session().available_profiles)


_VALUES: Mapping[str, Callable[[], Iterable[str]]] = {"profile": _profiles}
"""Values of options that have no fixed choices."""

_STORES = "s3save"
"""The magic that writes; what is only read is no format for it."""
