"""What <TAB> offers in the magics' lines, how quickly, for how many requests, and that it reads as what it shows."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import pytest

import aios3_nb
from aios3_nb import settings
from aios3_nb.address import S3Uri, parse
from aios3_nb.formats import writable_names
from aios3_nb.notebook import options
from aios3_nb.notebook.complete import keys as complete_keys
from aios3_nb.notebook.complete.complete import complete
from aios3_nb.notebook.complete.line import find_gap
from aios3_nb.notebook.magics import S3Magics
from aios3_nb.pipeline import order
from tests.awkward import KEYS, NAMESPACES
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.kernels import Kernel, kernel

LOAD, OPEN, LS = S3Magics.s3load.parser, S3Magics.s3open.parser, S3Magics.s3ls.parser
CD, SAVE = S3Magics.s3cd.parser, S3Magics.s3save.parser
WAIT, KEEP = complete_keys.WAIT, complete_keys.KEEP
VARIABLES: dict[str, Any] = {"root": "s3://bkt/models", "bucket": "bkt", "frame": object(), "number": 3}


@pytest.fixture(scope="module")
def stocked() -> Iterator[FaultServer]:
    with FaultServer() as server:
        for key in ["models/a.pkl", "models/b.pkl", "models/my dir/x.pkl", "model.json", "year=2024/part.pkl"]:
            server.put("bkt", key, b"")
        for key in KEYS:
            server.put("awkward", key, b"")
        server.put("many", "models/", b"")
        for number in range(1200):
            server.put("many", f"key{number:04}", b"")
        yield server


@pytest.fixture(autouse=True)
def s3_here(stocked: FaultServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """The server as every test expects it: nothing armed, nothing known of it yet."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    settings.set_session(endpoint_url=stocked.url)
    aios3_nb.ls()  # makes the client, which takes its time once
    stocked.reset()
    complete_keys._caches.clear()
    # A machine with other work must not fail what is not about time; tests that are set it back.
    monkeypatch.setattr(complete_keys, "WAIT", 60.0)
    monkeypatch.setattr(complete_keys, "KEEP", 600.0)
    yield stocked
    order.set_place(None)


def offered(line: str, parser: argparse.ArgumentParser = LOAD) -> list[str]:
    """Return what the line may become; ``|`` is the cursor, else it is at the end."""
    before, _, after = line.partition("|")
    offer = complete(parser, before, after, VARIABLES)
    assert before.endswith(offer.end)
    return [before.removesuffix(offer.end) + text for text in offer.texts]


OFFERS = {
    "--ver": ["--version-id", "--verify"],
    "--verify ": ["--verify auto", "--verify require", "--verify off"],
    "--verify=re": ["--verify=require"],
    "s3://bkt/x --trust --tr": [],
    "--trust --li": ["--trust --limit"],
    "--tr| --trust": [],
    "--format pic": ["--format pickle"],
    "--endpoint-url ": [],
    "-- --tr": [],
    "s3://bkt/x # --tr": [],
    "s3://": ["s3://awkward/", "s3://bkt/", "s3://many/"],
    "": ["s3://awkward/", "s3://bkt/", "s3://many/"],
    "s3": ["s3://awkward/", "s3://bkt/", "s3://many/"],
    "s3://b": ["s3://bkt/"],
    "m=": ["m=s3://awkward/", "m=s3://bkt/", "m=s3://many/"],
    "m=s3://b": ["m=s3://bkt/"],
    "s3://bkt/": ["s3://bkt/models/", "s3://bkt/year=2024/", "s3://bkt/model.json"],
    "s3://bkt/mo": ["s3://bkt/models/", "s3://bkt/model.json"],
    "s3://bkt/mo| --quiet": ["s3://bkt/models/", "s3://bkt/model.json"],
    "m=s3://bkt/models/a": ["m=s3://bkt/models/a.pkl"],
    "a=s3://bkt/x b=s3://bkt/y": ["a=s3://bkt/x b=s3://bkt/year=2024/"],
    "s3://bkt/models/m": ["s3://bkt/models/'my dir/'"],
    "s3://bkt/models/'my dir'/": ["s3://bkt/models/'my dir'/x.pkl"],
    "'s3://bkt/mo": ["'s3://bkt/models/'", "'s3://bkt/model.json'"],
    "'s3://bkt/models/my d": ["'s3://bkt/models/my dir/'"],
    "'s3://bkt/models/my d|'": ["'s3://bkt/models/my dir/"],
    '"s3://bkt/models/my d|"': ['"s3://bkt/models/my dir/'],
    "'s3://bkt/models/my dir/'": ["'s3://bkt/models/my dir/x.pkl'"],
    "m='s3://bkt/models/my d": ["m='s3://bkt/models/my dir/'"],
    "arn:aws:s3:::bkt/mo": ["arn:aws:s3:::bkt/models/", "arn:aws:s3:::bkt/model.json"],
    "https://bkt.s3.amazonaws.com/mo": [],
    "s3://bkt/nothing-like-it": [],
    "s3://no-such-bucket/": [],
    "{ro": ["{root}"],
    "{ro|}": ["{root"],
    "s3://$bu": ["s3://$bucket"],
    "--path ${nu": ["--path ${number}"],
    "--allow {ro": [],
    "{fr": [],
    "'{ro": [],
    "{root}/": ["{root}/'my dir/'", "{root}/a.pkl", "{root}/b.pkl"],
    "m={root}/a": [],
    'm="{root}/a': ['m="{root}/a.pkl"'],
    '"{root}/m|"': ['"{root}/my dir/'],
}


