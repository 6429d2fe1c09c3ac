"""Tables for notebooks: everything in them is text, and they say what the plain text says."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from aios3_nb.address import S3Uri
from aios3_nb.pipeline.peek import Peek, outline_pickle
from aios3_nb.s3 import Entry, Listing
from aios3_nb.settings import Settings
from aios3_nb.text import table_html
from tests.awkward import KEYS

HOSTILE = '<img src=x onerror="alert(1)">'


class Read(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("text", [HOSTILE, *KEYS])
def test_whatever_is_in_a_table_is_text(text: str) -> None:
    read = Read(table_html([(text, text)], head=(text, text), caption=text, note=text, kinds=["bad"]))
    assert read.tags <= {"div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td"}
    assert "".join(read.text) == text * 6


def test_a_listing_is_a_table_of_names_sizes_and_times() -> None:
    listing = Listing([Entry(S3Uri("b", f"d/{HOSTILE}"), 5), Entry(S3Uri("b", "d/sub/"))], complete=True)
    read = Read(listing._repr_html_())
    assert "img" not in read.tags
    assert f"d/{HOSTILE}" in read.text
    assert "5 B" in read.text


def test_a_look_marks_what_is_blocked_and_what_is_safe() -> None:
    data = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."
    outline = outline_pickle(lambda start, stop: data[start:stop], len(data))
    shown = Peek("s3://b/k", len(data), "", "CRC32", "pickle", "", len(data), 1, outline)._repr_html_()
    assert "--jp-error-color1" in shown
    assert "os.system" in shown
    assert "--jp-success-color1" not in shown


def test_settings_show_what_was_set_and_no_secret() -> None:
    shown = Settings(profile=HOSTILE, endpoint_url="https://user:secret@example.org")._repr_html_()
    read = Read(shown)
    assert HOSTILE in read.text
    assert "secret" not in shown
    assert shown.count("font-weight:600") == 2


def test_a_long_table_scrolls_within_its_cell_and_a_short_one_is_whole() -> None:
    entries = [Entry(S3Uri("b", f"{n}.json"), size=n) for n in range(1000)]
    long, short = Listing(entries)._repr_html_(), Listing(entries[:40])._repr_html_()
    assert "max-height:" in long
    assert "overflow:auto" in long
    assert "overflow" not in short
    assert long.count("<tr>") == 1001
    assert Read(long).tags == Read(short).tags
