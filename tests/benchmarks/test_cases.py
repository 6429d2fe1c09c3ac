"""What the cases name is there: ways, objects, servers, columns, goals, formats."""

from __future__ import annotations

import pytest

from aios3_nb.formats import registry
from tests.benchmarks import growth, samples
from tests.benchmarks.case import Case
from tests.benchmarks.cases import CASES
from tests.benchmarks.configuration import SERVERS
from tests.benchmarks.measure import WITHOUT_A_LOAD
from tests.benchmarks.tables import COLUMNS, UNITS, WORDS
from tests.benchmarks.ways import all_ways

WAYS = {*all_ways(), *WITHOUT_A_LOAD}
NOT_OF_BYTES_ALONE = {"image", "audio"}
"""Formats that are shown, and not read."""


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_all_that_a_case_names_is_there(case: Case) -> None:
    names = [run.name for run in case.runs]
    assert len(names) == len(set(names))
    assert {run.way for run in case.runs} <= WAYS
    assert case.servers <= {*SERVERS, "seaweedfs"}
    assert case.keys(*case.servers) <= set(samples.KEYS)
    assert set(case.columns) <= set(COLUMNS)
    for goal in case.goals:
        assert {goal.run, goal.of} <= {*names, ""}
        assert goal.figure in WORDS
        assert goal.figure in UNITS or goal.of or not goal.run


def test_growth_is_looked_at_for_every_format() -> None:
    looked_at = {registry.recognise(key, b"", None).name for key, _ in growth.contents().values()}
    assert looked_at == set(registry.format_names()) - NOT_OF_BYTES_ALONE


@pytest.mark.parametrize("content", growth.CONTENTS)
def test_what_growth_loads_is_not_refused(content: str) -> None:
    key, make = growth.contents()[content]
    growth.load(key, make(40_000))
