"""The magics in a real kernel on the real server: what they return, bind, show, refuse, and leave behind."""

from __future__ import annotations

import json
import pickle
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.kernels import Kernel, kernel

ARRAYS = {"a": np.arange(3_000_000.0), "b": np.arange(10)}
ROWS = [{"n": n, "text": "x" * n} for n in range(50)]


@pytest.fixture(scope="module")
def stocked(s3: Any) -> str:
    """A bucket with a few objects, kept for all tests of this module."""
    bucket = "kernel"
    s3.create_bucket(Bucket=bucket)
    bodies = {
        "models/arrays.pkl": pickle.dumps(ARRAYS),
        "rows.pkl": pickle.dumps(ROWS),
        "twice.pkl": pickle.dumps(ROWS) * 2,
        "rows.json": json.dumps(ROWS).encode(),
        "rows.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
        "year=2024/part.pkl": pickle.dumps(2024),
        "a key with spaces.txt": b"spaces",
        "not.pkl": b"<html>not a pickle</html>",
        "short.pkl": pickle.dumps(ROWS)[:500],
        "broken.json": b'{"a": 1, "b": }',
        "empty.txt": b"",
        "data[1].json": b'"asked for"',
        "data1.json": b'"another"',
        "run {1}*.json": b'"braces"',
    }
    for key, body in bodies.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    upload_in_parts(s3, {"Bucket": bucket, "Key": "parts.bin"}, [bytes(5 << 20), b"the end"])
    return bucket


def upload_in_parts(s3: Any, target: dict[str, str], bodies: list[bytes]) -> None:
    """Store an object as older tools do: its checksum is that of the checksums of its parts."""
    upload = s3.create_multipart_upload(**target, ChecksumAlgorithm="CRC32C")["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        part = s3.upload_part(**target, UploadId=upload, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32C")
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32C": part["ChecksumCRC32C"]})
    s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})


@pytest.fixture(scope="module")
def shared_kernel(server: Any, stocked: str) -> Iterator[Kernel]:
    with kernel(server.environ()) as running:
        running.ok(
            "%load_ext aios3_nb\n"
            f"%config S3Magics.endpoint_url = {server.endpoint.url!r}\n"
            f"%config S3Magics.region = {server.endpoint.region!r}\n"
            "import asyncio"
        )
        yield running


LEFT = """
def tasks_and_connections():
    lives = __import__('aios3_nb.s3.client').s3.client._lives.get(asyncio.get_running_loop(), {}).values()
    sessions = [life._entered.result()._endpoint.http_session for life in lives]
    return (
        [t.get_name() for t in asyncio.all_tasks() if 'aios3_nb' in t.get_name()],
        [len(s._sessions[None].connector._acquired) for s in sessions if None in s._sessions],
    )
for turn in range(400):  # what ends, ends soon
    await asyncio.sleep(0.05)
    if not tasks_and_connections()[0] and not sum(tasks_and_connections()[1]):
        break
tasks_and_connections()
"""


@pytest.fixture
def cells(shared_kernel: Kernel) -> Iterator[Kernel]:
    """The kernel, with nothing of ours pending before and after each test."""
    yield shared_kernel
    tasks, acquired = eval(shared_kernel.ok(LEFT).result or "")
    assert tasks == []
    assert set(acquired) <= {0}


def test_a_load_returns_the_object_and_prints_one_line(cells: Kernel) -> None:
    cell = cells.ok("m = %s3load s3://kernel/rows.pkl\nm[:1]")
    assert cell.result == repr(ROWS[:1])
    assert cell.stdout.startswith("rows.pkl: ")
    assert "CRC32 ok" in cell.stdout
    assert cell.stdout.count("\n") == 1


def test_the_line_and_a_look_say_what_is_checked_of_an_object_in_parts(cells: Kernel) -> None:
    assert ", CRC32C of 2 parts ok, etag" in cells.ok("m = %s3load s3://kernel/parts.bin").stdout
    assert "checked by  CRC32C of 2 parts\n" in (cells.ok("seen = %s3peek s3://kernel/parts.bin\nseen").result or "")


