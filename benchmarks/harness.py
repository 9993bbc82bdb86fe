"""Rows of a table: what treadle takes for a job, and what its peers take for the same job."""

from __future__ import annotations

import gc
import importlib
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType

UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
SAMPLE = 0.02  # seconds; long enough for the clock, short enough to alternate

Job = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A job; `per` counts what one call does, where the figure is for one of many."""

    name: str
    treadle: Job
    peers: Mapping[str, Job] = field(default_factory=dict)
    unit: str = "us"
    per: int = 1
    goal: float | None = None  # in `unit`


@dataclass(frozen=True)
class Result:
    row: Row
    seconds: Mapping[str, float]  # by who took them, treadle first


@dataclass(frozen=True)
class Figure:
    """A measured value that stands alone: bytes, counts, the time to start."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    def __str__(self) -> str:
        missed = " !" if self.goal is not None and self.value > self.goal else ""
        goal = "" if self.goal is None else f"   goal {self.goal:g}{missed}"
        return f"{self.name}   {self.value:.4g} {self.unit}{goal}"


def optional(name: str) -> ModuleType | None:
    """The module of a peer, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def calls_per_sample(job: Job) -> int:
    job()  # warm: the first call may trace, compile, or fill a cache
    start = time.perf_counter()
    job()
    once = time.perf_counter() - start
    return max(1, int(SAMPLE / max(once, 1e-8)))


def sample(job: Job, calls: int) -> float:
    """Seconds for one call."""
    turns = range(calls)
    start = time.perf_counter()
    for _ in turns:
        job()
    return (time.perf_counter() - start) / calls


def measure(row: Row, repeats: int = 15) -> Result:
    """Medians; all take turns, so that a slow moment of the machine hits each of them."""
    jobs = {"treadle": row.treadle, **row.peers}
    calls = {who: calls_per_sample(job) for who, job in jobs.items()}
    times: dict[str, list[float]] = {who: [] for who in jobs}
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeats):
            for who, job in jobs.items():
                times[who].append(sample(job, calls[who]))
    finally:
        if enabled:
            gc.enable()
    return Result(row, {who: statistics.median(taken) / row.per for who, taken in times.items()})


def table(results: Iterable[Result]) -> str:
    """One line for each row; beside a peer's figure, how many times treadle's it is."""
    results = list(results)
    peers = list(dict.fromkeys(who for result in results for who in result.row.peers))
    lines = [["", "", "treadle", "goal", *peers]]
    for result in results:
        row, scale = result.row, UNITS[result.row.unit]
        ours = result.seconds["treadle"]
        missed = " !" if row.goal is not None and ours * scale > row.goal else ""
        goal = "" if row.goal is None else f"{row.goal:g}{missed}"
        line = [row.name, row.unit, f"{ours * scale:.3g}", goal]
        for peer in peers:
            theirs = result.seconds.get(peer)
            line.append("" if theirs is None else f"{theirs * scale:.3g} ({theirs / ours:.2g}x)")
        lines.append(line)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
