"""The signatures and docstrings of the public calls, spelled out from what they state once.

A call takes its options as a group, ``**options: Unpack[Loading]``, and its awaited twin takes the same. Type checkers
and editors follow both; but ``?`` and the reference go by `inspect`, which would show ``**options`` and no docstring.
"""

import inspect
import re
import typing
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from aios3_nb.options.groups import DEFAULTS, names_in
from aios3_nb.settings import Overrides

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_ARGS = re.compile(r"(?<=\nArgs:\n)(?:    .*\n?)+")
_ENTRY = re.compile(r"^    (\w+): ((?:.*\n?)(?:     .*\n?)*)", re.MULTILINE)

_REFERRED = re.compile(r"See `\w+`\.\n?")

_said: dict[str, str] = {}
"""What an option means, in the words of the first call that described it."""


def spelled_out(function: F) -> F:
    """Give `function` the signature with every option of its group, and a docstring that describes each.

    Where the docstring leaves an option out, or says of it "See `load`.", the words are those of the call that was
    spelled out before and described it; ``options`` stands for the settings.
    """
    signature = inspect.signature(function)
    (*subjects, options) = signature.parameters.values()
    group = typing.get_args(options.annotation)[0]
    said = _entries_in(inspect.cleandoc(function.__doc__ or ""))
    # A setting that the docstring tells of means something of its own there.
    shared = [name for name in names_in(group) if name in Overrides.__annotations__ and name not in said]
    own = [name for name in names_in(group) if name not in shared]
    types = typing.get_type_hints(group)
    named = [_parameter(name, types[name]) for name in names_in(group)]
    _set(function, signature.replace(parameters=[*subjects, *named]), inspect.cleandoc(function.__doc__ or ""))
    _describe(function, [*(subject.name for subject in subjects), *own], shared)
    return function


def awaited(call: Callable[P, Any]) -> Callable[[Callable[..., T]], Callable[P, T]]:
    """Return what gives an async function the parameters and the docstring of `call`, which it is the twin of."""

    def finish(function: Callable[..., T]) -> Callable[P, T]:
        result = inspect.signature(function).return_annotation
        text = f"The same as `{call.__name__}`, awaited: other tasks of the loop run meanwhile.\n\n{call.__doc__}"
        _set(function, inspect.signature(call).replace(return_annotation=result), text)
        return cast(Callable[P, T], function)

    return finish


def _parameter(name: str, kind: Any) -> inspect.Parameter:
    default = DEFAULTS.get(name)
    annotation = kind | None if default is None else kind
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _set(function: Any, signature: inspect.Signature, text: str) -> None:
    function.__signature__ = signature
    function.__annotations__ = {
        **{name: each.annotation for name, each in signature.parameters.items()},
        "return": signature.return_annotation,
    }
    function.__doc__ = text


def _entries_in(text: str) -> dict[str, str]:
    """Return what the ``Args`` of a docstring say of each name, but for references to others."""
    args = _ARGS.search(text)
    entries = _ENTRY.findall(args[0] if args else "")
    return {name: text for name, text in entries if name != "options" and not _REFERRED.fullmatch(text)}


def _describe(function: Any, names: list[str], shared: list[str]) -> None:
    """Complete the ``Args`` of the docstring: `names` in this order, then the settings."""
    entries = _entries_in(function.__doc__)
    for name, text in entries.items():
        _said.setdefault(name, text)
    lines = [f"    {name}: {entries.get(name, _said[name])}".rstrip() for name in names]
    # On one line, as Sphinx wants several names to be.
    ends = f"    {', '.join(shared)}: Settings for this call alone; see `Settings`.\n" if shared else ""
    function.__doc__ = _ARGS.sub(lambda _: "\n".join([*lines, ends]), function.__doc__)
