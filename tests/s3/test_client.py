"""Clients end with their loop; and with the process, where their loop is that of a library that never closes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.faults.server import FaultServer

# As zarr has one: in a thread that goes with the process, stopped by a hook of its own.
SCRIPT = """
import asyncio, atexit, gc, threading

import aiohttp

loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever, daemon=True)
thread.start()

def stop():
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    sessions = [each for each in gc.get_objects() if isinstance(each, aiohttp.ClientSession)]
    print(sum(not each.closed for each in sessions if each._loop is loop))

atexit.register(stop)

import aios3_nb

assert aios3_nb.load("s3://b/k.json") == [1]  # on our own loop
for profile in range(2):
    read = aios3_nb.aload("s3://b/k.json", read_timeout=9 + profile)
    assert asyncio.run_coroutine_threadsafe(read, loop).result() == [1]
"""


def test_on_a_loop_that_nobody_closes_they_end_with_the_process(faulty: FaultServer) -> None:
    faulty.put("b", "k.json", b"[1]")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.stdout, ran.stderr) == ("0\n", "")
