"""One table of the results: its runs, its columns, and what is to be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOAD = ("median", "min", "max", "cpu", "peak", "over", "requests", "sent", "open")
"""The columns of a case that has no others; see `report`."""


@dataclass(frozen=True)
class Run:
    """One way, with settings of our own where it is ours.

    Attributes:
        way: Its name among `ways`, or in `measure`.
        label: What it is called; else as the way.
        options: Settings of our own.
        rounds: Times at most, where one takes a minute.
        key: Goes before that of the case.
        server: Likewise.
        counts: Whether it is one to choose from; what is measured only to compare with is not in the table in short.
    """

    way: str
    label: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 99
    key: str = ""
    server: str = ""
    counts: bool = True

    @property
    def name(self) -> str:
        return self.label or self.way


@dataclass(frozen=True)
class Goal:
    """What the run `run` is to reach, or each run if there is none: `most` of a figure, or as many times that of `of`.

    Without `most` the table says what it is, and there is nothing to reach.
    """

    figure: str
    run: str = ""
    of: str = ""
    most: float | None = None


@dataclass(frozen=True)
class Case:
    """One table of the results.

    Attributes:
        title: What is loaded, and from where.
        server: A server of nginx (`configuration.SERVERS`), ``seaweedfs``, or none.
        key: The object.
        runs: The ways, in the order of the table.
        rounds: Times that each is measured.
        repeat: Loads within one process, whose median counts.
        short: The figure of its row in the table that stands first, seconds or those of the processor; or none.
        in_readme: Whether the README has that row, too.
        columns: What its table shows.
        goals: What is to be reached.
    """

    title: str
    server: str
    key: str
    runs: tuple[Run, ...]
    rounds: int = 3
    repeat: int = 1
    short: str = "seconds"
    in_readme: bool = False
    columns: tuple[str, ...] = LOAD
    goals: tuple[Goal, ...] = ()

    def keys(self, *servers: str) -> set[str]:
        """Return all objects that it needs on `servers`; without a server it needs none."""
        return {run.key or self.key for run in self.runs if (run.server or self.server) in servers}

    @property
    def servers(self) -> set[str]:
        """All servers that it needs."""
        return {run.server or self.server for run in self.runs} - {""}
