"""Some columns of a Parquet file: its footer says where they are, and no more than they is fetched."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any, BinaryIO

from aios3_nb.formats.expansion import ExpansionLimit
from aios3_nb.formats.pages import check_parquet
from aios3_nb.formats.shape import check_columns

Range = tuple[int, int]


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
    places = [n for n in range(about.num_columns) if about.schema.column(n).path.partition(".")[0] in names]
    size = file.seek(0, 2)
    ranges = [_of_chunk(about.row_group(group).column(n)) for group in range(about.num_row_groups) for n in places]
    footer = max(0, size - about.serialized_size - 8), size
    memory = _filled(file, size, [*ranges, footer])
    whole = pq.ParquetFile(pa.py_buffer(memory), metadata=about)
    check_parquet(memory, whole, limit, places)
    return whole.read(columns=list(names)).select(list(names))


def _of_chunk(chunk: Any) -> Range:
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        start = min(start, chunk.dictionary_page_offset)
    return start, start + chunk.total_compressed_size


def _filled(file: BinaryIO, size: int, ranges: Sequence[Range]) -> memoryview:
    """Return memory as long as the file, of which only `ranges` are filled; the rest is there in name only."""
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
