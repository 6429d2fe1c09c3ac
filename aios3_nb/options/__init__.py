"""What the public calls take by name, stated once.

In come the options of a call; out come those that are the call's own, and the settings in force. Out come, too, the
signature and the docstring of each call, spelled out. The room must not know what a call does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.options.groups import (
        DEFAULTS as DEFAULTS,
        Browsing as Browsing,
        Iterating as Iterating,
        Loading as Loading,
        Looking as Looking,
        Moving as Moving,
        Opening as Opening,
        Peeking as Peeking,
        Signing as Signing,
        Storing as Storing,
        divided as divided,
        names_in as names_in,
        without_effect as without_effect,
    )
    from aios3_nb.options.signatures import awaited as awaited, spelled_out as spelled_out
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        groups="DEFAULTS Browsing Iterating Loading Looking Moving Opening Peeking Signing Storing divided names_in "
        "without_effect",
        signatures="awaited spelled_out",
    )
