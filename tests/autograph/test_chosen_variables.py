"""A tensor chooses one of several variables: it is that variable, for reading and assigning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import treadle as tl

CASES: list[Callable[[Any, Any, Any], Any]] = []


def case(f: Any) -> Any:
    CASES.append(f)
    return f


@case
def read_after_an_assignment(a, b, x):
    v = a if x > 0 else b
    a.assign(5.0)
    return v + x


@case
def assigned(a, b, x):
    if x > 0:
        v = a
    else:
        v = b
    v.assign_add(x)
    return v * 2.0


@case
def carried(a, b, x):
    v = a
    for i in tl.range(3):
        v.assign_add(1.0)
        if i >= 1 or x > 0:
            v = b
    return v + 0.0


@case
def perhaps_none(a, b, x):
    v = None
    if x > 0:
        v = a
    if v is not None:
        v.assign(7.0)
    return a + b


@case
def from_a_list(a, b, x):
    v = [a, b][tl.cast(x > 0, tl.int32)]
    v.assign(v * 3.0)
    return v


@case
def identity(a, b, x):
    v = a if x > 0 else b
    return (1.0 if v is a else 2.0), v.dtype.size, isinstance(v, tl.Variable)


@case
def beside_a_tensor(a, b, x):
    v = a if x > 0 else 3.0
    return v + b


def outcome(f: Any, traced: bool, x: float) -> Any:
    a, b = tl.Variable(1.0), tl.Variable(10.0)
    one = tl.function(lambda x: f(a, b, x)) if traced else (lambda x: f(a, b, x))
    found = [tl.nest.map_structure(float, one(tl.constant(x))) for _ in range(2)]
    return found, float(a), float(b)


@pytest.mark.parametrize("x", [2.0, -2.0])
@pytest.mark.parametrize("f", CASES)
def test_as_eagerly(f: Any, x: float) -> None:
    assert outcome(f, True, x) == outcome(f, False, x)


@pytest.mark.parametrize("x", [2.0, -2.0])
def test_gradients_reach_the_one_that_was_chosen(x: float) -> None:
    a, b = tl.Variable(3.0), tl.Variable(10.0)

    @tl.function
    def gradients(x):
        v = a if x > 0 else b
        with tl.GradientTape() as tape:
            y = v * v * x
        return tape.gradient(y, [a, b])

    wanted = [12.0, 0.0] if x > 0 else [0.0, -40.0]
    assert [float(g) for g in gradients(tl.constant(x))] == wanted


def test_a_variable_or_something_else_is_refused() -> None:
    v = tl.Variable(1.0)

    @tl.function
    def f(x):
        chosen = v if x > 0 else len
        return chosen + 1.0

    with pytest.raises(tl.errors.BranchError, match="is float32 in the main branch"):
        f(tl.constant(1.0))


def test_a_chosen_variable_beside_a_tensor() -> None:
    v = tl.Variable(2.0, dtype=tl.float64)

    def f(a, n):
        b = a * 0.5
        if n > 1:
            i = tl.constant(0)
            while i < n:
                i += 1
                a, b = b + 0.1 * a, a
                a = v
        else:
            a = b * 3.0
        return a + b

    traced = tl.function(f)
    for n in 0, 2, 3:
        assert float(traced(v, tl.constant(n))) == float(f(v, tl.constant(n)))
