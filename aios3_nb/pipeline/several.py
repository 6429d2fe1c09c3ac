"""Several objects of one call: loaded at once, and one that fails does not lose the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aios3_nb.errors import CredentialsError, EndpointError, LoadCancelledError, PartialLoadError, S3Error
from aios3_nb.formats import concatenated
from aios3_nb.pipeline.load import Loaded, aload_one, amatching
from aios3_nb.pipeline.order import Order
from aios3_nb.s3 import gate_for
from aios3_nb.streams import Monitor, Pool
from aios3_nb.text import visible

_AT_ONCE = 32
"""Objects of one call that are loaded at once."""

_SHOWN = 5
"""Failures that a message tells of; the others are in the error."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the targets of one call gave.

    Attributes:
        values: One for each target; None for one that failed and was to be skipped.
        left_out: What failed and was skipped, by target, or by key for a glob.
        total: Objects that there were.
    """

    values: list[Any]
    left_out: Mapping[str, S3Error] = field(default_factory=dict)
    total: int = 0

    @property
    def note(self) -> str:
        """What was left out, in words; empty when nothing was."""
        return left_out_text(self.left_out, self.total) if self.left_out else ""


async def aload_in_turn(order: Order) -> Loaded:
    """Return the object of `order`; of all that are loaded so, only as many are begun as there are connections.

    ``asyncio.gather`` begins a thousand at once. Those that could only wait for a connection would each have made some
    hundred objects by then, all of which the collector walks, and would lose their patience for an answer meanwhile.
    """
    return await aload_one(order, Monitor(), gate=gate_for(order.settings))


async def amatching_each(wanted: Sequence[Order]) -> list[list[Order] | S3Error]:
    """Return the orders that each of `wanted` stands for, or why there are none."""

    async def one(order: Order) -> list[Order] | S3Error:
        try:
            return await amatching(order)
        except S3Error as exc:
            return exc.with_traceback(None)

    return await asyncio.gather(*map(one, wanted))


Results = list[list[Loaded | S3Error]]
"""What the orders of each group gave, in their order; of a group, those behind the last that was needed are missing."""


async def aload_each(groups: Sequence[list[Order] | S3Error], monitor_of: Callable[[Order], Monitor]) -> Results:
    """Return for each of `groups` what its orders gave, or their errors; they are begun in their order.

    Some are loaded at once, out of one pool of connections and memory, and only these have a task; the monitor of each
    is asked for as it begins. After an error of credentials or endpoint, those of its bucket that have not begun
    are not tried. Where so many rows are wanted in all, one is loaded after the other, until there are enough.

    Raises:
        LoadCancelledError: One was cancelled; so are all.
    """
    jobs = list(_jobs(groups))
    at_once = 1 if any(len(job.orders) > 1 for job in jobs) else min(len(jobs), _AT_ONCE)
    loads = _Loads(monitor_of)
    waiting = iter(jobs)
    found: list[dict[int, Loaded | S3Error]] = [{} for _ in groups]

    async def work() -> None:
        for job in waiting:
            found[job.group] |= await loads.job(job.orders)

    tasks = [asyncio.get_running_loop().create_task(work()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            if not task.cancelling():  # a second one would cut short how it ends
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    return [[results[place] for place in sorted(results)] for results in found]


@dataclass(frozen=True, slots=True)
class _Job:
    """Orders that are loaded one after the other, each with its place in its group."""

    group: int
    orders: Sequence[tuple[int, Order]]


def _jobs(groups: Sequence[list[Order] | S3Error]) -> Iterator[_Job]:
    for number, group in enumerate(groups):
        placed = [] if isinstance(group, S3Error) else list(enumerate(group))
        if placed and placed[0][1].concat and placed[0][1].reading.rows is not None:
            yield _Job(number, placed)
        else:
            yield from (_Job(number, [one]) for one in placed)


class _Loads:
    """Loads the orders of one call, some at once."""

    def __init__(self, monitor_of: Callable[[Order], Monitor]) -> None:
        self._monitor_of = monitor_of
        self._pool: Pool | None = None
        self._stopped: dict[str, S3Error] = {}

    async def job(self, orders: Sequence[tuple[int, Order]]) -> dict[int, Loaded | S3Error]:
        """Return what `orders` gave, by place; of tables that become one, no more than the rows that are wanted."""
        found: dict[int, Loaded | S3Error] = {}
        left = orders[0][1].reading.rows if orders[0][1].concat else None
        for place, order in orders:
            result = await self._one(order if left is None else _with_rows(order, left))
            found[place] = result
            if left is not None and isinstance(result, Loaded):
                left -= len(result.value)
                if left <= 0:
                    break
        return found

    async def _one(self, order: Order) -> Loaded | S3Error:
        monitor = self._monitor_of(order)
        if (error := self._stopped.get(order.uri.bucket)) is not None:
            return error
        self._pool = self._pool or Pool(order.settings)  # which is the same for all of a call
        portion = self._pool.portion(order.listed_size)
        try:
            loaded = await aload_one(order, monitor, portion)
        except LoadCancelledError:
            raise
        except S3Error as exc:
            if isinstance(exc, (CredentialsError, EndpointError)):
                self._stopped[order.uri.bucket] = exc
            return exc.with_traceback(None)  # its frames would keep what had come of the object
        finally:
            portion.end()
        monitor.phase("loaded")  # others may go on for long
        return loaded


def _with_rows(order: Order, rows: int) -> Order:
    return replace(order, reading=replace(order.reading, rows=rows))


def gathered(
    wanted: Sequence[Order],
    labels: Sequence[str],
    groups: Sequence[list[Order] | S3Error],
    results: Results,
) -> Gathered:
    """Return the values of the targets `wanted`, each called by its label in an error.

    Args:
        wanted: What the call asked for.
        labels: Names for them.
        groups: What `amatching_each` gave for each.
        results: What `aload_each` gave for them.

    Raises:
        PartialLoadError: Some failed, and none is to be skipped; or the one error of one target.
    """
    each = [_of_target(*one) for one in zip(wanted, groups, results, strict=True)]
    failed = {label: one.error for label, one in zip(labels, each, strict=True) if one.error is not None}
    values = {label: one.value for label, one in zip(labels, each, strict=True) if one.error is None}
    total = max(sum(map(len, results)), len(wanted))
    if failed and (len(wanted) == 1 or not wanted[0].skips_errors or not values):
        raise next(iter(failed.values())) if len(wanted) == 1 else _error(values, failed)
    skipped = {key: error for one in each for key, error in one.left_out.items()}
    return Gathered([one.value for one in each], failed | skipped, total)


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: Any = None
    error: S3Error | None = None
    left_out: Mapping[str, S3Error] = field(default_factory=dict)


def _of_target(order: Order, group: list[Order] | S3Error, results: list[Loaded | S3Error]) -> _Outcome:
    if isinstance(group, S3Error):
        return _Outcome(error=group)
    found = list(zip(group, results, strict=False))  # where there are enough rows, the last are not loaded
    if [one.uri for one in group] == [order.uri]:
        only = found[0][1]
        if isinstance(only, S3Error):
            return _Outcome(error=only)
        if not order.concat:
            return _Outcome(only.value)
    values = {one.uri.key: result.value for one, result in found if isinstance(result, Loaded)}
    failed = {one.uri.key: result for one, result in found if isinstance(result, S3Error)}
    if failed and not (order.skips_errors and values):
        return _Outcome(error=_error(values, failed))
    if not order.concat:
        return _Outcome(values, left_out=failed)
    try:
        return _Outcome(concatenated(values, order.key_column), left_out=failed)
    except S3Error as exc:
        return _Outcome(error=exc)


def _error(values: Mapping[str, Any], failed: Mapping[str, S3Error]) -> S3Error:
    """Return the one error for `failed`: their own, where all failed of what concerns none of them alone."""
    first = next(iter(failed.values()))
    if not values and isinstance(first, (CredentialsError, EndpointError)):
        return first
    error = PartialLoadError(_failures_text(failed, len(values) + len(failed), "not loaded") + _way_on(len(values)))
    error.values, error.errors = dict(values), dict(failed)
    return error


def left_out_text(failed: Mapping[str, S3Error], total: int) -> str:
    """Return in words which of `total` objects were left out, and why."""
    return _failures_text(failed, total, "left out")


def not_read(failed: Mapping[str, S3Error], total: int) -> PartialLoadError:
    """Return the error at the end of an iteration over `total` objects, of which some could not be read to the end."""
    way_on = (
        "\nThe items of the others were given. To leave out what fails: --errors skip." if len(failed) < total else ""
    )
    error = PartialLoadError(_failures_text(failed, total, "not read to the end") + way_on)
    error.values, error.errors = {}, dict(failed)
    return error


def _failures_text(failed: Mapping[str, S3Error], total: int, how: str) -> str:
    lines = [f"  {visible(name, most=120)}: {error.said}" for name, error in list(failed.items())[:_SHOWN]]
    if len(failed) > _SHOWN:
        lines.append(f"  ... and {len(failed) - _SHOWN:,} more")
    return "\n".join([f"{len(failed):,} of {total:,} were {how}:", *lines])


def _way_on(loaded: int) -> str:
    if not loaded:
        return ""
    return (
        f"\nThe other {loaded:,} are in the error's .values (in a notebook: sys.last_value.values), failures in "
        ".errors. To leave out what fails: --errors skip"
    )
