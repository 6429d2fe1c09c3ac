"""The bucket browser's widgets, driven as a frontend would, against a server that misbehaves as told."""

from __future__ import annotations

import datetime
import html
import io
import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

import aios3_nb
from aios3_nb import settings
from aios3_nb.address import S3Uri
from aios3_nb.browser import S3Browser
from aios3_nb.browser.model import WINDOW, Question
from aios3_nb.browser.objects import PREVIEW
from aios3_nb.errors import UriError
from aios3_nb.loop import background
from aios3_nb.text import is_visible
from tests.awkward import KEYS
from tests.faults.fault import Kind
from tests.faults.server import FaultServer
from tests.faults.store import StoredObject

WAIT = 20.0
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


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
    """A panel, and a hand that uses it."""

    def __init__(self, browser: S3Browser) -> None:
        self.browser = browser
        self.panel = browser._panel

    def until(self, holds: Callable[[], Any]) -> Any:
        end = time.monotonic() + WAIT
        while not (found := holds()):
            assert time.monotonic() < end, (self.status, self.said, self.names)
            time.sleep(0.005)
        return found

    @property
    def names(self) -> list[str]:
        return [label.split("  ")[0] for label, _ in self.panel.rows.options]

    @property
    def status(self) -> str:
        return text_of(self.panel.status.value)

    @property
    def said(self) -> str:
        return text_of(self.panel.message.value)

    def listed(self) -> list[str]:
        """Return the names once nothing is under way."""
        self.until(lambda: not self.browser._under_way and not self.browser._contents.busy)
        return self.names

    def type(self, field: Any, text: Any) -> list[str]:
        field.value = text
        return self.listed()

    def click(self, button: Any) -> list[str]:
        button.click()
        return self.listed()

    def choose(self, name: str) -> None:
        self.panel.rows.index = self.names.index(name)


@pytest.fixture
def browse(faulty: FaultServer, shell: Shell) -> Iterator[Callable[..., Driver]]:
    opened = []

    def make(uri: str | None = None, **options: Any) -> Driver:
        opened.append(Driver(aios3_nb.browse(uri, **options)))
        return opened[-1]

    yield make
    for driver in opened:
        driver.browser.close()


def text_of(markup: str) -> str:
    pieces: list[str] = []
    parser = HTMLParser()
    parser.handle_data = pieces.append  # type: ignore[method-assign]
    parser.feed(markup)
    return "".join(pieces)


def shown(widget: Any) -> Iterator[Any]:
    """Yield all widgets that are shown."""
    if widget.layout.display != "none":
        yield widget
        for child in getattr(widget, "children", ()):
            yield from shown(child)


def is_shown(driver: Driver, widget: Any) -> bool:
    return widget in list(shown(driver.browser))


def test_a_folder_is_one_request_and_opening_one_another(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "models/model.pkl", b"x")
    faulty.put("bkt", "a.json", b"{}")
    driver = browse("s3://bkt/")
    assert driver.listed() == ["models/", "a.json"]
    assert len(faulty.requests) == 1
    driver.choose("models/")
    assert driver.panel.open.description == "Open"
    assert driver.click(driver.panel.open) == ["model.pkl"]
    assert len(faulty.requests) == 2
    assert driver.browser.where == S3Uri("bkt", "models/")
    assert [button.description for button in driver.panel.crumbs.children] == ["Buckets", "bkt", "models"]
    assert driver.click(driver.panel.crumbs.children[1]) == ["models/", "a.json"]
    assert driver.click(driver.panel.crumbs.children[0]) == ["bkt/"]


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
    driver.click(driver.panel.refresh)
    assert driver.browser.selected is None


def test_denied_buckets_leave_a_field_to_type_one(faulty: FaultServer, browse: Any) -> None:
    faulty.put("mine", "dir/a.json", b"{}")
    faulty.fault(Kind.STATUS, key="", status=403, code="AccessDenied")
    driver = browse()
    driver.listed()
    assert driver.status.startswith("These credentials may not list buckets")
    assert driver.type(driver.panel.address, "mine/dir") == ["a.json"]
    assert driver.browser.where == S3Uri("mine", "dir/")


