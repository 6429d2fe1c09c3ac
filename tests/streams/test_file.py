"""The file over an object: it behaves as io.BytesIO does, asks for no more than it must, and cleans up."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import json
import pickle
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import aios3_nb
from aios3_nb.streams import bulk, pace
from aios3_nb.streams.plan import FIRST
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer

MIB = 1024 * 1024
BYTES = np.random.default_rng(7).bytes(5 * MIB + 123)
LINES = b"".join(b"line %d\n" % n * (n % 7) for n in range(60_000))

KEYS = st.sampled_from(["bytes", "lines", "small", "empty"])
DATA = {"bytes": BYTES, "lines": LINES, "small": b"abc\ndef", "empty": b""}
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


@pytest.fixture(scope="module")
def store() -> Iterator[FaultServer]:
    """A server with the objects of DATA in bucket b."""
    with FaultServer() as server:
        for key, data in DATA.items():
            server.put("b", key, data, checksum="crc32")
        yield server


@pytest.fixture
def opened(store: FaultServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., aios3_nb.S3File]:
    """Opens an object of the store; the request log begins empty."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    store.reset()
    return lambda key, **options: aios3_nb.open(f"s3://b/{key}", endpoint_url=store.url, **options)


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


def test_opening_sends_nothing(opened, store) -> None:
    file = opened("bytes")
    repr(file), file.tell(), file.seek(100), file.name
    file.close()
    assert store.requests == ()


def test_looking_at_the_first_bytes_costs_one_small_request(opened, store) -> None:
    with opened("bytes") as file:
        assert file.peek(100)[:100] == BYTES[:100]
        assert file.read(1000) == BYTES[:1000]
    assert store.gets() == [(0, FIRST)]


def test_a_small_object_is_one_request(opened, store) -> None:
    with opened("small") as file:
        assert file.read() == DATA["small"]
        assert file.finish() == "MD5 ok"
    assert len(store.requests) == 1


def test_an_empty_object_is_empty(opened, store) -> None:
    with opened("empty") as file:
        assert file.read() == file.peek() == file.readline() == b""
        assert file.seek(0, io.SEEK_END) == 0
    assert len(store.requests) == 1


def test_seeking_from_the_end_asks_for_the_size_once(opened, store) -> None:
    with opened("bytes") as file:
        assert file.seek(-10, io.SEEK_END) == len(BYTES) - 10
        assert file.read() == BYTES[-10:]
        assert file.seek(-5, io.SEEK_END) == len(BYTES) - 5
    assert [request.method for request in store.requests] == ["HEAD", "GET"]


def test_every_later_request_is_pinned_to_the_first_answer(opened, store) -> None:
    with opened("bytes", part_size=MIB) as file:
        file.read()
    first, *others = store.requests
    assert "if-match" not in first.headers
    assert others
    assert {request.headers["if-match"] for request in others} == {file.info.etag}


def test_what_is_in_flight_and_waiting_stays_within_the_budget(opened, store) -> None:
    with opened("bytes", part_size=MIB, budget=2 * MIB) as file:
        file.read(FIRST * 2)
        fetched = sum(stop - start for start, stop in store.gets())
    assert fetched <= FIRST * 2 + 2 * MIB


def test_more_requests_are_under_way_than_there_is_memory_for(opened, store, monkeypatch) -> None:
    made: list[int] = []
    make = bulk.buffer
    monkeypatch.setattr(bulk, "buffer", lambda length: made.append(length) or make(length))
    value = [np.random.default_rng(n).bytes(200_000) for n in range(60)]
    store.put("b", "strings.pkl", pickle.dumps(value), checksum="crc32")
    store.fault(Fault(kind=Kind.DELAY, seconds=0.03, times=None))  # else it is a near one: one request is enough
    options = {"part_size": MIB, "budget": 2 * MIB, "concurrency": 5}
    assert aios3_nb.load("s3://b/strings.pkl", endpoint_url=store.url, **options) == value
    assert len(store.gets()) >= 12
    assert sum(length == MIB for length in made) == 2
    assert sum(made) < 3 * MIB  # and one for the end, which is shorter


