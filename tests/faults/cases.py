"""The table: what goes wrong, and what our reader is to make of it.

Every read of every case ends, within its bound, with the right data or with the one error named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aios3_nb import errors
from tests.faults.fault import Fault, Kind

ALWAYS = None
"""For ``times``: not once, but every time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the faults of a table are measured by.

    Attributes:
        size: Bytes of the object.
        other: What the object is overwritten with, of the same size.
        sink: Endpoint of another host, which must never be contacted.
        pause: Seconds that a stall or a silence lasts; longer than any reader is to wait.
        drip: Seconds between two bytes of a drip; shorter than any read timeout.
    """

    size: int
    other: bytes
    sink: str = "http://127.0.0.1:1"
    pause: float = 30.0
    drip: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row.

    Attributes:
        faults: What goes wrong, in the order in which it is applied.
        outcome: The error that our reader ends with; None means the right data.
        or_data: The right data is as good as `outcome`: it depends on where the reader asks for what.
        compared: A row of the comparison with other readers, too.
        checksum: Algorithm of the checksum stored with the object, as S3 does with all new ones; None for none.
        etag: ETag of the object; None for the MD5 of its bytes.
        version_id: Version of the object; None where the bucket keeps none.
        headers: Sent with the object.
        parts: How many the object was uploaded in; 0 for one piece.
        composite: The stored checksum is that of the parts' checksums.
        whole: Only reading the whole object can notice.
        warns: Our reader warns.
    """

    faults: tuple[Fault, ...]
    outcome: type[errors.S3Error] | None = None
    or_data: bool = False
    compared: bool = False
    checksum: str | None = "crc32"
    etag: str | None = None
    version_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: int = 0
    composite: bool = False
    whole: bool = False
    warns: bool = False

    @property
    def in_any_order(self) -> bool:
        """Whether its checksum can be told whatever order the bytes come in."""
        return (self.checksum or "").startswith("crc")


def table(scene: Scene) -> dict[str, Case]:
    """Return all rows by their name."""
    return _breaks(scene) | _refusals(scene) | _wrong_ranges(scene) | _changes(scene) | _flips(scene)


def _row(*faults: Fault, **options: object) -> Case:
    return Case(faults=faults, **options)  # type: ignore[arg-type]


def _breaks(scene: Scene) -> dict[str, Case]:
    """Answers that never come, and bodies that end, stop or crawl."""
    middle = scene.size // 2
    wait = {"seconds": scene.pause}
    drip = {"seconds": scene.drip}
    gone, silent = errors.DownloadError, errors.StalledError
    return {
        "reset mid-body, once": _row(Fault(kind=Kind.RESET), compared=True),
        "reset mid-body, at one byte, always": _row(
            Fault(kind=Kind.RESET, at=middle, times=ALWAYS), outcome=gone, compared=True
        ),
        "reset mid-body, every answer": _row(Fault(kind=Kind.RESET, times=ALWAYS), outcome=gone, or_data=True),
        "early close, once": _row(Fault(kind=Kind.CLOSE), compared=True),
        "early close, at one byte, always": _row(
            Fault(kind=Kind.CLOSE, at=middle, times=ALWAYS), outcome=gone, compared=True
        ),
        "early close, every answer": _row(Fault(kind=Kind.CLOSE, times=ALWAYS), outcome=gone, or_data=True),
        "short body, no Content-Length": _row(Fault(kind=Kind.NO_LENGTH, times=ALWAYS), outcome=gone, compared=True),
        "short body, no Content-Length, once": _row(Fault(kind=Kind.NO_LENGTH, at=middle)),
        "stall, once": _row(Fault(kind=Kind.STALL, at=middle, **wait), compared=True),
        "stall, always": _row(Fault(kind=Kind.STALL, at=middle, times=ALWAYS, **wait), outcome=silent, compared=True),
        "drip, once": _row(Fault(kind=Kind.DRIP, at=middle, **drip)),
        "drip, always": _row(
            Fault(kind=Kind.DRIP, at=middle, times=ALWAYS, **drip), outcome=silent, or_data=True, compared=True
        ),
        "no response, once": _row(Fault(kind=Kind.SILENT, **wait), compared=True),
        "no response, always": _row(Fault(kind=Kind.SILENT, times=ALWAYS, **wait), outcome=silent),
        "reset before the head, once": _row(Fault(kind=Kind.RESET_EARLY), compared=True),
        "reset before the head, always": _row(Fault(kind=Kind.RESET_EARLY, times=ALWAYS), outcome=gone),
    }


