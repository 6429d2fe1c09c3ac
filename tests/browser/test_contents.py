"""Tables of contents of archives and files of arrays: by small ranges, with nothing unpacked."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile

import numpy as np
import pytest
import safetensors.numpy

from aios3_nb.browser import contents
from aios3_nb.browser.contents import BY_SUFFIX
from aios3_nb.browser.preview import Preview
from aios3_nb.pipeline.peek import RangedFile, TooMuchError

ARRAYS = {"w": np.zeros((1200, 2), "<f4"), "b": np.asfortranarray(np.zeros((2, 2))), "one": np.array(5)}


def shown(suffix: str, data: bytes, most: int = 1_000_000) -> Preview:
    file = RangedFile(lambda start, stop: data[start:stop], len(data), most=most)
    return BY_SUFFIX[suffix](io.BufferedReader(file), len(data))


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def taped(count: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for n in range(count):
            about = tarfile.TarInfo(f"{n}.txt")
            about.size = 3000
            archive.addfile(about, io.BytesIO(bytes(3000)))
    return made.getvalue()


def saved(array: np.ndarray) -> bytes:
    made = io.BytesIO()
    np.save(made, array)
    return made.getvalue()


def test_a_zip_archive() -> None:
    preview = shown(".zip", zipped(a=bytes(3000), b=b""))
    assert preview.title.endswith("2 members, 3 KB unpacked")
    assert preview.table == (("name", "size", "packed"), ("a", "3 KB", "3 KB"), ("b", "0 B", "0 B"))
    assert preview.note == ""


def test_a_tar_archive_as_far_as_it_is_looked_at() -> None:
    whole, part, cut = shown(".tar", taped(3)), shown(".tar", taped(100), 100_000), shown(".tar", taped(3)[:5000])
    assert whole.title.endswith(": 3 members")
    assert whole.table[1] == ("0.txt", "file", "3 KB")
    assert ": the first " in part.title
    assert 10 < len(part.table) < 40
    assert ": the first " in cut.title
    with pytest.raises(TooMuchError):
        shown(".tar", taped(3), 100)


def test_more_members_than_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_MOST", 2)
    for suffix, data in ((".tar", taped(3)), (".zip", zipped(a=b"", b=b"", c=b""))):
        preview = shown(suffix, data)
        assert len(preview.table) == 3
        assert preview.note == "Shown: the first 2."
    assert shown(".tar", taped(2)).note == ""


def test_one_array() -> None:
    pairs = dict(shown(".npy", saved(ARRAYS["b"])).pairs)
    assert pairs == {"dtype": "<f8", "shape": "2 x 2", "order": "Fortran"}
    assert dict(shown(".npy", saved(ARRAYS["one"])).pairs)["shape"] == "one value"
    for damaged in (b"\x93NUMPY\x01\0\xff\xff__import__('os')", saved(ARRAYS["w"])[:40], b"PK"):
        with pytest.raises(ValueError):
            shown(".npy", damaged)


def test_an_archive_of_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    made = io.BytesIO()
    np.savez(made, **ARRAYS)
    preview = shown(".npz", made.getvalue())
    assert preview.title.endswith(": 3 arrays")
    assert preview.table[1] == ("w", "<f4", "1,200 x 2", "9.7 KB")
    monkeypatch.setattr(contents, "_MOST_HEADERS", 1)
    assert [row[1] for row in shown(".npz", made.getvalue()).table] == ["dtype", "<f4", "", ""]
    assert shown(".npz", zipped(other=b"no array")).table[1] == ("other", "", "", "8 B")


def test_safetensors() -> None:
    data = safetensors.numpy.save({"w": ARRAYS["w"]}, {"by": "us"})
    preview = shown(".safetensors", data)
    assert preview.table == (("name", "dtype", "shape", "size"), ("w", "F32", "1,200 x 2", "9.6 KB"))
    with pytest.raises(ValueError, match="Not valid safetensors"):
        shown(".safetensors", struct.pack("<Q", 5) + b"other")
