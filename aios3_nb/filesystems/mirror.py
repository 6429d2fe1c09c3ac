"""The sync methods of an async file system, by our own way to the loop.

fsspec's way leaves a download running when it is interrupted, makes the class useless in a forked child, and waits on a
loop of its own while the notebook's stands still.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from fsspec.asyn import AsyncFileSystem
from fsspec.spec import AbstractFileSystem

from aios3_nb.loop import bridge, interruptible


def mirrored(cls: type[AsyncFileSystem]) -> type[AsyncFileSystem]:
    """Give `cls` the sync method ``x`` for every coroutine ``_x`` that fsspec has one for; its own are kept."""
    for name in dir(cls):
        plain = name[1:]
        if not name.startswith("_") or name.startswith("__") or plain in vars(cls):
            continue
        if inspect.iscoroutinefunction(getattr(cls, name)):
            setattr(cls, plain, _call(name, getattr(AbstractFileSystem, plain, None)))
        elif inspect.isasyncgenfunction(getattr(cls, name)):
            setattr(cls, plain, _generator(name, getattr(AbstractFileSystem, plain, None)))
    return cls


def _call(name: str, model: Any) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        with interruptible():
            return bridge().run(lambda: getattr(self, name)(*args, **kwargs))

    return functools.update_wrapper(method, model) if model is not None else method


def _generator(name: str, model: Any) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        items = getattr(self, name)(*args, **kwargs)
        end = object()

        async def following() -> Any:
            return await anext(items, end)

        way = bridge()
        with interruptible():
            while (item := way.run(following)) is not end:
                yield item

    return functools.update_wrapper(method, model) if model is not None else method
