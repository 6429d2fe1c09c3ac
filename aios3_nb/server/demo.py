"""The main job, shown: each sample loaded by ``%s3load`` as in a notebook, and what came out checked."""

from __future__ import annotations

import reprlib
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from aios3_nb.server.samples import Load, Sample
from aios3_nb.text import visible

_WIDTH = 100
_NAME = "value"
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80


def run_demo(samples: Iterable[Sample]) -> list[str]:
    """Load every sample in every way it is to be loaded; print the lines as typed, and what they show.

    Returns:
        The lines that did not give what was stored, or were not refused when they should have been.
    """
    with tempfile.TemporaryDirectory() as folder:
        shell = _shell(folder)
        try:
            shell.run_line_magic("load_ext", "aios3_nb")
            tried = [
                (f"%s3load {sample.word} {load.options}".strip(), load) for sample in samples for load in sample.loads
            ]
            return [line for line, load in tried if not _is_as_expected(shell, line, load)]
        finally:
            shell.run_line_magic("unload_ext", "aios3_nb")
            type(shell).clear_instance()


def _lines(samples: Iterable[Sample]) -> Iterator[tuple[str, Load]]:
    for sample in samples:
        for load in sample.loads:
            yield f"%s3load {sample.word} {load.options}".rstrip(), load


def _shell(folder: str) -> Any:
    """Return an IPython as a kernel has it, without the user's own configuration and history."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    return InteractiveShell.instance(config=config, ipython_dir=folder)


def _is_as_expected(shell: Any, line: str, load: Load) -> bool:
    print(f"\n{_NAME} = {line}", flush=True)
    result = shell.run_cell(f"{_NAME} = {line}")
    if load.refused or not result.success:
        return type(result.error_in_exec).__name__ == load.refused
    return _passes(load, shell.user_ns.pop(_NAME))


def _passes(load: Load, value: Any) -> bool:
    try:
        if isinstance(value, Iterator):
            value = list(value)
        print(summary(value), flush=True)
        return load.check(value)
    # A stream fails where it is read, and a check fails on what it did not expect; the next sample is due anyhow.
    except Exception as exc:
        print(f"{type(exc).__name__}: {exc}")
        return False


def summary(value: Any) -> str:
    """Return type, length and beginning of `value`, on one line."""
    length = f" of {len(value):,}" if hasattr(value, "__len__") else ""
    shown = " ".join(_REPR.repr(value).split())
    return f"-> {type(value).__name__}{length}: {visible(shown, most=_WIDTH)}"
