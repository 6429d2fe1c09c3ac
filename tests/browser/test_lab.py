"""The bucket browser in a real JupyterLab: what users see, click and type. Pictures are in ``tests/artifacts``."""

from __future__ import annotations

import json
import pickle
import re
import struct
import time
import zlib
from collections.abc import Iterator
from typing import ClassVar

import pytest
from playwright.sync_api import Locator, expect

from tests.awkward import KEYS
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.faults.store import Store, StoredObject
from tests.lab import ARTIFACTS, Lab, Notebook

pytestmark = pytest.mark.browser

PANEL = ".aios3-nb-browser"


class Presorted(Store):
    """A store that has the keys of ``many`` sorted already, as S3 has: sorting them takes longer than all the rest."""

    many: ClassVar = [f"part-{n:06}.pkl" for n in range(100_000)]

    def keys(self, bucket: str) -> list[str]:
        return self.many if bucket == "many" else super().keys(bucket)


@pytest.fixture(scope="module")
def stocked() -> Iterator[FaultServer]:
    """A server with nested folders, awkward keys, 100,000 keys, and a bucket that may not be listed."""
    with FaultServer() as server:
        server.store = Presorted()
        config = {"name": "resnet", "layers": [64, 128], "note": None}
        server.put("data", "config.json", json.dumps(config).encode(), checksum="crc32")
        server.put("data", "models/2024/model.pkl", pickle.dumps({"weights": [1, 2, 3]}), checksum="crc32")
        server.put("data", "models/2024/slow.pkl", pickle.dumps([bytes([n]) * 1_000_000 for n in range(60)]))
        server.put("data", "plot.png", png(240, 120))
        server.put(
            "data", "table.csv", b"id,name,score\n" + b"".join(b"%d,user %d,%d.5\n" % (n, n, n) for n in range(90))
        )
        server.put("data", "README.md", b"# Data\n\nWhat is in here.\n")
        for key in KEYS:
            server.put("awkward", key, b"bytes", headers={"x-amz-meta-x": "<img src=x onerror=window.ran=1>"})
        one = StoredObject(b"x" * 1234, '"abc"')
        server.store.buckets |= {"many", "secret", "empty"}
        server.store.versions.update({("many", key): [one] for key in Presorted.many})
        server.fault(Fault(kind=Kind.THROTTLE, key="models/2024/slow.pkl", rate=1_500_000, times=None))
        yield server


@pytest.fixture(scope="module")
def book(lab: Lab, stocked: FaultServer) -> Notebook:
    """A notebook with the magics, pointed at `stocked`."""
    lab.page.set_viewport_size({"width": 1100, "height": 1000})
    environment = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    setup = (
        f"%load_ext aios3_nb\nimport os, time\nos.environ.update({environment!r})\n"
        f"%config S3Magics.endpoint_url = {stocked.url!r}"
    )
    opened = lab.open(setup)
    assert opened.run(0).all == []
    return opened


class Shown:
    """The panel of one cell."""

    def __init__(self, book: Notebook, cell: int) -> None:
        self.book = book
        self.root = book.cell(cell).locator(PANEL).first
        self.list = self.root.locator(".aios3-nb-rows select")

    @property
    def rows(self) -> list[str]:
        # ipywidgets puts no-break spaces for spaces.
        texts = (text.replace("\xa0", " ") for text in self.list.locator("option").all_text_contents())
        return [text.split("  ")[0] for text in texts]

    def expect_row(self, name: str) -> Locator:
        row = self.list.locator("option", has_text=name).first
        expect(row).to_be_attached(timeout=10_000)
        return row

    def choose(self, name: str) -> None:
        self.expect_row(name)
        self.list.select_option(index=self.rows.index(name))

    def click(self, name: str) -> None:
        # By its text: its accessible name has the character of the icon in it.
        self.root.locator("button", has_text=re.compile(rf"^\s*{re.escape(name)}\s*$")).click(timeout=5000)

    def type(self, placeholder: str, text: str) -> None:
        field = self.root.get_by_placeholder(placeholder)
        field.fill(text)
        field.press("Enter")

    def expect(self, text: str) -> None:
        expect(self.root).to_contain_text(text, timeout=10_000)


def browse(book: Notebook, line: str) -> Shown:
    cell = book.add(line)
    book.run(cell)
    panel = Shown(book, cell)
    expect(panel.root).to_be_visible()
    panel.root.scroll_into_view_if_needed()
    return panel


def test_from_the_bucket_to_a_variable_in_the_next_cell(book: Notebook, lab: Lab, stocked: FaultServer) -> None:
    panel = browse(book, "browser = %s3browse\nbrowser")
    panel.expect_row("data/")
    panel.choose("data/")
    panel.click("Open")
    panel.choose("models/")
    panel.click("Open")
    panel.choose("2024/")
    panel.click("Open")
    panel.choose("model.pkl")
    panel.expect("s3://data/models/2024/model.pkl")
    panel.click("Load as")
    panel.expect("model is a dict. model.pkl: ")
    panel.expect("CRC32 ok")
    after = book.add("model, str(browser.selected)")
    assert book.run(after).text == "({'weights': [1, 2, 3]}, 's3://data/models/2024/model.pkl')"


