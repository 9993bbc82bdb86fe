"""Tapes around functions, in functions, around and in loops and branches, and beside state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

X = tl.constant(3.0)
ROWS = tl.constant(np.random.default_rng(0).normal(size=(5, 2)))


def numbers(found: Any) -> Any:
    return tl.nest.map_structure(lambda g: None if g is None else g.numpy().tolist(), found)


def gradient(f: Any, order: int = 1) -> Any:
    """The derivative of a function of one number."""
    if order == 0:
        return f

    def derivative(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = gradient(f, order - 1)(x)
        return tape.gradient(y, x)

    return derivative


# --- around functions ----------------------------------------------------------------


class Layer(tl.Module):
    """A method that is traced, with variables of the object that it belongs to."""

    def __init__(self, scale: float) -> None:
        self.w = tl.Variable([[scale, 0.5], [-0.25, scale]], dtype=tl.float64)
        self.b = tl.Variable([0.1, -0.2], dtype=tl.float64)
        self.calls = tl.Variable(0, trainable=False)

    def plain(self, x: Any) -> Any:
        self.calls.assign_add(1)
        return tl.tanh(x @ self.w + self.b)

    traced = tl.function(plain)


@pytest.mark.parametrize("inside", [False, True])
def test_methods_with_variables(inside: bool) -> None:
    def slopes(first: Any, second: Any, *variables: Any) -> Any:
        def run(x: Any) -> Any:
            with tl.GradientTape() as tape:
                y = tl.reduce_sum(second(first(x)))
            return tape.gradient(y, list(variables))

        return run

    a, b = Layer(0.3), Layer(-0.7)
    variables = [a.w, a.b, b.w, b.b]
    want = numbers(slopes(a.plain, b.plain, *variables)(ROWS))
    run = slopes(a.traced, b.traced, *variables)
    found = numbers((tl.function(run) if inside else run)(ROWS))
    for got, wanted in zip(found, want, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)
    assert (a.calls.numpy(), b.calls.numpy()) == (2, 2)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("inside", [False, True])
def test_a_function_runs_once_whatever_the_order(order: int, inside: bool) -> None:
    v, count = tl.Variable(2.0), tl.Variable(0)

    @tl.function
    def f(x: Any) -> Any:
        count.assign_add(1)
        return x * x * x * x * v

    run = gradient(f, order)
    assert numbers((tl.function(run) if inside else run)(X)) == [216.0, 216.0, 144.0][order - 1]
    assert count.numpy() == 1


@pytest.mark.parametrize("inside", [False, True])
def test_random_numbers_are_drawn_once(inside: bool) -> None:
    @tl.function
    def f(x: Any) -> Any:
        y = x
        for _ in tl.range(3):
            y = y * tl.random.uniform([]) * x
        return y

    def run(x: Any) -> Any:
        with tl.GradientTape() as outer:
            outer.watch(x)
            with tl.GradientTape() as inner:
                inner.watch(x)
                y = f(x)
            g = inner.gradient(y, x)
        return y, g, outer.gradient(g, x)

    y, g, h = (tl.function(run) if inside else run)(X)
    assert g.numpy() == pytest.approx(4 * y.numpy() / 3, rel=1e-6)
    assert h.numpy() == pytest.approx(12 * y.numpy() / 9, rel=1e-6)


@pytest.mark.parametrize("inside", [False, True])
def test_what_a_result_does_not_depend_on(inside: bool) -> None:
    v = tl.Variable(2.0)

    @tl.function
    def f(x: Any, y: Any) -> Any:
        return x * 2.0, y * v, tl.stop_gradient(x) * v

    def run(x: Any, y: Any) -> Any:
        with tl.GradientTape(persistent=True) as tape:
            tape.watch([x, y])
            results = f(x, y)
        return [tape.gradient(r, [x, y, v]) for r in results]

    found = (tl.function(run) if inside else run)(X, tl.constant(5.0))
    assert numbers(found) == [[2.0, None, None], [None, 2.0, 5.0], [None, None, 3.0]]


def test_a_persistent_tape_that_records_its_own_gradient() -> None:
    v = tl.Variable(2.0)

    @tl.function
    def f(x: Any) -> Any:
        return x * x * x * v

    with tl.GradientTape(persistent=True) as tape:
        tape.watch(X)
        y = f(X)
        slope = tape.gradient(y, X)
        bend = tape.gradient(slope, X)
    assert numbers([slope, bend]) == [54.0, 36.0]
    assert numbers(tape.gradient(slope, [X, v])) == [36.0, 27.0]
    # The backward half computes x * x anew, so that its residuals depend on nothing.
    assert numbers(tape.gradient(bend, [X, v])) == [12.0, 18.0]


def test_an_order_that_was_not_prepared_for() -> None:
    v = tl.Variable(2.0)

    @tl.function
    def f(x: Any) -> Any:
        return tl.exp(tl.sin(x) * v)

    with tl.GradientTape(persistent=True) as tape:
        tape.watch(X)
        bend = tape.gradient(tape.gradient(f(X), X), X)
    with pytest.raises(tl.errors.GradientError, match="call it inside of one more GradientTape"):
        tape.gradient(bend, X)


def test_two_functions_of_one_name() -> None:
    count = tl.Variable(0)

    def make(k: float, inner: Any) -> Any:
        @tl.function
        def f(x: Any) -> Any:
            count.assign_add(1)
            return inner(x) * x * k

        return f

    run = tl.function(gradient(make(2.0, make(5.0, lambda x: x))))
    assert numbers(run(X)) == 10.0 * 27.0
    assert count.numpy() == 2


# --- recursion -----------------------------------------------------------------------


@pytest.mark.parametrize("inside", [False, True])
def test_recursion_uses_what_variables_were_when_it_ran(inside: bool) -> None:
    v = tl.Variable(2.0)

    @tl.function
    def power(x: Any, n: Any) -> Any:
        if n <= 0:
            return x
        return power(x * v, n - 1)

    def run(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = power(x, tl.constant(3))
            v.assign(5.0)
        return tape.gradient(y, [x, v])

    assert numbers((tl.function(run) if inside else run)(X)) == [8.0, 36.0]


def test_recursion_that_can_not_be_repeated() -> None:
    v = tl.Variable(2.0)

    @tl.function
    def writes(x: Any, n: Any) -> Any:
        v.assign_add(1.0)
        if n <= 0:
            return x
        return writes(x * v, n - 1)

    @tl.function
    def asks(x: Any, n: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = x
            if n > 0:
                y = asks(x * 2.0, n - 1)
        return tape.gradient(y, x)

    for f, message in [(writes, "calls itself and has side effects"), (asks, "its own recursion")]:
        with pytest.raises(tl.errors.GradientError, match=message):
            gradient(lambda x: f(x, tl.constant(2)))(X)  # noqa: B023


# --- around and inside of loops and branches -----------------------------------------


def in_a_branch(x: Any) -> Any:
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    if x > 4.0:
        g = tape.gradient(y, x)
    elif x > 0.0:
        g = tape.gradient(y, x) * 10.0
    else:
        g = -tape.gradient(y, x)
    return g


def loop_of_a_tape(x: Any) -> Any:
    g = x
    with tl.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        for i in tl.range(3):
            z = y * tl.cast(i, tl.float32)
            g = g + tape.gradient(z, x)
    return g, tape.gradient(g, x)


def tape_in_a_loop(x: Any) -> Any:
    for i in tl.range(4):
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = tl.sin(x) * x
            if i == 2:
                continue
            while y > 1.0:
                y = y * 0.5
        x = x - 0.1 * tape.gradient(y, x)
    return x


def through_a_training_loop(x: Any) -> Any:
    with tl.GradientTape() as outer:
        outer.watch(x)
        w = tl.constant(1.0)
        for _ in tl.range(5):
            with tl.GradientTape() as tape:
                tape.watch(w)
                loss = tl.square(w * x - 1.0)
            w = w - 0.05 * tape.gradient(loss, w)
    return w, outer.gradient(w, x)


def returned_from(x: Any) -> Any:
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        for _ in tl.range(3):
            y = y * x
            if y > 30.0:
                return tape.gradient(x * 7.0, x)
    return tape.gradient(y, x)


@pytest.mark.parametrize("x", [1.3, 2.4, 5.0, -0.5])
@pytest.mark.parametrize(
    "program",
    [in_a_branch, loop_of_a_tape, tape_in_a_loop, through_a_training_loop, returned_from],
)
def test_as_in_python(program: Callable[..., Any], x: float) -> None:
    tensor = tl.constant(x)
    want = program(tensor)
    found = tl.function(program)(tensor)
    for g, w in zip(tl.nest.flatten(found), tl.nest.flatten(want), strict=True):
        assert g.numpy() == pytest.approx(w.numpy(), rel=1e-5)


def test_training_in_a_graph() -> None:
    w = tl.Variable([1.0, 2.0], dtype=tl.float64)

    def train(rows: Any, rate: Any) -> Any:
        before = tl.constant(1e9, tl.float64)
        for i in tl.range(20):
            with tl.GradientTape() as tape:
                loss = tl.reduce_mean(tl.square(tl.linalg.matvec(rows, w) - 1.0))
            if loss > before * 0.999:
                break
            before = loss
            w.assign_sub(rate * tape.gradient(loss, w))
            if i % 5 == 4:
                rate = rate * 0.5
        return before

    outcomes = []
    for f in (train, tl.function(train)):
        w.assign([1.0, 2.0])
        outcomes.append([f(ROWS, tl.constant(0.1, tl.float64)).numpy(), *w.numpy()])
    np.testing.assert_allclose(outcomes[1], outcomes[0], rtol=1e-12)


def test_a_gradient_by_a_loop_variable_needs_a_tape_inside() -> None:
    @tl.function
    def f(x: Any) -> Any:
        g = x
        with tl.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x
            for _ in tl.range(3):
                y = y * x
                g = tape.gradient(y, x)  # what y is made of, is not known yet
        return g

    with pytest.raises(tl.errors.GradientError) as caught:
        f(X)
    assert "of what depends on a loop variable (one of y), at test_tape_and_functions.py:" in str(
        caught.value
    )
    assert str(caught.value).endswith("Open the tape inside of the loop")


def test_a_tape_that_has_left_its_function() -> None:
    kept: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in tl.range(2):
                y = y * x
        kept.extend([tape, y, x])
        return y

    f(X)
    tape, y, x = kept
    with pytest.raises(tl.errors.LeakedTensorError, match="was made in the trace of 'f'"):
        tape.gradient(y, x)
