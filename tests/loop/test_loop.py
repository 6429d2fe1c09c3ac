"""The bridge: sync calls reach async code from everywhere, and interrupts stop them cleanly."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from aios3_nb.loop.loop import background, bridge, in_thread, thread_bridge
from aios3_nb.s3.clock import deadline


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return value * 2


async def fail() -> None:
    raise LookupError("told")


def test_without_a_loop_the_background_loop_runs_it() -> None:
    assert bridge() is background()
    assert bridge().run(double, 21) == 42


def test_errors_come_out_as_they_are() -> None:
    with pytest.raises(LookupError, match="told"):
        bridge().run(fail)


def test_within_a_running_loop_that_loop_runs_it_and_other_tasks_go_on() -> None:
    async def main() -> tuple[int, bool, bool]:
        ticked = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, ticked.set)
        way = bridge()
        result = way.run(double, 1)
        way.run(ticked.wait)
        return result, way.loop is asyncio.get_running_loop(), ticked.is_set()

    assert asyncio.run(main()) == (2, True, True)


def test_a_thread_without_a_loop_works_while_the_main_thread_waits_for_it() -> None:
    results = []

    async def main() -> None:
        thread = threading.Thread(target=lambda: results.append(bridge().run(double, 4)))
        thread.start()
        thread.join(10)

    asyncio.run(main())
    assert results == [8]


def test_a_worker_reaches_the_loop_that_waits_for_it() -> None:
    async def main() -> int:
        way = thread_bridge(asyncio.get_running_loop())
        return await in_thread(lambda: way.run(double, 5), lambda: None)

    assert asyncio.run(main()) == 10


def test_cancelling_a_call_in_a_thread_stops_it_and_awaits_its_end() -> None:
    stop, ended = threading.Event(), threading.Event()

    def work() -> None:
        stop.wait(10)
        ended.set()

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(in_thread(work, stop.set))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(main())


def test_a_sync_call_on_the_background_loop_itself_is_refused_not_deadlocked() -> None:
    async def misuse() -> None:
        await asyncio.sleep(0)
        background().run(double, 1)

    with pytest.raises(RuntimeError, match="background loop"):
        background().run(misuse)


def test_nothing_is_nested_before_it_is_needed() -> None:
    code = "import asyncio, aios3_nb.loop.loop; print(hasattr(asyncio, '_nest_patched'))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_uvloop_falls_back_to_the_background_loop() -> None:
    pytest.importorskip("uvloop")
    code = """
        import asyncio, uvloop
        from aios3_nb.loop.loop import background, bridge
        async def one(): return 1
        async def main(): return bridge() is background() and bridge().run(one)
        print(uvloop.run(main()))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


SCRIPT = """
import asyncio, sys, time
from aios3_nb.loop.loop import bridge
cleaned = []
async def wait():
    print("waiting", flush=True)
    try:
        await asyncio.sleep(30)
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
    out, err = process.communicate(timeout=20)
    assert out.splitlines()[0] == "interrupted [1]"
    assert out.splitlines()[-1] == "again"
    assert "Task was destroyed" not in err
    assert "never awaited" not in err
    assert time.monotonic() - began < 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    assert background().run(double, 1) == 2
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(background().run(double, 3)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"6"
    os.close(reader)
    os.close(writer)


def test_a_deadline_bounds_waiting() -> None:
    async def main() -> None:
        async with deadline(0.05):
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_a_deadline_does_not_count_time_in_which_the_loop_was_away() -> None:
    """A notebook that thinks for a minute between two reads has not lost its connection."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        async with deadline(0.2):
            answer = loop.create_future()
            loop.call_soon(time.sleep, 0.5)  # the loop is away; meanwhile the answer comes
            loop.call_later(0.55, answer.set_result, "there")
            return await answer

    assert asyncio.run(main()) == "there"
