"""The magics in a real JupyterLab in a real browser: what users see and press."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from lab import Lab

pytestmark = pytest.mark.browser


def test_a_load_shows_one_line_and_binds(lab: Lab, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="rows.pkl", Body=pickle.dumps([1, 2, 3]))
    book = lab.open("%load_ext aios3_nb", f"m = %s3load s3://{bucket}/rows.pkl", "m")
    assert book.run(0).all == []
    assert book.run(1).text.startswith("rows.pkl: ")
    book.expect(1, "CRC32 ok")
    assert book.run(2).text == "[1, 2, 3]"
