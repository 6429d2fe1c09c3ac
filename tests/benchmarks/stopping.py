"""How long a kernel goes on when a load is stopped: the case ``stop``.

Each row has a real kernel of its own. A cell is started there again and again, and stopped each time, at a moment of
its load that is drawn at random; what counts is the time from the interrupt, or from the click on Cancel, until the
kernel says that it is idle, as a page sees it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from tests.benchmarks.configuration import BUCKET
from tests.benchmarks.ways import WARM_KEY, uri

if TYPE_CHECKING:
    from tests.kernels import Kernel

STOPS = 20
"""Loads that are stopped. One that had ended before does not count, and there is another one, up to twice as many."""
LATEST = 1.5
"""Seconds; a load that takes longer is stopped within these."""
_LONGEST = 60
"""Seconds to wait for what the kernel tells next."""

PREPARED = f"""
%load_ext aios3_nb
import aios3_nb, boto3, pandas, pickle
client = boto3.client("s3")
m = pickle.load(client.get_object(Bucket={BUCKET!r}, Key={WARM_KEY!r})["Body"])
m = pandas.read_pickle({uri(WARM_KEY)!r})
m = %s3load {uri(WARM_KEY)}
get_ipython().events.register("pre_run_cell", lambda *_: print("begun", flush=True))
"""
"""What the kernel of each row runs first: what all of them import, and clients that are warm."""


@dataclass(frozen=True)
class Stopped:
    """What is stopped, and how.

    Attributes:
        cell: Its cell; in braces stands the object.
        by_click: Cancel is clicked; else the kernel is interrupted.
    """

    cell: str
    by_click: bool = False


WAYS = {
    "stop_line": Stopped("m = %s3load {uri}"),
    "stop_several": Stopped("%s3load m={uri} n={uri}"),
    "stop_line_awaiting": Stopped("import asyncio\nawait asyncio.sleep(0)\nm = %s3load {uri}"),
    "stop_cell": Stopped("%%s3load m={uri}\nlen(m)"),
    "stop_aload": Stopped("m = await aios3_nb.aload('{uri}')"),
    "stop_iterate": Stopped("for m in aios3_nb.iterate('{uri}'): pass"),
    "stop_aiterate": Stopped("async for m in aios3_nb.aiterate('{uri}'): pass"),
    "cancel_line": Stopped("m = %s3load {uri}", by_click=True),
    "cancel_line_awaiting": Stopped("import asyncio\nawait asyncio.sleep(0)\nm = %s3load {uri}", by_click=True),
    "stop_pandas": Stopped("m = pandas.read_pickle('{uri}')"),
    "stop_boto3": Stopped(f"m = pickle.load(client.get_object(Bucket={BUCKET!r}, Key='{{key}}')['Body'])"),
}


def measure(name: str, key: str) -> dict[str, Any]:
    """Return the median, the 95 % and the longest of the seconds until the kernel was idle."""
    from tests.kernels import kernel

    stopped, chance = WAYS[name], random.Random(name)
    cell = stopped.cell.format(uri=uri(key), key=key)
    with kernel() as running:
        running.ok(PREPARED)
        until = min(LATEST, running.ok(cell).seconds)
        tries = (_seconds(running, cell, stopped.by_click, chance.uniform(0, until)) for _ in range(2 * STOPS))
        times: list[float] = []
        while len(times) < STOPS and (took := next(tries, None)) is not None:
            times += took
    if len(times) < 2:
        raise RuntimeError("nearly every load had ended before it was to be stopped: the object is too small")
    return {
        "seconds": median(times),
        "most": quantiles(times, n=20, method="inclusive")[-1],
        "longest": max(times),
        "stops": len(times),
    }


def _seconds(running: Kernel, cell: str, by_click: bool, moment: float) -> list[float]:
    """Return what it took to stop `cell`, `moment` seconds after it began; nothing if it had ended before."""
    known = set(running.widgets)
    message = running.start(cell)
    running.until_printed("begun")
    button = _button(running, message, known) if by_click else ""
    if button is None:
        return []
    time.sleep(moment)
    began = time.monotonic()
    if by_click:
        running.click(button)
    else:
        running.interrupt()
    errors = running.collect(message).errors
    took = time.monotonic() - began
    running.run("m = n = None")
    return [took] if errors else []


def _button(running: Kernel, message: str, known: Collection[str]) -> str | None:
    """Return the row of progress that is new, whose only button is Cancel; None when the cell ends without."""
    while True:
        heard = running.client.get_iopub_msg(timeout=_LONGEST)
        running._note_widget(heard)
        for comm, state in running.widgets.items():
            if comm not in known and "_rows" in state:
                return comm
        if (heard["parent_header"].get("msg_id"), heard["content"].get("execution_state")) == (message, "idle"):
            running.client.get_shell_msg(timeout=_LONGEST)
            return None
