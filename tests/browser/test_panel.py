"""The kernel's side of the bucket browser, told what a page would tell, against a server that misbehaves as told."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

import aios3_nb
from aios3_nb import settings
from aios3_nb.address import S3Uri
from aios3_nb.browser.browser import S3Browser
from aios3_nb.browser.model import Question
from aios3_nb.browser.objects import PREVIEW
from aios3_nb.browser.uploads import PIECE
from aios3_nb.errors import OptionError, UriError
from aios3_nb.loop import background
from aios3_nb.text import is_visible
from tests.awkward import KEYS
from tests.browser.stock import BAD
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.faults.store import StoredObject

WAIT = 60.0


class Shell:
    """What the panel needs of IPython's shell."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}

    def push(self, variables: dict[str, Any]) -> None:
        self.user_ns.update(variables)


@pytest.fixture(scope="module")
def one_server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def faulty(one_server: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FaultServer:
    """An empty server, an empty folder to work in, and a shell."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.chdir(tmp_path)
    settings.set_session(endpoint_url=one_server.url, region="us-east-1", retry_wait=0.01)
    one_server.store.versions.clear()
    one_server.store.buckets.clear()
    one_server.reset()
    return one_server


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell()
    monkeypatch.setattr("aios3_nb.browser.browser._shell", lambda: made)
    return made


class Driver:
    """A panel, and a page that shows it: what it is told by messages, and what it asks for."""

    def __init__(self, browser: S3Browser) -> None:
        self.browser = browser
        self.told: list[tuple[dict[str, Any], list[bytes]]] = []
        self.files: dict[int, bytes] = {}
        self.number = 0
        browser.send = self._told  # what would go over the wire

    def _told(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.told.append((content, buffers or []))
        if content["is"] == "piece" and content["file"] in self.files:
            data = self.files[content["file"]][content["at"] : content["at"] + content["size"]]
            threading.Thread(target=self.do, args=("piece",), kwargs=self._piece(content, data)).start()

    @staticmethod
    def _piece(content: dict[str, Any], data: bytes) -> dict[str, Any]:
        return {"file": content["file"], "at": content["at"], "buffers": [memoryview(data)]}

    def do(self, what: str, buffers: Any = (), **fields: Any) -> None:
        self.number += 1
        if what in ("crumb", "upload", "path"):
            fields = {"place": self.browser._place["number"], **fields}
        self.browser._handle_custom_msg({**fields, "do": what, "n": self.number}, list(buffers))

    def ask(self, what: str, **fields: Any) -> list[str]:
        """Ask for something, and return the names once all is done."""
        self.do(what, **fields)
        return self.listed()

    def until(self, holds: Callable[[], Any]) -> Any:
        end = time.monotonic() + WAIT
        while not (found := holds()):
            assert time.monotonic() < end, (self.status, self.cards, self.names)
            time.sleep(0.005)
        return found

    @property
    def listing(self) -> dict[str, Any]:
        return self.browser._listing

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.browser._desk.lists.contents.rows()]

    @property
    def status(self) -> str:
        return str(self.listing.get("text"))

    @property
    def cards(self) -> list[dict[str, Any]]:
        return list(self.browser._cards)

    @property
    def said(self) -> str:
        return "\n".join(card["text"] for card in self.cards if card["kind"] != "running")

    @property
    def questions(self) -> list[dict[str, Any]]:
        return [card for card in self.cards if card["kind"] == "question"]

    def listed(self) -> list[str]:
        """Return the names once nothing is under way but questions."""
        self.until(lambda: len(self.browser._under_way) == len(self.questions) and not self.listing["busy"])
        return self.names

    def choose(self, *names: str) -> None:
        rows = [self.names.index(name) for name in names]
        self.do("choose", edition=self.listing["edition"], ranges=[[row, row + 1] for row in rows], lead=rows[-1])

    def open(self, name: str) -> list[str]:
        return self.ask("open", edition=self.listing["edition"], row=self.names.index(name))

    def answer(self, *, yes: bool) -> list[str]:
        return self.ask("answer", card=self.questions[0]["id"], yes=yes)

    def last(self, kind: str) -> tuple[dict[str, Any], list[bytes]]:
        return next(each for each in reversed(self.told) if each[0]["is"] == kind)

    @property
    def preview(self) -> dict[str, Any]:
        return self.last("preview")[0]["preview"]

    def send(self, files: dict[str, bytes]) -> list[str]:
        for name, data in files.items():
            number = 100 + len(self.files)
            self.files[number] = data
            self.do("upload", file=number, name=name, size=len(data))
        return self.listed()


@pytest.fixture
def browse(faulty: FaultServer, shell: Shell) -> Iterator[Callable[..., Driver]]:
    opened = []

    def make(uri: str | None = None, **options: Any) -> Driver:
        opened.append(Driver(aios3_nb.browse(uri, **options)))
        return opened[-1]

    yield make
    for driver in opened:
        driver.browser.close()


# ---- going about


def test_a_folder_is_one_request_and_opening_one_another(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "models/model.pkl", b"x")
    faulty.put("bkt", "a.json", b"{}")
    driver = browse("s3://bkt/")
    assert driver.listed() == ["models/", "a.json"]
    assert len(faulty.requests) == 1
    assert driver.open("models/") == ["model.pkl"]
    assert len(faulty.requests) == 2
    assert driver.browser.where == S3Uri("bkt", "models/")
    assert [crumb["name"] for crumb in driver.browser._place["crumbs"]] == ["Buckets", "bkt", "models"]
    assert driver.ask("crumb", at=1) == ["models/", "a.json"]
    assert driver.ask("crumb", at=0) == ["bkt/"]
    assert driver.ask("back") == ["models/", "a.json"]
    assert driver.ask("back") == ["model.pkl"]
    assert driver.ask("up") == ["models/", "a.json"]


def test_choosing_tells_who_observes_on_the_thread_of_the_choice(faulty: FaultServer, browse: Any) -> None:
    """An observer may load: on the background loop it could not."""
    faulty.put("bkt", "a.json", b"[1, 2]")
    driver = browse("s3://bkt/")
    driver.listed()
    seen: list[Any] = []

    def on_selected(change: Any) -> None:
        seen.append((change.new, threading.current_thread(), change.new and aios3_nb.load(str(change.new))))

    driver.browser.observe(on_selected, "selected")
    driver.choose("a.json")
    assert driver.browser.selected == S3Uri("bkt", "a.json")
    assert seen == [(S3Uri("bkt", "a.json"), threading.current_thread(), [1, 2])]
    driver.ask("refresh")
    assert driver.browser.selected is None


def test_denied_buckets_leave_a_field_to_type_one(faulty: FaultServer, browse: Any) -> None:
    faulty.put("mine", "dir/a.json", b"{}")
    faulty.fault(Kind.STATUS, key="", status=403, code="AccessDenied")
    driver = browse()
    driver.listed()
    assert driver.status.startswith("These credentials may not list buckets")
    assert driver.ask("go", text="mine/dir") == ["a.json"]
    assert driver.browser.where == S3Uri("mine", "dir/")


def test_a_denied_folder_says_so_and_the_way_up_still_works(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "open/a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    faulty.fault(Kind.STATUS, key="", status=403, code="AccessDenied")
    driver.ask("go", text="s3://bkt/secret/")
    assert "Access denied: s3://bkt/secret/" in driver.status
    assert driver.listing["state"] == "denied"
    assert driver.ask("up") == ["open/"]


def test_what_was_typed_wrongly_is_explained(faulty: FaultServer, browse: Any) -> None:
    driver = browse("s3://bkt/")
    driver.listed()
    driver.do("go", text="ftp://x/y")
    assert "ftp:// is not read here" in driver.said
    driver.do("connect", profile="", endpoint="localhost:9000")
    assert "An endpoint is a URL" in driver.said
    with pytest.raises(UriError):
        browse("ftp://x/y")
    with pytest.raises(OptionError):
        browse("s3://bkt/", height=5)


def test_the_same_address_again_lists_again(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    faulty.put("bkt", "b", b"x")
    assert driver.ask("go", text="s3://bkt/") == ["a", "b"]


def test_a_hundred_thousand_keys_come_page_by_page_before_the_end_is_reached(faulty: FaultServer, browse: Any) -> None:
    fill(faulty, 100_000)
    driver = browse("s3://many/")
    assert len(driver.listed()) == 1000
    assert len(faulty.requests) == 1
    assert "1,000 entries so far" in driver.status
    edition = driver.listing["edition"]
    driver.ask("rows", edition=edition, **{"from": 0, "to": 100})
    assert len(driver.last("rows")[0]["rows"]) == 100
    assert len(faulty.requests) == 1
    assert len(driver.ask("rows", edition=edition, **{"from": 700, "to": 800})) == 2000
    assert len(faulty.requests) == 2
    assert driver.listing["edition"] == edition
    assert len(driver.ask("rows", edition=edition - 1, **{"from": 1900, "to": 2000})) == 2000


def test_the_first_rows_come_with_the_listing_and_only_once(faulty: FaultServer, browse: Any) -> None:
    """A page need not ask for them, which would take a round trip more."""
    fill(faulty, 1_500)
    driver = browse("s3://many/")
    driver.listed()
    assert [row[1] for row in driver.listing["head"]] == driver.names[:100]
    driver.ask("more")
    assert driver.listing["head"] == []
    driver.ask("sort", column="name")
    assert [row[1] for row in driver.listing["head"]] == driver.names[:100]
    assert driver.names[0] == "part-001499.pkl"


def test_all_of_a_listing_can_be_asked_for_and_stopped(faulty: FaultServer, browse: Any) -> None:
    fill(faulty, 5_500)
    driver = browse("s3://many/")
    driver.listed()
    held = hold(faulty, "", first=3)
    driver.do("all")
    driver.until(lambda: len(driver.names) > 2000)
    driver.do("stop")
    held.set()
    driver.listed()
    assert 2000 < len(driver.names) < 5500
    assert driver.listing["can_go_on"]
    assert len(driver.ask("all")) == 5500
    assert driver.status == "5,500 entries."
    assert len(faulty.requests) <= 8


def test_a_filter_searches_all_keys_and_not_the_rows_on_screen(faulty: FaultServer, browse: Any) -> None:
    fill(faulty, 21_000)
    driver = browse("s3://many/")
    driver.listed()
    assert driver.ask("filter", text="part-02099", contains=False)[-1] == "part-020999.pkl"
    assert len(faulty.requests) == 2
    driver.ask("filter", text="20999", contains=False)
    assert "Nothing in s3://many/, names that begin with '20999'" in driver.status
    assert driver.ask("filter", text="20999", contains=True) == []
    assert "Looked at 20,000 keys for '20999': none has it. Search on" in driver.status
    assert driver.listing["can_go_on"]
    assert driver.ask("more") == ["part-020999.pkl"]
    assert "1 found, all there are" in driver.status


def test_a_search_can_be_stopped_and_keeps_what_it_found(faulty: FaultServer, browse: Any) -> None:
    fill(faulty, 9_000)
    driver = browse("s3://many/")
    driver.listed()
    held = hold(faulty, "", first=3)
    driver.do("filter", text="00007", contains=True)
    driver.until(lambda: 0 < len(driver.names) < 1000 and driver.listing["busy"])  # those found, not all of before
    driver.do("stop")
    held.set()
    assert driver.listed()
    assert len(faulty.requests) < 8
    assert driver.listing["can_go_on"]


def test_an_answer_that_comes_too_late_changes_nothing(faulty: FaultServer, browse: Any) -> None:
    faulty.put("slow", "slow.pkl", b"x")
    faulty.put("fast", "fast.pkl", b"x")
    held = hold(faulty, "", times=1)
    driver = browse("s3://slow/")
    driver.until(lambda: faulty.requests)
    driver.browser.go("s3://fast/")
    driver.until(lambda: driver.names == ["fast.pkl"])
    held.set()
    assert driver.listed() == ["fast.pkl"]
    assert driver.browser.where == S3Uri("fast")


def test_a_row_that_is_chosen_stays_chosen_while_a_search_adds_rows(faulty: FaultServer, browse: Any) -> None:
    fill(faulty, 5_000)
    held = hold(faulty, "", first=3)
    driver = browse("s3://many/")
    driver.listed()
    driver.do("filter", text="500.pkl", contains=True)
    driver.until(lambda: driver.listing["is_search"] and driver.listing["busy"] and driver.names)
    driver.choose("part-000500.pkl")
    held.set()
    assert len(driver.listed()) == 5
    assert driver.browser._chosen["at"] == 0
    assert driver.browser.selected == S3Uri("many", "part-000500.pkl")


def test_a_chosen_row_is_followed_when_folders_come_before_it(faulty: FaultServer, browse: Any) -> None:
    for n in range(1000):
        faulty.put("bkt", f"a{n:04}", b"x")
    faulty.put("bkt", "folder/x", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a0005")
    assert driver.ask("more")[0] == "folder/"
    assert driver.browser._chosen["at"] == 6
    assert driver.browser._chosen["edition"] == driver.listing["edition"]
    assert driver.browser.selected == S3Uri("bkt", "a0005")


def test_the_profiles_and_the_endpoint_are_shown_and_can_be_switched(
    faulty: FaultServer, browse: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile other]\naws_access_key_id = k\naws_secret_access_key = s\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    faulty.put("bkt", "a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    assert driver.browser._connection["endpoint"] == faulty.url
    assert driver.browser._connection["profiles"] == ["other"]
    assert driver.ask("connect", profile="other", endpoint=faulty.url) == ["a"]
    assert "Credential=k/" in faulty.requests[-1].headers["authorization"]
    with FaultServer() as another:
        another.put("there", "b", b"x")
        assert driver.ask("connect", profile="other", endpoint=another.url) == ["there/"]


# ---- a page, or a kernel, that is not so far yet


@contextlib.contextmanager
def slow_kernel() -> Iterator[None]:
    """Let what is asked for be heard meanwhile, and done later."""
    go_on = threading.Event()
    background().loop.call_soon_threadsafe(go_on.wait, WAIT)
    try:
        yield
    finally:
        go_on.set()


def test_what_is_asked_for_builds_on_what_was_asked_for_before_and_not_on_what_is_done(
    faulty: FaultServer, browse: Any
) -> None:
    faulty.put("bkt", "a/x", b"x")
    faulty.put("bkt", "b/y", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    with slow_kernel():
        driver.do("go", text="s3://bkt/a/")
        driver.do("refresh")
        driver.do("filter", text="zzz", contains=False)
        driver.do("filter", text="", contains=False)
    assert driver.listed() == ["x"]
    with slow_kernel():
        driver.do("go", text="b")  # the slash is missing: the answer would go there
        driver.do("go", text="s3://bkt/b/")
        driver.do("go", text="s3://bkt/")
    assert driver.listed() == ["a/", "b/"]
    assert driver.browser.where == S3Uri("bkt")
    assert driver.ask("back") == ["y"]


def test_each_click_on_a_head_turns_the_order_however_soon_it_comes(faulty: FaultServer, browse: Any) -> None:
    for size in (2, 3, 1):
        faulty.put("bkt", f"{size}", bytes(size))
    driver = browse("s3://bkt/")
    driver.listed()
    assert driver.ask("sort", column="size") == ["3", "2", "1"]
    with slow_kernel():
        driver.do("sort", column="name")
        driver.do("sort", column="name")
    assert driver.listed() == ["3", "2", "1"]
    assert driver.ask("sort", column="name") == ["1", "2", "3"]


def test_a_page_acts_on_the_place_that_it_shows(faulty: FaultServer, browse: Any, tmp_path: Path) -> None:
    faulty.put("bkt", "a/x/y", b"x")
    faulty.put("other", "b/c/d", b"x")
    (tmp_path / "beside.txt").write_bytes(b"beside")
    driver = browse("s3://bkt/a/x/")
    driver.listed()
    shown = driver.browser._place["number"]
    driver.ask("go", text="s3://other/b/c/")
    driver.files[7] = b"dropped"
    driver.ask("upload", place=shown, file=7, name="dropped.txt", size=7)
    driver.ask("path", place=shown, text="beside.txt")
    assert faulty.store.keys("bkt") == ["a/x/beside.txt", "a/x/dropped.txt", "a/x/y"]
    assert driver.names == ["d"]
    assert driver.ask("crumb", place=shown, at=2) == ["x/"]
    assert driver.browser.where == S3Uri("bkt", "a/")


def test_a_choice_among_rows_that_have_moved_is_none_and_nothing_is_done_with_the_one_before(
    faulty: FaultServer, browse: Any, shell: Shell
) -> None:
    for key in ("a.json", "b.json"):
        faulty.put("bkt", key, b"[1]")
    driver = browse("s3://bkt/")
    driver.listed()
    before = driver.listing["edition"]
    driver.choose("a.json")
    driver.ask("sort", column="size")
    assert driver.browser.selected == S3Uri("bkt", "a.json")
    driver.do("choose", edition=before, ranges=[[1, 2]], lead=1)
    assert driver.browser._chosen["count"] == 0
    assert driver.browser._chosen["answers"] == driver.number
    driver.ask("load", name="mine")
    assert shell.user_ns == {}


def test_the_page_is_told_that_nothing_is_found_or_that_the_rows_are_others(faulty: FaultServer, browse: Any) -> None:
    """It may have been told to go on from there."""
    faulty.put("bkt", "a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    for edition, text, row in ((0, "a", 0), (0, "b", None), (1, "a", None)):
        edition += driver.listing["edition"]
        driver.ask("find", edition=edition, text=text, **{"from": 0})
        assert driver.last("found")[0] == {"is": "found", "edition": edition, "row": row, "answers": driver.number}


# ---- looking inside


def test_a_look_inside_is_bounded_and_shows_what_s3_knows(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a.json", json.dumps({"a": ["<b>", 2]}).encode(), checksum="crc32", version_id="v7")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a.json")
    assert ("object", "s3://bkt/a.json") in driver.browser._chosen["pairs"]
    assert len(faulty.requests) == 1
    driver.ask("look", by_itself=False)
    assert sorted(request.method for request in faulty.requests[1:]) == ["GET", "HEAD"]
    assert ("version", "v7") in driver.browser._chosen["pairs"]
    assert ("checked by", "CRC32") in driver.browser._chosen["pairs"]
    assert driver.preview["tree"] == [
        "",
        "object",
        "1 key",
        [["a", "array", "2 items", [["", "string", "<b>", None], ["", "number", "2", None]]]],
    ]


def test_a_look_into_a_pickle_shows_what_it_imports_and_runs_none_of_it(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "bad.pkl", BAD)
    driver = browse("s3://bkt/")
    driver.listed()
    driver.open("bad.pkl")
    assert "Nothing of it was run" in driver.preview["title"]
    assert driver.preview["verdict"] == "bad"
    assert any("os.system" in value for _, value in driver.preview["pairs"])
    # Loading is off, and the way on is there, one that works: no --allow lifts this name.
    assert driver.browser._chosen["blocked"] == "bad = %s3load s3://bkt/bad.pkl --trust"


@pytest.mark.parametrize("rows", [3, 300_000])
@pytest.mark.parametrize("by_itself", [True, False])
def test_a_look_into_parquet_shows_its_first_rows_and_by_itself_fetches_little(
    faulty: FaultServer, browse: Any, rows: int, by_itself: bool
) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    values = np.random.default_rng(0).random(rows)
    texts = [f"\x1b{n}" for n in range(rows)]
    pq.write_table(pa.table({"<b>": texts, "value": values, "again": values[::-1]}), file)
    faulty.put("bkt", "t.parquet", file.getvalue())
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("t.parquet")
    driver.ask("look", by_itself=by_itself)
    assert f"{rows:,} rows, 3 columns" in driver.preview["title"]
    has_rows = rows == 3 or not by_itself
    assert bool(driver.preview["table"]) == has_rows
    if has_rows:
        assert driver.preview["table"][0] == ["<b>", "value", "again"]
        assert driver.preview["table"][3][0] == "\\x1b2"
        assert driver.preview["types"] == ["string", "double", "double"]
    else:
        assert ["<b>", "string"] in driver.preview["pairs"]
        assert "Press Preview" in driver.preview["note"]
    fetched = sum(min(stop, len(file.getvalue())) - start for start, stop in faulty.gets("t.parquet"))
    assert fetched <= (PREVIEW + 1024 if by_itself else len(file.getvalue()) + PREVIEW)


def test_first_rows_of_a_large_parquet_file_are_its_first_pages(faulty: FaultServer, browse: Any) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pa.table({"value": np.random.default_rng(0).random(3_000_000)}), file, use_dictionary=False)
    faulty.put("bkt", "t.parquet", file.getvalue())
    driver = browse("s3://bkt/")
    driver.listed()
    driver.open("t.parquet")
    assert len(driver.preview["table"]) == 51
    fetched = sum(min(stop, len(file.getvalue())) - start for start, stop in faulty.gets("t.parquet"))
    assert fetched < len(file.getvalue()) / 8


def test_a_look_of_one_row_is_not_shown_beside_another(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a.txt", b"slow")
    faulty.put("bkt", "b.txt", b"quick")
    driver = browse("s3://bkt/")
    driver.listed()
    held = hold(faulty, "a.txt")
    driver.choose("a.txt")
    driver.do("look", by_itself=False)
    driver.until(lambda: faulty.gets("a.txt"))
    driver.choose("b.txt")
    driver.do("look", by_itself=False)
    driver.until(lambda: driver.preview and driver.preview["text"] == "quick")
    held.set()
    driver.until(lambda: all(request.done for request in faulty.requests))
    driver.listed()
    assert driver.preview["text"] == "quick"
    assert [each["preview"]["text"] for each, _ in driver.told if each["is"] == "preview" and each["preview"]] == [
        "quick"
    ]
    held = hold(faulty, "a.txt")
    driver.choose("a.txt")
    driver.do("look", by_itself=False)
    driver.until(lambda: driver.told[-1][0]["is"] == "looking")
    driver.choose("b.txt")
    assert driver.told[-1][0] == {"is": "preview", "preview": None}  # it does not look inside for ever
    held.set()


def test_a_failed_look_is_said_where_the_preview_would_be(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a.txt", b"x")
    faulty.put("bkt", "b.txt", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    faulty.store.delete("bkt", "a.txt")
    driver.open("a.txt")
    assert "No such object: s3://bkt/a.txt" in driver.last("preview")[0]["error"]
    driver.choose("b.txt")
    assert driver.last("preview")[0] == {"is": "preview", "preview": None}


# ---- acting on what is chosen


def test_a_load_binds_the_proposed_name(faulty: FaultServer, browse: Any, shell: Shell) -> None:
    faulty.put("bkt", "my-model v2.pkl", pickle.dumps([1, 2]), checksum="crc32")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("my-model v2.pkl")
    assert driver.browser._chosen["variable"] == "my_model_v2"
    driver.ask("load", name="my_model_v2")
    assert shell.user_ns == {"my_model_v2": [1, 2]}
    assert "my_model_v2 is a list of 2. my-model v2.pkl: " in driver.said
    assert "CRC32 ok" in driver.said
    assert driver.cards[0]["lines"] == ["[1, 2]"]
    driver.ask("load", name="not a name")
    assert "no name of a variable" in driver.said


def test_a_load_without_a_name_binds_one_of_the_objects_own(faulty: FaultServer, browse: Any, shell: Shell) -> None:
    for key in ("a.json", "a.txt"):
        faulty.put("bkt", key, b"[1]")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a.json")
    driver.ask("load", name="")
    assert shell.user_ns == {"a": [1]}
    driver.choose("a.json", "a.txt")
    driver.ask("code", name="")  # two in a row would else load into one variable
    assert driver.told[-1][0]["text"] == "a = %s3load s3://bkt/a.json\na_2 = %s3load s3://bkt/a.txt"


@pytest.mark.parametrize("action", ["load", "file"])
def test_a_variable_is_replaced_only_when_that_is_wanted(
    faulty: FaultServer, browse: Any, shell: Shell, action: str
) -> None:
    faulty.put("bkt", "a.json", b"[1, 2]")
    shell.user_ns["a"] = "mine"
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a.json")
    driver.ask(action, name="a")
    assert driver.questions[0]["text"] == "a is a variable already, a str of length 4. Replace it?"
    driver.answer(yes=False)
    assert shell.user_ns["a"] == "mine"
    assert driver.cards == []
    driver.ask(action, name="a")
    driver.answer(yes=True)
    assert shell.user_ns["a"] != "mine"


def test_several_are_loaded_each_into_a_name_of_its_own(faulty: FaultServer, browse: Any, shell: Shell) -> None:
    for key in ("a.json", "a.pkl", "b.json"):
        faulty.put("bkt", key, b"[1]" if key.endswith("json") else pickle.dumps([2]))
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a.json", "a.pkl", "b.json")
    assert driver.browser._chosen["count"] == 3
    driver.ask("load", name="ignored")
    assert shell.user_ns == {"a": [1], "a_2": [2], "b": [1]} or shell.user_ns == {"a": [2], "a_2": [1], "b": [1]}
    driver.do("copy")
    assert driver.last("copied")[0]["text"].splitlines() == ["s3://bkt/a.json", "s3://bkt/a.pkl", "s3://bkt/b.json"]
    assert driver.last("copied")[0]["answers"] == driver.number  # other pages that show the panel hear of it, too


def test_a_link_is_for_the_page_alone_and_reads_the_object(faulty: FaultServer, browse: Any) -> None:
    """What stays in the panel's state is saved with the notebook."""
    for key in ("a b.json", "c.json", "folder/d"):
        faulty.put("bkt", key, key.encode())
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("folder/", "a b.json", "c.json")
    driver.ask("sign")
    links = driver.last("copied")[0]["text"].splitlines()
    assert driver.last("copied")[0]["answers"] == driver.number
    assert [urllib.request.urlopen(link).read() for link in links] == [b"a b.json", b"c.json"]
    assert all("X-Amz-Expires=3600" in link for link in links)
    assert "X-Amz" not in str(driver.browser.get_state())
    told = len(driver.told)
    driver.choose("folder/")
    driver.ask("sign")
    assert "copied" not in {content["is"] for content, _ in driver.told[told:]}


def test_a_pickle_that_would_run_something_is_refused_with_the_ways_on(
    faulty: FaultServer, browse: Any, shell: Shell
) -> None:
    faulty.put("bkt", "bad.pkl", BAD)
    faulty.put("bkt", "other.json", b"[]")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("bad.pkl")
    driver.ask("load", name="bad")
    assert shell.user_ns == {}
    assert "system" in driver.said
    assert "nothing of it was run" in driver.said
    assert driver.cards[0]["code"] == "bad = %s3load s3://bkt/bad.pkl --trust"
    driver.choose("other.json")
    assert driver.cards == []


def test_each_load_has_a_row_that_goes_when_it_is_done_and_a_cancel_of_its_own(
    faulty: FaultServer, browse: Any, shell: Shell
) -> None:
    blocks = pickle.dumps([bytes([n]) * 1_000_000 for n in range(12)])
    for key in ("a.pkl", "b.pkl", "c.pkl"):
        faulty.put("bkt", key, blocks)
    driver = browse("s3://bkt/")
    driver.listed()
    hold(faulty, "a.pkl")
    held = hold(faulty, "b.pkl")
    driver.choose("a.pkl", "b.pkl")
    driver.do("load", name="")
    rows = driver.until(
        lambda: (
            {c["name"]: c["id"] for c in driver.cards if c["kind"] == "running"} | {}
            if len([c for c in driver.cards if c["kind"] == "running"]) == 2
            else None
        )
    )
    driver.do("cancel", card=rows["a.pkl"])
    held.set()
    driver.listed()
    assert list(shell.user_ns) == ["b"]
    assert [card["kind"] for card in driver.cards].count("running") == 0
    assert len(driver.cards) == 2
    assert "a.pkl" in next(card["text"] for card in driver.cards if card["kind"] == "note")


def test_a_file_can_be_opened_and_fetches_nothing_yet(faulty: FaultServer, browse: Any, shell: Shell) -> None:
    faulty.put("bkt", "t.csv", b"a,b\n")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("t.csv")
    driver.ask("file", name="t")
    assert faulty.gets("t.csv") == []
    assert shell.user_ns["t"].read() == b"a,b\n"


def test_a_download_lands_in_the_notebooks_folder(faulty: FaultServer, browse: Any, tmp_path: Path) -> None:
    faulty.put("bkt", "../../evil.txt", b"text")
    driver = browse()
    driver.browser._desk.lists.ask(Question(S3Uri("bkt", "../../")))
    driver.listed()
    driver.choose("evil.txt")
    driver.ask("download")
    assert [path.name for path in tmp_path.iterdir()] == ["evil.txt"]
    assert "Saved as evil.txt" in driver.said
    for name in ("a", "b", "c"):
        faulty.put("three", name, name.encode())
    driver.ask("go", text="s3://three/")
    driver.choose("a", "c")
    driver.ask("download")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c", "evil.txt"]


def test_a_deletion_asks_first_and_names_the_object(faulty: FaultServer, browse: Any) -> None:
    for key in ("a", "b", "c", "d"):
        faulty.put("bkt", key, b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a")
    driver.ask("delete")
    assert "Delete s3://bkt/a?" in driver.questions[0]["text"]
    asked = driver.questions[0]["id"]
    driver.choose("b")
    driver.listed()
    assert driver.questions == []
    driver.ask("answer", card=asked, yes=True)  # a click that was on its way
    assert faulty.store.keys("bkt") == ["a", "b", "c", "d"]
    driver.ask("delete")
    driver.answer(yes=False)
    assert driver.questions == []
    driver.ask("delete")
    assert driver.answer(yes=True) == ["a", "c", "d"]
    assert faulty.store.keys("bkt") == ["a", "c", "d"]
    assert driver.browser.selected is None
    driver.choose("a", "d")
    driver.ask("delete")
    assert driver.questions[0]["text"].startswith("Delete 2 objects: a, d?")
    assert driver.answer(yes=True) == ["c"]


def test_an_upload_asks_before_it_replaces(faulty: FaultServer, browse: Any, tmp_path: Path) -> None:
    faulty.put("bkt", "dir/there.txt", b"old")
    (tmp_path / "large.bin").write_bytes(b"large")
    driver = browse("s3://bkt/dir/")
    driver.listed()
    driver.send({"../new <b>.txt": b"new", "there.txt": b"newer", "empty": b""})
    assert driver.listed() == ["empty", "new <b>.txt", "there.txt"]
    assert faulty.store.find("bkt", "dir/there.txt").data == b"old"
    assert "There is already s3://bkt/dir/there.txt" in driver.questions[0]["text"]
    driver.choose("empty")
    assert driver.questions
    driver.answer(yes=True)
    assert faulty.store.find("bkt", "dir/there.txt").data == b"newer"
    assert driver.ask("path", text="large.bin")[1:2] == ["large.bin"]
    driver.do("path", text="absent")
    assert "Cannot read" in driver.said


def test_a_file_of_the_page_goes_up_in_pieces_and_is_asked_for_as_there_is_room(
    s3: Any, bucket: str, shell: Shell, tmp_path: Path
) -> None:
    """Core FileUpload loses what is above 10 MB without a word."""
    driver = Driver(aios3_nb.browse(f"s3://{bucket}/up/"))
    try:
        driver.listed()
        body = bytes(range(256)) * 60_001
        driver.send({"large.bin": body})
        driver.until(lambda: driver.names == ["large.bin"])
        assert s3.get_object(Bucket=bucket, Key="up/large.bin")["Body"].read() == body
        known = s3.head_object(Bucket=bucket, Key="up/large.bin", ChecksumMode="ENABLED")
        assert (known["ChecksumType"], len(known["ChecksumCRC64NVME"])) == ("FULL_OBJECT", 12)
        asked = [each["at"] for each, _ in driver.told if each["is"] == "piece"]
        assert asked == list(range(0, len(body), PIECE))
        assert driver.last("taken")[0]["file"] == 100
    finally:
        driver.browser.close()


def test_pieces_of_a_file_may_come_in_any_order(faulty: FaultServer, browse: Any) -> None:
    """A page reads several at once, and sends each when it has it."""
    faulty.put("bkt", "a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    body = bytes(range(256)) * (4 * PIECE // 256)
    driver.do("upload", file=7, name="b.bin", size=len(body))
    asked = driver.until(lambda: [each["at"] for each, _ in driver.told if each["is"] == "piece"][3:] and driver.told)
    places = [each["at"] for each, _ in asked if each["is"] == "piece"]
    for at in [10**6 + 1, *reversed(places)]:  # one that nobody has asked for, too
        driver.do("piece", file=7, at=at, buffers=[memoryview(body[at : at + PIECE])])
    driver.until(lambda: driver.names == ["a", "b.bin"])
    assert faulty.store.find("bkt", "b.bin").data == body


def test_an_upload_can_be_cancelled_and_stores_nothing(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.do("upload", file=7, name="never.bin", size=50_000_000)  # no piece of it ever comes
    card = driver.until(lambda: next((c for c in driver.cards if c["kind"] == "running"), None))
    driver.ask("cancel", card=card["id"])
    assert "s3://bkt/never.bin was not stored" in driver.said
    assert faulty.store.keys("bkt") == ["a"]


def test_a_file_that_changes_under_way_is_not_stored(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.files[5] = b"less than was said"
    driver.ask("upload", file=5, name="short.bin", size=1000)
    assert "could not be read to its end" in driver.said
    assert faulty.store.keys("bkt") == ["a"]


def test_every_failure_is_shown(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a.pkl", pickle.dumps(1))
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a.pkl")
    faulty.store.delete("bkt", "a.pkl")
    for what in ({"what": "load", "name": "a"}, {"what": "download"}):
        driver.ask(**what)
        assert "No such object: s3://bkt/a.pkl" in driver.said


# ---- what can be trusted


def test_what_a_page_of_ours_would_not_say_does_nothing(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    nonsense = [
        None,
        {"do": 5},
        {"do": "__init__"},
        {"do": "rows", "edition": "1", "from": 0, "to": 5},
        {"do": "rows", "edition": 1, "from": -5, "to": 5},
        {"do": "choose", "edition": 1, "ranges": [[5, 1]], "lead": 0},
        {"do": "choose", "edition": 1, "ranges": "all", "lead": 0},
        {"do": "go"},
        {"do": "go", "text": "x" * 100_000},
        {"do": "answer", "card": 1, "yes": "yes"},
        {"do": "upload", "file": 1, "name": "x", "size": True},
    ]
    for content in nonsense:
        driver.browser._handle_custom_msg(content, [])
        assert "asked for something that is not known here" in driver.said
        driver.ask("dismiss", card=driver.cards[0]["id"])
    driver.ask("open", edition=10**6, row=0)
    driver.ask("open", edition=driver.listing["edition"], row=10**6)
    driver.ask("delete")
    driver.ask("answer", card=10**6, yes=True)
    driver.ask("piece", file=3, at=0, buffers=[memoryview(b"x")])
    assert driver.names == ["a"]
    assert driver.browser.selected is None
    assert faulty.store.keys("bkt") == ["a"]


def test_no_name_hides_a_character(faulty: FaultServer, browse: Any) -> None:
    hostile = {"x-amz-meta-x": "<img src=x>", "Content-Type": "<img src=x>"}
    driver = browse("s3://bkt/")
    seen = 0
    keys = [key for key in KEYS if not key.isascii() or not key.isprintable() or set(key) & set("<&\"'\\$")]
    for key in keys:
        faulty.store.versions.clear()
        faulty.put("bkt", key, key.encode(), headers=hostile)
        driver.browser._desk.lists.ask(Question(S3Uri("bkt"), needle=key[:20]))
        driver.listed()
        if driver.names:
            driver.do("choose", edition=driver.listing["edition"], ranges=[[0, 1]], lead=0)
            seen += 1
        for what in ("look", "copy", "delete"):
            driver.ask(what, by_itself=True)
        driver.ask("rows", edition=driver.listing["edition"], **{"from": 0, "to": 1})
        driver.do("code", name="")
        state = driver.browser
        for text in texts([state._place, state._listing, state._chosen, state._cards, driver.told]):
            assert all(is_visible(char) or char == "\n" for char in text), text
        driver.told.clear()
    assert seen == len(keys) > 30


def texts(value: Any) -> Iterator[str]:
    """Yield every text in `value`."""
    match value:
        case str():
            yield value
        case dict():
            yield from texts(list(value.values()))
        case list() | tuple():
            for each in value:
                yield from texts(each)


def test_module_and_styles_are_text_ask_no_other_host_and_touch_nothing_outside(browse: Any) -> None:
    state = browse("s3://bkt/").browser.get_state()
    assert isinstance(state["_esm"], str)
    assert isinstance(state["_css"], str)
    hosts = set(re.findall(r"https?://[\w.]+", state["_esm"] + state["_css"]))
    assert hosts <= {
        "http://www.w3.org",
        "https://www.w3.org",
        "https://jupyterlab.readthedocs.io",
    }  # a namespace, comments
    assert not re.findall(
        r"\bimport\b|\brequire\b|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", code_of(state["_esm"])
    )
    css = re.sub(r"/\*.*?\*/", "", state["_css"], flags=re.DOTALL)
    selectors = [each.strip() for rule in re.findall(r"([^{}]+)\{", css) for each in rule.split(",") if each.strip()]
    assert len(selectors) > 100
    assert not re.findall(r"var\(--jp-[\w-]+\)", css)  # where there is no Jupyter, something else stands behind it
    outside = [each for each in selectors if not each.startswith((".aios3-nb-", "@", "50%"))]
    assert outside == []


def code_of(text: str) -> str:
    return re.sub(r"/\*.*?\*/|^\s*//.*?$", "", text, flags=re.DOTALL | re.MULTILINE)


def test_the_height_is_remembered_for_the_next_panel(browse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aios3_nb.browser.browser._height", 460)
    driver = browse("s3://bkt/")
    assert driver.browser.height == 460
    driver.do("height", pixels=700)
    assert driver.browser.height == 700
    assert browse("s3://bkt/").browser.height == 700
    assert browse("s3://bkt/", height=300).browser.height == 300
    driver.do("height", pixels=10)
    assert driver.browser.height == 240


def test_on_a_real_server_a_file_goes_up_in_parts_comes_down_again_and_goes(
    s3: Any, bucket: str, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    body = bytes(range(256)) * 80_000
    (tmp_path / "large.bin").write_bytes(body)
    driver = Driver(aios3_nb.browse(f"s3://{bucket}/dir/"))
    try:
        assert driver.listed() == []
        assert "is empty" in driver.status
        assert driver.ask("path", text="large.bin") == ["large.bin"]
        assert s3.head_object(Bucket=bucket, Key="dir/large.bin")["ETag"].endswith('-3"')
        driver.choose("large.bin")
        driver.ask("download")
        assert (tmp_path / "large (1).bin").read_bytes() == body
        driver.ask("delete")
        assert driver.answer(yes=True) == []
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    finally:
        driver.browser.close()


def test_a_panel_is_two_widgets_and_closing_leaves_none_and_no_task(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a", b"x")
    faulty.fault(Kind.DELAY, key="", seconds=5)
    before = set(widgets.widget._instances)
    driver = browse("s3://bkt/")
    assert len(set(widgets.widget._instances) - before) == 2
    driver.until(lambda: faulty.requests)
    driver.browser.close()
    driver.until(lambda: not driver.browser._under_way)
    assert set(widgets.widget._instances) - before == set()
    assert background().loop.is_running()


def hold(server: FaultServer, key: str, *, first: int = 1, times: int | None = None) -> threading.Event:
    """Have answers of `key` stop in their middle, from the one with the number `first` on, until the event is set."""
    fault = Fault(kind=Kind.HOLD, key=key, first=first, times=times)
    server.fault(fault)
    return fault.released


def fill(server: FaultServer, count: int) -> None:
    """Put `count` keys into the bucket ``many``, all of one object: nothing is uploaded."""
    one = StoredObject(b"x" * 100, '"abc"')
    server.store.buckets.add("many")
    server.store.versions.update({("many", f"part-{n:06}.pkl"): [one] for n in range(count)})