def _refusals(scene: Scene) -> dict[str, Case]:
    """Answers with another status than the one hoped for."""
    status = Kind.STATUS
    expired = {"status": 403, "code": "ExpiredToken"}
    skewed = {"status": 403, "code": "RequestTimeTooSkewed"}
    moved = {"status": 301, "code": "PermanentRedirect", "method": ""}
    away = {"status": 307, "location": scene.sink}
    return {
        "503 SlowDown, twice": _row(Fault(kind=status, times=2), compared=True),
        "503 SlowDown, always": _row(Fault(kind=status, times=ALWAYS), outcome=errors.DownloadError, compared=True),
        "500, twice": _row(Fault(kind=status, times=2, status=500, code="InternalError"), compared=True),
        "429, once": _row(Fault(kind=status, status=429, code="TooManyRequests")),
        "400 RequestTimeout, once": _row(Fault(kind=status, status=400, code="RequestTimeout")),
        "403 RequestTimeTooSkewed, once": _row(Fault(kind=status, **skewed)),
        "403 ExpiredToken on the 3rd GET": _row(
            Fault(kind=status, first=3, times=ALWAYS, **expired), outcome=errors.CredentialsError, compared=True
        ),
        "403 AccessDenied": _row(
            Fault(kind=status, status=403, code="AccessDenied", times=ALWAYS), outcome=errors.AccessDeniedError
        ),
        "404 NoSuchKey": _row(
            Fault(kind=status, status=404, code="NoSuchKey", times=ALWAYS), outcome=errors.ObjectNotFoundError
        ),
        "403 InvalidObjectState": _row(
            Fault(kind=status, status=403, code="InvalidObjectState", times=ALWAYS), outcome=errors.ServiceError
        ),
        "301 wrong region": _row(
            Fault(kind=status, times=ALWAYS, **moved), outcome=errors.EndpointError, compared=True
        ),
        "307 to another host": _row(
            Fault(kind=Kind.REDIRECT, times=ALWAYS, **away), outcome=errors.RedirectError, compared=True
        ),
    }


def _wrong_ranges(scene: Scene) -> dict[str, Case]:
    """Parts that are not the parts asked for."""
    unfit = errors.ProtocolError
    return {
        "Range ignored": _row(Fault(kind=Kind.RANGE_IGNORED, times=ALWAYS), compared=True),
        "Range ignored from the 3rd GET": _row(Fault(kind=Kind.RANGE_IGNORED, first=3, times=ALWAYS), compared=True),
        "206 starts later than asked": _row(Fault(kind=Kind.SHIFTED, times=ALWAYS), outcome=unfit, compared=True),
        "206 starts later than asked, once": _row(Fault(kind=Kind.SHIFTED)),
        "206 shorter than asked": _row(Fault(kind=Kind.SHORT, times=ALWAYS), compared=True),
        "lying Content-Range": _row(Fault(kind=Kind.LYING, times=ALWAYS), outcome=unfit, compared=True),
        "no Content-Range": _row(Fault(kind=Kind.NO_CONTENT_RANGE, times=ALWAYS), outcome=unfit, compared=True),
        "Content-Encoding on the fly": _row(Fault(kind=Kind.GZIP, times=ALWAYS), outcome=unfit),
        "206 with bytes from elsewhere": _row(
            Fault(kind=Kind.OTHER_BYTES, times=ALWAYS),
            outcome=errors.ChecksumError,
            whole=True,
        ),
    }


