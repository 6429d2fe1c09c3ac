"""Pickles that attack: what an allow-list of names alone lets through, and what it does not.

`ATTACKS` maps a name to a function that makes the bytes. Run as a program this loads one or all of them, each
in a process of its own, and prints a line of JSON for each: how it ended, and what the interpreter was seen to
do meanwhile (audit events), which for every attack has to be nothing.
"""

from __future__ import annotations

import json
import os
import pickle
import pickletools
import struct
import sys
from collections.abc import Callable
from typing import Any

from tests.formats.pickle.attacks.harm import HARMLESS

COMMAND = "touch executed"
ATTACKS: dict[str, Callable[[], bytes]] = {}


def attack(make: Callable[[], bytes]) -> Callable[[], bytes]:
    ATTACKS[make.__name__] = make
    return make


# An assembler of pickles.


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def data(value: bytes) -> bytes:
    return b"C" + bytes([len(value)]) + value


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def name(module: str, qualname: str) -> bytes:
    return text(module) + text(qualname) + b"\x93"


def tuple_of(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def call(function: bytes, *args: bytes) -> bytes:
    return function + tuple_of(*args) + b"R"


def put(index: int) -> bytes:
    return b"q" + bytes([index])


def get(index: int) -> bytes:
    return b"h" + bytes([index])


def dict_of(**items: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def pickled(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


def framed(*frames: bytes) -> bytes:
    return b"\x80\x04" + b"".join(b"\x95" + struct.pack("<Q", len(frame)) + frame for frame in frames)


NONE, TRUE, FALSE, POP = b"N", b"\x88", b"\x89", b"0"
DTYPE = name("numpy", "dtype")
NDARRAY = name("numpy", "ndarray")
RECONSTRUCT = name("numpy._core.multiarray", "_reconstruct")
FROM_BUFFER = name("numpy._core.numeric", "_frombuffer")
SLOT_STATE = tuple_of(NONE, dict_of(__str__=text("patched"), __name__=text("patched"), __qualname__=text("patched")))


def dtype(code: str) -> bytes:
    return call(DTYPE, text(code), FALSE, TRUE)


def dtype_state(*, order: str = "|", names: bytes = NONE, fields: bytes = NONE, size: int = 8, flags: int = 0) -> bytes:
    return tuple_of(number(3), text(order), NONE, names, fields, number(size), number(1), number(flags))


def fields_of(inner: bytes, offset: int = 0) -> dict[str, bytes]:
    return {"names": tuple_of(text("a")), "fields": dict_of(a=tuple_of(inner, number(offset)))}


def built(target: bytes, state: bytes) -> bytes:
    return target + state + b"b"


def object_dtype() -> bytes:
    return built(dtype("O8"), tuple_of(number(3), text("|"), NONE, NONE, NONE, number(-1), number(-1), number(63)))


POINTERS = data(b"\xde\xad\xbe\xef" * 2)

# Names.


@attack
def global_of_protocol_0() -> bytes:
    return f"cos\nsystem\n(S'{COMMAND}'\ntR.".encode()


@attack
def inst() -> bytes:
    return f"(S'{COMMAND}'\nios\nsystem\n.".encode()


@attack
def obj() -> bytes:
    return f"(cos\nsystem\nS'{COMMAND}'\no.".encode()


@attack
def stack_global() -> bytes:
    return pickled(call(name("os", "system"), text(COMMAND)))


@attack
def stack_global_from_memo() -> bytes:
    return pickled(text("system"), b"\x94", text("posix"), get(0), b"\x93", tuple_of(text(COMMAND)), b"R")


@attack
def names_of_python_2() -> bytes:
    return b'c__builtin__\neval\n(S\'__import__("os").system("touch executed")\'\ntR.'


@attack
def commands_of_python_2() -> bytes:
    return f"\x80\x02ccommands\ngetoutput\n(X\x0e\0\0\0{COMMAND}tR.".encode("latin1")


@attack
def newobj_of_a_blocked_class() -> bytes:
    return pickled(name("subprocess", "Popen"), tuple_of(text(COMMAND)), b"\x81")


@attack
def newobj_with_keywords() -> bytes:
    return pickled(name("subprocess", "Popen"), b")", dict_of(args=text(COMMAND), shell=TRUE), b"\x92")


for _module, _name in [
    ("collections", "OrderedDict.__init__.__globals__"),
    ("collections", "_sys.modules"),
    ("fractions", "sys"),
    ("uuid", "_get_command_stdout"),
    ("uuid", "UUID.__init__.__globals__"),
    ("pathlib", "Path.write_text"),
    ("pathlib", "os.system"),
    ("numpy", "load"),
    ("numpy", "fromfile"),
    ("numpy", "memmap"),
    ("numpy._core.multiarray", "_reconstruct.__globals__"),
    ("numpy.testing._private.utils", "runstring"),
    ("pandas", "read_pickle"),
    ("pandas", "eval"),
    ("joblib", "load"),
    ("pickle", "loads"),
    ("torch.storage", "_load_from_bytes"),
    ("builtins", "type"),
    ("builtins", "__import__"),
    ("functools", "partial"),
    ("operator", "attrgetter"),
    ("importlib", "import_module"),
    ("sklearn.utils", "os.system"),
    ("tests_never_imported_this", "x"),
]:
    ATTACKS[f"name {_module}:{_name}"] = lambda module=_module, name_=_name: pickled(
        call(name(module, name_), text(COMMAND))
    )


@attack
def extension_code() -> bytes:
    return pickled(b"\x82\xf0", tuple_of(text(COMMAND)), b"R")


@attack
def extension_code_in_a_frame() -> bytes:
    return framed(b"\x82\xf0" + tuple_of(text(COMMAND)) + b"R.")


@attack
def unregistered_code_in_a_frame() -> bytes:
    return framed(b"\x82\xf0" + tuple_of(text(COMMAND)) + b"R.")


@attack
def persistent_id() -> bytes:
    return pickled(text("anything"), b"Q")


@attack
def persistent_id_in_a_frame() -> bytes:
    return framed(text("anything") + b"Q.")


@attack
def persistent_id_of_protocol_0() -> bytes:
    return b"Panything\n."


@attack
def ask_without_build() -> bytes:
    return framed(name("fractions", "Fraction") + SLOT_STATE + b"\x86Q.")


@attack
def ask_without_build_before_names() -> bytes:
    return framed(b"}" + SLOT_STATE + b"\x86Q.")


@attack
def getattr_of_something_else() -> bytes:
    return pickled(call(name("builtins", "getattr"), name("zoneinfo", "ZoneInfo"), text("from_file")))


@attack
def getattr_of_a_class() -> bytes:
    return pickled(call(name("builtins", "getattr"), name("builtins", "list"), text("__class__")))


@attack
def codec_that_imports() -> bytes:
    return pickled(call(name("_codecs", "encode"), text("x"), text("idna")))


@attack
def reconstructor_with_a_base_of_its_own() -> bytes:
    return pickled(
        call(name("copyreg", "_reconstructor"), name("fractions", "Fraction"), name("fractions", "Fraction"), NONE)
    )


@attack
def state_for_a_partial_made_by_hand() -> bytes:
    return pickled(built(name("builtins", "getattr"), tuple_of(text("x"))))


# BUILD on what is no instance.


@attack
def build_on_a_class() -> bytes:
    return pickled(built(name("fractions", "Fraction"), SLOT_STATE))


@attack
def build_on_a_class_in_a_frame() -> bytes:
    return framed(built(name("fractions", "Fraction"), SLOT_STATE) + b".")


@attack
def build_on_a_class_hidden_in_a_frame() -> bytes:
    hidden = b"V\\u0066ractions\nV\\u0046raction\n\x93"
    return framed(text("x") * 10 + POP * 10, built(hidden, SLOT_STATE) + b".")


@attack
def build_on_a_class_of_an_earlier_frame() -> bytes:
    return framed(name("fractions", "Fraction") + b"\x94", built(get(0), SLOT_STATE) + b".")


@attack
def build_on_a_class_after_plain_frames() -> bytes:
    return framed(NONE + POP, name("fractions", "Fraction") + b"\x94", NONE + POP, built(get(0), SLOT_STATE) + b".")


@attack
def build_on_a_function() -> bytes:
    return pickled(built(name("pandas.core.indexes.base", "_new_Index"), SLOT_STATE))


def _answering(key: str) -> bytes:
    """Return a Bunch, which answers to any attribute by its key."""
    return name("sklearn.utils._bunch", "Bunch") + b")\x81(" + text(key) + dict_of(shape=tuple_of(number(1))) + b"u"


@attack
def codes_of_an_index_that_answer_to_the_interface_of_arrays() -> bytes:
    parts = {
        "levels": b"](" + b"](" + number(1) + b"ee",
        "codes": b"](" + _answering("__array_interface__") + b"e",
        "sortorder": NONE,
        "names": b"](" + NONE + b"e",
    }
    kind = name("pandas.core.indexes.multi", "MultiIndex")
    return pickled(call(name("pandas.core.indexes.base", "_new_Index"), kind, dict_of(**parts)))


@attack
def build_on_a_function_by_dict() -> bytes:
    return pickled(built(name("re", "_compile"), dict_of(__wrapped__=text("x"))))


@attack
def build_of_protocol_2() -> bytes:
    return b"\x80\x02cfractions\nFraction\n(N}X\x07\0\0\0__str__K\x01st" + b"b."


@attack
def build_of_protocol_0() -> bytes:
    return b"cfractions\nFraction\n(N(dV__str__\nI1\nstb."


# Frames that are not what they seem.


@attack
def frame_that_ends_inside_an_opcode() -> bytes:
    inner = b"}" + text("abc")[:3]
    return framed(inner) + b"bc" + b"0."


@attack
def frame_whose_last_string_swallows_what_follows() -> bytes:
    # 20 bytes are what is sent after a frame that passes unread, to see whether it ended between opcodes.
    return framed(b"C\x14") + b"."


@attack
def frame_whose_last_string_shifts_what_follows() -> bytes:
    # One byte more, and the unpickler runs what to whoever looked is the inside of a string: its length is "]".
    inside = name("fractions", "Fraction") + tuple_of(NONE, dict_of(__str__=text("x"), __name__=text("x"))) + b"b."
    return framed(b"C\x15") + b"C]" + inside.ljust(ord("]"), b".")


@attack
def frame_whose_last_bytes_swallow_two() -> bytes:
    return framed(b"C\x02") + b"." * 40


@attack
def frame_beyond_the_end() -> bytes:
    return b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"N."


@attack
def stop_inside_a_frame() -> bytes:
    return framed(b"N." + b"N" * 20)


# dtypes.


@attack
def dtype_with_objects_in_bytes() -> bytes:
    forged = built(dtype("V8"), dtype_state(**fields_of(object_dtype())))
    return pickled(call(FROM_BUFFER, POINTERS, forged, tuple_of(number(1)), text("C")))


@attack
def dtype_with_objects_in_floats() -> bytes:
    forged = built(dtype("f8"), dtype_state(order="<", **fields_of(object_dtype()), size=-1))
    return pickled(call(FROM_BUFFER, POINTERS, forged, tuple_of(number(1)), text("C")))


@attack
def dtype_with_objects_in_text() -> bytes:
    return pickled(built(dtype("U2"), dtype_state(order="<", **fields_of(object_dtype()), size=8, flags=8)))


@attack
def dtype_with_a_far_field() -> bytes:
    return pickled(built(dtype("V8"), dtype_state(**fields_of(dtype("u1"), 1_000_000))))


@attack
def dtype_with_a_field_at_the_end_of_what_numpy_counts() -> bytes:
    """Its offset and size add up to a negative number of 32 bits, and numpy's own constructor makes it."""
    eight = tuple_of(number(3), text("<"), NONE, NONE, NONE, number(-1), number(-1), number(0))
    inner = built(dtype("i8"), eight)
    return pickled(built(dtype("V64"), dtype_state(**fields_of(inner, 2**31 - 1), size=64, flags=16)))


@attack
def dtype_of_floats_that_gets_fields() -> bytes:
    """It stays one of floats; distances of scikit-learn crash when they are given an array of them."""
    eight = tuple_of(number(3), text("<"), NONE, NONE, NONE, number(-1), number(-1), number(0))
    inner = built(dtype("i8"), eight)
    return pickled(built(dtype("f8"), dtype_state(**fields_of(inner), size=32, flags=16)))


@attack
def dtype_of_negative_size() -> bytes:
    return pickled(built(dtype("V8"), dtype_state(size=-8)))


@attack
def dtype_grown_by_its_state() -> bytes:
    return pickled(built(dtype("U2"), dtype_state(order="<", size=4_000_000, flags=8)))


@attack
def dtype_built_twice() -> bytes:
    again = dtype_state(**fields_of(object_dtype()), flags=27)
    return pickled(built(dtype("V8"), dtype_state()), put(9), POP, built(get(9), again))


@attack
def dtype_built_while_in_use() -> bytes:
    array = call(FROM_BUFFER, POINTERS, get(9), tuple_of(number(1)), text("C"))
    state = dtype_state(**fields_of(object_dtype()), flags=27)
    return pickled(dtype("V8"), put(9), POP, array, put(8), POP, built(get(9), state), POP, get(8))


@attack
def dtype_built_while_in_use_without_memo() -> bytes:
    # The dtype lies twice on the stack: a scalar takes one, which forgets its arguments, BUILD the other.
    scalar = name("numpy._core.multiarray", "scalar") + put(1) + POP
    twice = dtype("V8") + b"2"
    called = POINTERS + b"\x86" + put(2) + POP + get(1) + get(2) + b"R" + put(3) + POP + NONE + put(2) + POP
    return pickled(scalar, twice, called, dtype_state(**fields_of(object_dtype()), flags=27), b"b", POP, get(3))


@attack
def record_built_while_in_use() -> bytes:
    record = call(DTYPE, name("numpy", "record"), FALSE, TRUE)
    array = call(NDARRAY, tuple_of(number(1000)), get(9))
    state = dtype_state(**fields_of(dtype_of_bytes()), size=1, flags=16)
    return pickled(record, put(9), POP, array, put(8), POP, built(get(9), state), POP, get(8))


def dtype_of_bytes() -> bytes:
    return built(dtype("u1"), dtype_state(size=-1).replace(number(1) + number(0), number(-1) + number(0)))


@attack
def dtype_from_a_dictionary() -> bytes:
    return pickled(call(DTYPE, dict_of(names=b"]", formats=b"]"), FALSE, TRUE))


@attack
def dtype_from_a_string_of_fields() -> bytes:
    return pickled(call(DTYPE, text("O,O"), FALSE, TRUE))


# Arrays.


@attack
def array_of_objects_from_bytes() -> bytes:
    empty = call(RECONSTRUCT, NDARRAY, tuple_of(number(0)), data(b"b"))
    return pickled(built(empty, tuple_of(number(1), tuple_of(number(1)), object_dtype(), FALSE, POINTERS)))


@attack
def array_with_too_few_bytes() -> bytes:
    empty = call(RECONSTRUCT, NDARRAY, tuple_of(number(0)), data(b"b"))
    return pickled(built(empty, tuple_of(number(1), tuple_of(number(1000)), dtype("u1"), FALSE, POINTERS)))


@attack
def array_with_too_few_objects() -> bytes:
    empty = call(RECONSTRUCT, NDARRAY, tuple_of(number(0)), data(b"b"))
    return pickled(built(empty, tuple_of(number(1), tuple_of(number(2**31 - 1)), object_dtype(), FALSE, b"]")))


@attack
def array_built_twice() -> bytes:
    empty = call(RECONSTRUCT, NDARRAY, tuple_of(number(0)), data(b"b"))
    state = tuple_of(number(1), tuple_of(number(8)), dtype("u1"), FALSE, POINTERS)
    return pickled(built(built(empty, state), state))


@attack
def array_of_gigabytes_to_fill_later() -> bytes:
    return pickled(call(RECONSTRUCT, NDARRAY, tuple_of(number(2**31 - 1)), data(b"d")))


@attack
def scalar_of_object() -> bytes:
    return pickled(call(name("numpy._core.multiarray", "scalar"), object_dtype(), POINTERS))


@attack
def generator_beyond_its_buffer() -> bytes:
    import numpy as np

    honest = pickle.dumps(np.random.MT19937(1), 2)
    assert honest.count(b"posq") == 1
    at = honest.index(b"posq") + 5
    assert honest[at : at + 1] == b"M"
    return honest[: at + 1] + b"\xff\xff" + honest[at + 3 :]


# Memory.


@attack
def bytearray_of_gigabytes() -> bytes:
    return pickled(call(name("builtins", "bytearray"), b"\x8a\x05\x00\xe4\x0b\x54\x02"))


for _code in b"\x8e\x96\x8d":
    ATTACKS[f"string of a terabyte {_code:#x}"] = lambda code=_code: pickled(bytes([code]), struct.pack("<Q", 1 << 40))
for _code in b"BXT":
    ATTACKS[f"string of 4 GB {_code:#x}"] = lambda code=_code: pickled(bytes([code]), struct.pack("<I", 0x7FFF0000))


@attack
def number_of_negative_length() -> bytes:
    return pickled(b"\x8b\xff\xff\xff\xff")


@attack
def memo_of_gigabytes() -> bytes:
    return pickled(NONE, b"r\xff\xff\xff\xff", b"j\xfe\xff\xff\xff")


# What compiled code would believe.


@attack
def sparse_matrix_with_far_indices() -> bytes:
    import numpy as np
    from scipy import sparse

    matrix = sparse.csr_matrix(np.eye(3))
    matrix.indices[1] = 2_000_000
    return pickle.dumps(matrix)


@attack
def sparse_matrix_with_far_pointers() -> bytes:
    import numpy as np
    from scipy import sparse

    matrix = sparse.csc_array(np.eye(3))
    matrix.indptr[1:] = 2_000_000
    return pickle.dumps(matrix)


@attack
def sparse_matrix_with_a_far_diagonal() -> bytes:
    """To multiply with it read behind the diagonals: scipy adds the rows to the offset, in 32 bits."""
    return _diagonal((1 << 31) - 1, "i4")


@attack
def sparse_matrix_with_a_diagonal_that_comes_near() -> bytes:
    """To convert it wrote behind an empty array: scipy counts nothing there, and takes the offset's low 32 bits."""
    return _diagonal((1 << 32) + 1, "i8")


@attack
def sparse_matrix_with_a_diagonal_in_bytes() -> bytes:
    """As near ones, but counted in the 8 bits of the offset."""
    return _diagonal(100, "i1", size=120)


def _diagonal(offset: int, dtype: str, size: int = 20) -> bytes:
    import numpy as np
    from scipy import sparse

    matrix = sparse.dia_matrix((np.ones((1, size)), [0]), shape=(size, size))
    matrix.offsets = np.array([offset], dtype)
    return pickle.dumps(matrix)


@attack
def sparse_matrix_changed_after_its_check() -> bytes:
    import numpy as np
    from scipy import sparse

    matrix = sparse.csr_matrix(np.eye(3))
    honest = pickle.dumps([matrix.indices, matrix], 4)
    opcodes = [opcode.name for opcode, _, _ in pickletools.genops(honest)]
    indices = get(opcodes[: opcodes.index("REDUCE") + 1].count("MEMOIZE"))
    # negative(indices, indices): the second is where the result goes.
    without_frame = honest[:2] + honest[11:-1]
    return without_frame + call(name("numpy", "negative"), indices, indices) + b"0."


def _tree() -> Any:
    import numpy as np
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(max_depth=2).fit(np.arange(8.0).reshape(-1, 1), np.arange(8.0))


@attack
def tree_with_far_children() -> bytes:
    tree = _tree().tree_
    tree.children_left[0] = 1_000_000
    return pickle.dumps(tree)


@attack
def tree_with_a_circle() -> bytes:
    tree = _tree().tree_
    tree.children_right[1] = 0
    return pickle.dumps(tree)


@attack
def tree_with_a_far_feature() -> bytes:
    tree = _tree().tree_
    tree.feature[0] = 1_000_000
    return pickle.dumps(tree)


@attack
def tree_with_more_nodes_than_it_has() -> bytes:
    reduced = _tree().tree_.__reduce__()
    reduced[2]["node_count"] = 1_000_000
    return pickle.dumps(_Reduced(reduced))


@attack
def tree_without_a_state() -> bytes:
    """Its first node is asked for all the same, behind a null pointer."""
    model = _tree()
    model.tree_ = _Reduced(model.tree_.__reduce__()[:2])
    return pickle.dumps(model)


@attack
def tree_without_nodes() -> bytes:
    model = _tree()
    reduced = model.tree_.__reduce__()
    state = {key: value[:0] if key in ("nodes", "values") else value for key, value in reduced[2].items()}
    model.tree_ = _Reduced((*reduced[:2], state | {"node_count": 0}))
    return pickle.dumps(model)


@attack
def predictor_with_far_children() -> bytes:
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=1).fit(
        np.arange(30.0).reshape(-1, 1), np.arange(30.0)
    )
    model._predictors[0][0].nodes["left"][0] = 4_000_000
    return pickle.dumps(model)


@attack
def clusters_that_want_more_threads_than_there_can_be() -> bytes:
    """OpenMP ends the process when there is no memory for them."""
    import numpy as np
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(n_clusters=2, n_init=1).fit(np.arange(8.0).reshape(-1, 1))
    model._n_threads = -4
    return pickle.dumps(model)


@attack
def bins_that_want_more_threads_than_there_can_be() -> bytes:
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(max_iter=1).fit(np.arange(30.0).reshape(-1, 1), np.arange(30.0))
    model._bin_mapper.n_threads = 1 << 24
    return pickle.dumps(model)


@attack
def neighbours_with_far_indices() -> bytes:
    import numpy as np
    from sklearn.neighbors import KDTree

    reduced = list(KDTree(np.arange(30.0).reshape(-1, 1)).__reduce__())
    indices = np.array(reduced[2][1])
    indices[0] = 2_000_000
    reduced[2] = (reduced[2][0], indices, *reduced[2][2:])
    return pickle.dumps(_Reduced(tuple(reduced)))


@attack
def neighbours_with_half_of_their_limits() -> bytes:
    import numpy as np
    from sklearn.neighbors import KDTree

    reduced = list(KDTree(np.arange(300.0).reshape(-1, 1)).__reduce__())
    reduced[2] = (*reduced[2][:3], np.array(reduced[2][3])[:1], *reduced[2][4:])
    return pickle.dumps(_Reduced(tuple(reduced)))


ROWS = [[0.0, 1.0], [1.0, 0.0], [3.0, 1.0], [3.0, 2.0], [0.5, 0.5], [2.5, 2.0]]
KINDS = [0, 0, 1, 1, 0, 1]


def _spoilt(model: Any, **attributes: Any) -> bytes:
    """Return the pickle of a model of `ROWS` with other attributes than it learned."""
    vars(model.fit(ROWS, KINDS)).update(attributes)
    return pickle.dumps(model)


@attack
def neighbours_of_fewer_columns() -> bytes:
    from sklearn.neighbors import KNeighborsClassifier

    return _spoilt(KNeighborsClassifier(algorithm="brute"), n_features_in_=20_000_000)


@attack
def neighbours_of_classes_that_there_are_not() -> bytes:
    import numpy as np
    from sklearn.neighbors import KNeighborsClassifier

    return _spoilt(KNeighborsClassifier(algorithm="brute", metric="manhattan"), _y=np.full(len(ROWS), 20_000_000))


@attack
def neighbours_of_fewer_classes_than_rows() -> bytes:
    import numpy as np
    from sklearn.neighbors import RadiusNeighborsClassifier

    return _spoilt(RadiusNeighborsClassifier(algorithm="brute", metric="manhattan"), _y=np.zeros(1, int))


@attack
def clusters_of_fewer_columns() -> bytes:
    from sklearn.cluster import KMeans

    return _spoilt(KMeans(2, n_init=1), n_features_in_=20_000_000)


@attack
def clusters_within_clusters_of_fewer_columns() -> bytes:
    import numpy as np
    from sklearn.cluster import BisectingKMeans

    model = BisectingKMeans(2, random_state=0).fit(ROWS)
    model._bisecting_tree.right.center = np.ones(1)
    return pickle.dumps(model)


@attack
def clusters_with_far_links() -> bytes:
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(min_cluster_size=2, copy=True).fit(ROWS)
    model._single_linkage_tree_["left_node"][0] = 20_000_000
    return pickle.dumps(model)


@attack
def places_that_are_not_looked_at() -> bytes:
    import numpy as np
    from pandas._libs.sparse import IntIndex

    return pickle.dumps(_Reduced((IntIndex, (4, np.array([0, 50_000_000], np.int32), False))))


@attack
def vectors_of_more_classes() -> bytes:
    import numpy as np
    from sklearn.svm import SVR

    return _spoilt(SVR(), _n_support=np.zeros(3000, np.int32))


@attack
def vectors_that_a_kernel_does_not_have() -> bytes:
    import numpy as np
    from sklearn.svm import SVR

    model = SVR().fit(ROWS, KINDS)
    return _spoilt(model, kernel="precomputed", support_=np.full(len(model.support_), 20_000_000, np.int32))


@attack
def sparse_vectors_without_weights() -> bytes:
    from scipy import sparse
    from sklearn.svm import SVC

    model = SVC().fit(sparse.csr_matrix(ROWS), KINDS)
    model._dual_coef_ = sparse.csr_matrix(model._dual_coef_.shape)
    return pickle.dumps(model)


def _booster(categories: Any) -> bytes:
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=1).fit(ROWS, KINDS)
    model._bin_mapper.is_categorical_ = np.array(categories, np.uint8)
    predictor = model._predictors[0][0]
    predictor.nodes["is_categorical"] = 1
    predictor.raw_left_cat_bitsets = predictor.binned_left_cat_bitsets = np.zeros((9, 8), np.uint32)
    return pickle.dumps(model)


@attack
def predictor_of_fewer_columns_of_categories() -> bytes:
    return _booster([])


@attack
def predictor_of_no_categories() -> bytes:
    return _booster([0, 0])


class _Reduced:
    """Pickles as whatever it is given."""

    def __init__(self, reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


@attack
def frame_with_a_block_of_a_billion_rows() -> bytes:
    import numpy as np
    import pandas as pd

    manager = pd.DataFrame(np.zeros((2, 1)))._mgr  # type: ignore[attr-defined]
    block = _Reduced((pd._libs.internals._unpickle_block, (np.zeros((1, 2)), slice(0, 10**9), 2)))
    return pickle.dumps(_Reduced((type(manager), ((block,), [pd.RangeIndex(10**9), pd.RangeIndex(2)]))))


@attack
def array_of_pandas_without_a_state() -> bytes:
    return b"\x80\x02cpandas.arrays\nDatetimeArray\n)\x81."


@attack
def array_of_pandas_without_a_state_in_another() -> bytes:
    return b"\x80\x04]((ipandas.arrays\nCategorical\nK\x01e."


@attack
def neighbours_without_a_state() -> bytes:
    tree = text("sklearn.neighbors._ball_tree") + text("BallTree") + b"\x93"
    return pickled(call(name("sklearn.neighbors._ball_tree", "newObj"), tree))


@attack
def index_of_a_billion_numbers() -> bytes:
    import pandas as pd

    return pickle.dumps(pd.RangeIndex(10**9))


def _arrow(kind: str, length: int, buffers: list[Any], children: list[Any] | None = None) -> bytes:
    import pyarrow as pa

    parts = (_arrow_type(pa, kind), length, 0, 0, [b and pa.py_buffer(b) for b in buffers], children or [], None)
    return pickle.dumps(_Reduced((pa.lib._restore_array, (parts,))))


def _arrow_type(pa: Any, kind: str) -> Any:
    return pa.list_(pa.int8()) if kind == "list" else pa.type_for_alias(kind)


@attack
def arrow_text_with_far_offsets() -> bytes:
    return _arrow("string", 2, [None, struct.pack("<iii", 0, 4, 1_000_000), b"abcd"])


@attack
def arrow_numbers_without_bytes() -> bytes:
    return _arrow("int64", 1_000_000, [None, b"abc"])


@attack
def arrow_text_without_buffers() -> bytes:
    return _arrow("string", 2, [None])


@attack
def arrow_list_of_something_else() -> bytes:
    import pyarrow as pa

    child = (pa.int64(), 1, 0, 0, [None, pa.py_buffer(b"12345678")], [], None)
    return _arrow("list", 1, [None, struct.pack("<ii", 0, 1)], [child])


@attack
def arrow_of_negative_length() -> bytes:
    return _arrow("int8", -5, [None, b"abc"])


# What runs them.


def main(names: list[str]) -> None:
    """Load each attack in a process of its own, in the current directory, and print how it ended."""
    import copyreg

    import numpy
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401
    import scipy.sparse  # noqa: F401
    import sklearn.ensemble
    import sklearn.neighbors  # noqa: F401

    from aios3_nb.formats.pickle import load_pickle

    # What a first load reads and imports is no work of the attack.
    for ordinary in (numpy.zeros(1), b"bytes", numpy.random.MT19937(1), os.system, tuple_of):
        _outcome(load_pickle, pickle.dumps(ordinary, 2))
    for key in names or ATTACKS:
        attacking = ATTACKS[key]()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            if key.startswith("extension"):
                # Only then: with any registered, no frame passes unread.
                copyreg.add_extension("os", "system", 0xF0)
                copyreg._extension_cache[0xF0] = os.system  # type: ignore[attr-defined]
            print(json.dumps({"attack": key, **_outcome(load_pickle, attacking)}), flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps({"attack": key, "status": status}), flush=True)


def _outcome(load: Callable[[Any], Any], attacking: bytes) -> dict[str, Any]:
    import fractions
    import resource

    seen: list[str] = []
    loading = [True]

    def watch(event: str, args: Any) -> None:
        if loading and not event.startswith(HARMLESS):
            seen.append(f"{event} {args!r}"[:200])

    known = set(sys.modules)
    text_of = fractions.Fraction.__str__
    sys.addaudithook(watch)
    try:
        value = _load(load, attacking)
        result = {"error": "", "text": repr(type(value))}
    except BaseException as exc:
        result = {"error": type(exc).__name__, "text": str(exc), "offset": getattr(exc, "offset", None)}
    loading.clear()
    return result | {
        "events": seen,
        "imported": sorted(set(sys.modules) - known),
        "patched": fractions.Fraction.__str__ is not text_of or fractions.Fraction.__name__ != "Fraction",
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _load(load: Callable[[Any], Any], pickled_bytes: bytes) -> Any:
    import io

    return load(io.BufferedReader(io.BytesIO(pickled_bytes)))


if __name__ == "__main__":
    main(sys.argv[1:])
