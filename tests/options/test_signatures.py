"""What the calls take is stated once, and shown whole: by `inspect`, in docstrings, to type checkers."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import aios3_nb
from aios3_nb import api, options
from aios3_nb.errors import OptionError
from aios3_nb.notebook.magics import S3Magics
from aios3_nb.pipeline import Order, make_order
from aios3_nb.settings import NAMES

GROUPS = {
    "open": options.Opening,
    "load": options.Loading,
    "iterate": options.Iterating,
    "peek": options.Peeking,
    "ls": options.Looking,
    "dump": options.Storing,
    "sign": options.Signing,
    "cd": options.Moving,
    "browse": options.Browsing,
    "doctor": options.Opening,
}
TWINS = {"load": "aload", "iterate": "aiterate", "peek": "apeek", "ls": "als", "dump": "adump"}
SUBJECTS = {"dump": ["obj", "uri"]}


def described(text: str) -> dict[str, str]:
    """Return what the ``Args`` of a docstring say of each name."""
    (args,) = re.findall(r"\nArgs:\n((?:    .*\n?)+)", text)
    found = re.findall(r"^    ([\w, \n]+?): ((?:.*\n?)(?:     .*\n?)*)", args, re.MULTILINE)
    return {name.strip(): says for names, says in found for name in names.split(",")}


@pytest.mark.parametrize(("call", "group"), [*GROUPS.items(), *((TWINS[name], GROUPS[name]) for name in TWINS)])
def test_every_option_is_in_the_signature_with_its_type_and_in_the_docstring_with_its_meaning(
    call: str, group: type
) -> None:
    function = getattr(aios3_nb, call)
    parameters = inspect.signature(function).parameters
    subjects = SUBJECTS.get(call.removeprefix("a"), ["uri"])
    assert list(parameters) == [*subjects, *options.names_in(group)]
    assert {each.kind for each in list(parameters.values())[len(subjects) :]} == {inspect.Parameter.KEYWORD_ONLY}
    assert all(each.annotation is not inspect.Parameter.empty for each in parameters.values())
    assert function.__annotations__.keys() == {*parameters, "return"}
    says = described(inspect.getdoc(function) or "")
    assert says.keys() == parameters.keys()
    assert not [name for name, text in says.items() if len(text) < 12 or text.startswith("See `load`")]


@pytest.mark.parametrize(("call", "twin"), TWINS.items())
def test_the_awaited_twin_takes_and_says_the_same_and_returns_its_own(call: str, twin: str) -> None:
    model, awaited = getattr(aios3_nb, call), getattr(aios3_nb, twin)
    assert inspect.signature(awaited).parameters == inspect.signature(model).parameters
    assert awaited.__doc__.endswith(model.__doc__)
    assert f"`{call}`" in awaited.__doc__.partition("\n")[0]
    assert inspect.iscoroutinefunction(awaited) or inspect.isasyncgenfunction(awaited)
    assert inspect.signature(awaited).return_annotation is not inspect.Signature.empty


def test_defaults_shown_are_those_in_force() -> None:
    order = make_order("s3://b/k", {})
    for name, value in options.DEFAULTS.items():
        holder = order if hasattr(order, name) else order.reading
        assert name in ("recursive", "expires") or getattr(holder, name) == value
    assert inspect.signature(aios3_nb.load).parameters["format"].default is order.format


def test_every_option_reaches_the_order() -> None:
    given: dict[str, Any] = {
        "version_id": "v", "format": "json", "path": "a.b", "allow": "a.b,c.d", "trust": True, "encoding": "cp1252",
        "limit": 3, "max_bytes": 10, "errors": "skip", "concat": True, "key_column": "k", "columns": "a,b", "rows": 2,
        "as_": "arrow",
    }  # fmt: skip
    # One that was added and is missing here would be lost: this fails until it says where it goes.
    assert given.keys() - set(NAMES) == set(options.names_in(options.Loading)) - set(NAMES)
    order = make_order("s3://b/k", given)
    assert (order.uri.version_id, order.format, order.limit, order.settings.max_bytes) == ("v", "json", 3, 10)
    assert (order.skips_errors, order.concat, order.key_column) == (True, True, "k")
    reading = order.reading
    assert (reading.columns, reading.rows, reading.as_) == (("a", "b"), 2, "arrow")
    assert (reading.path, reading.allow, reading.trust, reading.encoding, reading.max_bytes) == (
        *("a.b", ("a.b", "c.d"), True, "cp1252", 10),
    )


def test_a_line_takes_what_the_call_takes_but_for_what_only_a_program_would_set() -> None:
    line = {action.dest for action in S3Magics.s3load.parser._actions}
    assert set(options.names_in(options.Loading)) - set(NAMES) <= line


@pytest.mark.parametrize("call", GROUPS)
def test_an_option_that_a_call_does_not_take_is_refused_with_the_nearest_that_it_takes(call: str) -> None:
    subjects = ("s3://b/k",) if call != "dump" else (1, "s3://b/k.json")
    wrong, right = ("endpoint_ur", "endpoint_url") if call == "cd" else ("profil", "profile")
    with pytest.raises(OptionError, match=rf"Unknown option '{wrong}'. Did you mean '{right}'\?"):
        getattr(aios3_nb, call)(*subjects, **{wrong: "x"})
    with pytest.raises(OptionError, match=r"Unknown option 'nothing_like_it'\. The options are: "):
        getattr(aios3_nb, call)(*subjects, nothing_like_it=1)


def test_an_order_takes_no_more_than_the_group_has() -> None:
    assert isinstance(make_order("s3://b/k", {"version_id": "1"}, options.Opening), Order)
    with pytest.raises(OptionError, match="Unknown option 'limit'"):
        make_order("s3://b/k", {"limit": 1}, options.Opening)


def test_type_checkers_see_every_option_of_both(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    path = tmp_path / "used.py"
    path.write_text(
        "import aios3_nb\n"
        "async def main() -> None:\n"
        "    reveal_type(await aios3_nb.als('s3://b/'))\n"
        "    await aios3_nb.aload('s3://b/k', format='json', allow=['a.b'], part_size=1)\n"
        "    await aios3_nb.aload('s3://b/k', frmat='json')\n"
        "    await aios3_nb.apeek('s3://b/k', limit=1)\n"
        "    aios3_nb.iterate('s3://b/k', limit='1')\n"
        "    await aios3_nb.adump(1, 's3://b/k', format=5)\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, cwd=Path(aios3_nb.__file__).parents[1]).stdout
    found = re.findall(r"used\.py:(\d+): (?:note: Revealed type is|error:) (.*)", lines)
    said = {int(number): text for number, text in found}
    assert said.keys() == {3, 5, 6, 7, 8}, lines
    assert "aios3_nb.s3.listing.Listing" in said[3]
    assert 'Unexpected keyword argument "frmat" for "aload"' in said[5]
    assert 'Unexpected keyword argument "limit" for "apeek"' in said[6]
    assert 'Argument "limit" to "iterate" has incompatible type "str"' in said[7]
    assert 'Argument "format" to "adump" has incompatible type' in said[8]


def test_the_docstring_of_a_twin_is_written_once() -> None:
    tree = ast.parse(Path(api.__file__).read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    assert not [name for name in TWINS.values() if ast.get_docstring(functions[name])]
