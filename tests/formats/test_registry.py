"""Which format an object is in, and what becomes of it."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import subprocess
import sys
import zipfile

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest
import safetensors.numpy

from aios3_nb.errors import (
    BlockedPickleError,
    FormatError,
    MissingPackageError,
    OptionError,
    StalledError,
    TooLargeError,
    TruncatedError,
)
from aios3_nb.formats import (
    HEAD_SIZE,
    Format,
    LoadOptions,
    decompressed,
    format_names,
    peek_head,
    recognise,
    register,
    registry,
)
from tests.dripping import Dripping

NOTHING = LoadOptions()
FRAME = pd.DataFrame({"id": [1, 2, 3], "name": ["a", "b", "ü"], "x": [0.5, 1.5, -1.0]})


def drip(data, chunk=1 << 20):
    return Dripping(data, chunk)


def named(name):
    return recognise("", b"", name)


def written(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


HEADS = {
    "pickle": pickle.dumps({"a": 1}),
    "json": b' {"a": 1}',
    "npy": written(lambda f: np.save(f, np.arange(3))),
    "npz": written(lambda f: np.savez(f, x=np.arange(3))),
    "parquet": written(FRAME.to_parquet),
    "arrow": written(FRAME.to_feather),
    "safetensors": safetensors.numpy.save({"a": np.arange(3)}),
    "joblib": written(lambda f: joblib.dump({"a": np.arange(3)}, f)),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(20),
    "zip": written(lambda f: zipfile.ZipFile(f, "w").writestr("a.txt", "a")),
    "torch": written(lambda f: zipfile.ZipFile(f, "w").writestr("archive/data.pkl", b"\x80\x02N.")),
    "excel": written(lambda f: zipfile.ZipFile(f, "w").writestr("[Content_Types].xml", "")),
    "tar": b"name".ljust(257, b"\0") + b"ustar\x0000",
    "r": b"X\n\0\0\0\3",
}


@pytest.mark.parametrize("name", HEADS)
def test_without_a_suffix_the_first_bytes_say_it(name):
    for key in ("data", "some/data", "x.unheard-of", "a.pkl/b"):
        assert recognise(key, HEADS[name][:4096]).name == name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a/model.pkl", "pickle"),
        ("MODEL.PKL", "pickle"),
        ("a.b.json", "json"),
        ("a.json.gz", "json"),
        ("a.jsonl.zst", "jsonl"),
        ("a.jsonl.zstd", "jsonl"),
        ("a.json.GZIP", "json"),
        ("a.csv.bzip2", "csv"),
        ("a.csv.lzma", "csv"),
        ("a.csv.gz.gz", "csv"),
        ("model.pkl.z", "pickle"),
        ("d.arrows", "arrow"),
        ("a.csv.bz2", "csv"),
        ("a.tsv.xz", "tsv"),
        ("part-0.snappy.parquet", "parquet"),
        ("notes.txt", "text"),
        ("x.bin.lz4", "bytes"),
        ("x.npy", "npy"),
    ],
)
def test_the_suffix_says_it_whatever_the_bytes_are(key, name):
    for head in (b"", b"PAR1", b'{"a": 1}', b"\x93NUMPY"):
        assert recognise(key, head).name == name


@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv", "txt", "npy", "npz", "parquet", "arrow", "safetensors"])
def test_a_pickle_under_another_suffix_is_never_unpickled(suffix, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    data = pickle.dumps(Evil())
    format = recognise(f"x.{suffix}", data)
    with contextlib.suppress(FormatError):
        format.load(drip(data), LoadOptions(trust=True))
    assert not (tmp_path / "ran").exists()


def test_what_the_user_says_comes_first():
    assert recognise("x.pkl", HEADS["joblib"], "bytes").name == "bytes"
    assert recognise("x.json", b"", "Pickle").name == "pickle"


def test_an_unknown_name_is_an_option_error_that_lists_the_known():
    with pytest.raises(OptionError, match=r"'feather'.*arrow, .*bytes, csv"):
        recognise("x.pkl", b"", "feather")


def test_when_nothing_is_recognised_the_error_lists_the_formats():
    for head in (b"", b"\xffhello", b"\x00\x01\x02"):
        with pytest.raises(FormatError, match=r"with format: arrow, .*bytes, csv, .*tsv\."):
            recognise("data", head)


@pytest.mark.parametrize("compress", [0, 1, 9])
def test_a_joblib_dump_is_known_under_the_suffix_of_pickles(compress):
    dump = written(lambda f: joblib.dump({"a": np.arange(300)}, f, compress=compress))
    file = decompressed(drip(dump), max_bytes=None)
    format = recognise("model.pkl", peek_head(file, HEAD_SIZE))
    assert format.name == "joblib"
    with pytest.raises(BlockedPickleError, match="trust=True"):
        format.load(file, NOTHING)
    assert list(format.load(file, LoadOptions(trust=True))["a"]) == list(range(300))


def test_a_torch_file_is_known_under_the_suffix_of_pickles():
    assert recognise("model.pkl", HEADS["torch"]).name == "torch"
    assert recognise("model.pkl", b"(dp0\n.").name == "pickle"


@pytest.mark.parametrize("name", ["hdf5", "zip", "torch", "excel", "tar", "r"])
def test_what_is_not_loaded_says_who_loads_it(name):
    format = named(name)
    for load in (format.load, format.iterate):
        with pytest.raises(FormatError, match=r"aios3_nb\.open\(uri\)|format='bytes'"):
            load(drip(b""), NOTHING)
    assert name not in format_names()


@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_arrays_are_loaded(chunk):
    array = np.arange(60, dtype="<i4").reshape(3, 20)
    for order in "CF":
        data = written(lambda f, order=order: np.save(f, np.asarray(array, order=order)))
        loaded = named("npy").load(drip(data, chunk), NOTHING)
        assert loaded.dtype == array.dtype
        assert np.array_equal(loaded, array)
    for save in (np.savez, np.savez_compressed):
        data = written(lambda f, save=save: save(f, a=array, b=array.T))
        loaded = named("npz").load(drip(data, chunk), NOTHING)
        assert list(loaded) == ["a", "b"]
        assert np.array_equal(loaded["b"], array.T)
    data = safetensors.numpy.save({"a": array})
    assert np.array_equal(named("safetensors").load(drip(data, chunk), NOTHING)["a"], array)


@pytest.mark.parametrize("trust", [False, True])
def test_arrays_of_objects_are_refused(trust):
    objects = np.array([{"a": 1}], dtype=object)
    for name, save in (("npy", np.save), ("npz", np.savez)):
        data = written(lambda f, save=save: save(f, objects))
        with pytest.raises(FormatError, match="allow_pickle=True"):
            named(name).load(drip(data), LoadOptions(trust=trust))


def test_an_archive_of_arrays_expands_within_max_bytes_only():
    data = written(lambda f: np.savez_compressed(f, np.zeros(1_000_000)))
    with pytest.raises(TooLargeError, match="max_bytes"):
        named("npz").load(drip(data), LoadOptions(max_bytes=1_000_000))
    assert named("npz").load(drip(data), LoadOptions(max_bytes=9_000_000))["arr_0"].sum() == 0


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("csv", FRAME.to_csv(index=False).encode()),
        ("tsv", FRAME.to_csv(index=False, sep="\t").encode()),
        ("parquet", HEADS["parquet"]),
        ("arrow", HEADS["arrow"]),
    ],
)
def test_tables_are_loaded(name, data, chunk):
    pd.testing.assert_frame_equal(named(name).load(drip(data, chunk), NOTHING), FRAME)


def streamed(frame, **options):
    """Return the frame as an Arrow stream, in batches of two rows."""
    table, buffer = pa.Table.from_pandas(frame, preserve_index=False), io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=2)
    return buffer.getvalue()


ARROWS = {
    "file": lambda frame: written(frame.to_feather),
    "feather 1": lambda frame: written(lambda f: pa.feather.write_feather(frame, f, version=1)),
    "stream": streamed,
    "stream, compressed": lambda frame: streamed(frame, compression="zstd"),
    "stream of before 0.15": lambda frame: streamed(frame, use_legacy_format=True),
    "file, not of pandas": lambda frame: written(lambda f: arrow_file(frame, f)),
}


def arrow_file(frame, file):
    table = pa.table({name: frame[name].tolist() for name in frame})
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.filterwarnings("ignore:Feather V1")
@pytest.mark.parametrize("suffix", [".arrow", ".arrows", ".feather", ".ipc", ""])
@pytest.mark.parametrize("kind", ARROWS)
def test_arrow_files_and_streams_are_told_by_their_first_bytes(kind, suffix):
    if kind == "stream of before 0.15" and not suffix:
        return  # nothing in its first bytes is a mark
    data = ARROWS[kind](FRAME)
    format = recognise(f"d{suffix}", data[:HEAD_SIZE])
    assert format.name == "arrow"
    pd.testing.assert_frame_equal(format.load(drip(data), NOTHING), FRAME)


def test_an_arrow_stream_without_rows_or_with_categories_loads():
    frame = FRAME.assign(kind=pd.Categorical(["x", "y", "x"]), day=pd.date_range("2024", periods=3, tz="UTC"))
    for each in (frame, frame[:0]):
        found = named("arrow").load(drip(streamed(each)), NOTHING)
        assert found.shape == each.shape
        assert list(found["kind"]) == list(each["kind"])
        assert list(found["day"]) == list(each["day"])


def test_a_cut_arrow_stream_is_a_format_error():
    data = streamed(FRAME)
    for end in (0, 1, 8, 100, len(data) - 60):
        with pytest.raises(FormatError, match=r"open_stream\(aios3_nb\.open\(uri\)\)"):
            named("arrow").load(drip(data[:end]), NOTHING)


@pytest.mark.parametrize("name", ["npy", "npz", "safetensors", "parquet", "arrow"])
def test_cut_anywhere_is_a_format_error(name):
    data = HEADS[name]
    for end in range(0, len(data), max(1, len(data) // 40)):
        with pytest.raises(FormatError):
            named(name).load(drip(data[:end]), NOTHING)


@pytest.mark.parametrize("name", ["npy", "npz", "safetensors", "parquet", "arrow"])
def test_other_bytes_are_a_format_error(name):
    for data in (b"nonsense " * 100, bytes(1000), b"\xff" * 1000):
        with pytest.raises(FormatError):
            named(name).load(drip(data), NOTHING)


def test_a_cut_array_is_truncated():
    with pytest.raises(TruncatedError):
        named("npy").load(drip(HEADS["npy"][:-1]), NOTHING)


def test_bytes_that_are_no_table_are_a_format_error():
    with pytest.raises(FormatError, match="CSV"):
        named("csv").load(drip(b"a,b\n1,2\n1,2,3,4\n"), NOTHING)


class Stalling(Dripping):
    """A file whose second half never arrives."""

    def _check(self):
        if self.tell() > 4000:
            raise StalledError("no bytes for 20 s")

    def read(self, size=-1):
        data = super().read(size if size and size > 0 else 5000)
        self._check()
        return data

    def read1(self, size=-1):
        return self.read(size)

    def readinto(self, buffer):
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize("name", ["csv", "npy", "npz", "parquet", "arrow", "safetensors", "json", "text", "bytes"])
def test_a_failure_of_the_file_is_not_taken_for_one_of_the_format(name):
    data = {
        "npy": written(lambda f: np.save(f, np.arange(5000))),
        "safetensors": safetensors.numpy.save({"a": np.arange(5000)}),
    }.get(name, b"1,2\n" * 5000)
    with pytest.raises(StalledError):
        named(name).load(Stalling(data, 1000), NOTHING)


def test_text_is_exact():
    text = "\ufeffone\r\ntwo\n\nthree\x85ü\u2028\r"
    for chunk in (1, 3, 100):
        assert named("text").load(drip(text.encode(), chunk), NOTHING) == text
        lines = list(named("text").iterate(drip(text.encode(), chunk), NOTHING))
        assert lines == ["\ufeffone\r\n", "two\n", "\n", "three\x85ü\u2028\r"]


def test_no_text_says_where_and_offers_the_bytes():
    for read in (named("text").load, lambda *args: list(named("text").iterate(*args))):
        with pytest.raises(FormatError, match="format='bytes'") as caught:
            read(drip(b"abc\n\xff", 2), NOTHING)
        assert caught.value.offset == 4
        with pytest.raises(TruncatedError):
            read(drip("abcü".encode()[:-1], 2), NOTHING)
        with pytest.raises(FormatError) as caught:
            read(drip(b"ab\xe2\x82\xff", 2), NOTHING)
        assert caught.value.offset == 2, "the character begins in an earlier piece"


def test_empty_is_empty_where_that_is_a_value():
    assert named("bytes").load(drip(b""), NOTHING) == b""
    assert named("text").load(drip(b""), NOTHING) == ""
    assert named("jsonl").load(drip(b""), NOTHING) == []
    for name in ("bytes", "text", "jsonl"):
        assert list(named(name).iterate(drip(b""), NOTHING)) == []


@pytest.mark.parametrize("name", ["pickle", "json", "npy"])
def test_empty_is_truncated_where_there_must_be_something(name):
    with pytest.raises(TruncatedError):
        named(name).load(drip(b""), NOTHING)


def test_the_options_reach_the_pickle():
    import fractions

    data = pickle.dumps(Local())
    with pytest.raises(BlockedPickleError):
        named("pickle").load(drip(data), NOTHING)
    assert isinstance(named("pickle").load(drip(data), LoadOptions(trust=True)), Local)
    assert isinstance(named("pickle").load(drip(data), LoadOptions(allow=(f"{__name__}.Local",))), Local)
    many = pickle.dumps(fractions.Fraction(1, 3)) + pickle.dumps([2])
    assert list(named("pickle").iterate(drip(many), NOTHING)) == [fractions.Fraction(1, 3), [2]]


class Local:
    """A class of the user's own."""


