"""Running a graph from inside of an op: ops on datasets call functions for each element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .node import FunctionRef, Graph

Runner = Callable[[Graph, Sequence[Any]], tuple[Any, ...]]
_runner: list[Runner] = []


def set_runner(runner: Runner) -> None:
    """Install what runs a graph on arrays (and storages of variables): the runtime does."""
    _runner[:] = [runner]


def run(function: FunctionRef, values: Sequence[Any]) -> tuple[Any, ...]:
    """The results of a function of the program, as arrays."""
    assert function.graph is not None
    return _runner[0](function.graph, values)
