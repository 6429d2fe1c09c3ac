"""The bucket browser in a real JupyterLab: what users see, click and type. Pictures are in ``tests/artifacts``."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.panel_page import PANEL, Shown, check_accessible
from tests.browser.stock import MILLION, naughty, stock
from tests.faults.fault import Kind
from tests.faults.server import FaultServer
from tests.lab import Lab, Notebook

pytestmark = pytest.mark.browser

FLASH = ".aios3-nb-flash"
CELLS = "window.jupyterapp.shell.currentWidget.content.widgets"


@pytest.fixture(scope="module")
def stocked() -> Iterator[FaultServer]:
    with FaultServer() as server:
        stock(server)
        yield server


def opened(lab: Lab, stocked: FaultServer) -> Notebook:
    """Open a notebook with the magics, pointed at `stocked`."""
    setup = f"%load_ext aios3_nb\nimport time\n%config S3Magics.endpoint_url = {stocked.url!r}"
    book = lab.open(setup)
    assert book.run(0).all == []
    return book


@pytest.fixture(scope="module")
def book(lab: Lab, stocked: FaultServer) -> Notebook:
    """One notebook for most tests."""
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return opened(lab, stocked)


def browse(book: Notebook, line: str) -> Shown:
    cell = book.add(line)
    book.run(cell)
    return Shown(book.page, book.cell(cell).locator(PANEL).first)


# ---- going about, and loading


def test_from_the_bucket_to_a_variable_in_the_next_cell(book: Notebook) -> None:
    panel = browse(book, "browser = %s3browse\nbrowser")
    panel.open("data/")
    panel.open("models/")
    panel.open("2024/")
    panel.choose("model.pkl")
    expect(panel.preview).to_contain_text("every name it imports may load")  # by itself, for it rests
    expect(panel.root.locator(".aios3-nb-verdict strong")).to_have_text("Safe")
    panel.click("Load as")
    panel.expect("model is a dict of 1. model.pkl: ")
    panel.expect("CRC32 ok")
    panel.expect("{'weights': [1, 2, 3]}")
    after = book.add("model, str(browser.selected)")
    assert book.run(after).text == "({'weights': [1, 2, 3]}, 's3://data/models/2024/model.pkl')"
    panel.root.get_by_label("Where").get_by_role("button", name="data").click()
    panel.row("config.json")
    panel.click("Back")
    panel.row("model.pkl")


def test_everything_goes_by_keyboard_and_the_notebook_hears_none_of_it(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.row("table.csv")
    press = book.page.keyboard.press
    cells = book.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")
    panel.grid.focus()
    press("ArrowDown")
    press("End")
    expect(panel.row("table.csv")).to_have_attribute("aria-selected", "true")
    press("Shift+ArrowUp")
    assert panel.chosen == ["plot.png", "table.csv"]
    press("c")
    expect(panel.row("config.json")).to_have_attribute("aria-selected", "true")
    press("Control+c")
    panel.expect_copied("s3://data/config.json")
    press("Control+f")
    expect(panel.root.get_by_label("Filter", exact=True)).to_be_focused()
    press("Escape")
    expect(panel.grid).to_be_focused()
    for key in ("b", "x", "d", "d", "Shift+M"):  # of the notebook: new cell, cut, delete, merge
        press(key)
    press("Home")
    press("Enter")
    panel.row("2024/")
    expect(panel.grid).to_be_focused()
    press("Backspace")
    panel.row("table.csv")
    press("Home")
    press("Enter")
    panel.row("2024/")
    press("Alt+ArrowUp")
    panel.row("table.csv")
    press("PageDown")
    expect(panel.row("table.csv")).to_have_attribute("aria-selected", "true")
    press("PageUp")
    expect(panel.row("models/")).to_have_attribute("aria-selected", "true")
    press("Shift+F10")
    expect(panel.root.get_by_role("menuitem", name="Open", exact=True)).to_be_focused()
    press("Escape")
    expect(panel.root.get_by_role("menu")).to_have_count(0)
    expect(panel.grid).to_be_focused()
    press("p")
    expect(panel.row("plot.png")).to_have_attribute("aria-selected", "true")
    press("Delete")
    panel.expect("Delete s3://data/plot.png?")
    expect(panel.button("Keep it")).to_be_focused()
    press("Escape")
    expect(panel.button("Keep it")).to_have_count(0)
    expect(panel.grid).to_be_focused()
    press("Control+a")
    panel.expect("5 chosen")
    press("Tab")  # to the head of the list
    size = panel.root.get_by_role("columnheader", name="Size")
    press("Tab")
    before = size.bounding_box()["width"]
    press("Shift+ArrowRight")
    assert size.bounding_box()["width"] == pytest.approx(before + 16, abs=2)
    press("Enter")
    expect(size).to_have_attribute("aria-sort", "descending")
    press("Enter")
    expect(size).to_have_attribute("aria-sort", "ascending")
    name = panel.root.get_by_role("columnheader", name="Name")
    name.get_by_role("button").click()
    expect(name).to_have_attribute("aria-sort", "ascending")
    panel.choose("config.json")
    # In a field, too, letters are letters.
    panel.root.get_by_label("Name of the variable").fill("")
    panel.root.get_by_label("Name of the variable").press_sequentially("bxddc")
    panel.root.get_by_label("Filter", exact=True).press_sequentially("aabbxdd")
    panel.expect("No match")
    press("Escape")
    panel.row("table.csv")
    assert book.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == cells
    # Without the focus, keys are the notebook's.
    book.page.evaluate("window.jupyterapp.shell.currentWidget.content.activate()")
    book.page.locator(".jp-Notebook").first.press("b")
    book.page.wait_for_function(
        "cells => window.jupyterapp.shell.currentWidget.content.widgets.length === cells + 1", arg=cells
    )


def test_what_is_done_before_the_kernel_answers_is_done_with_the_new_object(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.choose("plot.png")
    name = panel.root.get_by_label("Name of the variable")
    expect(name).to_have_value("plot")
    offered = panel.root.get_by_label("The text to copy")

    go_down_and, insert = "key(grid, 'ArrowDown');", "titled('Put the line').click();"
    panel.at_once(go_down_and + insert)
    expect(offered).to_have_value("table = %s3load s3://data/table.csv")
    expect(name).to_have_value("table")
    panel.choose("plot.png")
    expect(name).to_have_value("plot")
    panel.at_once(go_down_and + "type(root.querySelector('.aios3-nb-variable'), 'mine');" + insert)
    expect(offered).to_have_value("mine = %s3load s3://data/table.csv")
    expect(name).to_have_value("mine")
    # Somebody goes on in another notebook meanwhile: nothing is put in there.
    cells = book.page.evaluate(f"{CELLS}.length")
    panel.choose("config.json")
    panel.at_once(
        insert + "const other = document.createElement('button'), book = document.createElement('div');"
        "book.className = 'jp-NotebookPanel'; book.id = 'other'; book.append(other);"
        "document.body.append(book); other.focus();"
    )
    expect(offered).to_have_value("config = %s3load s3://data/config.json")
    book.run(book.add("1"))
    book.page.evaluate("document.getElementById('other').remove()")
    assert book.page.evaluate(f"{CELLS}.length") == cells + 1


def test_what_the_kernel_says_of_one_act_takes_back_none_of_the_next(book: Notebook) -> None:
    panel = browse(book, "browser = %s3browse s3://data/\nbrowser")
    panel.row("table.csv")
    panel.at_once("key(grid, 'End'); key(grid, 'ArrowUp', {shiftKey: true});")
    panel.expect("2 chosen")
    assert panel.chosen == ["plot.png", "table.csv"]
    panel.at_once(
        "row('config.json').click(); key(grid, 'ArrowDown', {shiftKey: true}); key(grid, 'c', {ctrlKey: true});"
    )
    panel.expect_copied("s3://data/config.json\ns3://data/plot.png")
    size = panel.root.get_by_role("columnheader", name="Size")
    panel.at_once(
        "const size = root.querySelector('.aios3-nb-column.aios3-nb-size button'); size.click(); size.click();"
    )
    expect(size).to_have_attribute("aria-sort", "ascending")
    grip = panel.root.get_by_role("separator", name="Height of the panel")
    height = int(grip.get_attribute("aria-valuenow") or 0)
    down = "const grip = titled('Drag to make it higher'); for (const _ of '12') key(grip, 'ArrowDown');"
    panel.at_once(down)
    expect(grip).to_have_attribute("aria-valuenow", str(height + 80))
    panel.at_once(down.replace("Down", "Up"))
    expect(grip).to_have_attribute("aria-valuenow", str(height))
    # What is typed into a form stays, when the kernel has something to say of it.
    panel.root.get_by_role("button", name=re.compile("Connection")).click()
    endpoint = panel.root.get_by_label("Endpoint", exact=True)
    endpoint.fill("http://127.0.0.1:9")
    book.run(book.add("browser._connection = {**browser._connection, 'found': 'http://found'}"))
    expect(
        panel.root.get_by_role("button", name="Connection: Profile (default), endpoint http://found")
    ).to_be_visible()
    assert endpoint.input_value() == "http://127.0.0.1:9"
    book.page.keyboard.press("Escape")


def test_a_page_goes_on_from_what_it_shows_before_the_kernel_has_answered(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.choose("table.csv")
    # The row that is found is opened, and not the one of before; unless another is chosen by hand.
    panel.root.evaluate(
        """root => {
            window.chosen = new Set();
            const note = () => root.querySelectorAll("[aria-selected=true] .aios3-nb-name-text")
                .forEach(name => window.chosen.add(name.title));
            new MutationObserver(note).observe(root, {subtree: true, attributes: true});
        }"""
    )
    panel.at_once("key(grid, 'p'); key(grid, 'Delete'); row('README.md').click();")
    panel.at_once("key(grid, 'Home'); key(grid, 'ArrowDown');")
    panel.at_once("key(grid, 'c'); key(grid, 'Delete');")
    panel.expect("Delete s3://data/config.json?")
    panel.click("Keep it")
    assert "plot.png" not in book.page.evaluate("[...window.chosen]")
    panel.at_once("key(grid, 'Home'); key(grid, 'ArrowDown'); key(grid, 'm'); key(grid, 'Enter');")
    panel.row("2024/")
    # The step of the way that is clicked is meant, wherever else the panel was sent just before.
    panel.at_once(
        "titled('Type an address').click(); const field = root.querySelector(\"[aria-label='Address']\");"
        "type(field, 's3://looks/'); key(field, 'Enter'); titled('s3://data/').click();"
    )
    expect(panel.root.locator("[aria-current=location]")).to_have_text("data")
    panel.row("table.csv")
    # A filter that is being typed is for the folder that is left.
    panel.at_once(
        "const filter = root.querySelector(\"[aria-label='Filter']\"); filter.focus(); type(filter, 'zzz');"
        "row('models/').dispatchEvent(new MouseEvent('dblclick', {bubbles: true}));"
    )
    panel.row("2024/")
    book.page.evaluate("new Promise(done => setTimeout(done, 450))")
    panel.open("2024/")
    panel.row("model.pkl")


def test_the_order_and_the_widths_are_the_users(book: Notebook) -> None:
    panel = browse(book, "sized = %s3browse s3://data/\nsized")
    panel.row("table.csv")
    panel.click("Size")
    expect(panel.root.locator("[aria-sort=descending]")).to_contain_text("Size")
    panel.expect_rows("models/", "plot.png", "table.csv", "config.json", "README.md")
    panel.choose("README.md")
    panel.click("Size")
    expect(panel.root.locator("[aria-sort=ascending]")).to_contain_text("Size")
    panel.expect_rows("models/", "README.md", "config.json", "table.csv", "plot.png")
    expect(panel.row("README.md")).to_have_attribute("aria-selected", "true")  # wherever it stands now
    header = panel.root.get_by_role("columnheader", name="Size")
    before = header.bounding_box()
    drag(book, header.locator(".aios3-nb-grip"), 60, 0)
    assert header.bounding_box()["width"] == pytest.approx(before["width"] + 60, abs=3)
    # Where it gets too wide, the head goes along with the rows.
    name = panel.root.get_by_role("columnheader", name="Name")
    drag(book, name.locator(".aios3-nb-grip"), 300, 0)
    panel.grid.evaluate("grid => { grid.scrollLeft = 1000 }")
    assert panel.grid.evaluate("grid => grid.scrollLeft") > 50
    cell = panel.row("table.csv").locator(".aios3-nb-name")
    assert name.bounding_box()["x"] == pytest.approx(cell.bounding_box()["x"], abs=1)
    split = panel.root.get_by_role("separator", name="Width of the list")
    left = split.bounding_box()["x"]
    drag(book, split, -150, 0)
    assert split.bounding_box()["x"] == pytest.approx(left - 150, abs=8)
    height = panel.root.bounding_box()["height"]
    drag(book, panel.root.get_by_role("separator", name="Height of the panel"), 0, 80)
    assert panel.root.bounding_box()["height"] == pytest.approx(height + 80, abs=3)
    heard = f"sized.height > {height + 70} or time.monotonic() > until"
    assert book.run(book.add(f"until = time.monotonic() + 60\nwhile not ({heard}): time.sleep(0.01)")).all == []
    assert panel.root.bounding_box()["height"] == pytest.approx(height + 80, abs=3)
    again = browse(book, "%s3browse s3://data/")
    assert again.root.bounding_box()["height"] == pytest.approx(height + 80, abs=3)
    drag(book, again.root.get_by_role("separator", name="Height of the panel"), 0, -80)


def drag(book: Notebook, grip: Locator, right: float, down: float) -> None:
    grip.hover()  # when it is at rest, and in sight
    box = grip.bounding_box()
    assert box is not None
    mouse, x, y = book.page.mouse, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + right / 2, y + down / 2)
    mouse.move(x + right, y + down)
    mouse.up()


def places_at_rest(panel: Shown) -> list[list[float]]:
    """Where the parts stand within the panel, and how large they are, once nothing moves any more."""
    parts = ".aios3-nb-toolbar, .aios3-nb-actions, .aios3-nb-grid"
    seen: list[list[float]] = []
    for _ in range(50):
        before = seen
        seen = panel.root.evaluate(
            """(root, parts) => [root, ...root.querySelectorAll(parts)].map(each => {
                const [box, whole] = [each.getBoundingClientRect(), root.getBoundingClientRect()];
                return [box.x - whole.x, box.y - whole.y, box.width, box.height].map(Math.round);
            })""",
            parts,
        )
        if seen == before:
            return seen
        panel.page.wait_for_timeout(200)
    raise AssertionError(f"the panel does not come to rest: {before}, {seen}")


def test_nothing_moves_when_a_row_is_chosen_and_long_names_keep_their_end(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://awkward/long/")
    long = "n" * 1010 + ".pkl"
    row = panel.row(long)
    before = places_at_rest(panel)
    row.click()
    expect(panel.root.locator("summary", has_text="Details")).to_be_visible()
    panel.button("Preview").click()
    expect(panel.preview.locator(".aios3-nb-title")).to_be_visible()
    assert places_at_rest(panel) == before
    expect(row.locator(".aios3-nb-tail")).to_have_text("nnnnnnnn.pkl")
    tail, grid = panel.boxes(f".aios3-nb-row [title='{long}'] .aios3-nb-tail", "[role=grid]")
    assert tail["right"] <= grid["right"]


# ---- how it looks


LOOKS = [(1280, False), (1280, True), (600, False), (600, True)]


@pytest.mark.parametrize(("width", "dark"), LOOKS, ids=["wide-light", "wide-dark", "narrow-light", "narrow-dark"])
def test_it_looks_well_and_is_accessible(book: Notebook, lab: Lab, width: int, dark: bool) -> None:
    name = f"browser-{width}-{'dark' if dark else 'light'}"
    lab.page.set_viewport_size({"width": width, "height": 1000})
    lab.theme(dark=dark)
    try:
        panel = browse(book, "%s3browse s3://data/")
        panel.choose("table.csv")
        expect(panel.preview).to_contain_text("user 7")
        left, side = panel.boxes(".aios3-nb-left", ".aios3-nb-side")
        load, delete = panel.boxes(".aios3-nb-actions .aios3-nb-primary", "[aria-label=Delete]")
        assert load["y"] == delete["y"]  # on one line, whatever the width
        assert (side["y"] >= left["bottom"]) == (width < 700)  # below it, and else beside it
        panel.click("Delete")
        panel.expect("Delete s3://data/table.csv?")
        panel.picture(f"{name}-table")
        panel.check_accessible()
        assert panel.root.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
        panel.click("Keep it")
        panel.choose("config.json")
        expect(panel.preview).to_contain_text("resnet für alle")
        panel.picture(f"{name}-json")
        panel.check_accessible()
        panel.go("s3://looks/")
        panel.choose("bad.pkl")
        panel.expect("Blocked")
        expect(panel.button("Load as")).to_be_disabled()
        expect(panel.root.get_by_label("The text to copy")).to_have_value("bad = %s3load s3://looks/bad.pkl --trust")
        panel.picture(f"{name}-blocked")
        panel.check_accessible()
    finally:
        lab.page.set_viewport_size({"width": 1280, "height": 1000})
        lab.theme(dark=False)


@pytest.mark.parametrize(("width", "dark"), [LOOKS[0], LOOKS[3]], ids=["wide-light", "narrow-dark"])
def test_each_state_is_drawn(book: Notebook, lab: Lab, stocked: FaultServer, width: int, dark: bool) -> None:
    lab.page.set_viewport_size({"width": width, "height": 1000})
    lab.theme(dark=dark)
    try:
        draw_states(book, stocked, "dark-" if dark else "")
    finally:
        lab.page.set_viewport_size({"width": 1280, "height": 1000})
        lab.theme(dark=False)


def draw_states(book: Notebook, stocked: FaultServer, name: str) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.row("config.json")
    stocked.fault(Kind.STATUS, key="", status=403, code="AccessDenied")
    panel.go("s3://secret/")
    panel.expect("Access denied: s3://secret/")
    panel.picture(f"state-{name}denied")
    panel.check_accessible()
    panel.click("Try again")  # with the keyboard's focus where it was
    panel.expect("s3://secret/ is empty")
    panel.go("s3://empty/")
    panel.expect("s3://empty/ is empty")
    panel.picture(f"state-{name}empty")
    panel.go("s3://data/")
    panel.row("config.json")
    panel.root.get_by_label("Filter", exact=True).fill("zzz")
    panel.expect("No match")
    panel.picture(f"state-{name}no-match")
    panel.click("Clear the filter")
    panel.row("config.json")
    with stocked.holding(""):
        panel.click("Refresh")
        expect(panel.root.locator(".aios3-nb-waiting .aios3-nb-bone").first).to_be_visible()
        panel.picture(f"state-{name}loading")
    panel.row("config.json")
    panel.root.get_by_role("button", name=re.compile("Connection")).click()
    panel.picture(f"state-{name}connection")
    panel.check_accessible()
    panel.root.get_by_label("Endpoint", exact=True).fill("http://127.0.0.1:9")
    panel.click("Connect")
    panel.expect("The endpoint is out of reach")
    panel.picture(f"state-{name}unreachable")
    panel = browse(book, "%s3browse --profile nobody s3://data/")
    panel.expect("nobody")
    panel.picture(f"state-{name}no-profile")
    panel = browse(book, "%s3browse s3://data/")
    panel.row("config.json")
    stocked.fault(Kind.STATUS, key="", status=403, code="AccessDenied")
    panel.root.get_by_label("Where").get_by_role("button", name="Buckets").click()
    panel.expect("Buckets may not be listed")
    panel.picture(f"state-{name}no-buckets")
    panel.root.get_by_label("Where").click(position={"x": 200, "y": 8})  # beside the crumbs
    expect(panel.root.get_by_label("Address", exact=True)).to_be_focused()
    book.page.keyboard.press("Escape")
    panel.click("Type another address")
    book.page.keyboard.type("s3://data/")
    book.page.keyboard.press("Enter")
    panel.row("config.json")


def test_it_follows_high_contrast_and_stands_still_where_that_is_wanted(book: Notebook, stocked: FaultServer) -> None:
    book.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    try:
        panel = browse(book, "%s3browse s3://data/")
        panel.choose("table.csv")
        outline = panel.row("table.csv").evaluate("row => getComputedStyle(row).outlineStyle")
        assert outline == "solid"  # no colour says which row is chosen
        panel.picture("browser-contrast")
        with stocked.holding(""):
            panel.click("Refresh")
            bone = panel.root.locator(".aios3-nb-waiting .aios3-nb-bone").first
            assert bone.evaluate("bone => getComputedStyle(bone).animationName") == "none"
        panel.row("table.csv")
    finally:
        book.page.emulate_media(forced_colors="none", reduced_motion="no-preference")


# ---- previews


def test_each_kind_has_its_preview(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse s3://looks/")
    for name, text in (
        ("archive.zip", "inside/<b>a.txt"),
        ("tape.tar", "large.bin"),
        ("weights.safetensors", "2 x 3"),
        ("array.npy", "<f4"),
        ("records.jsonl", "ü 4"),
        ("log.txt.gz", "line 399"),
    ):
        panel.choose(name)
        expect(panel.preview).to_contain_text(text)
        panel.picture(f"preview-{name.partition('.')[2]}")
    assert len(stocked.gets("tape.tar")) <= 4
    panel.go("s3://data/")
    panel.choose("plot.png")
    image = panel.root.locator("img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 240
    assert image.get_attribute("src").startswith("blob:")
    inner, outer = panel.boxes("img", ".aios3-nb-preview")
    assert inner["width"] <= outer["width"]
    assert inner["bottom"] <= outer["bottom"] + 1  # fitted, and not cut
    panel.choose("table.csv")
    expect(panel.preview).to_contain_text("user 89")
    table = panel.root.get_by_role("region", name="Table")
    parts = (".aios3-nb-data", ".aios3-nb-data thead th")
    outer, before = panel.boxes(*parts)
    table.evaluate("table => { table.scrollTop = 500 }")
    assert table.evaluate("table => table.scrollTop") > 100
    around, after = panel.boxes(*parts)
    assert after["y"] - around["y"] == pytest.approx(before["y"] - outer["y"], abs=0.1)  # it sticks
    panel.choose("README.md")
    expect(panel.preview).to_contain_text("What is in here.")
    number = panel.preview.locator(".aios3-nb-line").nth(2)
    assert number.evaluate("line => getComputedStyle(line, '::before').content") == "counter(aios3-nb-line)"
    panel.choose("config.json")
    expect(panel.preview).to_contain_text("12345678901234567890123")


def test_a_json_document_is_a_tree_for_mouse_and_keyboard(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.choose("config.json")
    tree = panel.root.get_by_role("tree", name="JSON")
    layers = tree.get_by_role("treeitem", name="layers: [2 items]")
    expect(layers).to_have_attribute("aria-expanded", "true")
    layers.locator(".aios3-nb-label").first.click()
    expect(layers).to_have_attribute("aria-expanded", "false")
    expect(tree.get_by_role("treeitem", name="128")).to_have_count(0)
    expect(layers).to_be_focused()
    press = book.page.keyboard.press
    press("ArrowRight")
    expect(layers).to_have_attribute("aria-expanded", "true")
    press("ArrowRight")
    expect(tree.get_by_role("treeitem", name="64")).to_be_focused()
    press("ArrowDown")
    expect(tree.get_by_role("treeitem", name="128")).to_be_focused()
    press("ArrowLeft")
    expect(layers).to_be_focused()
    press("Enter")
    expect(layers).to_have_attribute("aria-expanded", "false")
    press("ArrowDown")
    expect(tree.get_by_role("treeitem", name="note: null")).to_be_focused()
    press("End")
    expect(tree.get_by_role("treeitem", name="big: 12345678901234567890123")).to_be_focused()
    press("Home")
    root = tree.get_by_role("treeitem", name="{4 keys}")
    expect(root).to_be_focused()
    press("ArrowLeft")
    expect(root).to_have_attribute("aria-expanded", "false")
    expect(tree.get_by_role("treeitem")).to_have_count(1)
    assert tree.locator("[tabindex='0']").count() == 1  # one stop of the Tab key for all of it
    panel.check_accessible()


def test_a_preview_can_be_turned_off(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.row("README.md")
    panel.root.get_by_text("Preview by itself").click()
    asked = len(stocked.requests)
    panel.choose("README.md")
    expect(panel.button("Preview")).to_be_enabled()
    book.page.evaluate("new Promise(done => setTimeout(done, 1000))")
    assert len(stocked.requests) == asked
    with stocked.holding("README.md"):
        panel.open("README.md")
        expect(panel.preview.locator(".aios3-nb-bone").first).to_be_visible()  # it is seen that it is asked for
    expect(panel.preview).to_contain_text("What is in here.")


# ---- many keys


def test_rows_come_as_they_are_scrolled_to(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse")
    panel.row("many/")
    asked = len(stocked.requests)
    began = time.monotonic()
    panel.open("many/")
    panel.row("part-0000003.pkl")
    seconds = time.monotonic() - began
    print(f"click to the first rows of 100,000 keys: {seconds:.2f} s, {len(stocked.requests) - asked} request")
    assert len(stocked.requests) - asked == 1
    panel.expect("1,000 entries so far")
    for thousands in (2, 3, 4):
        panel.grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight }")
        expect(panel.status).to_contain_text(re.compile(rf"^[{thousands}-9],000 entries so far"))
    listed = int(re.sub(r"\D", "", panel.status.text_content().partition(" entries")[0]))
    assert 2000 <= listed <= 5000
    assert 0 <= len(stocked.requests) - asked - listed // 1000 <= 1  # one may be under way
    panel.root.get_by_label("Filter", exact=True).fill("part-009999")
    panel.row("part-0099999.pkl")
    panel.expect_rows(*(f"part-{n:07}.pkl" for n in range(99_990, 100_000)))


@pytest.mark.timeout(600)
def test_a_million_keys_are_listed_and_scrolled_to_the_last(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse")
    panel.row("million/")
    asked = listings(stocked)
    panel.root.evaluate(
        """root => {
            root.addEventListener('dblclick', () => { window.clicked = performance.now(); }, true);
            const watch = new MutationObserver(() => {
                if (!root.querySelector("[title='part-0000003.pkl']")) return;
                window.seen = performance.now();
                watch.disconnect();
            });
            watch.observe(root, {subtree: true, childList: true});
        }"""
    )
    panel.open("million/")
    panel.row("part-0000003.pkl")
    print(f"click to the first rows of a million: {book.page.evaluate('window.seen - window.clicked') / 1000:.2f} s")
    assert listings(stocked) == asked + 1
    began = time.monotonic()
    panel.click("List all")
    expect(panel.status).to_contain_text("1,000,000 entries.", timeout=500_000)
    print(f"a million keys listed: {time.monotonic() - began:.1f} s")
    assert panel.grid.evaluate("grid => grid.scrollHeight") < 17_800_000
    scroll(panel, 1)
    panel.row("part-0999999.pkl")
    scroll(panel, 0.5)
    half = panel.root.locator(".aios3-nb-name-text[title^='part-0499'], .aios3-nb-name-text[title^='part-0500']")
    expect(half.first).to_be_visible()
    for share in range(40):
        scroll(panel, share / 40)
        book.page.wait_for_timeout(30)
    panel.grid.focus()
    book.page.keyboard.press("End")
    expect(panel.row("part-0999999.pkl")).to_have_attribute("aria-selected", "true")
    book.page.keyboard.press("Home")
    panel.row("part-0000000.pkl")
    assert panel.root.locator(".aios3-nb-row").count() < 60
    assert listings(stocked) - asked == MILLION // 1000  # one request for each thousand rows, scrolled through or not
    heap = book.page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    print(f"JavaScript heap of the page with a million rows: {heap:.0f} MB")
    assert heap < 150


def scroll(panel: Shown, share: float) -> None:
    """Put the scrollbar where `share` of it is above."""
    panel.grid.evaluate("(grid, share) => { grid.scrollTop = share * grid.scrollHeight }", share)


def listings(stocked: FaultServer) -> int:
    return sum("list-type" in request.query for request in stocked.requests)


# ---- hostile names


def test_no_script_in_a_key_runs(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://awkward/")
    book.page.evaluate("void (window.alert = () => { window.ran = 1 })")
    for name in ("<img src=x onerror=alert(1)>", "`${alert(1)}`"):
        panel.root.get_by_label("Filter", exact=True).fill(name)
        panel.expect_rows(name)
        panel.choose(name)
        panel.root.locator("summary", has_text="Details").click()
        panel.expect("x-amz-meta-x")
        panel.click("Insert code")
        panel.click("Delete")
        panel.expect(f"Delete s3://awkward/{name}?")
        panel.click("Keep it")
    panel.picture("browser-awkward")
    panel.go("s3://awkward/</")
    panel.row("textarea><svg onload=alert(1)>")
    panel.go("s3://awkward/long/")
    panel.row("\\u202efdp.exe <b>bold").click()
    expect(panel.preview.locator(".aios3-nb-title")).to_be_visible()
    assert book.page.evaluate("window.ran") is None
    assert panel.root.locator("img, script, b, svg[onload]").count() == 0


def test_naughty_strings_are_text_wherever_they_stand(book: Notebook) -> None:
    """The big list of them: as keys, and in a table, a tree and a text."""
    asked: list[str] = []
    book.page.on("request", lambda request: asked.append(request.url))
    book.page.evaluate("void (window.alert = window.confirm = window.prompt = () => { window.ran = 1 })")
    panel = browse(book, "%s3browse s3://naughty/")
    for name, text in (
        ("all.csv", "alert(123)"),
        ("all.json", "alert(123)"),
        ("all.svg", "onload"),
        ("all.txt", "nil"),
    ):
        panel.choose(name)
        expect(panel.preview).to_contain_text(text)
        assert panel.preview.locator("img, script, svg").count() == 0
    panel.root.get_by_label("How to filter").select_option("contains")
    panel.root.get_by_label("Filter", exact=True).fill(".end")
    panel.root.get_by_label("Filter", exact=True).press("Enter")
    count = len(naughty())
    panel.expect(f"{count} found, all there are")
    seen = set()
    for n in range(0, count, 12):
        panel.grid.evaluate(
            "(grid, n) => { grid.scrollTop = n * 26;"
            " return new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))) }",
            n,
        )
        expect(panel.root.locator(".aios3-nb-row .aios3-nb-bone")).to_have_count(0)
        seen.update(panel.rows)
    assert len(seen) == count
    assert book.page.evaluate("window.ran") is None
    marks = panel.root.locator("img, script, iframe, b, i, object, style, link, svg:not(.aios3-nb-icon)")
    assert marks.count() == 0
    assert [url for url in asked if "127.0.0.1" not in url and not url.startswith(("blob:", "data:"))] == []


# ---- beside cells that run


def test_while_the_kernel_does_not_answer_the_panel_says_that_it_waits_and_copies_all_the_same(
    book: Notebook, tmp_path: Path
) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.choose("config.json")
    expect(panel.preview).to_contain_text("resnet für alle")
    book.page.evaluate("navigator.clipboard.writeText('')")
    # A library that keeps all threads of the kernel from running, as no sleep does, until there is something to read.
    gate, begun = tmp_path / "gate", tmp_path / "begun"
    os.mkfifo(gate)
    stuck = book.add(
        f"import ctypes, os\ngate = os.open({str(gate)!r}, os.O_RDWR)\nopen({str(begun)!r}, 'w').close()\n"
        "ctypes.PyDLL(None).read(gate, ctypes.create_string_buffer(1), 1)"
    )
    book.start(stuck)
    try:
        while not begun.exists():
            book.page.wait_for_timeout(20)
        meet_silence(book, panel)
        assert book.is_running(stuck)
    finally:
        gate.write_bytes(b"x")
    book.wait(stuck)
    panel.row("2024/")  # what was clicked is done
    expect(panel.root.locator(".aios3-nb-notice")).to_be_hidden()


def meet_silence(book: Notebook, panel: Shown) -> None:
    panel.click("Preview")
    notice = panel.root.locator(".aios3-nb-notice")
    expect(notice).to_have_text(re.compile("^Waits for the kernel"))
    panel.click("Copy URI")
    panel.expect_copied("s3://data/config.json")
    panel.picture("state-waits")
    panel.check_accessible()
    panel.open("models/")


def test_it_lists_and_loads_while_a_cell_is_running(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.row("config.json")
    # It ends when the variable is there, so the panel must have bound it meanwhile.
    busy = book.add(
        "print('begun')\nuntil = time.monotonic() + 100\n"
        "while 'config' not in globals() and time.monotonic() < until: time.sleep(0.01)\nconfig['name']"
    )
    book.start(busy)
    book.expect(busy, "begun")
    began = time.monotonic()
    panel.open("models/")
    panel.row("2024/")
    listed = time.monotonic() - began
    panel.click("Up")
    panel.choose("config.json")
    panel.click("Load as")
    panel.expect("config is a dict")
    print(f"click to rows while a cell sleeps: {listed:.2f} s")
    assert book.wait(busy).text == "begun\n'resnet für alle'"
    assert panel.root.locator(".aios3-nb-notice", has_text="clicks wait").count() == 0


def test_a_load_shows_progress_and_can_be_cancelled_while_a_cell_loads(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://data/models/2024/")
    busy = book.add("other = %s3load s3://data/models/2024/slow.pkl")
    book.start(busy)
    panel.choose("slow.pkl")
    panel.click("Load as")
    cancel = panel.button("Cancel")
    cancel.wait_for()
    panel.picture("browser-loading")
    cancel.click()
    expect(cancel).to_have_count(0)
    assert book.is_running(busy)
    book.interrupt()
    book.wait(busy)
    assert book.run(book.add("'slow' in globals()")).text == "False"


# ---- rows of progress, and tables, in the panel's hand


def test_rows_of_progress_are_readable_at_400_pixels_and_open(book: Notebook, lab: Lab, stocked: FaultServer) -> None:
    stocked.fault(Kind.RESET, key="models/2024/slow.pkl", at=100_000)
    cell = book.add("%s3load a=s3://data/models/2024/slow.pkl b=s3://data/models/2024/slow.pkl")
    book.start(cell)
    rows = book.cell(cell).locator(".aios3-nb-loads")
    expect(rows).to_be_visible()
    rows.evaluate("rows => { rows.style.width = '400px' }")
    total = rows.locator(".aios3-nb-loads-first")
    expect(total.locator(".aios3-nb-load-mark").first).to_have_text("retry 1")
    expect(rows.locator(".aios3-nb-loads-parts .aios3-nb-load").first).to_be_hidden()
    rows.get_by_text("Each of them").click()
    expect(rows.locator(".aios3-nb-loads-parts .aios3-nb-load")).to_have_count(2)
    expect(rows.locator(".aios3-nb-load-mark", has_text="resumed at 100 KB")).to_have_count(1)  # and none at the total
    for dark in (False, True):
        lab.theme(dark=dark)
        out = rows.evaluate(
            "rows => [...rows.querySelectorAll('*')].filter(each => each.checkVisibility()"
            " && each.getBoundingClientRect().right > rows.getBoundingClientRect().right + 1).length"
        )
        assert out == 0
        check_accessible(book.page, rows)
        book.screenshot(f"progress-400-{'dark' if dark else 'light'}", cell=cell)
    lab.theme(dark=False)
    book.click("Cancel", cell=cell)
    assert [name for name, _ in book.wait(cell).errors] == ["LoadCancelledError"]


def test_tables_look_at_home_in_both_themes(book: Notebook, lab: Lab) -> None:
    lines = ("%s3ls s3://data/", "%s3peek s3://looks/bad.pkl", "import aios3_nb\naios3_nb.Settings(profile='other')")
    cells = [book.add(line) for line in lines]
    for cell, text in zip(cells, ("config.json", "os.system", "other"), strict=True):
        assert "text/plain" in book.run(cell).all[0]["data"]  # where a page shows no HTML
        expect(book.cell(cell).locator("table")).to_contain_text(text)
    for dark in (False, True):
        lab.theme(dark=dark)
        for n, cell in enumerate(cells):
            check_accessible(book.page, book.cell(cell).locator(".jp-OutputArea-output").first)
            book.screenshot(f"table-{n}-{'dark' if dark else 'light'}", cell=cell)
    lab.theme(dark=False)


# ---- copying, code, files


def test_code_is_put_into_a_new_cell(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.choose("config.json")
    panel.click("Insert code")
    book.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.content.widgets"
        ".some(cell => cell.model.sharedModel.getSource() === 'config = %s3load s3://data/config.json')"
    )


def test_an_address_is_copied_and_shown_where_the_page_may_not_copy(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.choose("config.json")
    panel.click("Copy URI")
    panel.expect_copied("s3://data/config.json")
    panel.choose("plot.png", modifiers=["ControlOrMeta"])
    book.page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')))")
    panel.click("Copy URI")
    field = panel.root.get_by_label("The text to copy")
    expect(field).to_have_value("s3://data/config.json\ns3://data/plot.png")
    assert field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)") == field.input_value()
    book.page.evaluate("delete navigator.clipboard.writeText")
    panel.row("config.json").click(button="right")
    panel.root.get_by_role("menuitem", name="Copy link for an hour").click()
    panel.expect_copied("/data/config.json?X-Amz-Algorithm=", begins="http")


def test_the_menu_of_a_row_has_the_same_actions(book: Notebook) -> None:
    panel = browse(book, "%s3browse s3://data/")
    panel.row("README.md").click(button="right")
    menu = panel.root.get_by_role("menu")
    expect(menu).to_be_visible()
    assert panel.chosen == ["README.md"]
    panel.picture("browser-menu")
    panel.check_accessible()
    book.page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitem", name="Load", exact=True)).to_be_focused()
    book.page.keyboard.press("Enter")
    panel.expect("README is a str")
    expect(menu).to_have_count(0)
    assert book.page.locator(".lm-Menu").count() == 0


def test_files_of_any_size_are_dropped_and_picked(book: Notebook, server: Any, s3: Any, bucket: str) -> None:
    panel = browse(book, f"%s3browse s3://{bucket}/ --endpoint-url {server.endpoint.url}")
    panel.expect("is empty")
    panel.drop("large <b>.bin", 12_000_000)  # more than a message may have
    expect(panel.root).to_contain_text("Stored")
    panel.row("large <b>.bin")
    stored = s3.get_object(Bucket=bucket, Key="large <b>.bin")["Body"].read()
    assert stored == bytes(range(251)) * (12_000_000 // 251) + bytes(range(12_000_000 % 251))
    panel.click("Upload")
    with book.page.expect_file_chooser() as chooser:
        panel.click("Choose files …")
    chooser.value.set_files({"name": "picked.txt", "mimeType": "text/plain", "buffer": b"picked"})
    panel.row("picked.txt")
    panel.choose("picked.txt")
    panel.click("Download")
    panel.expect("Saved as picked.txt")
    panel.click("Delete")
    panel.click("Delete it")
    panel.expect(f"Deleted s3://{bucket}/picked.txt")
    expect(panel.root.locator(".aios3-nb-row")).to_have_count(1)


def test_each_upload_has_progress_and_a_cancel_of_its_own(book: Notebook, stocked: FaultServer) -> None:
    panel = browse(book, "%s3browse s3://empty/")
    panel.expect("is empty")
    # A disk that gives nothing of one file.
    book.page.evaluate(
        "() => { window.cut = File.prototype.slice;"
        " File.prototype.slice = function (...at) {"
        " return this.name === 'slow.bin' ? {arrayBuffer: () => new Promise(() => 0)} : window.cut.apply(this, at) } }"
    )
    panel.drop("slow.bin", 4_000_000)
    panel.drop("quick.bin", 3_000)
    row = panel.root.locator(".aios3-nb-running", has_text="slow.bin")
    expect(row.get_by_role("progressbar")).to_be_visible()
    panel.row("quick.bin")
    panel.picture("browser-uploading")
    row.get_by_role("button", name="Cancel").click()
    panel.expect("s3://empty/slow.bin was not stored")
    assert stocked.store.keys("empty") == ["quick.bin"]
    book.page.evaluate("() => { File.prototype.slice = window.cut }")
    stocked.store.delete("empty", "quick.bin")


# ---- several of them, and what may happen to one


def test_two_views_of_one_panel_show_the_same_and_another_panel_its_own(book: Notebook) -> None:
    cell = book.add("twice = %s3browse s3://data/\ndisplay(twice)\ntwice")
    book.run(cell)
    views = book.cell(cell).locator(PANEL)
    expect(views).to_have_count(2)
    one, two = (Shown(book.page, views.nth(n)) for n in range(2))
    other = browse(book, "%s3browse s3://looks/")
    one.choose("config.json")
    expect(two.row("config.json")).to_have_attribute("aria-selected", "true")
    one.open("models/")
    two.row("2024/")
    other.row("bad.pkl")
    boxed = browse(book, "import ipywidgets\nipywidgets.VBox([ipywidgets.Label('above'), twice])")
    boxed.row("2024/")


def test_of_two_views_only_the_one_that_was_clicked_puts_code_into_a_cell(book: Notebook) -> None:
    cell = book.add("both = %s3browse s3://data/\ndisplay(both)\nboth")
    book.run(cell)
    views = book.cell(cell).locator(PANEL)
    expect(views).to_have_count(2)
    one, two = (Shown(book.page, views.nth(n)) for n in range(2))
    two.choose("config.json")
    expect(one.row("config.json")).to_have_attribute("aria-selected", "true")
    two.click("Insert code")
    # Both hear of it in the same moment.
    expect(two.root.locator(FLASH)).to_be_visible()
    assert one.root.locator(FLASH).count() == 0


def test_where_the_front_end_is_missing_a_listing_stands_in_its_place(lab: Lab, stocked: FaultServer) -> None:
    lab.page.route("**/extensions/anywidget/**", lambda route: route.abort())
    try:
        book = opened(lab, stocked)
        cell = book.add("%s3browse s3://data/")
        book.run(cell)
        expect(book.cell(cell)).to_contain_text("pip install anywidget")
        expect(book.cell(cell)).to_contain_text("config.json")
        assert book.cell(cell).locator(PANEL).count() == 0
        book.screenshot("browser-missing", cell=cell)
    finally:
        lab.page.unroute("**/extensions/anywidget/**")


def test_a_page_that_is_reloaded_while_a_cell_runs_shows_the_panel_again_where_it_was(
    lab: Lab, stocked: FaultServer
) -> None:
    """As soon as the cell is done: till then, JupyterLab itself asks in vain what widgets there are."""
    book = opened(lab, stocked)
    panel = browse(book, "%s3browse s3://data/")
    panel.open("models/")
    panel.row("2024/")
    book.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    busy = book.add("print('begun')\ntime.sleep(5)")
    book.start(busy)
    book.expect(busy, "begun")
    book.page.reload()
    again = Shown(book.page, book.page.locator(PANEL).first)
    again.row("2024/")
    again.click("Up")
    again.row("config.json")


@pytest.mark.parametrize("end", ["restart", "shutdown"])
def test_a_kernel_that_ended_is_said_to_be_gone(lab: Lab, stocked: FaultServer, end: str) -> None:
    book = opened(lab, stocked)
    panel = browse(book, "%s3browse s3://data/")
    panel.row("config.json")
    book.page.evaluate(f"window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.{end}()")
    if end == "restart":  # it is seen without a click
        expect(panel.root.locator(".aios3-nb-notice")).to_contain_text("kernel")
    book.page.wait_for_timeout(1500)
    panel.click("Refresh")
    expect(panel.root.locator(".aios3-nb-notice")).to_contain_text("is gone. Run the cell again")
    panel.picture(f"state-gone-{end}")
