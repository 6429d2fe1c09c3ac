"""What the bucket browser shows, without widgets: pages, order, windows, words, previews, local names."""

from __future__ import annotations

import datetime
import gzip
import importlib.machinery
import json
import os
import pickle
import stat
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from aios3_nb.address import S3Uri
from aios3_nb.browser.actions import code_for
from aios3_nb.browser.changes import local_file
from aios3_nb.browser.describe import kind_of as describe, lines_of
from aios3_nb.browser.download import download, local_name
from aios3_nb.browser.listing import batch, folder_meant, question_for
from aios3_nb.browser.model import Batch, Contents, Question, child, crumbs, parent
from aios3_nb.browser.objects import PREVIEW, beginning, details, exists
from aios3_nb.browser.preview import pretty, preview_of
from aios3_nb.browser.saved import listing_html
from aios3_nb.browser.shown import kind_of, place_shown, row_shown
from aios3_nb.browser.text import age_text, copied_text, status_text
from aios3_nb.errors import AccessDeniedError, ChecksumError, EndpointError, OptionError, S3Error
from aios3_nb.loop import background
from aios3_nb.notebook.line import split
from aios3_nb.pipeline import Order
from aios3_nb.s3 import Entry
from aios3_nb.settings import Settings, current, set_session
from aios3_nb.streams import Monitor
from aios3_nb.text import is_visible, visible
from tests.awkward import KEYS
from tests.faults.fault import Kind
from tests.faults.server import FaultServer

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
PLACE = S3Uri("bkt", "dir/")


def objects(*names: str, sizes: dict[str, int] | None = None) -> tuple[Entry, ...]:
    days = {name: number for number, name in enumerate(names)}
    return tuple(
        Entry(S3Uri("bkt", f"dir/{name}"))
        if name.endswith("/")
        else Entry(S3Uri("bkt", f"dir/{name}"), (sizes or {}).get(name, 1), NOW - datetime.timedelta(days=days[name]))
        for name in names
    )


def listed(*batches: Batch, question: Question | None = None) -> Contents:
    contents = Contents()
    generation = contents.begin(question or Question(PLACE))
    for each in batches:
        contents.add(generation, each, now=NOW)
        generation = contents.go_on() if each is not batches[-1] else generation
    return contents


def names(contents: Contents) -> list[str]:
    return [entry.name for entry in contents.rows()]


