"""The bucket browser in a page: a hand that uses it, whatever shows the page."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.lab import WAIT_SECONDS

ARTIFACTS = Path(__file__).parent.parent / "artifacts"
PANEL = ".aios3-nb-panel"


class Shown:
    """One panel that a page shows.

    Attributes:
        root: The panel.
        grid: The list in it.
    """

    def __init__(self, page: Page, root: Locator) -> None:
        self.page = page
        self.root = root
        self.grid = root.locator("[role=grid]")
        expect(root).to_be_visible()
        root.scroll_into_view_if_needed()

    @property
    def rows(self) -> list[str]:
        """The names in sight, from above; those that have come."""
        return [
            text
            for text in self.root.locator(".aios3-nb-row").evaluate_all(
                "rows => rows.sort((a, b) => a.dataset.at - b.dataset.at)"
                ".map(row => row.querySelector('.aios3-nb-name-text')?.title ?? '')"
            )
            if text
        ]

    @property
    def chosen(self) -> list[str]:
        return self.root.locator(".aios3-nb-row[aria-selected=true] .aios3-nb-name-text").evaluate_all(
            "names => names.map(name => name.title)"
        )

    def row(self, name: str) -> Locator:
        row = self.root.locator(f".aios3-nb-row:has(.aios3-nb-name-text[title={json.dumps(name)}])")
        expect(row).to_be_visible()
        return row

    def choose(self, name: str, **options: Any) -> None:
        self.row(name).click(**options)

    def open(self, name: str) -> None:
        self.row(name).dblclick()

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def click(self, name: str) -> None:
        self.button(name).click()

    def go(self, address: str) -> None:
        self.click("Type an address")
        field = self.root.get_by_label("Address", exact=True)
        field.fill(address)
        field.press("Enter")

    def at_once(self, script: str) -> None:
        """Do what `script` says in one go: the kernel can answer only when all of it is done.

        It has ``grid``, ``row(name)`` and ``titled(beginning)``, and ``key(element, key, options)`` and
        ``type(field, text)`` to be called.
        """
        self.root.evaluate(
            """(root, script) => {
                const all = selector => [...root.querySelectorAll(selector)];
                const tools = {
                    root,
                    grid: root.querySelector("[role=grid]"),
                    row: name => all(".aios3-nb-name-text").find(each => each.title === name).closest("[role=row]"),
                    titled: text => all("[title]").find(each => each.title.startsWith(text)),
                    key: (element, key, options) => element.dispatchEvent(
                        new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true, ...options})),
                    type: (field, text) => {
                        field.value = text;
                        field.dispatchEvent(new Event("input", {bubbles: true}));
                    },
                };
                new Function(...Object.keys(tools), script)(...Object.values(tools));
            }""",
            script,
        )

    def expect(self, text: str) -> None:
        expect(self.root).to_contain_text(text)

    def expect_rows(self, *names: str) -> None:
        """Return when these are the rows in sight."""
        self.until(lambda: self.rows == list(names), lambda: self.rows)

    def expect_copied(self, text: str, *, begins: str = "") -> None:
        """Return when the clipboard has `text`, behind something that `begins` so if that is given.

        A function for `wait_for_function` cannot say so: what it promises counts as true at once.
        """
        read = "navigator.clipboard.readText()"
        seen = partial(self.page.evaluate, read)
        self.until(lambda: (text in seen() and seen().startswith(begins)) if begins else seen() == text, seen)

    def until(self, holds: Callable[[], bool], seen: Callable[[], Any]) -> None:
        """Return when it holds; else an error tells what is to be seen instead."""
        end = time.monotonic() + WAIT_SECONDS
        while not holds():
            assert time.monotonic() < end, seen()
            self.page.wait_for_timeout(50)

    @property
    def status(self) -> Locator:
        return self.root.locator(".aios3-nb-status")

    @property
    def preview(self) -> Locator:
        return self.root.locator(".aios3-nb-preview")

    def picture(self, name: str) -> None:
        self.page.wait_for_timeout(250)
        ARTIFACTS.mkdir(exist_ok=True)
        self.root.screenshot(path=ARTIFACTS / f"{name}.png")

    def boxes(self, *selectors: str) -> list[dict[str, float]]:
        """Return where parts stand, all at one moment: the page may scroll between two."""
        read = "(root, all) => all.map(each => root.querySelector(each).getBoundingClientRect().toJSON())"
        return list(self.root.evaluate(read, selectors))

    def check_accessible(self) -> None:
        """Have axe-core look at the panel: names, roles, contrast."""
        check_accessible(self.page, self.root)

    def drop(self, name: str, size: int) -> None:
        """Drop a file from the desktop on the list, `size` bytes of it."""
        self.root.evaluate(
            """(root, [name, size]) => {
                const bytes = new Uint8Array(size).map((_, at) => at % 251);
                const data = new DataTransfer();
                data.items.add(new File([bytes], name));
                for (const kind of ['dragenter', 'dragover', 'drop']) {
                    const event = new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
                    root.querySelector('[role=grid]').dispatchEvent(event);
                }
            }""",
            [name, size],
        )


def check_accessible(page: Page, part: Locator) -> None:
    """Have axe-core look at `part` of the page."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = part.evaluate(
        "root => axe.run(root, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'],"
        " rules: {region: {enabled: false}, 'heading-order': {enabled: false}}})"
    )
    broken = [
        (rule["id"], rule["help"], [node["html"][:300] + node["failureSummary"] for node in rule["nodes"]][:4])
        for rule in found["violations"]
    ]
    assert not broken, broken
    assert found["passes"]
