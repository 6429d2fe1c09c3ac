"""The notebooks run from top to bottom on the embedded server, and are saved with what they show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import run_notebooks

import aios3_nb

EVERY = pytest.mark.parametrize("path", run_notebooks.paths(), ids=lambda path: path.stem)


@EVERY
def test_runs_and_shows_what_is_saved(path: Path, server: Any) -> None:
    """When this fails though the notebook is right: ``make notebooks`` saves it anew."""
    run = run_notebooks.executed(path, server)
    assert run_notebooks.shown(run) == run_notebooks.shown(run_notebooks.read(path))


@EVERY
def test_every_widget_that_is_saved_has_its_state(path: Path) -> None:
    """Else it is shown as an error, or not at all."""
    notebook = run_notebooks.read(path)
    states = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if run_notebooks.WIDGET in output.get("data", {}):
                assert output.data[run_notebooks.WIDGET]["model_id"] in states


@EVERY
def test_saved_outputs_hold_nothing_of_this_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for private in (str(Path(aios3_nb.__file__).parents[1]), str(Path.home()) + "/", "/tmp/", "site-packages"):
        assert private not in text
    # What the embedded server takes for credentials; worth nothing, but a bad example.
    assert not re.search(r"LOCAL[0-9A-F]{16}", text)


def test_the_first_notebook_is_there() -> None:
    assert "quickstart" in [path.stem for path in run_notebooks.paths()]
