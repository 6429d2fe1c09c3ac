"""No option is taken and ignored: each changes what is returned, asked of the server, shown or kept; or is an error.

The options are read off the parsers of the magics and the groups of the calls: one that is added and has no case here
fails.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import re
import sys
import time
import warnings
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import aios3_nb
from aios3_nb import options, settings
from aios3_nb.errors import OptionError, S3Error
from aios3_nb.notebook.magics import S3Magics
from aios3_nb.settings import NAMES, Settings
from tests.faults.fault import Kind
from tests.faults.server import FaultServer
from tests.options.test_signatures import GROUPS

ROWS = [{"n": n, "text": "x"} for n in range(5)]
OBJECTS = {
    "d.json": json.dumps({"a": [1, 2, 3]}).encode(),
    "rows.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "t/a.csv": b"n,s\n1,x\n2,y\n",
    "t/b.csv": b"n,s\n3,x\n",
    "mix/a.jsonl": b"1",
    "mix/b.jsonl": b"{",
    "own.pkl": pickle.dumps(Namespace(x=1)),
    "row.pkl": pickle.dumps(1) + pickle.dumps(2),
    "latin.txt": b"caf\xe9",
    "big.bin": bytes(3_000_000),
    "long.csv": b"n\n" + b"1\n" * 750_000,
}

CASES: dict[str, tuple[str, Any]] = {
    "version_id": ("d.json", "v1"),
    "format": ("d.json", "bytes"),
    "iter": ("rows.jsonl", True),
    "dask": ("t/*.csv", True),
    "background": ("d.json", True),
    "errors": ("mix/*.jsonl", "skip"),
    "concat": ("t/*.csv", True),
    "key_column": ("t/*.csv", "key"),
    "columns": ("t/a.csv", "n"),
    "rows": ("t/a.csv", 1),
    "as_": ("t/a.csv", "arrow"),
    "limit": ("rows.jsonl", 2),
    "path": ("d.json", "a"),
    "encoding": ("latin.txt", "latin1"),
    "trust": ("own.pkl", True),
    "allow": ("own.pkl", "argparse.Namespace"),
    "expires": ("d.json", 60),
    "height": ("", 321),
    "recursive": ("", True),
    "clear": ("", True),
    "check": ("", True),
    # Settings
    "verify": ("unchecked.json", "require"),
    "max_bytes": ("d.json", 3),
    "quiet": ("row.pkl", True),
    "cache": ("d.json", "1G"),
    "cache_dir": ("d.json", "other"),
    "part_size": ("big.bin", 500_000),
    "profile": ("d.json", "nobody"),
    "region": ("d.json", "eu-west-9"),
    "endpoint_url": ("d.json", ""),
    "no_sign_request": ("d.json", True),
    "request_payer": ("d.json", "requester"),
}
"""An object for which the option means something, or nothing for the bucket, and a value."""

WITH = {"key_column": {"concat": True}, "cache_dir": {"cache": "1G"}, "encoding": {"format": "text"}}
"""What an option needs beside it to mean anything; both are given it."""

OTHERWISE: dict[tuple[str, str], tuple[str, Any]] = {
    ("frame", "encoding"): ("t/a.csv", "utf-16"),
    ("frame", "format"): ("t/a.csv", "text"),
    ("frame", "part_size"): ("long.csv", 500_000),
    ("frame", "cache"): ("t/a.csv", "1G"),
    ("iterate", "cache"): ("rows.jsonl", "1G"),
    ("iterate", "cache_dir"): ("rows.jsonl", ""),
}
"""The same for calls in which it means nothing for that object."""

NEED_MORE = [
    ("cd", "clear"), ("cache", "clear"), ("cache", "check"), ("open", "cache"), ("open", "cache_dir"),
    ("iterate", "cache"), ("iterate", "cache_dir"),
]  # fmt: skip
"""What finds something only where there is a place, or something in the cache."""

WAITS = [name for name in NAMES if name not in CASES and name != "s3"]
"""Settings of how hard to pull and how long to wait: what they change is time, which tests of their own make happen."""
BUCKETS = ("ls", "browse", "cd")


def of_lines() -> list[tuple[str, str, str]]:
    """Return magic, option as it is written, and its name, of all."""
    return [
        (magic, action.option_strings[0], action.dest)
        for magic in S3Magics.magics["line"]
        for action in getattr(S3Magics, magic).parser._actions
        if action.option_strings
    ]


# What `quiet` asks for is so: a call shows no progress. It is taken, so that options fit lines and calls alike.
CALLS = {**GROUPS, "bag": options.Iterating, "frame": options.Iterating}
READ = {"dump": {"part_size"}}
"""What changes something only for more than a test has to send; that it is read is looked at."""


def of_calls() -> list[tuple[str, str]]:
    return [
        (call, name) for call, group in CALLS.items() for name in options.names_in(group)
        if name not in WAITS and name not in READ.get(call, ()) and (name != "quiet" or call == "load")
    ]  # fmt: skip


@pytest.fixture
def stocked(faulty: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    for key, body in OBJECTS.items():
        faulty.put("b", key, body)
    faulty.put("b", "unchecked.json", b"1", etag='"none"')
    monkeypatch.setenv("AIOS3_NB_CACHE_DIR", str(tmp_path / "cache"))
    return faulty


@pytest.fixture(scope="module")
def magics() -> Any:
    """The magics in a shell of this process, which runs no cells."""
    config = Config()
    config.HistoryManager.enabled = False
    return S3Magics(InteractiveShell(config=config))


def seen(value: Any) -> Any:
    """Return what can be compared of what a call or a line returned."""
    if isinstance(value, aios3_nb.S3File):
        with value:
            return "file", value.read(), value.info
    if hasattr(value, "selected"):
        while value._under_way:  # else its listing may be asked for when the next call is looked at
            time.sleep(0.01)
        value.close()
        return "panel", value.height, [getattr(value.settings, name) for name in NAMES]
    if callable(getattr(value, "done", None)):
        while not value.done():
            time.sleep(0.01)
        return "handle"
    if hasattr(value, "__next__"):
        items = list(value)
        # Those of an object without a format are as long as what came at once.
        return "items", b"".join(items) if items and all(isinstance(each, bytes) for each in items) else items
    if isinstance(value, bytes) or (isinstance(value, list) and isinstance(value[0], bytes)):
        return "bytes", value
    return type(value).__name__, re.sub(r"\b[\d.]+ m?s\b|X-Amz-(?:Date|Signature)=\w+|0x\w+", "", str(value))


def observed(server: FaultServer, call: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Return all that `call` makes happen, but for times."""
    server.reset()
    aios3_nb.cached("").clear()
    capsys.readouterr()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            value = seen(call())
        except S3Error as exc:
            value = type(exc).__name__, exc.said
    asked = [
        (each.method, each.key, sorted(each.query.items()), each.body, *(
            each.headers.get(name, "") for name in ("host", "range", "x-amz-request-payer", "if-none-match")
        ), re.findall(r"/([\w-]+)/s3/", each.headers.get("authorization", "")))
        for each in server.requests
    ]  # fmt: skip
    kept = sorted({path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()})
    said = re.sub(r"\b[\d.]+ m?s\b|\([\d.]+ \w+/s\)", "", capsys.readouterr().out)
    panel = value[0] == "panel"  # asks when it likes
    # Of a look at the beginning it is chance whether one part more was begun when it was done; not how long parts are.
    lengths = {_length(each[5]) for each in asked} if any(each[1] == "long.csv" for each in asked) else None
    told = [] if panel else lengths or sorted(asked)
    return value, said, [str(each.message) for each in warned], kept, told


