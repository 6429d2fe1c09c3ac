"""The verifier: right bytes are right and wrong ones are wrong, in whatever order and however often they come."""

from __future__ import annotations

import base64
import random
from itertools import accumulate

import pytest
from hypothesis import given, settings, strategies as st

from aios3_nb.streams.checksum import Checksum, algorithm, checksum_of, etag_of
from aios3_nb.streams.verify import Verifier
from tests.faults.store import checksum_of as whole_of, composite_of, etag_of as etag_for

CRCS = ["crc32", "crc32c", "crc64nvme"]
HASHES = ["sha1", "sha256", "md5"]
DATA = random.Random(3).randbytes(4000)
KMS = {"ServerSideEncryption": "aws:kms"}


def checksum(name: str, parts: tuple[int, ...] = ()) -> Checksum:
    """Return the checksum of DATA, or that of the checksums of its parts."""
    text = composite_of(name, DATA, parts)[1] if parts else whole_of(name, DATA)[1]
    return Checksum(name.upper(), base64.b64decode(text.partition("-")[0]), len(parts), parts)


def fed(verifier: Verifier, start: int, stop: int, *, wrong: int = -1) -> bool:
    """Feed bytes of DATA, that at `wrong` with a flipped bit; return whether damage is told."""
    data = bytearray(DATA[start:stop])
    if start <= wrong < stop:
        data[wrong - start] ^= 4
    verifier.feed(start, memoryview(data))
    return verifier.judge()


@given(name=st.sampled_from(CRCS), pieces=st.lists(st.binary(max_size=300), max_size=6))
def test_the_crcs_of_pieces_join_to_that_of_the_whole(name: str, pieces: list[bytes]) -> None:
    crc = algorithm(name.upper())
    joined = crc.function(b"", 0)
    for piece in pieces:
        joined = crc.joined(joined, crc.function(piece, 0), len(piece))
    assert joined == crc.function(b"".join(pieces), 0)


def test_joining_agrees_with_amazons_own_library_for_long_pieces() -> None:
    from awscrt import checksums

    for name in CRCS:
        crc = algorithm(name.upper())
        combine = getattr(checksums, f"combine_{name}", None)
        if combine is None:  # of an older version
            pytest.skip("this awscrt cannot join")
        for length in (1, 8 << 20, (5 << 40) + 3):
            assert crc.joined(12345, 67890, length) == combine(12345, 67890, length)


PARTS = st.lists(st.integers(1, 1500), min_size=1, max_size=12).map(
    lambda lengths: tuple(
        stop - start
        for start, stop in zip(
            [0, *accumulate(lengths)], [*(s for s in accumulate(lengths) if s < len(DATA)), len(DATA)], strict=False
        )
        if start < len(DATA)
    )
)
READS = st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(1, len(DATA))), max_size=25)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(CRCS), parts=st.one_of(st.just(()), PARTS), reads=READS, wrong=st.integers(-1, len(DATA) - 1)
)
def test_any_order_of_reading_is_judged_when_all_was_read(name, parts, reads, wrong) -> None:
    """The model: a set of the bytes that were read; damage is told when it first has all of them, and not before."""
    verifier = Verifier(len(DATA), checksum(name, parts))
    seen: set[int] = set()
    for start, length in reads:
        complete = len(seen) == len(DATA)
        told = fed(verifier, start, start + length, wrong=wrong)
        seen |= set(range(start, min(start + length, len(DATA))))
        if len(seen) < len(DATA):
            assert not told
        elif not complete:
            assert told is (wrong >= 0)
    missing = {n for start, stop in verifier.missing() for n in range(start, stop)}
    assert missing == set(range(len(DATA))) - seen
    if not verifier.damage:
        assert verifier.verdict().endswith(" ok") is (not missing)
    for start, stop in verifier.missing():
        fed(verifier, start, stop, wrong=wrong)
    assert bool(verifier.damage) is (wrong >= 0)


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(HASHES), parts=PARTS, order=st.randoms(), wrong=st.integers(-1, len(DATA) - 1))
def test_hashes_of_parts_are_judged_when_each_part_is_read_in_order(name, parts, order, wrong) -> None:
    verifier = Verifier(len(DATA), checksum(name, parts))
    starts = list(accumulate(parts[:-1], initial=0))
    ranges = [(start, start + length) for start, length in zip(starts, parts, strict=True)]
    order.shuffle(ranges)
    told = False
    for start, stop in ranges:
        middle = order.randint(start, stop)
        told = fed(verifier, start, middle, wrong=wrong) or told
        told = fed(verifier, middle, stop, wrong=wrong) or told
    assert told is (wrong >= 0)
    assert told or verifier.verdict() == f"{name.upper()} of {len(parts)} part{'s' if len(parts) > 1 else ''} ok"