def _changes(scene: Scene) -> dict[str, Case]:
    """Objects that are not what they were, and stores that cannot tell."""
    same = Fault(kind=Kind.REPLACE, first=3, data=scene.other)
    smaller = Fault(kind=Kind.REPLACE, first=3, data=scene.other[: scene.size // 3])
    deaf = Fault(kind=Kind.IGNORE_IF_MATCH, times=ALWAYS)
    refusing = Fault(kind=Kind.NO_IF_MATCH, status=501, code="NotImplemented", times=ALWAYS)
    changed = errors.ObjectChangedError
    return {
        "overwritten, same size": _row(same, outcome=changed, compared=True),
        "overwritten, smaller": _row(smaller, outcome=changed, compared=True),
        "reset, then overwritten": _row(
            Fault(kind=Kind.RESET),
            Fault(kind=Kind.REPLACE, first=2, data=scene.other),
            outcome=changed,
            compared=True,
        ),
        "deleted midway": _row(Fault(kind=Kind.DELETE, first=3), outcome=changed, compared=True),
        "overwritten, versions kept": _row(same, outcome=changed, version_id="v1"),
        "overwritten, If-Match ignored": _row(deaf, same, outcome=changed),
        "If-Match refused": _row(refusing),
        "overwritten, If-Match refused": _row(refusing, same, outcome=changed),
        "no ETag": _row(Fault(kind=Kind.NO_ETAG, method="", times=ALWAYS), warns=True),
    }


def _flips(scene: Scene) -> dict[str, Case]:
    """One wrong bit, on the way or on the server's disk; the object's checksum is that of the right bytes."""
    flip = Fault(kind=Kind.FLIP, at=scene.size // 2, times=ALWAYS)
    wrong = {"outcome": errors.ChecksumError, "whole": True}
    other = '"0123456789abcdef0123456789abcdef"'
    multipart = '"0123456789abcdef0123456789abcdef-3"'
    known = {"Server": "SeaweedFS 4.48"}
    return {
        "1 bit flipped, CRC32 stored": _row(flip, etag=multipart, compared=True, **wrong),
        "1 bit flipped, no checksum but the ETag": _row(flip, checksum=None, headers=known, compared=True, **wrong),
        "an ETag that is no MD5": _row(checksum=None, etag=other),
        "an ETag of parts that is no MD5": _row(checksum=None, etag=multipart, parts=3),
        "1 bit flipped, CRC32C stored": _row(flip, checksum="crc32c", etag=multipart, **wrong),
        "1 bit flipped, CRC64NVME stored": _row(flip, checksum="crc64nvme", etag=multipart, **wrong),
        "1 bit flipped, SHA1 stored": _row(flip, checksum="sha1", etag=multipart, **wrong),
        "1 bit flipped, SHA256 stored": _row(flip, checksum="sha256", etag=multipart, **wrong),
        **{
            f"1 bit flipped, {name.upper()} of 5 parts": _row(flip, checksum=name, composite=True, parts=5, **wrong)
            for name in ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
        },
    }


def cut(size: int, parts: int) -> tuple[int, ...]:
    """Return the lengths of so many parts of an object, all but the last one of the same; none for no parts."""
    if not parts:
        return ()
    length = -(-size // parts)
    return (*(length,) * (parts - 1), size - length * (parts - 1))


def stored_as(case: Case, size: int) -> dict[str, Any]:
    """Return how the object of `case` is stored, as `FaultServer.put` takes it."""
    return {
        "checksum": case.checksum,
        "checksum_type": "COMPOSITE" if case.composite else "FULL_OBJECT",
        "etag": case.etag,
        "version_id": case.version_id,
        "headers": case.headers,
        "parts": cut(size, case.parts),
    }
