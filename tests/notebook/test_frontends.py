"""One load, one look at the progress, one interrupt in each place where people run Python."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pexpect
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, expect

from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.lab import WAIT_SECONDS, Lab
from tests.lab_server import START_SECONDS, clean_environment, free_port, until_listening

ROWS = list(range(1000))
ENDLESS = 40_000
"""Bytes per second and connection of what is stopped: it does not end by itself, whatever is slow beside it."""

SOON = 60.0
"""Seconds in which a load stops, on a busy machine too; waiting for the end of a part takes several times as long."""

ESCAPES = "red\x1b[31m \x07bell.pkl"


@pytest.fixture(scope="module")
def slow() -> Iterator[FaultServer]:
    """A server on which one object takes a second or two, and one far too long."""
    with FaultServer() as server:
        server.put("bkt", "rows.pkl", pickle.dumps(ROWS), checksum="crc32")
        server.put("bkt", "second.pkl", pickle.dumps([bytes(1_000_000) for _ in range(12)]), checksum="crc32")
        server.put("bkt", "endless.pkl", pickle.dumps([bytes(1_000_000) for _ in range(80)]), checksum="crc32")
        server.put("bkt", ESCAPES, pickle.dumps([bytes(1_000_000) for _ in range(80)]), checksum="crc32")
        for key, rate in (("second.pkl", 1_500_000), ("endless.pkl", ENDLESS), (ESCAPES, ENDLESS)):
            server.fault(Fault(kind=Kind.THROTTLE, rate=rate, key=key, times=None))
        yield server


@pytest.fixture
def environment(slow: FaultServer, tmp_path: Path) -> dict[str, str]:
    """Variables of a process that loads from `slow`."""
    return clean_environment() | {
        "AIOS3_NB_ENDPOINT_URL": slow.url,
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }


# ---- programs


def program(source: str, environment: dict[str, str], **options: Any) -> subprocess.Popen[str]:
    """Start a script in which every warning is an error."""
    argv = [sys.executable, "-W", "error", "-c", "import aios3_nb\n" + source]
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def outcome(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what a script printed and complained of, when it has ended."""
    with process:
        try:
            return process.communicate(timeout=WAIT_SECONDS)
        finally:
            process.kill()


def interrupted(source: str, environment: dict[str, str], slow: FaultServer) -> tuple[int, str]:
    """Interrupt a script when it loads the object that takes too long; return how it ended and what it wrote."""
    before = len(slow.gets("endless.pkl"))
    process = program(source, environment)
    until = time.monotonic() + WAIT_SECONDS
    while len(slow.gets("endless.pkl")) == before and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.2)  # some of it is there
    process.send_signal(signal.SIGINT)
    _, complaints = outcome(process)
    return process.returncode, complaints


def test_a_script_loads(environment: dict[str, str]) -> None:
    script = "print(aios3_nb.load('s3://bkt/rows.pkl')[-1], sum(1 for _ in aios3_nb.ls('s3://bkt/')))"
    assert outcome(program(script, environment)) == ("999 4\n", "")


def test_a_script_is_interrupted(environment: dict[str, str], slow: FaultServer) -> None:
    ended, complaints = interrupted("aios3_nb.load('s3://bkt/endless.pkl')", environment, slow)
    assert ended == -signal.SIGINT
    assert complaints.rstrip().endswith("KeyboardInterrupt")
    assert "Warning" not in complaints
    assert "never" not in complaints


def test_threads_load_at_once(environment: dict[str, str]) -> None:
    script = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as threads:
    print(sum(len(rows) for rows in threads.map(aios3_nb.load, ['s3://bkt/rows.pkl'] * 40)))
"""
    assert outcome(program(script, environment)) == ("40000\n", "")


def test_an_asyncio_program_loads_while_its_tasks_go_on(environment: dict[str, str]) -> None:
    script = """
