"""One fault, as a value, and what it does: to the store, to the request, or to the answer.

A fault picks the answers it touches by method, key, position in the object and number; several may touch one.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from tests.faults.store import Answer, Request, Store, StoredObject, error, etag_of


class Kind(StrEnum):
    """What goes wrong."""

    RESET = "reset"  # the connection is reset in the middle of the body
    CLOSE = "close"  # ... or closed, although Content-Length announced more
    NO_LENGTH = "no length"  # the body ends early, and no Content-Length tells
    UNTOLD = "length untold"  # all of the body comes, and no Content-Length tells
    STALL = "stall"  # the body pauses for `seconds`, then goes on
    HOLD = "hold"  # ... or until the fault is released
    DRIP = "drip"  # the body goes on by one byte every `seconds`
    SILENT = "silent"  # no answer for `seconds`, then the connection closes
    RESET_EARLY = "reset early"  # the connection is reset before the first byte of the answer
    STATUS = "status"  # an S3 error: `status` and `code`
    NO_IF_MATCH = "no If-Match"  # `status` and `code`, to requests that carry If-Match
    RANGE_REFUSED = "range refused"  # `status` and `code`, to requests that carry a Range
    IGNORE_IF_MATCH = "ignore If-Match"  # preconditions are not looked at
    REDIRECT = "redirect"  # `status` with a Location: `location` plus the path
    RANGE_IGNORED = "range ignored"  # 200 and the whole object
    SHIFTED = "shifted"  # the range starts `by` bytes late, and Content-Range says so
    SHORT = "short"  # the range stops `by` bytes early, if it is longer, and Content-Range says so
    LYING = "lying"  # the right bytes, but Content-Range says `by` bytes further
    OTHER_BYTES = "other bytes"  # the range asked for is announced, but the bytes come from `by` bytes further
    NO_CONTENT_RANGE = "no Content-Range"
    REPLACE = "replace"  # the object is overwritten with `data` just before it is looked up
    DELETE = "delete"  # the object is deleted just before it is looked up
    NO_ETAG = "no ETag"
    FLIP = "flip"  # one bit of the byte at `at` is wrong
    CHUNKED = "chunked"  # the body comes in chunks, and no Content-Length tells how long it is
    CHUNKED_CUT = "chunked, cut"  # ... and the connection ends before the last chunk
    GZIP = "gzip"  # the body comes compressed, though nobody asked
    DELAY = "delay"  # `seconds` pass before the first byte
    ANSWER = "answer"  # `status`, `headers` and, as its body, `data`, whatever was asked for
    THROTTLE = "throttle"  # the body comes at `rate` bytes per second


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and when.

    Attributes:
        kind: What goes wrong.
        first: Number of the first answer touched, among those that fit; from 1.
        times: How many answers are touched, from there on; None means all.
        at: Byte of the object at which it strikes; only answers that carry this byte fit. None means
            every answer fits, and it strikes in the middle of each body.
        method: ``GET`` or ``HEAD``...; empty fits every method.
        key: The key; None fits every key, and "" the requests for a bucket.
        query: Only requests with this parameter; "" fits every request.
        seconds: Length of a stall, a silence or a delay; pause between two bytes of a drip.
        status: Status of an error or a redirect.
        code: S3 code of an error.
        content_range: Sent with an error, unless empty.
        location: Scheme and host that a redirect leads to.
        by: How many bytes a range is off.
        data: What an object is replaced with.
        rate: Bytes per second.
        headers: Of an answer.
        released: Set to let a body that is held go on.
    """

    kind: Kind
    first: int = 1
    times: int | None = 1
    at: int | None = None
    method: str = "GET"
    key: str | None = None
    query: str = ""
    seconds: float = 30.0
    status: int = 503
    code: str = "SlowDown"
    content_range: str = ""
    location: str = ""
    by: int = 1000
    data: bytes = b""
    rate: float = 1e6
    headers: Mapping[str, str] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event, compare=False)

    def fits(self, request: Request, size: int | None) -> bool:
        """Tell whether `request`, for an object of `size` bytes (None: there is none), is one to count."""
        if self.method not in {"", request.method} or self.key not in {None, request.key}:
            return False
        if (not request.key and self.key is None) or (self.query and self.query not in request.query):
            return False
        return self.at is None or (size is not None and _covers(request, size, self.at))


