"""Loads hostile pickles by the thousand, in processes that may die, and says which did harm.

One process gets everything ready: libraries, corpus, canaries. Of it, children are forked, each of which loads some
hundreds of pickles. A child that dies tells by shared memory at which; its parent goes on with the next.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import importlib
import io
import pickletools
import signal
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from aios3_nb.errors import S3Error
from aios3_nb.formats.pickle import load_pickle
from tests.formats.pickle.attacks.children import Place, in_child, within
from tests.formats.pickle.attacks.gadgets import MARKUP
from tests.formats.pickle.attacks.harm import Canaries, Watch, fingerprint, holds_canary
from tests.formats.pickle.attacks.use import use

BATCH = 250
"""Pickles of one child."""

_SECONDS = 4
"""For one pickle; what takes longer is slow, which nobody promised against."""

_LONGEST_TEXT = 4000


@dataclasses.dataclass(frozen=True)
class Harm:
    """What a pickle did.

    Attributes:
        number: Of the program.
        kind: ``event``, ``canary``, ``written``, ``changed``, ``crash``, ``page``, ``error`` or ``text``.
        text: What exactly.
        stage: ``load`` or ``use``.
        data: The pickle.
    """

    number: int
    kind: str
    text: str
    stage: str
    data: bytes


class Runner:
    """Loads the programs that `write` makes of numbers.

    Args:
        write: Makes program number so-and-so; the same one each time. It can be exchanged.
        found: Classes, functions and objects that are the same before and after.
        canaries: Foreign memory.
        watch: The audit hook of this process.
    """

    def __init__(self, write: Callable[[int], bytes], found: list[Any], canaries: Canaries, watch: Watch) -> None:
        self.write = write
        self._found = found
        self._canaries = canaries
        self._watch = watch
        self._place = Place()
        self.outcomes: Counter[str] = Counter()
        self.slow: list[int] = []

    def run(self, first: int, last: int) -> list[Harm]:
        """Load those from `first` to before `last`; return what did harm."""
        harms: list[Harm] = []
        while first < last:
            end = min(first + BATCH, last)
            found, reached = self._batch(range(first, end))
            harms += found
            first = reached
        return harms

    def _batch(self, numbers: range) -> tuple[list[Harm], int]:
        """Load some in one child; return what did harm, and the number to go on with."""
        told, status, log = in_child(lambda: self._load_all(numbers))
        at, stage = self._place.get()
        if status and at > numbers.start:
            # Those before the one that ended it are loaded again, for what they had to tell is lost.
            return self._batch(range(numbers.start, at))
        if not status and told["changed"] and len(numbers) > 1:
            # Something in the library is another; which half did it is seen when each is loaded by itself.
            middle = numbers[len(numbers) // 2]
            return self.run(numbers.start, middle) + self.run(middle, numbers.stop), numbers.stop
        self.outcomes.update(told.get("outcomes", {}))
        if not status:
            harms = [Harm(*some, data=self.write(some[0])) for some in told["harms"]]
            if told["changed"]:
                harms.append(Harm(at, "changed", ", ".join(told["changed"]), "load", self.write(at)))
            return harms, numbers.stop
        if status == signal.SIGALRM:
            self.outcomes["slow"] += 1
            self.slow.append(at)
            return [], at + 1
        self.outcomes["crash"] += 1
        text = f"signal {status}" if status > 0 else f"exit {-status}"
        return [Harm(at, "crash", f"{text}: {log[-1500:]}", ("load", "use")[stage], self.write(at))], at + 1

    def examine(self, data: bytes) -> list[Harm]:
        """Load one pickle in a child of its own."""
        write, self.write = self.write, lambda _: data
        try:
            return self._batch(range(1))[0]
        finally:
            self.write = write

    # ---- in the child

    def _load_all(self, numbers: range) -> dict[str, Any]:
        outcomes: Counter[str] = Counter()
        harms: list[tuple[Any, ...]] = []
        before = fingerprint(self._found)
        for number in numbers:
            self._place.set(number)
            data = self.write(number)
            within(_SECONDS)
            outcome, some = self._load_one(number, data)
            outcomes[outcome] += 1
            harms += [(number, *harm) for harm in some]
        within(0)
        return {"outcomes": outcomes, "harms": harms, "changed": _changes(before, fingerprint(self._found))}

    def _load_one(self, number: int, data: bytes) -> tuple[str, list[tuple[str, str, str]]]:
        """Return how the load of `data` ended, and the harm: kind, text, and stage."""
        harms: list[tuple[str, str, str]] = []
        watch = self._watch
        self._canaries.spread()
        watch.seen.clear()
        value, outcome = None, "loaded"
        watch.loading = True
        try:
            value = load_pickle(io.BufferedReader(io.BytesIO(data)))
        except S3Error as exc:
            outcome = type(exc).__name__
            text = str(exc)
        except BaseException as exc:
            outcome, text = "other error", repr(exc)
            harms.append(("error", text[:1000], "load"))
        finally:
            watch.loading = False
        if outcome != "loaded" and (len(text) > _LONGEST_TEXT or _controls(text)):
            harms.append(("text", f"{len(text)} characters: {text[:300]!r}", "load"))
        harms += [("event", event, "load") for event in watch.seen]
        if not self._canaries.intact:
            harms.append(("written", "the canary was written over", "load"))
        if outcome == "loaded":
            self._place.set(number, 1)
            harms += self._use(value)
        return outcome, harms

    def _use(self, value: Any) -> Iterator[tuple[str, str, str]]:
        self._watch.using = True
        try:
            if holds_canary(value):
                yield "canary", f"a {type(value).__name__} holds foreign memory", "load"
            page = use(value)
        finally:
            self._watch.using = False
        if MARKUP[2:] in page:
            yield "page", page[max(page.find(MARKUP[2:]) - 100, 0) :][:300], "use"


def _changes(before: dict[str, int], after: dict[str, int]) -> list[str]:
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))[:10]


def _controls(text: str) -> bool:
    return any(
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character != "\n" for character in text
    )


def ready(write: Callable[[int], bytes], found: list[Any], canaries: Canaries, warm: list[bytes]) -> Runner:
    """Return a runner when all that ordinary pickles read and import at their first load is there."""
    watch = Watch()
    for data in warm:
        use(load_pickle(io.BufferedReader(io.BytesIO(data))))
    "\x13".encode("unicode_escape")  # of error texts
    importlib.import_module("pandas.tseries.holiday")  # by some of pandas' offsets
    fingerprint(found)
    # What is here stays: a collection in a child would walk through all of it, and copy every page that it is on.
    gc.collect()
    gc.freeze()
    return Runner(write, found, canaries, watch)


def reduced(runner: Runner, harm: Harm, seconds: float = 30) -> bytes:
    """Return the pickle of `harm` with as few opcodes as do the same kind of harm."""
    parts = _opcodes(harm.data)
    until = time.monotonic() + seconds
    size = max(len(parts) // 2, 1)
    while size:
        at = 0
        while at < len(parts) and time.monotonic() < until:
            fewer = parts[:at] + parts[at + size :]
            if any(one.kind == harm.kind and one.stage == harm.stage for one in runner.examine(b"".join(fewer))):
                parts = fewer
            else:
                at += size
        size //= 2
    return b"".join(parts)


def _opcodes(data: bytes) -> list[bytes]:
    places = []
    with contextlib.suppress(Exception):  # what follows is one piece
        places.extend(place for _, _, place in pickletools.genops(data))
    return [data[begin:end] for begin, end in zip(places, [*places[1:], len(data)], strict=True)]


def say(text: str) -> None:
    """Print to whoever watches."""
    print(text, file=sys.stderr, flush=True)
