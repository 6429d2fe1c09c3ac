"""The end of a run: what still lives is named, and a process that does not end by itself is ended.

Threads that are no daemons, and whatever the interpreter has to clear away, can keep a process for long after its
last line, and nobody would see why. Loaded as a plugin by conftest.py.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

LONG = 5.0
"""Seconds; all threads stand still while the collector walks, so that others run into their timeouts."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--ending", type=float, default=120.0, metavar="SECONDS", help="how long the process may take after its tests"
    )


def pytest_configure(config: pytest.Config) -> None:
    # Nothing is captured just now; at the end it may be.
    config.pluginmanager.register(_Ending(os.dup(2), config.getoption("--ending")))


class _Ending:
    def __init__(self, stderr: int, patience: float) -> None:
        self._stderr = stderr
        self._patience = patience
        self._walk_began = 0.0
        self._longest_walk = 0.0
        gc.callbacks.append(self._walks)

    def _walks(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._walk_began = time.monotonic()
        else:
            self._longest_walk = max(self._longest_walk, time.monotonic() - self._walk_began)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        faulthandler.dump_traceback_later(self._patience, exit=True, file=self._stderr)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name what is left, and what the run took of memory."""
        walk = f", the collector walked for up to {self._longest_walk:.1f} s" if self._longest_walk > LONG else ""
        terminalreporter.write_line(f"{_peak()} of memory at most{walk}")
        for line in [*_threads(), *_children()]:
            terminalreporter.write_line(f"left: {line}")


def _peak() -> str:
    try:
        import resource
    except ImportError:  # on Windows
        return "nobody knows how much"
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB"


def _threads() -> Iterator[str]:
    """Describe the threads that the interpreter will wait for, but for those of executors that have nothing to do."""
    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if thread.daemon or thread is threading.current_thread() or frame is None:
            continue
        if frame.f_code.co_name != "_worker":
            yield f"{thread!r}\n{''.join(traceback.format_stack(frame))}"


def _children() -> Iterator[str]:
    """Describe the processes that this one has started and that have not ended; none where there is no /proc."""
    for list_of_thread in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # ended meanwhile
            for child in list_of_thread.read_text().split():
                command = Path("/proc", child, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                yield f"process {child} {command[:300] or '(ended, not waited for)'}"