@pytest.mark.parametrize("how", ["--trust", "--allow slowly.Thing"])
def test_the_closing_line_says_how_long_imports_took(cells: Kernel, tmp_path: Any, s3: Any, how: str) -> None:
    (tmp_path / "slowly.py").write_text("import time\ntime.sleep(0.3)\nclass Thing:\n    pass\n")
    s3.put_object(Bucket="kernel", Key="slow.pkl", Body=b"\x80\x02cslowly\nThing\n)\x81.")
    cells.ok(f"import sys\nsys.modules.pop('slowly', 0)\nsys.path.insert(0, {str(tmp_path)!r})")
    line = f"thing = %s3load s3://kernel/slow.pkl {how}"
    assert re.search(r"slow.pkl: 19 B in [\d.]+ s, of which [\d.]+ s importing slowly, CRC32 ok", cells.ok(line).stdout)
    assert "importing" not in cells.ok(line).stdout
    cells.ok("sys.path.pop(0)")


def test_a_second_load_says_that_it_is_from_the_cache(cells: Kernel, tmp_path: Any) -> None:
    cells.ok(f"%config S3Magics.cache_dir = {str(tmp_path)!r}")
    loaded = [cells.ok(f"m = %s3load s3://kernel/rows.pkl --cache {how}") for how in ("1G", "1G", "offline")]
    lines = [cell.stdout.split(", ", 1)[1].split(", etag")[0] for cell in loaded]
    assert lines == [
        "CRC32 ok", "from the cache, unchanged, CRC32 ok", "from the cache, without asking S3 (offline), CRC32 ok",
    ]  # fmt: skip
    first = cells.ok("rows = %s3load s3://kernel/rows.jsonl --iter --cache 1G\nnext(rows)\nrows.close()")
    assert "fetched" in first.stdout
    every = cells.ok("rows = %s3load s3://kernel/rows.pkl --iter --cache 1G\nlen(list(rows))")
    assert "rows.pkl: 1 item, 1.9 of 1.9 KB, from the cache, unchanged, CRC32 ok, etag" in every.stdout
    assert "1 object, 1.9 KB, in " in (cells.ok("found = %s3cache\nfound").result or "")
    assert cells.ok("%s3cache --check").result.startswith("Checked 1 object, ")
    assert cells.ok("%s3cache --clear s3://kernel/").result.startswith("Removed 1 object, ")
    assert cells.run("%s3cache --check --clear").errors[0][0] == "OptionError"
    cells.ok("%config S3Magics.cache_dir = None")


def test_one_table_of_several(cells: Kernel, s3: Any) -> None:
    for n in range(6):
        s3.put_object(Bucket="kernel", Key=f"t/{n}.csv", Body=f"n,s\n{n},a\n{n},b\n".encode())
    cell = cells.ok("t = %s3load s3://kernel/t/*.csv --concat --key-column key --columns n --rows 5\nt.to_dict('list')")
    assert eval(cell.result or "") == ({"key": ["t/0.csv"] * 2 + ["t/1.csv"] * 2 + ["t/2.csv"], "n": [0, 0, 1, 1, 2]})
    assert cells.ok("%s3load t=s3://kernel/t/*.csv --concat\nlen(t)").result == "12"
    assert "polars" in (cells.ok("p = %s3load s3://kernel/t/0.csv --as polars\ntype(p)").result or "")
    for line in ("--iter --columns n", "--dask --concat", "--as spark", "--key-column k"):
        assert cells.run(f"%s3load s3://kernel/t/*.csv {line}").errors[0][0] == "OptionError"


def test_a_name_is_not_a_pattern_in_a_line(cells: Kernel) -> None:
    assert cells.ok("%s3load s3://kernel/data[1].json --quiet").result == "'asked for'"
    cells.ok("%s3load --quiet a=s3://kernel/data[1].json b='s3://kernel/run {1}*.json' c=s3://kernel/data?.json")
    assert cells.ok("a, b, c").result == "('asked for', 'braces', {'data1.json': 'another'})"
    assert "asked for" in cells.ok("%%s3load m=s3://kernel/data[1].json\nprint(m)").stdout
    cells.ok("later = %s3load s3://kernel/data[1].json --quiet --background")
    assert cells.ok("await later").result == "'asked for'"
    assert "data[1].json" in (cells.ok("%s3peek s3://kernel/data[1].json").result or "")
    assert (cells.ok("%s3ls s3://kernel/data[1].json").result or "").endswith(" data[1].json")
    completed = cells.complete("%s3load --quiet s3://kernel/data[")
    assert [cells.ok(line).result for line in completed] == ["'asked for'"]