def _length(asked: str) -> int:
    start, stop = re.findall(r"\d+", asked) or (0, 0)
    return int(stop) - int(start)


def value_for(name: str, server: FaultServer, tmp_path: Path) -> Any:
    if name == "endpoint_url":
        return server.url.replace("127.0.0.1", "localhost")
    return str(tmp_path / "other") if name == "cache_dir" else CASES[name][1]


@pytest.mark.parametrize(("call", "name"), of_calls())
def test_every_option_of_a_call_changes_something(
    stocked: FaultServer, capsys: pytest.CaptureFixture[str], tmp_path: Path, call: str, name: str
) -> None:
    subject, value = OTHERWISE.get((call, name), CASES[name])
    if name in ("endpoint_url", "cache_dir"):
        value = value_for(name, stocked, tmp_path)
    uri = f"s3://b/{'' if call in BUCKETS else subject}"
    if call == "cd":  # it is read, and nothing is asked
        uri = f"{value}/b/"
    given = WITH.get(name, {}) if (call, name) not in OTHERWISE or name == "cache_dir" else {}

    def run(**more: Any) -> Any:
        if (call, name) in NEED_MORE:
            aios3_nb.load(uri, cache="1G")
        return called(call, uri, **given, **more)

    plain = observed(stocked, run, capsys, tmp_path)
    assert plain == observed(stocked, run, capsys, tmp_path)
    assert observed(stocked, lambda: run(**{name: value}), capsys, tmp_path) != plain


