"""What is checked once, since it cannot change afterwards; what still can is checked when the pickle has ended."""

from __future__ import annotations

import io
import pickle
import struct

import numpy as np
import pytest

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle import load_pickle
from tests.formats.pickle.attacks.named import (
    FALSE,
    NDARRAY,
    NONE,
    POP,
    RECONSTRUCT,
    _answering,
    built,
    call,
    data,
    dict_of,
    dtype,
    get,
    name as name_of,
    number,
    pickled,
    put,
    text,
    tuple_of,
)

pytest.importorskip("pandas")
sparse = pytest.importorskip("scipy.sparse")
pytest.importorskip("sklearn")


def loaded(attack: bytes, allow=()):
    return load_pickle(io.BufferedReader(io.BytesIO(attack)), allow=allow)


BYTE = built(dtype("i1"), tuple_of(number(3), text("|"), NONE, NONE, NONE, number(-1), number(-1), number(0)))
LONG = built(dtype("i8"), tuple_of(number(3), text("<"), NONE, NONE, NONE, number(-1), number(-1), number(0)))
EMPTY = call(RECONSTRUCT, NDARRAY, tuple_of(number(0)), data(b"b"))
"""An array that waits for its state."""


def state(content: bytes) -> bytes:
    return tuple_of(number(1), tuple_of(number(len(content))), BYTE, FALSE, data(content))


def array(*numbers: int) -> bytes:
    content = np.array(numbers, "i8").tobytes()
    return built(EMPTY, tuple_of(number(1), tuple_of(number(len(numbers))), LONG, FALSE, data(content)))


def matrix(pointers: bytes, indices: bytes) -> bytes:
    shape = tuple_of(number(2), number(2))
    parts = {"_shape": shape, "indptr": pointers, "indices": indices, "data": indices}
    return built(name_of("scipy.sparse._csr", "csr_matrix") + b")\x81", dict_of(**parts))


NEW_INDEX = name_of("pandas.core.indexes.base", "_new_Index")


def numbers(count: int) -> dict[str, bytes]:
    return {"name": NONE, "start": number(0), "stop": number(count), "step": number(1)}


def labels(count: int) -> bytes:
    return call(NEW_INDEX, name_of("pandas.core.indexes.range", "RangeIndex"), dict_of(**numbers(count)))


def levels(codes: bytes) -> bytes:
    level = name_of("pandas.core.indexes.base", "Index"), dict_of(data=array(7, 8), name=NONE)
    parts = {"levels": b"](" + call(NEW_INDEX, *level) + b"e", "codes": b"](" + codes + b"e"}
    parts |= {"sortorder": NONE, "names": b"](" + NONE + b"e"}
    return call(NEW_INDEX, name_of("pandas.core.indexes.multi", "MultiIndex"), dict_of(**parts))


def frame(axes: bytes, values: bytes, rows: int = 2, blocks: int = 1, first: int = 0) -> bytes:
    place = call(name_of("builtins", "slice"), number(first), number(first + rows), number(1))
    block = call(name_of("pandas._libs.internals", "_unpickle_block"), values, place, number(2))
    manager = name_of("pandas.core.internals.managers", "BlockManager")
    return call(manager, tuple_of(*[block] * blocks), axes, FALSE)  # pandas would compare them itself


def rectangle(columns: int, rows: int = 2) -> bytes:
    content = np.arange(columns * rows).tobytes()
    content = b"B" + len(content).to_bytes(4, "little") + content
    return built(EMPTY, tuple_of(number(1), tuple_of(number(columns), number(rows)), LONG, FALSE, content))


SQUARE = rectangle(2)
COLUMN = name_of("pandas.arrays", "IntegerArray") + b")\x81"

REFUSED = {
    "indices that come after the matrix": (
        EMPTY + put(0) + matrix(array(0, 0, 0), get(0)) + get(0) + state(b"\x7f") + b"b",
        "indices outside",
    ),
    "codes that are no array, after those of an index like it": (
        levels(array(0, 1)) + levels(_answering("__array_interface__")),
        "codes of the type",
    ),
    "an index that is none, after one": (labels(2) + call(NEW_INDEX, NDARRAY, dict_of(**numbers(2))), "parts"),
    "a block of a column without a state": (
        COLUMN + put(0) + frame(b"](" + labels(2) * 2 + b"e", get(0)),
        "not finished",
    ),
    "a frame of fewer labels": (frame(b"](" + labels(2) + b"e", SQUARE), "consistent"),
    "a frame of more rows than labels": (frame(b"](" + labels(2) + labels(1) + b"e", SQUARE), "blocks"),
    "a frame of fewer columns": (frame(b"](" + labels(4) + labels(2) + b"e", SQUARE), "blocks"),
    "a frame of columns at the same places": (frame(b"](" + labels(4) + labels(2) + b"e", SQUARE, blocks=2), "blocks"),
    "a frame of many columns at the same places": (
        frame(b"](" + labels(200) + labels(2) + b"e", rectangle(100), rows=100, blocks=2),
        "blocks",
    ),
    "a frame of columns behind the last": (frame(b"](" + labels(2) * 2 + b"e", SQUARE, first=1), "blocks"),
    "a frame of many columns behind the last": (
        frame(b"](" + labels(100) + labels(2) + b"e", rectangle(100), rows=100, first=1),
        "blocks",
    ),
    "a frame of fewer rows": (frame(b"](" + labels(2) * 2 + b"e", SQUARE, rows=1), "consistent"),
}


