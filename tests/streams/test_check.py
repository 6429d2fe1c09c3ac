"""What objects are checked with: every kind of checksum, on real multipart objects and on a server that misbehaves."""

from __future__ import annotations

import asyncio
import random
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

import aios3_nb
from aios3_nb import settings
from aios3_nb.address import S3Uri
from aios3_nb.errors import ChecksumError, NotVerifiedError
from aios3_nb.streams import bulk
from aios3_nb.streams.check import Check
from aios3_nb.streams.checksum import Checksum
from aios3_nb.streams.object import Monitor, ObjectInfo
from aios3_nb.streams.source import ObjectSource
from tests.faults.fault import Fault, Kind
from tests.faults.server import FaultServer

MIB = 1024 * 1024
DATA = random.Random(11).randbytes(3 * MIB + 1234)
THIRDS = (MIB + 500, MIB + 500, MIB + 234)
UNEQUAL = (MIB + 500, MIB + 100, MIB + 634)
"""Their number and the first of them look like parts of one length."""
PLAINLY_UNEQUAL = (MIB, 100, 2 * MIB + 1134)
ALGORITHMS = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"]
KNOWN = {"Server": "SeaweedFS 4.48"}


@pytest.fixture
def put(faulty: FaultServer) -> Callable[..., None]:
    """Stores DATA as k, in parts."""

    def put(parts: tuple[int, ...] = THIRDS, algorithm: str | None = None, **options: Any) -> None:
        kind = "COMPOSITE" if algorithm else "FULL_OBJECT"
        faulty.put("b", "k", DATA, parts=parts, checksum=algorithm, checksum_type=kind, **options)

    return put


@pytest.fixture
def opened(faulty: FaultServer) -> Callable[..., aios3_nb.S3File]:
    return lambda **options: aios3_nb.open("s3://b/k", **options)


def verdict(file: aios3_nb.S3File) -> str:
    """Read all of it, as a lazy reader does, and return what is said at the end."""
    with file:
        assert file.read() == DATA
        return file.finish()


def asked(faulty: FaultServer) -> list[str]:
    """Return what the requests without bytes asked for."""
    return [
        "part" if "partNumber" in request.query else "attributes" if "attributes" in request.query else "head"
        for request in faulty.requests
        if request.method == "HEAD" or "attributes" in request.query
    ]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_checksums_of_parts_are_checked(put, opened, faulty, algorithm) -> None:
    put(algorithm=algorithm)
    assert verdict(opened()) == f"{algorithm.upper()} of 3 parts ok"
    assert asked(faulty) == ["head", "part"]


