"""What a small load takes: one request, one way to the loop and back, no task; and faults are met as in a large one."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

import aios3_nb
from aios3_nb.loop import bridge
from aios3_nb.pipeline import load_one, make_order
from aios3_nb.settings import MIB
from aios3_nb.streams import Monitor
from tests.faults.fault import Kind
from tests.faults.server import FaultServer
from tests.faults.store import checksum_of

VALUE = {"threshold": 0.5, "weights": bytes(1000)}
DATA = pickle.dumps(VALUE)
BIG = pickle.dumps(bytes(MIB // 2))


def ways_of(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that grows with every call that is handed to the background loop."""
    loop = bridge().loop
    hand_over, ways = loop.call_soon_threadsafe, []

    def noted(call: Any, *args: Any, **more: Any) -> Any:
        ways.append(call)
        return hand_over(call, *args, **more)

    monkeypatch.setattr(loop, "call_soon_threadsafe", noted)
    return ways


@pytest.mark.parametrize("value", [b"", b"x" * 1000, b"x" * (MIB // 5)])
def test_a_small_load_goes_to_the_loop_once(faulty: FaultServer, monkeypatch: pytest.MonkeyPatch, value: bytes) -> None:
    faulty.put("bkt", "a.pkl", pickle.dumps(value), checksum="crc32")
    faulty.put("bkt", "a.bin", value, checksum="crc32")
    aios3_nb.load("s3://bkt/a.pkl")  # makes the client
    asked = len(faulty.requests)
    ways = ways_of(monkeypatch)
    assert aios3_nb.load("s3://bkt/a.pkl") == value
    assert aios3_nb.load("s3://bkt/a.bin", format="bytes") == value
    assert len(faulty.requests) == asked + 2
    assert len(ways) == 2


def test_a_small_load_may_not_have_more_than_it_may(faulty: FaultServer) -> None:
    faulty.put("bkt", "a.bin", b"x" * 1000)
    assert aios3_nb.load("s3://bkt/a.bin", format="bytes", max_bytes=1000) == b"x" * 1000
    with pytest.raises(aios3_nb.TooLargeError):
        aios3_nb.load("s3://bkt/a.bin", format="bytes", max_bytes=999)


def test_a_small_load_that_is_awaited_is_one_request_and_no_task(faulty: FaultServer) -> None:
    faulty.put("bkt", "a.pkl", DATA, checksum="crc32")

    async def main() -> None:
        await aios3_nb.aload("s3://bkt/a.pkl")  # makes the client
        tasks: list[str] = []

        def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
            tasks.append(str(coroutine))
            return asyncio.Task(coroutine, loop=loop, **more)

        asyncio.get_running_loop().set_task_factory(make)
        assert await aios3_nb.aload("s3://bkt/a.pkl") == VALUE
        assert tasks == []

    asyncio.run(main())
    assert len(faulty.requests) == 2


def files() -> int:
    """Return how many files there are."""
    return sum(type(each) is aios3_nb.S3File for each in gc.get_objects())


@pytest.mark.parametrize("stopped", [False, True])
def test_of_gathered_loads_as_many_have_begun_as_there_are_connections(faulty: FaultServer, stopped: bool) -> None:
    """The others wait with their order alone; and those that are stopped leave their turn to who comes after them."""
    faulty.put("bkt", "a.pkl", DATA, checksum="crc32")

    async def main() -> None:
        await aios3_nb.aload("s3://bkt/a.pkl")  # makes the client
        before = files()
        tasks = [asyncio.ensure_future(aios3_nb.aload("s3://bkt/a.pkl")) for _ in range(150)]
        await asyncio.sleep(0)  # all have begun that can; nothing has been answered
        assert 0 < files() - before <= 64
        for task in tasks[:149] if stopped else ():
            task.cancel()
        *others, last = await asyncio.gather(*tasks, return_exceptions=True)
        assert last == VALUE
        assert stopped or others == [VALUE] * 149

    asyncio.run(main())


@pytest.mark.parametrize("verify", ["auto", "require", "off"])
def test_a_small_load_says_what_was_checked(faulty: FaultServer, verify: str) -> None:
    faulty.put("bkt", "a.pkl", DATA, checksum="crc32")
    loaded = load_one(make_order("s3://bkt/a.pkl", {"verify": verify}), Monitor())
    assert loaded.value == VALUE
    assert loaded.verdict == ("not checked (verify is off)" if verify == "off" else "CRC32 ok")


def test_a_small_load_that_cannot_be_checked_says_so(faulty: FaultServer) -> None:
    faulty.put("bkt", "a.pkl", DATA, etag='"other"')
    assert load_one(make_order("s3://bkt/a.pkl", {}), Monitor()).verdict == "not checked (no checksum)"
    with pytest.raises(aios3_nb.NotVerifiedError):
        aios3_nb.load("s3://bkt/a.pkl", verify="require")


def test_a_small_object_with_another_bit_is_damaged_and_not_malformed(faulty: FaultServer) -> None:
    faulty.put("bkt", "a.pkl", DATA, checksum="crc32")
    faulty.fault(Kind.FLIP, at=3, times=None)
    with pytest.raises(aios3_nb.ChecksumError, match="damaged"):
        aios3_nb.load("s3://bkt/a.pkl")


def _loaded(key: str, **options: Any) -> Any:
    return aios3_nb.load(f"s3://bkt/{key}", format="bytes", **options)


def _opened(key: str, **options: Any) -> bytes:
    with aios3_nb.open(f"s3://bkt/{key}", **options) as file:
        return file.read()


def test_an_object_whose_bytes_were_lost_on_the_way_is_not_empty(faulty: FaultServer) -> None:
    """Something between may answer with all headers, and no byte."""
    for name in ("crc32", "sha256"):
        faulty.reset()
        faulty.put("bkt", "a.bin", b"some bytes", checksum=name)
        faulty.put("bkt", "empty.bin", b"", checksum=name)
        header, value = checksum_of(name, b"some bytes")
        faulty.fault(Kind.ANSWER, key="a.bin", status=200, headers={"ETag": '"other"', header: value}, times=None)
        for read in (_loaded, _opened):
            assert read("empty.bin") == read("empty.bin", verify="require") == read("a.bin", verify="off") == b""
            with pytest.raises(aios3_nb.ChecksumError, match="without a byte"):
                read("a.bin")


def test_a_small_body_that_breaks_is_resumed_where_it_was(faulty: FaultServer) -> None:
    faulty.put("bkt", "a.pkl", DATA, checksum="crc32")
    faulty.fault(Kind.CLOSE, at=700)
    assert aios3_nb.load("s3://bkt/a.pkl") == VALUE
    assert faulty.gets("a.pkl") == [None, (700, len(DATA))]


WAITS: dict[str, Callable[[FaultServer], None]] = {
    "for the answer": lambda server: server.fault(Kind.DELAY, seconds=20),
    "for the body": lambda server: server.fault(Kind.HOLD, at=700),
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_small_load_waits_no_longer_than_all_its_waits_may_take(faulty: FaultServer, wait: str) -> None:
    faulty.put("bkt", "a.pkl", DATA)
    WAITS[wait](faulty)
    with pytest.raises(aios3_nb.StalledError, match=r"\(total_timeout\)"):
        aios3_nb.load("s3://bkt/a.pkl", total_timeout=0.2)


class Cancelling(Monitor):
    """Cancels once the request has been sent, from another thread."""

    def began(self, cancel: Callable[[], None]) -> None:
        self.cancel = cancel

    def requested(self) -> None:
        threading.Timer(0.1, self.cancel).start()


@pytest.mark.parametrize("data", [DATA, BIG], ids=["small", "large"])
@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("retries", [0, 5])
def test_a_load_that_is_cancelled_stops_waiting(faulty: FaultServer, data: bytes, wait: str, retries: int) -> None:
    faulty.put("bkt", "a.pkl", data)
    WAITS[wait](faulty)
    with pytest.raises(aios3_nb.LoadCancelledError):
        load_one(make_order("s3://bkt/a.pkl", {"retries": retries}), Cancelling())
    assert len(faulty.gets()) <= 1
