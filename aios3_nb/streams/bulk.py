"""Copying and hashing of long bytes, in a thread beside the loop, which goes on receiving meanwhile.

Both let go of the GIL. Copying into fresh memory is the largest single cost of loading arrays: the system has to find
the pages, at 1 to 2 GB/s. 512 MB of arrays without limits on two cores: 0.93 s, and 1.20 s without the threads. Tried
and left: huge pages (`madvise`), at best 0.9 s, but 1.5 s when memory is fragmented.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import mmap
import os
import sys
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVarTuple

Ts = TypeVarTuple("Ts")

LONG = 1 << 20
"""Bytes from which on handing over to a thread costs nothing in comparison."""

THREADS = max(2, min(8, os.cpu_count() or 2))
"""How many there are; more only wait for memory."""


_AT_ONCE = 4 * LONG
"""Bytes that one thread copies, while another one copies what follows."""

_POPULATE_WRITE = 23
"""Pages are to be found as if they were written to; madvise(2)."""

Buffer = mmap.mmap


def buffer(length: int) -> Buffer:
    """Return memory for `length` bytes from the network.

    It begins at a page. The bytes of a bytearray of this size begin 16 after one, and copying from the socket to there
    took 0.35 s for 512 MB on loopback, and to here 0.18 s.
    """
    if sys.platform == "win32":
        return mmap.mmap(-1, length)
    # Else it would be shared with children, which the system finds half as fast, and takes back a third as fast.
    return mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


class Work:
    """What threads do with one reader's memory; all of it has ended when the body ends, however."""

    def __init__(self) -> None:
        self._going: list[asyncio.Future[None]] = []

    def copy(self, target: memoryview, data: memoryview) -> list[asyncio.Future[None]]:
        """Begin to copy `data` into `target`, which is as long; return the work until whose end it must stay there."""
        if len(data) < LONG or data.readonly:
            target[:] = data
            return []
        begun = [
            _in_thread(_move, target[at : at + _AT_ONCE], data[at : at + _AT_ONCE])
            for at in range(0, len(data), _AT_ONCE)
        ]
        self._going += begun
        return begun

    def populate(self, target: memoryview) -> None:
        """Do what `populate` does; the second half may yet be under way, for who writes from the beginning on."""
        here = len(target) // 2 if len(target) > 2 * LONG else len(target)
        if here < len(target):
            self._going.append(_in_thread(populate, target[here:]))
        populate(target[:here])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await _end_of(self._going)


async def beside(call: Callable[[], None]) -> None:
    """Run `call` in a thread; it has ended when this ends, also by a cancellation."""
    await _end_of([_in_thread(call)])


def populate_soon(buffers: Sequence[Buffer]) -> None:
    """Have a thread do what `populate` does to `buffers`, in their order; they may be written to already."""
    left = [weakref.ref(each) for each in buffers]  # they may be let go of meanwhile, and their room be another one's

    def find() -> None:
        for each in left:
            if (found := each()) is not None:
                populate(memoryview(found))
            del found

    _threads().submit(find)


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


def _in_thread(call: Callable[[*Ts], None], *args: *Ts) -> asyncio.Future[None]:
    # Not the loop's own threads: a user's calls that block would be waited for.
    left = [functools.partial(call, *args)]
    return asyncio.get_running_loop().run_in_executor(_threads(), _call_once, left)


def _call_once(left: list[functools.partial[None]]) -> None:
    """Call what is in `left`, and let go of it: a thread keeps what it was given for longer than it works."""
    left.pop()()


async def _end_of(works: Sequence[asyncio.Future[None]]) -> None:
    """Wait until all have ended, also when this is cancelled meanwhile: the memory is in use."""
    cancelled: asyncio.CancelledError | None = None
    while not all(work.done() for work in works):
        try:
            await asyncio.wait(works)
        except asyncio.CancelledError as exc:
            cancelled = exc
    for work in works:
        work.result()
    if cancelled is not None:
        raise cancelled


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
