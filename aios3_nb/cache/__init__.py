"""Whole objects on local disk, each of one version, so that a second run downloads nothing.

In come an address, a version and bytes; out come the bytes, held against their checksum. A file is there whole or not
at all, the folder is the user's own, and what was used least recently goes when there is no room. The room must not
know how S3 is asked, nor what the bytes mean.

It stands on the standard library: the caches that others have made take locks, which do nothing on some network file
systems, or pickle, or have no bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.cache.contents import Cached as Cached, CachedObject as CachedObject, cached as cached
    from aios3_nb.cache.entry import BLOCK as BLOCK, CacheEntry as CacheEntry, Place as Place
    from aios3_nb.cache.folder import cache_folder as cache_folder, is_of_account as is_of_account
    from aios3_nb.cache.kept import DamagedError as DamagedError, Kept as Kept
    from aios3_nb.cache.store import Cache as Cache
    from aios3_nb.cache.writer import Writer as Writer
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        contents="Cached CachedObject cached",
        entry="BLOCK CacheEntry Place",
        folder="cache_folder is_of_account",
        kept="DamagedError Kept",
        store="Cache",
        writer="Writer",
    )
