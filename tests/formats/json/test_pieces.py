"""JSON Lines in pieces: wherever a file is cut, each value is in one piece, and all are those of the whole."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest

from aios3_nb.formats.json import iterate_lines, iterate_lines_between

BODIES = [
    b"",
    b"\n\n",
    b"1",
    b"1\n",
    b"\n1\n\n22\n",
    b'\xef\xbb\xbf{"a": 1}\n2\r\n[3]',
    b'{"a":\n1}\n2\n',
    b"1 2\n3",
    '"é"\n"ü"\n'.encode("utf-16"),
]


@pytest.mark.parametrize("body", BODIES)
def test_each_value_is_in_one_piece_wherever_it_is_cut(body: bytes) -> None:
    def file() -> Any:
        return io.BufferedReader(io.BytesIO(body))  # type: ignore[arg-type]

    whole = list(iterate_lines(file()))
    for first in range(len(body) + 1):
        for second in range(first, len(body) + 1):
            bounds = itertools.pairwise((0, first, second, len(body)))
            pieces = [iterate_lines_between(file(), *each) for each in bounds if each[0] < each[1]]
            assert [value for each in pieces for value in each] == whole