@pytest.mark.parametrize("flip", [0, 2 * MIB, len(DATA) - 1], ids=["first part", "middle part", "last part"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_bit_that_is_wrong_in_any_part_is_found(put, opened, faulty, algorithm, flip) -> None:
    put(algorithm=algorithm)
    faulty.fault(Kind.FLIP, at=flip, times=None)
    with opened() as file:
        with pytest.raises(ChecksumError, match=f"{algorithm.upper()} of 3 parts is"):
            file.read()
        file.seek(0)
        with pytest.raises(ChecksumError, match=f"{algorithm.upper()} of 3 parts is"):  # as wrong as before
            file.read()
        with pytest.raises(ChecksumError, match=f"{algorithm.upper()} of 3 parts is"):
            file.finish()


def test_the_md5s_of_parts_are_checked(put, opened, faulty) -> None:
    put()
    assert verdict(opened()) == "MD5 of 3 parts ok"


@pytest.mark.parametrize("flip", [0, 2 * MIB, len(DATA) - 1], ids=["first part", "middle part", "last part"])
def test_a_wrong_bit_under_md5s_of_parts_is_no_damage_and_never_ok_where_they_may_be_others(
    put, opened, faulty, flip
) -> None:
    """Parts that SeaweedFS copied have ETags that are no MD5s: they prove damage at AWS alone (`etag_of`)."""
    put(headers={"Server": "SeaweedFS 4.48"})
    faulty.fault(Kind.FLIP, at=flip, times=None)
    with opened() as file:
        assert file.read() != DATA
        assert file.finish() == "not checked (the ETag is no MD5)"
    with opened(verify="require") as file, pytest.raises(NotVerifiedError, match="the ETag is no MD5"):
        file.read()


def test_one_small_request_beside_a_whole_read(put, faulty) -> None:
    put(algorithm="crc32c")
    assert aios3_nb.load("s3://b/k", format="bytes", verify="require") == DATA
    assert asked(faulty) == ["part"]


def test_an_object_in_one_part_needs_no_request(put, faulty) -> None:
    put(parts=(len(DATA),), algorithm="sha256")
    assert aios3_nb.load("s3://b/k", format="bytes", verify="require") == DATA
    assert asked(faulty) == []


def test_no_request_for_a_small_object_in_one_part(faulty, opened) -> None:
    small = DATA[:1000]
    faulty.put("b", "k", small, parts=(1000,), checksum="crc32", checksum_type="COMPOSITE")
    with opened() as file:
        assert file.read() == small
        assert file.finish() == "MD5 of 1 part ok"
    assert aios3_nb.load("s3://b/k", format="bytes", verify="require") == small
    assert asked(faulty) == []


def test_it_is_asked_beside_the_second_part(put, opened, faulty) -> None:
    """The answer to the HEAD does not come; all the same, the next bytes are asked for."""
    put(algorithm="crc32")
    faulty.fault(Kind.DELAY, method="HEAD", seconds=60, times=None)

    async def main() -> None:
        async with opened() as file:
            reading = asyncio.create_task(file.aread())
            end = time.monotonic() + 30
            while "head" not in asked(faulty) or len(faulty.gets()) < 2:
                assert time.monotonic() < end
                assert not reading.done()
                await asyncio.sleep(0.005)
            reading.cancel()
            await asyncio.wait([reading])

    asyncio.run(main())


NO_MD5 = "0f" * 16


@pytest.mark.parametrize("etag", [f'"{NO_MD5}-3"', f'"{NO_MD5}"'])
def test_good_bytes_with_an_etag_that_is_anything_are_not_called_damaged(put, opened, faulty, etag) -> None:
    put(THIRDS if "-" in etag else (), etag=etag)
    assert verdict(opened()) == "not checked (the ETag is no MD5)"
    with pytest.raises(NotVerifiedError, match="the ETag is no MD5"):
        verdict(opened(verify="require"))
    options = {"format": "bytes"}
    assert aios3_nb.load("s3://b/k", **options) == DATA
    with pytest.raises(NotVerifiedError, match="the ETag is no MD5"):
        aios3_nb.load("s3://b/k", verify="require", **options)
    lines = b'{"a": "' + DATA.hex().encode()[:1000] + b'"}\n'
    faulty.put("b", "k.jsonl", lines * 400, etag=etag, parts=(200_000, 200_000, len(lines) * 400 - 400_000))
    assert len(list(aios3_nb.iterate("s3://b/k.jsonl"))) == 400
    with pytest.raises(NotVerifiedError, match="the ETag is no MD5"):
        list(aios3_nb.iterate("s3://b/k.jsonl", verify="require"))


@pytest.mark.parametrize(
    ("stored", "step"),
    [
        ({"etag": f'"{NO_MD5}-3"', "parts": THIRDS}, 50_000),
        ({"etag": f'"{NO_MD5}"'}, 50_000),
        ({"data": DATA[:9000], "etag": f'"{NO_MD5}"'}, 4000),
    ],
    ids=["in parts", "in one", "small"],
)
@pytest.mark.parametrize("into", [False, True])
def test_who_insists_does_not_get_the_last_bytes_of_what_an_etag_alone_disagrees_with(
    opened, faulty, stored, step, into
) -> None:
    data = stored.get("data", DATA)
    faulty.put("b", "k", **{"data": data, **stored})
    got = bytearray()

    def read(file: aios3_nb.S3File) -> bytes:
        buffer = bytearray(step)
        return bytes(buffer[: file.readinto(buffer)]) if into else file.read(step)

    with opened(verify="require") as file:
        with pytest.raises(NotVerifiedError, match=r"s3://b/k: .*the ETag is no MD5"):
            got.extend(byte for piece in iter(lambda: read(file), b"") for byte in piece)
        assert len(got) < len(data)
        assert got == data[: len(got)]
        for _ in range(2):  # nor when it is asked for again
            with pytest.raises(NotVerifiedError, match="the ETag is no MD5"):
                file.read()
        with pytest.raises(NotVerifiedError, match="the ETag is no MD5"):
            file.finish()


def test_who_insists_learns_at_once_that_it_cannot_be_checked_any_more() -> None:
    chosen = settings.current(verify="require")
    info = ObjectInfo(S3Uri("b", "k"), len(DATA), checksum=Checksum("CRC32", bytes(4)))

    async def main() -> None:
        check = Check(ObjectSource(info.uri, chosen, Monitor(), info), chosen)
        check.begin(info)
        for count in range(1010):
            await check.hash(2 * count, memoryview(DATA)[:1], 0.0, lent=False)
            with pytest.raises(NotVerifiedError, match="more than a thousand") if count > 999 else nullcontext():
                await check.judge(2 * count + 1)

    asyncio.run(main())


@pytest.mark.parametrize("is_right", [True, False])
def test_bytes_that_are_copied_are_hashed_meanwhile_and_judged_behind_the_last(is_right: bool) -> None:
    chosen = settings.current(verify="require")
    value = (zlib.crc32(DATA) ^ (not is_right)).to_bytes(4, "big")
    info = ObjectInfo(S3Uri("b", "k"), len(DATA), checksum=Checksum("CRC32", value))

    async def main() -> None:
        check = Check(ObjectSource(info.uri, chosen, Monitor(), info), chosen)
        check.begin(info)
        copied = bytearray(DATA)
        (job,) = await check.hash(0, memoryview(copied)[: 2 * MIB], 0.0, lent=False, beside=True)
        assert not job.done()
        await check.judge(2 * MIB)
        await job
        copied[: 2 * MIB] = bytes(2 * MIB)  # as it may from now on
        await check.hash(2 * MIB, memoryview(copied)[2 * MIB :], 0.0, lent=False, beside=True)
        with nullcontext() if is_right else pytest.raises(ChecksumError):
            await check.judge(len(DATA))

    asyncio.run(main())


@pytest.mark.parametrize("is_right", [True, False])
def test_what_is_shown_behind_bytes_that_are_copied_does_not_wait_until_those_are_hashed(is_right: bool) -> None:
    """An unpickler is shown 128 KiB behind each array of 8 MiB: to wait there took 2 to 3 ms of the 9 for each."""
    chosen = settings.current(verify="require")
    value = (zlib.crc32(DATA) ^ (not is_right)).to_bytes(4, "big")
    info = ObjectInfo(S3Uri("b", "k"), len(DATA), checksum=Checksum("CRC32", value))
    held = threading.Event()

    async def main() -> None:
        check = Check(ObjectSource(info.uri, chosen, Monitor(), info), chosen)
        check.begin(info)
        busy = [bulk._threads().submit(held.wait) for _ in range(bulk.THREADS)]
        try:
            jobs = await check.hash(0, memoryview(DATA)[: 2 * MIB], 0.0, lent=False, beside=True)
            shown = asyncio.create_task(check.hash(2 * MIB, memoryview(DATA)[2 * MIB : -1000], 0.0, lent=False))
            done, _ = await asyncio.wait([shown], timeout=10)
            assert not any(job.done() for job in jobs)
        finally:
            held.set()
        assert done
        jobs += await shown
        await check.hash(len(DATA) - 1000, memoryview(DATA)[-1000:], 0.0, lent=False)
        assert all(each.done() for each in (*jobs, *busy))
        with nullcontext() if is_right else pytest.raises(ChecksumError):
            await check.judge(len(DATA))

    asyncio.run(main())


def test_a_small_object_whose_etag_is_no_md5_is_checked_with_what_a_head_says(faulty) -> None:
    faulty.put("b", "small", b"abc" * 100, etag=f'"{"0f" * 16}"', checksum="crc32")
    with aios3_nb.open("s3://b/small") as file:
        assert file.read() == b"abc" * 100
        assert file.finish() == "CRC32 ok"
    assert asked(faulty) == ["head"]
    faulty.fault(Kind.FLIP, at=5, times=None)
    with aios3_nb.open("s3://b/small") as file, pytest.raises(ChecksumError, match="CRC32"):
        file.read()


def test_unequal_parts_are_checked_where_the_store_lists_them(put, opened, faulty) -> None:
    put(PLAINLY_UNEQUAL, "crc32", lists_parts=True)
    assert verdict(opened()) == "CRC32 of 3 parts ok"
    assert asked(faulty) == ["head", "part", "attributes"]


def test_unequal_parts_that_nobody_lists_are_no_damage(put, opened) -> None:
    put(PLAINLY_UNEQUAL, "crc32")
    assert verdict(opened()) == "not checked (its parts differ in length)"


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": Kind.STATUS, "status": 403, "code": "AccessDenied"},
        {"kind": Kind.STATUS, "status": 501, "code": "NotImplemented"},
        {"kind": Kind.STATUS, "status": 400, "code": "InvalidArgument"},
        {"kind": Kind.ANSWER, "status": 200, "data": b"<html><title>Log in</title>"},
        {"kind": Kind.ANSWER, "status": 200, "data": b""},
        {"kind": Kind.RESET_EARLY},
    ],
    ids=["denied", "not known", "not understood", "a page", "nothing", "a connection that breaks"],
)
def test_a_store_that_refuses_to_list_the_parts_costs_the_user_nothing(put, opened, faulty, answer) -> None:
    put(PLAINLY_UNEQUAL, "crc32", lists_parts=True)
    faulty.fault(Fault(query="attributes", times=None, **answer))
    assert verdict(opened()) == "not checked (its parts differ in length)"
    assert "attributes" in asked(faulty)