import asyncio
async def main():
    ticks = 0
    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1
    ticking = asyncio.create_task(tick())
    rows, blocks = await asyncio.gather(aios3_nb.aload('s3://bkt/rows.pkl'), aios3_nb.aload('s3://bkt/second.pkl'))
    print(len(rows), len(blocks), ticks > 30)
    print(len(aios3_nb.load('s3://bkt/rows.pkl')))
    endless = asyncio.create_task(aios3_nb.aload('s3://bkt/endless.pkl'))
    await asyncio.sleep(0.7)
    endless.cancel()
    try:
        await endless
    except asyncio.CancelledError:
        print('cancelled')
    ticking.cancel()
    print(len(asyncio.all_tasks()) <= 2)
asyncio.run(main())
"""
    assert outcome(program(script, environment)) == ("1000 12 True\n1000\ncancelled\nTrue\n", "")


def test_an_asyncio_program_is_interrupted(environment: dict[str, str], slow: FaultServer) -> None:
    script = """
import asyncio
async def main():
    await aios3_nb.aload('s3://bkt/endless.pkl')
asyncio.run(main())
"""
    ended, complaints = interrupted(script, environment, slow)
    assert ended == -signal.SIGINT
    assert complaints.rstrip().endswith("KeyboardInterrupt")
    assert "destroyed" not in complaints


# ---- terminals


@contextlib.contextmanager
def terminal(argv: list[str], environment: dict[str, str]) -> Iterator[pexpect.spawn]:
    """Run a program in a terminal; leave it in the end, whatever it does."""
    # Without an answer to where the cursor is, prompt_toolkit would complain.
    variables = environment | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "NO_COLOR": "1"}
    child = pexpect.spawn(
        argv[0], argv[1:], env=variables, dimensions=(50, 200), timeout=WAIT_SECONDS, encoding="utf-8"
    )
    try:
        yield child
    finally:
        child.close(force=True)


def say(child: pexpect.spawn, number: int, line: str) -> None:
    """Type a line at prompt `number`; prompts are drawn anew while somebody types."""
    child.expect(rf"In \[[^]]*(?<!\d){number}(?!\d)[^]]*\]:")  # with colours between
    time.sleep(0.1)
    child.send(line + "\r")


def check_terminal(child: pexpect.spawn, slow: FaultServer, running: str) -> None:
    """Load, be interrupted and go on; `running` is what the progress looks like."""
    say(child, 1, "%load_ext aios3_nb")
    with slow.holding("second.pkl", at=11_000_000):
        say(child, 2, "m = %s3load s3://bkt/second.pkl")
        child.expect(rf"second\.pkl: {running}")
    child.expect(r"second\.pkl: 12 MB in .* CRC32 ok")
    say(child, 3, "n = %s3load 's3://bkt/red*bell.pkl'")
    child.expect(rf"red\\x1b\[31m \\x07bell\.pkl: {running}")
    time.sleep(0.3)
    child.sendintr()
    child.expect("Stopped: .*Nothing was bound")
    say(child, 4, "print(len(m), 'n' in globals())")
    child.expect("12 False")


def test_terminal_ipython(environment: dict[str, str], slow: FaultServer) -> None:
    with terminal([sys.executable, "-m", "IPython", "--no-banner"], environment) as child:
        check_terminal(child, slow, r" *\d+%")


def test_jupyter_console(environment: dict[str, str], slow: FaultServer) -> None:
    with terminal([sys.executable, "-m", "jupyter_console", "--kernel", "python3"], environment) as child:
        check_terminal(child, slow, r"(waiting|[\d.]+ [KM]B|[\d.]+ of)")


# ---- notebooks without a browser


def executed(sources: list[str], environment: dict[str, str], **options: Any) -> Any:
    """Return a notebook of these cells, executed as papermill does."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with contextlib.ExitStack() as stack:
        for name, value in environment.items():
            stack.enter_context(_variable(name, value))
        NotebookClient(book, kernel_name="python3", timeout=WAIT_SECONDS, **options).execute()
    return book


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    old = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if old is None:
            del os.environ[name]
        else:
            os.environ[name] = old


