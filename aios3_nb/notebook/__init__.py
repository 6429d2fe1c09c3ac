"""Lines and cells become orders, and results become what is shown.

In come the line of a magic and the notebook's variables. Out come bound names, values and text. The room must not know
how anything is loaded: what a magic does, a Python call does as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.notebook.extension import (
        load_ipython_extension as load_ipython_extension,
        unload_ipython_extension as unload_ipython_extension,
    )
else:
    __getattr__, __dir__, __all__ = face(__name__, extension="load_ipython_extension unload_ipython_extension")
