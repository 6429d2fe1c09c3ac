"""What peek says of an object is what becomes of it when it is loaded; and everything that can be told is told."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import wave
import zipfile
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import safetensors.numpy

import aios3_nb
from tests.faults.server import FaultServer
from tests.formats.test_expanded import columns_of_one

FRAME = pd.DataFrame({"id": range(3000), "name": [f"name {n}" for n in range(3000)]})
ROWS = FRAME.to_dict("records")
PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\2\x08\6\0\0\0\x99\x81\xb6'"
    + b"\0\0\0\x0eIDAT" + zlib.compress(bytes(10)) + bytes(8)
)  # fmt: skip
_PACKS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".lzma": lambda d: lzma.compress(d, lzma.FORMAT_ALONE)}


def written(write: Any) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def stream(file: Any) -> None:
    table = pa.Table.from_pandas(FRAME)
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


def sound(file: Any) -> None:
    with wave.open(file, "wb") as made:
        made.setparams((1, 2, 8000, 0, "NONE", ""))
        made.writeframes(bytes(800))


def tarred(file: Any) -> None:
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("inside.txt")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))


def zipped(*names: str) -> bytes:
    def write(file: Any) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, "abc")

    return written(write)


class Own:
    """A class that is on no list."""


BFLOAT = json.dumps({"w": {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]}}).encode()

SAMPLES: dict[str, bytes] = {
    "a.pkl": pickle.dumps({"rows": ROWS}),
    "many.pkl": b"".join(map(pickle.dumps, ROWS[:50])),
    "own.pkl": pickle.dumps(Own()),
    "cut.pkl": pickle.dumps(ROWS)[:-30],
    "no.pkl": b"neither this nor that",
    "py2.pkl": b"\x80\x02}U\x04nameU\x04Caf\xe9s.",
    "frame.pkl": pickle.dumps(FRAME),
    "a.json": json.dumps({"rows": ROWS}).encode(),
    "rows.json": json.dumps(ROWS[:20]).encode(),
    "lines.json": b'{"a": 1}\n{"a": 2}\n',
    "cut.json": b'{"a": [1, 2',
    "no.json": b"{a: 1}",
    "utf16.json": '{"a": "ü"}'.encode("utf-16"),
    "a.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
    "firehose": b'{"a":1}{"a":2}',
    "a.csv": FRAME.to_csv(index=False).encode(),
    "a.parquet": written(FRAME.to_parquet),
    "no.parquet": b"PAR1 nonsense",
    "a.feather": written(FRAME.to_feather),
    "stream.arrow": written(stream),
    "a.npy": written(lambda file: np.save(file, np.zeros((3, 4)))),
    "long.npy": written(lambda file: np.save(file, np.zeros(1, [(f"field_{n:040}", "f4") for n in range(200)]))),
    "a.npz": written(lambda file: np.savez(file, one=np.zeros((3, 4)), two=np.arange(5))),
    "a.safetensors": safetensors.numpy.save({"weight": np.zeros((3, 4), "f4")}),
    "f4.safetensors": len(BFLOAT).to_bytes(8, "little") + BFLOAT + b"\0",
    "picture": PIXEL,
    "picture.png": PIXEL,
    "sound": written(sound),
    "note": "Grüße\nzwei\n".encode(),
    "README": b"# read me\n",
    "a.txt": b"one\ntwo\n",
    "a.bin": bytes(range(256)),
    "model.pt": zipped("model/data.pkl", "model/data/0"),
    "a.zip": zipped("inside.txt", "deep/other.txt"),
    "a.tar": written(tarred),
    "a.pdf": b"%PDF-1.7\n\xff\xfe\0",
    "nothing": b"\xff\xfe\xfd\0\1\2",
}


def outcome(call: Any) -> tuple[Any, str]:
    try:
        return call(), ""
    except aios3_nb.S3Error as exc:
        return None, str(exc)


@pytest.mark.filterwarnings("ignore:.*first of several pickles")
@pytest.mark.parametrize("pack", _PACKS)
@pytest.mark.parametrize("key", SAMPLES)
def test_what_a_look_promises_a_load_keeps(faulty: FaultServer, key: str, pack: str) -> None:
    faulty.put("b", key + pack, _PACKS[pack](SAMPLES[key]))
    seen, unseen = outcome(lambda: aios3_nb.peek(f"s3://b/{key}{pack}"))
    value, error = outcome(lambda: aios3_nb.load(f"s3://b/{key}{pack}"))
    if seen is None:
        assert "Say it with format: " in unseen
        assert "Say it with format: " in error
        return
    said = repr(seen)
    if "every name it imports may load" in said:
        assert not error
    if any(word in said for word in ("problem", "cut short", "not a pickle", "not on the safe list")):
        assert error
    if error and seen.format == "pickle":
        assert "every name it imports may load" not in said
    if error and pack == "":
        named = ("aios3_nb.open('s3://b/" + key, "trust=True", "format='bytes'", "encoding=", "path=NAME")
        assert any(word in error for word in named), "the way on"
    assert value is not None or error


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("a.parquet", ("table of 3,000 rows, 2 columns", "id", "int64")),
        ("a.feather", ("Arrow file", "name", "string")),
        ("stream.arrow", ("Arrow stream", "id", "int64")),
        ("a.npz", ("2 arrays", "one", "(3, 4)", "two", "(5,)")),
        ("a.npy", ("(3, 4)", "<f8")),
        ("a.safetensors", ("1 array, 48 B", "weight", "F32 of shape (3, 4)")),
        ("model.pt", ("2 files", "model/data.pkl")),
        ("a.zip", ("2 files", "deep/other.txt")),
        ("a.tar", ("1 member", "inside.txt")),
        ("picture", ("picture (png) of 1 x 2 pixels",)),
        ("sound", ("sound (audio/wav)",)),
        ("note", ("Grüße",)),
        ("many.pkl", ("pickles in a row", "50; aios3_nb.iterate")),
    ],
)
def test_a_look_tells_what_is_inside(faulty: FaultServer, key: str, says: tuple[str, ...]) -> None:
    faulty.put("b", key, SAMPLES[key])
    seen = repr(aios3_nb.peek(f"s3://b/{key}"))
    for words in says:
        assert words in seen


def test_a_look_into_a_large_table_fetches_its_footer_only(faulty: FaultServer) -> None:
    frame = pd.DataFrame({f"c{n}": np.random.default_rng(n).random(200_000) for n in range(10)})
    faulty.put("b", "large.parquet", written(frame.to_parquet))
    seen = aios3_nb.peek("s3://b/large.parquet")
    assert "table of 200,000 rows, 10 columns" in repr(seen)
    assert seen.fetched < 1_000_000


def test_a_look_makes_no_more_of_a_description_than_it_has_bytes(faulty: FaultServer) -> None:
    frame = pd.DataFrame(np.zeros((1, 30_000)), columns=[f"column {n}" for n in range(30_000)])
    faulty.put("b", "wide.parquet", written(frame.to_parquet))
    assert "more than is looked at" in repr(aios3_nb.peek("s3://b/wide.parquet"))
    faulty.put("b", "wide.arrow", columns_of_one(170_000, 0))
    assert "problem" in repr(aios3_nb.peek("s3://b/wide.arrow"))


def test_pictures_sounds_and_texts_load_as_values_that_show(faulty: FaultServer) -> None:
    from IPython.display import Audio, Image

    for key in ("picture", "picture.png", "sound", "note"):
        faulty.put("b", key, SAMPLES[key])
    for key in ("picture", "picture.png"):
        picture = aios3_nb.load(f"s3://b/{key}")
        assert type(picture) is Image
        assert (picture.data, picture.format) == (PIXEL, "png")
    played = aios3_nb.load("s3://b/sound")
    assert type(played) is Audio
    assert played.data == SAMPLES["sound"]
    assert "audio/wav" in played._repr_html_()
    assert aios3_nb.load("s3://b/note") == "Grüße\nzwei\n"
    faulty.put("b", "no.png", b"nonsense")
    with pytest.raises(aios3_nb.FormatError, match="Not a picture"):
        aios3_nb.load("s3://b/no.png")


def test_a_picture_comes_as_pil_has_it_and_nothing_else_does(faulty: FaultServer) -> None:
    from PIL import Image

    picture = Image.new("RGB", (30, 20), "red")
    faulty.put("b", "p.png", written(lambda file: picture.save(file, "png")))
    loaded = aios3_nb.load("s3://b/p.png", as_="pil")
    assert isinstance(loaded, Image.Image)
    assert (loaded.size, loaded.getpixel((7, 7))) == ((30, 20), (255, 0, 0))
    faulty.put("b", "p", written(lambda file: picture.save(file, "tiff")))
    assert aios3_nb.load("s3://b/p", as_="pil", format="image").size == (30, 20)
    with pytest.raises(aios3_nb.TooLargeError, match="30 x 20 pixels, more than max_bytes"):
        aios3_nb.load("s3://b/p.png", as_="pil", max_bytes=2000)
    faulty.put("b", "broken.png", written(lambda file: picture.save(file, "png"))[:50])
    with pytest.raises(aios3_nb.FormatError, match="picture"):
        aios3_nb.load("s3://b/broken.png", as_="pil")
    faulty.put("b", "t.csv", b"a,b\n1,2\n")
    with pytest.raises(aios3_nb.OptionError, match="as_='pil' is for pictures; csv makes none"):
        aios3_nb.load("s3://b/t.csv", as_="pil")
    with pytest.raises(aios3_nb.OptionError, match="a picture is as_='pil'"):
        aios3_nb.load("s3://b/p.png", as_="numpy")


def test_a_text_in_utf_16_is_known_by_its_mark(faulty: FaultServer) -> None:
    for key in ("note", "note.txt"):
        faulty.put("b", key, "Grüße\r\n".encode("utf-16"))
        assert aios3_nb.load(f"s3://b/{key}") == "Grüße\r\n"
