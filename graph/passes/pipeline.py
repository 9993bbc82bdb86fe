"""The passes, in one visible list, and what runs them: it times, prints, checks and keeps stages.

`TREADLE_DEBUG=2` prints each stage's size and time, `TREADLE_DEBUG=3` also its graph;
`TREADLE_CHECK=1` checks the graph after each pass.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from ..check import check
from ..errors import GraphCheckError
from ..node import Graph
from ..settings import checking, collector_paused, debug_level
from ..walk import nodes_within
from .inline import inline
from .simplify import simplify

Pass = Callable[[Graph], Graph]

PASSES: list[Pass] = [inline, simplify]


class Stage(NamedTuple):
    """What a pass made, and how long it took."""

    name: str
    graph: Graph
    seconds: float


def optimize(graph: Graph, *, stages: list[Stage] | None = None) -> Graph:
    """`graph` after all `PASSES`; the graph of every stage joins `stages`."""
    debug = debug_level()
    checked = checking()
    if checked:
        check(graph)
    stage = Stage("traced", graph, 0.0)
    _note(stage, stages, debug)
    for run in PASSES:
        start = time.perf_counter()
        with collector_paused():
            graph = run(graph)
        stage = Stage(run.__name__, graph, time.perf_counter() - start)
        if checked:
            _check_after(stage)
        _note(stage, stages, debug)
    return graph


def _check_after(stage: Stage) -> None:
    try:
        check(stage.graph)
    except GraphCheckError as error:
        error.add_note(f"after the pass '{stage.name}'")
        raise


def _note(stage: Stage, stages: list[Stage] | None, debug: int) -> None:
    if stages is not None:
        stages.append(stage)
    if debug >= 2:
        count = sum(1 for _ in nodes_within(stage.graph))
        print(
            f"treadle: {stage.graph.name}: {stage.name}: {count} nodes, "
            f"{stage.seconds * 1e3:.2f} ms",
            file=sys.stderr,
        )
    if debug >= 3:
        print(stage.graph, file=sys.stderr)
