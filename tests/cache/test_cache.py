"""A second run downloads nothing: the local cache, on a server that records every request."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import mmap
import os
import pickle
import re
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import aios3_nb
from aios3_nb import __main__ as command, settings
from aios3_nb.cache import Cache, Place
from aios3_nb.settings import current
from tests.faults.fault import Kind
from tests.faults.server import FaultServer

MIB = 1 << 20
ARRAYS = {"a": np.arange(400_000.0), "b": np.arange(10)}
"""3.2 MB: four blocks."""


@pytest.fixture
def cached(faulty: FaultServer, tmp_path: Path) -> FaultServer:
    """The server, with a cache of its own and an object that has a checksum."""
    settings.set_session(cache="1G", cache_dir=str(tmp_path / "c"))
    faulty.put("b", "k.pkl", pickle.dumps(ARRAYS), checksum="crc32")
    return faulty


@pytest.fixture
def kept(cached: FaultServer) -> FaultServer:
    """The same, with that object in the cache and no requests on the record."""
    aios3_nb.load("s3://b/k.pkl")
    cached.reset()
    return cached


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def asked(server: FaultServer) -> list[tuple[str, int, bool]]:
    """What was asked: method, status, and whether it was a question for another version only."""
    return [
        (each.method, each.status, "if-none-match" in each.headers)
        for each in server.requests
        if "*" not in each.key and each.key
    ]


def same(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == ARRAYS.keys()
        and all(np.array_equal(value[name], array) for name, array in ARRAYS.items())
    )


LOADS: dict[str, Callable[[], object]] = {
    "load": lambda: aios3_nb.load("s3://b/k.pkl"),
    "aload": lambda: asyncio.run(aios3_nb.aload("s3://b/k.pkl")),
    "a glob": lambda: aios3_nb.load("s3://b/*.pkl")["k.pkl"],
    "bytes": lambda: pickle.loads(asyncio.run(aios3_nb.read("b", "k.pkl"))),
    "a file": lambda: pickle.loads(aios3_nb.filesystem().cat_file("b/k.pkl")),
}


@pytest.mark.parametrize("way", LOADS)
def test_the_second_load_asks_once_and_downloads_nothing(cached: FaultServer, way: str) -> None:
    assert same(LOADS[way]())
    cached.reset()
    assert same(LOADS[way]())
    assert asked(cached) == [("GET", 304, True)]
    assert sum(each.sent for each in cached.requests if each.key == "k.pkl") == 0


def test_it_is_off_unless_asked_for(faulty: FaultServer, account_home: Path) -> None:
    faulty.put("b", "k.json", b"[1]")
    for _ in range(2):
        assert aios3_nb.load("s3://b/k.json") == [1]
    assert [each.status for each in faulty.requests] == [200, 200]
    assert files(account_home) == []
    aios3_nb.load("s3://b/k.json", cache="on")
    assert [path.parts[-5:-2] for path in files(account_home)] == [(".cache", "aios3_nb", "objects")]
    aios3_nb.load("s3://b/k.json", cache="on")
    assert faulty.requests[-1].status == 304


@pytest.mark.parametrize(("given", "means"), [("20G", 20 << 30), (True, "on"), ("0", "off"), (False, "off"), (5, 5)])
def test_what_the_setting_may_be(given: object, means: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert current(cache=given).cache == means
    if not isinstance(given, bool):
        monkeypatch.setenv("AIOS3_NB_CACHE", str(given))
        assert current().cache == means
    with pytest.raises(aios3_nb.OptionError, match="cache='often' does not fit: a size such as 20G"):
        current(cache="often")


def test_open_and_iterate_read_from_it_and_leave_nothing_there(cached: FaultServer, tmp_path: Path) -> None:
    rows = [{"n": n, "text": "x" * 100} for n in range(20_000)]
    cached.put("b", "rows.jsonl", "\n".join(map(json.dumps, rows)).encode(), checksum="crc32")
    assert len(list(aios3_nb.iterate("s3://b/rows.jsonl"))) == 20_000
    with aios3_nb.open("s3://b/k.pkl") as file:
        file.read()
    assert files(tmp_path) == []
    aios3_nb.load("s3://b/rows.jsonl")
    cached.reset()
    assert list(aios3_nb.iterate("s3://b/rows.jsonl", limit=3)) == rows[:3]
    with aios3_nb.open("s3://b/rows.jsonl") as file:
        assert file.seek(-len(json.dumps(rows[-1])), 2) > MIB
        assert json.loads(file.read()) == rows[-1]
        file.seek(MIB - 5)
        whole = "\n".join(map(json.dumps, rows)).encode()
        assert file.read(10) == whole[MIB - 5 : MIB + 5]
        buffer = bytearray(MIB + 100)
        assert file.readinto(buffer) == len(buffer)
        assert buffer == whole[MIB + 5 :][: len(buffer)]
        assert file.info is not None
        assert (file.info.size, file.info.is_cached) == (len(whole), True)
    assert asked(cached) == [("GET", 304, True)] * 2


def test_only_what_was_loaded_whole_is_kept(cached: FaultServer, tmp_path: Path) -> None:
    cached.put("b", "many.pkl", pickle.dumps(ARRAYS) * 2)
    cached.put("b", "u.json", json.dumps({"a": 1, "b": ["x" * 1000] * 3000}).encode())
    with pytest.warns(UserWarning, match="several pickles"):
        aios3_nb.load("s3://b/many.pkl")
    assert aios3_nb.load("s3://b/u.json", path="a") == 1
    aios3_nb.load("s3://b/k.pkl", verify="off")
    assert files(tmp_path) == []


def test_what_follows_the_value_is_kept_with_it(cached: FaultServer) -> None:
    cached.put("b", "k.pkl", pickle.dumps(ARRAYS) + b"\n" * 500_000)
    for _ in range(2):
        with pytest.warns(UserWarning, match="something else follows"):
            assert same(aios3_nb.load("s3://b/k.pkl"))
    assert asked(cached)[-1] == ("GET", 304, True)
    assert aios3_nb.load("s3://b/k.pkl", format="bytes", cache="offline").endswith(b"\n" * 500_000)


def test_arrays_are_not_copied_out_of_it(cached: FaultServer, tmp_path: Path) -> None:
    array = np.arange(300_000.0).reshape(500, 600)
    bodies: dict[str, bytes] = {}
    for name, value in {"empty.npy": np.zeros((0, 3)), "f.npy": np.asfortranarray(array), "c.npy": array}.items():
        file = io.BytesIO()
        np.save(file, value)
        bodies[name] = file.getvalue()
    header = json.dumps({"b": {"dtype": "F64", "shape": [500, 600], "data_offsets": [0, array.nbytes]}}).encode()
    bodies["t.safetensors"] = len(header).to_bytes(8, "little") + header + array.tobytes()
    for key, body in bodies.items():
        cached.put("b", key, body)
        aios3_nb.load(f"s3://b/{key}")
    before = {path: path.read_bytes() for path in files(tmp_path)}
    assert aios3_nb.load("s3://b/empty.npy").shape == (0, 3)
    for key in ("f.npy", "c.npy", "t.safetensors"):
        value = aios3_nb.load(f"s3://b/{key}")
        value = value["b"] if isinstance(value, dict) else value
        assert type(value) is np.ndarray
        assert np.array_equal(value, array)
        assert value.flags.f_contiguous == (key == "f.npy")
        assert is_mapped(value)
        value[0, 0] = -1  # it is the reader's own
    assert {path: path.read_bytes() for path in files(tmp_path)} == before
    aios3_nb.cached().clear()
    assert (value[0, 0], value[1, 1]) == (-1, array[1, 1])


def test_damage_in_what_is_mapped_is_found(cached: FaultServer, tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.arange(300_000.0))
    cached.put("b", "a.npy", file.getvalue())
    aios3_nb.load("s3://b/a.npy")
    damaged(files(tmp_path)[0], 2 * MIB + 5)
    with pytest.warns(UserWarning, match="damaged"):
        assert np.array_equal(aios3_nb.load("s3://b/a.npy"), np.arange(300_000.0))


def is_mapped(array: np.ndarray) -> bool:
    base: object = array
    while isinstance(base, (np.ndarray, memoryview)):
        base = base.obj if isinstance(base, memoryview) else base.base
    return isinstance(base, mmap.mmap)


# ---- exact


def test_an_object_that_was_replaced_is_loaded_anew(kept: FaultServer) -> None:
    kept.put("b", "k.pkl", pickle.dumps({"new": True}), checksum="crc32")
    assert aios3_nb.load("s3://b/k.pkl") == {"new": True}
    assert asked(kept) == [("GET", 200, True)]  # the answer to the question is the new one
    assert aios3_nb.load("s3://b/k.pkl") == {"new": True}
    assert asked(kept)[-1] == ("GET", 304, True)


def test_versions_that_take_turns_are_both_kept(kept: FaultServer) -> None:
    """Two accounts that see different objects under one name do not meet: each is asked for with its own signature."""
    bodies = pickle.dumps(ARRAYS), pickle.dumps({"new": True})
    for body in (*bodies[::-1], *bodies[::-1]):
        kept.put("b", "k.pkl", body)
        kept.reset()
        assert same(aios3_nb.load("s3://b/k.pkl")) == (body is bodies[0])
    assert len(aios3_nb.cached()) == 2


def test_another_server_s_object_of_that_name_is_another_one(kept: FaultServer) -> None:
    with FaultServer() as other:
        other.put("b", "k.pkl", pickle.dumps("theirs"))
        assert aios3_nb.load("s3://b/k.pkl", endpoint_url=other.url) == "theirs"
        assert asked(other) == [("GET", 200, False)]
    assert same(aios3_nb.load("s3://b/k.pkl"))
    assert [asked(kept)[0], len(aios3_nb.cached())] == [("GET", 304, True), 2]


def test_a_version_that_is_asked_for_is_that_one(cached: FaultServer) -> None:
    for number in (1, 2):
        cached.put("b", "v.json", b"[%d]" % number, version_id=f"v{number}", checksum="crc32")
    for _ in range(2):
        assert aios3_nb.load("s3://b/v.json", version_id="v1") == [1]
        assert aios3_nb.load("s3://b/v.json") == [2]
    assert asked(cached)[2:] == [("GET", 304, True)] * 2


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchKey")])
def test_what_s3_refuses_does_not_come_out_of_the_cache(kept: FaultServer, status: int, code: str) -> None:
    kept.fault(Kind.STATUS, status=status, code=code, times=None)
    with pytest.raises(aios3_nb.S3Error, match=r"k\.pkl"):
        aios3_nb.load("s3://b/k.pkl")


def test_without_a_connection_there_is_no_silent_way_round(kept: FaultServer) -> None:
    with FaultServer() as gone:
        gone.put("b", "k.pkl", pickle.dumps(ARRAYS))
        aios3_nb.load("s3://b/k.pkl", endpoint_url=gone.url)
    with pytest.raises(aios3_nb.EndpointError):
        aios3_nb.load("s3://b/k.pkl", endpoint_url=gone.url, connect_timeout=1, retry_wait=0.01)
    assert same(aios3_nb.load("s3://b/k.pkl", endpoint_url=gone.url, cache="offline"))


def test_faults_while_asking_are_survived(kept: FaultServer) -> None:
    kept.fault(Kind.STATUS, times=2)
    assert same(aios3_nb.load("s3://b/k.pkl", retry_wait=0.01))
    assert [status for _, status, _ in asked(kept)] == [503, 503, 304]


def test_a_store_that_knows_no_such_condition(kept: FaultServer) -> None:
    kept.fault(Kind.STATUS, status=501, code="NotImplemented")
    assert same(aios3_nb.load("s3://b/k.pkl"))
    kept.fault(Kind.IGNORE_IF_MATCH, times=None)
    assert same(aios3_nb.load("s3://b/k.pkl"))


@pytest.mark.parametrize("etag", ['W/"weak"', ""])
def test_what_nothing_tells_from_another_version_is_not_kept(faulty: FaultServer, tmp_path: Path, etag: str) -> None:
    faulty.put("b", "k.json", b"[1]", etag=etag or None)
    if not etag:
        faulty.fault(Kind.NO_ETAG, times=None)
    with pytest.warns(UserWarning, match="no ETag") if not etag else contextlib.nullcontext():
        assert aios3_nb.load("s3://b/k.json", cache="1G", cache_dir=str(tmp_path)) == [1]
    assert files(tmp_path) == []


def test_verify_require_takes_only_what_was_checked_when_it_came(cached: FaultServer) -> None:
    cached.put("b", "n.json", b"[1]", etag='"none"')
    assert aios3_nb.load("s3://b/n.json") == [1]
    with pytest.raises(aios3_nb.NotVerifiedError):
        aios3_nb.load("s3://b/n.json", verify="require")
    for _ in range(2):
        aios3_nb.load("s3://b/k.pkl", verify="require")
    assert asked(cached)[-1] == ("GET", 304, True)


# ---- offline


def test_offline_asks_nobody(kept: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert same(aios3_nb.load("s3://b/k.pkl", cache="offline"))
    with pytest.raises(aios3_nb.ObjectNotFoundError, match="is not in the cache, and cache='offline' asks nobody"):
        aios3_nb.load("s3://b/other.pkl", cache="offline")
    with pytest.raises(aios3_nb.ObjectNotFoundError, match="pattern"):
        aios3_nb.load("s3://b/*.pkl", cache="offline")
    assert kept.requests == ()


# ---- what may be wrong with the disk


def damaged(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("at", [100, 2 * MIB + 5, -40])
def test_damage_is_found_thrown_away_and_fetched_again(kept: FaultServer, tmp_path: Path, at: int) -> None:
    (path,) = files(tmp_path)
    damaged(path, at)
    with (
        pytest.warns(UserWarning, match="copy in the cache is damaged, and was removed")
        if at > 0
        else contextlib.nullcontext()
    ):
        assert same(aios3_nb.load("s3://b/k.pkl"))
    assert {each.status for each in kept.requests} <= {200, 206, 304}
    pinned = [each for each in kept.requests if each.method == "GET" and each.status == 206]
    assert all("if-match" in each.headers for each in pinned)
    aios3_nb.load("s3://b/k.pkl")
    aios3_nb.load("s3://b/k.pkl")
    assert asked(kept)[-1] == ("GET", 304, True)
    assert len(files(tmp_path)) == 1


def test_damage_that_is_found_offline_is_an_error(kept: FaultServer, tmp_path: Path) -> None:
    damaged(files(tmp_path)[0], 100)
    with pytest.warns(UserWarning, match="damaged"), pytest.raises(aios3_nb.ObjectNotFoundError):
        aios3_nb.load("s3://b/k.pkl", cache="offline")


@pytest.mark.parametrize("size", [0, 10, MIB])
def test_a_file_that_was_cut_is_none(kept: FaultServer, tmp_path: Path, size: int) -> None:
    os.truncate(files(tmp_path)[0], size)
    assert same(aios3_nb.load("s3://b/k.pkl"))
    assert asked(kept)[0] == ("GET", 200, False)


def test_a_full_disk_turns_it_off_for_that_load(cached: FaultServer, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, before[1]))
    try:
        with pytest.warns(UserWarning, match="Not kept in the cache: File too large"):
            assert same(aios3_nb.load("s3://b/k.pkl"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(tmp_path) == []


def test_a_folder_that_others_may_use_is_not_used(kept: FaultServer, tmp_path: Path) -> None:
    folder = tmp_path / "c" / "aios3_nb" / "objects"
    folder.chmod(0o755)
    with pytest.warns(UserWarning, match="others may use"):
        assert same(aios3_nb.load("s3://b/k.pkl"))
    assert asked(kept)[0][1] == 200
    with pytest.raises(aios3_nb.OptionError, match="others may use"):
        aios3_nb.cached()


def test_nobody_else_can_look_into_it_and_no_secret_is_there(kept: FaultServer, tmp_path: Path) -> None:
    for path in [tmp_path / "c/aios3_nb/objects", *(tmp_path / "c/aios3_nb/objects").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        if path.is_file():
            assert not re.search(rb"canary-secret|AKIDOFTHETESTS", path.read_bytes())


# ---- the bound, and other processes


def test_what_was_used_least_recently_goes(faulty: FaultServer, tmp_path: Path) -> None:
    settings.set_session(cache="1M", cache_dir=str(tmp_path))
    for n in range(3):
        faulty.put("b", f"{n}.bin", bytes(300_000), etag=f'"{n}"')
    for name in ("0", "1", "2", "0"):
        aios3_nb.load(f"s3://b/{name}.bin")
        time.sleep(0.01)  # the clock of some file systems
    faulty.put("b", "3.bin", bytes(300_000), etag='"3"')
    aios3_nb.load("s3://b/3.bin")
    assert [one.uri for one in aios3_nb.cached()] == ["s3://b/3.bin", "s3://b/0.bin", "s3://b/2.bin"]
    assert sum(path.stat().st_size for path in files(tmp_path)) <= MIB
    faulty.put("b", "large.bin", bytes(MIB))
    aios3_nb.load("s3://b/large.bin")
    assert len(aios3_nb.cached()) == 3


def test_many_at_once_and_from_threads_are_all_whole(cached: FaultServer, tmp_path: Path) -> None:
    for n in range(40):
        cached.put("b", f"many/{n}.json", b"[%d]" % n, checksum="crc32")
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(aios3_nb.load("s3://b/many/*.json"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{f"many/{n}.json": [n] for n in range(40)}] * 3
    assert len(files(tmp_path)) == 40
    assert aios3_nb.cached().check().damaged == ()


def test_a_process_that_was_killed_leaves_nothing_half(cached: FaultServer, tmp_path: Path) -> None:
    cached.fault(Kind.STALL, at=2 * MIB, times=None)
    code = (
        "import aios3_nb, sys, threading, time, pathlib\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "threading.Thread(target=aios3_nb.load, args=('s3://b/k.pkl',),"
        f" kwargs=dict(endpoint_url={cached.url!r}, cache='1G', cache_dir={str(tmp_path / 'c')!r}),"
        " daemon=True).start()\n"
        "while not sum(p.stat().st_size for p in folder.rglob('*.part')):\n"
        "    time.sleep(0.01)\n"
        "print('half', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        assert [path.suffix for path in files(tmp_path)] == [".part"]
        assert len(aios3_nb.cached()) == 0
        assert len(files(tmp_path)) == 1  # somebody is writing it
        process.kill()
    cached.reset()
    assert same(aios3_nb.load("s3://b/k.pkl"))
    assert len(aios3_nb.cached()) == 1
    assert [path.suffix for path in files(tmp_path)] == [""]


def test_files_of_others_in_that_folder_are_not_touched(kept: FaultServer, tmp_path: Path) -> None:
    folder = tmp_path / "c" / "aios3_nb" / "objects"
    others = [folder / "notes.txt", folder / "ab" / "notes.txt", folder / "more" / "x.part"]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    aios3_nb.cached().check()
    aios3_nb.cached().clear()
    assert files(tmp_path) == sorted(others)


def test_a_load_that_is_cancelled_leaves_nothing(cached: FaultServer, tmp_path: Path) -> None:
    cached.fault(Kind.STALL, at=2 * MIB, times=None)

    async def cancelled() -> None:
        task = asyncio.create_task(aios3_nb.aload("s3://b/k.pkl"))
        while not files(tmp_path):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert files(tmp_path) == []


# ---- trust


def test_what_is_loaded_by_trust_comes_from_no_folder_that_the_environment_chose(
    kept: FaultServer, account_home: Path
) -> None:
    for _ in range(2):
        assert same(aios3_nb.load("s3://b/k.pkl", trust=True))
    assert asked(kept)[0] == ("GET", 200, False)
    with pytest.raises(aios3_nb.OptionError, match="by trust"):
        aios3_nb.load("s3://b/k.pkl", trust=True, cache="offline")
    (account_home / ".config").mkdir()
    (account_home / ".config/aios3_nb.toml").write_text('[[trust]]\nbucket = "b"\nprefix = "k"\n')
    kept.reset()
    aios3_nb.load("s3://b/k.pkl")
    assert asked(kept)[0] == ("GET", 200, False)
    settings.set_session(cache_dir=None)
    for _ in range(2):
        aios3_nb.load("s3://b/k.pkl")
    assert asked(kept)[-1] == ("GET", 304, True)


# ---- what people see


def test_it_is_listed_checked_and_cleared(
    kept: FaultServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.put("b", "<i>.json", b"[1]", checksum="crc32")
    aios3_nb.load("s3://b/<i>.json")
    found = aios3_nb.cached()
    assert [(one.uri, one.size) for one in found] == [("s3://b/<i>.json", 3), ("s3://b/k.pkl", found[1].size)]
    assert {one.verdict for one in found} == {"CRC32 ok"}
    assert "2 objects, 3.2 MB, in " in repr(found)
    assert "&lt;i&gt;" in found._repr_html_()
    assert len(aios3_nb.cached("s3://b/k")) == 1
    damaged(found[1].path, 3 * MIB)
    assert command.main(["cache"]) == 0
    assert "s3://b/k.pkl" in capsys.readouterr().out
    assert command.main(["cache", "check"]) == 1
    assert capsys.readouterr().out == (
        "Removed, for it was damaged: s3://b/k.pkl\nChecked 2 objects, 3.2 MB; 1 was damaged.\n"
    )
    assert command.main(["cache", "check"]) == 0
    assert command.main(["cache", "clear", "s3://b/"]) == 0
    assert capsys.readouterr().out.endswith("Removed 1 object, 3 B.\n")
    assert (len(aios3_nb.cached()), files(tmp_path)) == (0, [])


def test_workers_of_dask_get_the_version_that_was_listed_out_of_it(kept: FaultServer) -> None:
    frames = aios3_nb.bag("s3://b/k.pkl")
    assert same(frames.compute(scheduler="sync")[0])
    assert asked(kept)[-1] == ("GET", 304, True)
    kept.put("b", "k.pkl", pickle.dumps(1))
    with pytest.raises(aios3_nb.ObjectChangedError):
        frames.compute(scheduler="sync")


def test_a_key_hashes_to_a_name_of_its_own() -> None:
    places = [Place("", "b", "k"), Place("", "b/k", ""), Place("http://h", "b", "k"), Place("", "b", "k", "v")]
    assert len({place.hash for place in places}) == len(places)
    assert Cache(current(cache="5M")).most == 5 * MIB
