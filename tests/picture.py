"""The moving picture at the top of the README, taken in a real JupyterLab: the panel, a load, Cancel.

    python -m tests.picture [FILE]

makes ``docs/images/load.webp`` anew, or FILE; ``make picture`` does. The objects lie on a slow server of this machine,
so that there is something to see. What Playwright takes has no mouse pointer, so the page draws one.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from aios3_nb.server import all_samples
from tests import chromium
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.lab import FLAGS, Lab, Notebook
from tests.lab_server import Server, clean_environment

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "load.webp"
MOST_BYTES = 1_000_000
SIZE = {"width": 1080, "height": 740}
SHOWN = ".jp-NotebookPanel"
BUCKET = "my-bucket"
KEY = "models/model.pkl"
"""The README's own; the object is the largest of the samples."""
RATE = 1_800_000
"""Bytes per second and connection: the 64 MB take some four seconds."""

POINTER = """
() => {
    const pointer = document.createElement('div');
    pointer.innerHTML = '<svg width="22" height="22"><path d="M2 1l15 12-7 1 4 7-3 1-4-7-5 5z" stroke="white"/></svg>';
    pointer.style = 'position: fixed; z-index: 100000; pointer-events: none; left: 60%; top: 70%';
    document.body.append(pointer);
    document.addEventListener('mousemove', event => {
        pointer.style.left = event.clientX + 'px';
        pointer.style.top = event.clientY + 'px';
    }, true);
}
"""


class Film:
    """What the page shows, picture by picture, each with the time for which it is to be seen."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._pictures: list[Image.Image] = []
        self._milliseconds: list[int] = []

    def take(self, seconds: float) -> None:
        """Keep what is shown now; as long again where nothing has changed."""
        picture = Image.open(io.BytesIO(self._page.locator(SHOWN).screenshot())).convert("RGB")
        if self._pictures and np.array_equal(np.asarray(picture), np.asarray(self._pictures[-1])):
            self._milliseconds[-1] += round(seconds * 1000)
        else:
            self._pictures.append(picture)
            self._milliseconds.append(round(seconds * 1000))

    def move(self, target: Locator) -> None:
        """Move the pointer there."""
        box = target.bounding_box()
        assert box is not None
        self._page.mouse.move(box["x"] + min(box["width"] / 2, 60), box["y"] + box["height"] / 2, steps=4)
        self.take(0.6)

    def write(self, book: Notebook, cell: int, text: str) -> None:
        """Type `text` into a cell, some keys a picture."""
        for start in range(0, len(text), 4):
            book.type(cell, text[start : start + 4])
            self.take(0.1)

    def run(self, book: Notebook, cell: int, *, seconds: float = 30.0) -> None:
        """Run a cell, in real time, until it has ended or for so many seconds."""
        book.start(cell)
        until = time.monotonic() + seconds
        while book.is_running(cell) and time.monotonic() < until:
            began = time.monotonic()
            self._page.wait_for_timeout(150)
            self.take(time.monotonic() - began)

    def save(self, path: Path) -> None:
        """Write the film; AssertionError when it is too large for a repository."""
        first, *others = self._pictures
        first.save(
            path, save_all=True, append_images=others, duration=self._milliseconds, loop=0, quality=70, method=6,
            minimize_size=True,
        )  # fmt: skip
        print(
            f"{path}: {len(self._pictures)} pictures, {sum(self._milliseconds) / 1000:.0f} s, {path.stat().st_size:,} B"
        )
        assert path.stat().st_size < MOST_BYTES


def play(lab: Lab, film: Film) -> None:
    """Look around, load, and cancel another load."""
    book = lab.open("%load_ext aios3_nb", "", "", "")
    page = lab.page
    page.evaluate(POINTER)
    book.run(0)
    film.take(0.8)
    film.write(book, 1, f"%s3browse s3://{BUCKET}/models/")
    film.run(book, 1)
    row = book.cell(1).get_by_text("model.pkl", exact=True).first
    row.wait_for()
    film.take(0.8)
    film.move(row)
    row.click()
    for _ in range(8):
        page.wait_for_timeout(200)
        film.take(0.25)
    film.write(book, 2, f"model = %s3load s3://{BUCKET}/{KEY}")
    film.run(book, 2)
    film.take(2.0)
    film.write(book, 3, f"again = %s3load s3://{BUCKET}/{KEY}")
    film.run(book, 3, seconds=1.5)
    cancel = book.cell(3).get_by_role("button", name="Cancel")
    film.move(cancel)
    cancel.click()
    book.wait(3)
    film.take(3.0)


def main(path: Path) -> None:
    """Make the picture."""
    with FaultServer() as server, tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for sample in all_samples():
            key = KEY if sample.key == "arrays.pkl" else f"models/{sample.key.removeprefix('models/')}"
            if sample.key not in (KEY, "unsafe.pkl"):
                server.put(BUCKET, key, sample.body(), checksum="crc32")
        server.fault(Fault(kind=Kind.THROTTLE, key=KEY, rate=RATE, times=None))
        variables = {
            "AWS_ENDPOINT_URL_S3": server.url,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        browser = playwright.chromium.launch(executable_path=chromium.executable(), args=FLAGS)
        with Server("lab", Path(folder), clean_environment() | variables) as running:
            lab = Lab(browser.new_page(viewport=SIZE), running, "lab")
            film = Film(lab.page)
            play(lab, film)
            lab.close()
        browser.close()
    film.save(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else PICTURE)
