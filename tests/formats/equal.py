"""What it means that a value is the one that was stored, whatever it is."""

from __future__ import annotations

import numpy as np
import pandas as pd


def assert_equal(value: object, expected: object) -> None:
    """Fail unless `value` is what `expected` is: a frame, an array, a dict of arrays under ``a``, or anything else."""
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(value, expected)
    elif isinstance(expected, np.ndarray) or (isinstance(expected, dict) and "a" in expected):
        np.testing.assert_equal(value, expected)
    else:
        assert value == expected
