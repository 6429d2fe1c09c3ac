"""The opcodes that `aios3_nb.formats.pickle.proven` lets run as they were written, as a pattern for one load.

Every part of it is one or more whole opcodes. What "makes one" leaves the stack with one thing more than before, and
looks at nothing that was there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aios3_nb.formats.pickle.opcodes import acting_after, bytes_of_arrays, counted

TEXTS = ("latin1", "int", "<", "M8", "m8", "C", "F")
"""Texts that parts of the pattern have at a place of the memo."""

CODE = b"b"
"""What numpy makes an empty array with; the same."""

UNITS = (b"Y", b"M", b"W", b"D", b"h", b"m", b"s", b"ms", b"us", b"ns", b"ps", b"fs", b"as")
"""Units of numpy's times."""

_FEW = 1000
"""Bytes of a pattern that may be in more places; those with each length of a string take long to compile."""

_SHORT = 40
"""Bytes of the texts inside of a pattern; each length is an alternative of its own, in every place where one may be."""

_MOST_OBJECTS = 8
"""Of an array of objects; each number of them is an alternative of its own, too."""

_NEVER = rb"(?!)"
_LARGEST = 255
_MINUS_ONE = rb"J\xff\xff\xff\xff"


@dataclass(frozen=True)
class Known:
    """Places in the memo of one load.

    Attributes:
        framed: Whether the pickle fills its memo by MEMOIZE, in order, and not by PUT.
        places: Where what is. A callable goes by its `make` and `state` in ``names.toml``, a text by itself in
            quotes, a finished dtype by the bytes of one element, that of objects by ``objects``, an array's class by
            ``ndarray``, a time zone by ``zone``, a unit of numpy's times by ``unit``.
    """

    framed: bool
    places: Mapping[str | int, tuple[int, ...]] = field(default_factory=dict)

    def at(self, kind: str | int) -> bytes:
        """Return a pattern of what gets one of that kind out of the memo."""
        return _get(self.places.get(kind, ()))

    def put(self) -> bytes:
        """Return a pattern of what puts something into the memo, and never to one of these places."""
        if self.framed:
            return rb"\x94"
        taken = sorted({place for found in self.places.values() for place in found})
        if taken and taken[-1] < 256:  # in sets, which are faster than to look ahead
            free = b"[^" + b"".join(rb"\x%02x" % place for place in taken) + b"]"
            return rb"(?:r(?:.[^\0]..|" + free + rb"\0{3}|..[^\0].|...[^\0])|q" + free + b")"
        near = [bytes([place]) for place in taken if place < 256]
        far = [place.to_bytes(4, "little") for place in taken]
        return rb"(?:q(?!" + _one_of(near) + rb").|r(?!" + _one_of(far) + rb").{4})"


def _get(places: Collection[int]) -> bytes:
    return _one_of([b"h" + bytes([n]) if n < 256 else b"j" + n.to_bytes(4, "little") for n in places])


def _one_of(texts: Collection[bytes]) -> bytes:
    """Return a pattern of one of `texts`, or of nothing that there is."""
    return _any(*map(re.escape, texts)) if texts else _NEVER


Patterns = tuple[re.Pattern[bytes], re.Pattern[bytes]]

_MOST_COMPILED = 16
_compiled: dict[tuple[bytes, bytes], Patterns] = {}
"""To compile one takes some 30 ms, and the next load may well be alike."""


def patterns(known: Known, *, only_compiled: bool = False) -> Patterns | None:
    """Return the pattern that a load's pieces are split by, one like `opcodes.runs`, and that of a PUT it may have.

    None is returned for those that are not `only_compiled` already.
    """
    plain, put = key = _plain(known), known.put()
    found = _compiled.get(key)
    if found is None and not only_compiled:
        if len(_compiled) >= _MOST_COMPILED:
            _compiled.clear()
        found = _compiled[key] = acting_after(plain), re.compile(b"(?s)" + put)
    return found


def any_compiled() -> bool:
    """Return whether there is any pattern already."""
    return bool(_compiled)


def _any(*alternatives: bytes) -> bytes:
    return b"(?:" + b"|".join(alternatives) + b")"


def _written(length: int) -> bytes:
    """Return a pattern of what stands before a text of that length."""
    return rb"(?:\x8c\x%02x|X\x%02x\x00{3})" % (length, length)


