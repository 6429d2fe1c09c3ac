"""Compressed file -> plain file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import sys
import tracemalloc
import zlib
from functools import partial

import lz4.frame
import pytest

from aios3_nb.errors import FormatError, TooLargeError, TruncatedError
from aios3_nb.formats import compression, decompressed, peek_head
from aios3_nb.formats.codecs import Expander
from aios3_nb.formats.compression import CODECS, codec_of
from aios3_nb.formats.expansion import ExpansionLimit
from tests.dripping import Dripping

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1 << 20
COMPRESS = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
    "lz4": lz4.frame.compress,
    "lzma": partial(lzma.compress, format=lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
}
DATA = bytes(random.Random(7).choices(b"abcdefgh \n", k=50_000))

codecs = pytest.mark.parametrize("codec", COMPRESS)


def expand(data, limit=None):
    file = io.BufferedReader(io.BytesIO(data))
    codec = next(codec for codec in CODECS if data.startswith(codec.magic))
    return io.BufferedReader(Expander(file, codec, limit or ExpansionLimit()), 128 * 1024)


@codecs
@pytest.mark.parametrize("chunk", [1, 2, 7, 4096, 1 << 20])
def test_any_chunking_gives_the_same_bytes(codec, chunk):
    data = DATA[:3000] if chunk < 7 else DATA
    file = decompressed(Dripping(COMPRESS[codec](data), chunk), max_bytes=None)
    assert file.read() == data
    assert file.read() == b""


@codecs
def test_every_way_of_reading_agrees(codec):
    file = decompressed(io.BufferedReader(io.BytesIO(COMPRESS[codec](DATA))), max_bytes=None)
    buffer = bytearray(100)
    assert file.readinto(buffer) == 100
    assert file.peek(1)[:1] == DATA[100:101]
    assert bytes(buffer) + file.read(50) + file.readline() == DATA[: file.tell()]
    at = file.tell()
    assert file.read1(10) == DATA[at : at + 10]
    assert file.seek(0) == 0
    assert file.read(20) == DATA[:20]
    assert file.seek(-5, io.SEEK_END) == len(DATA) - 5
    assert file.read() == DATA[-5:]
    assert file.seek(30_000) == 30_000
    assert file.read(20) == DATA[30_000:30_020]


@pytest.mark.parametrize("codec", ["gzip", "zlib"])
@pytest.mark.parametrize("is_there", [True, False])
def test_isal_expands_where_it_is_there_and_zlib_where_it_is_not(codec, is_there, monkeypatch):
    monkeypatch.setattr(compression, "_zlib_module", compression._zlib_module.__wrapped__)
    if not is_there:
        monkeypatch.setitem(sys.modules, "isal", None)
    assert compression._zlib_module().__name__ == ("isal.isal_zlib" if is_there else "zlib")
    assert expand(COMPRESS[codec](DATA)).read() == DATA
    with pytest.raises(FormatError):
        expand(COMPRESS[codec](DATA)[:-4] + bytes(4)).read()


@pytest.mark.parametrize("data", [b"", b"\x1f", b"B", b"BZh", b"plain text, quite long", b"\x80\x05K\x01."])
def test_what_is_not_compressed_is_the_file_itself(data):
    file = Dripping(data, 1)
    assert decompressed(file, max_bytes=1) is file
    assert file.read() == data


@codecs
def test_streams_in_a_row_are_one_file(codec):
    data = b"".join(COMPRESS[codec](part) for part in (DATA[:100], b"", DATA[100:]))
    assert decompressed(Dripping(data, 11), max_bytes=None).read() == DATA


@codecs
def test_empty_content_is_an_empty_file(codec):
    assert decompressed(Dripping(COMPRESS[codec](b""), 3), max_bytes=None).read() == b""


@codecs
def test_zeros_behind_and_between_streams_are_padding(codec):
    data = COMPRESS[codec](b"one") + bytes(8) + COMPRESS[codec](b"two") + bytes(300_000)
    assert expand(data).read() == b"onetwo"


@codecs
def test_something_else_behind_a_stream_is_an_error(codec):
    """Left out in silence it could be a second stream with a damaged beginning."""
    data = COMPRESS[codec](b"one")
    with pytest.raises(FormatError, match="something else") as caught:
        expand(data + b"garbage").read()
    assert caught.value.offset == len(data)
    assert not isinstance(caught.value, TruncatedError)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_skippable_frames_are_passed_over(codec):
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"abcd"
    compressed = COMPRESS[codec](b"one")
    assert expand(compressed + skippable + compressed + skippable).read() == b"oneone"
    if codec == "zstd":
        assert decompressed(Dripping(skippable + compressed, 1), max_bytes=None).read() == b"one"


def _with_dictionary(number, single):
    """Return a frame of zstd for which a dictionary of that number is needed, of known size or not."""
    dictionary = zstd.ZstdDict(b"\x37\xa4\x30\xec" + number.to_bytes(4, "little") + TRAINED)
    parameter = zstd.CompressionParameter
    options = {parameter.content_size_flag: int(single), parameter.checksum_flag: 1}
    compressor = zstd.ZstdCompressor(options=options, zstd_dict=dictionary)
    return compressor.compress(b"hello world") + compressor.flush()


TRAINED = zstd.train_dict([b"hello world, number %d" % n for n in range(1000)], 1000).dict_content[8:]


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@pytest.mark.parametrize("number", [7, 300, 70_000, 2**31 + 5])
@pytest.mark.parametrize("single", [True, False])
def test_zstd_with_a_dictionary_says_which_is_missing_and_how_to_open_it(number, single, chunk):
    frame = _with_dictionary(number, single)
    assert zstd.get_frame_info(frame).dictionary_id == number
    before = COMPRESS["zstd"](b"one")
    with pytest.raises(FormatError, match=rf"with a dictionary, number {number}, .*zstd_dict=zstd\.ZstdDict") as caught:
        decompressed(Dripping(before + frame, chunk), max_bytes=None).read()
    assert caught.value.offset == len(before)


def test_lz4_with_a_dictionary_says_so():
    plain = lz4.frame.compress(b"hello", store_size=False)
    for flags, more in ((1, b""), (9, bytes(8))):
        head = plain[:4] + bytes([plain[4] | flags, plain[5]]) + more + (77).to_bytes(4, "little")
        with pytest.raises(FormatError, match="number 77, which is a file of its own and missing here"):
            expand(head + plain[6:]).read()


@codecs
def test_cut_at_any_byte_is_truncated(codec):
    data = COMPRESS[codec](DATA[:200])
    first = len(_magic(codec))
    for end in range(first, len(data)):
        with pytest.raises(TruncatedError) as caught:
            expand(data[:end]).read()
        assert caught.value.offset == end
    with pytest.raises(TruncatedError):
        expand(data + data[: first - 1]).read()


def _magic(name):
    return next(codec.magic[0] for codec in CODECS if codec.name == name)


@pytest.mark.parametrize("codec", [name for name in COMPRESS if name != "zlib"])  # Adler-32 misses some
def test_flipped_bytes_never_give_other_bytes_in_silence(codec):
    data = _with_checksum(codec, DATA[:2000])
    noise = random.Random(3)
    for _ in range(200):
        broken = bytearray(data)
        broken[noise.randrange(len(_magic(codec)), len(data))] ^= 1 << noise.randrange(8)
        try:
            result = expand(bytes(broken)).read()
        except (FormatError, TooLargeError):
            continue
        assert result == DATA[:2000]  # a bit of a header that means nothing, such as gzip's time


def _with_checksum(codec, data):
    """Compress as the zstd and lz4 commands do; their libraries leave the checksum out."""
    if codec == "zstd":
        return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})
    return lz4.frame.compress(data, content_checksum=True) if codec == "lz4" else COMPRESS[codec](data)


@codecs
def test_a_damaged_stream_names_codec_and_offset(codec):
    data = bytearray(_with_checksum(codec, DATA))
    data[len(data) // 2 : len(data) // 2 + 64] = b"\xff" * 64
    with pytest.raises(FormatError, match=rf"{codec} data cannot be expanded near byte") as caught:
        expand(bytes(data) + bytes(data)).read()
    assert 0 < caught.value.offset <= 2 * len(data)


@codecs
def test_a_bomb_stops_at_max_bytes_in_little_memory(codec):
    bomb = _bomb(codec, 32 * MIB)
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match="max_bytes"):
            _drain(expand(bomb, ExpansionLimit(max_bytes=16 * MIB)))
        assert tracemalloc.get_traced_memory()[1] < 24 * MIB
    finally:
        tracemalloc.stop()


def _bomb(codec, size):
    zeros = bytes(size)
    if codec == "bz2":
        return bz2.compress(zeros[: 4 * MIB]) * (size // (4 * MIB))
    return COMPRESS[codec](zeros)


def _drain(file):
    while file.read(8 * MIB):
        pass


@codecs
def test_a_bomb_stops_by_its_ratio_when_no_limit_is_given(codec):
    limit = ExpansionLimit(free_bytes=8 * MIB)
    with pytest.raises(TooLargeError, match="decompression bomb"):
        _drain(expand(_bomb(codec, 32 * MIB), limit))
    _drain(expand(_bomb(codec, 4 * MIB), limit))


def test_max_bytes_is_the_only_limit_when_given():
    _drain(expand(_bomb("gzip", 32 * MIB), ExpansionLimit(max_bytes=32 * MIB, free_bytes=1)))


@codecs
def test_the_limit_is_exact(codec):
    data = COMPRESS[codec](DATA)
    assert expand(data, ExpansionLimit(max_bytes=len(DATA))).read() == DATA
    with pytest.raises(TooLargeError):
        expand(data, ExpansionLimit(max_bytes=len(DATA) - 1)).read()


@codecs
def test_what_is_compressed_again_is_expanded_again(codec):
    once = COMPRESS[codec](DATA)
    assert decompressed(Dripping(gzip.compress(once), 7), max_bytes=None).read() == DATA
    file = decompressed(Dripping(COMPRESS[codec](once), 1000), max_bytes=None)
    assert file.read(10) == DATA[:10]
    assert file.seek(0) == 0
    assert file.read() == DATA


def test_there_are_four_layers_at_most():
    data = DATA
    for _ in range(4):
        data = gzip.compress(data)
    assert decompressed(Dripping(data, 1000), max_bytes=None).read() == DATA
    with pytest.raises(FormatError, match="more than 4 times"):
        decompressed(Dripping(gzip.compress(data), 1000), max_bytes=None)


def test_each_layer_stays_within_max_bytes():
    bomb = gzip.compress(gzip.compress(bytes(200 * MIB)))
    assert len(bomb) < 10_000
    with pytest.raises(TooLargeError, match="max_bytes"):
        decompressed(Dripping(bomb, 1000), max_bytes=100_000).read()


def test_the_ratio_is_that_of_all_layers_together():
    """Each layer alone may do what both together may not."""
    content = b"".join(bytes([n]) * 100 for n in range(256)) * 80
    inner = gzip.compress(content)
    outer = gzip.compress(inner * 200)
    each = max(200 * len(inner) // len(outer), len(content) // len(inner))
    limit = ExpansionLimit(free_bytes=MIB, ratio=2 * each)
    first = io.BufferedReader(Expander(io.BufferedReader(io.BytesIO(outer)), CODECS[0], limit), 1000)
    _drain(first)
    first.seek(0)
    _drain(io.BufferedReader(Expander(first, CODECS[0], limit)))
    first.seek(0)
    with pytest.raises(TooLargeError, match="bomb"):
        _drain(io.BufferedReader(Expander(first, CODECS[0], limit, first.raw.compressed)))


@pytest.mark.parametrize(
    "data",
    [
        b"x^2 + y^2 = z^2, as they say, and what follows is only text of some length",
        b"x\x9c" + bytes(range(200, 256)),
        b"]\0\0" + bytes(60),
        b"]\0\0\x80\0" + b"\xff" * 3,
        "x\x01ünot zlib".encode(),
    ],
)
def test_a_magic_that_says_too_little_is_not_believed(data):
    assert codec_of(data) is None


@pytest.mark.parametrize("properties", [{"preset": 0}, {"preset": 9}, {"filters": [{"id": lzma.FILTER_LZMA1}]}])
def test_lzma_is_known_without_a_magic(properties):
    data = lzma.compress(DATA, format=lzma.FORMAT_ALONE, **properties)
    assert decompressed(Dripping(data, 5), max_bytes=None).read() == DATA


@codecs
def test_a_compressor_makes_what_its_decompressor_takes_and_always_the_same(codec):
    made = next(each for each in CODECS if each.name == codec)

    def compressed():
        compressor = made.compressor()
        return b"".join(
            [*(compressor.compress(DATA[n : n + 999]) for n in range(0, len(DATA), 999)), compressor.flush()]
        )

    assert compressed() == compressed()
    assert codec_of(compressed()[:64]) is made
    assert decompressed(Dripping(compressed(), 1000), max_bytes=None).read() == DATA
    compressor = made.compressor()
    assert decompressed(Dripping(compressor.compress(b"") + compressor.flush(), 1000), max_bytes=None).read() == b""


def with_window(codec, log):
    """Return compressed data whose header asks for a window of 2 ** `log` bytes; making it so takes gigabytes."""
    data = COMPRESS[codec](DATA) if codec != "xz" else lzma.compress(DATA, preset=0)
    if codec == "xz":
        return _xz_with_window(data, 2 * (log - 12))
    if codec == "lzma":
        return data[:1] + (1 << log).to_bytes(4, "little") + data[5:]
    compressor = zstd.ZstdCompressor()  # streaming: no content size, so that the header has a window
    data = compressor.compress(DATA) + compressor.flush()
    return data[:5] + bytes([(log - 10) << 3]) + data[6:]


windowed = pytest.mark.parametrize("codec", ["xz", "zstd", "lzma"])


@windowed
def test_a_window_of_two_gigabytes_takes_no_more_memory_than_is_written_to_it(codec):
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert decompressed(Dripping(with_window(codec, 31), 1000), max_bytes=None).read() == DATA
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


@pytest.mark.parametrize("codec", ["xz", "zstd"])
def test_a_larger_window_is_refused_before_it_is_set_aside(codec):
    with pytest.raises(FormatError, match=r"(?i)memory"):
        expand(with_window(codec, 32)).read()


def _xz_with_window(data, properties):
    header = bytearray(data[12 : 12 + 4 * (data[12] + 1)])
    at = header.index(b"\x21\x01") + 2  # LZMA2, one byte of properties
    header[at] = properties
    header[-4:] = zlib.crc32(header[:-4]).to_bytes(4, "little")
    return data[:12] + bytes(header) + data[12 + len(header) :]


@codecs
def test_closing_the_plain_file_leaves_the_compressed_one_open(codec):
    source = Dripping(COMPRESS[codec](b"one"), 100)
    file = decompressed(source, max_bytes=None)
    file.close()
    assert not source.closed


@codecs
def test_nothing_is_read_ahead_of_the_reader_but_a_chunk(codec):
    noise = random.Random(1).randbytes(2 * MIB)
    source = Dripping(COMPRESS[codec](noise), 64 * 1024)
    decompressed(source, max_bytes=None).read(10)
    assert source.tell() <= MIB + 128 * 1024


def test_the_head_is_whole_however_short_a_peek_is():
    file = Dripping(b"abcdef", 1)
    file.read(1)
    assert peek_head(file, 3) == b"bcd"
    assert peek_head(file, 30) == b"bcdef"
    assert file.read() == b"bcdef"