@pytest.mark.parametrize("line", OFFERS)
def test_what_is_offered(line: str) -> None:
    assert offered(line) == OFFERS[line]


RELATIVE = {
    "": ["models/", "year=2024/", "model.json"],
    "mo": ["models/", "model.json"],
    "./mo": ["./models/", "./model.json"],
    "models/a": ["models/a.pkl"],
    "m=mo": ["m=./models/", "m=model.json"],
    "year=2": ["year=2024/"],
    "m=./models/": ["m=./models/'my dir/'", "m=./models/a.pkl", "m=./models/b.pkl"],
    "s": ["s3://awkward/", "s3://bkt/", "s3://many/"],
}


@pytest.mark.parametrize("line", RELATIVE)
def test_what_is_offered_below_a_place(line: str) -> None:
    order.set_place(parse("s3://bkt/"))
    assert offered(line) == RELATIVE[line]


def test_a_key_above_the_place_is_found() -> None:
    order.set_place(parse("s3://bkt/models/"))
    assert offered("../mo") == ["../models/", "../model.json"]


def test_each_magic_takes_what_its_own_parser_says() -> None:
    assert offered("s3://bkt/mo", CD) == ["s3://bkt/models/"]
    assert offered("s3://bkt/mo", LS) == ["s3://bkt/models/", "s3://bkt/model.json"]
    assert offered("f=s3://bkt/model.", OPEN) == ["f=s3://bkt/model.json"]
    assert offered("s3://bkt/mo s3://bkt/mo", OPEN) == []
    assert offered("--re", LS) == ["--region", "--request-payer", "--recursive"]
    assert offered("fr", SAVE) == ["frame"]
    assert offered("frame s3://bkt/models/", SAVE)[1:] == ["frame s3://bkt/models/a.pkl", "frame s3://bkt/models/b.pkl"]
    assert offered("frame x --format jso", SAVE) == [
        f"frame x --format {name}" for name in ("json", "json-seq", "jsonl")
    ]


def test_only_what_can_be_written_is_offered_as_a_format_to_store_in() -> None:
    assert "x --format image" in offered("x --format ")
    storable = [line.rpartition(" ")[2] for line in offered("frame x --format ", SAVE)]
    assert storable == writable_names()
    assert not {"image", "audio", "joblib", "safetensors"} & set(storable)


@pytest.mark.parametrize(
    ("line", "parser", "kind"),
    [
        ("--ver", LOAD, "option"),
        ("--verify re", LOAD, "value"),
        ("x --format js", LOAD, "value"),
        ("s3://{ro", LOAD, "variable"),
        ("fr", SAVE, "variable"),
        ("s3://bkt/mo", LOAD, "path"),
        ("s3", LS, "path"),
    ],
)
def test_what_is_offered_is_labelled_as_what_it_is(line: str, parser: argparse.ArgumentParser, kind: str) -> None:
    offer = complete(parser, line, "", VARIABLES)
    assert offer.texts
    assert offer.kind == kind


