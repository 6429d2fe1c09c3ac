"""How far compressed bytes may expand before that is called a bomb.

What one byte can become, measured: gzip 1028, xz 6850, zstd 32 750, bz2 1 290 555. So neither the size of the
object nor the codec says anything about the memory that it will take; only counting does.
"""

from __future__ import annotations

from dataclasses import dataclass

from aios3_nb.errors import TooLargeError

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class ExpansionLimit:
    """The most that may come out of compressed bytes.

    Attributes:
        max_bytes: The user's own limit. When it is given it is the only one.
        ratio: Without `max_bytes`: expanded bytes per compressed byte. Text rarely passes 50; runs of zeros do.
        free_bytes: Without `max_bytes`: up to here any ratio is fine.
    """

    max_bytes: int | None = None
    ratio: int = 200
    free_bytes: int = GIB

    def check(self, expanded: int, compressed: int) -> None:
        """Return if `compressed` bytes may become `expanded` bytes.

        Raises:
            TooLargeError: They may not.
        """
        if self.max_bytes is not None:
            if expanded > self.max_bytes:
                raise TooLargeError(f"Expands to more than {self.max_bytes:,} bytes, the limit that --max-bytes sets.")
        elif expanded > self.free_bytes and expanded > self.ratio * compressed:
            raise TooLargeError(
                f"{compressed:,} compressed bytes expand to {expanded:,} or more, which looks like a "
                "decompression bomb. If it is not one, say with --max-bytes how large it may become."
            )
