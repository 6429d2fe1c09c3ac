"""The file over an object: it behaves as io.BytesIO does, asks for no more than it must, and cleans up."""

from __future__ import annotations

import asyncio
import gc
import io
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import aios3_nb
from aios3_nb.streams.plan import FIRST
from tests.faults.fault import Kind
from tests.faults.server import FaultServer
from tests.faults.store import StoredObject, checksum_of, etag_of

MIB = 1024 * 1024
BYTES = np.random.default_rng(7).bytes(5 * MIB + 123)
LINES = b"".join(b"line %d\n" % n * (n % 7) for n in range(60_000))

KEYS = st.sampled_from(["bytes", "lines", "small", "empty"])
DATA = {"bytes": BYTES, "lines": LINES, "small": b"abc\ndef", "empty": b""}
STORED = {key: StoredObject(data, etag_of(data), None, checksum_of("crc32", data)) for key, data in DATA.items()}
SIZES = st.one_of(st.integers(-1, 40), st.integers(0, 2 * MIB))
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["read", "readline", "readinto", "read1", "peek", "readinto1"]), SIZES),
        st.tuples(st.sampled_from(["seek", "seek_end", "seek_here"]), st.integers(-MIB, 6 * MIB)),
        st.just(("tell", 0)),
        st.just(("next", 0)),
    ),
    max_size=12,
)


@pytest.fixture
def opened(faulty: FaultServer) -> Callable[..., aios3_nb.S3File]:
    """Opens one of the objects of DATA."""
    for key, stored in STORED.items():
        faulty.store.put("b", key, stored)
    return lambda key, **options: aios3_nb.open(f"s3://b/{key}", **options)


def apply(file: io.BufferedIOBase, model: io.BytesIO, name: str, size: int) -> None:
    """Do one operation on both and compare what it gives."""
    if name == "peek":
        shown = file.peek(size)
        assert shown == model.getvalue()[model.tell() : model.tell() + len(shown)]
        assert bool(shown) == (model.tell() < len(model.getvalue()))
    elif name in ("read1", "readinto1"):
        some = file.read1(size) if name == "read1" else read_into(file.readinto1, max(size, 0))
        assert some == model.read(len(some))
        assert bool(some) == (bool(size if name == "read1" else max(size, 0)) and bool(some or model.read(1)))
    elif name == "readinto":
        assert read_into(file.readinto, max(size, 0)) == read_into(model.readinto, max(size, 0))
    elif name.startswith("seek"):
        whence = {"seek": 0, "seek_here": 1, "seek_end": 2}[name]
        assert outcome(file.seek, size, whence) == outcome(model.seek, size, whence)
        if model.tell() != file.tell():
            # BytesIO stops at 0 where a file refuses.
            model.seek(file.tell())
    elif name == "next":
        assert next(file, None) == next(model, None)
    elif name == "tell":
        assert file.tell() == model.tell()
    else:
        assert getattr(file, name)(size) == getattr(model, name)(size)


def read_into(read: Callable[[memoryview], int], size: int) -> bytes:
    """Return what `read` gives; the memory that it wrote to is overwritten afterwards, as that of a loop would be."""
    buffer = bytearray(size)
    found = bytes(buffer[: read(memoryview(buffer))])
    buffer[:] = bytes(size)
    return found


def outcome(seek: Callable[[int, int], int], offset: int, whence: int) -> int | None:
    try:
        return seek(offset, whence)
    except ValueError:
        return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=KEYS, operations=OPERATIONS, part_size=st.sampled_from([1000, 64 * 1024, 8 * MIB]))
def test_any_sequence_of_operations_gives_what_bytesio_gives(opened, key, operations, part_size) -> None:
    model = io.BytesIO(DATA[key])
    with opened(key, part_size=part_size, budget=max(part_size, 256 * 1024)) as file:
        for name, size in operations:
            if name == "seek_end" and len(DATA[key]) + size < 0:
                continue
            if name == "seek_here" and model.tell() + size < 0:
                continue
            if name == "seek" and size < 0:
                continue
            apply(file, model, name, size)


def test_opening_sends_nothing(opened, faulty) -> None:
    file = opened("bytes")
    repr(file), file.tell(), file.seek(100), file.name
    file.close()
    assert faulty.requests == ()


def test_looking_at_the_first_bytes_costs_one_small_request(opened, faulty) -> None:
    with opened("bytes") as file:
        assert file.peek(100)[:100] == BYTES[:100]
        assert file.read(1000) == BYTES[:1000]
    assert faulty.gets() == [(0, FIRST)]


def test_a_small_object_is_one_request(opened, faulty) -> None:
    with opened("small") as file:
        assert file.read() == DATA["small"]
        assert file.finish() == "MD5 ok"
    assert len(faulty.requests) == 1


def test_an_empty_object_is_empty(opened, faulty) -> None:
    with opened("empty") as file:
        assert file.read() == file.peek() == file.readline() == b""
        assert file.seek(0, io.SEEK_END) == 0
    assert len(faulty.requests) == 1


