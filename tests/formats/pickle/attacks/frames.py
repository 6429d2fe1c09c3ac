"""Pickles whose frames are not what they seem: the result is that of Python's own unpickler, or an error.

The safe unpickler reads frames that name nothing on their own, so a frame that ends inside an opcode, one that is too
short, or one around the half of a string is where it could take bytes for something else than the C unpickler does.
"""

from __future__ import annotations

import io
import itertools
import pickle
import pickletools
import random
import struct
from collections import Counter
from typing import Any

from aios3_nb.errors import S3Error
from aios3_nb.formats.pickle import load_pickle
from aios3_nb.formats.pickle.names import safe_names
from tests.formats.pickle.attacks.children import Place, in_child, within

_BATCH = 500
_SECONDS = 10
_FRAME = b"\x95"
_LIBRARIES = frozenset(("builtins", "collections", "datetime", "decimal", "fractions", "uuid", "types", "copyreg"))
_STACKED = (
    b"0",
    b"2",
    b"(",
    b"1",
    b"\x94",
    b"N",
    b"]",
    b"}",
    b")",
    b"\x85",
    b"\x86",
    b"\x87",
    b"t",
    b"l",
    b"d",
    b"e",
    b"u",
    b"a",
)
_PIECES = (
    b"C\x14",
    b"\x8c\x15",
    b"h\x00",
    b"q\x03",
    b"K",
    b"J\xff\xff",
    b"\x93",
    b"\x94\x93\x94",
    b"b",
    b"R",
    b".",
    b"\x95\x00",
)


class Frames:
    """Writes such pickles by a seed, and compares what comes of them.

    Args:
        seed: Of all of them.
        pickles: Ordinary ones, of any protocol.
    """

    def __init__(self, seed: int, pickles: list[bytes]) -> None:
        self._seed = seed
        self._opcodes = [split(data) for data in pickles if len(data) < 2000 and _is_of(data)]
        self._rng = random.Random()

    def program(self, number: int) -> bytes:
        """Return the pickle of that number."""
        rng = self._rng
        rng.seed(f"frames {self._seed}/{number}")
        parts = list(rng.choice(self._opcodes))
        for _ in range(rng.choice((0, 0, 1, 2, 4))):
            parts.insert(
                rng.randrange(len(parts)), rng.choice((rng.choice(_STACKED), rng.choice(_PIECES), rng.choice(parts)))
            )
        framed = self._by_bytes(parts) if rng.random() < 0.3 else self._by_opcodes(parts)
        return b"\x80\x04" + framed

    def _by_opcodes(self, parts: list[bytes]) -> bytes:
        rng = self._rng
        out, at = [], 0
        while at < len(parts):
            count = rng.choice((1, 1, 2, 3, 5, 10, 100))
            out.append(self._framed(b"".join(parts[at : at + count])))
            at += count
        return b"".join(out)

    def _by_bytes(self, parts: list[bytes]) -> bytes:
        rng = self._rng
        data = b"".join(parts)
        cuts = sorted({0, len(data), *(rng.randrange(len(data) + 1) for _ in range(rng.choice((1, 2, 5))))})
        return b"".join(self._framed(data[begin:end]) for begin, end in itertools.pairwise(cuts))

    def _framed(self, data: bytes) -> bytes:
        rng = self._rng
        chance = rng.random()
        size = len(data)
        if chance < 0.2:
            return data
        if chance < 0.3:
            size = max(0, size + rng.choice((-3, -2, -1, 1, 2, 3, 20, 21, 22, 100, 1 << 20, 1 << 40)))
        elif chance < 0.35:
            return self._framed(self._framed(data))
        return _FRAME + struct.pack("<Q", size) + data

    def compare(self, count: int) -> dict[str, Any]:
        """Load that many; return how they ended, and those that are something else to us than to Python."""
        outcomes: Counter[str] = Counter()
        harms: list[str] = []
        place = Place()
        first = 0
        while first < count:
            numbers = range(first, min(first + _BATCH, count))
            told, status, log = in_child(lambda numbers=numbers: self._compare_all(numbers, place))
            outcomes.update(told.get("outcomes", {}))
            harms += told.get("harms", ())
            first = numbers.stop
            if status:
                at, _ = place.get()
                first = at + 1
                harms.append(f"{at}: died by {status} {log[-500:]}: {self.program(at)!r}")
        return {"programs": count, "outcomes": outcomes, "harms": harms}

    def _compare_all(self, numbers: range, place: Place) -> dict[str, Any]:
        outcomes: Counter[str] = Counter()
        harms = []
        for number in numbers:
            place.set(number)
            within(_SECONDS)
            data = self.program(number)
            outcome = compared(data)
            outcomes[outcome] += 1
            if outcome.startswith("another"):
                harms.append(f"{number}: {outcome}: {data!r}")
        within(0)
        return {"outcomes": outcomes, "harms": harms}


def split(data: bytes) -> list[bytes]:
    """Return the opcodes of a pickle that Python wrote, without PROTO and FRAME."""
    places = [(opcode.name, place) for opcode, _, place in pickletools.genops(data)]
    ends = [*(place for _, place in places[1:]), len(data)]
    return [data[at:end] for (name, at), end in zip(places, ends, strict=True) if name not in ("PROTO", "FRAME")]


def _is_of(data: bytes) -> bool:
    """Return whether Python's own unpickler does nothing else with it than we do."""
    return _python(data) is not _FAILED


def compared(data: bytes, other: bytes | None = None) -> str:
    """Return how the load of `data` ended, in comparison with that of Python's own unpickler, of this or of `other`."""
    try:
        ours = load_pickle(io.BufferedReader(io.BytesIO(data)))
    except S3Error:
        return "refused"
    theirs = _python(data if other is None else other)
    if theirs is _FAILED:
        return "another: Python refuses it"
    return "the same" if _same(ours, theirs) else f"another: {ours!r:.100} is not {theirs!r:.100}"


def _same(ours: Any, theirs: Any) -> bool:
    if type(ours) is not type(theirs):
        return False
    for shown in (lambda value: pickle.dumps(value, 4), repr):
        try:
            return shown(ours) == shown(theirs)
        except Exception:  # an object without its attributes can tell nothing of itself
            continue
    return True


_FAILED: Any = object()


class _Python(pickle.Unpickler):
    """Python's own, with names that do nothing to the test."""

    def find_class(self, module: str, name: str) -> Any:
        if module not in _LIBRARIES or (module, name) not in safe_names() or name == "getattr":
            raise pickle.UnpicklingError(name)
        return super().find_class(module, name)


def _python(data: bytes) -> Any:
    try:
        return _Python(io.BytesIO(data)).load()
    except Exception:
        return _FAILED
