"""``<TAB>`` in the lines of the magics, as IPython asks for it.

IPython's completion of Python names is of no use there, and is suppressed.

See: https://ipython.readthedocs.io/en/stable/api/generated/IPython.core.completer.html
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

IDENTIFIER = "aios3_nb"
"""Names the matcher in IPython's settings, such as ``IPCompleter.disable_matchers``."""

_PRIORITY = 1000
"""Before IPython's own, so that those need not run."""

Parsers = Mapping[str, argparse.ArgumentParser]


def install_completion(shell: Any, parsers: Parsers) -> None:
    """Complete the lines of the magics `parsers`, by name, in `shell`; before IPython 8.6 they are not completed."""
    try:
        from IPython.core.completer import completion_matcher
    except ImportError:  # what IPython 7 asks gets words cut at colons, and its answers are mixed with Python's names
        return
    uninstall_completion(shell)
    if getattr(shell, "Completer", None) is not None:
        decorate = completion_matcher(identifier=IDENTIFIER, priority=_PRIORITY, api_version=2)
        shell.Completer.custom_matchers.append(decorate(_matcher(shell, parsers)))


def uninstall_completion(shell: Any) -> None:
    """Take that back."""
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", [])
    matchers[:] = [each for each in matchers if getattr(each, "matcher_identifier", "") != IDENTIFIER]


def _matcher(shell: Any, parsers: Parsers) -> Callable[[Any], Any]:
    # The first magic of a line is the one: `%time m = %s3load ...` too, and `s3ls` without its percent sign.
    names = "|".join(sorted(parsers))
    line = re.compile(rf"(?:(?:^|[\s=])%{{1,2}}|^\s*)(?P<name>{names})[ \t]+(?!=)(?P<line>.*)\Z", re.DOTALL)

    def match(context: Any) -> Any:
        from IPython.core.completer import SimpleCompletion

        found = line.search(context.text_until_cursor)
        if found is None:
            return {"completions": []}
        try:
            # Imported by the first <TAB>, with all that lists: %load_ext should not wait for it.
            from aios3_nb.notebook.complete.complete import complete

            after = context.line_with_cursor[context.cursor_position :]
            texts, end, kind = complete(parsers[found["name"]], found["line"], after, _namespace(shell))
        except Exception:  # whatever it is, it is not worth an error under somebody's cursor
            texts, end, kind = [], "", ""
        return {
            "completions": [SimpleCompletion(text=text, type=kind) for text in texts] or _Silence(),
            "matched_fragment": end,
            "suppress": True,
            "ordered": True,
        }

    return match


class _Silence:
    """No completions, and none by others: after an empty list IPython asks jedi, which may take seconds."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _namespace(shell: Any) -> dict[str, Any]:
    """Return the user's own variables."""
    hidden = shell.user_ns_hidden
    return {
        name: value
        for name, value in shell.user_ns.copy().items()
        if not name.startswith("_") and not (name in hidden and hidden[name] is value)
    }
