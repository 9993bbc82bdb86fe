"""Gradients through control flow written by hand, through shapes that change, and structures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradients.derivatives import check, grad, total, traced, values

import treadle as tl

VECTOR = [0.7, -0.4, 1.1]


# --- cond, while_loop, switch_case ---------------------------------------------------


def by_hand(x: Any) -> Any:
    def body(i: Any, y: Any) -> Any:
        return i + 1, tl.cond(i > 2, lambda: tl.sin(y) * x, lambda: y * y)

    return tl.while_loop(lambda i, y: i < 5, body, (0, x), maximum_iterations=4)[1]


def switch(x: Any) -> Any:
    y = x
    for i in tl.range(5):
        y = tl.switch_case(i % 3, [lambda: tl.sin(y), lambda: y * x, lambda: y])  # noqa: B023
    return y


def switch_default(x: Any) -> Any:
    index = tl.cast(tl.reduce_sum(x) * 3.0, tl.int32)
    return tl.switch_case(index, [lambda: tl.sin(x), lambda: x * x], default=lambda: tl.exp(x))


# --- shapes and dtypes ---------------------------------------------------------------


def branches_of_two_shapes(x: Any) -> Any:
    if tl.reduce_sum(x) > 0.0:
        y = x[:2] * x[0]
    else:
        y = x * x
    return tl.sin(y) * 2.0


def slices(x: Any) -> Any:
    s = tl.constant(0.0, tl.float64)
    for i in tl.range(3):
        s = s + tl.reduce_sum(x[i:] * x[: 3 - i])
    return s


def rows_of_a_table(x: Any) -> Any:
    table = tl.stack([x, x * x, tl.sin(x)])
    s = x
    for i in tl.range(4):
        s = s + tl.gather(table, i % 3) * s
    return s


def reshaped(x: Any) -> Any:
    y = x
    for _ in tl.range(2):
        y = tl.reshape(tl.reshape(y, [-1, 1]) * x[0], tl.shape(x)) + y
    return y


def complex_numbers(x: Any) -> Any:
    z = tl.complex(x, x * 0.5)
    for _ in tl.range(3):
        z = z * z + tl.complex(x, 0.1 * x)
    return tl.math.real(z) + tl.math.imag(z) * 2.0


# --- structures and helpers ----------------------------------------------------------


def structures(x: Any) -> Any:
    s: Any = (x, {"a": x * 2.0})
    for _ in tl.range(3):
        s = (s[1]["a"], {"a": s[0] * x})
    return s[0] * s[1]["a"]


def found_once(x: Any) -> Any:
    best, found = x, tl.constant(False)
    for i in tl.range(4):
        candidate = x * tl.cast(i, tl.float64)
        if not found and tl.reduce_sum(candidate) > 1.0:
            best = candidate * best
            found = tl.constant(True)
    return best


def inner_function(x: Any) -> Any:
    def grown(y: Any, limit: Any) -> Any:
        while tl.reduce_sum(y) < limit:
            y = y * 1.5 + 0.1
        return y

    s = x
    for i in tl.range(3):
        s = grown(s, 2.0 + tl.cast(i, tl.float64)) * x if i != 1 else grown(x, 1.0)
    return s


# --- recursion -----------------------------------------------------------------------


@tl.function
def fibonacci(n: Any, x: Any) -> Any:
    if n < 2:
        return x
    return fibonacci(n - 1, x) * 0.5 + fibonacci(n - 2, tl.sin(x))


def twice_recursive(x: Any) -> Any:
    return fibonacci(tl.constant(5), x)


@tl.function
def in_a_loop(x: Any, n: Any) -> Any:
    if n <= 0:
        return x
    y = x
    for _ in tl.range(n):
        y = y * 0.5 + in_a_loop(tl.sin(y), n - 1)
    return y


def recursion_in_a_loop(x: Any) -> Any:
    return in_a_loop(x, tl.constant(3))


@tl.function
def pair(x: Any, n: Any) -> Any:
    if n <= 0:
        return x, tl.reduce_sum(x)
    a, b = pair(x * 0.9, n - 1)
    return tl.sin(a) * b, b * 0.5 + tl.reduce_max(a)


def recursion_of_pairs(x: Any) -> Any:
    a, b = pair(x, tl.constant(3))
    return a * b


PROGRAMS = [
    *(by_hand, switch, switch_default, branches_of_two_shapes, slices, rows_of_a_table, reshaped),
    *(complex_numbers, structures, found_once, inner_function, twice_recursive),
    *(recursion_in_a_loop, recursion_of_pairs),
]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_first_and_second_order(program: Any, known: bool) -> None:
    spec = tl.TensorSpec([3] if known else [None], tl.float64)
    check(program, tl.function(program, input_signature=[spec]), [VECTOR])


# --- shapes that change from one iteration to the next -------------------------------


def growing(x: Any) -> Any:
    y = x
    for _ in tl.range(3):
        y = tl.concat([y * 1.1, y[-1:] * x[0]], 0)
    return tl.sin(y)


def shrinking(x: Any) -> Any:
    y = x
    while tl.shape(y)[0] > 1:
        y = y[1:] * y[:-1]
    return y


@pytest.mark.parametrize("shape", [[None], None], ids=["rank", "nothing"])
@pytest.mark.parametrize("program", [growing, shrinking])
def test_sizes_that_change(program: Any, shape: Any) -> None:
    spec = tl.TensorSpec(shape, tl.float64)
    check(program, tl.function(program, input_signature=[spec]), [VECTOR])


@pytest.mark.parametrize("size", [0, 1, 4])
def test_sizes_of_zero(size: int) -> None:
    def program(x: Any) -> Any:
        s = tl.reduce_sum(x)
        for row in x:
            s = s * tl.sin(row) + row
        return tl.concat([x * s, x], 0)

    spec = tl.TensorSpec([None], tl.float64)
    graph = tl.function(program, input_signature=[spec])
    x = tl.constant(np.linspace(0.1, 0.9, size))
    for f in (grad(total(graph)), traced(grad(total(graph)))):
        np.testing.assert_allclose(values(f(x)), values(grad(total(program))(x)), rtol=1e-12)


# --- variables -----------------------------------------------------------------------


def recurrent(rows: Any, w: Any, b: Any) -> Any:
    h = tl.zeros([2], tl.float64)
    for row in rows:
        h = tl.tanh(tl.linalg.matvec(w, h) + b + row)
        if tl.reduce_sum(h) > 0.5:
            b.assign(b * 0.5)
    return h


def test_variables_that_a_loop_reads_and_assigns() -> None:
    rows = tl.constant(np.random.default_rng(0).normal(size=(5, 2)))
    w = tl.Variable([[0.5, -0.2], [0.1, 0.3]], dtype=tl.float64)
    b = tl.Variable([0.1, 0.2], dtype=tl.float64)

    def second(f: Any) -> Any:
        def run(rows: Any) -> Any:
            with tl.GradientTape() as outer:
                outer.watch(rows)
                with tl.GradientTape() as inner:
                    y = tl.reduce_sum(f(rows, w, b))
                first = inner.gradient(y, [w, b])
                z = tl.add_n([tl.reduce_sum(g * g) for g in first])
            return [*first, *outer.gradient(z, [rows, w, b])]

        return run

    graph = tl.function(recurrent)
    found = []
    for run in (second(recurrent), second(graph), traced(second(graph))):
        b.assign([0.1, 0.2])
        found.append(values(run(rows)))
        assert b.numpy().tolist() == [0.025, 0.05]
    for others in found[1:]:
        for got, want in zip(others, found[0], strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-10)
