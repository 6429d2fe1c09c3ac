"""Some columns or rows of a Parquet file: its footer says where they are, and no more than they is fetched."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

from aios3_nb.formats.expansion import ExpansionLimit
from aios3_nb.formats.first import first_rows, groups_of, places_of
from aios3_nb.formats.pages import Pages, Range, check_parquet, range_of
from aios3_nb.formats.shape import check_columns


def read_columns(file: BinaryIO, names: Sequence[str], limit: ExpansionLimit) -> Any:
    """Return the columns `names` of a Parquet file as a table of pyarrow, in this order.

    Raises:
        OptionError: There is none that is called so.
        TooLargeError: They expand to more than `limit`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    about = pq.ParquetFile(file).metadata
    check_columns(names, about.schema.to_arrow_schema().names)
    places = places_of(about, names)
    memory = _filled(file, about, range(about.num_row_groups), places)

    def opened(_: Sequence[Range] = (), dictionaries: Sequence[str] = ()) -> Any:
        return pq.ParquetFile(pa.py_buffer(memory), metadata=about, read_dictionary=list(dictionaries))

    check_parquet(Pages(about, len(memory), _from(memory), opened, places=places), limit)
    return opened().read(columns=list(names)).select(list(names))


def read_rows(file: BinaryIO, names: Sequence[str], rows: int, limit: ExpansionLimit) -> Any:
    """Return the first rows of a Parquet file, of all columns or of some, as a table of pyarrow.

    Raises:
        OptionError: There is no column that is called so.
        TooLargeError: They expand to more than `limit`.
    """
    import pyarrow.parquet as pq

    about = pq.ParquetFile(file).metadata
    there = about.schema.to_arrow_schema().names
    check_columns(names, there)
    names = names or there
    memory = _filled(file, about, groups_of(about, rows), places_of(about, names))
    return first_rows(_from(memory), len(memory), about, rows, limit, columns=names)


def _from(memory: memoryview) -> Callable[[int, int], memoryview]:
    return lambda start, stop: memory[start:stop]


def _filled(file: BinaryIO, about: Any, groups: Iterable[int], places: Sequence[int]) -> memoryview:
    """Return memory as long as the file, in which only these columns and the footer are; of the rest only the name."""
    size = file.seek(0, 2)
    ranges = [range_of(about.row_group(group).column(place)) for group in groups for place in places]
    ranges.append((max(0, size - about.serialized_size - 8), size))
    private = getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0) | getattr(mmap, "MAP_NORESERVE", 0)
    memory = memoryview(mmap.mmap(-1, size, flags=private) if private else mmap.mmap(-1, size))
    within = [(start, stop) for start, stop in ranges if 0 <= start <= stop <= size]  # `check_parquet` refuses others
    for (start, stop), data in zip(within, _read(file, within), strict=True):
        memory[start:stop] = data
    return memory


def _read(file: Any, ranges: Sequence[Range]) -> Sequence[bytes]:
    if hasattr(file, "read_ranges"):  # side by side
        found: Sequence[bytes] = file.read_ranges(ranges)
        return found
    return [_read_one(file, start, stop) for start, stop in ranges]


def _read_one(file: BinaryIO, start: int, stop: int) -> bytes:
    file.seek(start)
    return file.read(stop - start)
