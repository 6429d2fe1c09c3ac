"""What `make bench` writes down: all that was measured, what was lost too, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.benchmarks import report, tables
from tests.benchmarks.__main__ import chosen, with_ways
from tests.benchmarks.case import Case, Goal, Run
from tests.benchmarks.cases import CASES
from tests.benchmarks.storage import Request
from tests.benchmarks.together import open_by_quarter

RAW = json.loads(report.RAW.read_text(encoding="utf-8"))


def record(run: str, seconds: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"case": "arrays", "run": run, "load_average": 0.5, "seconds": seconds, "cpu": seconds / 2} | more


def case(*goals: Goal) -> Case:
    return Case("A title", "s3", "key", (Run("ours"), Run("theirs")), columns=("median", "cpu"), goals=goals)


def test_the_pages_are_made_from_the_figures() -> None:
    """``make bench`` writes them all; by hand it is `report.write`."""
    assert (report.FOLDER / "RESULTS.md").read_text(encoding="utf-8") == report.results(RAW)
    for page, cases in report.PAGES.items():
        assert report.summary(RAW["records"], cases) in page.read_text(encoding="utf-8")


def test_a_case_measured_anew_keeps_nothing_of_before_and_others_stay() -> None:
    before = {"machines": {"then": "old", "later": "new"}, "records": [record("ours") | {"date": "then"}]}
    before["records"].append(record("ours") | {"date": "later", "case": "one"})
    found = report.merged(before, [record("theirs", 3) | {"date": "now"}], {"now": "newest"})
    assert [(one["case"], one["date"]) for one in found["records"]] == [("arrays", "now"), ("one", "later")]
    assert found["machines"] == {"later": "new", "now": "newest"}


def test_the_best_is_bold_whoever_it_is_and_baselines_are_not_compared() -> None:
    records = [record("ours", 2), record("boto3_stream", 1), record("local_pickle", 0.5)]
    assert report.summary(records).splitlines()[2:] == [f"| {CASES['arrays'].title} | 2.00 | boto3 stream **1.00** |"]


def test_the_table_of_a_page_is_replaced_and_nothing_else() -> None:
    page = f"Before.\n\n{report.SHORT_HEAD}\n| --- | ---: | --- |\n| old | 1 | 2 |\n\n| another | table |\n"
    short = f"{report.SHORT_HEAD}\n| new | 3 | 4 |\n"
    assert report.with_table(page, short) == f"Before.\n\n{short}\n| another | table |\n"


def test_what_failed_has_a_row() -> None:
    failed = {"case": "arrays", "run": "theirs", "load_average": 0.5, "error": "took more than 300 s"}
    text = tables.table(case(), [record("ours", 1.5), failed])
    assert "| ours | **1.50** | 0.75 |" in text
    assert "| theirs | failed: took more than 300 s |  |" in text


@pytest.mark.parametrize(("ours", "judged"), [(1.2, "reached"), (1.4, "missed")])
def test_a_goal_is_reached_or_missed(ours: float, judged: str) -> None:
    text = tables.table(case(Goal("seconds", "ours", "theirs", 1.3)), [record("ours", ours), record("theirs")])
    assert f"* Seconds, ours: {ours} x that of theirs; the goal was 1.3 at most: {judged}." in text


def test_a_goal_of_all_rows_names_those_that_miss_it() -> None:
    records = [record("ours", ratio=1.0), record("theirs", ratio=2.5)]
    told = tables.table(case(Goal("ratio", most=1.3)), records)
    assert "all 2 rows were to have 1.3 at most; missed by 1: theirs 2.5." in told


def test_what_is_there_to_compare_with_misses_no_goal() -> None:
    runs = (Run("ours"), Run("theirs", counts=False))
    both = Case("A title", "s3", "key", runs, columns=("longest",), goals=(Goal("longest", most=1.0),))
    told = tables.table(both, [record("ours", longest=0.5), record("theirs", longest=2.0)])
    assert "| theirs | **2.00** |" in told
    assert "* Longest, s: all 1 rows of ours were to have 1 at most, and they have." in told


def test_of_what_was_not_measured_no_goal_is_told() -> None:
    assert "*" not in tables.table(case(Goal("seconds", "ours", "theirs", 1.3)), [record("ours")]).replace("**", "")


def request(begin: float, end: float) -> Request:
    return Request(1, "GET", "/bench/key", 206, 8, "", connection=1, end=end, took=end - begin)


def test_requests_are_counted_in_each_quarter_that_they_are_open_in() -> None:
    assert open_by_quarter([request(10, 14), request(12, 14), request(11.5, 12)]) == [1.0, 1.5, 2.0, 2.0]


def test_a_load_that_took_no_time_has_no_quarters() -> None:
    assert open_by_quarter([request(10, 10)]) == []


def test_cases_are_chosen_by_name_and_by_pattern() -> None:
    assert list(chosen(["one", "arrays*"])) == ["arrays", "arrays-plain", "arrays-tls", "arrays-seaweedfs", "one"]
    assert not chosen(["nothing"])
    for name in CASES:
        assert list(chosen([name])) == [name]


def test_ways_are_chosen_by_name_and_by_label() -> None:
    runs = with_ways(CASES["straggler"], ["ours", "megfile, none slow"]).runs
    assert [run.name for run in runs] == ["ours", "ours, none slow", "megfile, none slow"]
    assert with_ways(CASES["one"], []) == CASES["one"]