class TestContents:
    def test_an_answer_to_an_earlier_question_is_dropped(self) -> None:
        contents = Contents()
        old = contents.begin(Question(PLACE))
        new = contents.begin(Question(S3Uri("other")))
        assert not contents.add(old, Batch(objects("old")), now=NOW)
        assert not contents.fail(old, AccessDeniedError("no"))
        assert contents.state == "loading"
        assert contents.add(new, Batch(objects("new")), now=NOW)
        assert names(contents) == ["new"]

    def test_an_answer_after_stop_is_dropped_and_what_is_there_stays(self) -> None:
        contents = listed(Batch(objects("a"), token="t"))
        generation = contents.go_on()
        contents.stop()
        assert not contents.add(generation, Batch(objects("b")), now=NOW)
        assert names(contents) == ["a"]
        assert contents.can_go_on

    def test_the_next_page_follows_the_one_before_and_moves_none_of_its_rows(self) -> None:
        contents = listed(Batch(objects("a", "b"), token="t"))
        edition = contents.edition
        contents.add(contents.go_on(), Batch(objects("c")), now=NOW)
        assert names(contents) == ["a", "b", "c"]
        assert contents.edition == edition
        assert contents.complete

    def test_folders_of_a_later_page_come_first_too_and_void_what_a_page_kept(self) -> None:
        contents = listed(Batch(objects("a"), token="t"))
        edition = contents.edition
        contents.add(contents.go_on(), Batch(objects("dir/", "z")), now=NOW)
        assert names(contents) == ["dir/", "a", "z"]
        assert contents.edition > edition

    def test_any_rows_can_be_taken_out_of_the_middle(self) -> None:
        contents = listed(Batch(objects("d/", "e/", *(f"{n:05}" for n in range(2500)))))
        assert [entry.name for entry in contents.rows(1, 4)] == ["e/", "00000", "00001"]
        assert [entry.name for entry in contents.rows(2500, 9000)] == ["02498", "02499"]
        contents.sort_by("name", descending=True)
        assert [entry.name for entry in contents.rows(0, 3)] == ["e/", "d/", "02499"]

    def test_typing_finds_the_next_row_that_begins_so_and_goes_round(self) -> None:
        contents = listed(Batch(objects("Alpha", "beta", "alps")))
        assert contents.find("al", 1) == 2
        assert contents.find("be", 2) == 1
        assert contents.find("x", 0) is None

    @pytest.mark.parametrize(
        ("sort", "descending", "order"),
        [
            ("name", False, ["d/", "a", "b", "c"]),
            ("name", True, ["d/", "c", "b", "a"]),
            ("size", True, ["d/", "b", "a", "c"]),
            ("size", False, ["d/", "c", "a", "b"]),
            ("modified", True, ["d/", "a", "b", "c"]),
            ("modified", False, ["d/", "c", "b", "a"]),
            ("class", False, ["d/", "a", "b", "c"]),
        ],
    )
    def test_folders_come_first_in_every_order(self, sort: Any, descending: bool, order: list[str]) -> None:
        contents = listed(Batch(objects("d/", "a", "b", "c", sizes={"a": 5, "b": 9, "c": 1})))
        contents.sort_by(sort, descending=descending)
        assert names(contents) == order

    def test_an_order_of_a_part_says_that_it_is_only_of_that_part(self) -> None:
        contents = listed(Batch(objects("a", "b"), token="t"))
        assert "so far" in status_text(contents)
        assert "only" not in status_text(contents)
        contents.sort_by("size", descending=True)
        assert "the order by size covers only these" in status_text(contents)

    def test_an_error_on_the_way_keeps_what_was_listed(self) -> None:
        contents = listed(Batch(objects("a"), token="t"))
        contents.fail(contents.go_on(), EndpointError("Cannot reach it."))
        assert contents.state == "error"
        assert names(contents) == ["a"]
        assert status_text(contents).startswith("Cannot reach it.\n")

    def test_a_deleted_object_leaves(self) -> None:
        contents = listed(Batch(objects("a", "b")))
        edition = contents.edition
        contents.remove([S3Uri("bkt", "dir/a")])
        assert names(contents) == ["b"]
        assert contents.edition > edition

    def test_the_way_to_a_place_begins_at_the_buckets(self) -> None:
        where = S3Uri("bkt", "a//b/")
        assert crumbs(where) == [
            ("Buckets", None),
            ("bkt", S3Uri("bkt")),
            ("a", S3Uri("bkt", "a/")),
            ("(no name)", S3Uri("bkt", "a//")),
            ("b", where),
        ]
        assert parent(S3Uri("bkt")) is None

    def test_opening_a_folder_takes_the_filter_away(self) -> None:
        assert child(Question(PLACE, needle="x"), objects("d/")[0]) == Question(S3Uri("bkt", "dir/d/"))


