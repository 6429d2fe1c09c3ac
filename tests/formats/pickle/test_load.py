"""`load` and `iterate`: the values of `pickle.load`, where the file is left, and what is refused how."""

from __future__ import annotations

import gc
import gzip
import io
import pickle
import pickletools
import struct
import warnings
from fractions import Fraction

import pytest

from aios3_nb.errors import (
    BlockedPickleError,
    DownloadError,
    FormatError,
    MissingPackageError,
    OptionError,
    TruncatedError,
)
from aios3_nb.formats.pickle import iterate_pickles, load_pickle
from aios3_nb.formats.pickle.find import blocked_text
from tests.dripping import Dripping
from tests.formats.pickle import objects as pickle_objects


def opened(data: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(data))


class Outside:
    """A class that is on no list."""

    def __init__(self, value=1):
        self.value = value

    def __eq__(self, other):
        return type(other) is Outside and self.value == other.value

    class Inner:
        """A class inside a class."""


OUTSIDE = f"{__name__}.Outside"


@pytest.mark.parametrize("library", pickle_objects.TABLES)
def test_ordinary_objects_load_as_the_standard_unpickler_loads_them(library):
    table = pickle_objects.TABLES[library]()
    # A model's pickle at protocols 2 and 4 already has all that its others have.
    protocols = (2, 4) if library == "sklearn" else range(6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for what, value in table.items():
            for protocol in protocols:
                try:
                    data = pickle.dumps(value, protocol)
                except (TypeError, pickle.PicklingError):
                    continue  # a few numpy and re things have no pickle of the oldest protocols
                loaded = load_pickle(opened(data))
                assert type(loaded) is type(value), (what, protocol)
                # The same bytes again: the same values, types, and objects shared at the same places.
                assert pickle.dumps(loaded, 4) == pickle.dumps(pickle.loads(data), 4), (what, protocol)


def framed(data: bytes, size: int) -> bytes:
    """Return `data` behind the head of a frame of `size` bytes."""
    return b"\x95" + size.to_bytes(8, "little") + data


@pytest.mark.parametrize("more", [1, 17 << 20, 1 << 40])
@pytest.mark.parametrize("nested", [False, True])
def test_a_pickle_that_ends_before_its_frame_is_refused_as_python_does(nested, more):
    def written(size: int) -> bytes:
        data = framed(b"K\x01.", size)
        return b"\x80\x04" + (framed(data, len(data)) if nested else data)

    assert load_pickle(opened(written(3))) == pickle.loads(written(3)) == 1
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(written(3 + more))
    with pytest.raises(FormatError):
        load_pickle(opened(written(3 + more)))


def test_a_frame_that_crosses_the_end_of_the_one_around_it_is_refused():
    inner = framed(b"K\x01K\x020.", 6)
    assert load_pickle(opened(b"\x80\x04" + framed(inner, len(inner)))) == 1
    for shorter in range(1, len(inner)):
        with pytest.raises(FormatError):
            load_pickle(opened(b"\x80\x04" + framed(inner, len(inner) - shorter)))


def test_a_pickle_of_many_frames_loads_as_the_standard_unpickler_loads_it():
    import numpy as np

    rows = [{"id": i, "name": f"user {i}", "score": i / 7, "text": "b\x93\x94\u2013" * (i % 300)} for i in range(5000)]
    value = [rows, np.arange(3.0), rows[:3000], Fraction(1, 3), [Fraction(i, 7) for i in range(5000)], b"x" * 100_000]
    for protocol in range(6):
        data = pickle.dumps(value, protocol)
        for file in (opened(data), Dripping(data, 1000)):
            loaded = load_pickle(file)
            assert pickle.dumps(loaded, 4) == pickle.dumps(pickle.loads(data), 4)


def test_a_pickle_without_memo_loads_too():
    data = pickletools.optimize(
        pickle.dumps([["x" * 100] * 2000, Fraction(1, 3), [f"{i}" * 50 for i in range(3000)]], 4)
    )
    assert load_pickle(opened(data)) == pickle.loads(data)


def test_a_name_that_shows_late_in_an_unread_pickle_is_read_again_carefully():
    late = pickle.dumps([["x" * 1000 for _ in range(300)], Fraction(1, 3)], 2)
    assert load_pickle(opened(late)) == pickle.loads(late)
    # A frame that names a class the way no pickler does: escaped, and not remembered.
    hidden = b"V\\u0066ractions\nV\\u0046raction\n\x93(X\x03\0\0\x001/3tR."
    frames = b"\x80\x04" + b"".join(b"\x95" + struct.pack("<Q", len(part)) + part for part in (b"N0", hidden))
    assert load_pickle(opened(frames)) == Fraction(1, 3)
    with pytest.raises(FormatError, match="a second time"):
        load_pickle(Unseekable(frames))


class Unseekable(Dripping):
    def __init__(self, data):
        super().__init__(data, len(data))

    def seekable(self):
        return False


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_the_file_is_left_right_behind_the_pickle(protocol, chunk):
    values = [{"a": [1, "b" * 300, 2.5]}, Fraction(1, 3), b"y" * 70_000, None]
    data = b"".join(pickle.dumps(value, protocol) for value in values) + b"the rest"
    file = Dripping(data, chunk)
    assert [load_pickle(file) for _ in values] == values
    assert file.read() == b"the rest"


def test_iterate_yields_pickles_in_a_row_to_a_clean_end():
    data = b"".join(pickle.dumps(n) for n in range(5))
    assert list(iterate_pickles(opened(data))) == [0, 1, 2, 3, 4]
    assert list(iterate_pickles(opened(b""))) == []


def test_iterate_says_where_it_was_cut_after_the_last_whole_pickle():
    whole = pickle.dumps([1, 2, 3]) + pickle.dumps("second")
    items = iterate_pickles(opened(whole[:-3]))
    assert next(items) == [1, 2, 3]
    with pytest.raises(TruncatedError) as caught:
        next(items)
    assert caught.value.offset == len(whole) - 3


def test_iterate_lets_the_collector_run_between_items():
    items = iterate_pickles(opened(pickle.dumps(1) * 2))
    next(items)
    assert gc.isenabled()


CUT = [{"a": [1, 2.5, "text", b"bytes", 2**70]}, Fraction(1, 3), [[("x" * 300,)]], {"t": (None, True), "s": {1, 2}}]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", CUT, ids=range(len(CUT)))
@pytest.mark.parametrize("trust", [False, True])
def test_a_pickle_cut_at_any_byte_is_truncated_and_never_another_value(protocol, value, trust):
    data = pickle.dumps(value, protocol)
    for end in range(len(data)):
        with pytest.raises((TruncatedError, FormatError)) as caught:
            load_pickle(opened(data[:end]), trust=trust)
        # A cut line of text can be a wrong number; all else is told from garbage.
        if protocol > 1 and not trust:
            assert isinstance(caught.value, TruncatedError), end
            assert caught.value.offset == end
        assert caught.value.offset is not None


def test_a_cut_array_says_at_which_byte():
    import numpy as np

    data = pickle.dumps(np.zeros(100_000), 5)
    with pytest.raises(TruncatedError) as caught:
        load_pickle(opened(data[:-400_000]))
    assert caught.value.offset == len(data) - 400_000


@pytest.mark.parametrize(
    ("garbage", "offset"),
    [
        (b"\x80\x04\x95\x03\0\0\0\0\0\0\0NN\xff.", 2),
        (b"\x80\x04\xff.", 2),
        (b"hello world", 0),
        (b"\x80\x09N.", 0),
        (b"\0" * 50, 0),
    ],
)
def test_garbage_is_an_error_with_its_place(garbage, offset):
    with pytest.raises(FormatError) as caught:
        load_pickle(opened(garbage))
    assert caught.value.__cause__ is not caught.value
    assert not isinstance(caught.value, TruncatedError)
    assert caught.value.offset == offset


class Failing(io.RawIOBase):
    """A file whose download breaks behind its first bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data, self._data = self._data, b""
        if not data:
            raise DownloadError("It broke.")
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize("trust", [False, True])
def test_what_fails_in_the_file_comes_through_as_it_is(trust):
    broken = io.BufferedReader(Failing(pickle.dumps(list(range(100)))[:50]))
    with pytest.raises(DownloadError, match=r"It broke\.") as caught:
        load_pickle(broken, trust=trust)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (gzip.compress(b"x"), "gzip"),
        (b"PK\x03\x04", r"torch\.load"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", r"torch\.load"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x93NUMPY\x01\0", r"numpy\.load"),
        (b"\x78\x9cabc", r"joblib\.load"),
        (b"<!DOCTYPE html>", "HTML"),
        (b'{"a": 1}', "JSON"),
    ],
)
def test_what_is_no_pickle_is_named_with_what_to_do(data, says):
    with pytest.raises(FormatError, match=says):
        load_pickle(opened(data))


def test_a_joblib_dump_is_told_from_a_pickle():
    import joblib
    import numpy as np

    file = io.BytesIO()
    joblib.dump({"a": np.zeros(3)}, file)
    with pytest.raises(FormatError, match=r"joblib\.load"):
        load_pickle(opened(file.getvalue()))


# What is refused, and the ways on.


def test_all_blocked_names_come_at_once_sorted_and_nothing_is_built():
    names = [f"package_{i}.module" for i in range(3)]
    data = b"\x80\x02]" + b"".join(f"c{name}\nClass\n)\x81a".encode("latin1") for name in reversed(names)) + b"."
    with pytest.raises(BlockedPickleError) as caught:
        load_pickle(opened(data))
    assert caught.value.names == tuple(f"{name}.Class" for name in names)
    assert ",".join(caught.value.names) in caught.value.said
    assert caught.value.offset == data.index(b"Class")


def test_blocked_names_far_apart_come_together():
    filler = ["x" * 500 for _ in range(1500)]
    parts = [Outside(1), filler, b"y" * 3_000_000, Outside.Inner()]
    for protocol in (2, 4, 5):
        data = pickle.dumps([filler, *parts] if protocol == 4 else parts, protocol)
        with pytest.raises(BlockedPickleError) as caught:
            load_pickle(opened(data))
        inner = "builtins.getattr" if protocol == 2 else f"{OUTSIDE}.Inner"
        assert OUTSIDE in caught.value.names
        assert protocol == 2 or inner in caught.value.names


def test_the_search_for_further_names_skips_long_strings_and_is_bounded():
    data = pickle.dumps(
        [Outside(1), b"y" * 50_000_000, Outside.Inner(), ["z" * 1000] * 1, list(map(str, range(10**6)))], 4
    )
    file = Counting(data)
    with pytest.raises(BlockedPickleError) as caught:
        load_pickle(file)
    assert caught.value.names == (OUTSIDE, f"{OUTSIDE}.Inner")
    assert file.taken < 5_000_000


class Counting(Dripping):
    taken = 0

    def __init__(self, data):
        super().__init__(data, 100_000)

    def read(self, size=-1):
        data = super().read(size)
        self.taken += len(data)
        return data


def test_the_message_has_the_ways_on():
    assert blocked_text((OUTSIDE, "email.b.C")) == (
        "needs 2 names that are not on the safe list; nothing of it was run:\n"
        f"  {OUTSIDE}\n"
        "  email.b.C\n"
        "Loading them runs code. If you trust whoever wrote this file:\n"
        f"  %s3load URI --allow {OUTSIDE},email.b.C    (exactly these, this once)\n"
        "  %s3load URI --trust    (anything it asks for, this once)\n"
        "  or trust its prefix in ~/.config/aios3_nb.toml: [[trust]] bucket = ..., prefix = ..."
    )


def test_the_message_does_not_offer_allow_for_what_it_does_not_lift():
    message = blocked_text(["os.system"])
    assert "--allow os" not in message
    assert "--allow does not lift os.system." in message
    assert "\x1b" not in blocked_text(["a.\x1b[31m"])


def test_allow_is_exact_and_for_one_call():
    data = pickle.dumps(Outside(7))
    assert load_pickle(opened(data), allow=[OUTSIDE]) == Outside(7)
    with pytest.raises(BlockedPickleError):
        load_pickle(opened(data))
    with pytest.raises(BlockedPickleError):
        load_pickle(opened(data), allow=[f"{OUTSIDE}.Inner"])
    assert type(load_pickle(opened(pickle.dumps(Outside.Inner())), allow=[f"{OUTSIDE}.Inner"])) is Outside.Inner
    nested = pickle.dumps(Outside.Inner(), 2)
    assert type(load_pickle(opened(nested), allow=[OUTSIDE, f"{OUTSIDE}.Inner"])) is Outside.Inner


NEVER = (
    "os.system posix.system builtins.eval builtins.getattr subprocess.Popen importlib.import_module pickle.loads "
    "numpy.load pandas.read_pickle joblib.load a.b.* plain x.__class__.y numpy.core.os.system a.1.b"
)


@pytest.mark.parametrize("name", [*NEVER.split(), "a b.c"])
def test_allow_lifts_neither_what_runs_anything_nor_what_is_not_exact(name):
    with pytest.raises(OptionError):
        load_pickle(opened(pickle.dumps(1)), allow=[name])


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(b"K\x01K\x02\x86", id="no-spline"),
        pytest.param(b"cscipy.interpolate._bsplines\n_BSpline\n)\x81K\x02\x86", id="without-knots"),
        pytest.param(b"cscipy.interpolate._bsplines\n_BSpline\n)\x81\x85", id="alone"),
        pytest.param(b"}\x8c\x0c_delegate_tocscipy.interpolate._bsplines\nBSpline\n)\x81s", id="as-an-attribute"),
    ],
)
def test_a_spline_has_no_other_one_within_than_scipys_own_with_its_knots(state):
    data = b"\x80\x04cscipy.interpolate._bsplines\nBSpline\n)\x81" + state + b"b."
    # Before scipy 1.18 there is no inner one.
    with pytest.raises((FormatError, MissingPackageError), match=r"not known to be safe|does not have"):
        load_pickle(opened(data))


def test_allow_does_not_take_a_name_for_something_defined_elsewhere():
    data = b"\x80\x02cstatistics\nDecimal\n)R."
    with pytest.raises(BlockedPickleError, match="another name of"):
        load_pickle(opened(data), allow=["statistics.Decimal"])


def test_trust_loads_anything():
    assert load_pickle(opened(pickle.dumps(Outside(3))), trust=True) == Outside(3)
    assert list(iterate_pickles(opened(pickle.dumps(Outside(3)) * 2), trust=True)) == [Outside(3)] * 2


def test_a_missing_package_is_named_with_its_install_line_before_the_download(monkeypatch):
    from aios3_nb.formats.pickle import find

    monkeypatch.setattr(find.importlib.util, "find_spec", lambda package: None if package == "sklearn" else object())
    data = b"\x80\x02csklearn.dummy\nDummyClassifier\n)\x81" + b"B\xff\xff\xff\x7f"
    with pytest.raises(MissingPackageError, match="pip install scikit-learn"):
        load_pickle(opened(data))


def test_a_name_that_the_installed_version_lacks_asks_for_another_version():
    data = b"\x80\x02csklearn.ensemble._gb_losses\nBinomialDeviance\n)\x81."
    with pytest.raises((MissingPackageError, BlockedPickleError)):
        load_pickle(opened(data))


def test_what_a_name_stands_for_is_the_thing_itself_also_where_calls_of_it_are_looked_at():
    import numpy as np

    values = [np.dtype, np.ndarray, np.float64, bytearray, getattr]
    assert load_pickle(opened(pickle.dumps(values))) == values


def test_an_error_of_the_file_passes_as_it_is():
    class Broken(Dripping):
        def read(self, size=-1):
            raise ConnectionResetError("gone")

    with pytest.raises((ConnectionResetError, FormatError)):
        load_pickle(Broken(pickle.dumps(["x" * 100_000] * 3), 10))


def test_the_collector_is_paused_while_loading_and_on_again_after_an_error():
    seen = []

    class Watching(Dripping):
        def read(self, size=-1):
            seen.append(gc.isenabled())
            return super().read(size)

    load_pickle(Watching(pickle.dumps([1, 2, 3]), 100))
    assert seen
    assert not any(seen)
    assert gc.isenabled()
    with pytest.raises(FormatError):
        load_pickle(opened(b"\xff\xff"))
    assert gc.isenabled()


# Pickles of Python 2: 8-bit strings.

PYTHON2 = b"\x80\x02}q\x00U\x04dataq\x01U\x03\xe9t\xe9s."
"""``{"data": "\\xe9t\\xe9"}``, as Python 2 writes it."""


@pytest.mark.parametrize("trust", [False, True])
def test_eight_bit_strings_of_python_2_are_decoded_as_the_call_says(trust):
    assert load_pickle(opened(PYTHON2), encoding="latin1", trust=trust) == {"data": "\xe9t\xe9"}
    assert load_pickle(opened(PYTHON2), encoding="bytes", trust=trust) == {b"data": b"\xe9t\xe9"}
    rows = iterate_pickles(opened(PYTHON2 * 3), encoding="cp1252", trust=trust)
    assert list(rows) == [{"data": "\xe9t\xe9"}] * 3


@pytest.mark.parametrize("trust", [False, True])
def test_eight_bit_strings_that_are_not_ascii_say_which_encoding_to_pass(trust):
    with pytest.raises(FormatError, match="encoding='latin1'"):
        load_pickle(opened(PYTHON2), trust=trust)
    with pytest.raises(FormatError, match="encoding='latin1'"):
        list(iterate_pickles(opened(PYTHON2), trust=trust))


# --allow is for classes: state, and no code of the pickle's choosing.


class Program:
    """Starts something when it is called."""

    ran = False

    def __init__(self, *_):
        Program.ran = True


def run_program():
    """A function."""
    Program.ran = True


class Called:
    def __init__(self, function, args):
        self.reduced = (function, args)

    def __reduce__(self):
        return self.reduced


def test_an_allowed_class_is_never_called_with_arguments():
    name = f"{__name__}.Program"
    with pytest.raises(BlockedPickleError, match="trust=True"):
        load_pickle(opened(pickle.dumps(Called(Program, ("x",)))), allow=[name])
    assert not Program.ran
    made = load_pickle(opened(b"\x80\x02c" + f"{__name__}\nProgram\n".encode() + b")\x81."), allow=[name])
    assert type(made) is Program
    assert not Program.ran


@pytest.mark.parametrize("name", [f"{__name__}.run_program", "uuid._get_command_stdout", "pathlib.Path.unlink"])
def test_a_function_takes_trust(name):
    module, _, function = name.rpartition(".")
    if name.startswith("pathlib"):
        module, function = "pathlib", "Path.unlink"
    data = b"\x80\x04\x8c" + bytes([len(module)]) + module.encode() + b"\x8c" + bytes([len(function)])
    data += function.encode() + b"\x93)R."
    with pytest.raises(BlockedPickleError, match="trust=True"):
        load_pickle(opened(data), allow=[name])
    assert not Program.ran
    with pytest.raises(BlockedPickleError) as caught:
        load_pickle(opened(data))
    assert "allow does not lift" in str(caught.value)
    assert f"{name}']" not in str(caught.value)


def test_indexes_of_pandas_1_load_as_what_took_their_place():
    import numpy as np
    import pandas as pd

    index = pd.Index(np.arange(3), name="n")
    data = pickle.dumps(index, 2).replace(b"cpandas\nIndex\n", b"cpandas.core.indexes.numeric\nInt64Index\n")
    assert b"Int64Index" in data
    pd.testing.assert_index_equal(load_pickle(opened(data)), index)
    pd.testing.assert_index_equal(load_pickle(opened(data), trust=True), index)


@pytest.mark.parametrize(
    ("home", "trust"),
    [("pandas._libs.tslibs.timestamps", False), ("pandas._libs.tslibs.timestamps", True), ("pandas", False)],
)
def test_timestamps_of_pandas_1_keep_their_zone(home, trust):
    import pandas as pd

    value = (1704067200 * 10**9).to_bytes(8, "little")
    name = f"c{home}\nTimestamp\n".encode()
    zone = b"cdatetime\ntimezone\ncdatetime\ntimedelta\nK\0K\0K\0\x87R\x85R"
    data = (
        b"\x80\x02(" + name + b"\x8a\x08" + value + b"N" + zone + b"\x87R" + name + b"\x8a\x08" + value + b"NN\x87Rt."
    )
    loaded = load_pickle(io.BufferedReader(io.BytesIO(data)), trust=trust)
    assert loaded == (pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-01"))
