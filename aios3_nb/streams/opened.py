"""The room's part of the way of a byte, composed: source -> stream -> file."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from aios3_nb.streams.cached import CachedStream
from aios3_nb.streams.file import S3File
from aios3_nb.streams.source import ObjectSource
from aios3_nb.streams.stream import ObjectStream

if TYPE_CHECKING:
    from aios3_nb.address import S3Uri
    from aios3_nb.loop import Bridge
    from aios3_nb.settings import Settings
    from aios3_nb.streams.cursor import Stream
    from aios3_nb.streams.object import Monitor, ObjectInfo
    from aios3_nb.streams.plan import Share
    from aios3_nb.streams.pool import Portion


def open_object(
    uri: S3Uri,
    settings: Settings,
    monitor: Monitor,
    *,
    known: ObjectInfo | None,
    whole: bool,
    cached: bool,
    via: Callable[[], Bridge],
    share: Share | None = None,
    portion: Portion | None = None,
) -> S3File:
    """Return the object as a file; nothing is sent before the first read.

    Args:
        uri: The object.
        settings: How it is fetched.
        monitor: Told what happens; it gets what cancels the file at once.
        known: The version to read; None means whatever is there at the first read.
        whole: All of it will be read, from its start.
        cached: It may come from the local cache, and be kept there.
        via: The way to the loop that the calling thread reaches.
        share: Of what the reader wants, when it stops once it has that.
        portion: Of connections and memory, where other loads have some as well.
    """
    kind = CachedStream if cached else ObjectStream

    def make_stream(info: ObjectInfo | None) -> Stream:
        source = ObjectSource(uri, settings, monitor, info or known, portion)
        return kind(source, settings, monitor, whole=whole, share=share)

    file = S3File(uri, make_stream, via=via)
    there = weakref.ref(file)

    def cancel() -> None:
        if (still := there()) is not None:
            still.cancel()

    # Weakly: the tasks of the stream hold the monitor, and must not keep a file that nobody else has any more.
    monitor.began(cancel)
    return file