def called(call: str, uri: str, **given: Any) -> Any:
    """Return what `call` gives, as far as it is to be asked for."""
    value = getattr(aios3_nb, call)(*([{"a": 1}] if call == "dump" else []), uri, **given)
    if call in ("bag", "frame"):
        return value.compute(scheduler="sync")
    return aios3_nb.ls(limit=1) if call == "cd" and value is None else value


@pytest.mark.parametrize("call", CALLS)
def test_a_setting_that_would_change_nothing_in_a_call_is_refused_before_anything_is_asked(
    stocked: FaultServer, call: str
) -> None:
    for name in set(NAMES) - set(options.names_in(CALLS[call])):
        with pytest.raises(OptionError, match=rf"^{name} changes nothing in this call: it is for \w.*\. Leave it out"):
            called(call, "s3://b/d.json", **{name: CASES.get(name, ("", 1))[1]})
    assert not stocked.requests


def test_a_file_system_takes_the_settings_that_change_something_for_it_and_no_others(stocked: FaultServer) -> None:
    with pytest.raises(OptionError, match=r"^max_bytes changes nothing in this call"):
        aios3_nb.filesystem(max_bytes=1)
    settings.set_session(quiet=True, max_bytes=5)
    again = pickle.loads(pickle.dumps(aios3_nb.filesystem(part_size="1M")))
    assert (again.settings.part_size, again.cat("b/d.json")) == (1 << 20, OBJECTS["d.json"])


