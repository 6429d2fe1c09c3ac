"""The bucket browser in a real kernel, spoken to as a frontend speaks: on a subshell, or only on the main shell."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.server import FaultServer
from tests.kernels import ANSWER_SECONDS, Kernel, kernel

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def running() -> Iterator[Kernel]:
    with FaultServer() as server:
        server.put("data", "model.pkl", pickle.dumps([1, 2, 3]), checksum="crc32")
        server.put("data", "models/a.pkl", b"x")
        with kernel(ENVIRONMENT | {"AWS_ENDPOINT_URL": server.url}) as started:
            started.ok("%load_ext aios3_nb\nimport time")
            yield started


@pytest.fixture
def panel(running: Kernel) -> Iterator[str]:
    """The comm of a new panel that has listed the bucket."""
    running.widgets.clear()
    cell = running.ok("browser = %s3browse s3://data/\nbrowser")
    (shown,) = cell.displays.values()
    assert shown["text/plain"] == "<S3Browser s3://data/>"
    comm = str(shown["application/vnd.jupyter.widget-view+json"]["model_id"])
    until(running, lambda: state(running, comm)["_listing"].get("count") == 2)
    yield comm
    running.ok("browser.close()")


def state(running: Kernel, comm: str) -> dict[str, Any]:
    return running.widgets[comm]


def until(running: Kernel, holds: Any, *, wait: float = ANSWER_SECONDS) -> None:
    """Return when `holds()`, reading on what the kernel sends."""
    end = time.monotonic() + wait
    while not holds():
        assert time.monotonic() < end, [each for each in running.widgets.values() if "_cards" in each]
        try:
            running._note_widget(running.client.get_iopub_msg(timeout=0.05))
        except Exception:
            continue


def subshell(running: Kernel) -> str:
    message = running.client.session.msg("create_subshell_request")
    running.client.control_channel.send(message)
    return str(running.client.get_control_msg(timeout=ANSWER_SECONDS)["content"]["subshell_id"])


def say(running: Kernel, comm: str, what: str, *, on: str | None = None, **fields: Any) -> None:
    """Send what the page would send."""
    data = {"method": "custom", "content": {**fields, "do": what, "n": 1}}
    message = running.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
    if on is not None:
        message["header"]["subshell_id"] = on
    running.client.shell_channel.send(message)


def choose(running: Kernel, comm: str, row: int, *, on: str | None = None) -> None:
    edition = state(running, comm)["_listing"]["edition"]
    say(running, comm, "choose", on=on, edition=edition, ranges=[[row, row + 1]], lead=row)


def test_it_loads_while_a_cell_sleeps_where_the_frontend_has_a_subshell(running: Kernel, panel: str) -> None:
    shell = subshell(running)
    # It ends when the variable is there, so that is bound while it runs.
    cell = running.start(
        "until = time.monotonic() + 50\n"
        "while 'model' not in globals() and time.monotonic() < until: time.sleep(0.01)\nmodel"
    )
    choose(running, panel, 1, on=shell)
    say(running, panel, "load", on=shell, name="model")
    assert running.collect(cell).result == "[1, 2, 3]"
    until(running, lambda: "model is a list" in str(state(running, panel)["_cards"]))
    assert state(running, panel)["_note"] == ""


def test_it_says_that_clicks_wait_where_the_frontend_has_no_subshell(running: Kernel, panel: str) -> None:
    say(running, panel, "open", edition=state(running, panel)["_listing"]["edition"], row=0)
    until(running, lambda: state(running, panel)["_place"]["address"] == "s3://data/models/")
    assert "clicks wait here until it ends" in state(running, panel)["_note"]


def test_the_panel_says_in_text_where_it_is(running: Kernel, panel: str) -> None:
    """A saved notebook has no widgets behind it."""
    running.ok("browser.go('s3://data/models/')")
    assert running.ok("repr(browser), browser.selected").result == "('<S3Browser s3://data/models/>', None)"


def test_a_saved_notebook_keeps_a_listing(running: Kernel) -> None:
    # However long a busy machine takes for them, the rows are waited for.
    patient = "import aios3_nb.browser.browser as module\nmodule._FIRST_LISTING = 60\n"
    (shown,) = running.ok(f"{patient}%s3browse s3://data/").displays.values()
    assert "model.pkl" in shown["text/html"]
    assert "<script" not in shown["text/html"]


def test_where_no_page_answers_a_listing_takes_its_place_and_a_late_page_gets_the_panel_back(running: Kernel) -> None:
    cell = running.ok("silent = %s3browse s3://data/\nsilent")
    ((name, shown),) = cell.displays.items()
    comm = str(shown["application/vnd.jupyter.widget-view+json"]["model_id"])
    later = updates(running, name, wait=ANSWER_SECONDS)
    assert "application/vnd.jupyter.widget-view+json" not in later
    assert "pip install anywidget" in later["text/html"]
    assert "model.pkl" in later["text/html"]
    say(running, comm, "hello")
    assert "application/vnd.jupyter.widget-view+json" in updates(running, name, wait=ANSWER_SECONDS)


def test_a_page_that_only_waits_for_the_cell_keeps_the_panel(running: Kernel) -> None:
    """Without a subshell, what a page says is heard when the cell is done: that is no page that is missing."""
    running.widgets.clear()
    cell = running.start("waiting = %s3browse s3://data/\ndisplay(waiting)\ntime.sleep(6)")
    until(running, lambda: any("_cards" in state for state in running.widgets.values()))
    time.sleep(4)  # longer than a page that is missing is waited for
    say(running, next(comm for comm, state in running.widgets.items() if "_cards" in state), "hello")
    shown = running.collect(cell).displays
    assert len(shown) == 1
    ((name, bundle),) = shown.items()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    with pytest.raises(AssertionError, match="no update"):
        updates(running, name, wait=4.0)


def updates(running: Kernel, name: str, *, wait: float) -> dict[str, Any]:
    """Return what the output called `name` is replaced by."""
    end = time.monotonic() + wait
    while time.monotonic() < end:
        try:
            message = running.client.get_iopub_msg(timeout=0.1)
        except Exception:
            continue
        content = message["content"]
        if message["msg_type"] == "update_display_data" and content["transient"]["display_id"] == name:
            return dict(content["data"])
    raise AssertionError("no update")
