"""JupyterLab and Notebook 7 for tests, driven in Chromium by Playwright.

Fixtures (a plugin of ``conftest``)

``lab``        JupyterLab on a page of its own; notebooks opened in it run this interpreter with ``server``'s S3
``notebook7``  the same for Jupyter Notebook 7

The server lives for the whole run, the page for one module: while a page is open, Playwright's event loop counts as
running in this thread, and `asyncio.run` of another module's tests would be refused.

    def test_something(lab: Lab) -> None:
        book = lab.open("%load_ext aios3_nb", "m = %s3load s3://bucket/key.pkl")
        book.run(0)
        assert "CRC32 ok" in book.run(1).text
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect, sync_playwright

from tests.lab_server import COMPLETER_MS, START_SECONDS, Server, clean_environment

ARTIFACTS = Path(__file__).parent / "artifacts"
WAIT_SECONDS = 60.0
"""Longest wait for what has to come: a busy machine takes its time, and none is lost where it comes at once."""

expect.set_options(timeout=WAIT_SECONDS * 1000)

FLAGS = [
    "--no-sandbox",  # Chromium refuses its sandbox to root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Outputs:
    """What the notebook's model holds for one cell; what the browser makes of it is another question.

    Attributes:
        all: The outputs, as nbformat writes them.
        seconds: How long the cell ran; 0.0 when nobody waited for it.
    """

    all: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """What was printed, and the plain text of what was shown or returned."""
        return "".join(map(_plain, self.all))

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Name and text of each error."""
        return [(each["ename"], each["evalue"]) for each in self.all if each["output_type"] == "error"]


def _plain(output: dict[str, Any]) -> str:
    if output["output_type"] == "error":
        return "\n".join(output["traceback"])
    text = output.get("text", output.get("data", {}).get("text/plain", ""))
    return text if isinstance(text, str) else "".join(text)


_PANEL = "window.jupyterapp.shell.currentWidget"
_CELLS = f"{_PANEL}.content.widgets"


