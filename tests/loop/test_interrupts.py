"""Ctrl-C and the stop button, at random moments too: a short message, and a kernel as well as before."""

from __future__ import annotations

import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.kernels import Kernel, kernel

RATE = 2_000_000
"""Bytes per second and connection of the slow objects, which take some 7 seconds over all of them."""

SETUP = """
import asyncio, gc, sys, warnings
%load_ext aios3_nb
%config S3Magics.endpoint_url = {url!r}
ticks = 0
async def background():
    global ticks
    while True:
        await asyncio.sleep(0.01)
        ticks += 1
other = asyncio.get_running_loop().create_task(background())
"""

HEALTH = """
gc.collect()
before = ticks
await asyncio.sleep(0.05)
lives = getattr(sys.modules.get('aios3_nb.s3.client'), '_lives', {})  # not imported by a load that was stopped early
[t.get_name() for t in asyncio.all_tasks() if 'aios3_nb part' in t.get_name()], not other.done() and ticks > before, \
 'm' in globals(), sum(len(s.connector._acquired) for life in lives.get(asyncio.get_running_loop(), {}).values() \
 for s in life._entered.result()._endpoint.http_session._sessions.values()), gc.isenabled()
"""

CELLS = [
    "m = %s3load s3://b/slow.pkl",
    "m = %s3load s3://b/slow.pkl --quiet\nawait asyncio.sleep(0)",
    "%s3load m=s3://b/slow.pkl n=s3://b/slow.pkl",
    "for m in get_ipython().run_line_magic('s3load', 's3://b/items.pkl --iter'): pass",
    "await asyncio.sleep(0.01)\nm = %s3load s3://b/slow.pkl",
]


@pytest.fixture(scope="module")
def slow() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.put("b", "slow.pkl", pickle.dumps([bytes(1_000_000) for _ in range(120)]), checksum="crc32")
        server.put("b", "items.pkl", b"".join(pickle.dumps({"n": n, "text": "x" * 500}) for n in range(200_000)))
        server.put("b", "quick.pkl", pickle.dumps("quick"))
        server.fault(Fault(kind=Kind.THROTTLE, rate=RATE, times=None))
        yield server


@pytest.fixture
def running(slow: FaultServer) -> Iterator[Kernel]:
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
    with kernel(keys) as started:
        started.ok(SETUP.format(url=slow.url))
        yield started


def check_health(running: Kernel) -> None:
    cell = running.ok(HEALTH)
    assert eval(cell.result or "") == ([], True, False, 0, True), cell
    assert cell.stderr == ""
    assert running.ok("%s3load s3://b/quick.pkl --quiet").result == "'quick'"


@pytest.mark.stress
@pytest.mark.timeout(700)
def test_a_hundred_interrupts_at_random_moments_leave_the_kernel_well(running: Kernel) -> None:
    running.ok("%s3load s3://b/quick.pkl --quiet")  # a first load imports what is looked at below
    chance = random.Random(5)
    slowest = 0.0
    for number in range(100):
        # An interrupt before the cell begins would hit the kernel's own code, not ours.
        message = running.start("print('go', flush=True)\n" + CELLS[number % len(CELLS)])
        running.until_printed("go")
        time.sleep(chance.uniform(0.0, 0.5))
        pressed = time.monotonic()
        running.interrupt()
        cell = running.collect(message, wait=60)
        slowest = max(slowest, time.monotonic() - pressed)
        # A cell with a top-level await that is hit outside our call ends as asyncio ends it.
        assert [name for name, _ in cell.errors] in (["KeyboardInterrupt"], ["CancelledError"]), cell
        assert "Task was destroyed" not in cell.stderr
        assert "never" not in cell.stderr, cell.stderr
        running.run("if 'm' in globals(): del m")
        check_health(running)
    assert slowest < 20.0  # it ends at all; how soon is no matter for a busy machine


def test_an_interrupt_is_told_in_one_line(running: Kernel, slow: FaultServer) -> None:
    before = len(slow.requests)
    message = running.start("m = %s3load s3://b/slow.pkl")
    while len(slow.requests) == before:  # a kernel's first load imports what it needs, which takes its time
        time.sleep(0.01)
    running.interrupt()
    cell = running.collect(message)
    assert cell.errors[0][0] == "KeyboardInterrupt"
    assert "Stopped: s3://b/slow.pkl" in cell.traceback
    assert len(cell.traceback.splitlines()) == 1
    check_health(running)


