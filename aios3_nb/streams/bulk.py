"""Copying and hashing of long bytes, in a thread beside the loop, which goes on receiving meanwhile.

Both let go of the GIL. Copying into fresh memory is the largest single cost of loading arrays: the system has to find
the pages, at 1 to 2 GB/s. 512 MB of arrays without limits on two cores: 0.93 s, and 1.20 s without the threads. Tried
and left: huge pages (`madvise`), at best 0.9 s, but 1.5 s when memory is fragmented.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import mmap
import os
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

from aios3_nb.loop import result_of

LONG = 1 << 20
"""Bytes from which on handing over to a thread costs nothing in comparison."""

THREADS = max(2, min(8, os.cpu_count() or 2))
"""How many there are; more only wait for memory."""


_POPULATE_WRITE = 23
"""Pages are to be found as if they were written to; madvise(2)."""

Buffer = mmap.mmap


def buffer(length: int) -> Buffer:
    """Return memory for `length` bytes from the network.

    It begins at a page. The bytes of a bytearray of this size begin 16 after one, and copying from the socket to there
    took 0.35 s for 512 MB on loopback, and to here 0.18 s.
    """
    return mmap.mmap(-1, length)


@contextlib.asynccontextmanager
async def copying(target: memoryview, data: memoryview) -> AsyncIterator[None]:
    """Copy `data` into `target`, which is as long, while the body runs; it has ended when this ends, however."""
    if len(data) < LONG or data.readonly:
        target[:] = data
        yield
        return
    # Not the loop's own threads: a user's calls that block would be waited for.
    work = asyncio.get_running_loop().run_in_executor(_threads(), _move, target, data)
    try:
        yield
    finally:
        await _end_of(work)


async def beside(call: Callable[[], None]) -> None:
    """Run `call` in a thread; it has ended when this ends, also by a cancellation."""
    await _end_of(asyncio.get_running_loop().run_in_executor(_threads(), call))


async def _end_of(work: asyncio.Future[None]) -> None:
    try:
        await result_of(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):  # once more; but the memory is still in use
                await asyncio.wait([work])
        raise


def populate(target: memoryview) -> None:
    """Have the system find the pages of `target` at once: one by one, as they are written to, takes a third more.

    What is in them stays. Where the system cannot (Linux before 5.14, others), they are found one by one.
    """
    advise = _madvise()
    if advise is None:
        return
    address = ctypes.addressof(ctypes.c_char.from_buffer(target))
    begin = -(-address // mmap.PAGESIZE) * mmap.PAGESIZE  # whole pages: of the outer two others may have the rest
    stop = (address + len(target)) // mmap.PAGESIZE * mmap.PAGESIZE
    if begin < stop:
        advise(begin, stop - begin, _POPULATE_WRITE)


def _move(target: memoryview, data: memoryview) -> None:
    populate(target)
    block = ctypes.c_char * len(target)
    ctypes.memmove(block.from_buffer(target), block.from_buffer(data), len(target))


@functools.cache
def _madvise() -> Callable[[int, int, int], int] | None:
    """Return the function of that name, which holds no lock of Python's meanwhile; None where there is none."""
    if sys.platform != "linux":
        return None
    function = ctypes.CDLL(None).madvise
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return function


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="aios3_nb bulk")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)  # a forked child has no such threads
