"""Gradients of long loops: what they cost beside the loop, and the memory that they take."""

from __future__ import annotations

import statistics
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import treadle as tl
from benchmarks.harness import Figure, Row, sample

STEPS, SIZE, BUDGET = 10_000, 1_000, 16 * 2**20


def steps(x: Any, w: Any) -> Any:
    for _ in tl.range(STEPS):
        x = tl.tanh(x * w) + 0.01 * x
    return tl.reduce_sum(x)


def gradient(f: Callable[..., Any]) -> Any:
    @tl.function
    def derive(x: Any, w: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch([x, w])
            y = f(x, w)
        return tape.gradient(y, [x, w])

    return derive


def operands(dtype: str) -> tuple[Any, Any]:
    vectors = np.linspace(-1, 1, SIZE), np.linspace(0.5, 1.1, SIZE)
    return tl.constant(vectors[0].astype(dtype)), tl.constant(vectors[1].astype(dtype))


def rows() -> Iterator[Row]:
    forward, derive = tl.function(steps), gradient(tl.recompute_grad(steps, budget=BUDGET))
    x, w = operands("float64")
    yield Row(f"loop of {STEPS} steps over {SIZE} numbers", lambda: forward(x, w), {}, "ms")
    yield Row(f"its gradient within {BUDGET >> 20} MB", lambda: derive(x, w), {}, "ms")


def figures() -> Iterator[Figure]:
    for dtype in ("float32", "float64"):
        xs = operands(dtype)
        forward, derive = tl.function(steps), gradient(tl.recompute_grad(steps, budget=BUDGET))
        jobs = [partial(f, *xs) for f in (forward, derive)]
        for job in jobs:
            job()
        ratios = []
        for _ in range(7):  # in turns: a slow moment of the machine hits both
            once, back = (sample(job, 1) for job in jobs)
            ratios.append(back / once)
        passes = statistics.median(ratios)
        name = f"gradient of {STEPS} steps over {SIZE} {dtype} within {BUDGET >> 20} MB"
        yield Figure(f"{name}: forward passes", passes, "", 5)
        tracemalloc.start()
        derive(*xs)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        yield Figure(f"{name}: memory", peak / 2**20, "MB", BUDGET >> 20)
