"""Looking into objects of S3, and trusting where the user's own file says so."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import aios3_nb
from tests.faults.fault import Kind
from tests.faults.server import FaultServer
from tests.kernels import kernel

ROWS = [{"n": n, "text": f"row {n}"} for n in range(2000)]


class Runs:
    """A pickle of it runs a command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def test_a_large_pickle_of_arrays_is_outlined_by_a_few_small_requests(faulty: FaultServer) -> None:
    arrays = {str(n): np.zeros(1_000_000) for n in range(12)}
    faulty.put("b", "arrays.pkl", pickle.dumps(arrays, protocol=5))
    seen = aios3_nb.peek("s3://b/arrays.pkl")
    assert "every name it imports may load" in repr(seen)
    assert "dict" in repr(seen)
    assert seen.fetched < 1_000_000
    assert seen.requests == len(faulty.requests) < 20


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ({"checksum": "crc32c"}, "CRC32C"),
        ({"checksum": "crc32", "checksum_type": "COMPOSITE", "parts": (2, 1)}, "CRC32 of 2 parts"),
        ({"headers": {"Server": "SeaweedFS 4.48"}}, "MD5"),
        ({"parts": (2, 1)}, "MD5 of 2 parts, if its ETag is that"),
        ({"etag": '"none"'}, "nothing (no checksum)"),
    ],
)
def test_it_says_what_the_object_is_checked_by(faulty: FaultServer, stored: dict[str, Any], words: str) -> None:
    faulty.put("b", "k.json", b"[1]"[:3], **stored)
    for seen in (aios3_nb.peek("s3://b/k.json"), asyncio.run(aios3_nb.apeek("s3://b/k.json"))):
        assert seen.checked_by == words
        assert f"checked by  {words}\n" in repr(seen)
    assert len(faulty.requests) == 4


def test_what_cannot_be_asked_is_no_reason_not_to_look(faulty: FaultServer) -> None:
    faulty.put("b", "k.json", b"[1]", checksum="crc32")
    faulty.put("b", "empty.json", b"")
    faulty.fault(Kind.STATUS, method="HEAD", status=403, code="AccessDenied", times=None)
    assert aios3_nb.peek("s3://b/k.json").checked_by == "MD5, if its ETag is that"
    assert aios3_nb.peek("s3://b/empty.json").checked_by == ""


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("meta", [("holds", "object of 2"), ("name", "text, x"), ("big", f"number, {10**40}")]),
        ("/meta/name", [("holds", "text, x")]),
        ("users.item", [("holds", "object of 2"), ("n", "number, 0"), ("text", "text, row 0")]),
        ("empty.item", [("holds", "nothing, the array is empty")]),
        ("last", [("holds", "array of 2"), ("[0]", "number, 1"), ("[1]", "number, 2.50")]),
    ],
)
def test_it_looks_at_a_path_of_json(faulty: FaultServer, path: str, rows: list[tuple[str, str]]) -> None:
    users = [{**row, "more": "x" * 3000} for row in ROWS]
    begin = json.dumps({"meta": {"name": "x", "big": 10**40}, "users": ROWS, "empty": [], "more": users})
    faulty.put("b", "k.json", (begin[:-1] + ', "last": [1, 2.50]}').encode())
    if path == "last":
        seen = aios3_nb.peek("s3://b/k.json", path=path)
        assert seen.rows()[-1][1].startswith("not in the first 4"), "it is bounded"
        return
    faulty.put("b", "k.json.gz", gzip.compress(begin.encode()))
    for key in ("k.json", "k.json.gz"):
        seen = aios3_nb.peek(f"s3://b/{key}", path=path)
        assert seen.rows()[-len(rows) - 1 :] == [("path", path), *rows]


def test_a_path_that_is_not_there_or_has_no_meaning_is_said(faulty: FaultServer) -> None:
    faulty.put("b", "k.json", b'{"a": 1}')
    faulty.put("b", "k.pkl", pickle.dumps(1))
    with pytest.raises(aios3_nb.FormatError, match=r"s3://b/k\.json: Nothing is at the path 'b'.* there are: a"):
        aios3_nb.peek("s3://b/k.json", path="b")
    with pytest.raises(aios3_nb.OptionError, match="path is for JSON"):
        aios3_nb.peek("s3://b/k.pkl", path="b")


@pytest.mark.parametrize("key", ["m.npz", "m.safetensors"])
def test_it_looks_at_one_array(faulty: FaultServer, key: str) -> None:
    arrays = {"w": np.zeros((3, 2), "f4"), "b": np.zeros(5)}
    body = io.BytesIO()
    np.savez(body, **arrays)
    data = body.getvalue() if key == "m.npz" else safetensors.numpy.save(arrays)
    faulty.put("b", key, data)
    rows = aios3_nb.peek(f"s3://b/{key}", path="w").rows()
    assert rows[-1][0] == "w"
    assert "(3, 2)" in rows[-1][1]
    assert not any(heading == "b" for heading, _ in rows)
    with pytest.raises(aios3_nb.OptionError, match=r"There is no array 'x' in it\. There are: .*w"):
        aios3_nb.peek(f"s3://b/{key}", path="x")