def test_a_bare_load_is_the_result_of_the_cell_and_a_semicolon_silences_it(cells: Kernel) -> None:
    assert cells.ok("%s3load s3://kernel/year=2024/part.pkl --quiet").result == "2024"
    silent = cells.ok("%s3load s3://kernel/year=2024/part.pkl --quiet;")
    assert (silent.result, silent.stdout) == (None, "")


def test_with_dask_nothing_is_loaded_before_it_is_computed(cells: Kernel) -> None:
    cells.ok("%s3load many=s3://kernel/rows.json* --dask")
    assert cells.ok("type(many).__name__, many.npartitions").result == "('Bag', 2)"
    assert cells.ok("many.pluck('n').sum().compute(scheduler='threads')").result == str(2 * sum(range(50)))
    [(name, _)] = cells.run("%s3load s3://kernel/rows.json* --dask --iter").errors
    assert name == "OptionError"
    whole = cells.ok("%%s3load bound=s3://kernel/rows.json* --dask\nprint(type(bound).__name__, bound.npartitions)")
    assert whole.stdout == "Bag 2\n"
    [(name, _)] = cells.run("%%s3load s3://kernel/rows.json* --dask --limit 3\nprint()").errors
    assert name == "OptionError"


def test_several_are_loaded_at_once_each_bound_to_its_name(cells: Kernel) -> None:
    cell = cells.ok("%s3load a=s3://kernel/models/arrays.pkl b=s3://kernel/rows.json --trust\nlen(a['a']), len(b)")
    assert cell.result == "(3000000, 50)"
    assert sorted(line.split(":")[0] for line in cell.stdout.splitlines()) == ["arrays.pkl", "rows.json"]


def test_nothing_is_bound_when_one_of_several_fails(cells: Kernel) -> None:
    cell = cells.run("%s3load good=s3://kernel/rows.pkl bad=s3://kernel/absent.pkl")
    assert cell.errors[0][0] == "PartialLoadError"
    assert cells.ok("'good' in globals(), 'bad' in globals()").result == "(False, False)"


def test_one_object_that_fails_does_not_lose_the_others(cells: Kernel) -> None:
    line = "%s3load --quiet fine=s3://kernel/rows.json wrong=s3://kernel/broken.json none=s3://kernel/nothing*.json"
    cell = cells.run(line)
    assert [name for name, _ in cell.errors] == ["PartialLoadError"]
    assert "2 of 3 were not loaded" in cell.traceback
    assert cells.ok("'fine' in globals()").result == "False"
    kept = cells.ok("import sys; list(sys.last_value.values), list(sys.last_value.errors)")
    assert kept.result == "(['fine'], ['wrong', 'none'])"
    skipped = cells.ok(f"{line} --errors skip")
    assert "2 of 3 were left out" in skipped.stderr
    assert cells.ok("len(fine), wrong, none").result == "(50, None, None)"
    assert cells.run("%s3load s3://kernel/rows.json --errors skip").errors[0][0] == "OptionError"


def test_a_glob_loads_all_that_match(cells: Kernel) -> None:
    cell = cells.ok("g = %s3load s3://kernel/rows.*\n{k: len(v) for k, v in g.items()}")
    assert eval(cell.result or "") == {"rows.json": 50, "rows.jsonl": 50, "rows.pkl": 50}


def test_relative_keys_start_where_s3cd_says(cells: Kernel) -> None:
    assert "s3://kernel/models/" in cells.ok("%s3cd s3://kernel/models").stdout
    assert cells.ok("len((m := get_ipython().run_line_magic('s3load', 'arrays.pkl --trust'))['a'])").result == "3000000"
    assert cells.ok("%s3cd ..").stdout.strip() == "s3://kernel/"
    assert cells.ok("%s3load year=2024/part.pkl").result == "2024"
    assert cells.ok("%s3load 'a key with spaces.txt'").result == "'spaces'"
    cells.ok("%s3cd --clear")


def test_the_cell_magic_binds_names_runs_the_body_and_keeps_its_line_numbers(cells: Kernel) -> None:
    assert cells.ok("%%s3load s3://kernel/rows.pkl\nlen(rows)").result == "50"
    assert cells.ok("%%s3load r=s3://kernel/rows.pkl\nawait asyncio.sleep(0)\nr[3]['n']").result == "3"
    failed = cells.run("%%s3load r=s3://kernel/rows.pkl\nx = 1\n1 / 0")
    assert failed.errors == [("ZeroDivisionError", "division by zero")]
    assert "line 3" in failed.traceback
    assert "_magics" not in failed.traceback


