"""Many objects become a collection of Dask, which loads each where it is needed.

In come an address, or a glob, and options as `load` takes them. Out comes a bag or a frame; making one lists, and looks
at the head of one object at most. Each task has an address, a version and settings, and no secret: credentials are
found where the task runs. The room must not know notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.dask.many import bag as bag, collection as collection, frame as frame
else:
    __getattr__, __dir__, __all__ = face(__name__, many="bag collection frame")
