"""The magics in a real JupyterLab in a real browser: what users see and press.

The pictures in ``tests/artifacts`` are to be looked at: that text fits and can be read in both themes is not tested.
"""

from __future__ import annotations

import contextlib
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.lab import WAIT_SECONDS, Lab, Notebook

pytestmark = pytest.mark.browser

RATE = 1_500_000
"""Bytes per second and connection of the slow objects."""

ENDLESS = 40_000
"""The same of those that are stopped: whatever is slow beside them, they do not end by themselves."""

SOON = 60.0
"""Seconds in which they stop, on a busy machine too; waiting for the end of a part takes several times as long."""

HOSTILE = "<b>bold<i> $x$ &amp; a key.pkl"
MADE_OF_TEXT = ", ".join(f".jp-OutputArea {each}" for each in ("b", "i:not(.fa)", "mjx-container", "math"))
"""What a browser would make of that key."""


@pytest.fixture(scope="module")
def slow() -> Iterator[FaultServer]:
    """A server that takes several seconds for each of its larger objects, and far too long for some."""
    blocks = [bytes(1_000_000) for _ in range(80)]  # 80 of them: one block 80 times would be pickled once
    with FaultServer() as server:
        for key in ("model.pkl", "other.pkl", "changed.pkl", HOSTILE):
            server.put("bkt", key, pickle.dumps(blocks), checksum="crc32")
        server.put("bkt", "brief.pkl", pickle.dumps(blocks[:12]), checksum="crc32")
        server.put("bkt", "quick.pkl", pickle.dumps("quick"), checksum="crc32")
        server.put("bkt", "models/my model.pkl", pickle.dumps("mine"))
        for key in ("other.pkl", "changed.pkl", "brief.pkl"):
            server.fault(Fault(kind=Kind.THROTTLE, key=key, rate=RATE, times=None))
        for key in ("model.pkl", HOSTILE):
            server.fault(Fault(kind=Kind.THROTTLE, key=key, rate=ENDLESS, times=None))
        server.fault(Fault(kind=Kind.REPLACE, key="changed.pkl", first=8, data=pickle.dumps([*blocks[::-1], 1])))
        yield server


@pytest.fixture(scope="module")
def opened(lab: Lab, slow: FaultServer) -> list[Notebook]:
    return []


@pytest.fixture
def book(lab: Lab, slow: FaultServer, opened: list[Notebook]) -> Iterator[Notebook]:
    """A notebook with the magics, pointed at `slow`; the same for all tests, unless one has left it busy."""
    if not opened:
        setup = f"%load_ext aios3_nb\n%config S3Magics.endpoint_url = {slow.url!r}\nimport asyncio, time"
        opened.append(lab.open(setup))
        assert opened[0].run(0).all == []
    yield opened[0]
    lab.theme(dark=False)
    if opened[0].is_running():
        opened.clear()


def test_a_load_shows_one_line_and_binds(book: Notebook, server: Any, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="rows.pkl", Body=pickle.dumps([1, 2, 3]))
    cell = book.add(f"rows = %s3load s3://{bucket}/rows.pkl --endpoint-url {server.endpoint.url}")
    assert book.run(cell).text.startswith("rows.pkl: ")
    book.expect(cell, "CRC32 ok")
    assert book.run(book.add("rows")).text == "[1, 2, 3]"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_cancel_stops_a_load_soon_and_binds_nothing(lab: Lab, book: Notebook, dark: bool) -> None:
    lab.theme(dark=dark)
    cell = book.add("m = %s3load s3://bkt/model.pkl")
    book.start(cell)
    book.expect(cell, "of 80 MB")
    book.screenshot(f"progress-running-{'dark' if dark else 'light'}", cell=cell)
    assert book.is_running(cell)
    began = time.monotonic()
    book.click("Cancel", cell=cell)
    stopped = book.wait(cell)
    assert time.monotonic() - began < SOON
    assert [name for name, _ in stopped.errors] == ["LoadCancelledError"]
    assert [each["output_type"] for each in stopped.all if _shown(each)] == ["error"]  # which says it, once
    expect(book.cell(cell).get_by_role("button", name="Cancel")).to_have_count(0)
    book.screenshot(f"progress-cancelled-{'dark' if dark else 'light'}", cell=cell)
    assert "\n" not in stopped.text.strip().splitlines()[-1]
    assert "Traceback" not in stopped.text
    assert book.run(book.add("'m' in globals(), 2 + 2")).text == "(False, 4)"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_load_that_ends_leaves_its_closing_line_alone(
    lab: Lab, book: Notebook, slow: FaultServer, dark: bool
) -> None:
    lab.theme(dark=dark)
    cell = book.add("m = %s3load s3://bkt/brief.pkl")
    with slow.holding("brief.pkl", at=11_000_000):
        book.start(cell)
        book.expect(cell, "of 12 MB")
    done = book.wait(cell)
    assert "CRC32 ok" in done.text
    assert [each["output_type"] for each in done.all if _shown(each)] == ["stream"]
    book.screenshot(f"progress-done-{'dark' if dark else 'light'}", cell=cell)