class TestWords:
    @pytest.mark.parametrize(
        ("contents", "words"),
        [
            (listed(Batch(())), "s3://bkt/dir/ is empty. Upload"),
            (listed(Batch(()), question=Question()), "no buckets. Type an address"),
            (listed(Batch(()), question=Question(PLACE, prefix="x")), "begin with 'x'. Clear the filter"),
            (listed(Batch((), looked=20), question=Question(PLACE, needle="x")), "Looked at 20 keys for 'x': none"),
            (listed(Batch((), "t", 20), question=Question(PLACE, needle="x")), "Search on: there are more"),
            (listed(Batch(objects("a"), "t", 20), question=Question(PLACE, needle="a")), "1 found. Search on"),
            (listed(Batch(objects("a"))), "1 entry."),
        ],
    )
    def test_each_state_has_its_words_and_a_way_on(self, contents: Contents, words: str) -> None:
        assert words in status_text(contents)

    def test_denied_buckets_ask_for_one_to_be_typed(self) -> None:
        contents = Contents()
        contents.fail(contents.begin(Question()), AccessDeniedError("Access denied: s3://"))
        assert contents.state == "denied"
        assert status_text(contents) == (
            "These credentials may not list buckets; they may still open some.\n"
            "Type one above, such as s3://bucket/folder/, and press Enter."
        )

    def test_a_denied_folder_names_itself_and_other_ways(self) -> None:
        contents = Contents()
        error = AccessDeniedError("Access denied: s3://bkt/dir/. Try --profile NAME or --no-sign-request.")
        contents.fail(contents.begin(Question(PLACE)), error)
        assert "Access denied: s3://bkt/dir/" in status_text(contents)
        assert "--profile NAME or --no-sign-request" in status_text(contents)  # in lines, as all that the panel offers
        assert "another profile above" in status_text(contents)

    def test_a_row_is_visible_whatever_its_name(self) -> None:
        for key in KEYS:
            row = row_shown(Entry(S3Uri("bkt", key), 5, NOW, storage_class="STANDARD"), S3Uri("bkt"))
            assert row[1:] == [visible(key), "5 B", "2026-01-01 00:00", "STANDARD"]
            assert all(is_visible(char) for char in row[1])

    def test_names_are_relative_to_what_is_listed(self) -> None:
        assert row_shown(Entry(S3Uri("bkt", "dir/a/b.pkl"), 5), PLACE)[1] == "a/b.pkl"

    @pytest.mark.parametrize(
        ("key", "kind"),
        [
            ("", "bucket"),
            ("d/", "folder"),
            ("a.pkl.gz", "pickle"),
            ("a.tar.gz", "archive"),
            ("a.CSV", "table"),
            ("a", "file"),
        ],
    )
    def test_an_icon_is_chosen_by_the_name(self, key: str, kind: str) -> None:
        entry = Entry(S3Uri("bkt", key), None if kind in ("bucket", "folder") else 1)
        assert kind_of(entry) == kind

    def test_a_long_way_is_shortened_and_each_step_keeps_its_number(self) -> None:
        shown = place_shown(S3Uri("bkt", "a/b/c/d/e/f/g/h/i/"))
        assert [crumb["at"] for crumb in shown["crumbs"]] == [0, 1, 6, 7, 8, 9, 10]
        assert shown["crumbs"][-1]["title"] == "s3://bkt/a/b/c/d/e/f/g/h/i/"
        assert shown["shortened"]

    def test_a_listing_for_pages_without_the_panel_is_text_only(self) -> None:
        contents = listed(Batch(objects("<img src=x>", "$a$")))
        html = listing_html(contents, "<note>")
        assert "<img" not in html
        assert "&lt;img src=x&gt;" in html
        assert "&lt;note&gt;" in html
        assert "2 entries." in html

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(3, "just now"), (90, "1 minute ago"), (7200, "2 hours ago"), (86400 * 800, "2 years ago")],
    )
    def test_an_age_is_in_words(self, seconds: int, text: str) -> None:
        assert age_text(NOW - datetime.timedelta(seconds=seconds), NOW) == text


