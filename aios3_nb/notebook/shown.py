"""Loads as the user sees them: with progress, a closing line, and errors in one line."""

from __future__ import annotations

import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aios3_nb.errors import LoadCancelledError, S3Error
from aios3_nb.loop import bridge, interruptible
from aios3_nb.notebook.errors import shorten
from aios3_nb.pipeline import (
    BackgroundLoad,
    Items,
    Loaded,
    Order,
    Results,
    StoreOrder,
    aload_each,
    amatching_each,
    gathered,
    items_of,
    load_one,
    store_value,
)
from aios3_nb.progress import Progress, closing_line, display_for, items_line, stored_line, total_line
from aios3_nb.text import counted, visible

_MOST_ROWS = 4
"""Loads of one call that have a row each; of more, only the total is shown."""


class ShownLoads:
    """Loads orders in `shell` and shows how it goes."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def load(self, wanted: Sequence[Order], names: Sequence[str]) -> list[Any]:
        """Return the values of `wanted`, loaded concurrently; of one that failed and is to be skipped it is None.

        Raises:
            PartialLoadError: Some failed; those called in `names` that have loaded are in it.
        """
        if len(wanted) > 1 or wanted[0].pattern or wanted[0].concat:
            group = _Group(self._shell)
            with interruptible(), group.shortened():
                return bridge().run(group.load, wanted, names)
        order = wanted[0]
        progress = self._progress(order)
        with _shortened_interrupt(order, progress), _ending(progress):
            loaded = load_one(order, progress)
        _say(order, closing_line(order.uri.name, loaded, progress.fetched))
        return [loaded.value]

    def save(self, value: object, order: StoreOrder) -> None:
        """Store `value`; all of it or nothing."""
        progress = self._progress(order)
        with _shortened_interrupt(order, progress, "Nothing was stored"), _ending(progress), interruptible():
            stored = bridge().run(store_value, value, order, progress)
        _say(order, stored_line(order.uri.name, stored))

    def items(self, order: Order) -> Items:
        """Return the items of `order`, a lazy stream that shows how far it is and says so when it is closed."""
        progress = self._progress(order)

        def on_close(items: Items) -> None:
            progress.end("done" if items.error is None else _state_after(items.error))
            said = items_line(order.uri.name, items.count, progress.fetched, items.info, items.verdict, items.trusted)
            _say(order, said)
            if items.note:
                print(items.note, file=sys.stderr)

        return items_of(order, progress, on_close=on_close, in_line=True)

    def in_background(self, wanted: Sequence[Order], names: Sequence[str]) -> BackgroundLoad:
        """Return at once with the handle of a load that binds `names` when it is done."""
        group = _Group(self._shell)

        async def work() -> Any:
            try:
                values = await group.load(wanted, names)
            except Exception as exc:
                if isinstance(exc, S3Error):
                    exc.in_line = True
                # Nobody may ever ask the handle, so the error is shown below the cell that began it.
                print(f"{type(exc).__name__}: {exc}", file=sys.stderr)
                raise
            self._shell.push(dict(zip(names, values, strict=True)))
            return values[0] if len(values) == 1 else tuple(values)

        return BackgroundLoad(", ".join(names), work, group.cancel)

    def _progress(self, order: Order | StoreOrder) -> Progress:
        return Progress(order.uri.name, (lambda _: None) if order.settings.quiet else display_for(self._shell))


class _Group:
    """Loads of one call: a row each when they are few, and a total when they are several."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._rows: list[Progress] = []
        self._total = Progress("in all", lambda _: None)
        self._cancelled = False
        self._count = 0
        self._show: Callable[[Progress], Any] = lambda _: None

    async def load(self, wanted: Sequence[Order], names: Sequence[str]) -> list[Any]:
        """Return the values of `wanted`, called by `names` in an error; a glob gives a dict of its matches by key."""
        began = time.perf_counter()
        groups = await amatching_each(wanted)
        self._begin([order for group in groups if isinstance(group, list) for order in group])
        with _ending(self._total):
            results = await self._each(groups)
            flat = [result for group in results for result in group]
            for line in _lines_for(flat, self._rows, time.perf_counter() - began):
                _say(wanted[0], line)
            given = gathered(wanted, names, groups, results)
        if given.note:
            print(given.note, file=sys.stderr)
        return given.values

    async def _each(self, groups: Sequence[list[Order] | S3Error]) -> Results:
        """Load the orders in `groups`, and end the row of each as it went."""
        try:
            results = await aload_each(groups, self._row)
        except BaseException as exc:
            for row in self._rows:
                row.end(_state_after(exc))
            raise
        for row, result in zip(self._rows, itertools.chain(*results), strict=True):
            row.end(_state_after(result) if isinstance(result, S3Error) else "done")
        return results

    def cancel(self) -> None:
        """Stop all of them, also those that have not begun."""
        self._cancelled = True
        for progress in self._rows:
            progress.cancel()

    @contextmanager
    def shortened(self) -> Iterator[None]:
        """Show an interrupt as one line."""
        try:
            yield
        except KeyboardInterrupt as exc:
            shorten(exc, f"Stopped: {self._count:,} objects at {self._total.text}. Nothing was bound.")
            raise

    def _begin(self, orders: Sequence[Order]) -> None:
        """Show how many there are, and how many bytes as far as the listing says."""
        quiet = bool(orders) and orders[0].settings.quiet
        self._show = (lambda _: None) if quiet else display_for(self._shell)
        self._count = len(orders)
        name = counted(len(orders), "object")
        self._total = Progress(name, self._show if len(orders) > 1 else (lambda _: None))
        sizes = [order.listed_size for order in orders]
        if sizes and None not in sizes:
            self._total.announce(sum(size or 0 for size in sizes))
        self._total.began(self.cancel)

    def _row(self, order: Order) -> Progress:
        """Return the row of one that begins; they begin in their order."""
        row = Progress(order.uri.name, (lambda _: None) if self._count > _MOST_ROWS else self._show, total=self._total)
        self._rows.append(row)
        if self._cancelled:
            row.cancel()
        return row


@contextmanager
def _ending(progress: Progress) -> Iterator[None]:
    try:
        yield
    except BaseException as exc:
        progress.end(_state_after(exc))
        raise
    progress.end("done")


@contextmanager
def _shortened_interrupt(
    order: Order | StoreOrder, progress: Progress, outcome: str = "Nothing was bound"
) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as exc:
        shorten(exc, f"Stopped: {visible(str(order.uri))} at {progress.text}. {outcome}.")
        raise


def _state_after(exc: BaseException) -> str:
    return "cancelled" if isinstance(exc, (LoadCancelledError, KeyboardInterrupt)) else "failed"


def _lines_for(results: Sequence[Loaded | S3Error], rows: Sequence[Progress], seconds: float) -> list[str]:
    whole = [(result, row) for result, row in zip(results, rows, strict=True) if isinstance(result, Loaded)]
    if len(whole) <= _MOST_ROWS:
        return [closing_line(loaded.info.uri.name, loaded, row.fetched) for loaded, row in whole]
    verdicts = Counter(loaded.verdict for loaded, _ in whole)
    return [total_line(len(whole), sum(loaded.info.size for loaded, _ in whole), seconds, verdicts)]


def _say(order: Order | StoreOrder, line: str) -> None:
    if not order.settings.quiet:
        print(line)
