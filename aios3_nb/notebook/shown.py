"""Loads as the user sees them: with progress, a closing line, and errors in one line."""

from __future__ import annotations

import functools
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aios3_nb.errors import LoadCancelledError, S3Error
from aios3_nb.loop import bridge, interruptible
from aios3_nb.pipeline import (
    BackgroundLoad,
    Items,
    Loaded,
    Order,
    StoreOrder,
    aload_each,
    amatching_each,
    gathered,
    load_one,
    store_value,
)
from aios3_nb.progress import Progress, closing_line, display_for, items_line, stored_line, total_line
from aios3_nb.text import visible

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
        if len(wanted) > 1 or wanted[0].pattern:
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
            _say(order, items_line(order.uri.name, items.count, progress.fetched, items.info, items.trusted))

        return Items(order, progress, on_close=on_close)

    def in_background(self, wanted: Sequence[Order], names: Sequence[str]) -> BackgroundLoad:
        """Return at once with the handle of a load that binds `names` when it is done."""
        group = _Group(self._shell)

        async def work() -> Any:
            try:
                values = await group.load(wanted, names)
            except Exception as exc:
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

    async def load(self, wanted: Sequence[Order], names: Sequence[str]) -> list[Any]:
        """Return the values of `wanted`, called by `names` in an error; a glob gives a dict of its matches by key."""
        began = time.perf_counter()
        groups = await amatching_each(wanted)
        flat = [order for group in groups if isinstance(group, list) for order in group]
        self._make_rows(flat, quiet=wanted[0].settings.quiet)
        with _ending(self._total):
            results = await self._each(flat)
            whole = [i for i, result in enumerate(results) if isinstance(result, Loaded)]
            loaded = [result for result in results if isinstance(result, Loaded)]
            fetched = [self._rows[i].fetched for i in whole]
            for line in _lines_for([flat[i] for i in whole], loaded, fetched, time.perf_counter() - began):
                _say(wanted[0], line)
            given = gathered(wanted, names, groups, results)
        if given.note:
            print(given.note, file=sys.stderr)
        return given.values

    async def _each(self, orders: Sequence[Order]) -> list[Loaded | S3Error]:
        """Load `orders`, and end the row of each as it went."""
        try:
            results = await aload_each(list(zip(orders, self._rows, strict=True)))
        except BaseException as exc:
            for row in self._rows:
                row.end(_state_after(exc))
            raise
        for row, result in zip(self._rows, results, strict=True):
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
            shorten(exc, f"Stopped: {len(self._rows)} objects at {self._total.text}. Nothing was bound.")
            raise

    def _make_rows(self, orders: Sequence[Order], *, quiet: bool) -> None:
        show = (lambda _: None) if quiet else display_for(self._shell)
        several, many = len(orders) > 1, len(orders) > _MOST_ROWS
        self._total = Progress(f"{len(orders):,} objects", show if several else (lambda _: None))
        self._total.began(self.cancel)
        for order in orders:
            row = Progress(order.uri.name, (lambda _: None) if many else show, total=self._total)
            self._rows.append(row)
            if self._cancelled:
                row.cancel()


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


def shorten(exc: BaseException, text: str) -> None:
    """Have IPython show `exc` as `text`, without a traceback: it asks the exception itself."""
    exc._render_traceback_ = functools.partial(_one_line, text)  # type: ignore[attr-defined]


def _one_line(text: str) -> list[str]:
    return [text]


def _state_after(exc: BaseException) -> str:
    return "cancelled" if isinstance(exc, (LoadCancelledError, KeyboardInterrupt)) else "failed"


def _lines_for(orders: Sequence[Order], loaded: Sequence[Loaded], fetched: Sequence[int], seconds: float) -> list[str]:
    if len(loaded) <= _MOST_ROWS:
        each = zip(orders, loaded, fetched, strict=True)
        return [closing_line(order.uri.name, one, count) for order, one, count in each]
    verdicts = Counter(each.verdict for each in loaded)
    return [total_line(len(loaded), sum(each.info.size for each in loaded), seconds, verdicts)]


def _say(order: Order | StoreOrder, line: str) -> None:
    if not order.settings.quiet:
        print(line)
