"""What was read of the environment counts until a variable changes, and no longer."""

from __future__ import annotations

import os

import pytest

from aios3_nb import environment
from aios3_nb.s3.login import login
from aios3_nb.settings import current


def test_a_variable_that_is_set_changed_or_taken_away_is_another_state(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "AIOS3_NB_TEST_ENVIRONMENT"
    states = [environment.state(), environment.state()]
    monkeypatch.setenv(name, "one")
    states += [environment.state(), environment.state()]
    monkeypatch.setenv(name, "two")
    states += [environment.state(), environment.state()]
    monkeypatch.delenv(name)
    states += [environment.state(), environment.state()]
    assert states[::2] == states[1::2]
    assert len({*states}) == 4


def test_settings_and_logins_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = login()
    monkeypatch.setenv("AIOS3_NB_CONCURRENCY", "5")
    assert current().concurrency == 5
    assert login() == before
    monkeypatch.setenv("AIOS3_NB_CONCURRENCY", "6")
    assert current().concurrency == 6
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"{os.environ.get('AWS_ACCESS_KEY_ID')}-other")
    assert login() != before
    assert "-other" not in str(login())
