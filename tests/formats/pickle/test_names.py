"""The safe list has what ordinary objects need, with the versions that are installed, and nothing that acts."""

import importlib
import re
import types
import warnings

import pytest

from aios3_nb.formats.pickle import Names, makes, missing_package, names, states
from aios3_nb.formats.pickle.names import current_home, never_modules, never_names, safe_names
from tests.formats.pickle import new_names, objects as pickle_objects

# Functions that pickles call to make an object, besides classes; whoever adds one has to add it here, too.
MAKERS = re.compile(
    r"_.*unpickle\w*|__pyx_unpickle_\w+|_new_\w+|newObj|_reconstruct\w*|_mareconstruct|_restore_array|_reconstructor|"
    r"_frombuffer|scalar|__\w+_ctor|encode|getattr|_compile|_p|_array_reconstructor|_convert_to_stringdtype_kwargs|py_buffer|"
    r"type_for_alias"
)
SINGLETONS = {
    ("builtins", "Ellipsis"),
    ("builtins", "NotImplemented"),
    ("pandas", "NA"),
    ("pandas._libs.missing", "NA"),
    ("pytz", "_UTC"),
}
SELECTION = "sklearn.feature_selection._univariate_selection"
MODELS_HAVE_THESE = {
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "sklearn.cluster._kmeans._kmeans_single_lloyd",
    *(f"{SELECTION}.{name}" for name in ("chi2", "f_classif", "f_oneway", "f_regression", "r_regression")),
}
FUNCTIONS_AS_VALUES = ("numpy", "pyarrow.lib", "sklearn.metrics")


@pytest.mark.parametrize("library", pickle_objects.TABLES)
def test_every_name_that_ordinary_objects_need_is_listed(library):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = pickle_objects.TABLES[library]()
        assert len(set().union(*map(new_names.names_of, table.values()))) > 10
        assert new_names.missing(table) == {}, "add these to names.toml, or say why not"


def test_a_name_that_is_not_listed_is_found_with_what_needs_it():
    assert new_names.missing({"a test": pytest.ExitCode.OK, "a number": 1}) == {
        f"{pytest.ExitCode.__module__}: ExitCode": ["a test"]
    }


def test_every_estimator_of_scikit_learn_is_listed():
    from sklearn.utils import all_estimators

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classes = [kind for _, kind in all_estimators()]
    assert len(classes) > 150
    missing = [
        f"{kind.__module__}: {kind.__name__}" for kind in classes if not Names().permits(kind.__module__, kind.__name__)
    ]
    assert missing == []


def test_what_is_listed_is_a_class_or_a_function_that_makes_one_thing():
    unknown = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module, name in safe_names():
            found = _found(module, name)
            if found is None or isinstance(found, type) or (module, name) in SINGLETONS:
                continue
            if (
                isinstance(found, types.ModuleType)
                or not callable(found)
                or (not MAKERS.fullmatch(name) and not module.startswith(FUNCTIONS_AS_VALUES))
            ):
                unknown.append(f"{module}.{name}")
    assert set(unknown) <= MODELS_HAVE_THESE


def test_most_listed_names_exist_here():
    """A name that no installed version has is from an older one; but not too many."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        here = sum(_found(module, name) is not None for module, name in safe_names())
    assert here > 0.85 * len(safe_names())


def _found(module, name):
    if missing_package(module):
        return None
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def test_every_class_whose_instances_can_be_called_says_why_it_stays():
    assert all(group["why"] for group in names.table()["callable"])
    explained = {name for group in names.table()["callable"] for name in names.names_of(group["names"])}
    assert explained <= safe_names().keys()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: _found(*name) for name in safe_names()}
    callable_ones = {name for name, cls in found.items() if isinstance(cls, type) and _can_be_called(cls)}
    assert len(callable_ones) > 30
    assert callable_ones <= explained, "say in names.toml why, or take them off"


def _can_be_called(cls):
    """Return whether instances of `cls` can be called; that classes can is what `type` says."""
    return any("__call__" in vars(base) for base in cls.__mro__)


def test_nothing_that_is_never_allowed_may_be_called_without_a_check():
    for (module, name), entry in safe_names().items():
        assert name not in never_names() or entry.make not in ("", "anything"), name
        unlisted = module.partition(".")[0] in never_modules() - {"builtins", "types", "copyreg"}
        assert not unlisted or entry.make not in ("", "anything"), module


def test_every_name_that_may_be_called_has_a_check_and_a_reason():
    for (module, name), entry in safe_names().items():
        assert entry.why, (module, name)
        assert not entry.make or makes.is_known(entry.make), (module, name, entry.make)
        assert not entry.state or states.is_known(entry.state), (module, name, entry.state)
        assert not entry.free or entry.make == "anything", (module, name)


def test_the_names_of_numpy_1_stand_for_those_of_numpy_2():
    assert current_home("numpy.core.multiarray", "_reconstruct") == ("numpy._core.multiarray", "_reconstruct")
    assert Names().permits("numpy.core.multiarray", "_reconstruct")
    assert Names().entry("numpy.core.multiarray", "_reconstruct").make == "numpy.reconstruct"
    assert not Names().permits("numpy.core.os", "system")
    assert not Names().permits("numpy.corelib", "x")


def test_a_name_is_not_matched_in_part():
    assert Names().permits("uuid", "UUID")
    for module, name in [
        ("uuid", "UUID.__init__"),
        ("uuid", "UUIDx"),
        ("uuid.UUID", "x"),
        ("", "uuid.UUID"),
        ("UUID", "uuid"),
    ]:
        assert not Names().permits(module, name)


def test_what_pandas_reads_through_a_null_pointer_without_a_state_has_to_get_one():
    from pandas._libs.arrays import NDArrayBacked

    backed = [
        (qualname, entry.state)
        for (module, qualname), entry in safe_names().items()
        if module.startswith("pandas.") and "." not in qualname
        if isinstance(found := _found(module, qualname), type) and issubclass(found, NDArrayBacked)
    ]
    assert {"DatetimeArray", "TimedeltaArray", "PeriodArray", "Categorical"} <= {name for name, _ in backed}
    assert [name for name, state in backed if not states.is_needed(state)] == []
