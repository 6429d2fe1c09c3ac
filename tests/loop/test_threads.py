"""Threads and loops: a worker reaches a loop, a coroutine a thread, and a fork begins anew."""

from __future__ import annotations

import asyncio
import gc
import os
import threading

import pytest

from aios3_nb.loop import background, in_thread, result_of, thread_bridge


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return value * 2


def test_a_worker_reaches_the_loop_that_waits_for_it() -> None:
    async def main() -> int:
        way = thread_bridge(asyncio.get_running_loop())
        return await in_thread(lambda: way.run(double, 5), lambda: None)

    with asyncio.Runner() as runner:  # it closes its loop, whether nest-asyncio2 was applied or not
        assert runner.run(main()) == 10


def test_cancelling_a_call_in_a_thread_stops_it_and_awaits_its_end() -> None:
    stop, ended = threading.Event(), threading.Event()

    def work() -> None:
        stop.wait(60)
        ended.set()

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(in_thread(work, stop.set))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    with asyncio.Runner() as runner:
        runner.run(main())


def test_a_sync_call_on_the_background_loop_itself_is_refused_not_deadlocked() -> None:
    async def misuse() -> None:
        await asyncio.sleep(0)
        background().run(double, 1)

    with pytest.raises(RuntimeError, match="background loop"):
        background().run(misuse)


@pytest.mark.timeout(60)
def test_a_call_that_makes_no_coroutine_is_an_error_and_not_an_endless_wait() -> None:
    with pytest.raises(TypeError, match="missing 1 required"):
        background().run(double)  # type: ignore[call-arg]
    assert background().run(double, 1) == 2


@pytest.mark.timeout(60)
@pytest.mark.parametrize("leaving", [SystemExit, KeyboardInterrupt])
def test_a_task_that_leaves_does_not_take_the_loop_along(leaving: type[BaseException]) -> None:
    async def leave() -> None:
        raise leaving

    with pytest.raises(leaving):
        background().run(leave)
    assert background().run(double, 1) == 2


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


def test_nothing_is_reported_of_what_fails_after_the_wait_for_it_was_cancelled() -> None:
    reported: list[object] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting = asyncio.get_running_loop().create_task(result_of(future))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not future.done()
        future.set_exception(ValueError("nobody waits for it"))
        del future
        await asyncio.sleep(0)
        gc.collect()

    with asyncio.Runner() as runner:
        runner.run(main())
    assert reported == []