@pytest.mark.parametrize("algorithm", ["crc64nvme", None])
@pytest.mark.parametrize("count", [1, 2, 1_000, 10_000])
def test_any_number_of_parts_costs_as_little(opened, faulty, count, algorithm) -> None:
    length = len(DATA) // count
    data = DATA[: length * count - length // 3]
    parts = (*[length] * (count - 1), len(data) - length * (count - 1))
    kind = "COMPOSITE" if algorithm else "FULL_OBJECT"
    faulty.put("b", "k", data, parts=parts, checksum=algorithm, checksum_type=kind)
    with opened(verify="require") as file:
        assert file.read() == data
        words = f"{count:,} part{'s' if count > 1 else ''} ok"
        assert file.finish() == f"{algorithm.upper() if algorithm else 'MD5'} of {words}"
    assert asked(faulty) == (["head"] if count == 1 else ["head", "part"])


def test_ten_thousand_parts_are_listed_page_by_page(opened, faulty) -> None:
    parts = (*(300 + number % 3 for number in range(9_999)), len(DATA) - 301 * 9_999)
    faulty.put("b", "k", DATA, parts=parts, checksum="crc32", checksum_type="COMPOSITE", lists_parts=True)
    assert verdict(opened()) == "CRC32 of 10,000 parts ok"
    assert asked(faulty) == ["head", "part", *["attributes"] * 10]


@pytest.mark.parametrize("lists_parts", [True, False])
def test_unequal_parts_that_look_equal_are_no_damage(put, opened, lists_parts) -> None:
    put(UNEQUAL, "crc32", lists_parts=lists_parts)
    assert verdict(opened()) == "not checked (its parts differ in length)"


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (501, "NotImplemented"), (503, "SlowDown")])
def test_a_store_that_does_not_tell_of_its_parts(put, faulty, status, code) -> None:
    put(algorithm="crc32")
    faulty.fault(Kind.STATUS, method="HEAD", status=status, code=code, times=None)
    assert aios3_nb.load("s3://b/k", format="bytes") == DATA
    with pytest.raises(NotVerifiedError, match="does not say how it was cut into parts"):
        aios3_nb.load("s3://b/k", format="bytes", verify="require")


