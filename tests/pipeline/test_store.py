"""Storing values in S3: all of it or nothing, told in one line, and stopped at once."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import aios3_nb
from aios3_nb.pipeline import make_store_order, store_value
from aios3_nb.streams import Monitor
from tests.kernels import kernel

ROWS = [{"n": n, "text": f"row {n}"} for n in range(1000)]


def keys(s3: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def uploads(s3: Any, bucket: str) -> list[Any]:
    return s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a.pkl.gz", {"a": ROWS}),
        ("a.json.zst", ROWS),
        ("a.parquet", pd.DataFrame(ROWS)),
        ("a.csv.gz", pd.DataFrame(ROWS)),
        ("a.npy", np.arange(2_000_000.0)),
        ("a.md", "# ü\n"),
        ("a.bin", bytes(13_000_000)),
        ("empty.bin", b""),
    ],
)
def test_what_is_dumped_is_what_loads(s3: Any, bucket: str, key: str, value: Any) -> None:
    uri = f"s3://{bucket}/{key}"
    aios3_nb.dump(value, uri)
    found = aios3_nb.load(uri)
    assert found.equals(value) if isinstance(value, pd.DataFrame) else np.array_equal(found, value)
    asyncio.run(aios3_nb.adump(value, f"s3://{bucket}/again/{key}"))
    one, other = (s3.get_object(Bucket=bucket, Key=each)["Body"].read() for each in (key, f"again/{key}"))
    assert one == other
    assert one[:2] == b"\x1f\x8b" if key.endswith(".gz") else one[:2] != b"\x1f\x8b"


def test_what_cannot_be_written_leaves_what_is_there(s3: Any, bucket: str) -> None:
    uri = f"s3://{bucket}/k.json.gz"
    aios3_nb.dump([1], uri)
    with pytest.raises(aios3_nb.FormatError, match=r"k\.json\.gz: json cannot hold this dict") as caught:
        aios3_nb.dump({"rows": ROWS * 2000, "last": {1}}, uri)
    assert caught.value.uri == uri
    assert aios3_nb.load(uri) == [1]
    with pytest.raises(aios3_nb.OptionError, match="format=NAME"):
        aios3_nb.dump({"a": 1}, f"s3://{bucket}/other")
    assert keys(s3, bucket) == ["k.json.gz"]


class Slow:
    """Takes minutes to be pickled, a bit at a time."""

    def __reduce__(self) -> Any:
        time.sleep(0.005)
        return bytes, (b"x" * 100_000,)


def test_a_stop_while_it_is_encoded_stores_nothing_and_comes_at_once(s3: Any, bucket: str) -> None:
    async def main() -> float:
        order = make_store_order(f"s3://{bucket}/slow.pkl", {})
        before = set(threading.enumerate())
        storing = store_value([Slow() for _ in range(40_000)], order, Monitor())
        task = asyncio.get_running_loop().create_task(storing)
        while not (found := {thread for thread in threading.enumerate() if "reader" in thread.name} - before):
            assert not task.done()
            await asyncio.sleep(0.01)
        (encoding,) = found
        await asyncio.sleep(0.1)  # some of it is encoded
        assert not task.done()
        began = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        encoding.join(60)  # its last step is to say that it has ended
        assert not encoding.is_alive()
        return time.perf_counter() - began

    assert asyncio.run(main()) < 30
    assert keys(s3, bucket) == []


class Cancelling(Monitor):
    """Presses Cancel when it is told of `phase`."""

    def __init__(self, phase: str) -> None:
        self._phase = phase
        self._cancel: Any = None

    def began(self, cancel: Any) -> None:
        self._cancel = cancel

    def phase(self, name: str) -> None:
        if name == self._phase:
            self._cancel()


@pytest.mark.parametrize("phase", ["encoding", "uploading"])
def test_cancel_stores_nothing(s3: Any, bucket: str, phase: str) -> None:
    order = make_store_order(f"s3://{bucket}/k.bin", {})
    with pytest.raises(aios3_nb.LoadCancelledError, match="was not stored"):
        asyncio.run(store_value(bytes(30_000_000), order, Cancelling(phase)))
    assert keys(s3, bucket) == []
    assert uploads(s3, bucket) == []


def test_the_loop_goes_on_while_json_is_encoded(bucket: str) -> None:
    """What takes a second to encode keeps the loop for no more than a fraction of it."""
    value = {"rows": [{"id": n, "name": f"name {n}", "tags": ["a", "b"], "x": n / 7} for n in range(400_000)]}

    async def main() -> tuple[float, float]:
        longest = 0.0

        # Of the processor's time: that does not go on while the machine does something else.
        async def watch() -> None:
            nonlocal longest
            while True:
                began = time.process_time()
                await asyncio.sleep(0.01)
                longest = max(longest, time.process_time() - began)

        watcher = asyncio.create_task(watch())
        began = time.process_time()
        await aios3_nb.adump(value, f"s3://{bucket}/large.json")
        watcher.cancel()
        return longest, time.process_time() - began

    longest, whole = asyncio.run(main())
    assert longest < max(0.5, whole / 3)
    assert json.loads(json.dumps(aios3_nb.load(f"s3://{bucket}/large.json"))) == value


def test_the_magic_ends_with_one_line_and_its_mistakes_are_one_line(server: Any, bucket: str, tmp_path: Path) -> None:
    with kernel(server.environ()) as running:
        running.ok("%load_ext aios3_nb\nimport pandas as pd\nrows = [{'n': n} for n in range(9000)]")
        said = running.ok(f"%s3save rows s3://{bucket}/rows.jsonl.gz").stdout
        assert said.startswith("rows.jsonl.gz: stored ")
        assert ", etag " in said
        assert said.count("\n") == 1
        assert running.ok(f"%s3save --quiet rows s3://{bucket}/rows.json").stdout == ""
        running.ok("frame = pd.DataFrame(rows); own = lambda: None")
        assert "stored" in running.ok(f"%s3save frame s3://{bucket}/frame.parquet").stdout
        for line, says in (
            (f"%s3save frame s3://{bucket}/frame.json", "json cannot hold this pandas"),
            (f"%s3save own s3://{bucket}/own.pkl", "pickle cannot hold this function"),
        ):
            failed = running.run(line)
            assert says in failed.traceback
            assert failed.traceback.count("\n") == 0
    assert len(aios3_nb.load(f"s3://{bucket}/rows.jsonl.gz")) == 9000
