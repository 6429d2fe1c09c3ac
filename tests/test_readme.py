"""The README and the pages in ``docs/`` are true: their code runs, commands and options exist, tables are complete."""

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
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_MOST_NOT_RUN = 2
_AT_THE_BEGINNING = "%reset -f\n%reload_ext aios3_nb\n%s3demo\n%s3cd s3://demo/"
"""What each page of the site takes for granted, as its first page says."""


def read(*parts: str) -> str:
    """Return the text of a page of the site."""
    return DOCS.joinpath(*parts).read_text(encoding="utf-8")


EVERYTHING = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


@dataclass(frozen=True)
class Block:
    """One block of code, with the number of its first line, and why it is not run."""

    page: Path
    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str, pages: list[Path] = PAGES) -> list[Block]:
    """Return the blocks in these languages."""
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("text")) + 1
            found.append(Block(page, line, match["language"], match["text"], match["reason"]))
    return [block for block in found if block.language in languages]


@pytest.fixture(scope="module")
def reader(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A notebook in which the blocks are run one after the other; its profile ``prod`` has a bucket of its own."""
    folder = tmp_path_factory.mktemp("reader")
    endpoint = server.endpoint
    (folder / "config").write_text(
        f"[profile prod]\naws_access_key_id = {endpoint.access_key}\naws_secret_access_key = {endpoint.secret_key}\n"
    )
    client = server.client()
    put_samples(client)
    client.create_bucket(Bucket="my-bucket")
    model = client.get_object(Bucket="demo", Key="models/model.pkl")["Body"].read()
    client.put_object(Bucket="my-bucket", Key="models/model.pkl", Body=model)
    client.close()
    environment = run_notebooks.environment(server, str(folder)) | {"AWS_CONFIG_FILE": str(folder / "config")}
    with kernel(environment, folder=str(folder)) as running:
        yield running


@pytest.mark.parametrize("page", [page for page in PAGES if blocks("python", pages=[page])], ids=lambda page: page.stem)
def test_code_runs(reader: Kernel, page: Path) -> None:
    """From top to bottom, in one notebook, on the embedded server."""
    reader.ok(_AT_THE_BEGINNING)
    for block in blocks("python", pages=[page]):
        if not block.reason:
            cell = reader.run(block.text)
            assert not cell.errors, f"{block}\n{cell.traceback}"


@pytest.mark.parametrize("block", [b for b in blocks("python") if b.reason], ids=str)
def test_code_that_is_not_run_is_code_and_its_options_exist(block: Block) -> None:
    compile(TransformerManager().transform_cell(block.text), str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for option in re.findall(r"(?<!\S)--[a-z-]+", block.text):
        assert option in _options()


def test_few_blocks_are_not_run() -> None:
    assert len([block for block in blocks("python") if block.reason]) <= _MOST_NOT_RUN


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    kinds = {match["language"] for match in _BLOCK.finditer(EVERYTHING)}
    assert {kind for kind in kinds if not kind.startswith("{")} <= {"python", "sh", "ini", "toml", "text"}


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
    told = read("compare.md")
    lines = (ROOT / "tests/faults/RESULTS.md").read_text(encoding="utf-8").splitlines()
    head, *faults, last = [_cells(line) for line in lines if line.startswith("|") and not line.startswith("| ---")]
    for name, result in zip(head[1:], last[1:], strict=True):
        assert f"\n| {name} | {result.replace(' / ', ' | ')} |\n" in told
    assert f"| of {len(faults)} faults |" in told


def test_the_readme_is_short() -> None:
    prose = re.sub(r"\]\([^)]*\)", "]", re.sub(_BLOCK, "", PAGES[0].read_text(encoding="utf-8")))
    assert 600 <= len(re.findall(r"\w\S*", prose)) <= 800


def test_the_picture_moves_and_is_small() -> None:
    """When it no longer looks as the package does: ``make picture`` takes it anew."""
    [(alt, path)] = re.findall(r"!\[([^]]+)\]\(([^)]+\.webp)\)", PAGES[0].read_text(encoding="utf-8"))
    assert "Cancel" in alt
    content = (ROOT / path).read_bytes()
    assert content.count(b"ANMF") > 20  # frames; see https://developers.google.com/speed/webp/docs/riff_container
    assert len(content) < 1_000_000


def _cells(line: str) -> list[str]:
    return [cell.strip(" *") for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#|\.\./\.\./actions/)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_magic_is_there_and_no_other() -> None:
    assert set(re.findall(r"\*\*`%{1,2}(s3\w+)", read("reference", "magics.md"))) == _magic_names()


def test_every_option_that_is_named_exists() -> None:
    prose = re.sub(_BLOCK, "", EVERYTHING)
    assert set(re.findall(r"`(--[a-z-]+)", prose)) <= _options()


def test_every_verb_is_there() -> None:
    for name in aios3_nb.__all__:
        if name.islower() and not name.startswith("_") and not name.endswith("_extension"):
            assert re.search(rf"\baios3_nb\.{name}\(", EVERYTHING) or f"%s3{name}" in EVERYTHING, name


def test_every_setting_is_there_with_its_default() -> None:
    told = {
        name: default
        for names, defaults in re.findall(
            r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|", read("reference", "settings.md"), re.MULTILINE
        )
        for name, default in zip(re.findall(r"`(\w+)`", names), defaults.strip().split(", "), strict=False)
        if name in _settings()
    }
    defaults = Settings()
    for name in _settings():
        value = None if told[name] == "none" else told[name]
        assert (None if value is None else _checked(name, value)) == getattr(defaults, name), name
    assert len(told) == len(_settings())


def test_every_error_is_there_with_its_cause_and_what_to_do() -> None:
    entries = re.split(r"^## ", read("reference", "errors.md"), flags=re.MULTILINE)[1:]
    assert [entry.split("\n")[0] for entry in entries] == [name for name in aios3_nb.__all__ if name.endswith("Error")]
    for entry in entries:
        name = entry.split("\n")[0]
        pattern = rf"{name}\n\n```{{eval-rst}}\n.. autoexception:: aios3_nb.{name}\n```\n\n"
        assert re.fullmatch(pattern + r"\*\*Cause\.\*\* .+?\n\n\*\*What to do\.\*\* .+?\n*", entry, re.DOTALL), name


def test_every_format_is_there() -> None:
    for name in registry.format_names():
        assert re.search(rf"\| (?:[\w, -]+, )?{name}(?:, [\w, -]+)? \|", read("reference", "formats.md")), name


def test_every_notebook_is_linked() -> None:
    for path in run_notebooks.paths():
        assert f"(../../notebooks/{path.name})" in read("start", "install.md")
        assert re.search(rf"^notebooks/{path.stem}$", read("index.md"), re.MULTILINE)


def _settings() -> tuple[str, ...]:
    return NAMES


def _magic_names() -> set[str]:
    return {name for kind in magics.S3Magics.magics.values() for name in kind if name.startswith("s3")}


def _options() -> set[str]:
    return {
        option for name in _magic_names() for option in getattr(magics.S3Magics, name).parser._option_string_actions
    }
