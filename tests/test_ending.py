"""A run of tests that cannot end says what holds it, and ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LEFT = """
import subprocess, sys, threading, time

def stay():
    time.sleep(250)

def test_something():
    global left  # which would be closed otherwise, and then end
    threading.Thread(target=stay).start()
    left = subprocess.Popen([sys.executable, "-c", "print(); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    left.stdout.readline()  # it runs, and its command can be seen
"""


def test_what_is_left_is_named_and_the_process_ends(tmp_path: Path) -> None:
    (tmp_path / "test_left.py").write_text(LEFT)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.ending", "--ending", "5", "test_left.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1
    assert "1 passed" in done.stdout
    assert "left: <Thread(Thread-1 (stay)" in done.stdout
    assert "left: process" in done.stdout
    assert "-c print(); input()" in done.stdout
    assert "in stay" in done.stderr  # where it stood when it was ended
