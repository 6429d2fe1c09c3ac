"""What stands before the cursor becomes what could follow.

In comes the text of a cell up to the cursor. Out come words, in a fraction of a second or not at all. The room must not
let a user see an error, and never changes anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.notebook.complete.matcher import (
        install_completion as install_completion,
        uninstall_completion as uninstall_completion,
    )
else:
    __getattr__, __dir__, __all__ = face(__name__, matcher="install_completion uninstall_completion")
