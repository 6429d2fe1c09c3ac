"""Items of an object while the rest is still coming: the pipeline of `aios3_nb.pipeline.load`, ended by an iterator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NoReturn, Self, cast

from aios3_nb.errors import FormatError, S3Error
from aios3_nb.formats import decompressed
from aios3_nb.loop import bridge, interruptible
from aios3_nb.pipeline.load import check_size, chosen_format, counting, damage_in, open_file, options_of
from aios3_nb.pipeline.named import named
from aios3_nb.pipeline.order import Order
from aios3_nb.streams import Monitor, ObjectInfo
from aios3_nb.text import visible


class Items:
    """The items of one object, while the rest is still coming; an iterator that can be closed.

    Attributes:
        count: Items handed out so far.
        done: Whether there are no more, because the object or the limit ended.
        error: What ended it before its time; None when nothing did.
        trusted: Why its pickles may run anything; empty when they may not.
        verdict: What was checked, once the object has ended: ``CRC32 ok``, or ``not checked (why)``.
        note: What was left out of several objects, in words; empty when nothing was.

    Args:
        order: The object, and how to read it.
        monitor: Told how far it is.
        via: The way to the loop, when it is not to be found from the calling thread.
        on_close: Called once, when it is closed.
        in_line: Whether its errors are told to somebody who has typed a magic.
    """

    def __init__(
        self,
        order: Order,
        monitor: Monitor,
        *,
        via: Any = bridge,
        on_close: Callable[[Items], None] | None = None,
        in_line: bool = False,
    ) -> None:
        self.count = 0
        self.done = False
        self.error: BaseException | None = None
        self.trusted = ""
        self.verdict = ""
        self.note = ""
        self._on_close = on_close
        self._in_line = in_line
        self._order = order
        self._monitor = monitor
        self._via = via
        self._prepare()

    def _prepare(self) -> None:
        self._share = counting(self._order)[1]
        self._file = open_file(self._order, self._monitor, whole=False, via=self._via, share=self._share)
        self._items: Iterator[Any] | None = None

    @property
    def info(self) -> ObjectInfo | None:
        """The version that is read; None before the first item."""
        return self._file.info

    @property
    def _is_closed(self) -> bool:
        return self._file.closed

    def __repr__(self) -> str:
        state = "done" if self.done else "closed" if self._is_closed else "open"
        return f"<Items of {visible(str(self._order.uri))} {state}, {self.count:,} so far>"

    def __iter__(self) -> Iterator[Any]:
        # Not `return self`: an interrupt may come before the first line of `__next__`, out of reach of its `try`,
        # and the traceback that IPython keeps would keep the download as well.
        try:
            while True:
                try:
                    item = self.__next__()
                except StopIteration:
                    return
                yield item
        except GeneratorExit:  # `break`; another loop may go on from here
            raise
        except BaseException as exc:
            self.error = self.error or exc
            self.close()
            raise

    def __next__(self) -> Any:
        # Called a million times: nothing here but what each item needs.
        try:
            if self.count == self._order.limit:
                self._end()
            if self.done:
                raise StopIteration
            if self._items is None:
                self._items = self._opened()
            item = next(self._items)
            self.count += 1
            if self._share is not None:
                self._share.took(self.count)
            self._monitor.items(self.count)
        except StopIteration:
            self._finish()
            raise
        except BaseException as exc:
            self._fail(exc)
        return item

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _fail(self, error: BaseException) -> NoReturn:
        if isinstance(error, FormatError):
            error = damage_in(self._file) or error
        if isinstance(error, S3Error):
            error.in_line = self._in_line
        self.error = error
        self.close()
        with named(self._order.uri):
            raise error

    def close(self) -> None:
        """Stop the download and close the connections."""
        self._items = None
        self._file.close()
        self._report()

    async def aclose(self) -> None:
        """Do what `close` does, awaited."""
        self._items = None
        await self._file.aclose()
        self._report()

    def cancel(self) -> None:
        """Stop from any thread; the next item is a LoadCancelledError."""
        self._file.cancel()

    def abandon(self, then: Callable[[], None]) -> None:
        """Close what nobody will read any more, from wherever the last reference goes, and call `then`."""
        self._file.abandon(then)

    def __del__(self) -> None:
        if "_file" in self.__dict__:
            self.abandon(self._report)

    def _report(self) -> None:
        report, self._on_close = self._on_close, None
        if report is not None:
            report(self)

    def _opened(self) -> Iterator[Any]:
        file = self._file
        with interruptible(), named(self._order.uri):
            file.peek()
            check_size(file, self._order)
            plain = decompressed(cast(BinaryIO, file), max_bytes=self._order.settings.max_bytes)
            chosen = chosen_format(plain, self._order)
            assert file.info is not None
            options, self.trusted = options_of(self._order, file.info, chosen)
            return iter(chosen.iterate(plain, options))

    def _finish(self) -> None:
        try:
            if not self.done:
                self.verdict = self._file.finish()
        finally:
            self._end()

    def _end(self) -> None:
        self.done = True
        self.close()
