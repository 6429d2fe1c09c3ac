"""The Python calls, sync and awaited, on the real server."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import json
import mmap
import pickle
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

import aios3_nb
from aios3_nb.streams.part import Part

ROWS = [{"n": n, "text": f"row {n}"} for n in range(3000)]


def test_load_and_aload_give_the_same(put: Any) -> None:
    uri = put("rows.pkl", pickle.dumps(ROWS))
    assert aios3_nb.load(uri) == asyncio.run(aios3_nb.aload(uri)) == ROWS


def test_a_large_object_is_decoded_in_a_thread_when_awaited(put: Any) -> None:
    arrays = {"a": np.arange(2_000_000.0)}
    uri = put("arrays.pkl", pickle.dumps(arrays, protocol=5))
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    async def main() -> Any:
        other = asyncio.get_running_loop().create_task(tick())
        loaded = await aios3_nb.aload(uri)
        other.cancel()
        return loaded

    np.testing.assert_array_equal(asyncio.run(main())["a"], arrays["a"])
    assert ticks > 3


def test_a_load_leaves_no_memory_to_the_collector(put: Any) -> None:
    """Buffers in a cycle would stay until it comes, which may be long after a large load."""
    uri = put("arrays.pkl", pickle.dumps(np.arange(4_000_000.0), protocol=5))
    gc.collect()
    gc.disable()
    try:
        aios3_nb.load(uri)
        until = time.monotonic() + 30
        # Their words, for a list of them would itself be what keeps those that were just about to go.
        while left := [repr(thing) for thing in gc.get_objects() if isinstance(thing, (Part, mmap.mmap))]:
            assert time.monotonic() < until, left
            time.sleep(0.01)  # the loop's own thread and those that copy let go a moment later
    finally:
        gc.enable()


def test_a_sync_load_works_inside_a_running_loop_and_in_a_thread(put: Any) -> None:
    uri = put("rows.json", json.dumps(ROWS).encode())

    async def main() -> Any:
        return aios3_nb.load(uri)

    assert asyncio.run(main()) == ROWS
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(aios3_nb.load(uri)))
    thread.start()
    thread.join(60)
    assert results == [ROWS]


def test_many_loads_at_once(put: Any) -> None:
    uris = [put(f"many/{n}.pkl", pickle.dumps(n)) for n in range(60)]

    async def main() -> list[Any]:
        return await asyncio.gather(*map(aios3_nb.aload, uris))

    assert asyncio.run(main()) == list(range(60))
    everything = aios3_nb.load(uris[0].rpartition("/")[0] + "/*.pkl")
    assert everything == {f"many/{n}.pkl": n for n in range(60)}


def test_iterate_and_aiterate_give_items(put: Any) -> None:
    many = put("many.pkl", b"".join(map(pickle.dumps, ROWS)))
    lines = put("rows.jsonl.gz", gzip.compress("\n".join(map(json.dumps, ROWS)).encode()))
    nested = put("nested.json", json.dumps({"a": {"b": ROWS}}).encode())
    assert list(aios3_nb.iterate(many)) == ROWS
    assert list(aios3_nb.iterate(lines, limit=7)) == ROWS[:7]
    assert list(aios3_nb.iterate(nested, path="a.b.item")) == ROWS

    async def main() -> list[Any]:
        return [item async for item in aios3_nb.aiterate(many)]

    assert asyncio.run(main()) == ROWS


def test_leaving_a_loop_and_going_on_in_another(put: Any) -> None:
    with aios3_nb.iterate(put("many.pkl", b"".join(map(pickle.dumps, ROWS)))) as items:
        for item in items:
            if item["n"] == 10:
                break
        assert next(items) == ROWS[11]
        assert list(items) == ROWS[12:]


@pytest.mark.parametrize("where", ["__next__", "items", "take"])
def test_an_interrupt_at_any_place_between_two_items_ends_the_download(put: Any, where: str) -> None:
    """Its traceback is kept by IPython, and must not keep the connections."""
    items = aios3_nb.iterate(put("many.pkl", b"".join(map(pickle.dumps, ROWS * 30))))

    def take(number: int) -> int:
        return number

    def strike(frame: Any, event: str, arg: object) -> None:
        if event == "call" and frame.f_code.co_name == where and items.count > 5:
            sys.setprofile(None)
            raise KeyboardInterrupt

    def work() -> None:
        for item in items:
            take(item["n"])

    sys.setprofile(strike)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        sys.setprofile(None)
    # One in the loop's own body leaves the items as they are, for another loop.
    assert ("closed" in repr(items)) == (where != "take")
    items.close()


def test_leaving_an_async_iteration_closes_it(put: Any) -> None:
    many = put("many.pkl", b"".join(map(pickle.dumps, ROWS * 30)))

    async def main() -> list[str]:
        items = aios3_nb.aiterate(many)
        assert await anext(items) == ROWS[0]
        await items.aclose()
        return [task.get_name() for task in asyncio.all_tasks() if "aios3_nb" in task.get_name()]

    assert asyncio.run(main()) == []


def test_bytes_and_text_are_just_that(put: Any) -> None:
    uri = put("rows.pkl", b"\x80 not looked at")
    assert aios3_nb.load(uri, format="bytes") == b"\x80 not looked at"
    assert aios3_nb.load(put("e.txt", "é\r\n".encode()), format="text") == "é\r\n"


def test_an_open_file_is_lazy_and_seekable(put: Any) -> None:
    uri = put("a.bin", bytes(range(256)) * 100)
    with aios3_nb.open(uri) as file:
        file.seek(-3, io.SEEK_END)
        assert file.read() == b"\xfd\xfe\xff"
    with pytest.raises(aios3_nb.ObjectNotFoundError), aios3_nb.open(f"{uri}.absent") as file:
        file.read()


def test_ls_lists_folders_objects_and_globs(put: Any, bucket: str) -> None:
    put("ls/a/b/c.txt", b"1")
    put("ls/a/d.txt", b"22")
    put("ls/e.txt", b"333")

    def keys(uri: str, **options: Any) -> list[str]:
        return [entry.uri.key for entry in aios3_nb.ls(f"s3://{bucket}/{uri}", **options)]

    assert [entry.name for entry in aios3_nb.ls(f"s3://{bucket}/ls/")] == ["a/", "e.txt"]
    assert keys("ls/a") == ["ls/a/b/", "ls/a/d.txt"]
    assert keys("ls/a/", recursive=True) == ["ls/a/b/c.txt", "ls/a/d.txt"]
    assert keys("ls/**/*.txt") == ["ls/a/b/c.txt", "ls/a/d.txt", "ls/e.txt"]
    assert [e.size for e in asyncio.run(aios3_nb.als(f"s3://{bucket}/ls/a/d.txt"))] == [2]
    few = aios3_nb.ls(f"s3://{bucket}/ls/", recursive=True, limit=2)
    assert (len(few), few.complete) == (2, False)
    assert bucket in [entry.uri.bucket for entry in aios3_nb.ls()]


def test_relative_keys_start_at_the_place_that_was_set(put: Any, bucket: str) -> None:
    put("deep/er/x.json", b"[1]")
    aios3_nb.cd(f"s3://{bucket}/deep")
    try:
        assert aios3_nb.load("er/x.json") == [1]
        assert [e.uri.key for e in aios3_nb.ls()] == ["deep/er/"]
    finally:
        aios3_nb.cd(None)
    with pytest.raises(aios3_nb.UriError):
        aios3_nb.load("er/x.json")


def test_dump_stores_all_or_nothing(put: Any, bucket: str) -> None:
    uri = f"s3://{bucket}/made.pkl"
    big = {"blob": bytes(12_000_000), "rows": ROWS}
    aios3_nb.dump(big, uri)
    assert aios3_nb.load(uri) == big
    with pytest.raises(Exception, match="pickle"):
        aios3_nb.dump({"rows": ROWS, "bad": lambda: None}, uri)
    assert aios3_nb.load(uri) == big
    aios3_nb.dump({"a": [1, 2.5, None]}, f"s3://{bucket}/made.json")
    assert aios3_nb.load(f"s3://{bucket}/made.json") == {"a": [1, 2.5, None]}


def test_the_four_calls_of_aios3(bucket: str) -> None:
    body = bytes(range(256)) * 50_000

    async def main() -> None:
        await aios3_nb.save(bucket, "four.bin", body)
        assert await aios3_nb.read(bucket, "four.bin") == body
        sizes = [len(chunk) async for chunk in aios3_nb.chunks(bucket, "four.bin", 1_000_000)]
        assert sizes == [1_000_000] * 12 + [800_000]
        await aios3_nb.save(bucket, "four.pkl", pickle.dumps(ROWS))
        assert pickle.load(await aios3_nb.stream(bucket, "four.pkl")) == ROWS

    asyncio.run(main())


def test_the_four_calls_take_an_open_client(bucket: str, server: Any) -> None:
    from aiobotocore.session import get_session

    async def main() -> None:
        async with get_session().create_client("s3", endpoint_url=server.endpoint.url) as client:
            await aios3_nb.save(bucket, "own.json", b"[1, 2]", client)
            assert json.load(await aios3_nb.stream(bucket, "own.json", s3=client)) == [1, 2]

    asyncio.run(main())


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(aios3_nb.OptionError, match="read_timeouts"):
        aios3_nb.load("s3://b/k", read_timeouts=3)


def test_an_encoding_is_for_text_and_for_pickles_of_python_2(put: Any) -> None:
    python2 = put("cifar.pkl", b"\x80\x02U\x03\xe9t\xe9.")
    assert aios3_nb.load(python2, encoding="latin1") == "\xe9t\xe9"
    assert asyncio.run(aios3_nb.aload(python2, encoding="bytes")) == b"\xe9t\xe9"
    assert list(aios3_nb.iterate(python2, encoding="latin1")) == ["\xe9t\xe9"]
    with pytest.raises(aios3_nb.OptionError, match="Often it is utf-8, latin1"):
        aios3_nb.load(python2, encoding="no such codec")
    with pytest.raises(aios3_nb.OptionError, match="encoding is for text"):
        aios3_nb.load(put("array.npy", b"\x93NUMPY"), encoding="latin1")