def test_profiles_come_from_the_configuration(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.session  # noqa: F401 - takes its time, once

    config = tmp_path / "config"
    config.write_text("[profile prod]\nregion = eu-west-1\n[profile preview]\n[profile test]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert offered("--profile pr") == ["--profile preview", "--profile prod"]


@pytest.mark.parametrize("lead", ["", "m=", "'", '"', "m='", "s3://awkward/", "m=s3://awkward/", "'s3://awkward/"])
def test_whatever_a_key_holds_it_is_offered_and_reads_as_just_itself(lead: str) -> None:
    place = S3Uri("awkward")
    order.set_place(place)
    uris = set()
    for word in offered(lead):
        for namespace in NAMESPACES:
            args = options.parse(LOAD, word, namespace)
            assert (args.trust, args.allow, len(args.targets)) == (False, None, 1), word
            target = args.targets[0]
            uri = order.locate(target.text, settings.current())
            # `m=` may also be how a key begins.
            assert target.name == ("m" if lead.startswith("m=") else None) or uri.key.startswith(lead), word
            uris.add(uri)
    names = {key.partition("/")[0] + key.partition("/")[1] for key in KEYS}
    assert {uri.key for uri in uris} == names


LINES = ["", "s3", "s3://b", "m=", "m=s3", "m=mo", "year=2", "s3://bkt/mo", "mo", "{root}/", "s3://bkt/a?versionId="]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("place", [None, "s3://bkt/"])
def test_one_tab_costs_two_requests_at_most(s3_here: FaultServer, line: str, place: str | None) -> None:
    order.set_place(parse(place) if place else None)
    offered(line)
    assert len(s3_here.requests) <= 2
    for request in s3_here.requests:
        assert request.method == "GET"
        assert not request.bucket or int(request.query["max-keys"]) <= 300


def test_a_listing_serves_all_that_begins_with_it(s3_here: FaultServer) -> None:
    for line in ("s3://bkt/", "s3://bkt/mo", "m=s3://bkt/model.", "s3://bkt/"):
        assert offered(line)
    assert len(s3_here.requests) == 1
    offered("s3://bkt/models/")
    assert len(s3_here.requests) == 2


def test_a_listing_that_was_cut_short_serves_only_itself(s3_here: FaultServer) -> None:
    assert len(offered("s3://many/")) == 300
    assert offered("s3://many/key119") == [f"s3://many/key119{n}" for n in range(10)]
    assert len(s3_here.requests) == 2


def test_a_listing_is_kept_for_some_seconds_and_not_for_ever(
    s3_here: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 5 <= KEEP <= 30
    offered("s3://bkt/mo")
    offered("s3://bkt/mo")
    assert len(s3_here.requests) == 1
    monkeypatch.setattr(complete_keys, "KEEP", 0.2)
    offered("s3://bkt/models/")
    s3_here.put("bkt", "models/more.json", b"")
    time.sleep(0.25)
    monkeypatch.setattr(complete_keys, "KEEP", 600.0)  # else what comes now may be too old when it is looked at
    try:
        assert "s3://bkt/models/more.json" in offered("s3://bkt/models/")
    finally:
        s3_here.store.delete("bkt", "models/more.json")


@pytest.fixture
def in_time(s3_here: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complete_keys, "WAIT", WAIT)


@pytest.mark.usefixtures("in_time")
def test_a_slow_server_is_waited_for_half_a_second_and_answers_the_next_tab(s3_here: FaultServer) -> None:
    assert WAIT <= 0.5
    with s3_here.holding(""):  # an answer never comes: whoever waited for it would wait for ever
        for line in ("s3://bkt/m", "s3://bkt/mo", "s3://bkt/mod"):
            assert offered(line) == []
        assert offered("s3://bkt/mo") == []  # does not ask again what is under way
        until = time.monotonic() + 60
        while len(s3_here.requests) < 3 and time.monotonic() < until:  # a busy machine sends them later
            time.sleep(0.01)
    until = time.monotonic() + 60
    while not (found := offered("s3://bkt/mo")) and time.monotonic() < until:
        pass
    assert found == ["s3://bkt/models/", "s3://bkt/model.json"]
    assert len(s3_here.requests) == 3


def test_what_has_come_is_offered_when_the_other_half_is_late(
    s3_here: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order.set_place(parse("s3://bkt/"))
    late = Fault(kind=Kind.HOLD, key="")
    s3_here.fault(late)
    monkeypatch.setattr(complete_keys, "WAIT", WAIT)
    assert offered("m=mo") == []
    monkeypatch.setattr(complete_keys, "WAIT", 60.0)
    assert offered("year=2") == ["year=2024/"]
    late.released.set()


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (503, "SlowDown"), (500, "InternalError")])
def test_a_refusal_is_no_offer_and_no_error_and_asked_once(s3_here: FaultServer, status: int, code: str) -> None:
    s3_here.fault(Fault(kind=Kind.STATUS, status=status, code=code, key="", times=1))
    assert offered("s3://bkt/mo") == []
    assert len(s3_here.requests) == 1
    assert offered("s3://bkt/mo") == ["s3://bkt/models/", "s3://bkt/model.json"]


@pytest.mark.parametrize(
    "line",
    [
        "s3://bkt/mo| --endpoint-url http://127.0.0.1:9",
        "--profile nobody s3://bkt/mo",
        "--endpoint-url nonsense s3://bkt/mo",
        "s3://b k/",
        "s3://user:secret@bkt/mo",
        "arn:aws:s3:::",
        "\\",
        "=",
        "m==",
        "..",
        "--nothing=x",
        "--quiet=x",
        "s3://*/",
    ],
)
def test_nothing_is_offered_for_what_cannot_be(line: str) -> None:
    assert offered(line) == []


def test_it_never_raises_whatever_the_line() -> None:
    for line in KEYS:
        for cut in range(min(len(line), 12) + 1):
            find_gap(LOAD, line[:cut], line[cut:], VARIABLES)


# ---- in a kernel


@pytest.fixture(scope="module")
def running(stocked: FaultServer) -> Iterator[Kernel]:
    keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    with kernel(keys) as started:
        started.ok(f"%load_ext aios3_nb\n%config S3Magics.endpoint_url = {stocked.url!r}\nmodel_dir = 'models'")
        started.ok("%s3ls s3://bkt/")  # imports what the first request needs
        started.complete("%s3load s3://")
        yield started


CELLS = {
    "x = %s3load s3://bkt/mo": ["x = %s3load s3://bkt/models/", "x = %s3load s3://bkt/model.json"],
    "%%s3load m=s3://bkt/model.": ["%%s3load m=s3://bkt/model.json"],
    "for k in ks:\n    %s3ls s3://bkt/y": ["for k in ks:\n    %s3ls s3://bkt/year=2024/"],
    "%time m = %s3load s3://bkt/models/a": ["%time m = %s3load s3://bkt/models/a.pkl"],
    "s3ls s3://bkt/y": ["s3ls s3://bkt/year=2024/"],
    "%s3load s3://bkt/{mo": ["%s3load s3://bkt/{model_dir}"],
    "%s3load --verify r": ["%s3load --verify require"],
    "%s3load s3://bkt/nothing-like-it": [],
}


@pytest.mark.parametrize("code", CELLS)
def test_a_kernel_offers_only_what_fits(running: Kernel, code: str) -> None:
    until = time.monotonic() + 60
    while (found := running.complete(code)) != CELLS[code] and time.monotonic() < until:
        time.sleep(0.2)  # the first listing makes the client of the background loop
    assert found == CELLS[code]


def test_other_lines_are_left_to_ipython(running: Kernel) -> None:
    assert "%s3load" in running.complete("%s3l")
    assert running.complete("x = model_") == ["x = model_dir"]
    assert running.complete("x = s3load - model_") == ["x = s3load - model_dir"]


def test_unloading_takes_completion_away(running: Kernel) -> None:
    names = "[m.matcher_identifier for m in get_ipython().Completer.custom_matchers]"
    assert running.ok(f"%reload_ext aios3_nb\n{names}").result == "['aios3_nb']"
    assert running.ok(f"%unload_ext aios3_nb\n{names}").result == "[]"
    running.ok("%load_ext aios3_nb")


def test_a_kernel_hands_the_labels_on(running: Kernel) -> None:
    content = running.client.complete("%s3load --verify r", reply=True, timeout=60)["content"]
    assert {each["type"] for each in content["metadata"]["_jupyter_types_experimental"]} == {"value"}
