"""Values that answer when something asks them: objects with ``__array_interface__``, ``__index__`` and their kin.

Each is made by listed names alone, in every way by which a pickle may hope to give an object an attribute.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.formats.pickle.attacks.nodes import NEWOBJ, SETITEMS, Node, atom, built, call, dict_of, name, tuple_of

ASKED = (
    "__array_interface__",
    "__array_struct__",
    "__array__",
    "__array_function__",
    "__array_ufunc__",
    "__arrow_c_array__",
    "__dataframe__",
    "__index__",
    "__int__",
    "__buffer__",
    "__iter__",
    "__next__",
    "__len__",
    "__getitem__",
    "__getattr__",
    "__call__",
    "__class__",
    "__reduce__",
    "__setstate__",
    "__dict__",
    "__doc__",
    "__wrapped__",
    "__doc_link_template",
    "_repr_html_",
    "_repr_html_inner",
    "dtype",
    "shape",
    "check_format",
    "append",
    "extend",
    "add",
    "tz",
    "name",
)
"""Attributes that libraries look for in what they are given."""

MARKUP = '"><img src=x onerror=run>'

NUMBERS = (
    *(-1, 0, 1, 2, 3, 7, 8, 63, 64, 255, 256, -128, 65535, 65536, 2**24, 10**8),
    *(2**31 - 1, 2**31, -(2**31), 2**32, 2**62, 2**63 - 1, 2**63, -(2**63), 2**64, -(2**64), 2**100),
)
TEXTS = (
    *(
        "",
        "O",
        "O8",
        "V8",
        "b",
        "u1",
        "f8",
        "U",
        "S",
        "M8[ns]",
        "T",
        "?",
        "|",
        "<",
        ">",
        "C",
        "F",
        "K",
        "A",
        "(",
        "a" * 40,
    ),
    *(
        "\x1b[31m",
        "\ud800",
        "\u202e",
        "../x",
        "dateutil//etc/hostname",
        "UTC",
        "Europe/Berlin",
        "idna",
        "utf-8",
        "zlib",
    ),
    *("latin-1", "unicode_escape", "MT19937", "PCG64", "category", "string", "index", "ns", "s", "D", "left", MARKUP),
)
BYTES = (b"", b"b", b"\0", b"\xff" * 7, b"\xff" * 8, b"\0" * 8, b"\1" * 16, b"\xff" * 64, b"A" * 1024)
CLASSES = (
    *(("builtins", each) for each in ("int", "str", "list", "dict", "tuple", "object", "bytearray", "range", "set")),
    *(("numpy", each) for each in ("ndarray", "dtype", "record", "recarray", "matrix", "float64", "void", "object_")),
    ("types", "SimpleNamespace"),
    ("collections", "deque"),
    ("pathlib", "PosixPath"),
    ("zoneinfo", "ZoneInfo"),
    ("pandas", "Index"),
    ("pandas", "MultiIndex"),
    ("pandas", "DataFrame"),
    ("numpy.ma", "MaskedArray"),
)
_WAYS: list[Callable[[dict[str, Node]], Node]] = [
    lambda items: built(call(name("types", "SimpleNamespace")), dict_of(items)),
    lambda items: _filled(call(name("sklearn.utils._bunch", "Bunch"), by=NEWOBJ), items),
    lambda items: _filled(call(name("collections", "OrderedDict")), items),
    lambda items: _filled(call(name("collections", "defaultdict"), name("builtins", "dict")), items),
    lambda items: dict_of(items),
    lambda items: built(call(name("collections", "UserDict"), by=NEWOBJ), dict_of({"data": dict_of(items)})),
    lambda items: built(call(name("builtins", "ValueError")), dict_of(items)),
    lambda items: built(call(name("sklearn.pipeline", "Pipeline"), by=NEWOBJ), dict_of(items)),
    lambda items: built(call(name("sklearn.frozen._frozen", "FrozenEstimator"), by=NEWOBJ), dict_of(items)),
    lambda items: built(call(name("sklearn.model_selection._split", "_CVIterableWrapper"), by=NEWOBJ), dict_of(items)),
]


def _filled(target: Node, items: dict[str, Node]) -> Node:
    target.then.append((SETITEMS, dict_of(items).parts))
    return target


class Gadgets:
    """Hostile values, one after another.

    Args:
        rng: Chooses.
        address: Of bytes in this process that no pickle has any business with.
        size: How many.
    """

    def __init__(self, rng: random.Random, address: int, size: int) -> None:
        self._rng = rng
        self._address = address
        self._size = size

    def any(self) -> Node:
        """Return one of any kind."""
        return self._rng.choice((self.plain, self.plain, self.object, self.object, self.callable, self.nested))()

    def plain(self) -> Node:
        """Return a number, a text or bytes as they should not be."""
        rng = self._rng
        some = rng.choice(
            (NUMBERS, NUMBERS, TEXTS, BYTES, (None, True, 1.5, float("nan"), -0.0, bytearray(b"\xff" * 8)))
        )
        return atom(rng.choice(some))

    def object(self) -> Node:
        """Return an object with attributes that are asked for."""
        rng = self._rng
        items = {key: self._answer(key) for key in rng.sample(ASKED, rng.choice((1, 1, 2)))}
        return rng.choice(_WAYS)(items)

    def callable(self) -> Node:
        """Return a class or function."""
        return name(*self._rng.choice(CLASSES))

    def nested(self) -> Node:
        """Return a container of some of them."""
        rng = self._rng
        parts = [rng.choice((self.plain, self.object, self.callable))() for _ in range(rng.randrange(3))]
        return Node(rng.choice(("list", "tuple", "set", "frozenset")), parts=parts)

    def interface(self) -> Node:
        """Return what numpy takes for an array over the bytes that it must not read."""
        return dict_of(
            {
                "data": tuple_of(atom(self._address), atom(False)),
                "shape": tuple_of(atom(self._size)),
                "typestr": atom("|u1"),
                "version": atom(3),
            }
        )

    def _answer(self, key: str) -> Node:
        if key == "__array_interface__":
            return self.interface()
        if key == "__class__":
            return self.callable()
        return self._rng.choice((self.plain, self.callable, self.interface))()