def test_damage_is_not_told_of_parts_that_nobody_vouches_for(put, opened, faulty) -> None:
    """The first part says they are of one length; then nothing more is answered, and the bytes differ."""
    put(algorithm="crc32")
    faulty.fault(Fault(kind=Kind.STATUS, method="HEAD", first=3, times=None, status=403, code="AccessDenied"))
    faulty.fault(Kind.FLIP, at=100, times=None)
    with opened() as file:
        assert file.read() != DATA
        assert file.finish() == "not checked (the store does not say how it was cut into parts)"


def test_a_head_that_is_denied_leaves_the_etag(put, opened, faulty) -> None:
    faulty.put("b", "k", DATA)
    faulty.fault(Kind.STATUS, method="HEAD", status=403, code="AccessDenied", times=None)
    assert verdict(opened()) == "MD5 ok"


def test_an_object_that_is_replaced_while_its_parts_are_asked_for(put, opened, faulty) -> None:
    put(algorithm="crc32")
    faulty.fault(Fault(kind=Kind.REPLACE, method="HEAD", first=2, data=DATA[::-1]))
    with pytest.raises(aios3_nb.ObjectChangedError):
        verdict(opened())


def test_a_kms_object_has_no_md5(put, opened) -> None:
    put(headers={"x-amz-server-side-encryption": "aws:kms"})
    assert verdict(opened()) == "not checked (no checksum)"