LARGE = np.random.default_rng(2).bytes(24 * MIB)
FAR = Fault(kind=Kind.DELAY, seconds=0.03, times=None)
SLOW = Fault(kind=Kind.THROTTLE, rate=2e7, times=None)


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, the server counts as near and fast."""
    monkeypatch.setattr(pace, "_NEAR", 60.0)
    monkeypatch.setattr(pace, "_SWIFT", 1.0)


def test_a_server_that_is_near_and_fast_is_asked_once(opened, store, near) -> None:
    store.put("b", "large.bin", LARGE, checksum="crc32")
    assert aios3_nb.load("s3://b/large.bin", format="bytes", endpoint_url=store.url, verify="require") == LARGE
    assert len(store.gets()) == 1


@pytest.mark.parametrize("what", [FAR, SLOW], ids=lambda fault: fault.kind.value)
def test_one_that_is_far_or_slow_is_asked_for_several_parts_at_once(opened, store, what, monkeypatch) -> None:
    if what is SLOW:
        monkeypatch.setattr(pace, "_NEAR", 60.0)
    store.put("b", "large.bin", LARGE, checksum="crc32")
    store.fault(what)
    options = {"endpoint_url": store.url, "verify": "require", "concurrency": 4}  # parts of 6 MiB
    assert aios3_nb.load("s3://b/large.bin", format="bytes", **options) == LARGE
    assert len(store.gets()) >= 3


def test_parts_too_short_to_tell_of_a_slow_connection_are_fetched_at_once(opened, store, monkeypatch) -> None:
    monkeypatch.setattr(pace, "_NEAR", 60.0)
    store.put("b", "large.bin", LARGE, checksum="crc32")
    assert aios3_nb.load("s3://b/large.bin", format="bytes", endpoint_url=store.url, part_size="1M") == LARGE
    assert len(store.gets()) == 24


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.CLOSE, Kind.STALL, Kind.DRIP])
def test_the_one_connection_to_a_near_server_breaks(opened, store, near, kind) -> None:
    store.put("b", "large.bin", LARGE, checksum="crc32")
    store.fault(Fault(kind=kind, at=13_000_000, seconds=20.0))
    options = {"endpoint_url": store.url, "verify": "require", "read_timeout": 1, "floor_seconds": 1, "retry_wait": 0.1}
    assert aios3_nb.load("s3://b/large.bin", format="bytes", **options) == LARGE
    assert 2 <= len(store.gets()) <= 5


def test_an_object_that_is_replaced_while_the_one_connection_breaks(opened, store, near) -> None:
    store.put("b", "large.bin", LARGE, checksum="crc32")
    store.fault(Fault(kind=Kind.RESET, at=13_000_000))
    store.fault(Fault(kind=Kind.REPLACE, first=2, data=LARGE[::-1]))
    with pytest.raises(aios3_nb.ObjectChangedError):
        aios3_nb.load("s3://b/large.bin", format="bytes", endpoint_url=store.url, retry_wait=0.1)


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


def test_closing_stops_what_is_in_flight(opened, store) -> None:
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
        thread.join(20)
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
            thread.join(30)
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


def test_cancelling_from_another_thread_ends_a_waiting_read(opened, store) -> None:
    store.fault(Kind.STALL, at=MIB, seconds=20)
    file = opened("bytes", read_timeout=30)
    timer = threading.Timer(0.3, file.cancel)
    timer.start()
    try:
        with pytest.raises(aios3_nb.LoadCancelledError):
            file.read()
        with pytest.raises(aios3_nb.LoadCancelledError):
            file.read(1)
    finally:
        store.reset()
        file.close()
    timer.join()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("turns", range(12))
def test_closing_waits_also_for_a_request_that_ended_in_this_turn_of_the_loop(opened, store, turns) -> None:
    """It has ended, and what it calls back runs in the next turn; waiting must let that turn come."""
    store.fault(Kind.STALL, at=4 * MIB, seconds=20)

    async def main() -> None:
        file = opened("bytes")
        for _ in range(30):
            await file.aread(100_000)
        file.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        await file.aclose()

    asyncio.run(main())


def test_a_read_that_fails_leaves_nothing_that_cannot_be_collected(opened, store, monkeypatch) -> None:
    """The error's traceback holds the memory that was read into, and pieces of it."""
    store.fault(Kind.STALL, at=MIB, seconds=20)
    file = opened("bytes", read_timeout=30)
    timer = threading.Timer(0.3, file.cancel)
    timer.start()
    with pytest.raises(aios3_nb.LoadCancelledError):
        file.read()
    timer.join()
    store.reset()
    file.close()
    del file
    complaints: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: complaints.append(str(what.exc_value)))
    gc.collect()
    assert complaints == []


# ---- the libraries that take a file


def put(store: FaultServer, data: bytes) -> str:
    store.put("b", "made", data)
    return "made"


def test_pickle_and_json_take_it(opened, store) -> None:
    value = {"rows": [{"n": n, "text": "é" * n} for n in range(2000)], "blob": BYTES[:MIB]}
    with opened(put(store, pickle.dumps(value))) as file:
        assert pickle.load(file) == value
    with opened(put(store, json.dumps(value["rows"]).encode())) as file:
        assert json.load(file) == value["rows"]


def test_gzip_zipfile_and_text_take_it(opened, store) -> None:
    with opened(put(store, gzip.compress(LINES))) as file, gzip.open(file) as plain:
        assert plain.read() == LINES
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", BYTES)
        archive.writestr("b", LINES)
    with opened(put(store, made.getvalue())) as file, zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["a", "b"]
        assert archive.read("b") == LINES
    with opened("lines") as file, io.TextIOWrapper(file, encoding="utf-8") as text:
        assert text.readlines() == LINES.decode().splitlines(keepends=True)


def test_numpy_takes_it(opened, store) -> None:
    array = np.arange(300_000.0).reshape(300, 1000)
    made = io.BytesIO()
    np.save(made, array)
    with opened(put(store, made.getvalue())) as file:
        np.testing.assert_array_equal(np.load(file), array)
    made = io.BytesIO()
    np.savez(made, array=array, other=array[0])
    with opened(put(store, made.getvalue())) as file, np.load(file) as arrays:
        np.testing.assert_array_equal(arrays["other"], array[0])


def test_pandas_takes_it(opened, store) -> None:
    frame = pd.DataFrame({"n": range(20_000), "text": [f"row {n}" for n in range(20_000)]})
    with opened(put(store, frame.to_parquet())) as file:
        pd.testing.assert_frame_equal(pd.read_parquet(file), frame)
    with opened(put(store, frame.to_csv(index=False).encode())) as file:
        pd.testing.assert_frame_equal(pd.read_csv(file), frame)


def test_joblib_takes_it(opened, store) -> None:
    made = io.BytesIO()
    joblib.dump({"array": np.arange(1000.0)}, made)
    with opened(put(store, made.getvalue())) as file:
        np.testing.assert_array_equal(joblib.load(file)["array"], np.arange(1000.0))
