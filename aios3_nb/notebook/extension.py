"""``%load_ext aios3_nb`` and ``%unload_ext aios3_nb``: the magics come and go, and with them what they need."""

from __future__ import annotations

from typing import Any

from aios3_nb import settings
from aios3_nb.notebook.cell import rewritten
from aios3_nb.notebook.complete import install_completion, uninstall_completion
from aios3_nb.notebook.magics import S3Magics
from aios3_nb.notebook.statements import begin_showing, end_showing

_MAGICS = "get_ipython().magics_manager.registry['S3Magics']"
"""How the code of a cell reaches the magics, as IPython's own does. A variable would be lost with ``%reset``."""


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; called by ``%load_ext aios3_nb``."""
    magics = S3Magics(shell)
    shell.register_magics(magics)
    if magics not in shell.configurables:
        shell.configurables.append(magics)
    if _rewrite not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(_rewrite)
    begin_showing(shell, f"{_MAGICS}.show")
    install_completion(shell, {name: magic.parser for name, magic in magics.magics["line"].items()})


def unload_ipython_extension(shell: Any) -> None:
    """Take the magics back, and leave what was loaded; called by ``%unload_ext aios3_nb``."""
    uninstall_completion(shell)
    end_showing(shell)
    if _rewrite in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(_rewrite)
    for magics in [each for each in shell.configurables if isinstance(each, S3Magics)]:
        shell.configurables.remove(magics)
        for kind, table in magics.magics.items():
            for name in table:
                shell.magics_manager.magics[kind].pop(name, None)
    shell.magics_manager.registry.pop(S3Magics.__name__, None)
    settings.set_session(**dict.fromkeys(settings.NAMES))


def _rewrite(lines: list[str]) -> list[str]:
    return rewritten(lines, f"{_MAGICS}.begin")