def _plain(known: Known) -> bytes:
    """Return what stands for one or more opcodes that may run as they are."""
    put = known.put()
    memo = put + b"?+"
    things = _things(known, memo)
    pushes = rb"[N\x88\x89)]|K.|h.|M..|J.{4}|G.{8}|j.{4}"
    texts = counted(b"\x8cCU\x8a", most=_SHORT), pushes, put, counted(b"X", 3, most=_SHORT)
    few = rb"\(" + _any(*texts, rb"[\x85-\x87]") + b"*+"
    items = _any(texts[0], *things, *texts[1:], rb"[\]}\x85-\x87]") + b"*+"
    many = rb"\(" + items
    # A key that came before and a value, as in each but the first of many dicts: fewer alternatives to try.
    pair = rb"h." + _any(*(thing for thing in things if len(thing) < _FEW), rb"K.|M..|J.{4}|G.{8}|[N\x88\x89]")
    return b"|".join(
        (
            *things,
            # What is filled is what was made right before the mark; nothing reaches below a mark until it is taken.
            rb"\}" + memo + rb"\((?:" + pair + b")*+" + items + b"u",
            rb"\]" + memo + many + b"e",
            rb"\x8f" + memo + few + rb"\x90",
            few + b"t",
            counted(b"\x8cCU\x8a"),
            pushes,
            put,
            counted(b"X", 3),
            rb"[\]}(012dlt\x85-\x87\x8f\x91\x93]",
            counted(b"\x96", 7),
            bytes_of_arrays(),
            rb"[IFLSVg][^\n]*+\n",
            rb"c[^\n]*+\n[^\n]*+\n",
        )
    )


def _things(known: Known, memo: bytes) -> tuple[bytes, ...]:
    """Return patterns each of which makes one thing, by a call that is harmless."""
    encoded = _encoded(known, memo)
    value = _any(
        *(part for part in (encoded, known.at("zone")) if not part.startswith(_NEVER)),
        *(rb"[N\x88\x89]|K.|M..|J.{4}|G.{8}", counted(b"\x8cCU\x8a", most=_SHORT), counted(b"X", 3, most=_SHORT)),
    )
    things = (
        _scalar(known, memo),
        _array(known, memo),
        _array_of_objects(known, memo),
        _buffer(known, memo),
        _anything(known, memo, value + memo),
        _uuid(known, memo),
        encoded,
    )
    return tuple(thing + memo for thing in things if not thing.startswith(_NEVER))


def _encoded(known: Known, memo: bytes) -> bytes:
    """Text as latin-1, which is how protocols 0 to 2 write bytes."""
    text = counted(b"X", 3, most=_SHORT) + memo
    return known.at("encode") + text + known.at("'latin1'") + rb"\x86" + memo + b"R"


def _anything(known: Known, memo: bytes, value: bytes) -> bytes:
    """A call of what may be called with anything: datetimes, decimals, complex numbers.

    Each count of values has a tuple of its own, so that what is called is what stands right before them.
    """
    few = value + rb"(?:\x85|" + value + rb"(?:\x86|" + value + rb"\x87))"
    return known.at("anything") + _any(rb"\)", few, rb"\((?:" + value + rb")*+t") + memo + b"R"


def _scalar(known: Known, memo: bytes) -> bytes:
    """A scalar of numpy: exactly the bytes of one element of a dtype that is finished, or made here."""
    sizes = sorted(size for size in known.places if isinstance(size, int) and size <= _LARGEST)
    contents = [known.at(size) + b"C" + re.escape(bytes([size])) + b".{%d}" % size for size in sizes]
    contents.append(_dtype_of_time(known, memo) + rb"C\x08.{8}")
    return known.at("numpy.scalar") + _any(*contents) + memo + rb"\x86" + memo + b"R"


