"""Clicks become orders; contents become the panel.

In come an address and settings, then clicks. Out come the panel, and variables of the notebook. The room must not send
requests of its own making: it lists, loads and stores by the rooms below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.browser.browser import S3Browser as S3Browser, browse as browse
else:
    __getattr__, __dir__, __all__ = face(__name__, browser="S3Browser browse")
