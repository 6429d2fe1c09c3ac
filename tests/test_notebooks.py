"""The notebooks run from top to bottom on the embedded server, and are saved with what they show."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import aios3_nb
from aios3_nb.server import all_samples
from tests import run_notebooks
from tests.lab import ARTIFACTS, Lab, Server

EVERY = pytest.mark.parametrize("path", run_notebooks.paths(), ids=lambda path: path.stem)


@EVERY
def test_runs_and_shows_what_is_saved(path: Path, server: Any) -> None:
    """When this fails though the notebook is right: ``make notebooks`` saves it anew."""
    run = run_notebooks.executed(path, server)
    assert run_notebooks.shown(run) == run_notebooks.shown(run_notebooks.read(path))


def test_papermill_runs_the_quickstart_to_its_end(server: Any, tmp_path: Path) -> None:
    """It goes on past a cell that is tagged ``raises-exception``, but then fails of any error that is shown."""
    notebook, result = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    shutil.copy(run_notebooks.FOLDER / "quickstart.ipynb", notebook)
    command = [sys.executable, "-m", "papermill", str(notebook), str(result), "--no-progress-bar", "-k", "python3"]
    environment = run_notebooks.environment(server, str(tmp_path / "cache"))
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cells = [cell for cell in run_notebooks.read(result).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert any("No such object" in output.get("text", "") for cell in cells for output in cell.outputs)


@EVERY
def test_what_fails_on_purpose_is_tagged_and_nbconvert_goes_on(path: Path) -> None:
    for cell in run_notebooks.read(path).cells:
        fails = any(output.output_type == "error" for output in cell.get("outputs", ()))
        assert fails == ("raises-exception" in cell.metadata.get("tags", ()))


def test_saved_listings_are_those_of_a_fresh_demo() -> None:
    """What somebody had stored there besides, or an older demo had, would be in a saved listing."""
    samples = {part for sample in all_samples() for part in sample.key.split("/")}
    for path in run_notebooks.paths():
        listed: set[str] = set()
        for cell in run_notebooks.read(path).cells:
            if cell.source.endswith("%s3ls"):
                (shown,) = [output for output in cell.outputs if output.output_type == "execute_result"]
                listed |= {line.split(None, 4)[-1].strip("/") for line in shown.data["text/plain"].splitlines()}
        assert listed <= samples, path.name


@EVERY
def test_no_widget_is_saved(path: Path) -> None:
    """Without a kernel behind it, it would be shown as an error, or not at all."""
    notebook = run_notebooks.read(path)
    assert "widgets" not in notebook.metadata
    assert not any(
        run_notebooks.WIDGET in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ())
    )


@EVERY
def test_saved_outputs_hold_nothing_of_this_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for private in (str(Path(aios3_nb.__file__).parents[1]), str(Path.home()) + "/", "/tmp/", "site-packages"):
        assert private not in text
    # What the embedded server takes for credentials; worth nothing, but a bad example.
    assert not re.search(r"LOCAL[0-9A-F]{16}", text)


def test_the_first_notebook_is_there() -> None:
    assert "quickstart" in [path.stem for path in run_notebooks.paths()]


@pytest.mark.browser
def test_jupyterlab_shows_what_is_saved(lab: Lab, lab_server: Server) -> None:
    """As somebody sees it who opens it, before anything is run; the pictures are in ``tests/artifacts``."""
    for folder in ("notebooks", "docs"):
        shutil.copytree(run_notebooks.FOLDER.parent / folder, lab_server.root / folder)
    ARTIFACTS.mkdir(exist_ok=True)
    lab.page.set_viewport_size({"width": 1100, "height": 4600})  # what is not in sight is not drawn
    for path in run_notebooks.paths():
        lab.page.goto(f"{lab_server.url}/doc/tree/notebooks/{path.name}?reset&token={lab_server.token}")
        book = lab.page.locator(".jp-Notebook")
        expect(book.locator(".jp-CodeCell:has(.jp-OutputArea-output)")).to_have_count(_shown(path))
        for image in book.locator("img").all():
            assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        for wrong in ("Error displaying widget", "Loading widget", "Javascript Error"):
            expect(book.get_by_text(wrong)).to_have_count(0)
        book.screenshot(path=ARTIFACTS / f"notebook-{path.stem}.png")
    lab.close()


def _shown(path: Path) -> int:
    """Return how many cells show something."""
    outputs = [cell.get("outputs", []) for cell in run_notebooks.read(path).cells]
    return sum(any("data" not in each or any(each.data.values()) for each in cell) for cell in outputs)


def test_what_differs_from_run_to_run_is_not_compared() -> None:
    lines = (
        'e.gz: 57 KB in 48 ms, CRC32 ok, etag "a"',
        'e.gz: 57 KB in 0.2 s (239 KB/s), CRC32 ok, etag "b"',
        'e.gz: 57 KB in 59 s (966 B/s), CRC32 ok, etag "b"',
        'e.gz: 57 KB in 2.6 s, of which 2.5 s importing sklearn, CRC32 ok, etag "b"',
        'e.gz: fetched 43 of 57 KB in 0.2 s, CRC32 ok, etag "b"',
    )
    assert len({run_notebooks.without_figures(line) for line in lines}) == 1
    assert run_notebooks.without_figures(lines[0]) != run_notebooks.without_figures(lines[0].replace("CRC", "MD"))