def test_a_lazy_stream_of_a_cell_is_closed_when_the_body_ends(cells: Kernel) -> None:
    cell = cells.ok("%%s3load rows=s3://kernel/rows.jsonl --iter\nfirst = next(rows)\nfirst['n']")
    assert cell.result == "0"
    assert "rows.jsonl: 1 item, fetched" in cell.stdout
    assert "closed" in cells.ok("repr(rows)").result
    cell = cells.ok("%%s3load rows=s3://kernel/rows.jsonl --iter\nlen(list(rows))")
    assert "rows.jsonl: 50 items, fetched 2.3 of 2.3 KB, MD5 ok, etag" in cell.stdout
    cells.run("%%s3load rows=s3://kernel/rows.jsonl --iter\nnext(rows)\n1/0")
    assert "closed" in cells.ok("repr(rows)").result


def test_items_come_with_a_limit(cells: Kernel) -> None:
    cell = cells.ok("items = %s3load s3://kernel/rows.jsonl --iter --limit 3\n[item['n'] for item in items]")
    assert cell.result == "[0, 1, 2]"


def test_an_open_file_serves_other_libraries(cells: Kernel) -> None:
    cell = cells.ok("f = %s3open s3://kernel/rows.json\nimport pandas as pd\nlen(pd.read_json(f))")
    assert cell.result == "50"
    assert "S3File s3://kernel/rows.json" in cells.ok("f").result


def test_a_listing_shows_itself(cells: Kernel) -> None:
    cell = cells.ok("%s3ls s3://kernel/")
    assert "models/" in cell.result
    assert "rows.json" in cell.result
    assert "kernel/" in cells.ok("%s3ls").result


def test_what_is_not_last_in_a_cell_is_shown_too(cells: Kernel) -> None:
    cell = cells.ok("%s3ls s3://kernel/models/\nfor n in '12':\n    %s3peek s3://kernel/rows.json\n%s3ls s3://kernel/")
    texts = [data["text/plain"] for data in cell.displays.values()]
    assert ["arrays.pkl" in texts[0], *("rows.json" in text for text in texts[1:])] == [True] * 3
    assert "text/html" in next(iter(cell.displays.values()))
    assert "models/" in (cell.result or "")
    assert "models/" in (cells.ok("_").result or "")


def test_a_look_that_is_assigned_or_silenced_shows_nothing(cells: Kernel) -> None:
    cell = cells.ok("seen = %s3ls s3://kernel/models/\n%s3ls s3://kernel/;\nlen(seen)")
    assert (cell.result, cell.displays) == ("1", {})
    cell = cells.ok("if True:\n    %s3ls s3://kernel/models/")
    assert len(cell.displays) == 1