def test_a_denied_folder_says_so_and_the_way_up_still_works(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "open/a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    faulty.fault(Kind.STATUS, key="", status=403, code="AccessDenied")
    driver.type(driver.panel.address, "s3://bkt/secret/")
    assert "Access denied: s3://bkt/secret/" in driver.status
    assert "aios3-nb-error" in driver.panel.status.value
    assert driver.click(driver.panel.crumbs.children[1]) == ["open/"]


def test_what_was_typed_wrongly_is_explained(faulty: FaultServer, browse: Any) -> None:
    driver = browse("s3://bkt/")
    driver.listed()
    driver.panel.address.value = "ftp://x/y"
    assert "ftp:// is not read here" in driver.said
    driver.panel.endpoint.value = "localhost:9000"
    assert "An endpoint is a URL" in driver.said
    with pytest.raises(UriError):
        browse("ftp://x/y")


def test_a_hundred_thousand_keys_come_page_by_page_on_demand(faulty: FaultServer, browse: Any) -> None:
    fill(faulty, 100_000)
    driver = browse("s3://many/")
    assert len(driver.listed()) == WINDOW
    assert len(faulty.requests) == 1
    assert "1,000 entries so far, more follow" in driver.status
    assert driver.click(driver.panel.more)[0] == "part-001000.pkl"
    assert "rows 1,001 to 2,000" in driver.status
    assert driver.click(driver.panel.back)[0] == "part-000000.pkl"
    assert driver.click(driver.panel.more)[0] == "part-001000.pkl"
    assert len(faulty.requests) == 2
    assert len(driver.panel.rows.options) == WINDOW


def test_a_filter_searches_all_keys_and_not_the_rows_on_screen(faulty: FaultServer, browse: Any) -> None:
    fill(faulty, 21_000)
    driver = browse("s3://many/")
    driver.listed()
    assert driver.type(driver.panel.filter, "part-02099")[-1] == "part-020999.pkl"
    assert len(faulty.requests) == 2
    driver.panel.filter.value = "20999"
    driver.listed()
    assert "Nothing in s3://many/, names that begin with '20999'" in driver.status
    assert driver.type(driver.panel.mode, "contains") == []
    assert "Looked at 20,000 keys for '20999': none has it. Search on" in driver.status
    assert driver.panel.more.description == "Search on"
    assert driver.click(driver.panel.more) == ["part-020999.pkl"]
    assert "1 found, all there are" in driver.status


def test_a_search_can_be_stopped_and_keeps_what_it_found(faulty: FaultServer, browse: Any) -> None:
    fill(faulty, 9_000)
    driver = browse("s3://many/")
    driver.listed()
    faulty.fault(Kind.DELAY, key="", seconds=0.3, first=3, times=None)
    driver.panel.mode.value = "contains"
    driver.panel.filter.value = "00007"
    driver.until(lambda: driver.names and is_shown(driver, driver.panel.stop))
    driver.panel.stop.click()
    driver.listed()
    assert driver.names
    assert len(faulty.requests) < 8
    assert is_shown(driver, driver.panel.more)


def test_an_answer_that_comes_too_late_changes_nothing(faulty: FaultServer, browse: Any) -> None:
    faulty.put("slow", "slow.pkl", b"x")
    faulty.put("fast", "fast.pkl", b"x")
    faulty.fault(Kind.DELAY, key="", seconds=0.5)
    driver = browse("s3://slow/")
    driver.until(lambda: faulty.requests)
    driver.browser.go("s3://fast/")
    driver.until(lambda: driver.names == ["fast.pkl"])
    time.sleep(0.6)
    assert driver.listed() == ["fast.pkl"]
    assert driver.browser.where == S3Uri("fast")


def test_a_row_that_is_chosen_stays_chosen_while_a_search_adds_rows(faulty: FaultServer, browse: Any) -> None:
    fill(faulty, 5_000)
    faulty.fault(Kind.DELAY, key="", seconds=0.2, first=3, times=None)
    driver = browse("s3://many/")
    driver.listed()
    driver.panel.mode.value = "contains"
    driver.panel.filter.value = "500.pkl"
    driver.until(lambda: driver.names and is_shown(driver, driver.panel.stop))
    driver.choose("part-000500.pkl")
    assert len(driver.listed()) == 5
    assert driver.panel.rows.index == 0
    assert driver.browser.selected == S3Uri("many", "part-000500.pkl")


def test_the_profiles_and_the_endpoint_are_shown_and_can_be_switched(
    faulty: FaultServer, browse: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile other]\naws_access_key_id = k\naws_secret_access_key = s\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    faulty.put("bkt", "a", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    assert driver.panel.endpoint.value == faulty.url
    assert [label for label, _ in driver.panel.profile.options] == ["(default)", "other"]
    assert driver.type(driver.panel.profile, "other") == ["a"]
    assert "Credential=k/" in faulty.requests[-1].headers["authorization"]
    with FaultServer() as another:
        another.put("there", "b", b"x")
        assert driver.type(driver.panel.endpoint, another.url) == ["there/"]


def test_a_look_inside_is_bounded_and_shows_what_s3_knows(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a.json", json.dumps({"a": ["<b>", 2]}).encode(), checksum="crc32", version_id="v7")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a.json")
    assert "a.json" in text_of(driver.panel.details.value)
    assert len(faulty.requests) == 1
    driver.click(driver.panel.open)
    assert sorted(request.method for request in faulty.requests[1:]) == ["GET", "HEAD"]
    assert "v7" in text_of(driver.panel.details.value)
    assert "CRC32" in text_of(driver.panel.details.value)
    assert text_of(driver.panel.preview.children[1].value) == '{\n  "a": [\n    "<b>",\n    2\n  ]\n}'


def test_a_look_into_a_pickle_shows_what_it_imports_and_runs_none_of_it(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "bad.pkl", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("bad.pkl")
    driver.click(driver.panel.open)
    title, outline = (text_of(widget.value) for widget in driver.panel.preview.children)
    assert "Nothing of it was run" in title
    assert "os.system" in outline


@pytest.mark.parametrize("rows", [3, 300_000])
def test_a_look_into_parquet_shows_rows_of_a_small_one_and_columns_of_any(
    faulty: FaultServer, browse: Any, rows: int
) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    values = np.random.default_rng(0).random(rows)
    pq.write_table(pa.table({"<b>": [f"\x1b{n}" for n in range(rows)], "value": values}), file)
    faulty.put("bkt", "t.parquet", file.getvalue())
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("t.parquet")
    driver.click(driver.panel.open)
    title, body = (text_of(widget.value) for widget in driver.panel.preview.children)
    assert f"{rows:,} rows, 2 columns" in title
    assert body.startswith("<b>")
    assert ("\\x1b2" in body) == (rows == 3)
    fetched = sum(min(stop, len(file.getvalue())) - start for start, stop in faulty.gets("t.parquet"))
    assert fetched <= PREVIEW


def test_a_load_binds_the_proposed_name(faulty: FaultServer, browse: Any, shell: Shell) -> None:
    faulty.put("bkt", "my-model v2.pkl", pickle.dumps([1, 2]), checksum="crc32")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("my-model v2.pkl")
    assert driver.panel.name.value == "my_model_v2"
    driver.click(driver.panel.load)
    assert shell.user_ns == {"my_model_v2": [1, 2]}
    assert "my_model_v2 is a list. my-model v2.pkl: " in driver.said
    assert "CRC32 ok" in driver.said
    driver.panel.name.value = "not a name"
    driver.click(driver.panel.load)
    assert "no name of a variable" in driver.said
    driver.panel.name.value = "my_model_v2"
    driver.click(driver.panel.load)
    assert "in place of what it was" in driver.said


def test_a_pickle_that_would_run_something_is_refused_with_the_ways_on(
    faulty: FaultServer, browse: Any, shell: Shell
) -> None:
    faulty.put("bkt", "bad.pkl", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("bad.pkl")
    driver.click(driver.panel.load)
    assert shell.user_ns == {}
    assert "system" in driver.said
    assert "Nothing was run" in driver.said
    assert driver.panel.copied.value.startswith("bad = %s3load s3://bkt/bad.pkl")
    assert is_shown(driver, driver.panel.copying)


def test_a_file_can_be_opened_and_fetches_nothing_yet(faulty: FaultServer, browse: Any, shell: Shell) -> None:
    faulty.put("bkt", "t.csv", b"a,b\n")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("t.csv")
    driver.click(driver.panel.open_file)
    assert faulty.gets("t.csv") == []
    assert shell.user_ns["t"].read() == b"a,b\n"


def test_a_download_lands_in_the_notebooks_folder(faulty: FaultServer, browse: Any, tmp_path: Path) -> None:
    faulty.put("bkt", "../../evil.txt", b"text")
    driver = browse()
    driver.browser._ask(Question(S3Uri("bkt", "../../")))
    driver.listed()
    driver.choose("evil.txt")
    driver.click(driver.panel.download)
    assert [path.name for path in tmp_path.iterdir()] == ["evil.txt"]
    assert "Saved as evil.txt" in driver.said


def test_a_deletion_asks_first_and_names_the_object(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a", b"x")
    faulty.put("bkt", "b", b"x")
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a")
    driver.click(driver.panel.delete)
    assert "Delete s3://bkt/a?" in text_of(driver.panel.question.value)
    assert is_shown(driver, driver.panel.confirmation)
    driver.choose("b")
    assert not is_shown(driver, driver.panel.confirmation)
    driver.click(driver.panel.confirm)  # a click that was on its way
    assert faulty.store.keys("bkt") == ["a", "b"]
    driver.click(driver.panel.delete)
    driver.click(driver.panel.keep)
    assert not is_shown(driver, driver.panel.confirmation)
    driver.click(driver.panel.delete)
    assert driver.click(driver.panel.confirm) == ["a"]
    assert faulty.store.keys("bkt") == ["a"]
    assert driver.browser.selected is None


def test_an_upload_asks_before_it_replaces(faulty: FaultServer, browse: Any, tmp_path: Path) -> None:
    faulty.put("bkt", "dir/there.txt", b"old")
    (tmp_path / "large.bin").write_bytes(b"large")
    driver = browse("s3://bkt/dir/")
    driver.listed()
    driver.panel.upload_toggle.value = True
    assert is_shown(driver, driver.panel.files)
    send(driver, {"new <b>.txt": b"new", "there.txt": b"newer"})
    assert driver.listed() == ["new <b>.txt", "there.txt"]
    assert faulty.store.find("bkt", "dir/there.txt").data == b"old"
    assert "There is already s3://bkt/dir/there.txt" in text_of(driver.panel.question.value)
    driver.click(driver.panel.confirm)
    assert faulty.store.find("bkt", "dir/there.txt").data == b"newer"
    assert driver.type(driver.panel.path, "large.bin") == ["large.bin", "new <b>.txt", "there.txt"]


def test_every_failure_is_shown(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a.pkl", pickle.dumps(1))
    driver = browse("s3://bkt/")
    driver.listed()
    driver.choose("a.pkl")
    faulty.store.delete("bkt", "a.pkl")
    for button in (driver.panel.open, driver.panel.load, driver.panel.download):
        driver.click(button)
        assert "No such object: s3://bkt/a.pkl" in driver.said


def test_no_name_becomes_markup_or_hides_a_character(faulty: FaultServer, browse: Any) -> None:
    hostile = {"x-amz-meta-x": "<img src=x>", "Content-Type": "<img src=x>"}
    driver = browse("s3://bkt/")
    seen = 0
    keys = [key for key in KEYS if not key.isascii() or not key.isprintable() or set(key) & set("<&\"'\\$")]
    for key in keys:
        faulty.store.versions.clear()
        faulty.put("bkt", key, key.encode(), headers=hostile)
        driver.browser._ask(Question(S3Uri("bkt"), needle=key[:20]))
        driver.listed()
        if driver.names:
            driver.panel.rows.index = 0
            seen += 1
        for button in (driver.panel.open, driver.panel.copy_uri, driver.panel.code, driver.panel.delete):
            driver.click(button)
        for widget in shown(driver.browser):
            check_text(widget)
    assert seen == len(keys) > 30


def check_text(widget: Any) -> None:
    if isinstance(widget, widgets.HTML) and "<style>" not in widget.value:
        tags: list[str] = []
        parser = HTMLParser()
        parser.handle_starttag = lambda tag, _: tags.append(tag)  # type: ignore[method-assign]
        parser.feed(widget.value)
        assert set(tags) <= {"div", "b", "pre", "table", "thead", "tbody", "tr", "td", "th", "button"}
        assert all(is_visible(c) or c == "\n" for c in html.unescape(widget.value))
    for name in ("description", "tooltip"):
        assert all(map(is_visible, getattr(widget, name, None) or ""))


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
        assert driver.type(driver.panel.path, "large.bin") == ["large.bin"]
        assert s3.head_object(Bucket=bucket, Key="dir/large.bin")["ETag"].endswith('-3"')
        driver.choose("large.bin")
        driver.click(driver.panel.download)
        assert (tmp_path / "large (1).bin").read_bytes() == body
        driver.click(driver.panel.delete)
        assert driver.click(driver.panel.confirm) == []
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    finally:
        driver.browser.close()


def test_closing_leaves_no_task_and_no_widget(faulty: FaultServer, browse: Any) -> None:
    faulty.put("bkt", "a", b"x")
    faulty.fault(Kind.DELAY, key="", seconds=5)
    before = set(widgets.widget._instances)
    driver = browse("s3://bkt/")
    driver.until(lambda: faulty.requests)
    driver.browser.close()
    driver.until(lambda: not driver.browser._under_way)
    assert set(widgets.widget._instances) - before == set()
    assert background().loop.is_running()


def fill(server: FaultServer, count: int) -> None:
    """Put `count` keys into the bucket ``many``, all of one object: nothing is uploaded."""
    one = StoredObject(b"x" * 100, '"abc"')
    server.store.buckets.add("many")
    server.store.versions.update({("many", f"part-{n:06}.pkl"): [one] for n in range(count)})


def send(driver: Driver, files: dict[str, bytes]) -> None:
    """Upload files as the page sends them."""
    driver.panel.files.value = [
        {"name": n, "type": "", "size": len(d), "content": memoryview(d), "last_modified": NOW}
        for n, d in files.items()
    ]
