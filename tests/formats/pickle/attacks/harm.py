"""What a load must not do, and how it is seen: audit events, bytes that no value may hold, a changed library."""

from __future__ import annotations

import ctypes
import os
import sys
import types
import zoneinfo
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any

CANARY = bytes(byte | 0x80 for byte in os.urandom(8))
"""Stands, again and again, where no pickle has any business; a value that holds it has read foreign memory."""

HARMLESS = (
    "object.",
    "sys._getframe",
    "code.__new__",
    "gc.",
    "marshal.",
    "cpython._PySys",
    "builtins.id",
    "time.sleep",
    "array.__new__",
)
"""Audit events of what does nothing to anybody."""

_LISTS = [found.origin for name in ("tzdata", "pytz") if (found := find_spec(name)) and found.origin]
_ZONES = tuple(map(os.path.realpath, (*zoneinfo.TZPATH, *map(os.path.dirname, _LISTS))))
"""Where zones of time are looked up, by names that cannot lead out of there."""

_SIZES = (16, 24, 32, 48, 64, 80, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192, 65536)


class Watch:
    """An audit hook that notes what is done while `loading`, and does not let it be done.

    While `using`, nothing is noted, and only what writes, deletes or starts programs is refused: what a user does with
    an object is the user's.
    """

    def __init__(self) -> None:
        self.loading = False
        self.using = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not (self.loading or self.using) or event.startswith(HARMLESS):
            return
        if self.loading:
            if _is_zone(event, args) or _is_words(event, args) or _is_search(event, args):
                return
            self.seen.append(f"{event} {args!r}"[:300])
            raise PermissionError(f"{event} while loading")
        if event.startswith(("os.", "shutil.", "subprocess.", "socket.", "ctypes.")) or _writes(event, args):
            raise PermissionError(f"{event} is not for the test")


def _is_zone(event: str, args: tuple[Any, ...]) -> bool:
    if event == "import":
        return str(args[0]).split(".")[0] == "tzdata"
    if event == "exec":  # of the packages in which tzdata has its zones, when they are first imported
        return os.path.realpath(getattr(args[0], "co_filename", "")).startswith(_ZONES)
    is_read = event == "open" and not _writes(event, args)
    return (is_read or event == "os.listdir") and os.path.realpath(str(args[0])).startswith(_ZONES)


def _is_words(event: str, args: tuple[Any, ...]) -> bool:
    """Say whether Python says on stderr that it had no memory for a bytearray.

    It leaves the number of its exports as it finds it then, and takes note of that as it lets go of it; so does the
    standard library's pickle. See: `PyByteArray_FromStringAndSize` in Objects/bytearrayobject.c
    """
    return event == "sys.excepthook" and str(args[2]) == "deallocated bytearray object has exported buffers"


def _is_search(event: str, args: tuple[Any, ...]) -> bool:
    """Say whether Python looks for a package, whether it is installed, in a folder that has changed meanwhile."""
    return event == "os.listdir" and str(args[0]) in sys.path