def _covers(request: Request, size: int, position: int) -> bool:
    start, stop = request.range or (0, None)
    start = max(0, size + start) if start < 0 else start
    return start <= position < (size if stop is None else min(stop, size))


def answer_bent(store: Store, request: Request, faults: list[Fault]) -> Answer:
    """Return the answer of `store` to `request`, with `faults` applied in their order."""
    for fault in faults:
        if fault.kind in _TO_STORE:
            _TO_STORE[fault.kind](store, request, fault)
        if fault.kind in _TO_REQUEST:
            request = _TO_REQUEST[fault.kind](request, fault)
    answer = store.answer(request)
    stored = store.find(request.bucket, request.key, request.query.get("versionId"))
    for fault in faults:
        if fault.kind in _TO_ANSWER:
            answer = _TO_ANSWER[fault.kind](answer, fault, request)
        if fault.kind in _TO_PART and stored is not None and answer.status == 206:
            answer = _TO_PART[fault.kind](answer, fault, stored)
    return answer


def _replace_object(store: Store, request: Request, fault: Fault) -> None:
    old = store.find(request.bucket, request.key)
    version_id = f"{old.version_id}-next" if old and old.version_id else None
    store.put(request.bucket, request.key, StoredObject(fault.data, etag_of(fault.data), version_id))


def _without(request: Request, name: str) -> Request:
    return replace(request, headers={k: v for k, v in request.headers.items() if k != name})


def _broken(ending: str) -> Callable[[Answer, Fault, Request], Answer]:
    def bend(answer: Answer, fault: Fault, request: Request) -> Answer:
        return replace(
            answer, breaks=_index(answer, fault), ending=ending, seconds=fault.seconds, released=fault.released
        )

    return bend


def _index(answer: Answer, fault: Fault) -> int:
    """Return where in the body `fault` strikes."""
    return len(answer.body) // 2 if fault.at is None else min(max(0, fault.at - answer.start), len(answer.body))


def _headless(ending: str) -> Callable[[Answer, Fault, Request], Answer]:
    def bend(answer: Answer, fault: Fault, request: Request) -> Answer:
        return replace(answer, status=0, ending=ending, seconds=fault.seconds)

    return bend


def _unannounced(answer: Answer, fault: Fault, request: Request) -> Answer:
    return replace(answer, body=answer.body[: _index(answer, fault)], length=None)


def _refused(answer: Answer, fault: Fault, request: Request) -> Answer:
    carried = {Kind.NO_IF_MATCH: "if-match", Kind.RANGE_REFUSED: "range"}.get(fault.kind)
    if carried is not None and carried not in request.headers:
        return answer
    headers = {"Content-Range": fault.content_range} if fault.content_range else {}
    return error(fault.status, fault.code, "A fault made for a test.", headers)


def _redirected(answer: Answer, fault: Fault, request: Request) -> Answer:
    target = f"{fault.location}/{request.bucket}/{request.key}"
    return error(fault.status, "TemporaryRedirect", "Elsewhere.", {"Location": target})


def _flipped(answer: Answer, fault: Fault, request: Request) -> Answer:
    index = _index(answer, fault)
    if request.method == "HEAD" or answer.status not in {200, 206} or index >= len(answer.body):
        return answer
    body = bytearray(answer.body)
    body[index] ^= 0x10
    return replace(answer, body=bytes(body))


def _gzipped(answer: Answer, fault: Fault, request: Request) -> Answer:
    return answer.with_body(gzip.compress(answer.body, 1)).with_headers(**{"Content-Encoding": "gzip"})