class Lab:
    """One page that shows JupyterLab or Notebook 7.

    Attributes:
        page: For everything that this class has no word for.
    """

    def __init__(self, page: Page, server: Server, kind: str) -> None:
        self.page = page
        self._server = server
        self._kind = kind

    def open(self, *cells: str) -> Notebook:
        """Return a new notebook with these cells, shown, with its own kernel ready; the one before is dropped."""
        self.close()
        name = f"test-{secrets.token_hex(4)}.ipynb"
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(book, self._server.root / name)
        view = f"/doc/tree/{name}?reset&" if self._kind == "lab" else f"/notebooks/{name}?"
        self.page.goto(f"{self._server.url}{view}token={self._server.token}", timeout=START_SECONDS * 1000)
        self.page.wait_for_function(
            f"() => window.jupyterapp && {_PANEL}?.content?.widgets?.length === {len(cells)}"
            f" && {_PANEL}.sessionContext?.session?.kernel?.connectionStatus === 'connected'"
            f" && {_PANEL}.sessionContext.session.kernel.status === 'idle'",
            timeout=START_SECONDS * 1000,
        )
        return Notebook(self.page)

    def close(self) -> None:
        """Leave the notebook and end its kernel."""
        self.page.goto("about:blank")
        self._server.end_kernels()

    def theme(self, *, dark: bool) -> None:
        """Switch between the light and the dark theme; Lab's setting, so it stays."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        self.page.wait_for_selector(f"body[data-jp-theme-light='{'false' if dark else 'true'}']", state="attached")


class Notebook:
    """The notebook that the page shows; cells are named by their index."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._starts: dict[int, float] = {}

    def add(self, source: str) -> int:
        """Append a cell; return its index."""
        return int(
            self.page.evaluate(
                f"""source => {{
                    const model = {_PANEL}.content.model.sharedModel;
                    model.addCell({{cell_type: 'code', source}});
                    return model.cells.length - 1;
                }}""",
                source,
            )
        )

    def run(self, cell: int, *, wait: float = WAIT_SECONDS) -> Outputs:
        """Run a cell and return what it shows when it is done, be it an error."""
        self.start(cell)
        return self.wait(cell, wait=wait)

    def start(self, cell: int) -> None:
        """Run a cell and return at once; cells that are started meanwhile wait for it."""
        self._starts[cell] = time.monotonic()
        self.page.evaluate(
            f"""index => {{
                const running = (window.testRunning ??= {{}});
                running[index] = true;
                {_PANEL}.content.activeCellIndex = index;
                {_PANEL}.content.deselectAll();
                window.jupyterapp.commands.execute('notebook:run-cell').finally(() => {{ running[index] = false; }});
            }}""",
            cell,
        )

    def wait(self, cell: int, *, wait: float = WAIT_SECONDS) -> Outputs:
        """Return what a started cell shows when it is done."""
        self.page.wait_for_function("index => !window.testRunning[index]", arg=cell, timeout=wait * 1000, polling=20)
        return Outputs(self.outputs(cell).all, time.monotonic() - self._starts[cell])

    def is_running(self, cell: int | None = None) -> bool:
        """Return whether a started cell is not done yet; without an index, any cell."""
        if cell is None:
            return bool(self.page.evaluate("() => Object.values(window.testRunning ?? {}).some(each => each)"))
        return bool(self.page.evaluate("index => window.testRunning[index]", cell))

    def outputs(self, cell: int) -> Outputs:
        """Return what a cell shows now."""
        return Outputs(self.page.evaluate(f"index => {_CELLS}[index].model.toJSON().outputs", cell))

    def source(self, cell: int) -> str:
        """Return the text of a cell."""
        return str(self.page.evaluate(f"index => {_CELLS}[index].model.sharedModel.getSource()", cell))

    def set_source(self, cell: int, text: str) -> None:
        """Replace the text of a cell."""
        self.page.evaluate(
            f"([index, text]) => {_CELLS}[index].model.sharedModel.setSource(text)",
            [cell, text],
        )

    def cell(self, cell: int) -> Locator:
        """Return the cell in the page, for Playwright's own verbs."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(cell)

    def click(self, text: str, *, cell: int | None = None) -> None:
        """Click the button with this text, as soon as there is one."""
        scope = self.page.locator(".jp-Notebook") if cell is None else self.cell(cell)
        scope.get_by_role("button", name=text).first.click()

    def expect(self, cell: int, text: str) -> None:
        """Return when the page shows `text` in what the cell gave."""
        expect(self.cell(cell).locator(".jp-OutputArea").first).to_contain_text(text)

    def expect_source(self, cell: int, text: str) -> None:
        """Return when this is the text of a cell."""
        self.page.wait_for_function(
            f"([index, text]) => {_CELLS}[index].model.sharedModel.getSource() === text", arg=[cell, text]
        )

    def type(self, cell: int, text: str) -> None:
        """Type at the end of a cell, key by key."""
        self.cell(cell).locator(".cm-content").click()
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type(text)

    def type_and_run(self, cell: int, text: str, *, wait: float = 2 * WAIT_SECONDS) -> Outputs:
        """Type into the cell that has the cursor, by its index, press Shift+Enter, and return what it shows when done.

        Like a person: what is there is typed key by key, and the cursor goes on into the next cell, which may be new.
        """
        before = self.source(cell)
        self.page.keyboard.type(text)
        self.expect_source(cell, before + text)
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_function(
            f"index => {_CELLS}.length > index + 1 && {_CELLS}[index].model.executionCount !== null"
            f" && {_PANEL}.sessionContext.session.kernel.status === 'idle'",
            arg=cell,
            timeout=wait * 1000,
            polling=20,
        )
        return self.outputs(cell)

    def completions(self, *, tries: int = 8) -> list[str]:
        """Press Tab, again if nothing comes, and return what the list offers.

        A second Tab would take what the first one offers: it waits longer than Lab does for an answer of the kernel.
        """
        items = self.page.locator(".jp-Completer:visible .jp-Completer-match")
        for _ in range(tries):
            self.page.keyboard.press("Tab")
            with contextlib.suppress(TimeoutError):
                items.first.wait_for(timeout=COMPLETER_MS + 4000)
                return items.all_text_contents()
        raise AssertionError("Tab offers nothing.")

    def interrupt(self) -> None:
        """Press the stop button of the notebook."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")

    def screenshot(self, name: str, *, cell: int | None = None) -> Path:
        """Keep a picture of the page, or of one cell, as ``tests/artifacts/NAME.png``."""
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{name}.png"
        (self.page if cell is None else self.cell(cell)).screenshot(path=path)
        return path


@pytest.fixture(scope="session")
def lab_server(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running JupyterLab."""
    with Server("lab", tmp_path_factory.mktemp("lab"), clean_environment() | server.environ()) as running:
        yield running


@pytest.fixture(scope="session")
def notebook_server(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running Jupyter Notebook 7."""
    with Server("notebook", tmp_path_factory.mktemp("notebook"), clean_environment() | server.environ()) as running:
        yield running


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    """A browser for one module."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def lab(lab_server: Server, chrome: Browser) -> Iterator[Lab]:
    """JupyterLab on a page."""
    with _page(chrome) as page:
        lab = Lab(page, lab_server, "lab")
        yield lab
        lab.close()


@pytest.fixture(scope="module")
def notebook7(notebook_server: Server, chrome: Browser) -> Iterator[Lab]:
    """Jupyter Notebook 7 on a page."""
    with _page(chrome) as page:
        lab = Lab(page, notebook_server, "notebook")
        yield lab
        lab.close()


@contextlib.contextmanager
def _page(chrome: Browser) -> Iterator[Page]:
    context = chrome.new_context(viewport={"width": 1100, "height": 760}, device_scale_factor=1.5)
    page = context.new_page()
    page.set_default_timeout(WAIT_SECONDS * 1000)
    # Lab asks before an unsaved notebook is left.
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()
