"""The bucket browser in other pages than JupyterLab: Notebook 7, Voila, marimo."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, expect

from tests.browser.panel_page import PANEL, Shown
from tests.browser.stock import ENVIRONMENT, stock
from tests.faults.server import FaultServer
from tests.lab import WAIT_SECONDS, Lab
from tests.lab_server import START_SECONDS, clean_environment, free_port, until_listening

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stocked() -> Iterator[FaultServer]:
    with FaultServer() as server:
        stock(server)
        yield server


def use(panel: Shown) -> None:
    """Walk to a table, look into it, and load it."""
    panel.open("data/")
    panel.choose("table.csv")
    expect(panel.preview).to_contain_text("user 7")
    panel.choose("config.json")
    expect(panel.preview).to_contain_text("resnet für alle")


def is_stacked(panel: Shown) -> bool:
    left, side = panel.boxes(".aios3-nb-left", ".aios3-nb-side")
    return side["y"] >= left["bottom"]


def test_notebook7(notebook7: Lab, stocked: FaultServer) -> None:
    book = notebook7.open(
        f"%load_ext aios3_nb\nimport time\n%config S3Magics.endpoint_url = {stocked.url!r}", "%s3browse"
    )
    assert book.run(0).all == []
    book.run(1)
    panel = Shown(book.page, book.cell(1).locator(PANEL))
    use(panel)
    cells = book.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")
    panel.grid.focus()
    for key in ("b", "x", "d", "d"):  # shortcuts of the notebook
        book.page.keyboard.press(key)
    book.page.wait_for_timeout(800)  # what is typed later begins another name
    book.page.keyboard.press("p")
    expect(panel.row("plot.png")).to_have_attribute("aria-selected", "true")
    assert book.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == cells
    book.page.keyboard.press("Shift+F10")
    expect(panel.root.get_by_role("menu")).to_be_visible()
    book.page.keyboard.press("Escape")
    panel.choose("config.json")
    panel.click("Insert code")
    book.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.content.widgets"
        ".some(cell => cell.model.sharedModel.getSource() === 'config = %s3load s3://data/config.json')"
    )
    # It ends when the variable is there, so the panel must have bound it meanwhile.
    busy = book.add(
        "until = time.monotonic() + 100\n"
        "while 'config' not in globals() and time.monotonic() < until: time.sleep(0.01)\nconfig['name']"
    )
    book.start(busy)
    panel.click("Load as")
    panel.expect("config is a dict")
    assert book.wait(busy).text == "'resnet für alle'"
    panel.picture("browser-notebook7")
    panel.check_accessible()
    notebook7.theme(dark=True)
    book.page.set_viewport_size({"width": 600, "height": 1000})
    panel.choose("table.csv")
    expect(panel.preview).to_contain_text("user 7")
    expect(panel.root.get_by_label("The text to copy")).to_have_count(0)  # that was about the other object
    panel.picture("browser-notebook7-600-dark")
    panel.check_accessible()
    assert is_stacked(panel)


def test_voila(chrome: Browser, stocked: FaultServer, tmp_path: Path) -> None:
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("%load_ext aios3_nb"), nbformat.v4.new_code_cell("%s3browse")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    (tmp_path / "root").mkdir()
    path = tmp_path / "root" / "app.ipynb"
    nbformat.write(book, path)
    port = free_port()
    argv = ["-m", "voila", str(path), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    with served(argv, stocked, port), shown(chrome, port) as page:
        panel = Shown(page, page.locator(PANEL))
        use(panel)
        panel.click("Insert code")  # there are no cells: the line is there to be copied
        expect(panel.root.get_by_label("The text to copy")).to_have_value("config = %s3load s3://data/config.json")
        panel.picture("browser-voila")
        panel.check_accessible()
        assert not is_stacked(panel)
        page.set_viewport_size({"width": 600, "height": 1000})
        page.emulate_media(color_scheme="dark")
        panel.picture("browser-voila-600-dark")
        assert is_stacked(panel)


def test_marimo(chrome: Browser, stocked: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text(
        "import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n    import aios3_nb\n\n"
        f"    aios3_nb.browse(endpoint_url={stocked.url!r})\n    return\n\n\n"
        "if __name__ == '__main__':\n    app.run()\n"
    )
    port = free_port()
    argv = ["-m", "marimo", "run", str(path), "--headless", "--host=127.0.0.1", f"--port={port}", "--no-token"]
    with served(argv, stocked, port), shown(chrome, port) as page:
        panel = Shown(page, page.locator(PANEL))
        use(panel)
        panel.picture("browser-marimo")
        panel.check_accessible()
        assert not is_stacked(panel)
        page.set_viewport_size({"width": 600, "height": 1000})
        page.emulate_media(color_scheme="dark")
        panel.picture("browser-marimo-600-dark")
        assert is_stacked(panel)


def test_an_executed_notebook_and_its_export_show_the_listing(stocked: FaultServer, tmp_path: Path) -> None:
    source = "\n".join(
        [
            "%load_ext aios3_nb",
            f"import os; os.environ.update({ENVIRONMENT!r})",
            f"%config S3Magics.endpoint_url = {stocked.url!r}",
            # However long a busy machine takes for them, the rows are waited for.
            "import aios3_nb.browser.browser as module; module._FIRST_LISTING = 60",
            "%s3browse s3://data/",
        ]
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(book, kernel_name="python3", timeout=START_SECONDS).execute()
    book.metadata.pop("widgets", None)  # as JupyterLab saves it
    exported, _ = HTMLExporter().from_notebook_node(book)
    assert "config.json" in exported
    assert "5 entries." in exported


@contextlib.contextmanager
def served(argv: list[str], stocked: FaultServer, port: int) -> Iterator[None]:
    """Run a server of notebooks at `port`, pointed at `stocked`."""
    environment = clean_environment() | ENVIRONMENT | {"AWS_ENDPOINT_URL": stocked.url}
    with subprocess.Popen(
        [sys.executable, *argv], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until_listening(port, process)
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)  # it ends its kernels
            process.kill()


@contextlib.contextmanager
def shown(chrome: Browser, port: int) -> Iterator[Page]:
    """Give the page at `port`, as soon as the panel is there."""
    page = chrome.new_page(viewport={"width": 1100, "height": 800})
    page.set_default_timeout(WAIT_SECONDS * 1000)
    try:
        # All of it comes when Voila has run the notebook: to give up before, and ask once more, begins that anew.
        page.goto(f"http://127.0.0.1:{port}/", wait_until="commit", timeout=START_SECONDS * 1000)
        page.locator(PANEL).wait_for(timeout=START_SECONDS * 1000)
        yield page
    finally:
        page.close()
