"""A tour: read this first. Each stop is one thing that treadle does, shown from the outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import treadle as tl


def test_tensors_are_numpy_arrays_with_manners() -> None:
    x = tl.constant([[1.0, 2.0], [3.0, 4.0]])
    y = x @ x + 1
    assert y.numpy().tolist() == [[8.0, 11.0], [16.0, 23.0]]
    assert (y.shape, y.dtype) == ((2, 2), tl.float32)
    with pytest.raises(TypeError):
        x[0, 0] = 5.0  # type: ignore[index]


def test_a_function_is_traced_once_for_each_signature() -> None:
    traced = []

    @tl.function
    def double(x: Any) -> Any:
        traced.append(x)  # Python runs while tracing only
        return x + x

    assert double(tl.constant(2)).numpy() == 4
    assert double(tl.constant(3)).numpy() == 6
    assert len(traced) == 1
    assert double(tl.constant([1.5])).numpy().tolist() == [3.0]
    assert len(traced) == 2


def test_python_control_flow_over_tensors_becomes_part_of_the_graph() -> None:
    @tl.function
    def collatz(n: Any) -> Any:
        steps = 0
        while n > 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        return steps

    assert collatz(tl.constant(27)).numpy() == 111
    assert collatz(tl.constant(1)).numpy() == 0
    assert collatz.experimental_get_tracing_count() == 1
    nodes = collatz.get_concrete_function(tl.constant(0)).graph.nodes
    assert "while" in [node.op.name for node in nodes]


def test_the_rewritten_python_can_be_read() -> None:
    def f(x: Any) -> Any:
        while tl.reduce_sum(x) > 1:
            x = tl.tanh(x)
        return x

    assert "ag.while_stmt(loop_test, loop_body, x)" in tl.autograph.to_code(f)


def test_the_graph_prints_as_a_program_and_parses_back() -> None:
    @tl.function
    def f(x: Any) -> Any:
        return tl.sin(x) * 2.0

    graph = f.get_concrete_function(tl.TensorSpec([None, 3])).graph
    text = str(graph)
    assert "def f(x):" in text
    assert "sin(x)" in text
    assert "f32[?,3]" in text
    assert str(tl.graph.parse(text)).splitlines()[1:2] == text.splitlines()[1:2]


def test_gradients_go_through_loops_to_any_order() -> None:
    @tl.function
    def power(x: Any, n: Any) -> Any:
        result = tl.constant(1.0)
        for _ in tl.range(n):
            result *= x
        return result

    x = tl.Variable(2.0)
    with tl.GradientTape() as outer:
        with tl.GradientTape() as inner:
            y = power(x, tl.constant(5))
        dy = inner.gradient(y, x)
    assert y.numpy() == 2.0**5
    assert dy.numpy() == 5 * 2.0**4
    assert outer.gradient(dy, x).numpy() == 20 * 2.0**3


def test_variables_are_written_in_the_order_of_the_program() -> None:
    a, b = tl.Variable(1.0), tl.Variable(2.0)

    @tl.function
    def step(x: Any) -> Any:
        a.assign(x * b)
        b.assign_add(a)
        return a + b

    assert step(tl.constant(3.0)).numpy() == 6.0 + 8.0
    assert (a.numpy(), b.numpy()) == (6.0, 8.0)


def test_random_numbers_are_the_same_eager_and_traced() -> None:
    def draw() -> Any:
        return tl.random.normal([3]) + tl.random.uniform([3])

    tl.random.set_seed(7)
    eager = [draw().numpy() for _ in range(2)]
    tl.random.set_seed(7)
    traced = tl.function(draw)
    np.testing.assert_array_equal(eager, [traced().numpy() for _ in range(2)])


def test_a_training_loop_is_one_function() -> None:
    x = tl.linspace(-1.0, 1.0, 21)
    y = 3.0 * x - 1.0
    slope, intercept = tl.Variable(0.0), tl.Variable(0.0)

    @tl.function
    def train(steps: Any) -> Any:
        loss = tl.constant(0.0)
        for _ in tl.range(steps):
            with tl.GradientTape() as tape:
                loss = tl.reduce_mean((slope * x + intercept - y) ** 2)
            d_slope, d_intercept = tape.gradient(loss, [slope, intercept])
            slope.assign_sub(0.5 * d_slope)
            intercept.assign_sub(0.5 * d_intercept)
            if loss < 1e-9:
                break
        return loss

    assert train(tl.constant(200)).numpy() < 1e-9
    assert slope.numpy() == pytest.approx(3.0, abs=1e-3)
    assert intercept.numpy() == pytest.approx(-1.0, abs=1e-3)


def test_errors_speak_of_the_users_names_and_lines() -> None:
    @tl.function
    def layer(images: Any, weights: Any) -> Any:
        return tl.nn.relu(images @ weights)

    with pytest.raises(tl.errors.InvalidArgumentError) as caught:
        layer(tl.ones([2, 3]), tl.ones([4, 5]))
    assert "inner sizes differ: (2, 3) @ (4, 5)" in str(caught.value)
    assert "test_tour.py" in str(caught.value)
    assert "images: f32[2,3]" in str(caught.value)