@pytest.mark.parametrize("call", [call for call in CALLS if call not in ("cd", "sign")])
def test_a_setting_that_a_call_takes_is_read_in_it(
    stocked: FaultServer, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """What changes only times cannot be seen in what comes; but what nobody reads does nothing."""
    read = set()
    plain = Settings.__getattribute__

    def noted(self: Settings, name: str) -> Any:
        file = sys._getframe(1).f_code.co_filename
        if "aios3_nb" in file and not file.endswith(("settings.py", "diagnosis.py")):
            read.add(name)
        return plain(self, name)

    subject = {"frame": "t/a.csv", "iterate": "rows.jsonl", "bag": "rows.jsonl", "dump": "d.json"}.get(call, "big.bin")
    for key in ("", None):
        stocked.fault(Kind.STATUS, method="", key=key)
    monkeypatch.setattr(Settings, "__getattribute__", noted)
    value = called(call, f"s3://b/{'' if call in BUCKETS else subject}")
    while call == "browse" and len(stocked.requests) < 2:
        time.sleep(0.01)
    seen(value)
    wanted = {name for name in options.names_in(CALLS[call]) if name in WAITS or name in READ.get(call, ())}
    if call == "browse":  # which loads and stores by the same ways, once that is asked of it
        wanted &= set(options.names_in(options.Looking))
    assert wanted - read == set()


def test_more_than_the_setting_is_needed_where_it_says_so(stocked: FaultServer) -> None:
    with pytest.raises(OptionError, match=r"cache_dir changes nothing where no cache is used\. Say cache='on'"):
        aios3_nb.load("s3://b/d.json", cache_dir="x")
    with pytest.raises(OptionError, match="cache_dir is a folder of this machine"):
        aios3_nb.bag("s3://b/d.json", cache="on", cache_dir="x")
    with pytest.raises(OptionError, match=r"version_id is that of an object\. Name it"):
        aios3_nb.doctor(version_id="x")
    with pytest.raises(OptionError, match=r"trust are for pickles.*aios3_nb\.bag"):
        aios3_nb.frame("s3://b/own.pkl", trust=True)


def test_parts_that_have_no_room_in_the_budget_are_refused_before_anything_is_asked(stocked: FaultServer) -> None:
    advice = r"part_size=104857600 does not fit into budget=52428800.*such as budget=419430400\."
    for call in (aios3_nb.load, aios3_nb.open, aios3_nb.iterate, aios3_nb.browse, aios3_nb.bag):
        with pytest.raises(OptionError, match=advice):
            call("s3://b/d.json", part_size="100M", budget="50M")
    with pytest.raises(OptionError, match=advice):
        aios3_nb.filesystem(part_size="100M", budget="50M")
    settings.set_session(part_size="2M")
    with pytest.raises(OptionError, match="part_size=2097152 does not fit into budget=1048576"):
        aios3_nb.load("s3://b/d.json", budget="1M")
    assert not stocked.requests


def test_parts_are_as_short_as_a_small_budget_when_nobody_asked_for_longer_ones(stocked: FaultServer) -> None:
    aios3_nb.load("s3://b/big.bin", format="bytes", budget="500000", verify="off")
    firsts = [request.headers["range"].removeprefix("bytes=").split("-") for request in stocked.requests[1:]]
    assert firsts
    assert max(int(last) - int(first) + 1 for first, last in firsts) == 500_000


def test_a_budget_that_nobody_set_has_room_for_one_part_that_somebody_did(stocked: FaultServer) -> None:
    assert settings.current(part_size="100M").budget == 104_857_600
    assert len(aios3_nb.load("s3://b/big.bin", format="bytes", part_size="100M")) == 3_000_000


def test_where_no_budget_counts_parts_may_be_as_long_as_one_likes(stocked: FaultServer) -> None:
    aios3_nb.dump({"a": 1}, "s3://b/kept.json", part_size="100M")
    settings.set_session(part_size="100M")
    assert aios3_nb.peek("s3://b/kept.json").format == "json"
    assert asyncio.run(aios3_nb.read("b", "kept.json", 200 << 20)) == b'{"a": 1}'


def test_who_pays_is_said_in_every_request(stocked: FaultServer) -> None:
    aios3_nb.bag("s3://b/rows.jsonl", request_payer="requester").compute(scheduler="sync")
    assert {(each.method, each.headers.get("x-amz-request-payer")) for each in stocked.requests} == {
        ("HEAD", "requester"),
        ("GET", "requester"),
    }


@pytest.mark.parametrize(("magic", "option", "name"), of_lines())
def test_every_option_of_a_magic_changes_something(
    stocked: FaultServer,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    magics: Any,
    magic: str,
    option: str,
    name: str,
) -> None:
    settings.set_session(quiet=False)
    subject, value = CASES[name][0], value_for(name, stocked, tmp_path)
    verb = magic.removeprefix("s3")
    uri = f"s3://b/{'' if verb in BUCKETS else subject}"
    given = " ".join(
        f"--{each.replace('_', '-')}{'' if it is True else f' {it}'}" for each, it in WITH.get(name, {}).items()
    )
    words = {"save": f"thing s3://b/{subject}", "cache": "", "cd": ""}.get(verb, uri)

    def run(more: str = "") -> Any:
        if (verb, name) in NEED_MORE:
            aios3_nb.cd("s3://b/t/")
            aios3_nb.load("s3://b/d.json", cache="1G")
        return getattr(magics, magic)(f"{words} {given} {more}", local_ns={"thing": {"a": 1}})

    plain = observed(stocked, run, capsys, tmp_path)
    assert plain == observed(stocked, run, capsys, tmp_path)
    written = option if value is True else f"{option} {value}"
    assert observed(stocked, lambda: run(written), capsys, tmp_path) != plain


def test_the_time_that_a_stream_waits_in_all_is_bounded(stocked: FaultServer) -> None:
    with stocked.holding("big.bin", at=2_000_000), pytest.raises(aios3_nb.StalledError, match=r"\(total_timeout\)"):
        aios3_nb.load("s3://b/big.bin", total_timeout=0.2)


@pytest.mark.parametrize("name", WAITS)
def test_a_setting_that_changes_only_times_has_a_test_that_sets_it(name: str) -> None:
    rooms = [Path(__file__).parents[1] / room for room in ("streams", "s3")]
    texts = [
        path.read_text() for path in (Path(__file__), *(each for room in rooms for each in room.glob("test_*.py")))
    ]
    assert any(re.search(rf"\b{name}=|\"{name}\"|AIOS3_NB_{name.upper()}\b", text) for text in texts)