class TestPreview:
    def test_json_is_laid_out_and_otherwise_untouched(self) -> None:
        text = '{"a":[1,2.50,{"b":"x,{}\\"y"}],"c":{},"d":[],"e":1e5,"a":' + "9" * 5000 + "}"
        laid_out = pretty(text)
        assert json.loads(laid_out.replace("9" * 5000, "9")) == json.loads(text.replace("9" * 5000, "9"))
        assert '  "a": [\n    1,\n    2.50,\n' in laid_out
        assert '"c": {},' in laid_out

    @pytest.mark.parametrize(
        "text", ["[" * 100_000, '{"a":' * 50_000, '"' + "x" * 500_000, "[1 2]", "]]]}", ":,:,", "[1] 2"]
    )
    def test_json_that_is_broken_or_deep_is_shown_as_text(self, text: str) -> None:
        preview = preview_of("x.json", text.encode(), len(text))
        assert preview.text
        assert preview.tree is None

    def test_json_is_a_tree_of_what_is_written_there(self) -> None:
        text = (
            '{"a\\u00fc": [1, 2.50, 1e400, 12345678901234567890123], "b": {"c": null, "c": true}, "\\u202e": "x\\ny"}'
        )
        tree = preview_of("x.json", text.encode(), len(text)).tree
        assert tree == [
            "",
            "object",
            "3 keys",
            [
                [
                    "aü",
                    "array",
                    "4 items",
                    [["", "number", n, None] for n in ("1", "2.50", "1e400", "12345678901234567890123")],
                ],
                ["b", "object", "2 keys", [["c", "word", "null", None], ["c", "word", "true", None]]],
                ["\\u202e", "string", "x\\ny", None],
            ],
        ]

    @pytest.mark.parametrize("length", range(1, 40))
    def test_json_that_is_cut_anywhere_is_a_tree_as_far_as_it_goes(self, length: int) -> None:
        text = '{"a": [1, {"b": "x,{}"}], "cde": -12.5e3}'
        preview = preview_of("x.json", text[:length].encode(), 10**6)
        assert preview.tree is not None
        assert preview.note

    def test_a_large_document_says_how_much_of_it_is_left_out(self) -> None:
        text = json.dumps(list(range(1200)))
        preview = preview_of("x.json", text.encode(), len(text))
        assert preview.tree is not None
        assert preview.tree[2] == "1,200 items"
        assert preview.tree[3][-1] == ["", "more", "and 700 more", None]

    def test_json_lines_of_records_are_a_table_and_numbers_stay_as_they_are(self) -> None:
        text = '{"id": 1, "x": 0.10}\n{"id": 12345678901234567890, "y": [1, 2.50]}\n'
        preview = preview_of("x.jsonl", text.encode(), len(text))
        assert preview.table == (("id", "x", "y"), ("1", "0.10", ""), ("12345678901234567890", "", "[1, 2.50]"))
        assert preview.types == ("int", "float", "text")
        assert preview_of("x.jsonl", b"[1]\n", 4).text == "[1]"

    def test_a_table_says_what_of_it_is_shown(self) -> None:
        rows = "".join(f"{n},{n}\n" for n in range(1000))
        assert preview_of("t.csv", f"a,b\n{rows}".encode(), 5 + len(rows)).note == "Shown: the first 200 rows."
        wide = ",".join(f"c{n}" for n in range(100))
        assert "60 of 100 columns" in preview_of("t.csv", f"{wide}\n{wide}\n".encode(), 2 * len(wide) + 2).note
        assert preview_of("t.csv", b"a,b\n1,2\n", 8).note == ""

    def test_text_that_is_cut_is_cut_between_lines_and_says_so(self) -> None:
        text = "".join(f"number {n:09}\n" for n in range(5000))
        preview = preview_of("x.txt", text.encode(), len(text))
        assert preview.text.splitlines()[-1] == "number 000000399"
        assert preview.note == "Shown: the first 400 lines."

    def test_a_cut_table_shows_whole_rows_only(self) -> None:
        data = b"id,name\n1,one\n2,tw"
        preview = preview_of("t.csv", data, 10**9)
        assert preview.table == (("id", "name"), ("1", "one"))
        assert preview.title == "Table, the first 18 B of 1 GB"

    def test_a_compressed_beginning_is_expanded_as_far_as_it_goes(self) -> None:
        packed = gzip.compress(b"".join(b"line %d\n" % n for n in range(100_000)))
        preview = preview_of("log.txt.gz", packed[:5000], len(packed))
        assert preview.text.startswith("line 0\nline 1\n")
        assert "decompressed" in preview.title

    def test_a_bomb_is_not_expanded_to_its_end(self) -> None:
        bomb = gzip.compress(bytes(20_000_000), 9)
        assert preview_of("x.gz", bomb, len(bomb)).text.startswith("00000000  00 00")

    def test_bytes_that_are_no_text_are_dumped(self) -> None:
        preview = preview_of("model.pkl", pickle.dumps(list(range(1000))), 5000)
        assert preview.text.startswith("00000000  80 ")

    def test_hostile_characters_are_made_visible_in_every_kind(self) -> None:
        data = "\x1b[31m,\u202e\nb,c\n".encode()
        assert preview_of("x.csv", data, len(data)).table[0] == ("\\x1b[31m", "\\u202e")
        assert preview_of("x.txt", data, len(data)).text.splitlines()[0] == "\\x1b[31m,\\u202e"

    def test_pictures_are_told_by_their_bytes_and_svg_stays_text(self) -> None:
        assert preview_of("x.txt", png(2, 2), len(png(2, 2))).picture_format == "png"
        svg = b"<svg onload='alert(1)'/>"
        assert preview_of("x.svg", svg, len(svg)).text == svg.decode()

    def test_a_picture_that_would_be_huge_in_the_page_is_not_sent_there(self) -> None:
        preview = preview_of("x.png", png(60_000, 60_000), len(png(2, 2)))
        assert not preview.picture
        assert "3,600,000,000 pixels" in preview.title

    @pytest.mark.parametrize(
        ("head", "format"),
        [
            (b"GIF89a\x02\x00\x03\x00", "gif"),
            (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x02\x00\x03", "jpeg"),
            (b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x02\x00\x00", "webp"),
            (b"RIFF\x00\x00\x00\x00WEBPVP8L\x0a\x00\x00\x00\x2f\x01\x80\x00\x00", "webp"),
        ],
    )
    def test_small_pictures_of_every_format_are_shown(self, head: bytes, format: str) -> None:
        assert preview_of("x", head, len(head)).picture_format == format

    def test_nothing_is_an_answer_too(self) -> None:
        assert preview_of("x", b"", 0).title.startswith("Empty")


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(14))) + chunk(b"IEND", b"")
    )


