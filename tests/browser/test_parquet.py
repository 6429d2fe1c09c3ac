"""A look into a Parquet file shows its first rows, and makes no more of it than its pages say."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from aios3_nb.browser.parquet import parquet_preview
from aios3_nb.pipeline.peek import RangedFile, TooMuchError
from tests.formats.test_expanded import counted, lying, parquet


def preview(data: bytes, most: int = 1 << 20):
    return parquet_preview(RangedFile(lambda start, stop: data[start:stop], len(data), most=most), len(data))


def test_first_rows_are_shown_and_not_the_pages_behind_them():
    seen = preview(parquet(np.arange(300_000.0), use_dictionary=False, compression="none"), most=300_000)
    assert [row[0] for row in seen.table] == ["c", *(f"{n}.0" for n in range(50))]


def test_first_rows_of_lists_are_shown():
    seen = preview(parquet(pa.array([[n, n + 1] for n in range(200_000)])))
    assert seen.table[2] == ("[1, 2]",)
    assert len(seen.table) == 51


@pytest.mark.parametrize("encoding", ["PLAIN", "RLE_DICTIONARY"])
def test_a_small_file_that_would_become_large_shows_its_columns_alone(encoding):
    """The preview of 1.8 KB took 12 s and 989 MB: its footer said that there was little."""
    texts = pa.array([f"{n}{'x' * 1_000_000}" for n in range(100)])
    options = {"use_dictionary": encoding != "PLAIN", "data_page_size": 1 << 30, "dictionary_pagesize_limit": 1 << 30}
    data = lying(parquet(texts, **options))
    assert len(data) < 100_000
    with counted() as pool:
        seen = preview(data)
    assert seen.table == ()
    assert seen.pairs == (("c", "string"),)
    assert "too much memory" in seen.note
    assert pool.max_memory() < 5_000_000


def test_one_whose_footer_alone_is_too_long_is_not_read():
    with pytest.raises(TooMuchError):
        preview(parquet(np.arange(9)), most=100)
