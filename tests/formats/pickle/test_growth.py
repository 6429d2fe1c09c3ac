"""Work and memory grow with the bytes of a pickle, and not with their square, nor with the number of loads."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import time

import pytest

from aios3_nb.errors import S3Error
from aios3_nb.formats.pickle import load_pickle
from aios3_nb.formats.pickle.opcodes import GLOBAL_BY_LINES

RUNS = {
    "one character": b"x",
    "word characters": b"a1_Z.",
    "newlines": b"\n",
    "quotes": b"'\"",
    "c": b"c",
    "c on lines": b"c\n",
    "i and dots": b"i.",
    "digits": b"7",
    "c and returns": b"ci\r",
}


class Counted(io.BufferedReader):
    """A file that counts the bytes that are taken from it."""

    taken = 0

    def read(self, size=-1):
        data = super().read(size)
        self.taken += len(data)
        return data


def work(run: bytes, size: int) -> int:
    """Return how many lines of Python and bytes one load of a string of `run` takes."""
    text = (run * (size // len(run) + 1))[:size]
    data = b"\x80\x02X" + len(text).to_bytes(4, "little") + text + b"."
    file = Counted(io.BytesIO(data))
    lines = 0

    def trace(frame, event, arg):
        nonlocal lines
        lines += 1
        return trace

    sys.settrace(trace)
    try:
        load_pickle(file)
    except S3Error:
        pass
    finally:
        sys.settrace(None)
    return lines + file.taken


@pytest.mark.parametrize("run", RUNS.values(), ids=list(RUNS))
def test_four_times_the_bytes_are_at_most_about_four_times_the_work(run):
    work(run, 1000)
    small, large = work(run, 20_000), work(run, 80_000)
    assert large <= 4.5 * small


@pytest.mark.parametrize("run", RUNS.values(), ids=list(RUNS))
def test_the_search_for_names_begins_once_for_each_run_of_word_characters(run):
    """A search that begins again at each character is seen by its time: 16 times the work for 4 times the bytes."""
    text = (run * 400_000)[:400_000] + b"\x00"
    program = (
        "import sys, time; from aios3_nb.formats.pickle.opcodes import GLOBAL_BY_LINES as g; "
        "t = sys.stdin.buffer.read(); b = time.process_time(); g.search(t); print(time.process_time() - b)"
    )
    took = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, check=True, timeout=120)
    # Linear it takes 0.02 s; the square of 400,000 takes minutes.
    assert float(took.stdout) < 2


def test_the_search_for_names_finds_them():
    assert GLOBAL_BY_LINES.search(b"\x80\x02cos\nsystem\n")
    assert GLOBAL_BY_LINES.search(b"abccos\r\nsystem\r\n")
    assert not GLOBAL_BY_LINES.search(b"c\nsystem\n")
    assert not GLOBAL_BY_LINES.search(b"cos\nsys tem\n")


MANY = """
import io, pickle, sys, uuid
from aios3_nb.formats.pickle import iterate_pickles

one = pickle.dumps({"u": uuid.UUID(int=5)})

class Endless(io.RawIOBase):
    left, held = int(sys.argv[1]), b""

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.held and self.left:
            count = min(self.left, 100)
            self.left -= count
            self.held = one * count
        size = min(len(buffer), len(self.held))
        buffer[:size], self.held = self.held[:size], self.held[size:]
        return size

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

items = iterate_pickles(io.BufferedReader(Endless()))
for _ in range(2000):
    next(items)
before = resident()
count = sum(1 for _ in items)
print(count, resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_many_loads_leave_nothing_behind():
    ran = subprocess.run(
        [sys.executable, "-c", MANY, "102000"], capture_output=True, check=True, timeout=300, text=True
    )
    count, grown = map(int, ran.stdout.split())
    assert count == 100_000
    assert grown < 1_500_000


def test_what_ends_runs_before_rows_of_texts_has_them_measured_once():
    """Empty frames in a frame, each of which ends a run of opcodes: measured from each of them, this takes 10 s."""
    numpy = b"\x8c\x05numpy\x8c\x07ndarray\x93\x940"
    asking, texts = b"]Na0" * 20_000, b"(" + b"\x8c\x02ab\x94" * 80_000 + b"1N."
    frame = numpy + asking + (b"\x95" + bytes(8)) * 20_000 + texts
    data = b"\x80\x04\x95" + len(frame).to_bytes(8, "little") + frame
    begun = time.process_time()
    assert load_pickle(io.BufferedReader(io.BytesIO(data))) is None
    # Once, it takes 0.3 s.
    assert time.process_time() - begun < 4


def test_an_error_about_many_or_long_names_is_short():
    names = [f"package_{i}.{'x' * 1000}" for i in range(3000)]
    data = b"\x80\x02" + b"".join(f"c{name.replace('.', chr(10))}\n0".encode() for name in names) + b"N."
    with pytest.raises(S3Error) as caught:
        load_pickle(io.BufferedReader(io.BytesIO(data)))
    assert len(str(caught.value)) < 50_000
    assert "more" in str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).args