def _dtype_of_time(known: Known, memo: bytes) -> bytes:
    """The dtype of a time with a unit, which numpy makes anew, and writes in full, for each scalar.

    It is new, gets one state at once, and that is the one which numpy writes: all of it is in the pattern.
    """
    code = _any(_written(2) + b"[Mm]8" + memo, known.at("'M8'"), known.at("'m8'"))
    order = _any(known.at("'<'"), _written(1) + b"<" + memo)
    written = (b"C" + bytes([len(unit)]) + unit for unit in UNITS)
    unit = rb"\(" + _any(_one_of(list(written)) + memo, known.at("unit")) + rb"K\x01K\x01K\x01t" + memo
    state = rb"\(K\x04" + order + rb"NNN" + _MINUS_ONE * 2 + rb"K\x00N" + unit + rb"\x86" + memo + b"t" + memo
    return known.at("numpy.dtype") + code + rb"\x89\x88\x87" + memo + b"R" + memo + state + b"b" + memo


def _dtype(known: Known, memo: bytes) -> bytes:
    """A dtype that is finished, and whose elements are bytes."""
    places = tuple(place for size, found in known.places.items() if isinstance(size, int) for place in found)
    return _any(_get(places), _dtype_of_time(known, memo))


def _shape(memo: bytes) -> bytes:
    """The shape of an array: numbers that are neither negative nor so large that a product of them overflows."""
    number = rb"(?:K.|M..)"
    return _any(rb"\)", number + rb"(?:\x85|" + number + rb"(?:\x86|" + number + rb"\x87))" + memo)


def _array(known: Known, memo: bytes) -> bytes:
    """An array that is made empty and gets its bytes at once, and so never a second time.

    ``ndarray.__setstate__`` compares the number of bytes with shape and dtype, as long as no number is negative and
    the elements are bytes; the shapes and dtypes of which that does not hold are not in here.
    """
    content = _any(counted(b"C"), _encoded(known, memo)) + memo
    state = rb"\(K\x01" + _shape(memo) + _dtype(known, memo) + rb"[\x88\x89]" + content + b"t" + memo
    return _empty_array(known, memo) + state + b"b"


def _empty_array(known: Known, memo: bytes) -> bytes:
    code = _any(known.at("b'b'"), rb"C\x01b" + memo)
    empty = known.at("numpy.reconstruct numpy.array") + known.at("ndarray") + rb"K\x00\x85" + memo + code
    return empty + rb"\x87" + memo + b"R" + memo


def _array_of_objects(known: Known, memo: bytes) -> bytes:
    """An array of one axis that gets as many objects as its shape says: numpy believes that, and does not count them.

    So each number of them is an alternative of its own, with a list that is made there and has no more and no fewer.
    """
    start = _empty_array(known, memo) + rb"\(K\x01K"
    if start.startswith(_NEVER) or "objects" not in known.places:
        return _NEVER
    texts = counted(b"\x8cC\x8a", most=_SHORT) if known.framed else counted(b"X", 3, most=_SHORT)
    item = _any(_any(rb"[N\x88\x89)\]}]|K.|h.|M..|J.{4}|G.{8}|j.{4}", texts) + memo)
    filled = [b"", item + b"a"] + [rb"\(" + item + b"{%d}e" % count for count in range(2, _MOST_OBJECTS + 1)]
    before, after = rb"\x85" + memo + known.at("objects") + rb"[\x88\x89]\]" + memo, b"t" + memo + b"b"
    return start + _any(*(rb"\x%02x" % count + before + fill + after for count, fill in enumerate(filled)))


def _buffer(known: Known, memo: bytes) -> bytes:
    """An array of protocol 5: ``numpy.frombuffer`` and ``reshape``, which compare the number of bytes themselves."""
    order = _any(known.at("'C'"), known.at("'F'"), _written(1) + b"[CF]" + memo)
    content = _any(counted(b"C"), counted(b"\x96", 7)) + memo
    call = rb"\(" + content + _dtype(known, memo) + _shape(memo) + order + b"t" + memo
    return known.at("numpy.frombuffer") + call + b"R"


def _uuid(known: Known, memo: bytes) -> bytes:
    """A UUID that is made empty and gets a number of 128 bits at once, and so never a second time."""
    lengths = [rb"\x10.{15}[\x00-\x7f]", rb"\x11.{16}\x00"]
    lengths += [b"\\x%02x.{%d}[\\x00-\\x7f]" % (count, count - 1) for count in range(1, 16)]
    number = _any(rb"\x8a" + _any(*lengths), rb"K.|M..|J.{3}[\x00-\x7f]")
    state = rb"\}" + memo + known.at("'int'") + number + b"s"
    return known.at("empty uuid") + rb"\)\x81" + memo + state + b"b"