class TestLocalNames:
    @pytest.mark.parametrize("key", KEYS)
    def test_no_key_leads_out_of_the_folder(self, key: str, tmp_path: Path) -> None:
        name = local_name(key)
        assert name not in {"", ".", ".."}
        assert not set(name) & set('/\\:\0<>"|?*')
        assert not name.startswith(".")
        assert all(map(is_visible, name))
        assert len(os.fsencode(name)) <= 210
        (tmp_path / name).touch()
        assert [path.parent for path in tmp_path.iterdir()] == [tmp_path]

    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ("a/model.pkl", "model.pkl"),
            ("a/../../evil.txt", "evil.txt"),
            ("C:\\Users\\x.txt", "x.txt"),
            ("a/.bashrc", "_.bashrc"),
            ("CON", "_CON"),
            ("aux.txt", "_aux.txt"),
            ("..", "download"),
            ("name. . ", "name"),
            ("模型.pkl", "模型.pkl"),
            ("profile.json", "profile.json"),
            ("config.yaml", "config.yaml"),
            ("part-0001", "part-0001"),
        ],
    )
    def test_a_name_stays_as_it_is_as_far_as_it_can(self, key: str, name: str) -> None:
        assert local_name(key) == name

    @pytest.mark.parametrize(
        "name",
        [
            "json.py",
            "isal.py",
            "my_own_thing.py",
            "sitecustomize.py",
            "conftest.py",
            "x.PY",
            "x.pyw",
            "x.pyc",
            "x.pyi",
            "x.pyd",
            "x.pyx",
            "x.so",
            "x.so.1.2",
            "x.abi3.so",
            "x.cpython-313-x86_64-linux-gnu.so",
            "x.cp313-win_amd64.pyd",
            "x.dll",
            "x.dylib",
            "x.ipy",
            "x.pth",
            "python313._pth",
            "x.egg",
            "x.egg-info",
            "x.dist-info",
            "x.whl",
            "run.sh",
            "git.bat",
            "git.CMD",
            "git.exe",
            "git.com",
            "git.ps1",
            "git.vbs",
            "git.js",
            "setup.cfg",
            "tox.ini",
            "pytest.ini",
            "mypy.ini",
            "pyvenv.cfg",
            "pyproject.toml",
            "ruff.toml",
            "environment.yml",
            "Makefile",
            "makefile",
            "GNUmakefile",
            "rules.mk",
            "Dockerfile",
            "Dockerfile.dev",
            "Pipfile",
            "Justfile",
            "Vagrantfile",
            "matplotlibrc",
            "ipython_config.py",
            "ipython_config.json",
            "jupyter_config.json",
            "jupyter_server_config.json",
            "package.json",
            "docker-compose.yml",
            "compose.override.yaml",
        ],
    )
    def test_what_python_a_shell_or_a_tool_would_pick_up_is_stored_as_text(self, name: str) -> None:
        """Whether or not there is such a module now; and not by having been cut to that name, either."""
        assert local_name(f"a/{name}") == f"{name}.txt"
        assert local_name(f"a/{name} .") == f"{name}.txt"

    def test_shortening_makes_no_such_name(self) -> None:
        assert local_name(f"{'a' * 197}.py.{'b' * 40}").endswith("a.py.txt")

    @pytest.mark.parametrize("name", ["-rf", "--help.pkl", "~root", "~", ".env", ".pth", "-x.py", "~x.pth"])
    def test_what_a_shell_would_not_take_for_a_file_gets_another_beginning(self, name: str) -> None:
        assert local_name(f"a/{name}").removesuffix(".txt") == f"_{name}"

    def test_no_suffix_of_this_python_is_missing(self) -> None:
        assert all(local_name(f"module{suffix}").endswith(".txt") for suffix in importlib.machinery.all_suffixes())


