"""A real kernel for tests: runs code in it, gathers what it shows, interrupts it, clicks its widgets."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from jupyter_client import BlockingKernelClient, KernelManager

ANSWER_SECONDS = 60.0
"""Longest wait for a cell."""


_TELL_STACKS = """
import faulthandler as _faulthandler, signal as _signal, sys as _sys
if hasattr(_signal, "SIGUSR1"): _faulthandler.register(_signal.SIGUSR1, file=_sys.__stderr__)
del _faulthandler, _signal, _sys
"""
"""What a kernel runs first: one that hangs can then be asked where."""


@dataclass
class Cell:
    """What one cell showed.

    Attributes:
        stdout: What it printed.
        stderr: What it wrote to stderr.
        result: The plain text of its Out.
        errors: Name and text of each error that was shown.
        displays: Mime bundles, each as it was last updated.
        traceback: The lines of the last error.
        seconds: Time until the kernel was idle again.
    """

    stdout: str = ""
    stderr: str = ""
    result: str | None = None
    errors: list[tuple[str, str]] = field(default_factory=list)
    displays: dict[str, dict[str, Any]] = field(default_factory=dict)
    traceback: str = ""
    seconds: float = 0.0


class Kernel:
    """A running kernel.

    Attributes:
        widgets: State of each widget that the kernel has open, by comm id.
        late: What cells printed after they had ended.
    """

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self.widgets: dict[str, dict[str, Any]] = {}
        self.late = ""

    def run(self, code: str, *, wait: float = ANSWER_SECONDS) -> Cell:
        """Run `code` and return what it showed."""
        return self.collect(self.start(code), wait=wait)

    def ok(self, code: str) -> Cell:
        """Run `code`, which must show no error, and return what it showed."""
        cell = self.run(code)
        assert not cell.errors, cell.traceback
        return cell

    def start(self, code: str) -> str:
        """Send `code` and return at once."""
        return str(self.client.execute(code, stop_on_error=False))

    def collect(self, message_id: str, *, wait: float = ANSWER_SECONDS) -> Cell:
        """Return what the cell sent as `message_id` showed, when it is done."""
        cell, began = Cell(), time.monotonic()
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=max(0.1, wait - (time.monotonic() - began)))
            except queue.Empty:
                raise AssertionError(
                    f"the cell did not end in {wait} s: {self._stacks()}, {cell}, {self.late}"
                ) from None
            self._note_widget(message)
            if message["parent_header"].get("msg_id") != message_id:
                self.late += message["content"]["text"] if message["msg_type"] == "stream" else ""
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
            _note(cell, message)
        self.client.get_shell_msg(timeout=ANSWER_SECONDS)
        cell.seconds = time.monotonic() - began
        return cell

    def until_printed(self, text: str, *, wait: float = ANSWER_SECONDS) -> None:
        """Return when the running cell has printed `text`."""
        until = time.monotonic() + wait
        while time.monotonic() < until:
            message = self.client.get_iopub_msg(timeout=wait)
            self._note_widget(message)
            if message["msg_type"] == "stream" and text in message["content"]["text"]:
                return
        raise AssertionError(f"{text!r} was not printed")

    def click(self, comm: str, *, subshell: str | None = None) -> None:
        """Click the button `comm`, as a frontend does."""
        data = {"method": "custom", "content": {"event": "click"}}
        message = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)

    def complete(self, code: str, cursor: int | None = None) -> list[str]:
        """Press Tab behind `code`, or at `cursor`; return what the cell would then be, up to the cursor."""
        cursor = len(code) if cursor is None else cursor
        answer = self.client.complete(code, cursor, reply=True, timeout=ANSWER_SECONDS)["content"]
        assert answer["status"] == "ok", answer
        start, end = answer["cursor_start"], answer["cursor_end"]
        return [code[:start] + match + code[end:cursor] for match in answer["matches"]]

    def interrupt(self) -> None:
        """Press the stop button."""
        self.manager.interrupt_kernel()

    def _stacks(self) -> str:
        """Have the kernel write where its threads are to its stderr; say whether it lives."""
        if not self.manager.is_alive():
            return "its kernel is dead"
        if hasattr(signal, "SIGUSR1"):
            self.manager.signal_kernel(signal.SIGUSR1)
            time.sleep(1.0)
        return "its kernel lives, see stderr for its stacks"

    def _note_widget(self, message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "comm_open" and content.get("target_name") == "jupyter.widget":
            self.widgets[content["comm_id"]] = dict(content["data"]["state"])
        elif message["msg_type"] == "comm_msg" and content["data"].get("method") == "update":
            self.widgets.setdefault(content["comm_id"], {}).update(content["data"]["state"])
        elif message["msg_type"] == "comm_close":
            self.widgets.pop(content["comm_id"], None)


def _note(cell: Cell, message: dict[str, Any]) -> None:
    content, kind = message["content"], message["msg_type"]
    if kind == "stream":
        setattr(cell, content["name"], getattr(cell, content["name"]) + content["text"])
    elif kind == "execute_result":
        cell.result = content["data"]["text/plain"]
    elif kind == "error":
        cell.errors.append((content["ename"], content["evalue"]))
        cell.traceback = "\n".join(content["traceback"])
    elif kind in ("display_data", "update_display_data"):
        name = content.get("transient", {}).get("display_id", str(len(cell.displays)))
        cell.displays[name] = content["data"]


@contextlib.contextmanager
def kernel(
    environment: dict[str, str] | None = None, *, folder: str | None = None, python: str = sys.executable
) -> Iterator[Kernel]:
    """Start a kernel of this interpreter, or of `python`, with the test's environment and `environment`."""
    with tempfile.TemporaryDirectory(prefix="kernel-") as sockets:
        # No ports: until the kernel has those that were chosen for it, another program may take one.
        manager = KernelManager(kernel_name="python3", transport="ipc", connection_file=f"{sockets}/kernel.json")
        with _started(manager, environment, folder, python) as started:
            yield started


@contextlib.contextmanager
def _started(
    manager: KernelManager, environment: dict[str, str] | None, folder: str | None, python: str
) -> Iterator[Kernel]:
    # This very interpreter, whatever kernel specs the machine has.
    manager.kernel_spec.argv[0] = python
    env = {**os.environ, **(environment or {})}
    env.pop("VIRTUAL_ENV", None)  # IPython would put its packages on the path
    manager.start_kernel(env=env, **({"cwd": folder} if folder else {}))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        started = Kernel(manager, client)
        started.ok(_TELL_STACKS)
        yield started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
