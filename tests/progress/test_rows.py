"""Rows of progress in a real kernel: what a page is told, and what stands there when no page listens."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.kernels import ANSWER_SECONDS, Kernel, kernel

VIEW = "application/vnd.jupyter.widget-view+json"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def running() -> Iterator[Kernel]:
    """A kernel with the magics, and a server on which loads take a while."""
    blocks = [bytes([n]) * 1_000_000 for n in range(12)]
    with FaultServer() as server:
        server.put("bkt", "slow.pkl", pickle.dumps(blocks))
        server.put("bkt", "quick.pkl", pickle.dumps(blocks[:4]))
        server.fault(Fault(kind=Kind.THROTTLE, key="slow.pkl", rate=20_000, times=None))
        server.fault(Fault(kind=Kind.THROTTLE, key="quick.pkl", rate=3_000_000, times=None))
        with kernel(ENVIRONMENT | {"AWS_ENDPOINT_URL": server.url}) as started:
            started.ok("%load_ext aios3_nb")
            yield started


def rows(running: Kernel) -> list[dict[str, Any]]:
    return next((state["_rows"] for state in running.widgets.values() if "_rows" in state), [])


def until(running: Kernel, holds: Callable[[], Any], *, wait: float = ANSWER_SECONDS) -> Any:
    """Return what `holds()` gives, reading on what the kernel sends."""
    end = time.monotonic() + wait
    while not (found := holds()):
        assert time.monotonic() < end, rows(running)
        try:
            running._note_widget(running.client.get_iopub_msg(timeout=0.05))
        except Exception:
            continue
    return found


def widget(running: Kernel) -> str:
    return next(comm for comm, state in running.widgets.items() if "_rows" in state)


def hello(running: Kernel) -> None:
    """Say what a page says that shows the row."""
    data = {"method": "custom", "content": {"event": "hello"}}
    message = running.client.session.msg("comm_msg", {"comm_id": widget(running), "data": data})
    running.client.shell_channel.send(message)


def shown(running: Kernel, kind: str = "update_display_data") -> dict[str, Any]:
    """Return the next message that displays something, or replaces what is displayed."""
    while True:
        message: dict[str, Any] = running.client.get_iopub_msg(timeout=ANSWER_SECONDS)
        running._note_widget(message)
        if message["msg_type"] == kind:
            return message


def test_of_several_loads_each_says_when_it_is_done_and_one_cancel_ends_them(running: Kernel) -> None:
    cell = running.start("%s3load a=s3://bkt/slow.pkl b=s3://bkt/quick.pkl")
    until(running, lambda: len(rows(running)) == 3 and rows(running)[2]["state"] == "done")
    total, slow, quick = rows(running)
    assert total["name"] == "2 objects"
    assert (slow["state"], slow["name"]) == ("running", "slow.pkl")
    assert quick["text"] == "4 of 4 MB, loaded"
    running.click(widget(running))
    ended = running.collect(cell)
    assert [name for name, _ in ended.errors] == ["LoadCancelledError"]
    assert ended.seconds < 15  # to wait for more of its bytes takes 20, for all of them minutes
    assert not any("_rows" in state for state in running.widgets.values())


def test_where_no_page_shows_widgets_the_text_goes_on_and_says_why(running: Kernel) -> None:
    cell = running.start("m = %s3load s3://bkt/slow.pkl")
    texts: list[str] = []
    end = time.monotonic() + ANSWER_SECONDS
    while len(texts) < 2:
        assert time.monotonic() < end, texts
        texts.append(shown(running)["content"]["data"]["text/plain"])
    assert all("pip install anywidget" in text for text in texts)
    assert texts[0].startswith("▶ slow.pkl: ")
    assert texts[0] != texts[1]
    # A page that was only slow gets its row back, with its button.
    hello(running)
    while VIEW not in (message := shown(running))["content"]["data"]:
        assert time.monotonic() < end, message
    running.click(widget(running))
    running.collect(cell)


def test_a_page_that_answered_is_left_alone(running: Kernel) -> None:
    cell = running.start("m = %s3load s3://bkt/slow.pkl")
    # A page has the widget's state before it is told to draw it, and says nothing before that.
    while shown(running, "display_data")["content"]["data"].get(VIEW, {}).get("model_id") != widget(running):
        pass
    hello(running)
    # A busy kernel may hear of it when it has begun with the text, which is drawn every second; then it leaves off.
    began = last = time.monotonic()
    while time.monotonic() - last < 4:
        assert time.monotonic() - began < ANSWER_SECONDS, "the text goes on"
        message = running.client.get_iopub_msg(timeout=ANSWER_SECONDS)
        running._note_widget(message)
        if message["msg_type"] == "update_display_data":
            last = time.monotonic()
    running.click(widget(running))
    running.collect(cell)
