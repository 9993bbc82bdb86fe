"""Gradients through branches, loops and calls: against differences, and eager against traced."""

from __future__ import annotations

from typing import Any

import pytest
from gradients.derivatives import check

import treadle as tl

VECTOR = [0.7, -0.4, 1.1]
MATRIX = [[0.5, -0.2], [0.9, 0.3], [-0.6, 0.8]]


def branch(x: Any) -> Any:
    s = tl.reduce_sum(x)
    if s > 5.0:
        y = x * s
    elif s > 0.0:
        y = tl.sin(x) * s
    else:
        y = tl.exp(x)
    return y + x


def one_sided(x: Any) -> Any:
    y = x * x
    if tl.reduce_sum(x) > 0.0:
        y = tl.tanh(y)
    return y


def ternary(x: Any) -> Any:
    return tl.tanh(x) if tl.reduce_sum(x) > 0.0 else x


def only_one_needs_it(x: Any) -> Any:
    y = tl.constant(2.0, tl.float64)
    if tl.reduce_sum(x) > 0.0:
        y = tl.reduce_prod(x)
    return y * x[0]


def while_loop(x: Any) -> Any:
    while tl.reduce_sum(x) < 20.0:
        x = x * x + 1.0
    return x


def only_saved(x: Any) -> Any:
    for _ in tl.range(3):
        x = x * x
    return x


def while_tanh(x: Any) -> Any:
    i = 0
    while i < tl.constant(4):
        x = tl.tanh(x) * 1.5
        i += 1
    return x


def over_rows(x: Any) -> Any:
    s = tl.zeros([2], tl.float64)
    for row in x:
        s = tl.sin(s + row) * row
    return s


def over_range_of_tensor(x: Any) -> Any:
    s = x[0]
    for i in range(tl.shape(x)[0]):
        s = s * x[i] + s
    return s


def with_break(x: Any) -> Any:
    y = x
    for i in tl.range(10):
        y = y * 1.3 + x * x
        if tl.reduce_sum(y) > 12.0:
            break
        y = y - 0.1 * x * tl.cast(i, tl.float64)
    return y


def with_continue(x: Any) -> Any:
    y = x
    for i in tl.range(6):
        if i % 2 == 0:
            continue
        y = y * tl.cos(x)
        if tl.reduce_sum(y) < 0.0:
            continue
        y = y + 0.5
    return y


def early_return(x: Any) -> Any:
    y = x
    for _ in tl.range(8):
        y = y * x + 1.0
        if tl.reduce_max(y) > 3.0:
            return y * y
    return y - x


def return_in_branches(x: Any) -> Any:
    if tl.reduce_sum(x) < 0.0:
        return x
    y = tl.exp(x)
    if tl.reduce_max(y) > 2.0:
        return y * x
    return y


def nested(x: Any) -> Any:
    y = x
    for i in tl.range(3):
        if i > 0:
            z = x
            while tl.reduce_sum(z * z) < 9.0:
                z = z * 1.4 + 0.05 * y
                if tl.reduce_max(z) > 2.0:
                    z = z + tl.sin(y)
            y = y + 0.1 * z
        else:
            for j in tl.range(2):
                y = y * tl.cos(y) + tl.cast(j, tl.float64) * x
    return y


def loop_in_loop_in_loop(x: Any) -> Any:
    y = x
    for i in tl.range(2):
        for j in tl.range(i + 1):
            for _ in tl.range(j + 1):
                y = tl.sin(y) * x + y
    return y


def zero_trips(x: Any) -> Any:
    y = x * x
    for _ in tl.range(0 * tl.shape(x)[0]):
        y = y * x
    while tl.reduce_sum(y) < -1.0:
        y = y * tl.exp(x)
    return y * 2.0


def from_before_to_after(x: Any) -> Any:
    before = tl.sin(x)
    unused = tl.exp(x)
    y = before
    for _ in tl.range(3):
        y = y * 0.5 + unused
    return y * before + unused


def passed_through(x: Any) -> Any:
    a, b = x, x * x
    for _ in tl.range(3):
        a, b = b, a * 0.9
    return a * 2.0 + b


def mixed_state(x: Any) -> Any:
    n, found, y = 0, tl.constant(False), x
    while not found:
        y = y * 1.2 + 0.01 * tl.cast(n, tl.float64)
        n += 1
        found = tl.reduce_sum(y) > 5.0 or n >= 7
    return y * tl.cast(n, tl.float64)


def invariant(x: Any) -> Any:
    y = x
    for _ in tl.range(4):
        y = tl.tanh(y * tl.exp(x) + tl.reduce_sum(x))
    return y


def dtypes(x: Any) -> Any:
    small = tl.cast(x, tl.float32)
    for _ in tl.range(2):
        small = small * small
    return tl.cast(tl.cast(x, tl.int32), tl.float64) * x + 0.0 * tl.cast(small, tl.float64)


def into_an_array(x: Any) -> Any:
    y = x
    for i in tl.range(3):
        y = tl.tensor_scatter_nd_update(y, [[i]], [y[i] * y[2 - i]])
    return y


@tl.function
def helper(x: Any, y: Any) -> Any:
    if tl.reduce_sum(x) > 1.0:
        return x * y, tl.sin(x)
    return x + y, y


def calls(x: Any) -> Any:
    y = x
    for _ in tl.range(3):
        y, z = helper(y, x)
        y = y + z
    return y


@tl.function
def in_function(x: Any) -> Any:
    @tl.function
    def inner(y: Any) -> Any:
        return helper(y, x)[0] * x

    return inner(x) + inner(tl.sin(x))


def functions_in_functions(x: Any) -> Any:
    return in_function(x) * x


@tl.function
def power(x: Any, n: Any) -> Any:
    if n <= 0:
        return tl.ones_like(x)
    return x * power(x, n - 1)


def recursion(x: Any) -> Any:
    return power(tl.sin(x), tl.constant(4))


@tl.function
def even(x: Any, n: Any) -> Any:
    if n <= 0:
        return x
    return odd(x * x, n - 1)


@tl.function
def odd(x: Any, n: Any) -> Any:
    if n <= 0:
        return tl.sin(x)
    return even(x + 1.0, n - 1)


def mutual_recursion(x: Any) -> Any:
    return even(x, tl.constant(3))


PROGRAMS = [
    *(branch, one_sided, ternary, only_one_needs_it, while_loop, only_saved, while_tanh),
    *(over_range_of_tensor, with_break, with_continue, early_return, return_in_branches, nested),
    *(loop_in_loop_in_loop, zero_trips, from_before_to_after, passed_through, mixed_state),
    *(invariant, dtypes, into_an_array, calls, functions_in_functions, recursion),
    *(mutual_recursion,),
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_first_and_second_order(program: Any) -> None:
    check(program, tl.function(program), [VECTOR])


@pytest.mark.parametrize("program", [branch, one_sided, ternary, return_in_branches])
def test_other_branch(program: Any) -> None:
    check(program, tl.function(program), [[-0.7, 0.2, -0.3]])


def test_over_rows() -> None:
    check(over_rows, tl.function(over_rows), [MATRIX])


@pytest.mark.parametrize("program", [while_loop, only_saved, while_tanh, nested, recursion])
def test_third_order(program: Any) -> None:
    check(program, tl.function(program), [[0.5, 0.3, 0.6]], order=3)


@pytest.mark.parametrize("shape", [[None], None], ids=["rank", "nothing"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_shapes_known_at_run_time(program: Any, shape: Any) -> None:
    graph = tl.function(program, input_signature=[tl.TensorSpec(shape, tl.float64)])
    check(program, graph, [VECTOR])