def run(call: Any, *args: Any, **options: Any) -> Any:
    """Return what ``await call(...)`` gives, on the loop that the panel uses: its client is made only once."""
    return background().run(lambda: call(*args, **options))


class TestDownload:
    def fetch(self, key: str, folder: Path) -> Path:
        order = Order(uri=S3Uri("bkt", key), settings=current())
        return run(download, order, folder, Monitor())[0]

    def test_what_is_there_is_never_replaced(self, faulty: FaultServer, tmp_path: Path) -> None:
        faulty.put("bkt", "a/model.pkl", b"new")
        (tmp_path / "model.pkl").write_bytes(b"mine")
        assert self.fetch("a/model.pkl", tmp_path).name == "model (1).pkl"
        assert self.fetch("a/model.pkl", tmp_path).name == "model (2).pkl"
        assert (tmp_path / "model.pkl").read_bytes() == b"mine"
        assert (tmp_path / "model (1).pkl").read_bytes() == b"new"

    @pytest.mark.skipif(os.name == "nt", reason="links need rights there")
    def test_no_link_is_followed(self, faulty: FaultServer, tmp_path: Path) -> None:
        faulty.put("bkt", "model.pkl", b"new")
        folder, outside = tmp_path / "folder", tmp_path / "outside"
        folder.mkdir()
        (folder / "model.pkl").symlink_to(outside)
        assert self.fetch("model.pkl", folder).name == "model (1).pkl"
        assert not outside.exists()

    def test_a_second_one_is_text_too(self, faulty: FaultServer, tmp_path: Path) -> None:
        faulty.put("bkt", "isal.py", b"print('owned')")
        assert self.fetch("isal.py", tmp_path).name == "isal.py.txt"
        assert self.fetch("isal.py", tmp_path).name == "isal.py (1).txt"

    def test_a_failed_download_leaves_nothing(self, faulty: FaultServer, tmp_path: Path) -> None:
        faulty.put("bkt", "model.pkl", bytes(3_000_000), checksum="crc32")
        faulty.fault(Kind.FLIP, at=2_000_000, times=None)
        with pytest.raises(ChecksumError):
            self.fetch("model.pkl", tmp_path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(os.name == "nt", reason="no modes there")
    def test_the_file_has_the_rights_that_any_new_file_has(self, faulty: FaultServer, tmp_path: Path) -> None:
        faulty.put("bkt", "model.pkl", b"new")
        (tmp_path / "any").touch()
        path = self.fetch("model.pkl", tmp_path)
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "any").stat().st_mode)


class TestListing:
    def ask(self, question: Question, token: str = "") -> Batch:
        return run(batch, question, current(), token=token)

    def test_a_folder_is_one_request(self, faulty: FaultServer) -> None:
        for key in ("dir/", "dir/a.pkl", "dir/sub/b.pkl", "other"):
            faulty.put("bkt", key, b"" if key.endswith("/") else b"x")
        found = self.ask(Question(PLACE))
        assert [entry.uri.key for entry in found.entries] == ["dir/sub/", "dir/a.pkl"]
        assert len(faulty.requests) == 1

    def test_a_filter_by_beginning_is_asked_of_s3(self, faulty: FaultServer) -> None:
        for n in range(1500):
            faulty.put("bkt", f"dir/{n}.pkl", b"x")
        found = self.ask(Question(PLACE, prefix="149"))
        assert len(found.entries) == 11
        assert faulty.requests[0].query["prefix"] == "dir/149"

    def test_a_search_looks_at_all_keys_below_in_upper_and_lower_case(self, faulty: FaultServer) -> None:
        for key in ("dir/MODEL.pkl", "dir/sub/my-model.json", "dir/model-dir/x", "model", "dir/none"):
            faulty.put("bkt", key, b"x")
        found = self.ask(Question(PLACE, needle="Model"))
        assert [e.uri.key for e in found.entries] == ["dir/MODEL.pkl", "dir/model-dir/x", "dir/sub/my-model.json"]
        assert found.looked == 4

    def test_a_typed_name_lists_what_begins_with_it_and_a_lone_folder_is_entered(self, faulty: FaultServer) -> None:
        assert question_for(S3Uri("bkt", "dir/mo")) == Question(PLACE, prefix="mo")
        assert question_for(S3Uri("bkt")) == Question(S3Uri("bkt"))
        assert question_for(None) == Question()
        faulty.put("bkt", "dir/models/a", b"x")
        exact, begun = Question(PLACE, prefix="models"), Question(PLACE, prefix="mod")
        assert folder_meant(exact, self.ask(exact)) == S3Uri("bkt", "dir/models/")
        assert folder_meant(begun, self.ask(begun)) is None

    def test_an_error_comes_soon_for_somebody_waits(self, faulty: FaultServer) -> None:
        faulty.put("bkt", "a", b"x")
        faulty.fault(Kind.STATUS, key="", times=None)
        with pytest.raises(S3Error):
            self.ask(Question(S3Uri("bkt")))
        assert len(faulty.requests) == 3


