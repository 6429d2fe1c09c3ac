"""The notebooks in ``notebooks/``: run from top to bottom on the embedded server, and saved with what they show.

    python tests/run_notebooks.py [NAME ...]

runs them and saves them; ``make notebooks`` does. `test_notebooks` runs them, and compares with what is saved.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from aios3_nb.server import DEMO_BUCKET, LocalServer, all_samples, put_samples

FOLDER = Path(__file__).parents[1] / "notebooks"
CELL_SECONDS = 120
WIDGET = "application/vnd.jupyter.widget-view+json"


def paths() -> list[Path]:
    """Return all notebooks, in the order of their names."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> Any:
    """Return the notebook as it is saved."""
    return nbformat.read(path, as_version=4)


class _Client(NotebookClient):
    def create_kernel_manager(self) -> Any:
        manager = super().create_kernel_manager()
        # This very interpreter, whatever kernel specs the machine has.
        manager.kernel_spec.argv[0] = sys.executable
        return manager


def executed(path: Path, server: Any) -> Any:
    """Return the notebook with what it shows when it is run on `server`, with nothing there but the samples.

    A cell tagged ``raises-exception`` must fail, every other one must not.

    Raises:
        AssertionError: It has left files in the folder in which it lies.
        CellExecutionError: A cell has failed.
    """
    notebook = read(path)
    for cell in _code(notebook):
        cell.outputs, cell.execution_count = [], None
    _tidy(server)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        client = _Client(
            notebook,
            kernel_name="python3",
            timeout=CELL_SECONDS,
            record_timing=False,
            resources={"metadata": {"path": folder}},
        )
        client.execute(env=environment(server, cache))
        left = os.listdir(folder)
        assert not left, f"{path.name} has written {left} into its folder."
    _simplify(notebook)
    return notebook


def shown(notebook: Any) -> list[list[str]]:
    """Return what the cells show, cell by cell, without what differs from one run or machine to the next.

    Displays are left out: they are of the progress, which shows nothing of a load that is done soon.
    """
    return [[kind for output in cell.outputs if (kind := _masked(output))] for cell in _code(notebook)]


def _masked(output: Any) -> str:
    if output.output_type == "stream":
        return f"{output.name}: {without_figures(output.text)}"
    if output.output_type == "error":
        return f"error: {output.ename}"
    if output.output_type == "display_data":
        return ""
    return f"{output.output_type}: {', '.join(sorted(output.data))}"


def without_figures(text: str) -> str:
    """Return `text` without times, rates, ports and ETags; sizes of what was fetched depend on timing too."""
    text = re.sub(r'etag "[^"]*"', "etag", text)
    text = re.sub(r", of which [\d.]+ m?s importing \w+(?: and \w+)?", "", text)  # a quick machine does not say it
    text = re.sub(r" \([\d.]+ [kKMG]?B/s\)|fetched (?=\d)", "", text)
    text = re.sub(r"\d[\d.,]*(?: (?:of [\d.,]+ )?(?:[kKMG]?B|ms|s|min)\b)?", "#", text)
    return "\n".join(sorted(text.splitlines()))


def _simplify(notebook: Any) -> None:
    """Leave what any viewer shows: printed lines joined, displays that were emptied left out, widgets as their text.

    A widget without a kernel behind it is an error in some viewers, and nothing in others.
    """
    for cell in _code(notebook):
        joined: list[Any] = []
        for output in cell.outputs:
            last = joined[-1] if joined else None
            if last is not None and last.output_type == output.output_type == "stream" and last.name == output.name:
                last.text += output.text
            elif output.output_type != "display_data" or any(output.data.values()):
                output.get("data", {}).pop(WIDGET, None)
                joined.append(output)
        cell.outputs = joined
    notebook.metadata.pop("widgets", None)


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def environment(server: Any, folder: str) -> dict[str, str]:
    """Return the variables of a kernel that sees `server`, and nothing of the developer's own configuration.

    What it caches is in `folder`.
    """
    hidden = ("AWS_", "AIOS3_NB_", "JPY_", "IPYTHON")
    # IPython would put the packages of another virtual environment on the path.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden) and name != "VIRTUAL_ENV"}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return (
        kept
        | nowhere
        | {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONWARNINGS": "", "AIOS3_NB_CACHE_DIR": folder}
        | server.environ()
    )


def _tidy(server: Any) -> None:
    """Store the samples, and remove what a notebook has stored besides."""
    keys = {sample.key for sample in all_samples()}
    with contextlib.closing(server.client()) as client:
        put_samples(client)
        for entry in client.list_objects_v2(Bucket=DEMO_BUCKET)["Contents"]:
            if entry["Key"] not in keys:
                client.delete_object(Bucket=DEMO_BUCKET, Key=entry["Key"])


def save(path: Path, notebook: Any) -> None:
    """Save the notebook as it was run, without what names this machine."""
    notebook.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def main(names: list[str]) -> None:
    """Run and save the notebooks called `names`, all if there are none."""
    with LocalServer() as server:
        for path in paths():
            if not names or path.stem in names:
                print(path.name, flush=True)
                save(path, executed(path, server))


if __name__ == "__main__":
    main(sys.argv[1:])