@pytest.mark.parametrize("verify", ["auto", "require"])
def test_the_read_that_completes_the_cover_finds_the_damage(put, opened, faulty, verify) -> None:
    put(algorithm="crc32", headers=KNOWN)
    faulty.fault(Kind.FLIP, at=3 * MIB, times=None)
    with opened(verify=verify) as file:
        file.seek(2 * MIB)
        file.read()
        file.seek(MIB)
        file.read(MIB)
        file.seek(0)
        with pytest.raises(ChecksumError):
            file.read(MIB)
        with pytest.raises(ChecksumError):
            file.finish()


def test_damaged_bytes_that_are_still_here_are_not_handed_over_the_second_time(put, opened, faulty) -> None:
    put(algorithm="crc32")
    faulty.fault(Kind.FLIP, at=len(DATA) - 5, times=None)
    with opened() as file:
        with pytest.raises(ChecksumError):
            list(iter(lambda: file.read(20_000), b""))
        for _ in range(2):
            with pytest.raises(ChecksumError):
                file.read(20_000)


READS = st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(1, 2 * MIB)), min_size=1, max_size=4)


@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    stored=st.sampled_from([{"checksum": "crc32"}, {"checksum": "crc32c", "checksum_type": "COMPOSITE"}]),
    reads=READS,
    rest=st.booleans(),
    flip=st.one_of(st.none(), st.integers(1000, len(DATA) - 1)),  # not what lists the parts
)
def test_whatever_order_a_file_is_read_in_no_wrong_bit_passes(opened, faulty, stored, reads, rest, flip) -> None:
    """The model: which bytes the reader has. Who has all of them has the right ones, or an error."""
    faulty.reset()
    faulty.put("b", "k", DATA, parts=THIRDS, **stored)
    if flip is not None:
        faulty.fault(Kind.FLIP, at=flip, times=None)
    # First all of what was drawn, then, perhaps, what is missing, from behind.
    rests = [(start, MIB) for start in range(3 * MIB, -1, -MIB)] if rest else []
    seen = bytearray(len(DATA))
    with opened(part_size=MIB) as file:
        try:
            for start, length in [*reads, *rests]:
                file.seek(start)
                data = file.read(length)
                right = DATA[start : start + length]
                assert (data == right) is (flip is None or not start <= flip < start + length)
                seen[start : start + length] = b"\1" * len(data)
            words = file.finish()
        except ChecksumError:
            assert flip is not None
        else:
            # `finish` reads the rest, where that is all that is missing.
            assert words.endswith(" ok") if flip is None and all(seen) else True
            assert not (flip is not None and (all(seen) or words.endswith(" ok")))


def test_what_is_missing_is_said_or_read_by_who_insists(faulty, opened) -> None:
    faulty.put("b", "k", DATA, checksum="crc32c")
    with opened() as file:
        file.seek(MIB)
        file.read(MIB)
        assert file.finish().endswith("of it not read)")
    with opened(verify="require") as file:
        file.seek(MIB)
        file.read(MIB)
        assert file.finish() == "CRC32C ok"


