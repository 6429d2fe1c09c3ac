"""What the pipeline tells whoever watches; the stages know nothing of widgets."""

from __future__ import annotations

from collections.abc import Callable

from aios3_nb.streams.object import ObjectInfo


class Monitor:
    """Watches one object being read, and says nothing; the null object that the display classes extend.

    Every method is called on the thread that reads, often, and must return at once.
    """

    def began(self, cancel: Callable[[], None]) -> None:
        """Reading is about to begin; `cancel` stops it, from any thread."""

    def opened(self, info: ObjectInfo) -> None:
        """The first answer came: size and version are known."""

    def requested(self) -> None:
        """One more request is sent."""

    def received(self, count: int) -> None:
        """`count` more bytes came over the network, wanted ones only."""

    def retried(self, count: int, offset: int) -> None:
        """The `count`-th retry of this object resumes at byte `offset`."""

    def phase(self, name: str) -> None:
        """The work is now of another kind: waiting, downloading, decoding, verifying; loaded, when others go on."""

    def items(self, count: int) -> None:
        """`count` items have been handed out."""
