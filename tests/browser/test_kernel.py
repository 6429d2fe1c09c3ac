"""The bucket browser in a real kernel, spoken to as a frontend speaks: on a subshell, or only on the main shell."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.server import FaultServer
from tests.kernels import Kernel, kernel

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
def panel(running: Kernel) -> Iterator[dict[str, str]]:
    """The widgets of a new panel that has listed the bucket, by what stands on them."""
    running.widgets.clear()
    cell = running.ok("browser = %s3browse s3://data/\nbrowser")
    assert cell.result == "<S3Browser s3://data/>"
    until(running, lambda: len(state(running, rows(running)).get("_options_labels", ())) == 2)
    yield {each.get("description", ""): comm for comm, each in running.widgets.items() if "description" in each}
    running.ok("browser.close()")


def rows(running: Kernel) -> str:
    return next(comm for comm, each in running.widgets.items() if each.get("_view_name") == "SelectView")


def state(running: Kernel, comm: str) -> dict[str, Any]:
    return running.widgets[comm]


def until(running: Kernel, holds: Any, *, wait: float = 10.0) -> float:
    """Return the seconds after which `holds()`, reading on what the kernel sends."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < wait, [each.get("value") for each in running.widgets.values()]
        try:
            running._note_widget(running.client.get_iopub_msg(timeout=0.05))
        except Exception:
            continue
    return time.monotonic() - began


def subshell(running: Kernel) -> str:
    message = running.client.session.msg("create_subshell_request")
    running.client.control_channel.send(message)
    return str(running.client.get_control_msg(timeout=10)["content"]["subshell_id"])


def choose(running: Kernel, index: int, *, on: str | None) -> None:
    data = {"method": "update", "state": {"index": index}, "buffer_paths": []}
    message = running.client.session.msg("comm_msg", {"comm_id": rows(running), "data": data})
    if on is not None:
        message["header"]["subshell_id"] = on
    running.client.shell_channel.send(message)


def shows(running: Kernel, text: str) -> Any:
    return lambda: any(text in str(each.get("value", "")) for each in running.widgets.values())


def test_it_loads_while_a_cell_sleeps_where_the_frontend_has_a_subshell(running: Kernel, panel: dict[str, str]) -> None:
    shell = subshell(running)
    cell = running.start("time.sleep(3)\nmodel")
    choose(running, 1, on=shell)
    running.click(panel["Load as"], subshell=shell)
    assert until(running, shows(running, "model is a list")) < 2.5
    assert running.collect(cell).result == "[1, 2, 3]"
    assert not shows(running, "clicks wait")()


def test_it_says_that_clicks_wait_where_the_frontend_has_no_subshell(running: Kernel, panel: dict[str, str]) -> None:
    choose(running, 0, on=None)
    running.click(panel["Preview"])  # which says Open by now
    until(running, lambda: "a.pkl" in "".join(state(running, rows(running))["_options_labels"]))
    assert shows(running, "clicks wait here until it ends")()


def test_the_panel_says_in_text_where_it_is(running: Kernel, panel: dict[str, str]) -> None:
    """A saved notebook has no widgets behind it."""
    running.ok("browser.go('s3://data/models/')")
    assert running.ok("repr(browser), browser.selected").result == "('<S3Browser s3://data/models/>', None)"