MISTAKES = {
    "%s3load s3://kernel/absent.pkl": ("ObjectNotFoundError", "%s3ls"),
    "%s3load s3://no-such-bucket-here/a.pkl": ("ObjectNotFoundError", "no-such-bucket-here"),
    "%s3load s3://kernel/models/": ("UriError", "folder"),
    "%s3load model.pkl": ("UriError", "s3://"),
    "%s3load http:/x": ("UriError", "s3://"),
    "%s3load s3://kernel/not.pkl": ("FormatError", "s3://kernel/not.pkl"),
    "%s3load s3://kernel/short.pkl": ("TruncatedError", "s3://kernel/short.pkl"),
    "%s3load s3://kernel/broken.json": ("FormatError", "14"),
    "%s3load s3://kernel/rows.pkl --formt json": ("OptionError", "--format"),
    "%s3load 2x=s3://kernel/rows.pkl": ("OptionError", "2x"),
    "%s3load s3://kernel/rows.pkl --profile nobody": ("CredentialsError", "nobody"),
    "%s3load s3://kernel/rows.pkl --endpoint-url http://127.0.0.1:9": ("EndpointError", "127.0.0.1:9"),
    "%s3load s3://kernel/rows.pkl --no-sign-request": ("AccessDeniedError", "rows.pkl"),
    "%s3load s3://kernel/rows.pkl --max-bytes 10": ("TooLargeError", "--max-bytes"),
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_readable_line_and_binds_nothing(cells: Kernel, line: str) -> None:
    kind, word = MISTAKES[line]
    cell = cells.run(f"bound = 'before'\nbound = {line}")
    assert [name for name, _ in cell.errors] == [kind]
    assert word in cell.traceback
    assert "\n" not in cell.traceback
    assert "botocore" not in cell.traceback
    assert cell.seconds < 20
    assert cells.ok("bound").result == "'before'"


CALLS = {
    "aios3_nb.load('s3://kernel/absent.pkl')": "List its prefix with aios3_nb.ls('s3://kernel/')",
    "aios3_nb.load('s3://kernel/rows.pkl', max_bytes=10)": "max_bytes",
    "list(aios3_nb.iterate('s3://kernel/broken.json', path='x'))": "s3://kernel/broken.json",
    "aios3_nb.open('s3://kernel/absent.pkl').read()": "aios3_nb.ls('s3://kernel/')",
    "file = %s3open s3://kernel/absent.pkl\nfile.read()": "aios3_nb.ls('s3://kernel/')",
    "await aios3_nb.aload('s3://kernel/absent.pkl')": "aios3_nb.ls('s3://kernel/')",
}


@pytest.mark.parametrize("call", CALLS)
def test_a_traceback_of_a_call_ends_at_the_line_of_the_user_and_speaks_python(cells: Kernel, call: str) -> None:
    cell = cells.run(f"import aios3_nb\n{call}")
    text = re.sub(r"\x1b\[[\d;]*m", "", cell.traceback)
    assert CALLS[call] in text
    assert call.rpartition("\n")[2] in text
    assert re.findall(r"(?:File|^)\s+\S*(?:aios3_nb|asyncio|botocore)/\S+", text, re.MULTILINE) == [], text
    assert not re.search(r"%s3|\s--[a-z]", text), text


def test_a_verbose_traceback_has_it_all(cells: Kernel) -> None:
    try:
        cell = cells.run("%xmode Verbose\naios3_nb.load('s3://kernel/absent.pkl')")
    finally:
        cells.ok("%xmode Context")
    assert "aios3_nb/api.py" in cell.traceback


def test_what_a_call_shows_speaks_python_and_what_a_line_shows_speaks_lines(cells: Kernel) -> None:
    more = "ask for them with "
    assert cells.ok("%s3ls s3://kernel/ --limit 2").result.endswith(f"{more}--limit")
    assert cells.ok("aios3_nb.ls('s3://kernel/', limit=2)").result.endswith(f"{more}limit")
    cell = cells.ok("aios3_nb.load('s3://kernel/twice.pkl')")
    assert cell.stderr.count("\n") == 1
    assert "aios3_nb.iterate" in cell.stderr
    assert ".py" not in cell.stderr
    assert "--iter" in cells.ok("%s3load s3://kernel/twice.pkl").stdout


def test_a_mistake_in_config_is_told(cells: Kernel) -> None:
    assert "one of auto, require, off" in cells.run("%config S3Magics.verify = 'maybe'").stderr
    assert cells.ok("%config S3Magics.verify").result == "'auto'"


def test_config_shows_what_is_in_force_with_its_type_and_takes_it_back(cells: Kernel, server: Any) -> None:
    cells.ok("%config S3Magics.part_size = '4M'")
    shown = cells.ok("%config S3Magics").stdout
    for each in (
        r"part_size=<Int>\n *Length of one ranged .*\n *Current: 4194304",
        r"read_timeout=<Float>\n(?: .*\n)+? *Current: 20\.0",
        r"quiet=<Bool>\n(?: .*\n)+? *Current: False",
        r"verify=<Enum>\n(?: .*\n)+? *Choices: auto or require or off\n *Current: 'auto'",
        rf"endpoint_url=<Unicode>\n(?: .*\n)+? *Current: '{server.endpoint.url}'",
    ):
        assert re.search(each, shown), shown
    assert "Any>" not in shown
    cells.ok("%config S3Magics.part_size = None")
    assert cells.ok("%config S3Magics.part_size").result == "8388608"


def test_the_magics_go_when_unloaded_and_outlast_all_else_that_is_done_to_a_notebook(server: Any, stocked: str) -> None:
    look = "%s3ls s3://kernel/models/\n%s3ls s3://kernel/models/;"
    cell = "%%s3load rows=s3://kernel/rows.jsonl --iter\nnext(rows)['n']"

    def check(running: Kernel) -> None:
        assert len(running.ok(look).displays) == 1
        assert running.ok(cell).result == "0"

    with kernel(server.environ()) as running:
        running.ok("%load_ext aios3_nb\n%unload_ext aios3_nb")
        assert running.run("%s3cd").errors or "not found" in running.run("%s3cd").stderr
        assert "already loaded" in running.ok("%load_ext aios3_nb\n%load_ext aios3_nb").stdout
        check(running)
        running.ok("%reload_ext aios3_nb")
        check(running)
        running.ok("%reset -f")
        check(running)
        running.manager.restart_kernel(now=True)
        running.client.wait_for_ready(timeout=60)
        running.ok("%load_ext aios3_nb")
        check(running)


def test_a_background_load_returns_at_once_and_binds_when_done(cells: Kernel) -> None:
    cell = cells.ok("h = %s3load --background later=s3://kernel/rows.pkl\nh, 'later' in globals()")
    assert "load" in cell.result
    assert cells.ok("len(await h), len(later), h.done(), h").result == "(50, 50, True, <loaded later>)"


def wait_for(condition: str) -> str:
    """Return lines that keep the main thread busy until `condition` holds."""
    end = "import time; until = time.monotonic() + 50\n"
    return f"{end}while not ({condition}) and time.monotonic() < until: time.sleep(0.01)"


def test_a_background_load_goes_on_while_the_main_thread_is_busy(cells: Kernel) -> None:
    cells.ok("h = %s3load --background busy=s3://kernel/models/arrays.pkl --trust")
    assert cells.ok(wait_for("'busy' in globals()") + "\n'busy' in globals()").result == "True"


def test_a_background_error_is_shown_and_kept(cells: Kernel) -> None:
    cell = cells.ok("h = %s3load --background gone=s3://kernel/absent.pkl\n" + wait_for("h.done()") + "\nh")
    assert "ObjectNotFoundError: No such object: s3://kernel/absent.pkl" in cell.stderr
    assert cells.run("h.result()").errors[0][0] == "ObjectNotFoundError"


def test_a_path_stops_the_download_and_says_how_little_was_fetched(cells: Kernel, s3: Any) -> None:
    s3.put_object(Bucket="kernel", Key="big.json", Body=json.dumps({"first": 7, "rest": ROWS * 300}).encode())
    cell = cells.ok("%s3load s3://kernel/big.json --path first")
    assert cell.result == "7"
    assert cell.stdout.startswith("big.json: fetched 262 of 710 KB in ")


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(
            True,
            id="patched before the first load",
            # asyncio.timeout() then fails in every task of the process, without this package too.
            marks=pytest.mark.skipif(sys.version_info >= (3, 14), reason="nest_asyncio breaks Python 3.14 itself"),
        ),
        pytest.param(False, id="patched after it"),
    ],
)
def test_cells_queued_behind_a_load_all_run_where_nest_asyncio_was_applied(
    server: Any, stocked: str, before: bool
) -> None:
    """Run All: the cells come while a load of the first runs."""
    patch, load = "import nest_asyncio; nest_asyncio.apply()", "%s3load --quiet s3://kernel/models/arrays.pkl"
    setup = ["%load_ext aios3_nb", f"%config S3Magics.endpoint_url = {server.endpoint.url!r}"]
    with kernel(server.environ()) as running:
        running.ok("\n".join([*setup, *([patch] if before else [load, patch])]))
        cells = [
            f"m = {load}\nlen(m)",
            "n = aios3_nb.load('s3://kernel/rows.json')\nlen(n)",
            "import asyncio\nawait asyncio.sleep(0.05)\n'awaited'",
            "%%s3load --quiet k=s3://kernel/rows.pkl\nimport time; time.sleep(0.2); print(len(k))",
            "items = %s3load --quiet --iter s3://kernel/rows.jsonl\nlen(list(items))",
            "len((await aios3_nb.aload('s3://kernel/rows.pkl')))",
            "'last'",
        ]
        running.ok("import aios3_nb")
        results = [running.collect(sent) for sent in [running.start(cell) for cell in cells]]
        assert [cell.errors for cell in results] == [[]] * len(cells)
        shown = [cell.result or cell.stdout for cell in results]
        assert shown == ["2", "50", "'awaited'", "50\n", "50", "50", "'last'"]