def _chunked(answer: Answer, fault: Fault, request: Request) -> Answer:
    middle = len(answer.body) // 2
    pieces = [bytes(piece) for piece in (answer.body[:middle], answer.body[middle:]) if len(piece)]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    sent = chunks[:1] if fault.kind is Kind.CHUNKED_CUT else [*chunks, b"0\r\n\r\n"]
    bent = answer.with_headers(**{"Transfer-Encoding": "chunked"})
    return replace(bent, body=b"".join(sent), length=None)


def _part(answer: Answer, stored: StoredObject, start: int, stop: int) -> Answer:
    """Return `answer` with the bytes ``[start, stop)`` of the object, and a Content-Range that says so."""
    size = len(stored.data)
    bent = answer.with_body(memoryview(stored.data)[start:stop])
    return replace(bent.with_headers(**{"Content-Range": f"bytes {start}-{stop - 1}/{size}"}), start=start)


def _shifted(answer: Answer, fault: Fault, stored: StoredObject) -> Answer:
    start = min(answer.start + fault.by, len(stored.data) - 1)
    return _part(answer, stored, start, min(start + len(answer.body), len(stored.data)))


def _short(answer: Answer, fault: Fault, stored: StoredObject) -> Answer:
    length = len(answer.body)
    return _part(answer, stored, answer.start, answer.start + (length - fault.by if length > fault.by else length))


def _lying(answer: Answer, fault: Fault, stored: StoredObject) -> Answer:
    start, size = answer.start + fault.by, len(stored.data)
    return answer.with_headers(**{"Content-Range": f"bytes {start}-{start + len(answer.body) - 1}/{size}"})


def _other_bytes(answer: Answer, fault: Fault, stored: StoredObject) -> Answer:
    # Rolled round at the end, so that the length stays the one announced.
    length = len(answer.body)
    rolled = (stored.data[answer.start + fault.by :] + stored.data)[:length]
    return replace(answer, body=rolled)


_TO_STORE: Mapping[Kind, Callable[[Store, Request, Fault], None]] = {
    Kind.REPLACE: _replace_object,
    Kind.DELETE: lambda store, request, fault: store.delete(request.bucket, request.key),
}
_TO_REQUEST: Mapping[Kind, Callable[[Request, Fault], Request]] = {
    Kind.RANGE_IGNORED: lambda request, fault: _without(request, "range"),
    Kind.IGNORE_IF_MATCH: lambda request, fault: _without(_without(request, "if-match"), "if-none-match"),
}
_TO_ANSWER: Mapping[Kind, Callable[[Answer, Fault, Request], Any]] = {
    Kind.RESET: _broken("reset"),
    Kind.CLOSE: _broken("close"),
    Kind.STALL: _broken("stall"),
    Kind.HOLD: _broken("hold"),
    Kind.DRIP: _broken("drip"),
    Kind.SILENT: _headless("stall"),
    Kind.RESET_EARLY: _headless("reset"),
    Kind.NO_LENGTH: _unannounced,
    Kind.UNTOLD: lambda answer, fault, request: replace(answer, length=None),
    Kind.STATUS: _refused,
    Kind.NO_IF_MATCH: _refused,
    Kind.RANGE_REFUSED: _refused,
    Kind.REDIRECT: _redirected,
    Kind.FLIP: _flipped,
    Kind.CHUNKED: _chunked,
    Kind.CHUNKED_CUT: _chunked,
    Kind.GZIP: _gzipped,
    Kind.NO_ETAG: lambda answer, fault, request: answer.with_headers(ETag=None),
    Kind.NO_CONTENT_RANGE: lambda answer, fault, request: answer.with_headers(Content_Range=None),
    Kind.DELAY: lambda answer, fault, request: replace(answer, delay=answer.delay + fault.seconds),
    Kind.ANSWER: lambda answer, fault, request: Answer(fault.status, fault.headers, fault.data, length=len(fault.data)),
    Kind.THROTTLE: lambda answer, fault, request: replace(answer, rate=fault.rate),
}
_TO_PART: Mapping[Kind, Callable[[Answer, Fault, StoredObject], Answer]] = {
    Kind.SHIFTED: _shifted,
    Kind.SHORT: _short,
    Kind.LYING: _lying,
    Kind.OTHER_BYTES: _other_bytes,
}
