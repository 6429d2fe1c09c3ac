"""Whatever goes wrong: the right data or the named error, in bounded time, and nothing left behind.

The table of faults is in faults/cases.py, the ways to read in faults/ways.py.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import aios3_nb
from aios3_nb.streams import bulk
from tests.faults.cases import Case, Scene, stored_as, table
from tests.faults.fault import Fault, Kind
from tests.faults.hygiene import Gauges, assert_settled, gauges
from tests.faults.server import FaultServer
from tests.faults.ways import SIZE, WAYS, Way, close_runner, pickle_of_blocks

BOUND = 40.0
"""Seconds that a read with the settings below may take at the very most, on a busy machine; on a quiet one it is 4."""

PAUSE = 200.0
"""Seconds of a stall or a silence: who waits for its end does not keep within the bound."""

IMPATIENT: dict[str, Any] = {
    "connect_timeout": 0.6,
    "read_timeout": 0.6,
    "floor_bytes": 64 * 1024,
    "floor_seconds": 0.8,
    "retries": 3,
    "retry_wait": 0.1,
    "part_size": 512 * 1024,
    "concurrency": 4,
    "quiet": True,
}

BUCKET = "faults"

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDFAULTS",
    "AWS_SECRET_ACCESS_KEY": "canary-secret",
    "AWS_SESSION_TOKEN": "canary-token",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(autouse=True)
def credentials(isolated: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "server" not in request.fixturenames:  # the real one has its own
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def the_server() -> Iterator[FaultServer]:
    with FaultServer() as faulty:
        yield faulty
        close_runner()


@pytest.fixture(scope="module")
def the_sink() -> Iterator[FaultServer]:
    with FaultServer() as sink:
        yield sink


@pytest.fixture
def faulty(the_server: FaultServer) -> Iterator[FaultServer]:
    yield the_server
    the_server.reset()


@pytest.fixture
def sink(the_sink: FaultServer) -> Iterator[FaultServer]:
    yield the_sink
    the_sink.reset()


@pytest.fixture
def clean(the_server: FaultServer) -> Iterator[None]:
    """Nothing is left behind by the test, whatever its outcome."""
    before = _baseline(the_server)
    yield
    assert_settled(before)


def _baseline(server: FaultServer) -> Gauges:
    """Return what lives when the loops and their clients are there and nothing is read."""
    server.put(BUCKET, "warm", b"x")
    for way in ("open+read", "aread"):
        assert WAYS[way].read(f"s3://{BUCKET}/warm", endpoint_url=server.url, **IMPATIENT) == b"x"
    server.reset()
    bulk._threads().submit(int).result()  # which other tests may have begun, or not
    return gauges()


def _arrange(faulty: FaultServer, case: Case, way: Way) -> str:
    data = way.contents(1)
    faulty.put(BUCKET, way.key, data, **stored_as(case, len(data)))
    for fault in case.faults:
        faulty.fault(fault)
    return f"s3://{BUCKET}/{way.key}"


SCENE = Scene(size=SIZE, other=b"")
CELLS = [
    pytest.param(row, name, id=f"{row}-{name}")
    for row, case in table(SCENE).items()
    for name, way in WAYS.items()
    if not case.whole or way.in_order or (way.covers and case.in_any_order)
]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("row", "name"), CELLS)
def test_right_data_or_the_named_error(row, name, faulty, sink, clean):
    way = WAYS[name]
    data = way.contents(1)
    case = table(Scene(size=len(data), other=way.contents(2), sink=sink.url, pause=PAUSE))[row]
    uri = _arrange(faulty, case, way)
    started = time.monotonic()
    outcome: type[BaseException] | None = None
    with warnings.catch_warnings():
        if case.warns:
            warnings.simplefilter("ignore")
        try:
            seen = way.read(uri, endpoint_url=faulty.url, **IMPATIENT)
        except aios3_nb.S3Error as exc:
            outcome = type(exc)
            _assert_tells(exc, uri)
        else:
            assert seen == way.seen(data), "wrong data, silently"
    assert time.monotonic() - started < BOUND
    assert outcome is case.outcome or (outcome is None and case.or_data)
    assert sink.connections == 0, "another host was contacted"


def _assert_tells(exc: aios3_nb.S3Error, uri: str) -> None:
    """The message names the object and no secret; the error survives pickling, and is not its own cause."""
    assert uri in str(exc)
    assert exc is not exc.__cause__
    assert exc.uri == uri
    assert "canary" not in f"{exc!s}{exc!r}{exc.__cause__!r}{exc.__context__!r}"
    copy = pickle.loads(pickle.dumps(exc))
    assert (type(copy), str(copy), vars(copy)) == (type(exc), str(exc), vars(exc))


def test_a_store_without_etags_is_read_with_one_warning(faulty, clean):
    faulty.put(BUCKET, "object.pkl", pickle_of_blocks(1))
    faulty.fault(Kind.NO_ETAG, method="", times=None)
    with pytest.warns(UserWarning, match="ETag") as warned:
        WAYS["load"].read(f"s3://{BUCKET}/object.pkl", endpoint_url=faulty.url, **IMPATIENT)
    assert len(warned) == 1


# Resuming


def test_a_body_that_ends_early_is_resumed_at_the_byte_it_reached(faulty, clean):
    data = pickle_of_blocks(1)
    faulty.put(BUCKET, "object.pkl", data)
    faulty.fault(Kind.CLOSE, at=100_003)
    with aios3_nb.open(f"s3://{BUCKET}/object.pkl", endpoint_url=faulty.url, **IMPATIENT) as file:
        assert file.read(200_000) == data[:200_000]
    starts = [asked[0] for asked in faulty.gets() if asked]
    assert 100_003 in starts
    later = [request.headers.get("if-match") for request in faulty.requests if request.method == "GET"][1:]
    assert all(later), "every GET after the first is pinned"


def test_a_flaky_server_costs_a_bounded_number_of_requests(faulty, clean):
    """Eight parts do not multiply a struggling server's load: they share one budget of retries."""
    faulty.put(BUCKET, "object.pkl", pickle_of_blocks(1))
    faulty.fault(Kind.STATUS, first=3, times=None)
    with pytest.raises(aios3_nb.DownloadError):
        WAYS["load"].read(f"s3://{BUCKET}/object.pkl", endpoint_url=faulty.url, **IMPATIENT)
    gets = [request for request in faulty.requests if request.method == "GET"]
    assert len(gets) <= 2 + IMPATIENT["concurrency"] + IMPATIENT["retries"]