def test_seeking_from_the_end_asks_for_the_size_once(opened, faulty) -> None:
    with opened("bytes") as file:
        assert file.seek(-10, io.SEEK_END) == len(BYTES) - 10
        assert file.read() == BYTES[-10:]
        assert file.seek(-5, io.SEEK_END) == len(BYTES) - 5
    assert [request.method for request in faulty.requests] == ["HEAD", "GET"]


def test_every_later_request_is_pinned_to_the_first_answer(opened, faulty) -> None:
    with opened("bytes", part_size=MIB) as file:
        file.read()
    first, *others = faulty.requests
    assert "if-match" not in first.headers
    assert others
    assert {request.headers["if-match"] for request in others} == {file.info.etag}


def test_what_is_in_flight_and_waiting_stays_within_the_budget(opened, faulty) -> None:
    with opened("bytes", part_size=MIB, budget=2 * MIB) as file:
        file.read(FIRST * 2)
        fetched = sum(stop - start for start, stop in faulty.gets())
    assert fetched <= FIRST * 2 + 2 * MIB


@pytest.mark.parametrize("size", range(458_980, 459_020, 7))
def test_small_parts_that_end_anywhere_in_a_long_read(opened, size: int) -> None:
    with opened("bytes", part_size=1000, budget=256 * 1024) as file:
        assert file.read(size) == BYTES[:size]


def test_what_was_read_into_memory_of_the_caller_is_not_read_from_there_again(opened) -> None:
    with opened("bytes") as file:
        assert file.read(10) == BYTES[:10]
        assert read_into(file.readinto, 4 * MIB) == BYTES[10 : 4 * MIB + 10]
        file.seek(-MIB, io.SEEK_CUR)
        assert file.read(100) == BYTES[3 * MIB + 10 :][:100]


def test_closing_stops_what_is_in_flight(opened, faulty) -> None:
    with opened("bytes") as file:
        file.read(1)
    with pytest.raises(ValueError, match="closed"):
        file.read(1)
    assert file.closed
    file.close()


def test_a_file_moves_between_threads(opened) -> None:
    """Opened and begun inside a running loop, read to its end in a thread that the loop's thread waits for."""
    rest = []

    async def main() -> None:
        file = opened("bytes")
        assert file.read(1000) == BYTES[:1000]
        thread = threading.Thread(target=lambda: rest.append(file.read()))
        thread.start()
        thread.join(60)
        assert file.seek(0) == 0
        assert await file.aread(10) == BYTES[:10]
        await file.aclose()

    asyncio.run(main())
    assert rest == [BYTES[1000:]]


def test_two_threads_read_one_file_without_losing_a_byte(opened) -> None:
    pieces: list[bytes] = []
    with opened("bytes", part_size=256 * 1024) as file:

        def work() -> None:
            while piece := file.read(10_000):
                pieces.append(piece)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert sum(map(len, pieces)) == len(BYTES)
    assert sorted(pieces) == sorted(BYTES[n : n + 10_000] for n in range(0, len(BYTES), 10_000))


def test_async_reads_and_lines(opened) -> None:
    async def main() -> None:
        async with opened("lines") as file:
            assert [line async for line in file] == LINES.splitlines(keepends=True)
        async with opened("bytes") as file:
            buffer = bytearray(3 * MIB)
            assert await file.areadinto(buffer) == len(buffer)
            assert buffer == BYTES[: 3 * MIB]
            assert await file.apeek(5) == BYTES[3 * MIB : 3 * MIB + 5]
            assert await file.aread() == BYTES[3 * MIB :]

    asyncio.run(main())


def test_cancelling_from_another_thread_ends_a_waiting_read(opened, faulty) -> None:
    faulty.fault(Kind.STALL, at=MIB, seconds=20)
    file = opened("bytes", read_timeout=30)
    timer = threading.Timer(0.3, file.cancel)
    timer.start()
    try:
        with pytest.raises(aios3_nb.LoadCancelledError):
            file.read()
        with pytest.raises(aios3_nb.LoadCancelledError):
            file.read(1)
    finally:
        faulty.reset()
        file.close()
    timer.join()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("turns", range(12))
def test_closing_waits_also_for_a_request_that_ended_in_this_turn_of_the_loop(opened, faulty, turns) -> None:
    """It has ended, and what it calls back runs in the next turn; waiting must let that turn come."""
    faulty.fault(Kind.STALL, at=4 * MIB, seconds=20)

    async def main() -> None:
        file = opened("bytes")
        for _ in range(30):
            await file.aread(100_000)
        file.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        await file.aclose()

    asyncio.run(main())


def test_a_read_that_fails_leaves_nothing_that_cannot_be_collected(opened, faulty, monkeypatch) -> None:
    """The error's traceback holds the memory that was read into, and pieces of it."""
    faulty.fault(Kind.STALL, at=MIB, seconds=20)
    file = opened("bytes", read_timeout=30)
    timer = threading.Timer(0.3, file.cancel)
    timer.start()
    with pytest.raises(aios3_nb.LoadCancelledError):
        file.read()
    timer.join()
    faulty.reset()
    file.close()
    del file
    complaints: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: complaints.append(str(what.exc_value)))
    gc.collect()
    assert complaints == []