@pytest.mark.parametrize(("attack", "why"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_not_there_yet_is_not_checked_for_good(attack, why):
    with pytest.raises(FormatError, match=why):
        loaded(pickled(b"](" + attack + b"e"))


def test_what_the_refused_ones_are_made_of_loads():
    """Or they would be refused for something else."""
    good = (
        EMPTY + put(0) + state(b"\1") + b"b" + POP + b"](" + matrix(array(0, 1, 1), get(0)) + levels(array(0, 1)) + b"e"
    )
    two, index = loaded(pickled(good))
    assert two.toarray().tolist() == [[0, 1], [0, 0]]
    assert index.to_list() == [(7,), (8,)]
    assert loaded(pickled(frame(b"](" + labels(2) * 2 + b"e", SQUARE))).shape == (2, 2)
    wide = frame(b"](" + labels(100) + labels(2) + b"e", rectangle(100), rows=100)
    assert loaded(pickled(wide)).shape == (100, 2)


def test_labels_that_a_pickle_adds_to_are_not_those_of_the_frame():
    grown = (
        b"](" + (b"](" + labels(2) * 2 + b"e" + put(0) + POP + frame(get(0), SQUARE) + get(0) + labels(2) + b"a") + b"e"
    )
    manager, axes = loaded(pickled(grown))
    assert (len(manager.axes), len(axes)) == (2, 3)


def test_trees_that_come_after_their_forest_are_checked():
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.tree import DecisionTreeRegressor

    columns = np.arange(16.0).reshape(-1, 2)
    model = RandomForestRegressor(1).fit(columns, columns[:, 0])
    honest, wide = model.estimators_[0], DecisionTreeRegressor().fit(columns.reshape(4, 4), columns[:4, 0])
    model.estimators_ = []
    without_trees = pickle.dumps([model.estimators_, model], 2)[:-1]

    def with_tree(tree):
        # The list is at place 1 of the memo; what the tree puts there comes after.
        return without_trees + get(1) + pickle.dumps(tree, 2)[2:-1] + b"a0."

    assert len(loaded(with_tree(honest))[1].estimators_) == 1
    with pytest.raises(FormatError, match="columns of a tree"):
        loaded(with_tree(wide))


def test_what_is_no_tree_is_none_of_a_forest():
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import Ridge
    from sklearn.tree import DecisionTreeRegressor

    columns = np.arange(16.0).reshape(-1, 2)
    model = RandomForestRegressor(1).fit(columns, columns[:, 0])
    other = Ridge()
    vars(other).update(vars(model.estimators_[0]))
    model.estimators_ = [other]
    with pytest.raises(FormatError, match="trees of a model"):
        loaded(pickle.dumps(model))
    bare = DecisionTreeRegressor()
    bare.n_features_in_ = 2
    for tree in (None, bare, np.arange(2)):
        bare.tree_ = tree
        model.estimators_ = [bare]
        with pytest.raises(FormatError, match="tree of a model"):
            loaded(pickle.dumps(model))
        del bare.tree_


class Changing:
    """What a user may allow, and what does more than it looks like."""

    def __setstate__(self, state):
        self.changed = state["matrix"]
        self.changed.indices[:] = 99


def test_what_an_allowed_class_may_have_changed_is_checked_again():
    changing = Changing()
    changing.matrix = sparse.csr_matrix(np.eye(3))
    with pytest.raises(FormatError, match="indices"):
        loaded(pickle.dumps(changing), allow=[f"{__name__}.Changing"])


OFFSETS = struct.pack("<iii", 0, 1, 2)


def arrow(offsets: bytes, code: bytes = b"C") -> bytes:
    """Two texts of Arrow; their offsets, of which `code` makes bytes or a bytearray, are at place 7 of the memo."""

    def arrows(name: str, *args: bytes) -> bytes:
        return call(name_of("pyarrow.lib", name), *args)

    size = len(offsets).to_bytes(1 if code == b"C" else 8, "little")
    buffers = arrows("py_buffer", code + size + offsets + put(7)), arrows("py_buffer", data(b"ab"))
    parts = number(2), number(0), number(0), b"](" + NONE + b"".join(buffers) + b"e", b"]", NONE
    return arrows("_restore_array", tuple_of(arrows("type_for_alias", text("string")), *parts))


def test_arrays_of_arrow_are_checked_whatever_waits():
    pytest.importorskip("pyarrow")
    waiting = b"](" + EMPTY + put(0) + b"%b" + get(0) + state(b"\1") + b"be"
    assert loaded(pickled(waiting % arrow(OFFSETS)))[1].to_pylist() == ["a", "b"]
    for far in (struct.pack("<iii", 0, 1, 3), struct.pack("<iii", 0, 2, 1), struct.pack("<iii", -1, 1, 2)):
        with pytest.raises(FormatError, match="Arrow array that is not consistent"):
            loaded(pickled(waiting % arrow(far)))


class Writing:
    """What a user may allow, and what writes into the memory of what was checked."""

    def __setstate__(self, state):
        state["offsets"][4:] = struct.pack("<ii", 1000, 2000)


def test_what_an_allowed_class_wrote_into_is_checked_again():
    pytest.importorskip("pyarrow")
    writing = name_of(__name__, "Writing") + b")\x81" + dict_of(offsets=get(7)) + b"b"
    allow = [f"{__name__}.Writing"]
    with pytest.raises(FormatError, match="Arrow array that is not consistent"):
        loaded(pickled(b"](" + arrow(OFFSETS, b"\x96") + writing + b"e"), allow=allow)


def _far_indices(matrix, tree):
    matrix.indices[1] = len(matrix.indices)
    return matrix


def _negative_indices(matrix, tree):
    matrix.indices[1] = -1
    return matrix


def _far_indices_of_another_order(matrix, tree):
    matrix.indices = matrix.indices.astype(">i4")
    return _far_indices(matrix, tree)


def _far_indices_without_a_sign(matrix, tree):
    matrix.indices = matrix.indices.astype("u8")
    matrix.indices[1] = 2**63
    return matrix


def _fewer_values(matrix, tree):
    matrix.data = matrix.data[1:]
    return matrix


def _indices_in_a_square(matrix, tree):
    matrix.indices = matrix.indices.reshape(-1, 1)
    return matrix


def _far_pointers(matrix, tree):
    matrix.indptr[1:] = len(matrix.indices) + 1
    return matrix


def _falling_pointers(matrix, tree):
    matrix.indptr[1] = 2
    matrix.indptr[2] = 1
    return matrix


def _far_children(matrix, tree):
    tree.children_right[0] = tree.node_count
    return tree


def _a_circle(matrix, tree):
    tree.children_left[1] = 0
    return tree


def _far_left_children(matrix, tree):
    tree.children_left[0] = tree.node_count
    return tree


def _a_circle_on_the_right(matrix, tree):
    tree.children_right[0] = 0
    return tree


def _a_child_so_low_that_a_difference_wraps(matrix, tree):
    inner = np.flatnonzero(tree.children_left != -1)[-1]
    tree.children_left[inner] = -(2**63)
    return tree


def _far_feature(matrix, tree):
    tree.feature[0] = 1
    return tree


def _negative_feature(matrix, tree):
    tree.feature[0] = -1
    return tree


SPOILT = [
    *(_far_indices, _negative_indices, _far_pointers, _falling_pointers),
    *(_far_indices_of_another_order, _far_indices_without_a_sign, _fewer_values, _indices_in_a_square),
    *(_far_children, _a_circle, _far_left_children, _a_circle_on_the_right, _a_child_so_low_that_a_difference_wraps),
    *(_far_feature, _negative_feature),
]


@pytest.mark.parametrize("size", [8, 200])
@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_few_and_many_numbers_are_checked_alike(spoil, size):
    from sklearn.tree import DecisionTreeRegressor

    values = np.arange(float(size))
    matrix, tree = sparse.csr_matrix(np.eye(size)), DecisionTreeRegressor().fit(values.reshape(-1, 1), values).tree_
    honest = loaded(pickle.dumps([matrix, tree]))
    assert honest[0].nnz == size < honest[1].node_count
    with pytest.raises(FormatError, match="consistent"):
        loaded(pickle.dumps(spoil(matrix, tree)))
