"""Gradients: what a tape adds to an eager op, the walk back, and the gradient of a long graph."""

from __future__ import annotations

import gc
import statistics
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np

import treadle as tl
from benchmarks.harness import Figure, Row, sample
from benchmarks.rows_core import CHAIN, SMALL, trace

OPS = 1_000


def multiplied(x: Any) -> Any:
    y = x
    for _ in range(OPS):
        y = y * x
    return y


def taped(x: Any) -> tl.GradientTape:
    with tl.GradientTape() as tape:
        tape.watch(x)
        multiplied(x)
    return tape


def there_and_back(x: Any) -> Any:
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = multiplied(x)
    return tape.gradient(y, x)


def rows() -> Iterator[Row]:
    x = tl.constant(SMALL)
    plain = lambda: multiplied(x)  # noqa: E731
    yield Row("eager op under a tape", lambda: taped(x), {"without": plain}, per=OPS)
    yield Row("eager op and its gradient", lambda: there_and_back(x), {"without": plain}, per=OPS)
    graph = trace(CHAIN)
    yield Row(
        f"the gradient graph of {CHAIN} ops", lambda: tl.graph.gradients(graph), {}, "ms", goal=80
    )
    table = tl.Variable(np.zeros((100_000, 16), np.float32))
    optimizer = tl.optimizers.SGD(0.1)

    def lookup() -> None:
        with tl.GradientTape() as tape:
            loss = tl.reduce_sum(tl.gather(table, [1, 5, 7]))
        optimizer.apply_gradients([(tape.gradient(loss, table), table)])

    yield Row("a step on 3 of 100,000 rows of a variable", lookup)


def figures() -> Iterator[Figure]:
    """The difference that a tape makes, taken in turns, and what a used one keeps."""
    x = tl.constant(SMALL)
    gc.collect()
    gc.disable()
    try:
        pairs = [(sample(lambda: taped(x), 5), sample(lambda: multiplied(x), 5)) for _ in range(25)]
    finally:
        gc.enable()
    added = statistics.median([with_tape - without for with_tape, without in pairs]) / OPS
    yield Figure("what a tape adds to an eager op", added * 1e6, "us", 1.5)
    large = tl.constant(np.ones(100_000, np.float32))
    tracemalloc.start()
    with tl.GradientTape() as tape:
        tape.watch(large)
        y = large
        for _ in range(50):
            y = y * large
    tape.gradient(y, large)
    del y
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del tape
    yield Figure("memory of a used tape of 50 ops on 400 kB: each op", kept / 50, "B", 4096)