@pytest.mark.parametrize("name", HASHES)
def test_a_hash_of_the_whole_needs_its_order(name: str) -> None:
    verifier = Verifier(len(DATA), checksum(name))
    fed(verifier, 2000, 4000)
    fed(verifier, 0, 2000)
    assert verifier.verdict() == "not checked (not read in order)"
    fed(verifier, 1500, 4000)  # what was skipped comes now
    assert verifier.verdict() == f"{name.upper()} ok"


@pytest.mark.parametrize("name", [*CRCS, *HASHES])
def test_who_begins_anew_has_that_pass_checked_and_not_what_came_before(name: str) -> None:
    verifier = Verifier(len(DATA), checksum(name))
    assert not fed(verifier, 0, 1000)
    assert not fed(verifier, 0, 700, wrong=600)
    assert fed(verifier, 700, 4000), "the second time it came wrong"
    assert not fed(verifier, 0, 4000)
    assert verifier.verdict() == f"{name.upper()} ok"
    assert fed(verifier, 0, 4000, wrong=3999)
    assert fed(verifier, 0, 4000, wrong=3999), "once more, and as wrong"


def test_the_words_say_what_is_missing() -> None:
    verifier = Verifier(len(DATA), checksum("crc32", (3000, 1000)))
    fed(verifier, 0, 3500)
    assert verifier.verdict() == "not checked (not read to the end)"
    fed(verifier, 3600, 4000)
    assert verifier.verdict() == "not checked (100 B of it not read)"
    assert not fed(verifier, 3500, 3600)
    assert verifier.verdict() == "CRC32 of 2 parts ok"


def test_memory_is_bounded_however_wildly_one_reads() -> None:
    verifier = Verifier(len(DATA), checksum("crc32"))
    for start in range(0, 3998, 2):
        fed(verifier, start, start + 1)
    assert verifier.verdict() == "not checked (it was read in more than a thousand pieces)"


MANY = random.Random(4).randbytes(61_000)


@pytest.mark.parametrize("name", ["crc32c", "md5"])
@pytest.mark.parametrize("count", [1, 2, 3, 1_000, 1_001, 10_000])
def test_as_many_parts_as_there_can_be(name: str, count: int) -> None:
    length = len(MANY) // count
    parts = (length,) * (count - 1) + (len(MANY) - length * (count - 1),)
    value = base64.b64decode(composite_of(name, MANY, parts)[1].partition("-")[0])
    stored = Checksum(name.upper(), value, count, parts)
    right = Verifier(len(MANY), stored)
    for start in range(0, len(MANY), 7000):
        right.feed(start, memoryview(MANY)[start : start + 7000])
    assert not right.judge()
    assert right.verdict() == f"{name.upper()} of {count:,} part{'s' if count > 1 else ''} ok"
    bent = bytearray(MANY)
    bent[-1] ^= 1
    wrong = Verifier(len(MANY), stored)
    wrong.feed(0, memoryview(bent))
    assert wrong.judge()


# ---- what an answer says


