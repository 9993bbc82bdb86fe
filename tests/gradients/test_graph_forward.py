"""`tl.graph.jvp` as a transform of graphs: right, readable, and no more than needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradients.derivatives import grad, total, values
from gradients.test_control_flow import PROGRAMS
from gradients.test_graph_gradients import SCALAR, X, graph_of
from interpreter import Storage, run

import treadle as tl
from treadle.graph.effects import graph_effects
from treadle.graph.walk import nodes_within

T = np.array([0.3, 1.0, -0.5])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_every_mix_with_gradients(program: Any) -> None:
    graph = graph_of(total(program), tl.TensorSpec([3], tl.float64))
    xs = [tl.constant(X)]
    one, zeros = np.ones(()), np.zeros(3)
    (slopes,) = values(grad(total(program))(*xs))
    (curve,) = values(grad(grad(total(program), [T]))(*xs))
    forward, reverse = tl.graph.jvp(graph), tl.graph.gradients(graph)
    mixes = [
        (forward, [X, T], {1: slopes @ T}),
        # The tangents of (x, t) are (t, 0): the last result is the second derivative.
        (tl.graph.jvp(forward), [X, T, T, zeros], {1: slopes @ T, -1: curve @ T}),
        (tl.graph.jvp(reverse), [X, one, T, np.zeros(())], {0: slopes, 1: curve}),
        (tl.graph.gradients(forward, ys=[1]), [X, T, one], {0: curve, 1: slopes}),
    ]
    for transformed, arrays, wanted in mixes:
        tl.graph.check(transformed)
        text = str(transformed)
        again = tl.graph.parse(text)
        assert str(again) == text
        for g in (transformed, again, tl.graph.optimize(transformed)):
            found = run(g, arrays)
            for place, want in wanted.items():
                np.testing.assert_allclose(found[place], want, rtol=1e-9, atol=1e-12)


def test_which_inputs_and_results() -> None:
    v = tl.Variable(2.0, dtype=tl.float64)

    def f(x: Any, n: Any, y: Any) -> Any:
        return x * v, n + 1, x * y * tl.cast(n, tl.float64), y

    graph = graph_of(f, SCALAR, tl.TensorSpec([], tl.int32), SCALAR)
    inputs = [np.float64(3.0), np.int32(4), np.float64(5.0), Storage(np.float64(2.0))]
    one = np.float64(1.0)
    results = [6.0, 5, 60.0, 5.0]
    everything = tl.graph.jvp(graph)
    assert run(everything, [*inputs, one, 0 * one, 10 * one]) == [*results, 32.0, 20.0, 0.0]
    chosen = tl.graph.jvp(graph, xs=[3, 0], ys=[3, 0])
    assert run(chosen, [*inputs, 10 * one, one]) == [*results, 0.0, 32.0]
    with pytest.raises(tl.errors.GradientError, match="input 1 has no"):
        tl.graph.jvp(graph, xs=[1])
    with pytest.raises(tl.errors.GradientError, match="result 1 has no floating"):
        tl.graph.jvp(graph, ys=[1])


def test_tangents_print_as_a_program() -> None:
    text = str(tl.graph.optimize(tl.graph.jvp(graph_of(lambda x: tl.sin(x) * x, SCALAR))))
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    assert [line for line in lines if line] == [
        "def lambda__jvp(x, x_dot):",
        "v0 = sin(x)",
        "v1 = cos(x)",
        "v2 = multiply(x_dot, v1)",
        "v3 = multiply(v0, x)",
        "v4 = multiply(v2, x)",
        "v5 = multiply(x_dot, v0)",
        "v6 = add(v4, v5)",
        "return v3, v6",
    ]


def test_a_loop_carries_the_tangents_it_needs() -> None:
    def f(x: Any, y: Any) -> Any:
        constant = y
        for i in tl.range(4):
            x = tl.sin(x) * y
            constant = constant + tl.cast(i, tl.float64)
        return x, constant

    graph = tl.graph.optimize(tl.graph.jvp(graph_of(f, SCALAR, SCALAR), xs=[0]))
    (loop,) = [node for node in graph.nodes if node.op.name == "while"]
    carried = [v.spec.dtype.name for v in loop.outputs]
    assert carried.count("float64") == 3  # x, its tangent, and what has none
    assert [n.op.name for n in nodes_within(graph)].count("cos") == 1


def test_effects_stand_once_in_the_graph() -> None:
    v = tl.Variable(0.0, dtype=tl.float64)

    def f(x: Any) -> Any:
        tl.print("x", x)
        if x > 0.0:
            v.assign_add(x)
        return x * v

    plain = graph_of(f, SCALAR)
    graph = tl.graph.jvp(plain)
    names = [n.op.name for n in nodes_within(graph)]
    assert names.count("print_") == names.count("assign_add") == names.count("read") == 1
    assert set(graph_effects(graph)) == set(graph_effects(plain))