def test_a_load_that_fails_says_why_in_both_themes(lab: Lab, book: Notebook, slow: FaultServer) -> None:
    cell = book.add("m = %s3load s3://bkt/changed.pkl")
    book.start(cell)
    book.expect(cell, "of 80 MB")
    failed = book.wait(cell)
    assert [name for name, _ in failed.errors] == ["ObjectChangedError"]
    book.expect(cell, "failed")
    book.screenshot("progress-failed-light", cell=cell)
    lab.theme(dark=True)
    book.screenshot("progress-failed-dark", cell=cell)


def test_several_loads_of_a_cell_are_shown_together_and_one_cancel_stops_them(lab: Lab, book: Notebook) -> None:
    cell = book.add("%s3load a=s3://bkt/model.pkl b=s3://bkt/other.pkl")
    book.start(cell)
    book.expect(cell, "model.pkl")
    book.expect(cell, "other.pkl")
    book.screenshot("progress-several-light", cell=cell)
    lab.theme(dark=True)
    book.screenshot("progress-several-dark", cell=cell)
    book.click("Cancel", cell=cell)
    assert [name for name, _ in book.wait(cell).errors] == ["LoadCancelledError"]
    assert book.run(book.add("'a' in globals() or 'b' in globals()")).text == "False"


def test_the_row_of_the_load_that_failed_says_so_and_the_others_go_on(book: Notebook, slow: FaultServer) -> None:
    slow.fault(Fault(kind=Kind.REPLACE, key="other.pkl", first=2, data=pickle.dumps("another")))
    cell = book.add("%s3load a=s3://bkt/brief.pkl b=s3://bkt/other.pkl")
    with slow.holding("brief.pkl", at=11_000_000):
        book.start(cell)
        book.expect(cell, "brief.pkl")
    assert [name for name, _ in book.wait(cell).errors] == ["PartialLoadError"]
    book.expect(cell, "✗ other.pkl failed: ")
    book.expect(cell, "✓ brief.pkl done: 12 of 12 MB")


def test_a_hostile_key_is_shown_as_text(book: Notebook) -> None:
    cell = book.add(f"m = %s3load 's3://bkt/{HOSTILE}'")
    book.start(cell)
    book.expect(cell, HOSTILE)
    book.screenshot("hostile-running", cell=cell)
    assert book.cell(cell).locator(MADE_OF_TEXT).count() == 0
    book.interrupt()
    book.wait(cell)
    listing = book.add("%s3ls s3://bkt/")
    book.run(listing)
    for each in (cell, listing):
        book.expect(each, HOSTILE)
        time.sleep(0.3)  # MathJax comes late
        book.screenshot(f"hostile-{'stopped' if each == cell else 'listed'}", cell=each)
        assert book.cell(each).locator(MADE_OF_TEXT).count() == 0


def test_the_stop_button_stops_a_load(book: Notebook) -> None:
    cell = book.add("stopped = %s3load s3://bkt/model.pkl")
    book.start(cell)
    book.expect(cell, "of 80 MB")
    began = time.monotonic()
    book.interrupt()
    outputs = book.wait(cell)
    assert time.monotonic() - began < SOON
    assert [name for name, _ in outputs.errors] == ["KeyboardInterrupt"]
    assert "Nothing was bound" in outputs.text
    assert book.run(book.add("'stopped' in globals()")).text == "False"


def test_a_background_load_goes_on_while_another_cell_works_and_can_be_cancelled_by_its_button(
    book: Notebook, tmp_path: Path
) -> None:
    cell = book.add("handle = %s3load --background never=s3://bkt/model.pkl\nhandle.done()")
    assert book.run(cell).text.endswith("False")  # the cell has ended, and the load has not
    with working(book, tmp_path / "enough") as busy:
        seen: set[str] = set()
        until = time.monotonic() + WAIT_SECONDS
        while len(seen) < 4 and time.monotonic() < until:
            seen.add(book.cell(cell).locator(".jp-OutputArea").first.inner_text())
            time.sleep(0.05)
        assert len(seen) > 3  # it moves
        book.click("Cancel", cell=cell)
        book.expect(cell, "Cancelled: s3://bkt/model.pkl")
        assert book.is_running(busy)
    assert book.run(book.add("handle.done(), 'never' in globals()")).text == "(True, False)"


