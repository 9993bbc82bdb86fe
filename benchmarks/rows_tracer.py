"""The tracer: what guards add to a call, and calls of methods and with objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import treadle as tl
from benchmarks.harness import Row
from treadle.tracer.guards import Check

FEW, MANY = 20, 220


def guarded(count: int, read: str) -> Any:
    """A one-op function that reads `count` values: `read` says how, with the number for `{}`."""
    space: dict[str, Any] = {f"K{i}": 1000 + i for i in range(count)}
    space["cfg"] = type("Config", (), {})()
    for i in range(count):
        setattr(space["cfg"], f"K{i}", 0.5 + i)
    terms = " + ".join(read.format(i) for i in range(count)) or "0"
    exec(f"def f(x):\n    n = {terms}\n    return x + x\n", space)
    return tl.function(space["f"], autograph=False)


def check_of(count: int, read: str) -> Check:
    """The check of that function's trace."""
    f = guarded(count, read)
    check = f.get_concrete_function(tl.TensorSpec([4, 4])).guards.check()
    assert check is not None
    return check


def rows() -> Iterator[Row]:
    x = tl.constant(np.ones((4, 4), np.float32))
    for what, read in (("globals", "K{}"), ("attributes", "cfg.K{}")):
        few, many = check_of(FEW, read), check_of(MANY, read)
        yield Row(f"check of {FEW} guards, {what}", few, unit="us", goal=0.3)
        yield Row(f"check of {MANY} guards, {what}: each", many, unit="ns", per=MANY, goal=15)
    plain, free = guarded(0, "K{}"), guarded(FEW, "K{}")
    yield Row(
        f"call of a one-op function with {FEW} guards",
        lambda: free(x),
        {"without": lambda: plain(x)},
    )

    class Model:
        def __init__(self) -> None:
            self.w = tl.Variable(2.0)

        @tl.function
        def method(self, x: Any) -> Any:
            return x * self.w

    model = Model()
    yield Row("call of a traced method, 4x4", lambda: model.method(x))
