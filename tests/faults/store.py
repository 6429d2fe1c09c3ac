"""Objects in memory, and what S3 would answer to a request for them.

Only what the tests need: objects by range, version and precondition, listings, and plain PUT and DELETE.
See: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from itertools import accumulate
from types import MappingProxyType
from urllib.parse import quote
from xml.sax.saxutils import escape

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived, and what became of it.

    Attributes:
        method: ``GET``, ``HEAD``, ...
        bucket: First segment of the path; empty for a listing of buckets.
        key: The rest of the path, percent-decoded; empty for a bucket.
        query: Parameters, percent-decoded; a parameter without a value is empty.
        headers: Names in lower case.
        at: Seconds on the monotonic clock when the head had arrived.
        connection: Number of the connection it came on; a later connection has a higher number.
        status: Status that was sent; 0 when none was.
        sent: Bytes of body handed to the socket; what the client read of them is at most that.
        client_closed: The client hung up before the answer was complete.
        done: The answer has ended, one way or the other.
    """

    method: str
    bucket: str
    key: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    at: float = 0.0
    connection: int = 0
    status: int = 0
    sent: int = 0
    client_closed: bool = False
    done: bool = False

    @property
    def range(self) -> tuple[int, int | None] | None:
        """The bytes asked for: ``(start, stop)``, ``(start, None)`` to the end, ``(-n, None)`` the last n."""
        return parse_range(self.headers.get("range"))


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of one object.

    Attributes:
        checksum: The header S3 would send for it, as (name, value).
        parts: Bytes of each part that it was uploaded in; empty when it was stored in one piece.
        lists_parts: GetObjectAttributes tells of each part; AWS does so only for those with checksums.
    """

    data: bytes
    etag: str
    version_id: str | None = None
    checksum: tuple[str, str] | None = None
    checksum_type: str = "FULL_OBJECT"
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[int, ...] = ()
    lists_parts: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be sent, and how; the faults bend the last seven fields and whatever else they please.

    Attributes:
        start: Byte of the object at which `body` starts.
        length: Content-Length to announce; None sends none and ends the body by closing.
        breaks: Index in `body` at which `ending` strikes; None means nothing strikes.
        ending: ``reset``, ``close``, ``stall``, ``hold`` or ``drip``.
        seconds: Length of the stall, or the pause between two dripped bytes.
        delay: Seconds before the first byte.
        rate: Bytes per second at most; None means as fast as it goes.
        released: Set when a body that is held may go on.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | memoryview = b""
    start: int = 0
    length: int | None = None
    breaks: int | None = None
    ending: str = ""
    seconds: float = 0.0
    delay: float = 0.0
    rate: float | None = None
    released: threading.Event | None = None

    def with_body(self, body: bytes | memoryview) -> Answer:
        """Return this answer with another body and the Content-Length that goes with it."""
        return replace(self, body=body, length=len(body))

    def with_headers(self, **headers: str | None) -> Answer:
        """Return this answer with `headers` set (``_`` for ``-``), and those that are None taken away."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name not in changed}
        return replace(self, headers=kept | {k: v for k, v in changed.items() if v is not None})