class TestObjects:
    def test_a_preview_fetches_one_megabyte_at_most(self, faulty: FaultServer) -> None:
        faulty.put("bkt", "big", bytes(5_000_000))
        head, size = run(beginning, S3Uri("bkt", "big"), current())
        assert (len(head), size) == (PREVIEW, 5_000_000)
        assert faulty.gets() == [(0, PREVIEW)]

    def test_the_beginning_of_nothing_is_nothing(self, faulty: FaultServer) -> None:
        faulty.put("bkt", "empty", b"")
        assert run(beginning, S3Uri("bkt", "empty"), current()) == (b"", 0)

    def test_details_say_what_a_load_would_be_checked_with(self, faulty: FaultServer) -> None:
        headers = {"x-amz-meta-owner": "<b>me</b>", "x-amz-storage-class": "GLACIER_IR", "Content-Type": "text/x"}
        faulty.put("bkt", "a", b"x", checksum="crc32", version_id="v1", headers=headers)
        known = run(details, S3Uri("bkt", "a"), current())
        assert (known.checked_by, known.version_id, known.storage_class) == ("CRC32", "v1", "GLACIER_IR")
        assert known.metadata == {"owner": "<b>me</b>"}
        assert known.content_type == "text/x"

    def test_what_cannot_be_looked_at_may_be_there(self, faulty: FaultServer) -> None:
        uri, settings = S3Uri("bkt", "a"), current()
        faulty.put("bkt", "a", b"x")
        assert run(exists, uri, settings)
        assert not run(exists, S3Uri("bkt", "b"), settings)
        faulty.fault(Kind.STATUS, method="HEAD", status=403, code="AccessDenied")
        assert run(exists, uri, settings)


class TestTexts:
    @pytest.mark.parametrize("key", KEYS)
    def test_a_line_to_copy_is_one_line_that_names_the_object(self, key: str) -> None:
        uri = S3Uri("bkt", key)
        code = code_for(uri, Settings(), "x")
        assert code.startswith("x = %s3load ")
        assert all(map(is_visible, code))
        assert all(map(is_visible, copied_text(uri)))
        assert (
            [token.text for token in split(code.removeprefix("x = %s3load "))] == [str(uri)] or "$" in key or "{" in key
        )

    def test_a_line_says_how_to_reach_what_the_session_would_not(self) -> None:
        set_session(profile="home")
        settings = current(profile="other", endpoint_url="http://localhost:9000")
        assert code_for(S3Uri("b", "k"), settings, "k").endswith(
            "s3://b/k --profile other --endpoint-url http://localhost:9000"
        )
        assert code_for(S3Uri("b", "k"), current(), "k") == "k = %s3load s3://b/k"

    def test_only_a_file_can_be_uploaded_from_a_path(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"text")
        found = local_file("a.txt", tmp_path)
        with found.file:
            assert (found.name, found.size, found.file.read()) == ("a.txt", 4, b"text")
        for bad in (".", "absent", "nul\0"):
            with pytest.raises(OptionError):
                local_file(bad, tmp_path)


class TestDescription:
    """What is said of a value that was loaded."""

    def test_type_shape_and_first_lines_are_told(self) -> None:
        import numpy as np
        import pandas as pd

        frame = pd.DataFrame({"a": range(90), "b": "x\u202e"})
        assert describe(frame) == "DataFrame, 90 x 2"
        assert lines_of(frame)[0].split() == ["a", "b"]
        assert len(lines_of(frame)) <= 9
        assert all(map(is_visible, "".join(lines_of(frame))))
        assert describe(np.zeros((2, 3), "f4")) == "ndarray, 2 x 3 of float32"
        assert describe([1, 2]) == "list of 2"
        assert describe("text") == "str of length 4"
        assert lines_of(dict.fromkeys(range(1000)))[-1].endswith("...}")

    def test_a_value_that_cannot_be_shown_is_no_error(self) -> None:
        class Odd:
            def __repr__(self) -> str:
                raise RuntimeError

        assert describe(Odd()) == "Odd"
        assert lines_of(Odd()) == [] or "Odd" in lines_of(Odd())[0]
