"""The bridges: sync calls reach async code from everywhere."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading

import pytest

from aios3_nb.loop import background, bridge


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

    # Not asyncio.run: where nest-asyncio2 was applied, it leaves its loop unclosed, for a later test to be blamed for.
    with asyncio.Runner() as runner:
        assert runner.run(main()) == (2, True, True)


def test_a_thread_without_a_loop_works_while_the_main_thread_waits_for_it() -> None:
    results = []

    async def main() -> None:
        thread = threading.Thread(target=lambda: results.append(bridge().run(double, 4)))
        thread.start()
        thread.join(60)

    with asyncio.Runner() as runner:
        runner.run(main())
    assert results == [8]


def test_nothing_is_nested_before_it_is_needed() -> None:
    code = "import asyncio; from aios3_nb.loop import bridge; print(hasattr(asyncio, '_nest_patched'))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_uvloop_falls_back_to_the_background_loop() -> None:
    pytest.importorskip("uvloop")
    code = """
        import asyncio, uvloop
        from aios3_nb.loop import background, bridge
        async def one(): return 1
        async def main(): return bridge() is background() and bridge().run(one)
        print(uvloop.run(main()))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_the_first_nested_run_takes_nothing_that_the_turn_under_way_counts_on() -> None:
    """As where Dask calls a function on a worker's own loop; that loop ended with an IndexError."""
    code = """
        import asyncio
        from aios3_nb.loop import bridge

        async def nap():
            await asyncio.sleep(0.01)

        async def main():
            loop, took = asyncio.get_running_loop(), []
            done = loop.create_future()
            loop.call_soon(lambda: (bridge().run(nap), done.set_result(None)))
            for number in range(5):
                loop.call_soon(took.append, number)
            await done
            await asyncio.sleep(0)
            assert took == [*range(5)], took

        asyncio.run(main())
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