def test_a_background_load_binds_and_says_what_was_checked(book: Notebook) -> None:
    cell = book.add("handle = %s3load --background later=s3://bkt/brief.pkl")
    book.run(cell)
    assert book.run(book.add("len(await handle), len(later)")).text == "(12, 12)"
    book.expect(cell, "CRC32 ok")


@contextlib.contextmanager
def working(book: Notebook, enough: Path) -> Iterator[int]:
    """Have another cell work meanwhile; give its index."""
    lines = (
        f"import pathlib\nenough, until = pathlib.Path({str(enough)!r}), time.monotonic() + 100",
        "while not enough.exists() and time.monotonic() < until: time.sleep(0.01)",
        "'worked'",
    )
    busy = book.add("\n".join(lines))
    book.start(busy)
    try:
        yield busy
    finally:
        enough.touch()
    assert book.wait(busy).text == "'worked'"


def test_tab_completes_a_key(book: Notebook) -> None:
    book.run(book.add("%s3ls s3://bkt/models/"))
    cell = book.add("")
    book.type(cell, "x = %s3load s3://bkt/mod")
    assert book.completions() == ["model.pkl", "models/"]  # in Lab's own order
    book.screenshot("completion-light")
    book.page.keyboard.press("ArrowDown")
    book.page.keyboard.press("Enter")
    book.expect_source(cell, "x = %s3load s3://bkt/models/")
    assert book.completions()[0] == "'my model.pkl'"
    book.page.keyboard.press("Enter")
    book.expect_source(cell, "x = %s3load s3://bkt/models/'my model.pkl'")
    assert "MD5 ok" in book.run(cell).text
    assert book.run(book.add("x")).text == "'mine'"


def _shown(output: dict[str, Any]) -> bool:
    return output["output_type"] != "display_data" or bool("".join(output["data"].get("text/plain", "")))


FIRST_HOUR = [
    ("%load_ext aios3_nb", ""),
    ("%s3demo", "You are in s3://demo/"),
    ("%s3ls", "models/"),
    ("model = %s3load models/model.pkl", "CRC32 ok"),
    ("%s3peek users.json\nprint('not the last line')", "{id: int, name: str"),
    ("rows = %s3load events.jsonl --limit 3\nlen(rows)", "\n3"),
    ("%s3cd models\n%s3ls", "model.pkl"),
    ("%s3cd ..", "s3://demo/"),
    ("%s3load modle.pkl", "ObjectNotFoundError: No such object: s3://demo/modle.pkl."),
    ("import aios3_nb\naios3_nb.load('s3://demo/modle.pkl')", "aios3_nb.ls('s3://demo/')"),
    ("%s3load users.json --path users[0].name", "Write it as"),
    ("%s3save rows results/rows.json", "stored"),
    ("%s3load gradient.png --quiet", "Image object"),
    ("%s3ls s3://", "demo/"),
    ("%s3ls s3://BUCKET/", "59.json"),
]
"""What somebody types in the first hour, and what is to be read below it."""

MISTAKES = ("%s3load modle", "import", "%s3load users.json --path")


def test_a_newcomer_types_cell_after_cell_and_reads_what_is_needed(lab: Lab, s3: Any, bucket: str) -> None:
    for number in range(60):
        s3.put_object(Bucket=bucket, Key=f"{number}.json", Body=b"1")
    book = lab.open("")
    book.cell(0).locator(".cm-content").click()
    for at, (typed, read) in enumerate(FIRST_HOUR):
        shown = book.type_and_run(at, typed.replace("BUCKET", bucket))
        assert read in shown.text, (typed, shown.text)
        assert bool(shown.errors) == typed.startswith(MISTAKES), (typed, shown.text)
        assert "aios3_nb/" not in shown.text, (typed, shown.text)  # no frames of this package
    # The listing scrolls in its cell.
    table = book.cell(len(FIRST_HOUR) - 1).locator(".jp-RenderedHTMLCommon div:has(> table)")
    assert table.evaluate("each => each.scrollHeight > each.clientHeight && each.clientHeight < 700")
    book.screenshot("first-hour")