EARLY = "await asyncio.sleep(0)\nimport os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
"""A cell with a top-level await; its interrupt is still waiting for the loop to turn when the load begins."""


def test_an_interrupt_just_before_a_load_in_a_cell_that_awaits_stops_it(running: Kernel) -> None:
    running.ok("%s3load s3://b/quick.pkl --quiet")
    for cell in CELLS:
        stopped = running.run(EARLY + cell)
        assert [name for name, _ in stopped.errors] == ["CancelledError"], stopped
        running.run("if 'm' in globals(): del m")
        check_health(running)


def test_an_interrupt_just_before_the_first_load_in_a_cell_that_awaits_leaves_a_kernel_well(
    slow: FaultServer,
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
    with kernel(keys) as fresh:
        fresh.ok(SETUP.format(url=slow.url))
        # Up to Python 3.12 it goes to its end: what ipykernel has asked for comes too late, as for any sync code.
        stopped = fresh.run(EARLY + "m = %s3load s3://b/slow.pkl --quiet")
        assert [name for name, _ in stopped.errors] in ([], ["CancelledError"]), stopped
        fresh.run("if 'm' in globals(): del m")
        check_health(fresh)


def test_an_interrupt_of_the_first_imports_is_told_in_one_line(slow: FaultServer) -> None:
    with kernel({"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}) as fresh:
        # At the first import of the line, however fast the machine is.
        fresh.ok(
            "import signal, sys\n%load_ext aios3_nb\nclass Press:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name == 'aios3_nb.pipeline': sys.meta_path.remove(self); signal.raise_signal(signal.SIGINT)\n"
            "sys.meta_path.insert(0, Press())"
        )
        stopped = fresh.run("m = %s3load s3://b/quick.pkl")
        assert stopped.errors == [("KeyboardInterrupt", "")]
        assert stopped.traceback == "Stopped."
        fresh.ok(f"%config S3Magics.endpoint_url = {slow.url!r}")
        assert fresh.ok("%s3load s3://b/quick.pkl --quiet").result == "'quick'"


def test_a_time_limit_around_a_sync_load_holds_and_what_comes_after_it_goes_on(running: Kernel) -> None:
    running.ok("%s3load s3://b/quick.pkl --quiet")
    limited = "    async with asyncio.timeout(0.3):\n        m = %s3load s3://b/slow.pkl --quiet\n"
    cell = running.ok(f"try:\n{limited}except TimeoutError:\n    print('over')\nawait asyncio.sleep(0)\nprint('on')")
    assert cell.stdout == "over\non\n"
    check_health(running)


def test_a_loop_that_is_left_ends_the_download_that_nobody_can_read_any_more(running: Kernel) -> None:
    running.ok("for m in get_ipython().run_line_magic('s3load', 's3://b/items.pkl --iter'):\n    break\ndel m")
    check_health(running)
    assert "items.pkl: 1 item, fetched" in running.late
    assert not [state for state in running.widgets.values() if "_rows" in state]


SCRIPT = """
import asyncio, sys, time
from aios3_nb.loop import bridge
cleaned = []
async def wait():
    print("waiting", flush=True)
    try:
        await asyncio.sleep(120)
    finally:
        await asyncio.sleep(0)
        cleaned.append(1)
def call():
    try:
        bridge().run(wait)
    except KeyboardInterrupt:
        print("interrupted", cleaned, flush=True)
async def main():
    call()
    await asyncio.sleep(0)
    print([t for t in asyncio.all_tasks() if t is not asyncio.current_task()])
async def again(): return "again"
call() if sys.argv[1] == "script" else asyncio.run(main())
print(bridge().run(again))
"""


@pytest.mark.parametrize("way", ["script", "loop"])
def test_an_interrupt_cancels_awaits_the_cleanup_and_the_next_call_works(way: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", SCRIPT, way], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=90)
    assert out.splitlines()[0] == "interrupted [1]"
    assert out.splitlines()[-1] == "again"
    assert "Task was destroyed" not in err
    assert "never awaited" not in err
    assert time.monotonic() - began < 60  # of two minutes