def _writes(event: str, args: tuple[Any, ...]) -> bool:
    if event != "open":
        return False
    return bool(set(str(args[1])) & set("wax+")) or bool((args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


class Canaries:
    """Bytes of `CANARY` in memory: at a known address, and where memory was used before.

    Attributes:
        address: Of the first.
        size: How many there are.
    """

    def __init__(self) -> None:
        self._held = ctypes.create_string_buffer(CANARY * 64)
        self.address = ctypes.addressof(self._held)
        self.size = 64 * len(CANARY)

    def spread(self) -> None:
        """Leave them in memory that is free, for all who look at what they did not write."""
        import numpy as np

        for size in _SIZES:
            # Some by Python's allocator, some by numpy's; all are free again when this is left.
            held = [bytearray(CANARY * (size // len(CANARY) + 1)) for _ in range(3)]
            arrays = [np.frombuffer(one, np.uint8)[:size].copy() for one in held]
            del held, arrays

    @property
    def intact(self) -> bool:
        """Whether nobody wrote over them."""
        return self._held.raw[: self.size] == CANARY * 64


def holds_canary(value: Any) -> bool:
    """Return whether `value` has, somewhere in it, bytes that are not its own."""
    return any(CANARY in _bytes_of(part) for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    """Yield everything that can be reached from `value` by containers and attributes."""
    seen: set[int] = set()
    ways = [value]
    while ways and len(seen) < 20_000:
        part = ways.pop()
        if id(part) in seen or isinstance(part, (type, types.ModuleType, types.FunctionType)):
            continue
        seen.add(id(part))
        yield part
        ways += _inside(part)


def _inside(part: Any) -> list[Any]:
    found: list[Any] = []
    if isinstance(part, dict):
        found += [*dict.keys(part), *dict.values(part)]
    elif isinstance(part, (list, tuple, set, frozenset)) and len(part) < 10_000:
        found.extend(part)  # for += the part itself may answer
    elif type(part).__module__ == "numpy" and type(part).__name__ == "ndarray" and part.dtype.hasobject:
        found += part.ravel().tolist()[:1000]
    own = getattr(part, "__dict__", None)
    if type(own) is dict:
        found += own.values()
    if type(part).__module__.startswith("pandas") and not isinstance(part, dict):
        found += [
            held for key in ("_ndarray", "_data", "_values", "_pa_array") if (held := _held(part, key)) is not None
        ]
    return found


def _held(part: Any, key: str) -> Any:
    try:
        return getattr(part, key, None)
    except Exception:
        return None


def _bytes_of(part: Any) -> bytes:
    if isinstance(part, (bytes, bytearray)):
        return bytes(part)
    if isinstance(part, str):
        return part.encode("utf-8", "surrogatepass")
    module = type(part).__module__
    try:
        if module == "numpy" and hasattr(part, "tobytes") and part.nbytes < 10**7 and not part.dtype.hasobject:
            return part.tobytes()
        if module == "pyarrow.lib" and hasattr(part, "buffers"):
            return b"".join(bytes(buffer)[: 10**6] for buffer in part.buffers() if buffer is not None)
    except Exception:  # what cannot be asked for its bytes shows none
        pass
    return b""


# ---- what must be afterwards as it was before

_CHANGES = frozenset(("_abc_impl", "__abstractmethods__", "__dict__", "__weakref__", "__slotnames__"))
"""Attributes that a library changes itself, at the first use."""


def fingerprint(found: Iterable[Any]) -> dict[str, int]:
    """Return, by dotted name, the identity of all that the classes, functions and singletons in `found` have."""
    print_: dict[str, int] = {}
    for each in found:
        called = f"{getattr(each, '__module__', '')}.{getattr(each, '__qualname__', type(each).__name__)}"
        own = _own(each)
        for key, value in own.items():
            if key not in _CHANGES:
                print_[f"{called}.{key}"] = id(value)
        for key in ("__doc__", "__name__", "__qualname__", "__defaults__", "__kwdefaults__", "__code__", "__module__"):
            print_[f"{called}.{key}"] = _identity(each, key)
    for at, known in enumerate(_shared()):
        print_[f"shared {at} {known!r}"] = hash(repr(_own(known)) + repr(known))
    return print_


def _own(each: Any) -> dict[str, Any]:
    try:
        return dict(vars(each))
    except TypeError:
        return {}


def _identity(each: Any, key: str) -> int:
    held = getattr(each, key, None)
    # Text is made anew each time that compiled code is asked for it.
    return hash(held) if isinstance(held, str) else id(held) if key in _own(each) else 0


def _shared() -> Iterator[Any]:
    """Yield objects that all of the process shares."""
    import dateutil.tz
    import numpy as np
    import pandas as pd

    yield from map(np.dtype, ("f8", "i4", "u1", "O", "?", "M8[ns]", "U", "S"))
    yield from (dateutil.tz.UTC, pd.NaT, pd.Int64Dtype(), pd.StringDtype())
