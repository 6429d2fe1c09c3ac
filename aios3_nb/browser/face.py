"""What the kernel's side of the bucket browser may do to what the page shows: the only way from here to there."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from aios3_nb.address import S3Uri
from aios3_nb.settings import Settings


class Face(Protocol):
    """The panel, as those see it who have something to show.

    Attributes:
        settings: How S3 is reached.
    """

    settings: Settings

    def show(self, part: str, value: Any) -> None:
        """Have the page show `value` as its ``place``, ``listing``, ``chosen``, ``cards`` or ``connection``."""
        ...

    def tell(self, content: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send the page a message; what it misses is not kept."""
        ...

    def say(self, text: str, kind: Any = "done") -> None:
        """Show an outcome."""
        ...

    def is_at(self, where: S3Uri | None) -> None:
        """Tell who observes the panel which place is listed."""
        ...

    def has_chosen(self, uri: S3Uri | None) -> None:
        """Tell who observes the panel what is chosen."""
        ...

    def post(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Have `work` run on the background loop; what it fails of is shown."""
        ...