def test_looking_runs_nothing_and_names_what_would(faulty: FaultServer, tmp_path: Path) -> None:
    faulty.put("b", "evil.pkl", pickle.dumps([1, Runs(tmp_path / "ran")]))
    assert "system" in repr(aios3_nb.peek("s3://b/evil.pkl"))
    assert not (tmp_path / "ran").exists()


def test_json_text_and_compressed_objects_are_outlined_too(faulty: FaultServer) -> None:
    faulty.put("b", "rows.json", json.dumps({"users": ROWS}).encode())
    faulty.put("b", "rows.jsonl.gz", gzip.compress("\n".join(map(json.dumps, ROWS)).encode()))
    faulty.put("b", "note.txt", b"hello <b>you</b>")
    assert "users" in repr(aios3_nb.peek("s3://b/rows.json"))
    compressed = aios3_nb.peek("s3://b/rows.jsonl.gz")
    assert (compressed.codec, compressed.format) == ("gzip", "jsonl")
    assert "<b>" not in aios3_nb.peek("s3://b/note.txt")._repr_html_()
    assert repr(asyncio.run(aios3_nb.apeek("s3://b/rows.json"))) == repr(aios3_nb.peek("s3://b/rows.json"))


def test_a_trusted_prefix_is_bound_to_its_endpoint_and_shown(
    faulty: FaultServer, tmp_path: Path, account_home: Path
) -> None:
    faulty.put("b", "ours/k.pkl", pickle.dumps(Runs(tmp_path / "ran")))
    config = account_home / ".config"
    config.mkdir(mode=0o755)
    entry = '[[trust]]\nbucket = "b"\nprefix = "ours/"\n'
    (config / "aios3_nb.toml").write_text(entry)
    with pytest.raises(aios3_nb.BlockedPickleError) as blocked:
        aios3_nb.load("s3://b/ours/k.pkl")
    assert "aios3_nb.load('s3://b/ours/k.pkl', trust=True)" in str(blocked.value)
    (config / "aios3_nb.toml").write_text(f'{entry}endpoint_url = "{faulty.url}"\n')
    assert aios3_nb.load("s3://b/ours/k.pkl") == 0
    assert (tmp_path / "ran").exists()
    environment = {
        "HOME": str(account_home), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "x"
    }  # fmt: skip
    with kernel(environment) as running:
        running.ok("%load_ext aios3_nb")
        # In another process the system's list of accounts is as it is.
        running.ok("import os, pwd; account = list(pwd.getpwuid(os.getuid()))")
        running.ok(f"account[5] = {str(account_home)!r}; pwd.getpwuid = lambda _: pwd.struct_passwd(account)")
        assert "trusted (prefix s3://b/ours/" in running.ok("%s3load s3://b/ours/k.pkl").stdout
        assert ", trusted" not in running.run("%s3peek s3://b/ours/k.pkl").stdout


def test_an_endpoint_from_the_environment_counts_as_that_endpoint(
    faulty: FaultServer, tmp_path: Path, account_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sets AWS_ENDPOINT_URL must not be taken for AWS."""
    monkeypatch.delenv("AIOS3_NB_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.url)
    faulty.put("b", "ours/k.pkl", pickle.dumps(Runs(tmp_path / "ran")))
    _trust_everything(account_home)
    with pytest.raises(aios3_nb.BlockedPickleError):
        aios3_nb.load("s3://b/ours/k.pkl")
    assert not (tmp_path / "ran").exists()


def _trust_everything(home: Path) -> None:
    folder = home / ".config"
    folder.mkdir(mode=0o755)
    (folder / "aios3_nb.toml").write_text('[[trust]]\nbucket = "b"\nprefix = ""\n')
    (folder / "aios3_nb.toml").chmod(0o644)


@pytest.mark.parametrize("said", ["bytes */0", "bytes */900", ""])
def test_a_server_that_begins_with_a_416_is_not_taken_for_aws(
    faulty: FaultServer, tmp_path: Path, account_home: Path, said: str
) -> None:
    """Nothing of its answer told whose it is, so it was AWS's; and what came next was trusted."""
    faulty.put("b", "ours/k.pkl", pickle.dumps(Runs(tmp_path / "ran")))
    faulty.fault(Kind.STATUS, status=416, code="InvalidRange", content_range=said)
    _trust_everything(account_home)
    with contextlib.suppress(aios3_nb.S3Error, EOFError):
        aios3_nb.load("s3://b/ours/k.pkl", format="pickle")
    with aios3_nb.open("s3://b/ours/k.pkl") as file:
        faulty.fault(Kind.STATUS, status=416, code="InvalidRange", content_range=said)
        file.seek(5)
        file.read(1)
        assert file.info.endpoint_url == faulty.url
    assert not (tmp_path / "ran").exists()
