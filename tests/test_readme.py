"""The README is true: its code runs, its commands and options exist, its tables are complete."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

import aios3_nb
from aios3_nb.__main__ import _parser
from aios3_nb.formats import registry
from aios3_nb.notebook import magics
from aios3_nb.pipeline import trust
from aios3_nb.server import put_samples
from aios3_nb.settings import NAMES, Settings, _checked
from tests import run_notebooks
from tests.kernels import Kernel, kernel

ROOT = Path(aios3_nb.__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_MOST_NOT_RUN = 2


@dataclass(frozen=True)
class Block:
    """One block of code, with the number of its first line, and why it is not run."""

    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"line-{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Return the blocks in these languages."""
    found = []
    for match in _BLOCK.finditer(README):
        line = README.count("\n", 0, match.start("text")) + 1
        found.append(Block(line, match["language"], match["text"], match["reason"]))
    return [block for block in found if block.language in languages]


@pytest.fixture(scope="module")
def reader(server: Any) -> Iterator[Kernel]:
    """A notebook in which the blocks are run one after the other."""
    client = server.client()
    put_samples(client)
    client.close()
    with kernel(run_notebooks.environment(server)) as running:
        yield running


@pytest.mark.parametrize("block", [b for b in blocks("python") if not b.reason], ids=str)
def test_code_runs(reader: Kernel, block: Block) -> None:
    """In their order, in one notebook, on the embedded server."""
    reader.ok(block.text)


@pytest.mark.parametrize("block", [b for b in blocks("python") if b.reason], ids=str)
def test_code_that_is_not_run_is_code_and_its_options_exist(block: Block) -> None:
    compile(TransformerManager().transform_cell(block.text), "README", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for option in re.findall(r"(?<!\S)--[a-z-]+", block.text):
        assert option in _options()


def test_few_blocks_are_not_run() -> None:
    assert len([block for block in blocks("python") if block.reason]) <= _MOST_NOT_RUN


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert len(blocks("python", "sh", "ini", "toml", "text")) == len(list(_BLOCK.finditer(README)))


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_commands_exist(block: Block) -> None:
    for line in block.text.splitlines():
        check = next((check for start, check in COMMANDS.items() if line.startswith(start)), None)
        assert check is not None, f"nothing checks {line!r}"
        check(line)


def _make_has(line: str) -> None:
    # What it would run, without running it; an unknown target is an error.
    subprocess.run(["make", "--dry-run", *line.split()[1:]], cwd=ROOT, check=True, capture_output=True)


def _extras_exist(line: str) -> None:
    match = re.search(r"\[([\w,]+)\]", line)
    assert match
    assert set(match[1].split(",")) <= set(PROJECT["optional-dependencies"])


def _command_is_understood(line: str) -> None:
    _parser().parse_args(line.split()[1:])


def _is_a_setting(line: str) -> None:
    match = re.match(r"export AIOS3_NB_(\w+)=", line)
    assert match
    assert match[1].lower() in _settings()


COMMANDS = {
    "make ": _make_has,
    "pip install ": _extras_exist,
    "aios3_nb ": _command_is_understood,
    "export ": _is_a_setting,
}


@pytest.mark.parametrize("block", blocks("ini"), ids=str)
def test_configuration_can_be_read(block: Block) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(block.text)
    assert parser.sections()


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_trust_is_written_as_it_is_read(block: Block, account_home: Path) -> None:
    file = account_home / ".config" / "aios3_nb.toml"
    file.parent.mkdir(mode=0o755)
    file.write_text(block.text, encoding="utf-8")
    file.chmod(0o644)
    assert trust.trusted_prefixes()


def test_faults_are_those_that_were_measured() -> None:
    lines = (ROOT / "tests/faults/RESULTS.md").read_text(encoding="utf-8").splitlines()
    head, *faults, last = [_cells(line) for line in lines if line.startswith("|") and not line.startswith("| ---")]
    for name, result in zip(head[1:], last[1:], strict=True):
        assert f"\n| {name} | {result.replace(' / ', ' | ')} |\n" in README
    assert f"| of {len(faults)} faults |" in README


def test_speed_is_what_was_measured() -> None:
    results = (ROOT / "tests/benchmarks/RESULTS.md").read_text(encoding="utf-8")
    table = re.search(r"## In short\n\n(\|.*?\n)\n", results, re.DOTALL)
    assert table
    assert table[1] in README


def _cells(line: str) -> list[str]:
    return [cell.strip(" *") for cell in line.strip("|").split("|")]


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_every_magic_is_there_and_no_other() -> None:
    assert set(re.findall(r"\*\*`%{1,2}(s3\w+)", README)) == _magic_names()


def test_every_option_that_is_named_exists() -> None:
    prose = re.sub(_BLOCK, "", README)
    assert set(re.findall(r"`(--[a-z-]+)", prose)) <= _options()


def test_every_verb_is_there() -> None:
    for name in aios3_nb.__all__:
        if name.islower() and not name.startswith("_") and not name.endswith("_extension"):
            assert re.search(rf"\baios3_nb\.{name}\(", README) or f"%s3{name}" in README, name


def test_every_setting_is_there_with_its_default() -> None:
    told = {
        name: default
        for names, defaults in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|", README, re.MULTILINE)
        for name, default in zip(re.findall(r"`(\w+)`", names), defaults.strip().split(", "), strict=False)
        if name in _settings()
    }
    defaults = Settings()
    for name in _settings():
        value = None if told[name] == "none" else told[name]
        assert (None if value is None else _checked(name, value)) == getattr(defaults, name), name
    assert len(told) == len(_settings())


def test_every_format_is_there() -> None:
    table = README[README.index("## Formats") : README.index("## Settings")]
    for name in registry.format_names():
        assert re.search(rf"\| (?:[\w, ]+, )?{name}(?:, [\w, ]+)? \|", table), name


def test_every_notebook_is_linked() -> None:
    for path in run_notebooks.paths():
        assert f"(notebooks/{path.name})" in README


def _settings() -> tuple[str, ...]:
    return NAMES


def _magic_names() -> set[str]:
    return {name for kind in magics.S3Magics.magics.values() for name in kind if name.startswith("s3")}


def _options() -> set[str]:
    return {
        option for name in _magic_names() for option in getattr(magics.S3Magics, name).parser._option_string_actions
    }