def test_a_path_is_for_json_only():
    data = json.dumps({"a": [1, 2]}).encode()
    assert named("json").load(drip(data), LoadOptions(path="a")) == [1, 2]
    assert list(named("json").iterate(drip(data), LoadOptions(path="a.item"))) == [1, 2]
    for name in ("pickle", "csv", "jsonl"):
        with pytest.raises(OptionError, match="path is for"):
            named(name).load(drip(data), LoadOptions(path="a"))


def test_what_has_no_items_says_so():
    with pytest.raises(OptionError, match=r"without aios3_nb\.iterate"):
        named("parquet").iterate(drip(b""), NOTHING)


@pytest.fixture
def own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_formats", list(registry._formats))
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


@pytest.mark.usefixtures("own_registry")
def test_a_registered_format_comes_before_those_that_there_are():
    mine = Format(name="mine", suffixes=(".mine", ".csv"), loader=lambda file, options: file.read().upper())
    register(mine)
    assert recognise("x.mine", b"") is mine
    assert recognise("x.csv", b"") is mine
    assert recognise("x", b"", "mine").load(drip(b"abc"), NOTHING) == b"ABC"
    assert "mine" in format_names()


PLUGIN = """
from aios3_nb.formats.registry import Format
FORMAT = Format(name="theirs", suffixes=(".theirs", ".json"), loader=lambda file, options: file.read())
WRONG = 5
"""


