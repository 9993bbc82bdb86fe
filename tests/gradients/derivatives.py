"""Derivatives in every way that treadle has, and the differences that they are compared with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import treadle as tl

Arrays = Sequence[Any]
Program = Callable[..., Any]


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def tensors(arrays: Arrays) -> list[Any]:
    return [tl.constant(np.asarray(a, np.float64)) for a in arrays]


def total(f: Program, weights: Any = None) -> Program:
    """`f` with its results, weighed, summed up to one number."""

    def scalar(*xs: Any) -> Any:
        results = tl.nest.flatten(f(*xs))
        results = [y for y in results if y.dtype is tl.float64]
        ws = weights or [1.0 + 0.25 * i for i in range(len(results))]
        return tl.add_n([tl.reduce_sum(y * w) for y, w in zip(results, ws, strict=True)])

    return scalar


def grad(f: Program, directions: Arrays | None = None) -> Program:
    """The gradients of a scalar program; with directions, their inner product with these."""

    def gradients(*xs: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(xs)
            y = f(*xs)
        found = tape.gradient(y, list(xs), unconnected_gradients=tl.UnconnectedGradients.ZERO)
        if directions is None:
            return found
        return tl.add_n([tl.reduce_sum(g * d) for g, d in zip(found, directions, strict=True)])

    return gradients


def traced(f: Program) -> Program:
    """`f` as a graph; what it calls is converted where it was written, not here."""
    return tl.function(f, autograph=False)


def values(found: Any) -> list[Any]:
    return [np.asarray(v.numpy()) for v in tl.nest.flatten(found)]


def difference(f: Program, arrays: Arrays, directions: Arrays, h: float = 1e-5) -> float:
    """The derivative of a scalar program along a direction, by the four-point formula."""

    def at(t: float) -> float:
        moved = [np.asarray(a) + t * np.asarray(d) for a, d in zip(arrays, directions, strict=True)]
        return float(f(*tensors(moved)))

    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def some_directions(arrays: Arrays) -> list[Any]:
    random = rng()
    return [random.normal(size=np.shape(a)) for a in arrays]


def check(plain: Program, graph: Program, arrays: Arrays, order: int = 2) -> None:
    """Derivatives up to `order` of `plain`, run by Python, and of `graph`, the same traced.

    The tapes are all outside of the graph, all inside, and in every split between.
    """
    ds = some_directions(arrays)
    xs = tensors(arrays)
    one, same = total(plain), total(graph)
    np.testing.assert_allclose(same(*xs).numpy(), one(*xs).numpy(), rtol=1e-12)
    for n in range(1, order + 1):
        want = values(grad(one)(*xs))
        along = sum(float(np.sum(g * d)) for g, d in zip(want, ds, strict=True))
        near = difference(one, arrays, ds)
        assert along == np.float64(near) or abs(along - near) <= 2e-6 * (1 + abs(near)), (n, near)
        for inside in range(n + 1):
            got = values(tapes(graph, n, inside, ds)(*xs))
            for g, w in zip(got, want, strict=True):
                np.testing.assert_allclose(g, w, rtol=1e-8, atol=1e-10, err_msg=f"{n}, {inside}")
        one = grad(one, ds)


def tapes(graph: Program, order: int, inside: int, directions: Arrays) -> Program:
    """The gradients of this order of a traced program, with `inside` of the tapes traced, too."""
    found = total(graph)
    for n in range(1, order + 1):
        found = grad(found, None if n == order else directions)
        if n == inside:
            found = traced(found)
    return found


def forward(f: Program, directions: Arrays) -> Program:
    """The derivative of a scalar program along directions, in forward mode."""

    def tangent(*xs: Any) -> Any:
        with tl.autodiff.ForwardAccumulator(list(xs), tensors(directions)) as accumulator:
            y = f(*xs)
        return accumulator.jvp(y, unconnected_gradients=tl.UnconnectedGradients.ZERO)

    return tangent


def check_forward(plain: Program, graph: Program, arrays: Arrays, order: int = 2) -> None:
    """Derivatives along one direction up to `order`, each in forward or reverse mode.

    All of it is run by Python, or by a graph, or the inner `inside` derivatives are in a graph.
    """
    ds = some_directions(arrays)
    xs = tensors(arrays)
    one, same = total(plain), total(graph)
    for n in range(1, order + 1):
        one = grad(one, ds)
        want = float(one(*xs))
        for modes in itertools.product("FR", repeat=n):
            if "F" not in modes:
                continue
            found = total(plain)
            for mode in modes:
                found = forward(found, ds) if mode == "F" else grad(found, ds)
            np.testing.assert_allclose(found(*xs).numpy(), want, rtol=1e-8, atol=1e-9)
            for inside in range(n + 1):
                found = same
                for place, mode in enumerate(modes, 1):
                    found = forward(found, ds) if mode == "F" else grad(found, ds)
                    if place == inside:
                        found = traced(found)
                got = found(*xs).numpy()
                where = f"{''.join(modes)}, {inside} inside"
                np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-9, err_msg=where)
