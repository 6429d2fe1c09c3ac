"""Files that are written: stored in parts as they come, and there when they are closed, or not at all."""

from __future__ import annotations

import contextlib
import io
import warnings
from abc import abstractmethod
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from aios3_nb.address import S3Uri
from aios3_nb.loop import background
from aios3_nb.s3 import Upload
from aios3_nb.settings import Settings
from aios3_nb.text import visible

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _AllOrNothing(io.IOBase):
    """A file that stores nothing when its ``with`` is left by an error."""

    @abstractmethod
    def discard(self) -> None:
        """Store nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.discard()
        self.close()


class S3Writer(_AllOrNothing, io.BufferedIOBase):
    """A binary file that becomes the object when it is closed.

    Parts are sent while the rest is being written. It may be written to from any thread, one at a time.

    Args:
        uri: The object.
        settings: ``part_size`` and ``concurrency`` count.
        replace: Whether an object that is there already is replaced.
        autocommit: Whether closing makes the object appear; else `commit` does.
    """

    def __init__(self, uri: S3Uri, settings: Settings, *, replace: bool = True, autocommit: bool = True) -> None:
        super().__init__()
        # The background loop, whichever thread writes: pyarrow closes a file on another one than it has opened it on.
        self._way = background()
        self._upload = Upload(uri, settings, replace=replace)
        self._uri = uri
        self._autocommit = autocommit
        self._pending = bytearray()
        self._written = 0
        self._open = True
        self._discarded = False

    @property
    def name(self) -> str:
        """The object's address."""
        return str(self._uri)

    @property
    def mode(self) -> str:
        """``wb``."""
        return "wb"

    @property
    def closed(self) -> bool:
        """Whether it takes no more."""
        return not getattr(self, "_open", False)

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the bytes written so far."""
        return self._written

    def write(self, data: ReadableBuffer, /) -> int:
        """Take `data`; returns when another part may follow."""
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        view = memoryview(data).cast("B")
        if self._discarded:  # what wraps this file still has to close, and says its last words
            return len(view)
        size = self._upload.part_size
        for start in range(0, len(view), size):
            self._pending += view[start : start + size]
            if len(self._pending) >= size:
                part = bytes(self._pending[:size])
                del self._pending[:size]
                self._run(self._upload.add, part)
        self._written += len(view)
        return len(view)

    def flush(self) -> None:
        """Do nothing: S3 takes no part of fewer than 5 MiB but the last."""

    def close(self) -> None:
        """Make the object appear, unless that is left to `commit`."""
        if self.closed:
            return
        self._open = False
        if self._discarded:
            return
        if self._pending:
            self._run(self._upload.add, bytes(self._pending))
            self._pending.clear()
        if self._autocommit:
            self.commit()

    def commit(self) -> None:
        """Make the object appear; what it was then is replaced."""
        self._run(self._upload.complete)

    def discard(self) -> None:
        """Store nothing; what has been sent is thrown away."""
        self._discarded = True
        self._pending.clear()
        self._way.run(self._upload.abort)

    def __del__(self) -> None:
        if not self.closed and not self._discarded:
            # Half of it may be missing: whoever wanted it would have closed it.
            self._open = False
            with contextlib.suppress(RuntimeError):  # the interpreter ends, and the loop has ended
                self._way.loop.call_soon_threadsafe(self._abandon)
            warnings.warn(f"{visible(self.name)} was not closed; nothing was stored.", ResourceWarning, stacklevel=1)

    def _abandon(self) -> None:
        self._ending = self._way.loop.create_task(self._upload.abort())

    def _run(self, call: Any, *args: Any) -> None:
        try:
            self._way.run(call, *args)
        except BaseException:
            self.discard()
            raise


class Packed(_AllOrNothing, io.BufferedIOBase):
    """What a compressor writes into a file, closed together."""

    def __init__(self, outer: IO[bytes], file: S3Writer) -> None:
        super().__init__()
        self._outer = outer
        self._file = file

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Compress `data`."""
        return self._outer.write(data)

    def close(self) -> None:
        """End what is compressed, and make the object appear."""
        if not self.closed:
            super().close()
            self._outer.close()
            self._file.close()

    def discard(self) -> None:
        """Store nothing."""
        self._file.discard()


class TextWriter(_AllOrNothing, io.TextIOWrapper):
    """Text into a file of either kind."""

    def discard(self) -> None:
        """Store nothing."""
        self.buffer.discard()  # type: ignore[attr-defined]
