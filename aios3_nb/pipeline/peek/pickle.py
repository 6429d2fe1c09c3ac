"""What is in a pickle: its opcodes are walked, long strings stepped over, and nothing is executed or imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from aios3_nb.formats.pickle import (
    Names,
    is_joblib,
    joblib_text,
    missing_package,
    pip_name,
    refused_call,
    refused_state,
)
from aios3_nb.pipeline.peek.ranges import EndError, EnoughError, Ranges
from aios3_nb.pipeline.peek.walk import NOTHING, RefusedError, Walk
from aios3_nb.text import share_text, size_text, visible

MAX_OPCODES = 200_000
MAX_BYTES = 4 * 1024 * 1024
MAX_REQUESTS = 64

MAY_LOAD = "every name it imports may load"
"""The verdict on a pickle of which nothing that is known is refused; its values are looked at by the load."""

_SHOWN_NAMES = 40

_MORE_OPCODES = 20_000
_MORE_BYTES = 512 * 1024
"""How far pickles behind the first one are counted: enough to know that there are many."""


@dataclass(frozen=True, slots=True)
class PickleOutline:
    """What a pickle holds, as far as it was looked into.

    Attributes:
        protocol: Of the pickle.
        opcodes: Walked.
        names: Dotted name that is imported -> objects made with it; 0 when it is only named.
        blocked: Those of the names that are not on the safe list.
        missing: Packages of the names that are not installed.
        outermost: Type of the object, as ``dict`` or ``pandas.DataFrame``; empty when the end was not seen.
        items: Items of the outermost list, tuple, dict or set; 0 for anything else.
        payload_bytes: Of its texts, bytes and numbers of any length.
        depth: Containers and objects within one another, at most.
        complete: Whether its end was seen.
        scanned: Offset that was reached.
        size: Of the object.
        problem: Why it cannot be loaded, whatever is allowed; empty when nothing was found.
        pickles: How many follow one another, as far as they were looked at; what is said above is of the first, but for
            the names, which are those of all.
        all_pickles: Whether these are all.
        has_8_bit: Whether there are, or may be, strings of Python 2 that are not ASCII, which need an encoding.
    """

    protocol: int
    opcodes: int
    names: Mapping[str, int]
    blocked: tuple[str, ...]
    missing: tuple[str, ...]
    outermost: str
    items: int
    payload_bytes: int
    depth: int
    complete: bool
    scanned: int
    size: int
    problem: str = ""
    pickles: int = 1
    all_pickles: bool = True
    has_8_bit: bool = False

    @property
    def verdict(self) -> str:
        """Whether it loads, in one line."""
        if self.problem:
            return self.problem
        if is_joblib(self.blocked):
            return f"joblib wrote it; it is not a plain pickle. {joblib_text()}"
        if self.blocked:
            many = "a name that is" if len(self.blocked) == 1 else f"{len(self.blocked)} names that are"
            more = "" if self.complete else ", and perhaps more"
            return f"needs {many} not on the safe list{more}"
        if self.missing:
            return f"needs packages that are not installed: pip install {' '.join(map(pip_name, self.missing))}"
        if self.complete and self.has_8_bit:
            return "has 8-bit strings of Python 2, which need --encoding latin1, or --encoding bytes"
        if self.complete:
            return MAY_LOAD if self.all_pickles else f"{MAY_LOAD}, as far as it was looked at"
        return f"could not tell yet: {share_text(self.scanned, self.size)} looked at; more names may follow"

    def rows(self) -> list[tuple[str, str]]:
        """Return what to show, line by line: a heading and its text."""
        items = f" of {self.items:,}" if self.items else ""
        rows = [
            ("verdict", self.verdict),
            ("holds", f"{self.outermost}{items}" if self.outermost else "(its end was not seen)"),
            ("pickle", f"protocol {self.protocol}, {self.opcodes:,} opcodes, depth {self.depth}"),
            ("payload", size_text(self.payload_bytes)),
        ]
        if self.pickles > 1:
            least = "" if self.all_pickles else "at least "
            rows.insert(1, ("pickles in a row", f"{least}{self.pickles:,}; --iter gives all. The first one:"))
        names = list(self.names.items())
        rows += [
            (self._heading(name), f"{name}  ({count:,} made)" if count else name)
            for name, count in names[:_SHOWN_NAMES]
        ]
        if len(names) > _SHOWN_NAMES:
            rows.append(("...", f"and {len(names) - _SHOWN_NAMES:,} more names"))
        return rows

    def _heading(self, name: str) -> str:
        return "blocked" if name in self.blocked else "imports"


def outline_pickle(
    reader: Callable[[int, int], bytes],
    size: int,
    *,
    max_opcodes: int = MAX_OPCODES,
    max_bytes: int = MAX_BYTES,
    is_cut: bool = False,
) -> PickleOutline:
    """Return the outline of the pickle that `reader` reads ranges of; garbage has one, too.

    Args:
        reader: Returns exactly the bytes from start to stop; each call is a request.
        size: Of the object.
        max_opcodes: Walked at most.
        max_bytes: Fetched at most, in at most 64 requests.
        is_cut: Whether `size` is only what is known of a longer one, the beginning of what is compressed.
    """
    ranges = Ranges(reader, size, max_bytes=max_bytes, max_requests=MAX_REQUESTS)
    walk = Walk(ranges)
    complete, problem = False, ""
    try:
        complete = walk.run(max_opcodes)
    except EnoughError:
        pass
    except EndError:
        problem = "" if is_cut else f"cut short: it goes on where the object ends, after byte {walk.start:,}"
    except (RefusedError, ValueError, IndexError, KeyError) as exc:
        problem = str(exc) if isinstance(exc, RefusedError) else f"not a pickle: broken at byte {walk.start:,}"
    outline = _summary(walk, size, complete=complete, problem=problem)
    if not complete or ranges.position == size:
        return outline
    count, to_the_end = _others(ranges, walk.made, size)
    if not count:
        return outline
    names = _summary(walk, size, complete=complete, problem=problem)
    return replace(names, pickles=1 + count, all_pickles=to_the_end and not is_cut, scanned=ranges.position)


def _others(ranges: Ranges, made: dict[tuple[str, str], int], size: int) -> tuple[int, bool]:
    """Return how many more pickles follow, as far as little work tells, and whether these are all; note their names."""
    count, opcodes, until = 0, _MORE_OPCODES, ranges.position + _MORE_BYTES
    try:
        while ranges.position < size:
            walk = Walk(ranges, made=made)
            if ranges.position >= until or not walk.run(opcodes):
                return count, False
            opcodes -= walk.opcodes
            count += 1
    except (EnoughError, EndError, RefusedError, ValueError, IndexError, KeyError):
        return count, False
    return count, True


def _forbidden(walk: Walk, permitted: Names) -> str:
    """Return what the pickle does that the load refuses, by the same table and checks; empty when that is nothing."""
    for as_new, name, kinds, texts in walk.calls:
        if not permitted.permits(*name):
            continue
        entry, shown = permitted.entry(*name), visible(".".join(name))
        if as_new and (entry.make == "empty" or entry.make.startswith("new or ")) and not kinds:
            continue
        if not entry.make:
            return f"is refused: it calls {shown}, which a pickle may only name"
        if (as_new and kinds) or refused_call(entry, kinds, texts):
            return f"is refused: it calls {shown} with ({', '.join(kinds)}), which Python never writes"
    for maker, kind, keys in walk.states:
        if maker is None:
            return f"is refused: it sets the state of a {kind}"
        if permitted.permits(*maker) and refused_state(permitted.entry(*maker), keys):
            return f"is refused: it gives what {visible('.'.join(maker))} made a state that Python never writes"
    return "is refused: it calls what is no name" if walk.calls_others else ""


def _summary(walk: Walk, size: int, *, complete: bool, problem: str) -> PickleOutline:
    permitted = Names()
    pairs = {visible(f"{module}.{name}"): (module, name) for module, name in walk.made}
    top = walk.stack[-1] if complete and walk.stack else NOTHING
    return PickleOutline(
        protocol=walk.protocol,
        opcodes=walk.opcodes,
        names={dotted: walk.made[pair] for dotted, pair in pairs.items()},
        blocked=tuple(sorted(dotted for dotted, pair in pairs.items() if not permitted.permits(*pair))),
        missing=tuple(sorted({missing_package(module) for module, _ in walk.made} - {""})),
        outermost=visible(top.kind),
        items=top.items,
        payload_bytes=walk.payload,
        depth=walk.depth,
        complete=complete,
        scanned=walk.ranges.position,
        size=size,
        problem=problem or _forbidden(walk, permitted),
        has_8_bit=walk.has_8_bit,
    )