@pytest.mark.usefixtures("own_registry")
def test_other_packages_add_formats_but_take_none_away(tmp_path, monkeypatch):
    install(tmp_path, "good = theirs_plugin:FORMAT")
    monkeypatch.syspath_prepend(str(tmp_path))
    recognise("x.json", b"")
    assert "theirs_plugin" not in sys.modules, "they are imported when they are needed"
    assert recognise("x.theirs", b"").name == "theirs"
    assert recognise("x", b"", "theirs").name == "theirs"
    assert recognise("x.json", b"").name == "json"


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("target", ["theirs_plugin:WRONG", "theirs_plugin:MISSING", "no_such_module:X"])
def test_a_broken_format_of_another_package_is_a_warning(tmp_path, monkeypatch, target):
    install(tmp_path, f"bad = {target}")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.warns(UserWarning, match="'bad'"), pytest.raises(FormatError):
        recognise("x.theirs", b"")


def install(folder, entry):
    (folder / "theirs_plugin.py").write_text(PLUGIN)
    info = folder / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[aios3_nb.formats]\n{entry}\n")


def test_importing_the_formats_imports_none_of_their_libraries():
    code = "import sys, aios3_nb.formats.registry; print([name for name in sys.argv[1:] if name in sys.modules])"
    heavy = ["numpy", "pandas", "pyarrow", "joblib", "lz4", "msgspec", "safetensors"]
    result = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("module", "name", "install"),
    [
        ("pandas", "csv", "pandas"),
        ("pyarrow", "parquet", "pyarrow"),
    ],
)
def test_a_missing_package_is_named_with_how_to_install_it(module, name, install, monkeypatch):
    for loaded in [found for found in sys.modules if found.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackageError, match=f"pip install {install}"):
        named(name).load(drip(HEADS["parquet"]), NOTHING)