@pytest.mark.timeout(280)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(data=st.data())
def test_any_break_anywhere_reads_the_true_bytes(data, the_server):
    size = data.draw(st.integers(0, 900_000), label="size")
    true = pickle_of_blocks(3)[:size]
    the_server.reset()
    the_server.put(BUCKET, "any", true)
    kinds = st.sampled_from(
        [Kind.RESET, Kind.CLOSE, Kind.NO_LENGTH, Kind.RESET_EARLY, Kind.STATUS, Kind.SHIFTED, Kind.SHORT]
    )
    faults = st.builds(
        Fault,
        kind=kinds,
        at=st.integers(0, max(0, size - 1)),
        first=st.integers(1, 2),
        times=st.just(1),
        by=st.integers(1, 1000),
    )
    for fault in data.draw(st.lists(faults, max_size=2), label="faults"):
        the_server.fault(fault)
    options = IMPATIENT | {"part_size": data.draw(st.integers(20_000, 400_000), label="part_size"), "retries": 8}
    steps = st.tuples(st.integers(0, size + 10), st.integers(-1, size + 10))
    with aios3_nb.open(f"s3://{BUCKET}/any", endpoint_url=the_server.url, **options) as file:
        for position, length in data.draw(st.lists(steps, min_size=1, max_size=4), label="reads"):
            file.seek(position)
            stop = size if length < 0 else position + length
            assert file.read(length) == true[position:stop]


# Checksums


def test_a_bit_flipped_in_the_last_byte_is_caught(faulty, clean):
    """The last byte of a pickle is its STOP; here it lies behind, where pickle.load never looks."""
    true = pickle_of_blocks(1) + b"\0"
    faulty.put(BUCKET, "object.pkl", true, checksum="crc32", etag='"multipart-2"')
    faulty.fault(Kind.FLIP, at=len(true) - 1, times=None)
    with pytest.raises(aios3_nb.ChecksumError, match="CRC32"):
        WAYS["load"].read(f"s3://{BUCKET}/object.pkl", endpoint_url=faulty.url, **IMPATIENT)