def test_an_executed_notebook_keeps_the_closing_line(environment: dict[str, str]) -> None:
    book = executed(["%load_ext aios3_nb", "m = %s3load s3://bkt/second.pkl", "len(m)"], environment)
    html, _ = HTMLExporter().from_notebook_node(book)
    assert "second.pkl: 12 MB in" in html
    assert "CRC32 ok" in html
    assert "HBox(" not in html
    assert book.cells[2].outputs[0]["data"]["text/plain"] == "12"


def test_an_executed_notebook_stops_a_cell_that_takes_too_long(environment: dict[str, str]) -> None:
    # The first request imports what it needs: not in the time that the cell has. It has to begin within that: what is
    # interrupted before goes on.
    cells = ["%load_ext aios3_nb\n%s3ls s3://bkt/", "m = %s3load s3://bkt/endless.pkl", "'m' in globals()"]
    book = executed(
        cells,
        environment,
        timeout_func=lambda cell: 10 if "endless" in cell.source else WAIT_SECONDS,
        interrupt_on_timeout=True,
        allow_errors=True,
    )
    html, _ = HTMLExporter().from_notebook_node(book)
    assert "Nothing was bound" in html
    assert "HBox(" not in html
    assert book.cells[2].outputs[0]["data"]["text/plain"] == "False"


# ---- other pages than JupyterLab


@pytest.mark.browser
def test_notebook7(notebook7: Lab, slow: FaultServer) -> None:
    book = notebook7.open(
        f"%load_ext aios3_nb\n%config S3Magics.endpoint_url = {slow.url!r}",
        "m = %s3load s3://bkt/second.pkl",
        "n = %s3load s3://bkt/endless.pkl",
    )
    assert book.run(0).all == []
    with slow.holding("second.pkl", at=11_000_000):
        book.start(1)
        book.expect(1, "of 12 MB")
    assert "CRC32 ok" in book.wait(1).text
    for press, kind in (
        (lambda: book.click("Cancel", cell=2), "LoadCancelledError"),
        (book.interrupt, "KeyboardInterrupt"),
    ):
        book.start(2)
        book.expect(2, "of 80 MB")
        began = time.monotonic()
        press()
        assert [name for name, _ in book.wait(2).errors] == [kind]
        assert time.monotonic() - began < SOON
    assert book.run(book.add("len(m), 'n' in globals()")).text == "(12, False)"


@pytest.mark.browser
def test_voila(chrome: Browser, environment: dict[str, str], tmp_path: Path) -> None:
    cells = [
        "%load_ext aios3_nb\nimport ipywidgets",
        "m = %s3load s3://bkt/rows.pkl",
        "button, below = ipywidgets.Button(description='Load'), ipywidgets.Output()\n"
        "@button.on_click\n"
        "def load(_):\n"
        "    with below:\n"
        "        get_ipython().run_line_magic('s3load', 's3://bkt/endless.pkl')\n"
        "ipywidgets.VBox([button, below])",
    ]
    (tmp_path / "root").mkdir()
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(book, tmp_path / "root" / "app.ipynb")
    with voila(tmp_path / "root" / "app.ipynb", environment) as url:
        page = chrome.new_page()
        page.set_default_timeout(WAIT_SECONDS * 1000)
        try:
            page.goto(url, wait_until="commit")  # the rest of it comes when the notebook has run
            text = "rows.pkl: 2.8 KB in"
            expect(page.locator("body")).to_contain_text(text, timeout=START_SECONDS * 1000)
            page.get_by_role("button", name="Load").click()
            expect(page.locator("body")).to_contain_text("of 80 MB")
            page.get_by_role("button", name="Cancel").click()
            expect(page.locator("body")).to_contain_text("LoadCancelledError")
        finally:
            page.close()


@contextlib.contextmanager
def voila(path: Path, environment: dict[str, str]) -> Iterator[str]:
    """Serve a notebook as an app; give its address."""
    port = free_port()
    argv = [sys.executable, "-m", "voila", str(path), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until_listening(port, process)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)  # it ends its kernels
            process.kill()
