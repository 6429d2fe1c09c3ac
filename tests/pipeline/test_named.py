"""How errors of stages that see only bytes name the object, so that what they propose can be copied."""

from __future__ import annotations

import pytest

from aios3_nb.address import S3Uri
from aios3_nb.errors import BlockedPickleError, FormatError, S3Error
from aios3_nb.formats.pickle.find import blocked_text
from aios3_nb.pipeline.named import named


def told(error: S3Error, key: str) -> str:
    with pytest.raises(type(error)) as caught, named(S3Uri("b", key)):
        raise error
    return caught.value.said


def test_the_ways_past_a_blocked_pickle_are_ready_to_paste() -> None:
    text = told(BlockedPickleError(blocked_text(["a.C"])), "models/k.pkl")
    assert text.startswith("s3://b/models/k.pkl: needs 1 name that is not on the safe list")
    assert "  %s3load s3://b/models/k.pkl --allow a.C " in text
    assert "  %s3load s3://b/models/k.pkl --trust " in text
    assert "  or trust s3://b/models/ in ~/.config/aios3_nb.toml: " in text


def test_an_address_is_quoted_as_a_line_takes_it_and_a_prefix_is_not() -> None:
    text = told(BlockedPickleError(blocked_text(["a.C"])), "a b/k.pkl")
    assert "%s3load 's3://b/a b/k.pkl' --trust" in text
    assert "trust s3://b/a b/ in" in text


def test_the_line_of_python_that_goes_on_has_the_object_in_it() -> None:
    text = told(FormatError("It is HDF5. Open it with: h5py.File(aios3_nb.open(URI))"), "it's.h5")
    assert text.endswith("""h5py.File(aios3_nb.open("s3://b/it's.h5"))""")


def test_an_error_that_has_its_object_is_left_alone() -> None:
    assert told(FormatError("%s3load URI --trust", uri="s3://other/k"), "k") == "%s3load URI --trust"
