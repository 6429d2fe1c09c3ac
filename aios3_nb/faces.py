"""How the package and its rooms give names: each is imported from the module that has it when it is first used.

A face says it twice, once for the program and once for type checkers and editors, which see no more than the imports;
a test compares them::

    if TYPE_CHECKING:
        from aios3_nb.streams.file import S3File as S3File
    else:
        __getattr__, __dir__, __all__ = face(__name__, file="S3File")

So the first use of one name does not import what the others need. See: https://peps.python.org/pep-0562/
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any


def face(room: str, **homes: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` for the package `room`.

    No name may be that of one of the room's modules: whichever of the two came last would be found.

    Args:
        room: Name of the package.
        homes: Module of the package -> the names that it gives, with spaces between them.
    """
    home = {name: f"{room}.{module}" for module, names in homes.items() for name in names.split()}

    def find(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(home[name]), name)
        setattr(sys.modules[room], name, value)
        return value

    return find, lambda: sorted(home), list(home)
