"""Pickles of whom the user trusts: unpickled as `pickle.load` does, and what has moved since is found."""

from __future__ import annotations

import pickle
from typing import Any, BinaryIO

from aios3_nb.formats.imports import importing
from aios3_nb.formats.pickle.find import OtherVersionError, trusted_name
from aios3_nb.formats.pickle.pandas import empty_array
from aios3_nb.formats.pickle.versions import gone_text, installed

_TIMESTAMP = ("pandas._libs.tslibs.timestamps", "Timestamp")
_PERIODS = ("pandas._libs.tslibs.period", "__pyx_unpickle_PeriodMixin")


class _Trusted(pickle.Unpickler):
    """Unpickles whatever it is told to, and finds what has moved since it was written.

    Attributes:
        has_timestamps: Whether it imported the class Timestamp from where pandas up to 2 has it.
    """

    has_timestamps = False

    def find_class(self, module: str, name: str) -> Any:
        self.has_timestamps |= (module, name) == _TIMESTAMP
        if (module, name) == _PERIODS:
            return empty_array
        try:
            home, name_there = trusted_name(module, name)
            with importing(home):
                return super().find_class(home, name_there)
        except (ImportError, AttributeError) as exc:
            if not installed(module):
                raise
            raise OtherVersionError(gone_text([f"{module}.{name}"]), module) from exc


class _TrustedOld(_Trusted):
    """The same, where a Timestamp is called as pandas up to 1.2 wrote it: with value, frequency and zone."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if (module, name) != _TIMESTAMP:
            return found
        return lambda value, freq=None, tz=None: found(value) if tz is None else found(value, tz=tz)


def load_trusted(file: BinaryIO, start: int, encoding: str) -> Any:
    """Return the object of the pickle at `start` of `file`, which stands there.

    Raises:
        OtherVersionError: What it names is not in the installed version of its package.
        Exception: Whatever unpickling raises.
    """
    unpickler = _Trusted(file, encoding=encoding)
    try:
        return unpickler.load()
    except (TypeError, ValueError):
        # Newer ones than pandas 1.2 take that zone for a month.
        if not unpickler.has_timestamps or not file.seekable():
            raise
    file.seek(start)
    return _TrustedOld(file, encoding=encoding).load()
