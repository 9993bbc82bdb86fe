"""The transforms in any nesting: batches, gradients, tangents, custom gradients, recomputation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

Function = Callable[..., Any]

ROWS = np.random.default_rng(7).uniform(0.3, 1.2, (4, 3))
ALONG = np.random.default_rng(8).normal(size=(4, 3))
WEIGHTS = np.random.default_rng(9).normal(size=(3, 3))


def plain(x: Any) -> Any:
    y = tl.tanh(tl.linalg.matvec(tl.constant(WEIGHTS), x))
    return tl.reduce_sum(y * y * x)


def looping(x: Any) -> Any:
    for _ in tl.range(4):
        x = x + 0.1 * tl.sin(x)
    return tl.reduce_sum(x * x)


def looping_differently(x: Any) -> Any:
    """As often as the example says."""
    while tl.reduce_sum(x) < 6.0:
        x = x * 1.5 + 0.1 * tl.sin(x)
    return tl.reduce_sum(x * x)


def branching(x: Any) -> Any:
    y = tl.reduce_sum(tl.exp(x)) if tl.reduce_sum(x) > 2.0 else tl.reduce_sum(x * x * x)
    return y * tl.reduce_max(x)


def listing(x: Any) -> Any:
    found = tl.TensorArray(tl.float64, size=3)
    for i in tl.range(3):
        found = found.write(i, tl.sin(x) * x[i])
    return tl.reduce_sum(found.stack() ** 2.0)


@tl.custom_gradient
def cubed(x: Any) -> Any:
    """Its gradient is said, and is the right one."""
    return x * x * x, lambda dy: dy * 3.0 * x * x


def customized(x: Any) -> Any:
    return tl.reduce_sum(cubed(tl.sin(x)) * x)


@tl.custom_gradient
def scaled(x: Any, w: Any) -> Any:
    y = x * w

    def back(dy: Any) -> Any:
        return dy * w, dy * x

    return y, back


SCALES = np.array([0.5, 2.0, -1.0])


def customized_sharing(x: Any) -> Any:
    """A source of the custom gradient is the same for all examples."""
    return tl.reduce_sum(tl.sin(scaled(x, tl.constant(SCALES))))


again = tl.recompute_grad(looping)
within = tl.recompute_grad(looping, budget=4000)


@tl.function
def called(x: Any) -> Any:
    return plain(x) + branching(x)


FUNCTIONS: list[Function] = [
    plain,
    looping,
    looping_differently,
    branching,
    listing,
    customized,
    customized_sharing,
    again,
    called,
]
WITH_BUDGETS = [*FUNCTIONS, within]


def named(f: Function) -> str:
    return "within a budget" if f is within else "again" if f is again else f.__name__


every = pytest.mark.parametrize("f", WITH_BUDGETS, ids=named)
ways = pytest.mark.parametrize("way", ["eager", "traced"])


def run(way: str, f: Function) -> Function:
    made: Function = tl.function(f) if way == "traced" else f
    return made


def value(f: Function, row: Any) -> Any:
    return tl.function(f)(tl.constant(row)).numpy()


def slope(f: Function, row: Any, along: Any) -> Any:
    """The derivative along a direction, by differences."""
    h = 1e-4
    near = value(f, row + h * along) - value(f, row - h * along)
    far = value(f, row + 2 * h * along) - value(f, row - 2 * h * along)
    return (8 * near - far) / (12 * h)


def gradient_by_differences(f: Function, row: Any) -> Any:
    return np.array([slope(f, row, unit) for unit in np.eye(3)])


def close(got: Any, want: Any, rtol: float = 1e-7) -> None:
    np.testing.assert_allclose(np.asarray(got), want, rtol=rtol, atol=1e-8)


@every
@ways
def test_gradients_of_each_example(f: Function, way: str) -> None:
    got = run(way, lambda x: tl.vmap(tl.grad(f))(x))(tl.constant(ROWS))
    close(got, [gradient_by_differences(f, row) for row in ROWS])


@every
@ways
def test_the_gradient_of_a_batch(f: Function, way: str) -> None:
    def total(x: Any) -> Any:
        return tl.reduce_sum(tl.vmap(f)(x) * tl.constant([1.0, -2.0, 0.5, 3.0], tl.float64))

    got = run(way, tl.grad(total))(tl.constant(ROWS))
    each = [gradient_by_differences(f, row) for row in ROWS]
    close(got, np.array(each) * np.array([[1.0], [-2.0], [0.5], [3.0]]))


@every
@ways
def test_tangents_of_a_batch(f: Function, way: str) -> None:
    def push(x: Any, t: Any) -> Any:
        return tl.jvp(tl.vmap(f), (x,), (t,))

    values, got = run(way, push)(tl.constant(ROWS), tl.constant(ALONG))
    close(values, [value(f, row) for row in ROWS])
    close(got, [slope(f, row, t) for row, t in zip(ROWS, ALONG, strict=True)])


@every
@ways
def test_tangents_of_each_example(f: Function, way: str) -> None:
    def push(x: Any, t: Any) -> Any:
        return tl.vmap(lambda x, t: tl.jvp(f, (x,), (t,)))(x, t)

    values, got = run(way, push)(tl.constant(ROWS), tl.constant(ALONG))
    close(values, [value(f, row) for row in ROWS])
    close(got, [slope(f, row, t) for row, t in zip(ROWS, ALONG, strict=True)])


@every
@ways
def test_tangents_of_gradients_and_gradients_of_tangents(f: Function, way: str) -> None:
    """Products of Hessian and vector, in both orders."""
    row, along = tl.constant(ROWS[0]), tl.constant(ALONG[0])
    forward = run(way, lambda x, t: tl.jvp(tl.grad(f), (x,), (t,))[1])(row, along)
    reverse = run(way, lambda x, t: tl.grad(lambda x: tl.jvp(f, (x,), (t,))[1])(x))(row, along)
    want = [slope(lambda x, i=i: tl.grad(f)(x)[i], ROWS[0], ALONG[0]) for i in range(3)]
    close(forward, want)
    close(reverse, want)


@every
@ways
def test_hessians_of_each_example(f: Function, way: str) -> None:
    got = run(way, tl.vmap(tl.hessian(f)))(tl.constant(ROWS[:2]))
    for row, found in zip(ROWS, got.numpy(), strict=False):
        want = [
            [slope(lambda x, i=i: tl.grad(f)(x)[i], row, u) for u in np.eye(3)] for i in range(3)
        ]
        close(found, want)


@every
def test_jacobians(f: Function) -> None:
    x = tl.constant(ROWS)
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = tl.vmap(f)(x)
    each = [gradient_by_differences(f, row) for row in ROWS]
    want = np.zeros((4, 4, 3))
    want[range(4), range(4)] = each
    close(tape.jacobian(y, x), want)


@ways
def test_a_shared_source_of_a_custom_gradient(way: str) -> None:
    """Its gradient is the sum over the examples."""

    def total(w: Any) -> Any:
        return tl.reduce_sum(tl.vmap(lambda x: tl.sin(scaled(x, w)))(tl.constant(ROWS)))

    got = run(way, tl.grad(total))(tl.constant(SCALES))
    close(got, (np.cos(ROWS * SCALES) * ROWS).sum(0))


@ways
def test_a_variable_in_a_custom_gradient_of_each_example(way: str) -> None:
    weight = tl.Variable(np.array(1.5), dtype=tl.float64)

    @tl.custom_gradient
    def weighed(x: Any) -> Any:
        y = x * weight

        def back(dy: Any, variables: Any = None) -> Any:
            return dy * weight, [tl.reduce_sum(dy * x) for _ in variables]

        return y, back

    def gradients(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = tl.vmap(lambda row: tl.reduce_sum(weighed(row) ** 2.0))(x)
        return tape.gradient(y, [x, weight])

    of_x, of_weight = run(way, gradients)(tl.constant(ROWS))
    close(of_x, 2 * 1.5 * 1.5 * ROWS)
    close(of_weight, (2 * 1.5 * ROWS**2).sum())


@ways
def test_a_custom_gradient_says_what_the_tangent_is(way: str) -> None:
    """Also where it is not the derivative."""

    @tl.custom_gradient
    def clipped(x: Any) -> Any:
        return x * 1.0, lambda dy: dy * tl.constant([0.0, 1.0, 2.0], tl.float64)

    def push(x: Any, t: Any) -> Any:
        return tl.jvp(clipped, (x,), (t,))[1]

    got = run(way, push)(tl.constant(ROWS[0]), tl.constant(ALONG[0]))
    close(got, ALONG[0] * [0.0, 1.0, 2.0])
    got = run(way, tl.vmap(push))(tl.constant(ROWS), tl.constant(ALONG))
    close(got, ALONG * [0.0, 1.0, 2.0])


def test_a_shared_source_in_a_batch_of_any_size() -> None:
    @tl.function(
        input_signature=[tl.TensorSpec([None, 3], tl.float64), tl.TensorSpec([3], tl.float64)]
    )
    def of_scales(x: Any, w: Any) -> Any:
        def total(w: Any) -> Any:
            return tl.reduce_sum(tl.vmap(lambda row: tl.sin(scaled(row, w)))(x))

        return tl.grad(total)(w)

    for count in (1, 4):
        rows = ROWS[:count]
        got = of_scales(tl.constant(rows), tl.constant(SCALES))
        close(got, (np.cos(rows * SCALES) * rows).sum(0))


def test_a_budget_where_examples_loop_differently() -> None:
    f = tl.recompute_grad(looping_differently, budget=4000)
    got = tl.vmap(tl.grad(f))(tl.constant(ROWS))
    close(got, [gradient_by_differences(looping_differently, row) for row in ROWS])


def test_tangents_of_rows_at_places_of_each_example() -> None:
    def shuffled(x: Any) -> Any:
        rows = tl.TensorArray(tl.float64, size=5)
        first = tl.cast(x[0] * 3.0, tl.int32)
        for i in tl.range(3):
            rows = rows.write((i + first) % 5, x[i] * x * x)
        row = rows.read(first % 5) * 2.0
        return tl.reduce_sum(row * row) + tl.reduce_sum(rows.stack() ** 3.0)

    want = [slope(shuffled, row, t) for row, t in zip(ROWS, ALONG, strict=True)]
    x, t = tl.constant(ROWS), tl.constant(ALONG)
    close(tl.jvp(tl.vmap(shuffled), (x,), (t,))[1], want)
    close(tl.vmap(lambda x, t: tl.jvp(shuffled, (x,), (t,))[1])(x, t), want)


def test_tangents_of_the_gradient_of_some_rows() -> None:
    table = tl.Variable(np.random.default_rng(5).normal(size=(6, 3)))
    with tl.autodiff.ForwardAccumulator(table, tl.ones_like(table)) as accumulator:
        with tl.GradientTape() as tape:
            y = tl.reduce_sum(tl.gather(table, [0, 4]) ** 3.0)
        gradient = tape.gradient(y, table)
    assert isinstance(gradient, tl.IndexedSlices)
    want = np.zeros((6, 3))
    want[[0, 4]] = 6 * table.numpy()[[0, 4]]
    close(tl.convert_to_tensor(accumulator.jvp(gradient)), want)
    (within,) = accumulator.jvp([gradient])
    close(tl.convert_to_tensor(within), want)


def test_batches_of_batches() -> None:
    x = tl.constant(np.stack([ROWS, ROWS[::-1]]))
    got = tl.vmap(tl.vmap(tl.grad(customized_sharing)))(x)
    close(got, np.cos(x.numpy() * SCALES) * SCALES)


def test_a_queue_has_no_batches() -> None:
    queue = tl.queue.FIFOQueue(10, [tl.float64], [[]])
    with pytest.raises(tl.errors.BatchingError, match="all examples share one queue"):
        tl.vmap(lambda x: queue.enqueue(tl.reduce_sum(x)))(tl.constant(ROWS))
    with pytest.raises(tl.errors.BatchingError, match="all examples share one queue"):
        tl.vmap(lambda x: x * queue.dequeue())(tl.constant(ROWS))


def test_gradients_checked_forward() -> None:
    x = tl.constant(ROWS[0])
    for f in FUNCTIONS:
        tl.test.check_gradients(f, [x], order=2, modes=("forward",))

    @tl.custom_gradient
    def wrong(x: Any) -> Any:
        return tl.sin(x), lambda dy: dy * tl.cos(x) * 1.001

    with pytest.raises(AssertionError, match="the forward gradient of order 1 of 'wrong' is"):
        tl.test.check_gradients(wrong, [x], modes=("forward",))
