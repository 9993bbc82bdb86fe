"""`tl.graph.gradients` as a transform of graphs: right, readable, and no more than needed."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gradients.derivatives import grad, total, values
from gradients.test_control_flow import PROGRAMS
from interpreter import Storage, run

import treadle as tl
from treadle.graph.walk import nodes_within

SCALAR, VECTOR = tl.TensorSpec([], tl.float64), tl.TensorSpec([None], tl.float64)
X = np.array([0.7, -0.4, 1.1])


def graph_of(f: Any, *specs: Any) -> Any:
    return tl.function(f).get_concrete_function(*specs).graph


def gradient_of(f: Any, *specs: Any) -> Any:
    return tl.graph.gradients(graph_of(f, *specs))


def saved(graph: Any) -> list[str]:
    """What the loops of a graph save in each iteration."""
    return sorted(str(n.outputs[0].spec) for n in nodes_within(graph) if n.op.name == "array_new")


# --- as a transform ------------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_first_and_second_order(program: Any) -> None:
    spec = tl.TensorSpec([3], tl.float64)
    graph = graph_of(total(program), spec)
    first = tl.graph.gradients(graph)
    second = tl.graph.gradients(first)
    xs = [tl.constant(X)]
    one, ones = np.ones(()), np.ones(3)
    (want,) = values(grad(total(program))(*xs))
    want_second = values(grad(grad(total(program), [ones]))(*xs))
    for transformed, arrays, wanted in [(first, [one], [want]), (second, [one, ones], want_second)]:
        tl.graph.check(transformed)
        text = str(transformed)
        again = tl.graph.parse(text)
        assert str(again) == text
        for g in (transformed, again, tl.graph.optimize(transformed)):
            found = run(g, [X, *arrays])
            np.testing.assert_allclose(found[0], wanted[0], rtol=1e-9, atol=1e-12)


def test_which_results_and_inputs() -> None:
    v = tl.Variable(2.0, dtype=tl.float64)

    def f(x: Any, n: Any, y: Any) -> Any:
        return x * v, n + 1, x * y * tl.cast(n, tl.float64)

    graph = graph_of(f, SCALAR, tl.TensorSpec([], tl.int32), SCALAR)
    inputs = [np.float64(3.0), np.int32(4), np.float64(5.0), Storage(np.float64(2.0))]
    everything = tl.graph.gradients(graph)
    assert run(everything, [*inputs, 1.0, 10.0]) == [202.0, 120.0, 3.0]
    chosen = tl.graph.gradients(graph, ys=[0], xs=[2, 3])
    assert chosen.out_specs == (SCALAR, SCALAR)
    assert run(chosen, [*inputs, np.float64(1.0)]) == [0.0, 3.0]
    for ys, xs, message in [([1], [0], "result 1 has no floating"), ([0], [1], "input 1 has no")]:
        with pytest.raises(tl.errors.GradientError, match=message):
            tl.graph.gradients(graph, ys=ys, xs=xs)


def test_a_gradient_prints_as_a_program() -> None:
    text = str(tl.graph.optimize(gradient_of(lambda x: tl.sin(x) * x, SCALAR)))
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert [line.partition("#")[0].strip() for line in lines] == [
        "def lambda__gradient(x, g0):",
        "v0 = sin(x)",
        "v1 = multiply(g0, x)",
        "v2 = multiply(g0, v0)",
        "v3 = cos(x)",
        "v4 = multiply(v1, v3)",
        "v5 = add(v2, v4)",
        "return v5",
    ]


# --- what is saved -------------------------------------------------------------------


def linear(x: Any, w: Any) -> Any:
    for _ in tl.range(5):
        x = 0.5 * x - w
    return x


def invariant(x: Any, w: Any) -> Any:
    for _ in tl.range(5):
        x = tl.tanh(x + tl.exp(w) * 3.0) * tl.sin(w)
    return x


def only_sizes(x: Any, w: Any) -> Any:
    for _ in tl.range(5):
        x = w * x + tl.reduce_sum(x)
    return x * w


def counted(x: Any, w: Any) -> Any:
    n = 0
    for i in tl.range(5):
        n += i
        x = x + tl.cast(n, tl.float64)
    return x


def inner_loop(x: Any, w: Any) -> Any:
    for i in tl.range(3):
        for _ in tl.range(i):
            x = x * x
    return x


def in_a_branch(x: Any, w: Any) -> Any:
    for _ in tl.range(3):
        if w > 0.0:
            x = x * x
    return x


@pytest.mark.parametrize(
    ("program", "stacks"),
    [
        (linear, []),
        # Of `tanh` its result; of its factor, which is the same in each iteration, nothing.
        (invariant, ["array<f64[?]>"]),
        (only_sizes, ["array<i32[1]>"]),
        (counted, []),
        # The inner loop's stack and count of trips, in each iteration of the outer loop.
        (inner_loop, ["array<array<f64[?]>>", "array<f64[?]>", "array<i32[]>"]),
        (in_a_branch, ["array<f64[?]>"]),
    ],
)
def test_what_a_loop_saves(program: Any, stacks: list[str]) -> None:
    gradient = tl.graph.gradients(graph_of(program, VECTOR, SCALAR), xs=[0])
    assert saved(gradient) == stacks


def test_a_gradient_of_a_gradient_uses_the_same_stack() -> None:
    def cube(x: Any) -> Any:
        for _ in tl.range(3):
            x = x * x * x
        return x

    first = gradient_of(cube, SCALAR)
    loop = next(n for n in first.nodes if n.op.name == "while")
    assert [v.spec for v in loop.outputs].count(loop.outputs[-1].spec) == 2  # index and trips
    second = tl.graph.gradients(first)
    loop = next(n for n in second.nodes if n.op.name == "while")
    pushes = [n for n in loop.attrs["body"].nodes if n.op.name == "array_push"]
    assert len({n.inputs[1] for n in pushes}) == len(pushes)


def test_what_a_branch_hands_out_is_empty_for_the_other() -> None:
    def f(x: Any) -> Any:
        if tl.reduce_sum(x) > 0.0:
            return tl.sin(tl.exp(x))
        return x

    gradient = gradient_of(f, VECTOR)
    cond = next(n for n in gradient.nodes if n.op.name == "cond")
    taken, other = cond.attrs["then"].outputs, cond.attrs["orelse"].outputs
    assert len(taken) == 2  # the result and exp(x)
    assert other[1].node is not None
    assert other[1].node.attrs["value"].shape == (0,)


# --- what it costs -------------------------------------------------------------------


def seconds(f: Callable[[], Any]) -> float:
    """Processor time, so that other programs do not count; the best of a few."""

    def once() -> float:
        start = time.process_time()
        f()
        return time.process_time() - start

    return min(once() for _ in range(3))


def chain(length: int) -> Any:
    def f(x: Any) -> Any:
        for _ in range(length // 2):
            x = tl.sin(x) * 1.01
        return x

    return tl.function(f, autograph=False).get_concrete_function(SCALAR).graph


def test_a_long_chain_costs_time_and_nodes_in_proportion() -> None:
    short, long = chain(500), chain(2000)
    assert len(tl.graph.gradients(long).nodes) <= 3 * 2000
    assert seconds(lambda: tl.graph.gradients(long)) < 10 * seconds(
        lambda: tl.graph.gradients(short)
    )


def simple(x: Any, n: Any) -> Any:
    for _ in tl.range(n):
        x = tl.sin(x) * 1.01
    return x


def with_branch(x: Any, n: Any) -> Any:
    for _ in tl.range(n):
        if x > 0.5:
            x = tl.sin(x)
        else:
            x = tl.exp(x)
    return x


@tl.function
def halves(x: Any, n: Any) -> Any:
    for _ in tl.range(n):
        for _ in tl.range(3):
            x = tl.tanh(x * x + 0.3)
    return x


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("program", [simple, with_branch, halves])
def test_a_long_loop_costs_time_and_memory_in_proportion(program: Any, order: int) -> None:
    def derivative(x: Any, n: Any) -> Any:
        f: Any = lambda x: program(x, n)  # noqa: E731
        for _ in range(order):
            f = grad(f, [1.0])
        return f(x)

    traced = tl.function(derivative)
    x = tl.constant(0.6, tl.float64)

    def memory(trips: int) -> int:
        tracemalloc.start()
        traced(x, tl.constant(trips))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    few, many = [tl.constant(5000 // (3 if program is halves else 1) // k) for k in (8, 1)]
    traced(x, few)
    assert seconds(lambda: traced(x, many)) < 24 * seconds(lambda: traced(x, few))
    assert memory(800) < 16 * memory(100)
