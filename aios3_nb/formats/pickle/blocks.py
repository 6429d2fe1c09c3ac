"""Whether the blocks of a frame of pandas cover its rows and columns: compiled code believes that they do."""

from __future__ import annotations

import itertools
from typing import Any

from aios3_nb.errors import FormatError
from aios3_nb.formats.pickle.checks import FEW
from aios3_nb.formats.pickle.refuse import require
from aios3_nb.text import visible


def check_manager(manager: Any) -> None:
    """Look whether the blocks of a frame cover its rows and columns, each once."""
    try:
        axes, blocks = manager.axes, manager.blocks
        require(len(axes) == (1 if type(manager).__name__ == "SingleBlockManager" else 2), "axes of a frame")
        count, rows = len(axes[0]), tuple(map(len, axes[1:]))
        taken = []
        for block in blocks:
            shape = block.shape
            require(tuple(shape[1:]) == rows, "blocks of a frame")
            taken.append(block.mgr_locs)
            # Before there are all of them in memory: a slice may say any number.
            require(len(taken[-1]) == shape[0], "blocks of a frame")
        require(sum(map(len, taken)) == count, "blocks of a frame")
        require(_are_all(taken, count), "blocks of a frame")
    except (AttributeError, IndexError, TypeError, ValueError, AssertionError) as exc:
        if isinstance(exc, FormatError):
            raise
        raise FormatError(f"The pickle has a frame that is not consistent: {visible(str(exc), most=200)}") from exc


def _are_all(taken: list[Any], count: int) -> bool:
    """Return whether the places of blocks, `count` in all, are those up to `count`, each once."""
    if count <= FEW:
        return sorted(itertools.chain.from_iterable(taken)) == list(range(count))
    import numpy as np

    places = np.concatenate([each.as_array for each in taken])
    places.sort()
    return bool((places == np.arange(count)).all())
