"""The file system, beyond what fsspec's own tests ask: the traps that users of others have fallen into."""

from __future__ import annotations

import asyncio
import base64
import gc
import gzip
import importlib.metadata
import io
import os
import pickle
import subprocess
import sys
import threading
import time
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import fsspec
import pytest

import aios3_nb
from aios3_nb import settings
from aios3_nb.streams.ranges import Wanted, joined

BODY = bytes(range(256)) * 40_000


@pytest.fixture
def fs(server: Any) -> Any:
    return aios3_nb.filesystem()


@pytest.fixture
def place(s3: Any, bucket: str) -> Any:
    """Return a function that stores objects, and returns their paths."""

    def store(key: str, body: bytes = b"1") -> str:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        return f"{bucket}/{key}"

    return store


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that are sent, in order: their method, or LIST."""
    import aiohttp

    sent: list[str] = []
    request = aiohttp.ClientSession._request

    async def noted(self: Any, method: str, url: Any, **options: Any) -> Any:
        sent.append("LIST" if "list-type=2" in str(url) else method)
        return await request(self, method, url, **options)

    monkeypatch.setattr(aiohttp.ClientSession, "_request", noted)
    return sent


def test_the_entry_point_is_aios3_and_never_s3() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    [(name, value)] = project["entry-points"]["fsspec.specs"].items()
    assert name == "aios3"
    assert importlib.metadata.EntryPoint(name, value, "fsspec.specs").load() is aios3_nb.S3FileSystem


def test_s3_urls_change_only_when_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = {}
    monkeypatch.setattr(sys.modules["fsspec.registry"], "_registry", known)
    aios3_nb.register_filesystem()
    assert known == {"aios3": aios3_nb.S3FileSystem}
    aios3_nb.register_filesystem("s3")
    assert known == {"aios3": aios3_nb.S3FileSystem, "s3": aios3_nb.S3FileSystem}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"key": "AKIA"}, "key"),
        ({"secret": "x"}, "secret"),
        ({"client_kwargs": {"aws_secret_access_key": "canary"}}, "aws_secret_access_key"),
        ({"config_kwargs": {}}, "config_kwargs"),
        ({"client_kwargs": {"verify": False}}, "verify"),
    ],
)
def test_what_is_not_understood_is_an_error_that_names_it(options: dict[str, Any], named: str) -> None:
    with pytest.raises(aios3_nb.OptionError, match=named) as caught:
        aios3_nb.filesystem(**options)
    assert "canary" not in str(caught.value)


def test_the_options_of_s3fs_are_understood() -> None:
    fs = aios3_nb.filesystem(
        anon=True, requester_pays=True, version_aware=True, profile="p", client_kwargs={"endpoint_url": "http://h:1"}
    )
    assert fs.settings.no_sign_request
    assert fs.settings.request_payer == "requester"
    assert (fs.settings.profile, fs.settings.endpoint_url, fs.version_aware) == ("p", "http://h:1", True)
    assert fs.protocol == "aios3"


def test_bytes_are_those_of_the_slice(fs: Any, place: Any) -> None:
    path = place("body.bin", BODY)
    for start, end in [
        (None, None),
        (0, 10),
        (5, None),
        (None, 7),
        (-9, None),
        (-20, -3),
        (3, -5),
        (9, 9),
        (10**9, None),
    ]:
        assert fs.cat_file(path, start=start, end=end) == BODY[start:end], (start, end)
    assert fs.cat_file(place("empty", b"")) == b""


def test_ranges_of_one_object_are_joined_and_of_one_version(fs: Any, place: Any, requests: list[str]) -> None:
    one, two = place("one.bin", BODY), place("two.bin", BODY[::-1])
    starts = [0, 100_000, 5_000_000, 40, None, -10]
    ends = [10, 100_010, 5_000_100, 60, 4, None]
    paths = [one, one, one, one, two, two]
    found = fs.cat_ranges(paths, starts, ends)
    bodies = [BODY] * 4 + [BODY[::-1]] * 2
    assert found == [body[start:end] for body, start, end in zip(bodies, starts, ends, strict=True)]
    # Of the first: 0 to 60 in one, and the two far ones. Of the second: its beginning, and its end.
    assert requests == ["GET"] * 5
    [error] = fs.cat_ranges([f"{one}.absent"], [0], [1])
    assert isinstance(error, FileNotFoundError)
    with pytest.raises(FileNotFoundError):
        fs.cat_ranges([f"{one}.absent"], [0], [1], on_error="raise")


def test_joining_is_plain_arithmetic() -> None:
    assert joined([(50, 60), (0, 10), (11, 12), (5, 8), (70, 70)], max_gap=1) == [(0, 12), (50, 60)]
    assert Wanted(-5, None).within(3) == (0, 3)
    assert Wanted(4, 2).within(9) == (4, 4)


def test_a_size_is_that_of_the_object_now(fs: Any, place: Any) -> None:
    """Also with listings kept: one that was listed shorter was read short by others."""
    fs = aios3_nb.filesystem(use_listings_cache=True)
    path = place("grows/a.txt", b"short")
    assert [one["size"] for one in fs.ls(path.rpartition("/")[0])] == [5]
    place("grows/a.txt", b"much longer now")
    assert fs.info(path)["size"] == 15
    assert fs.cat(path) == b"much longer now"
    with fs.open(path) as file:
        assert file.read() == b"much longer now"


def test_no_listing_is_kept_unless_asked_for(fs: Any, place: Any) -> None:
    folder = place("list/a.txt").rpartition("/")[0]
    kept = aios3_nb.filesystem(use_listings_cache=True)
    for system in (fs, kept):
        assert len(system.ls(folder)) == 1
    place("list/b.txt")
    assert len(fs.ls(folder)) == 2
    assert len(kept.ls(folder)) == 1
    assert len(kept.ls(folder, refresh=True)) == 2
    kept.pipe(f"{folder}/c.txt", b"3")
    assert len(kept.ls(folder)) == 3


def test_info_has_the_bucket_in_its_name(fs: Any, place: Any, bucket: str) -> None:
    info = fs.info(f"aios3://{place('deep/er/x.bin', b'12345')}")
    assert (info["name"], info["size"], info["type"]) == (f"{bucket}/deep/er/x.bin", 5, "file")
    assert info["ETag"].startswith('"')
    assert fs.info(f"s3://{bucket}/deep") == fs.info(f"{bucket}/deep/")
    assert fs.info(f"{bucket}/deep")["type"] == fs.info(bucket)["type"] == "directory"
    assert not fs.exists(f"{bucket}/dee")
    assert fs.isdir(f"{bucket}/deep/er")
    assert not fs.isdir(f"{bucket}/deep/er/x.bin")
    assert bucket in fs.ls("", detail=False)


def test_a_glob_is_one_listing_however_many_folders_there_are(fs: Any, place: Any, requests: list[str]) -> None:
    paths = [place(f"tree/y={n}/m={m}/part.csv") for n in range(4) for m in range(3)]
    root = paths[0].split("/y=")[0]
    requests.clear()
    assert fs.glob(f"{root}/**/*.csv") == sorted(paths)
    assert requests == ["LIST"]
    requests.clear()
    assert fs.glob(f"{root}/y=1/*/part.csv") == sorted(paths)[3:6]
    assert requests == ["LIST"]
    requests.clear()
    assert fs.find(root, prefix="y=2") == sorted(paths)[6:9]
    assert requests == ["LIST"]
    assert fs.find(root, maxdepth=2, withdirs=True) == sorted(
        {root} | {path.rsplit("/", depth)[0] for path in paths for depth in (1, 2)}
    )
    assert fs.find(paths[0]) == [paths[0]]
    assert fs.du(root) == 12
    assert len(list(fs.walk(root))) == 17


def test_keys_are_names_and_nothing_else(fs: Any, s3: Any, bucket: str) -> None:
    for key in ("a b+%20#x.bin", "ümlaut/é.bin", "a//b.bin", "x?versionId=y", "q'\"&<>.bin"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        [path] = [one for one in fs.find(bucket) if fs.cat_file(one) == key.encode()]
        assert fs.info(path)["size"] == len(key.encode())
        with fs.open(path) as file:
            assert file.read() == key.encode()


def test_what_is_there_is_not_overwritten_when_it_is_to_be_made(fs: Any, place: Any, s3: Any, bucket: str) -> None:
    path = place("there.txt", b"old")
    for attempt in (
        lambda: fs.open(path, "xb"),
        lambda: fs.pipe(path, b"new", mode="create"),
        lambda: fs.pipe_file(path, b"new", mode="create"),
    ):
        with pytest.raises(FileExistsError, match=r"there\.txt"):
            attempt()
    file = fs.open(f"{bucket}/raced.txt", "xb")
    file.write(b"mine")
    place("raced.txt", b"theirs")
    with pytest.raises(aios3_nb.ObjectExistsError):
        file.close()
    assert (fs.cat(path), fs.cat(f"{bucket}/raced.txt")) == (b"old", b"theirs")


@pytest.mark.parametrize("mode", ["wb", "w", "wb.gz", "wt.gz"])
def test_a_file_appears_whole_or_not_at_all(fs: Any, bucket: str, s3: Any, mode: str) -> None:
    path = f"{bucket}/written.bin"
    options = {"compression": "gzip"} if mode.endswith(".gz") else {}
    mode = mode.removesuffix(".gz")
    piece: Any = b"0123456789abcdef" * 65_536 if "b" in mode else "0123456789abcdef" * 65_536

    def write(pieces: int, failing: bool) -> None:
        with fs.open(path, mode, **options) as file:
            for _ in range(pieces):
                file.write(piece)
            assert not fs.exists(path)
            if failing:
                raise RuntimeError

    for pieces in (0, 1, 19):
        with pytest.raises(RuntimeError):
            write(pieces, failing=True)
        assert not fs.exists(path)
        write(pieces, failing=False)
        body = fs.cat(path)
        whole = gzip.decompress(body) if options else body
        assert whole == (piece if "b" in mode else piece.encode()) * pieces
        fs.rm(path)
    uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    assert [one for one in uploads if one["Key"] == "written.bin"] == []


def test_a_file_that_is_never_closed_stores_nothing_and_says_so(fs: Any, bucket: str) -> None:
    files = [fs.open(f"{bucket}/left.bin", "wb")]
    files[0].write(b"half")
    with pytest.warns(ResourceWarning, match=r"left\.bin"):
        files.clear()
    gc.collect()
    assert not fs.exists(f"{bucket}/left.bin")


def test_a_transaction_stores_all_at_its_end(fs: Any, bucket: str) -> None:
    with fs.transaction:
        with fs.open(f"{bucket}/t1", "wb") as file:
            file.write(b"1")
        assert not fs.exists(f"{bucket}/t1")
    assert fs.cat(f"{bucket}/t1") == b"1"


def test_appending_is_refused_in_words(fs: Any, place: Any) -> None:
    with pytest.raises(aios3_nb.OptionError, match="written whole"):
        fs.open(place("a.txt"), "ab")


def test_a_download_appears_whole_or_not_at_all(fs: Any, place: Any, tmp_path: Path, server: Any) -> None:
    path = place("down.bin", BODY)
    fs.get(path, str(tmp_path / "down.bin"))
    assert (tmp_path / "down.bin").read_bytes() == BODY
    with pytest.raises(FileNotFoundError):
        fs.get_file(f"{path}.absent", str(tmp_path / "absent.bin"))
    into = io.BytesIO()
    fs.get_file(path, into)
    assert into.getvalue() == BODY
    assert os.listdir(tmp_path) == ["down.bin"]


def test_deleting_takes_what_was_named(fs: Any, place: Any, s3: Any, bucket: str) -> None:
    paths = [place(f"gone/{n}.bin") for n in range(12)]
    place("gone-not.bin")
    s3.put_object(Bucket=bucket, Key="gone/", Body=b"")
    with pytest.raises(IsADirectoryError):
        fs.rm(f"{bucket}/gone")
    assert fs.exists(paths[0])
    fs.rm(f"{bucket}/gone", recursive=True)
    assert fs.find(bucket) == [f"{bucket}/gone-not.bin"]
    with pytest.raises(FileNotFoundError):
        fs.rm(paths[0])


def test_a_copy_of_more_than_one_part(
    fs: Any, place: Any, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import aios3_nb.s3.copying as copying

    path = place("big.bin", BODY * 2)
    monkeypatch.setattr(copying, "_PART", 6 << 20)
    fs.cp(path, f"{path}.copy")
    # By boto3: SeaweedFS gives parts that it copies an ETag that is no hash of their bytes.
    assert s3.get_object(Bucket=bucket, Key="big.bin.copy")["Body"].read() == BODY * 2
    fs.mv(f"{path}.copy", f"{path}.moved")
    assert fs.find(path.partition("/")[0]) == [path, f"{path}.moved"]


def test_times_checksums_and_names_of_versions(fs: Any, place: Any) -> None:
    path = place("dated.txt", b"1")
    assert fs.created(path) == fs.modified(path)
    assert abs(fs.modified(path).timestamp() - time.time()) < 300
    before = fs.checksum(path), fs.ukey(path)
    assert before == (fs.checksum(path), fs.ukey(path))
    place("dated.txt", b"2")
    assert fs.checksum(path) != before[0]


def test_a_signed_url_needs_no_credentials(fs: Any, place: Any) -> None:
    path = place("signed me.txt", b"read me")
    elsewhere = aios3_nb.sign(f"s3://{path}", expires=60, region="eu-central-1")
    for url in (fs.sign(path, expiration=60), aios3_nb.sign(f"s3://{path}", expires=60), elsewhere):
        assert urllib.request.urlopen(url).read() == b"read me"
        assert "X-Amz-Algorithm=AWS4" in url  # version 2 opens nothing that KMS has encrypted
    with pytest.raises(aios3_nb.OptionError, match="7 days"):
        aios3_nb.sign(f"s3://{path}", expires=8 * 24 * 3600)
    with pytest.raises(aios3_nb.OptionError, match="sign"):
        aios3_nb.sign(f"s3://{path}", no_sign_request=True)


def test_it_pickles_with_its_settings_and_without_secrets(fs: Any, place: Any, server: Any) -> None:
    path = place("p.txt", b"here")
    fs = aios3_nb.filesystem(read_timeout=7)
    sent = pickle.dumps(fs)
    for secret in (server.endpoint.secret_key, server.endpoint.access_key):
        assert secret.encode() not in sent
        assert secret not in repr(fs) + fs.to_json() + str(fs.storage_options)
        assert base64.b64encode(secret.encode()) not in sent
    settings._session.clear()  # as in another process
    arrived = pickle.loads(sent)
    assert arrived == fs
    assert hash(arrived) == hash(fs)
    assert arrived.settings.endpoint_url == server.endpoint.url
    assert arrived.cat(path) == b"here"
    assert aios3_nb.filesystem() != fs


def test_it_works_under_a_running_loop_in_threads_and_awaited(fs: Any, place: Any) -> None:
    path = place("loops.bin", BODY)

    async def main() -> None:
        assert fs.cat(path) == BODY
        assert await fs._cat_file(path) == BODY
        own = aios3_nb.filesystem(asynchronous=True)
        assert own.loop is None
        assert await own._cat_file(path, 5, 9) == BODY[5:9]

    asyncio.run(main())
    asyncio.run(main())
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(fs.cat(path))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [BODY] * 5
    # A caller that brings coroutines to our loop, as fsspec itself does.
    assert fsspec.asyn.sync(fs.loop, fs._cat_file, path) == BODY


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_it_works_in_a_forked_child(fs: Any, place: Any) -> None:
    path = place("fork.bin", BODY)
    assert fs.cat(path) == BODY
    child = os.fork()
    if not child:
        good = False
        try:
            good = fs.cat(path) == BODY and fs.ls(path)[0]["size"] == len(BODY)
        finally:
            os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert fs.cat(path) == BODY


def test_an_interrupt_leaves_no_download_running(fs: Any, place: Any) -> None:
    """Fsspec's own sync methods go on fetching after Ctrl-C."""
    import _thread

    from aios3_nb.loop import background

    path = place("long.bin", BODY * 6)

    def read_on() -> None:
        # Begun here, where the interrupt is expected: one line earlier it could end the whole run.
        threading.Timer(0.02, _thread.interrupt_main).start()
        while True:
            fs.cat(path)

    with pytest.raises(KeyboardInterrupt):
        read_on()
    until = time.monotonic() + 60
    while left := [task for task in asyncio.all_tasks(background().loop) if "fill" in repr(task.get_coro())]:
        assert time.monotonic() < until, left
        time.sleep(0.02)
    assert fs.cat(path, start=0, end=3) == BODY[:3]


def test_without_fsspec_the_message_says_what_to_install() -> None:
    code = "import sys; sys.modules['fsspec'] = None; import aios3_nb; aios3_nb.filesystem()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip().endswith(
        "MissingPackageError: A file system needs the package fsspec: pip install 'aios3_nb[fsspec]'"
    )