# ---- real multipart objects

REAL = random.Random(12).randbytes(12 * MIB + 77)


def upload(s3: Any, bucket: str, algorithm: str | None, kind: str | None, lengths: tuple[int, ...]) -> None:
    """Store REAL as `k`, in parts of those lengths."""
    named = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    target = {"Bucket": bucket, "Key": "k"}
    typed = {"ChecksumType": kind} if kind else {}
    upload = {**target, "UploadId": s3.create_multipart_upload(**target, **named, **typed)["UploadId"]}
    parts, start = [], 0
    for number, length in enumerate(lengths, 1):
        answer = s3.upload_part(**upload, PartNumber=number, Body=REAL[start : start + length], **named)
        checksums = {k: v for k, v in answer.items() if k.startswith("Checksum") and k != "ChecksumType"}
        parts.append({"PartNumber": number, "ETag": answer["ETag"], **(checksums if algorithm else {})})
        start += length
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


@pytest.mark.parametrize("copied", [(1, 2, 3), (2,), (1,)])
def test_parts_that_the_store_copied_are_no_damage(s3, bucket, copied) -> None:
    """SeaweedFS makes the ETag from something that is no MD5 of such parts; nothing in its answers says so."""
    s3.put_object(Bucket=bucket, Key="from", Body=REAL)
    target = {"Bucket": bucket, "Key": "k"}
    upload = {**target, "UploadId": s3.create_multipart_upload(**target)["UploadId"]}
    parts, start = [], 0
    for number, length in enumerate(EQUAL, 1):
        part, span = {**upload, "PartNumber": number}, f"bytes={start}-{start + length - 1}"
        if number in copied:
            source = {"CopySource": f"{bucket}/from", "CopySourceRange": span}
            etag = s3.upload_part_copy(**part, **source)["CopyPartResult"]["ETag"]
        else:
            etag = s3.upload_part(**part, Body=REAL[start : start + length])["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
        start += length
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    s3.copy_object(**{**target, "Key": "again"}, CopySource=f"{bucket}/k")
    for key in ("k", "again"):
        with aios3_nb.open(f"s3://{bucket}/{key}") as file:
            assert file.read() == REAL
            assert file.finish() == "not checked (the ETag is no MD5)"


EQUAL = (5 * MIB, 5 * MIB, 2 * MIB + 77)


@pytest.mark.parametrize(
    ("algorithm", "kind", "words"),
    [
        (None, None, "MD5 of 3 parts ok"),
        ("CRC32", None, "CRC32 of 3 parts ok"),
        ("CRC32C", None, "CRC32C of 3 parts ok"),
        ("SHA1", None, "SHA1 of 3 parts ok"),
        ("SHA256", None, "SHA256 of 3 parts ok"),
        ("CRC32", "FULL_OBJECT", "CRC32 ok"),
        ("CRC64NVME", None, "CRC64NVME ok"),
    ],
)
def test_multipart_objects_of_a_real_store(s3, bucket, algorithm, kind, words) -> None:
    upload(s3, bucket, algorithm, kind, EQUAL)
    with aios3_nb.open(f"s3://{bucket}/k", verify="require") as file:
        assert file.read() == REAL
        assert file.finish() == words


@pytest.mark.parametrize("algorithm", ["CRC32C", None])
def test_an_object_of_a_real_store_in_one_part(s3, bucket, algorithm) -> None:
    upload(s3, bucket, algorithm, None, (len(REAL),))
    with aios3_nb.open(f"s3://{bucket}/k", verify="require") as file:
        assert file.read() == REAL
        assert file.finish() == f"{algorithm or 'MD5'} of 1 part ok"


@pytest.mark.parametrize("lengths", [(6 * MIB, 5 * MIB, MIB + 77), (5 * MIB, 7 * MIB, 77)])
def test_unequal_parts_of_a_real_store_are_no_damage(s3, bucket, lengths) -> None:
    upload(s3, bucket, "CRC32", None, lengths)
    with aios3_nb.open(f"s3://{bucket}/k") as file:
        assert file.read() == REAL
        assert file.finish() in ("CRC32 of 3 parts ok", "not checked (its parts differ in length)")
