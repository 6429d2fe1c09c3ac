"""The way of a byte goes down: what a room calls, in a real load, lies in itself or in a room below."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import json
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np
import pytest

import aios3_nb
from tests.faults.server import FaultServer
from tests.test_package import ORDER, PACKAGE

ROWS = [{"n": n, "text": f"row {n}"} for n in range(500)]
WAY = {"api", "options", "settings", "pipeline", "address", "streams", "s3", "formats"}
"""What every load comes through, wherever its loop is."""

NOT_CALLED = ("<module>", "__del__")
"""Code that Python runs, and no caller chooses: of an import, and of what nobody holds any more."""


def room_of(frame: FrameType) -> str:
    """Return the part of the package whose code runs in `frame`; empty for all other code."""
    file, folder = frame.f_code.co_filename, str(PACKAGE) + os.sep
    if not file.startswith(folder):
        return ""
    name = file.removeprefix(folder).removesuffix(".py").split(os.sep)[0]
    return "" if name == "__init__" else name


def caller_of(frame: FrameType) -> FrameType | None:
    """Return the next frame of the package that waits for `frame`, whatever other code lies between."""
    caller = frame.f_back
    while caller is not None and not room_of(caller):
        caller = caller.f_back
    return caller


@contextlib.contextmanager
def followed() -> Iterator[tuple[set[str], set[str]]]:
    """Give the rooms that are entered meanwhile, in this thread and in new ones, and the calls of a room above."""
    entered: set[str] = set()
    climbs: set[str] = set()
    over = False

    def note(frame: FrameType, event: str, _: object) -> None:
        if over:
            sys.setprofile(None)  # of a thread that lives on, such as that of the loop in the background
        elif event == "call" and (room := room_of(frame)) and frame.f_code.co_name not in NOT_CALLED:
            entered.add(room)
            look_up(frame, room)

    def look_up(frame: FrameType, room: str) -> None:
        # A loop runs what it is handed, which is its only purpose; nobody reads on from there.
        if (caller := caller_of(frame)) is None or (above := room_of(caller)) == "loop":
            return
        if ORDER.index(room) > ORDER.index(above):
            climbs.add(f"{above}: {caller.f_code.co_qualname} calls {room}: {frame.f_code.co_qualname}")

    gc.disable()  # what other tests left is not to be collected meanwhile
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield entered, climbs
    finally:
        over = True
        sys.setprofile(None)
        gc.enable()
        threading.setprofile(None)  # type: ignore[arg-type]  # as the documentation has it


async def all_of(items: Any) -> list[Any]:
    return [item async for item in items]


LOADS: dict[str, Callable[[str], Any]] = {
    "load": aios3_nb.load,
    "aload": lambda uri: asyncio.run(aios3_nb.aload(uri)),
    "iterate": lambda uri: list(aios3_nb.iterate(uri)),
    "aiterate": lambda uri: asyncio.run(all_of(aios3_nb.aiterate(uri))),
    "peek": aios3_nb.peek,
}


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("key", ["arrays.pkl", "rows.json.gz", "runs.pkl", "missing.pkl"])
def test_a_load_never_climbs(faulty: FaultServer, load: str, key: str) -> None:
    faulty.put("b", "arrays.pkl", pickle.dumps([np.zeros(400_000), ROWS], protocol=5), checksum="crc32")
    faulty.put("b", "rows.json.gz", gzip.compress(json.dumps(ROWS).encode()))
    faulty.put("b", "runs.pkl", pickle.dumps(os.system))
    with followed() as (entered, climbs), contextlib.suppress(aios3_nb.S3Error):
        LOADS[load](f"s3://b/{key}")
    assert climbs == set()
    if load in ("aload", "aiterate") and key != "missing.pkl":
        assert entered >= WAY