def test_a_small_object_is_verified_without_a_second_request(faulty, clean):
    faulty.put(BUCKET, "object.pkl", pickle.dumps([b"small"]), checksum="crc32", etag='"multipart-2"')
    faulty.fault(Kind.FLIP, at=12, times=None)
    with pytest.raises(aios3_nb.S3Error):
        WAYS["load"].read(f"s3://{BUCKET}/object.pkl", endpoint_url=faulty.url, **IMPATIENT)
    assert [request.method for request in faulty.requests] == ["GET"]


def test_verify_require_makes_not_checked_an_error(faulty, clean):
    true = pickle_of_blocks(1)
    faulty.put(BUCKET, "object.pkl", true, etag='"multipart-2"')
    uri, options = f"s3://{BUCKET}/object.pkl", {"endpoint_url": faulty.url, **IMPATIENT}
    assert WAYS["load"].read(uri, **options) == WAYS["load"].seen(true)
    with pytest.raises(aios3_nb.NotVerifiedError):
        WAYS["load"].read(uri, verify="require", **options)


def test_verify_off_does_not_look(faulty, clean):
    faulty.put(BUCKET, "object.pkl", pickle_of_blocks(1), checksum="crc32")
    faulty.fault(Kind.FLIP, at=SIZE // 2, times=None)
    WAYS["load"].read(f"s3://{BUCKET}/object.pkl", endpoint_url=faulty.url, verify="off", **IMPATIENT)


# Stopping

INTERRUPTED = """
import asyncio, sys, time
import aios3_nb

def load():
    return aios3_nb.load(sys.argv[1], endpoint_url=sys.argv[2], quiet=True)

def main():
    try:
        load()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    input()
    print("loaded", len(load()), flush=True)

async def in_a_loop():
    main()
    assert len(asyncio.all_tasks()) == 1, asyncio.all_tasks()

if sys.argv[3] == "loop":
    asyncio.run(in_a_loop())
else:
    main()
"""


@pytest.mark.parametrize("where", ["script", "loop"])
def test_ctrl_c_during_a_stall_returns_at_once_and_the_next_load_works(faulty, where):
    data = pickle_of_blocks(1)
    faulty.put(BUCKET, "object.pkl", data)
    faulty.fault(Kind.STALL, at=SIZE // 2, times=None, seconds=250)
    command = [sys.executable, "-c", INTERRUPTED, f"s3://{BUCKET}/object.pkl", faulty.url, where]
    environment = os.environ | CREDENTIALS
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _wait_for(lambda: faulty.strikes)
            time.sleep(0.5)  # into the stall
            pressed = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted\n"
            assert time.monotonic() - pressed < 50  # of the stall there are 250
            _wait_for(lambda: all(request.done for request in faulty.requests))
            faulty.reset()
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"loaded {len(pickle.loads(data))}\n"
            assert process.wait(60) == 0
        finally:
            process.kill()


def _wait_for(condition: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to this"
        time.sleep(0.01)


@pytest.mark.parametrize("leave", ["close", "forget"])
def test_a_file_left_in_the_middle_leaves_nothing(faulty, clean, leave):
    faulty.put(BUCKET, "object.pkl", pickle_of_blocks(1))
    faulty.fault(Kind.STALL, at=SIZE // 2, times=None)
    file = aios3_nb.open(f"s3://{BUCKET}/object.pkl", endpoint_url=faulty.url, **IMPATIENT)
    assert len(file.read(SIZE // 3)) == SIZE // 3
    if leave == "close":
        file.close()
    del file


def test_an_iteration_left_in_the_middle_leaves_nothing(faulty, clean):
    way = WAYS["iterate"]
    faulty.put(BUCKET, "object.jsonl", way.contents(1))
    items = aios3_nb.iterate(f"s3://{BUCKET}/object.jsonl", endpoint_url=faulty.url, **IMPATIENT)
    assert isinstance(next(iter(items)), str)
    items.close()


# The real server


@pytest.mark.timeout(280)
def test_a_server_killed_and_restarted_in_the_middle_is_read_to_the_end(server, s3, bucket):
    data = pickle_of_blocks(1, 24 << 20)
    s3.put_object(Bucket=bucket, Key="object.pkl", Body=data)
    options = IMPATIENT | {"retries": 60, "retry_wait": 0.5, "budget": 2 << 20}
    with aios3_nb.open(f"s3://{bucket}/object.pkl", **options) as file:
        seen = [file.read(1 << 20)]
        server.kill()
        restarting = threading.Thread(target=server.restart)
        restarting.start()
        try:
            seen.append(file.read())
        finally:
            restarting.join()
    assert b"".join(seen) == data
