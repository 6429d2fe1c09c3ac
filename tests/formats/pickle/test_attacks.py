"""Hostile pickles: nothing outside of the safe list runs, no file is touched, and the error says what and where."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aios3_nb import errors
from tests.formats.pickle.attacks import named as pickle_attacks

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="every attack runs in a fork")

HARMLESS = {
    # scikit-learn lowers the number of nodes to what there is.
    "tree_with_more_nodes_than_it_has",
    # A frame is a hint about what to read together; a huge one is not taken.
    "frame_beyond_the_end",
    # It is three numbers, and stays so.
    "index_of_a_billion_numbers",
}
SAYS = {
    "stack_global": "os.system",
    "names_of_python_2": "builtins.eval",
    "inst": "os.system",
    "obj": "os.system",
    "extension_code": "extension code",
    "persistent_id": "persistent id",
    "persistent_id_in_a_frame": "persistent id",
    "build_on_a_class_hidden_in_a_frame": "state of fractions.Fraction itself",
    "build_of_protocol_2": "state of fractions.Fraction itself",
    "dtype_with_objects_in_bytes": "forged state",
    "dtype_built_while_in_use_without_memo": "a dtype that is not finished",
    "arrow_text_with_far_offsets": "out of bounds",
    "sparse_matrix_changed_after_its_check": "calls an instance of numpy.ufunc",
    "array_of_pandas_without_a_state": "gives it no state",
    "array_of_pandas_without_a_state_in_another": "gives it no state",
    "neighbours_without_a_state": "gives it no state",
    "codes_of_an_index_that_answer_to_the_interface_of_arrays": "codes of the type list",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """How each attack ended; all run in one empty folder."""
    folder = tmp_path_factory.mktemp("attacked")
    ran = subprocess.run(
        [sys.executable, "-m", pickle_attacks.__name__],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return {line["attack"]: line for line in lines} | {"": {"files": list(folder.iterdir())}}


@pytest.mark.parametrize("name", pickle_attacks.ATTACKS)
def test_an_attack_ends_in_an_error_that_says_where_and_does_nothing(name, outcomes):
    outcome = outcomes[name]
    assert "status" not in outcome, "the process crashed"
    assert outcome["events"] == []
    assert outcome["imported"] == []
    assert not outcome["patched"]
    assert outcome["megabytes"] < 1000
    if name in HARMLESS:
        return
    assert issubclass(getattr(errors, outcome["error"]), errors.FormatError | errors.BlockedPickleError)
    assert outcome["offset"] is not None
    assert SAYS.get(name, "") in outcome["text"]


def test_no_attack_leaves_a_file(outcomes):
    assert outcomes[""]["files"] == []