def test_it_looks_well_in_both_themes(book: Notebook, lab: Lab, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.choose("table.csv")
    panel.click("Preview")
    panel.expect("user 7")
    panel.click("Insert code")
    expect(panel.root.locator(".aios3-nb-insert")).to_be_visible()
    panel.click("Delete")
    panel.expect("Delete s3://data/table.csv?")
    picture(panel, "browser-light")
    lab.theme(dark=True)
    picture(panel, "browser-dark")
    panel.click("Keep it")
    panel.choose("plot.png")
    panel.click("Preview")
    image = panel.root.locator("img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.naturalWidth") == 240
    panel.choose("config.json")
    panel.click("Preview")
    panel.expect('"layers": [')
    picture(panel, "browser-json-dark")
    lab.theme(dark=False)


def test_a_hundred_thousand_keys_are_one_request_away(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse")
    panel.choose("many/")
    asked = len(stocked.requests)
    began = time.monotonic()
    panel.click("Open")
    panel.expect_row("part-000999.pkl")
    seconds = time.monotonic() - began
    panel.expect("1,000 entries so far, more follow")
    assert len(stocked.requests) - asked == 1
    print(f"click to 1000 rows of 100,000 keys: {seconds:.2f} s, 1 request")
    panel.click("More")
    panel.expect_row("part-001999.pkl")
    assert len(panel.rows) == 1000
    panel.type("Filter, and Enter", "part-09999")
    panel.expect_row("part-099999.pkl")
    assert len(panel.rows) == 10
    assert len(stocked.requests) - asked == 3


def test_a_bucket_that_may_not_be_listed_says_so(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.expect_row("config.json")
    stocked.fault(Kind.STATUS, key="", status=403, code="AccessDenied")
    panel.type("s3://bucket/folder/ and Enter", "s3://secret/")
    panel.expect("Access denied: s3://secret/")
    picture(panel, "browser-denied")
    panel.type("s3://bucket/folder/ and Enter", "s3://empty/")
    panel.expect("s3://empty/ is empty")


def test_no_script_in_a_key_runs(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse s3://awkward/")
    book.page.evaluate("void (window.alert = () => { window.ran = 1 })")
    panel.expect_row("<img src=x onerror=alert(1)>")
    for name in ("<img src=x onerror=alert(1)>", "`${alert(1)}`"):
        panel.choose(name)
        panel.click("Preview")
        panel.expect("x-amz-meta-x")
        panel.click("Insert code")
        panel.click("Delete")
        panel.expect(f"Delete s3://awkward/{name}?")
    picture(panel, "browser-awkward")
    panel.choose("</")
    panel.click("Open")
    panel.expect_row("textarea><svg onload=alert(1)>")
    book.page.wait_for_timeout(300)
    assert book.page.evaluate("window.ran") is None
    assert panel.root.locator("img, script, svg[onload]").count() == 0


def test_it_lists_and_loads_while_a_cell_is_running(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.expect_row("config.json")
    busy = book.add("time.sleep(6)\n'config' in globals(), config['name']")
    book.start(busy)
    book.page.wait_for_timeout(300)
    began = time.monotonic()
    panel.choose("models/")
    panel.click("Open")
    panel.expect_row("2024/")
    listed = time.monotonic() - began
    panel.click("data")
    panel.choose("config.json")
    panel.click("Load as")
    panel.expect("config is a dict")
    print(f"click to rows while a cell sleeps: {listed:.2f} s")
    assert book.is_running(busy), panel.root.inner_text()[-500:]
    assert book.wait(busy).text == "(True, 'resnet')"
    assert panel.root.locator(".aios3-nb-note", has_text="clicks wait").count() == 0


def test_a_load_shows_progress_and_can_be_cancelled_while_a_cell_loads(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse s3://data/models/2024/")
    busy = book.add("other = %s3load s3://data/models/2024/slow.pkl")
    book.start(busy)
    panel.choose("slow.pkl")
    panel.click("Load as")
    cancel = panel.root.get_by_role("button", name="Cancel")
    cancel.wait_for(timeout=5000)
    picture(panel, "browser-loading")
    cancel.click()
    expect(panel.root.get_by_role("button", name="Cancel")).to_have_count(0, timeout=5000)
    assert book.is_running(busy)
    book.wait(busy)
    assert book.run(book.add("'slow' in globals()")).text == "False"


def test_code_is_put_into_a_new_cell(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.choose("config.json")
    panel.click("Insert code")
    panel.root.locator(".aios3-nb-insert").click()
    book.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.content.widgets"
        ".some(cell => cell.model.sharedModel.getSource() === 'config = %s3load s3://data/config.json')"
    )


def picture(panel: Shown, name: str) -> None:
    panel.book.page.wait_for_timeout(200)
    ARTIFACTS.mkdir(exist_ok=True)
    panel.root.screenshot(path=ARTIFACTS / f"{name}.png")


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(
        b"\0" + b"".join(bytes((x * 255 // width, y * 255 // height, 128)) for x in range(width)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