def parse_range(text: str | None) -> tuple[int, int | None] | None:
    """Return the half-open range that a Range header asks for; see `Request.range`. None if it is not one."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", text or "")
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return -int(last), None
    return int(first), int(last) + 1 if last else None


def checksum_of(algorithm: str, data: bytes) -> tuple[str, str]:
    """Return the checksum header S3 sends: its name, and the big-endian checksum in base64."""
    return f"x-amz-checksum-{algorithm}", base64.b64encode(_CHECKSUMS[algorithm](data)).decode()


def composite_of(algorithm: str, data: bytes, parts: tuple[int, ...]) -> tuple[str, str]:
    """Return the checksum header of an object in `parts`: the checksum of their checksums."""
    whole = b"".join(_CHECKSUMS[algorithm](piece) for piece in pieces(data, parts))
    return f"x-amz-checksum-{algorithm}", f"{base64.b64encode(_CHECKSUMS[algorithm](whole)).decode()}-{len(parts)}"


def pieces(data: bytes, parts: tuple[int, ...]) -> Iterator[bytes]:
    """Yield `data` in pieces of those lengths."""
    stops = list(accumulate(parts))
    assert stops[-1] == len(data)
    return (data[stop - length : stop] for length, stop in zip(parts, stops, strict=True))


def _crc32c(data: bytes) -> bytes:
    from awscrt import checksums

    return int(checksums.crc32c(data)).to_bytes(4, "big")


def _crc64nvme(data: bytes) -> bytes:
    from awscrt import checksums

    return int(checksums.crc64nvme(data)).to_bytes(8, "big")


_CHECKSUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": _crc32c,
    "crc64nvme": _crc64nvme,
    "md5": lambda data: hashlib.md5(data).digest(),
    "sha1": lambda data: hashlib.sha1(data).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
}


@dataclass
class Store:
    """Buckets of objects; the newest version of an object is the last of its list, a deletion is a None."""

    versions: dict[tuple[str, str], list[StoredObject | None]] = field(default_factory=dict)
    buckets: set[str] = field(default_factory=set)

    def put(self, bucket: str, key: str, stored: StoredObject) -> None:
        """Store `stored`; it stands beside older versions when it has a version id, else it replaces them."""
        self.buckets.add(bucket)
        older = self.versions.get((bucket, key), [])
        self.versions[bucket, key] = [*(older if stored.version_id else []), stored]

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object: for good, or by a marker on top of its versions."""
        older = self.versions.get((bucket, key), [])
        if any(stored is not None and stored.version_id for stored in older):
            self.versions[bucket, key] = [*older, None]
        else:
            self.versions.pop((bucket, key), None)

    def find(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject | None:
        """Return one version of an object, the newest if none is named; None if there is none."""
        found = self.versions.get((bucket, key), [])
        if version_id is None:
            return found[-1] if found else None
        return next((stored for stored in found if stored and stored.version_id == version_id), None)

    def keys(self, bucket: str) -> list[str]:
        """Return the keys of a bucket in the order in which S3 lists them: by their UTF-8 bytes."""
        found = (key for (name, key), stored in self.versions.items() if name == bucket and stored[-1] is not None)
        return sorted(found, key=str.encode)

    def answer(self, request: Request) -> Answer:
        """Return what S3 answers to `request`; PUT and DELETE take effect."""
        if not request.bucket:
            return _xml(_list_buckets(sorted(self.buckets)))
        if request.bucket not in self.buckets and request.method != "PUT":
            return error(404, "NoSuchBucket", "The specified bucket does not exist")
        if not request.key:
            return self._answer_bucket(request)
        return self._answer_object(request)

    def _answer_bucket(self, request: Request) -> Answer:
        if request.method == "PUT":
            self.buckets.add(request.bucket)
        if request.method != "GET":
            return Answer(200, length=0)
        if "location" in request.query:
            return _xml("<LocationConstraint/>")
        prefix = request.query.get("prefix", "")
        if request.bucket.endswith("--x-s3") and prefix and not prefix.endswith("/"):
            return error(400, "InvalidRequest", "In a directory bucket a prefix ends in a slash.")
        return _xml(_list_objects(self, request))

    def _answer_object(self, request: Request) -> Answer:
        if request.method == "PUT":
            etag = etag_of(request.body)
            self.put(request.bucket, request.key, StoredObject(request.body, etag))
            return Answer(200, {"ETag": etag}, length=0)
        if request.method == "DELETE":
            self.delete(request.bucket, request.key)
            return Answer(204, length=0)
        stored = self.find(request.bucket, request.key, request.query.get("versionId"))
        if stored is None:
            code = "NoSuchVersion" if "versionId" in request.query else "NoSuchKey"
            return error(404, code, "The specified key does not exist.")
        return answer_stored(stored, request)


def etag_of(data: bytes, parts: tuple[int, ...] = ()) -> str:
    """Return an object's ETag, quoted: its MD5, or that of the MD5s of its `parts`."""
    if not parts:
        return f'"{hashlib.md5(data).hexdigest()}"'
    whole = b"".join(hashlib.md5(piece).digest() for piece in pieces(data, parts))
    return f'"{hashlib.md5(whole).hexdigest()}-{len(parts)}"'


def answer_stored(stored: StoredObject, request: Request) -> Answer:
    """Return the answer to a GET or HEAD of `stored`: its preconditions first, then the range."""
    if not _etag_fits(request.headers.get("if-match"), stored.etag):
        return error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    refused = request.headers.get("if-none-match")
    if refused is not None and _etag_fits(refused, stored.etag):
        return Answer(304, {"ETag": stored.etag}, length=0)
    if "attributes" in request.query:
        return _xml(_attributes(stored, int(request.headers.get("x-amz-part-number-marker", "0"))))
    size = len(stored.data)
    headers = _object_headers(stored)
    if "partNumber" in request.query:
        return _answer_part(stored, int(request.query["partNumber"]), headers)
    if request.range is None:
        if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
            headers |= _checksum_headers(stored)
        return Answer(200, headers, memoryview(stored.data), length=size)
    start, stop = _within(request.range, size)
    if start >= stop:
        return error(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
            {"Content-Range": f"bytes */{size}"},
        )
    # S3 sends no whole-object checksum with a range.
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return Answer(206, headers, memoryview(stored.data)[start:stop], start=start, length=stop - start)


def _answer_part(stored: StoredObject, number: int, headers: dict[str, str]) -> Answer:
    parts = stored.parts or (len(stored.data),)
    if number > len(parts):
        return error(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
    start, stop = sum(parts[: number - 1]), sum(parts[:number])
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(stored.data)}"
    if stored.parts:
        headers["x-amz-mp-parts-count"] = str(len(parts))
    return Answer(206, headers, memoryview(stored.data)[start:stop], start=start, length=stop - start)


def _attributes(stored: StoredObject, marker: int, most: int = 1000) -> str:
    rows = [
        f"<Part><PartNumber>{number}</PartNumber><Size>{length}</Size></Part>"
        for number, length in list(enumerate(stored.parts, 1))[marker : marker + most]
        if stored.lists_parts
    ]
    more = len(stored.parts) > marker + most
    parts = f"<PartsCount>{len(stored.parts)}</PartsCount><IsTruncated>{str(more).lower()}</IsTruncated>{''.join(rows)}"
    etag = stored.etag.strip('"')  # it has no quotes here
    return (
        f"<GetObjectAttributesResponse {_NAMESPACE}><ETag>{etag}</ETag>"
        f"{f'<ObjectParts>{parts}</ObjectParts>' if stored.parts else ''}</GetObjectAttributesResponse>"
    )


def _etag_fits(wanted: str | None, etag: str) -> bool:
    return wanted is None or wanted.strip() == "*" or wanted.strip().strip('"') == etag.strip('"')


def _within(asked: tuple[int, int | None], size: int) -> tuple[int, int]:
    start, stop = asked
    if start < 0:
        start = max(0, size + start)
    return start, size if stop is None else min(stop, size)


def _object_headers(stored: StoredObject) -> dict[str, str]:
    headers = {
        "Content-Type": "binary/octet-stream",
        "Accept-Ranges": "bytes",
        "Last-Modified": formatdate(1_700_000_000, usegmt=True),
        "ETag": stored.etag,
        **stored.headers,
    }
    if stored.version_id:
        headers["x-amz-version-id"] = stored.version_id
    return headers


def _checksum_headers(stored: StoredObject) -> dict[str, str]:
    if stored.checksum is None:
        return {}
    name, value = stored.checksum
    return {name: value, "x-amz-checksum-type": stored.checksum_type}


def error(status: int, code: str, message: str = "", headers: Mapping[str, str] = NO_HEADERS) -> Answer:
    """Return an S3 error: the status, and its code in the XML of the body."""
    text = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    return replace(_xml(text, status), headers={"Content-Type": "application/xml", **headers})


def _xml(text: str, status: int = 200) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
    return Answer(status, {"Content-Type": "application/xml"}, body, length=len(body))


_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_DATE = "2023-11-14T22:13:20.000Z"


def _list_buckets(names: Iterable[str]) -> str:
    found = "".join(f"<Bucket><Name>{n}</Name><CreationDate>{_DATE}</CreationDate></Bucket>" for n in names)
    return f"<ListAllMyBucketsResult {_NAMESPACE}><Buckets>{found}</Buckets></ListAllMyBucketsResult>"


def _list_objects(store: Store, request: Request) -> str:
    """Return one page of ListObjectsV2; the continuation token is the last name of the page before."""
    query = request.query
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = query.get("continuation-token") or query.get("start-after", "")
    names = _grouped((key for key in store.keys(request.bucket) if key.startswith(prefix)), prefix, delimiter)
    names = [name for name in names if name.encode() > after.encode()]
    page = names[: int(query.get("max-keys", "1000"))]
    spelled = quote if query.get("encoding-type") == "url" else escape
    folders = {name for name in page if delimiter and delimiter in name[len(prefix) :]}
    rows = [_list_row(None if name in folders else store.find(request.bucket, name), name, spelled) for name in page]
    more = len(names) > len(page)
    token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more and page else ""
    return (
        f"<ListBucketResult {_NAMESPACE}><Name>{request.bucket}</Name><Prefix>{spelled(prefix)}</Prefix>"
        f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>{token}"
        f"{'<EncodingType>url</EncodingType>' if spelled is quote else ''}{''.join(rows)}</ListBucketResult>"
    )


def _grouped(keys: Iterable[str], prefix: str, delimiter: str) -> list[str]:
    """Return keys, those with `delimiter` after `prefix` cut behind it, each name once, in order."""
    found: dict[str, None] = {}
    for key in keys:
        head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        found[prefix + head + cut if cut else key] = None
    return list(found)


def _list_row(stored: StoredObject | None, name: str, spelled: Callable[[str], str]) -> str:
    if stored is None:
        return f"<CommonPrefixes><Prefix>{spelled(name)}</Prefix></CommonPrefixes>"
    return (
        f"<Contents><Key>{spelled(name)}</Key><LastModified>{_DATE}</LastModified>"
        f"<ETag>{escape(stored.etag)}</ETag><Size>{len(stored.data)}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )
