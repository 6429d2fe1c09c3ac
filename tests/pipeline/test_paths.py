"""Paths and encodings on their way from a call to the format."""

from __future__ import annotations

import io

import numpy as np
import pytest

import aios3_nb
from tests.faults.server import FaultServer


@pytest.mark.parametrize("key", ["d.json", "d.json.gz", "data"])
def test_a_path_of_another_language_is_refused_before_anything_is_fetched(faulty: FaultServer, key: str) -> None:
    for call in (aios3_nb.load, aios3_nb.iterate):
        with pytest.raises(aios3_nb.OptionError, match=r"/rows/0/id$"):
            call(f"s3://b/{key}", path="$.rows[0].id")
    assert not faulty.requests


def test_an_array_is_loaded_by_whatever_name_it_has(faulty: FaultServer) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **{"$.rows[0]": np.arange(3), "b": np.zeros(3_000_000)})
    faulty.put("b", "a.npz", buffer.getvalue())
    assert list(aios3_nb.load("s3://b/a.npz", path="$.rows[0]")) == [0, 1, 2]


def test_the_line_of_an_error_opens_the_object(faulty: FaultServer) -> None:
    """What an error advises is run as it stands."""
    import pandas as pd

    faulty.put("b", "t.csv", "n\nCafé\n".encode("cp1252"))
    with pytest.raises(aios3_nb.FormatError) as caught:
        aios3_nb.load("s3://b/t.csv")
    line = str(caught.value).rpartition("With its own library: ")[2]
    assert "s3://b/t.csv" in line
    assert list(eval(line, {"pandas": pd, "aios3_nb": aios3_nb})["n"]) == ["Café"]
    assert list(aios3_nb.load("s3://b/t.csv", encoding="cp1252")["n"]) == ["Café"]
