"""AutoGraph: converting a function of 200 lines, and what conversion costs a trace."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from typing import Any

import treadle as tl
from benchmarks.harness import Row
from treadle.autograph.convert import converted_anew

STEP = """
    h = tl.nn.relu(tl.matmul(x, w) + b)
    if training:
        h = h * 0.5
    loss = tl.reduce_mean(h * h)
    for i in tl.range(steps):
        if loss < limit:
            break
        loss = loss * 0.9
    while total > 10.0 and loss > 0.0:
        total = total / 2.0
        count = count + 1
    scale = 1.0 if mode == "a" else 2.0
    x = x * scale + helper(h, count)
    if count > 100:
        return total
    parts = [v * scale for v in parts]
    total = parts[0] + loss
"""
TRIPS = 2_000


def long_function() -> Any:
    """A function of 200 lines."""
    repeated = STEP * (198 // len(STEP.splitlines()) + 1)
    head = "def f(x, w, b, training, steps, limit, total, count, mode, parts):\n"
    lines = [*(head + repeated).splitlines()[:199], "    return total"]
    text = "\n".join(lines) + "\n"
    linecache.cache["<long function>"] = (len(text), None, text.splitlines(True), "<long function>")
    space: dict[str, Any] = {"tl": tl, "helper": lambda h, count: h}
    exec(compile(text, "<long function>", "exec"), space)
    return space["f"]


def unrolled(x: Any) -> Any:
    for i in range(TRIPS):
        if i % 2:
            x = x + 1.0
        else:
            x = x * 1.01
    return x


class Network:
    """784-256-10."""

    def __init__(self) -> None:
        self.w1 = tl.Variable(tl.random.normal([784, 256], stddev=0.05))
        self.b1 = tl.Variable(tl.zeros([256]))
        self.w2 = tl.Variable(tl.random.normal([256, 10], stddev=0.05))
        self.b2 = tl.Variable(tl.zeros([10]))
        self.rate = 0.1

    def __call__(self, x: Any) -> Any:
        h = tl.nn.relu(tl.matmul(x, self.w1) + self.b1)
        return tl.matmul(h, self.w2) + self.b2

    def loss(self, x: Any, y: Any) -> Any:
        losses = tl.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=self(x))
        return tl.reduce_mean(losses)

    def train_step(self, x: Any, y: Any) -> Any:
        with tl.GradientTape() as tape:
            loss = self.loss(x, y)
        variables = [self.w1, self.b1, self.w2, self.b2]
        gradients = tape.gradient(loss, variables)
        for v, g in zip(variables, gradients, strict=True):
            v.assign_sub(self.rate * g)
        return loss


def trace(autograph: bool) -> object:
    return tl.function(unrolled, autograph=autograph).get_concrete_function(tl.TensorSpec([4]))


def rows() -> Iterator[Row]:
    f = long_function()
    yield Row("convert 200 lines", lambda: converted_anew(f), unit="ms", goal=15)
    yield Row(
        f"trace {TRIPS} trips of a Python loop",
        lambda: trace(True),
        {"unconverted": lambda: trace(False)},
        "ms",
    )
    step = Network().train_step
    specs = tl.TensorSpec([128, 784]), tl.TensorSpec([128], tl.int32)
    yield Row(
        "trace an MLP's training step",
        lambda: tl.function(step).get_concrete_function(*specs),
        {"unconverted": lambda: tl.function(step, autograph=False).get_concrete_function(*specs)},
        "ms",
    )
