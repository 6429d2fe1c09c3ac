"""Thousands of generated attacks, the same ones each time: none does harm, and one that does would be seen.

``make attacks`` writes others, for as long as one likes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.formats.pickle.attacks.frames import compared
from tests.formats.pickle.attacks.prove import BAD

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="attacks run in forks"),
    pytest.mark.timeout(420),  # the first waits for all of them, on a busy machine
]

PROGRAMS = 1000


def run(*options, hash_seed):
    """Return what came of one run of the generator."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.formats.pickle.attacks", "--few", "--seed", "13", *options],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert ran.stdout, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1]) | {"shown": ran.stderr}


@pytest.fixture(scope="module")
def result():
    """What came of the one run that loads them."""
    return run("--programs", str(PROGRAMS), hash_seed="1")


def test_no_generated_pickle_does_harm(result):
    assert result["harms"] == [], result["shown"]
    assert result["programs"] == PROGRAMS
    # Enough of them get past the first checks.
    assert result["outcomes"]["loaded"] > PROGRAMS / 20
    assert result["outcomes"]["FormatError"] > PROGRAMS / 4


def test_frames_change_nothing_of_what_a_pickle_says(result):
    assert result["frames"]["harms"] == []
    assert result["frames"]["outcomes"]["the same"] > PROGRAMS / 10


@pytest.mark.parametrize("name", [":".join(name) for name in BAD])
def test_a_check_that_is_switched_off_is_missed(name, result):
    """With a bad table for one name, the generator finds the harm that its check prevents."""
    assert result["proofs"][name]


def test_another_process_writes_the_same(result):
    assert run("--written", hash_seed="2")["written"] == result["written"]


def test_another_result_than_that_of_python_is_noted():
    assert compared(b"\x80\x04K\x01.") == "the same"
    assert compared(b"\x80\x04K\x01.", b"\x80\x04K\x02.").startswith("another")
    assert compared(b"\x80\x04K\x01.", b"\x80\x04K").startswith("another")
    assert compared(b"\x80\x04K") == "refused"
