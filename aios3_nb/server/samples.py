"""The sample objects of the embedded server: what to store, how to load it, and what must come out.

Each is something that people keep in S3, or that makes loading from it hard; together they show the formats and the
options. All are made here, the random ones from fixed seeds, so that a check compares with what was stored.
"""

from __future__ import annotations

import gzip
import json
import pickle
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

from aios3_nb.address import quote

DEMO_BUCKET = "demo"

_ARRAYS = 8
_ARRAY_LENGTH = 1_000_000
"""Doubles in each array: eight megabytes, about one part of a download."""


@dataclass(frozen=True, slots=True)
class Load:
    """One way to load a sample.

    Attributes:
        check: Whether the loaded value is right.
        options: What the line says after the object's name.
        refused: Name of the error that must come instead of a value.
    """

    check: Callable[[Any], bool] = bool
    options: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One object.

    Attributes:
        key: Its key.
        body: Makes its bytes.
        loads: Ways to load it.
    """

    key: str
    body: Callable[[], bytes]
    loads: tuple[Load, ...]

    @property
    def word(self) -> str:
        """Its URI as one word of a line."""
        return quote(f"s3://{DEMO_BUCKET}/{self.key}")


def all_samples() -> list[Sample]:
    """Return the samples; those that need numpy or scikit-learn only where these are installed."""
    return [*(_of_numpy() if find_spec("numpy") else ()), *_of_records(), *_of_files(), *_of_awkward_names(), _unsafe()]


def put_samples(client: Any) -> None:
    """Store the samples that are not there yet in the bucket `DEMO_BUCKET`, which is made if need be.

    Args:
        client: A synchronous botocore or boto3 client.
    """
    if DEMO_BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=DEMO_BUCKET)
    stored = {entry["Key"] for entry in client.list_objects_v2(Bucket=DEMO_BUCKET).get("Contents", ())}
    for sample in all_samples():
        if sample.key not in stored:
            client.put_object(Bucket=DEMO_BUCKET, Key=sample.key, Body=sample.body(), ChecksumAlgorithm="CRC32")


def _of_numpy() -> Iterable[Sample]:
    yield Sample("models/model.pkl", lambda: pickle.dumps(_model()), (Load(_predicts),))
    yield Sample(
        "arrays.pkl", lambda: pickle.dumps(_arrays(), protocol=pickle.HIGHEST_PROTOCOL), (Load(_are_the_arrays),)
    )


def _of_records() -> Iterable[Sample]:
    events, users = _events(), _users()
    yield Sample(
        "many.pkl",
        lambda: b"".join(map(pickle.dumps, events)),
        (Load(partial(_are, events[:10]), "--iter --limit 10"),),
    )
    yield Sample(
        "users.json",
        lambda: json.dumps({"users": users, "total": len(users)}).encode(),
        (
            Load(lambda value: bool(value == {"users": users, "total": len(users)})),
            Load(partial(_are, [user["name"] for user in users[:5]]), "--path users.item.name --iter --limit 5"),
        ),
    )
    yield Sample("events.jsonl", lambda: _lines(events), (Load(partial(_are, events)),))
    yield Sample("events.jsonl.gz", lambda: gzip.compress(_lines(events), mtime=0), (Load(partial(_are, events)),))


def _of_files() -> Iterable[Sample]:
    table = "".join(f"{event['id']},{event['kind']},{event['value']}\n" for event in _events())
    csv, text, png = f"id,kind,value\n{table}", "Straße, naïve, 東京, 🦜.\n" * 100, _png()
    yield Sample("table.csv", csv.encode, (Load(csv.__eq__, "--format text"),))
    yield Sample("notes.txt", text.encode, (Load(text.__eq__),))
    yield Sample("gradient.png", lambda: png, (Load(png.__eq__, "--format bytes"),))


def _of_awkward_names() -> Iterable[Sample]:
    for key in (
        "names/with space, 'quotes' & 100%.json",
        "names/year=2024/part.json",
        "names/{braces} $dollar #hash?.json",
        "names/naïve-данные-🦜.json",
    ):
        yield Sample(key, json.dumps({"key": key}).encode, (Load({"key": key}.__eq__),))


def _unsafe() -> Sample:
    """Return a pickle that runs code when it is loaded: a harmless call, and refused for being one."""
    return Sample("unsafe.pkl", lambda: pickle.dumps(_Unsafe()), (Load(refused="BlockedPickleError"),))


class _Unsafe:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("This line was printed by the pickle itself: loading it has run its code.",)


def _model() -> Any:
    """Return a fitted scikit-learn classifier; without scikit-learn, the arrays of a linear model."""
    import numpy as np

    if not find_spec("sklearn"):
        return {"coefficients": np.arange(12.0).reshape(3, 4), "intercept": np.ones(3)}
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression()).fit(*load_iris(return_X_y=True))


def _predicts(model: Any) -> bool:
    if isinstance(model, dict):
        return bool((model["coefficients"] @ [1.0, 1.0, 1.0, 1.0] + model["intercept"]).tolist() == [7.0, 23.0, 39.0])
    from sklearn.datasets import load_iris

    return bool(model.score(*load_iris(return_X_y=True)) > 0.9)


def _arrays() -> dict[str, Any]:
    import numpy as np

    random = np.random.default_rng(2024)
    return {f"layer{n}": random.standard_normal(_ARRAY_LENGTH) for n in range(_ARRAYS)}


def _are_the_arrays(value: dict[str, Any]) -> bool:
    import numpy as np

    stored = _arrays()
    return value.keys() == stored.keys() and all(np.array_equal(value[name], stored[name]) for name in stored)


def _are(stored: list[Any], value: Iterable[Any]) -> bool:
    """Return whether these are the items; `value` may be a list or a stream."""
    return list(value) == stored


def _events() -> list[dict[str, Any]]:
    kinds = ("view", "click", "buy")
    return [{"id": n, "kind": kinds[n % 3], "value": n * 0.25, "tags": [f"t{n % 7}"]} for n in range(10_000)]


def _users() -> list[dict[str, Any]]:
    return [
        {"id": n, "name": f"User {n}", "address": {"city": "Zürich", "zip": f"{8000 + n % 100}"}} for n in range(20_000)
    ]


def _lines(items: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def _png() -> bytes:
    """Return an image of 64 by 64 pixels that fades from black to red and to green.

    See: https://www.w3.org/TR/png-3/#5DataRep
    """
    rows = b"".join(b"\0" + bytes(c for x in range(64) for c in (4 * x, 4 * y, 64)) for y in range(64))
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
