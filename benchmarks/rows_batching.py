"""Batches made by `vmap` against those written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import treadle as tl
from benchmarks.harness import Row

EXAMPLES, INPUTS, HIDDEN, CLASSES = 1_000, 16, 32, 4


def data() -> tuple[Any, ...]:
    """Parameters of a small MLP, examples and labels."""
    rng = np.random.default_rng(0)
    w = [rng.normal(size=s).astype(np.float32) * 0.2 for s in ((INPUTS, HIDDEN), (HIDDEN, CLASSES))]
    parameters = (w[0], np.zeros(HIDDEN, np.float32), w[1], np.zeros(CLASSES, np.float32))
    x = rng.normal(size=(EXAMPLES, INPUTS)).astype(np.float32)
    y = rng.integers(0, CLASSES, EXAMPLES).astype(np.int32)
    return tuple(map(tl.constant, parameters)), tl.constant(x), tl.constant(y)


def loss(parameters: Any, x: Any, y: Any) -> Any:
    """Of one example."""
    w, b, v, c = parameters
    h = tl.tanh((x[None] @ w)[0] + b)
    logits = (h[None] @ v)[0] + c
    return tl.reduce_logsumexp(logits) - tl.reduce_sum(logits * tl.one_hot(y, CLASSES))


def gradient(parameters: Any, x: Any, y: Any) -> Any:
    with tl.GradientTape() as tape:
        tape.watch(parameters)
        found = loss(parameters, x, y)
    return tape.gradient(found, parameters)


def by_hand(parameters: Any, x: Any, y: Any) -> Any:
    """The gradients of all examples."""
    w, b, v, c = parameters
    h = tl.tanh(x @ w + b)
    logits = h @ v + c
    top = tl.reduce_logsumexp(logits, axis=1, keepdims=True)
    g = tl.exp(logits - top) - tl.one_hot(y, CLASSES)
    inner = tl.matmul(g, v, transpose_b=True) * (1.0 - h * h)
    return x[:, :, None] * inner[:, None, :], inner, h[:, :, None] * g[:, None, :], g


def rows() -> Iterator[Row]:
    arguments = data()
    mapped = tl.vmap(gradient, in_axes=(None, 0, 0))
    written = tl.function(by_hand)
    yield Row(
        "vmap(grad) of an MLP, 1,000 examples",
        lambda: mapped(*arguments),
        {"by hand": lambda: written(*arguments)},
    )
