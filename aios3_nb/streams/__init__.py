"""One version of one object becomes bytes in order, verified; and the file over them.

In come an address and settings, and a `Monitor` that is told what happens. Out comes a file: lazy, seekable, for sync
and async readers, whose bytes are all of one version. The room must not know what the bytes mean, nor who watches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios3_nb.faces import face

if TYPE_CHECKING:
    from aios3_nb.streams.check import stored_checksum as stored_checksum
    from aios3_nb.streams.checksum import Checksum as Checksum, checksum_of as checksum_of
    from aios3_nb.streams.file import S3File as S3File
    from aios3_nb.streams.object import Monitor as Monitor, ObjectInfo as ObjectInfo
    from aios3_nb.streams.opened import open_object as open_object
    from aios3_nb.streams.plan import Share as Share
    from aios3_nb.streams.pool import Pool as Pool, Portion as Portion
    from aios3_nb.streams.ranges import MAX_GAP as MAX_GAP, Wanted as Wanted, read_ranges as read_ranges
    from aios3_nb.streams.source import ObjectSource as ObjectSource
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        check="stored_checksum",
        checksum="Checksum checksum_of",
        file="S3File",
        object="Monitor ObjectInfo",
        opened="open_object",
        plan="Share",
        pool="Pool Portion",
        ranges="MAX_GAP Wanted read_ranges",
        source="ObjectSource",
    )
