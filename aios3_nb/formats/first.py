"""The first rows of a Parquet file, of which no more is decoded than was looked at.

What a footer says of rows and bytes is no more than a hint: the pages that the rows are in are followed, and pyarrow is
given a file that has nothing but them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.expansion import ExpansionLimit
from aios3_nb.formats.pages import Pages, Range, check_parquet, range_of
from aios3_nb.formats.ranged import Ranged

_AT_ONCE = 256 * 1024
"""Bytes of a column that are read at once: its first pages, and not the whole of it."""

_TAIL = 8
"""Bytes behind the footer: its length, and the magic."""


def first_rows(
    read: Callable[[int, int], bytes | memoryview],
    size: int,
    about: Any,
    rows: int,
    limit: ExpansionLimit,
    *,
    columns: Sequence[str],
    enough: int | None = None,
) -> Any:
    """Return a table of the first `rows`.

    Args:
        read: Returns the bytes from start to stop.
        size: Of the file.
        about: Its metadata, as pyarrow has them.
        rows: As many, or all when there are fewer.
        limit: What they may expand to.
        columns: The names of those that are wanted.
        enough: Bytes of a column of lists, after which no more of its pages are looked at; see `Pages`.

    Raises:
        TooLargeError: They would take more than `limit`.
        FormatError: The pages cannot be followed.
        Exception: They are not what they say, or of lists more are needed than `enough`; whatever pyarrow raises.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    footer = max(0, size - about.serialized_size - _TAIL), size

    def opened(ranges: Sequence[Range], dictionaries: Sequence[str]) -> Any:
        file = _Part(read, size, [*ranges, footer])
        return pq.ParquetFile(
            file, metadata=about, read_dictionary=list(dictionaries), buffer_size=_AT_ONCE, pre_buffer=False
        )

    groups, places = groups_of(about, rows), places_of(about, columns)
    pages = Pages(about, size, read, opened, groups, places, rows, enough)
    _check_apart([_range(about, group, place) for group in groups for place in places])
    file = opened(check_parquet(pages, limit), ())
    batches, taken, left = file.iter_batches(max(rows, 1), row_groups=groups, columns=list(columns)), [], rows
    while left > 0 and (batch := next(batches, None)) is not None:
        taken.append(batch.slice(0, left))
        left -= batch.num_rows
    return pa.Table.from_batches(taken) if taken else file.schema_arrow.empty_table().select(list(columns))


def places_of(about: Any, columns: Sequence[str]) -> list[int]:
    """Return the numbers of what `columns` consist of: a column of structs or lists has one for each part."""
    starts = tuple(f"{name}." for name in columns)
    paths = [about.schema.column(place).path for place in range(about.num_columns)]
    return [place for place, path in enumerate(paths) if path in columns or path.startswith(starts)]


def groups_of(about: Any, rows: int) -> list[int]:
    """Return the first groups, as many as say that they have so many rows; what they say decides nothing else."""
    groups: list[int] = []
    for group in range(about.num_row_groups):
        if rows <= 0:
            break
        groups.append(group)
        rows -= about.row_group(group).num_rows
    return groups


def _range(about: Any, group: int, place: int) -> Range:
    return range_of(about.row_group(group).column(place))


def _check_apart(ranges: Sequence[Range]) -> None:
    """Refuse columns that overlap: pages of the one that were not looked at could be bytes of the other that were."""
    for (_, stop), (start, _) in itertools.pairwise(sorted(ranges)):
        if start < stop:
            raise FormatError("Its footer names the same pages twice.")


class _Part(Ranged):
    """A file of which only some ranges can be read; what else there is reads as zeros.

    Args:
        read: Returns the bytes from start to stop.
        size: Of the file.
        ranges: That can be read.
    """

    def __init__(self, read: Callable[[int, int], bytes | memoryview], size: int, ranges: Sequence[Range]) -> None:
        super().__init__(size)
        self._read = read
        self._ranges = sorted(ranges)

    def _fill(self, view: memoryview, start: int) -> None:
        view[:] = bytes(len(view))
        for begin, end in self._ranges:
            begin, end = max(begin, start), min(end, start + len(view))
            if begin < end:
                view[begin - start : end - start] = self._read(begin, end)
