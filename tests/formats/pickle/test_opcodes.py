"""The table of opcodes is that of the standard library, and a run ends where an opcode is not plain."""

import decimal
import functools
import io
import pickle
import pickletools

import pytest

from aios3_nb.formats.pickle import load_pickle, opcodes
from aios3_nb.formats.pickle.asks import ASKS

COUNTS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


@pytest.mark.parametrize("opcode", pickletools.opcodes, ids=lambda opcode: opcode.name)
def test_the_layout_is_that_of_pickletools(opcode):
    code = opcode.code.encode("latin1")
    size = opcode.arg.n if opcode.arg else 0
    if size >= 0:
        assert opcodes.FIXED[code] == size
    elif size == pickletools.UP_TO_NEWLINE:
        assert opcodes.LINES[code] == (2 if opcode.name in ("GLOBAL", "INST") else 1)
    else:
        assert opcodes.COUNTED[code] == COUNTS[size]


def test_there_are_no_other_opcodes():
    known = {opcode.code.encode("latin1") for opcode in pickletools.opcodes}
    assert opcodes.FIXED.keys() | opcodes.COUNTED.keys() | opcodes.LINES.keys() == known
    assert known >= opcodes.PERSISTENT | opcodes.EXTENSION | opcodes.OUT_OF_BAND
    assert max(opcode.proto for opcode in pickletools.opcodes) == opcodes.NEWEST_PROTOCOL


VALUES = [
    [1, 300, 70_000, 2**40, -(2**2000), 1.5, "é", "x" * 255, b"y" * 255],
    [(), (1, 2, 3, 4), {1}, frozenset({2}), {}, True, None],
    [list(range(300))] * 3,
    {"a": [{"b": ()}], "b": "\n"},
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("pattern", [opcodes.runs, opcodes.brief_runs])
def test_a_run_is_whole_opcodes_up_to_the_first_that_is_not_plain(protocol, value, pattern):
    runs = pattern()
    data = pickle.dumps(value, protocol)
    starts = {position for _, _, position in pickletools.genops(data)}
    at = 0
    while at < len(data):
        end = runs.match(data, at).end(1)
        assert end in starts | {len(data)}
        # Cut anywhere, a run ends at the last opcode that is whole.
        for cut in range(at, min(end, at + 40)):
            short = runs.match(data, at, cut).end(1)
            assert short in starts
            assert short <= cut
        code = data[end : end + 1]
        assert code in (opcodes.PROTO, opcodes.FRAME, opcodes.STOP) or code in opcodes.COUNTED or code in ASKS
        at = end + _length(data, end)


def _length(data, at):
    code = data[at : at + 1]
    if code in opcodes.COUNTED:
        count = opcodes.COUNTED[code]
        return 1 + count + int.from_bytes(data[at + 1 : at + 1 + count], "little")
    return 1 + opcodes.FIXED[code]


@pytest.mark.parametrize("count", [20, 2000])
def test_few_opcodes_compile_no_long_pattern(monkeypatch, count):
    """To compile it takes as long as some ten thousand of them."""
    runs = functools.cache(opcodes.runs.__wrapped__)
    monkeypatch.setattr(opcodes, "runs", runs)
    value = [decimal.Decimal(n) for n in range(count)] + [{"n" * 40: n} for n in range(count)]
    data = pickle.dumps(value, 3)
    assert load_pickle(io.BufferedReader(io.BytesIO(data))) == value
    assert runs.cache_info().currsize == (len(data) > opcodes.BRIEF)
