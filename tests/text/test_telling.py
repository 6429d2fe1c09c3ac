"""Messages are spelled for whoever asked: lines of magics, or calls of Python; and warnings are one line."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

import aios3_nb
from aios3_nb.address import quote
from aios3_nb.errors import ObjectNotFoundError
from aios3_nb.text import as_call, visible
from tests.awkward import KEYS


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("List its prefix with %s3ls s3://b/dir/", "List its prefix with aios3_nb.ls('s3://b/dir/')"),
        ("List the buckets with %s3ls", "List the buckets with aios3_nb.ls()"),
        ("%s3ls 's3://b/my dir/' (markers)", "aios3_nb.ls('s3://b/my dir/') (markers)"),
        (r"%s3ls $'s3://b/it\'s\n/'", r"aios3_nb.ls('s3://b/it\'s\n/')"),
        ('%s3ls "s3://b/it\'s/"', 'aios3_nb.ls("s3://b/it\'s/")'),
        (r"%s3ls 's3://b/a\b/'", r"aios3_nb.ls('s3://b/a\\b/')"),
        ("  %s3load URI --trust    (once)", "  aios3_nb.load(URI, trust=True)    (once)"),
        (
            "  %s3load s3://b/k.pkl --allow a.B,c.d.E    (these)",
            "  aios3_nb.load('s3://b/k.pkl', allow=['a.B', 'c.d.E'])    (these)",
        ),
        ("--limit is for items and rows; npy has none.", "limit is for items and rows; npy has none."),
        ("--iter gives all, --limit N the first", "aios3_nb.iterate gives all, limit=N the first"),
        ("Say --format bytes to have", "Say format='bytes' to have"),
        ("Say it with --format: arrow, bytes", "Say it with format: arrow, bytes"),
        ("such as --path data.item, or --format jsonl if", "such as path='data.item', or format='jsonl' if"),
        ("--path $.x[0] is not understood", "path $.x[0] is not understood"),
        ("Say with --path where the array is", "Say with path where the array is"),
        ("more than --max-bytes 500 MB. Raise it", "more than max_bytes=500 MB. Raise it"),
        ("Try --profile NAME, or --no-sign-request.", "Try profile=NAME, or no_sign_request=True."),
        ("Check --endpoint-url and --region.", "Check endpoint_url and region."),
        ("(--encoding latin1)", "(encoding='latin1')"),
        ("and --cache offline asks nobody", "and cache='offline' asks nobody"),
        ("--as pandas makes frames, whatever --as is", "as_='pandas' makes frames, whatever as_ is"),
        ("--verify=require waits for it", "verify='require' waits for it"),
        ("Log in with: aws sso login --profile dev", "Log in with: aws sso login --profile dev"),
        ("the bucket lake--use1-az4--x-s3 is", "the bucket lake--use1-az4--x-s3 is"),
        ("It runs. Start it with %s3demo.", "It runs. Start it with %s3demo."),
    ],
)
def test_what_to_type_is_spelled_as_a_call(line: str, call: str) -> None:
    assert as_call(line) == call
    assert as_call(call) == call


@pytest.mark.parametrize("key", [*KEYS, "a --limit 3 --trust.csv", "%s3ls --format json"])
def test_the_address_stays_as_it_is_and_the_call_can_be_run(key: str) -> None:
    uri = f"s3://b/{key}"
    told = as_call(f"No such object: {visible(uri)}. List it: %s3ls {quote(uri)}", uri)
    said, _, call = told.partition(". List it: ")
    assert said == f"No such object: {visible(uri)}" or ". List it: " in key
    (argument,) = ast.parse(call, mode="eval").body.args
    assert ast.literal_eval(argument) == uri


def test_an_error_speaks_python_unless_a_line_has_asked() -> None:
    error = ObjectNotFoundError("Gone. See %s3ls s3://b/ --limit 3", uri="s3://b/k")
    assert str(error) == "Gone. See aios3_nb.ls('s3://b/', limit=3)"
    assert error.said == "Gone. See %s3ls s3://b/ --limit 3"
    error.in_line = True
    assert str(error) == error.said


def test_a_warning_is_one_line_without_a_path() -> None:
    code = "from aios3_nb.text import warn\nfor _ in '12': warn('once')\nfor _ in '12': warn('each', again=True)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [line.rpartition(": ")[2] for line in done.stderr.splitlines()] == ["once", "each", "each"]
    assert not [line for line in done.stderr.splitlines() if "/" in line or ".py" in line]


def test_only_the_package_that_is_missing_is_to_be_installed(monkeypatch: pytest.MonkeyPatch, faulty: object) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    faulty.put("b", "t.parquet", b"PAR1....PAR1")  # type: ignore[attr-defined]
    with pytest.raises(aios3_nb.MissingPackageError, match=r"pip install pyarrow\Z"):
        aios3_nb.load("s3://b/t.parquet")