def answer(server: str = "", **fields: str) -> dict[str, object]:
    return {**fields, "ResponseMetadata": {"HTTPHeaders": {"server": server}}}


MD5 = etag_for(DATA)


def chosen(said: dict[str, object], *, bucket: str = "b", endpoint_url: str | None = "") -> Checksum:
    return checksum_of(said, bucket=bucket, endpoint_url=endpoint_url)


def test_a_checksum_of_the_bytes_goes_before_one_of_the_parts_and_both_before_the_etag() -> None:
    assert str(chosen(answer(ETag=MD5))) == "MD5"
    assert str(chosen(answer(ETag=etag_for(DATA, (3000, 1000))))) == "MD5 of 2 parts"
    parts = answer(ETag=MD5, ChecksumCRC32="AAAAAA==-64", ChecksumType="COMPOSITE")
    assert str(chosen(parts)) == "CRC32 of 64 parts"
    assert str(chosen({**parts, "ChecksumSHA256": "AAAA"})) == "CRC32 of 64 parts"
    assert str(chosen({**parts, "ChecksumType": "FULL_OBJECT", "ChecksumSHA256": "AAAA"})) == "SHA256"
    assert str(chosen(answer(ETag='"something else"'))) == "no checksum"


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (answer(ETag=MD5, **KMS), {}),
        (answer(ETag=etag_for(DATA, (3000, 1000)), **KMS), {}),
        (answer(ETag=MD5, ServerSideEncryption="aws:kms:dsse"), {}),
        (answer(ETag=MD5, SSECustomerAlgorithm="AES256"), {}),
        (answer(ETag=MD5), {"bucket": "fast--use1-az4--x-s3"}),
        (answer(ETag=MD5), {"bucket": "arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/upper"}),
        (answer(ETag=MD5), {"bucket": "upper-abcdef--ol-s3"}),
        (answer(ETag=MD5), {"bucket": "arn:aws:s3-outposts:us-east-1:123456789012:outpost/op-1/accesspoint/a"}),
    ],
    ids=["kms", "kms, in parts", "dsse", "own key", "directory bucket", "object lambda", "its alias", "outpost"],
)
def test_an_etag_that_is_known_to_be_no_md5_is_not_looked_at(said, place) -> None:
    assert str(chosen(said, **place)) == "no checksum"


@pytest.mark.parametrize(
    ("software", "endpoint_url", "parts", "proves"),
    [
        ("AmazonS3", "", (), True),
        ("AmazonS3", "", (3000, 1000), True),
        ("AmazonS3", "https://gateway.example", (), False),
        ("", None, (), False),
        ("SeaweedFS 30GB 4.48", "http://127.0.0.1:8333", (), True),
        ("SeaweedFS 30GB 4.48", "http://127.0.0.1:8333", (3000, 1000), False),
        ("MinIO", "http://127.0.0.1:9000", (), True),
        ("MinIO", "http://127.0.0.1:9000", (3000, 1000), False),
    ],
)
def test_an_etag_proves_damage_only_where_it_is_known_to_be_an_md5(software, endpoint_url, parts, proves) -> None:
    found = etag_of(answer(software, ETag=etag_for(DATA, parts)), bucket="b", endpoint_url=endpoint_url)
    assert found is not None
    assert (found.algorithm, found.parts, found.proves) == ("MD5", len(parts), proves)


@pytest.mark.parametrize("name", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
def test_bytes_fit_the_checksum_of_all_of_them_and_nothing_else(name: str) -> None:
    if algorithm(name.upper()) is None:
        pytest.skip("the package for it is missing")
    data = bytes(range(256)) * 4
    stored = Checksum(name.upper(), base64.b64decode(whole_of(name, data)[1]))
    assert stored.fits(data)
    assert not stored.fits(data[:-1] + b"\0")
    assert not stored.fits(b"")
    assert not Checksum(stored.algorithm, stored.value, parts=1).fits(data)
    assert not Checksum(why_not="no checksum").fits(data)
