"""Gradients through lists, optional values, item updates and state that is written back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl


def differences(f: Callable[[Any], Any], x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Central differences of a function to scalars."""
    found = np.zeros_like(x)
    for i in range(len(x)):
        step = np.zeros_like(x)
        step[i] = 1e-6
        found[i] = (float(f(tl.constant(x + step))) - float(f(tl.constant(x - step)))) / 2e-6
    return found


def grown_list(x):
    squares = []
    for v in x:
        squares.append(v * v)
    return tl.reduce_sum(tl.stack(squares) * tl.cast(tl.range(len(squares)), tl.float64))


def list_in_branches(x):
    items = []
    for v in x:
        if v > 0:
            items.append(v * v * v)
        else:
            items.insert(0, v * 2)
    return items[0] * items[-1] + sum(items)


def popped_list(x):
    items = [x[0], x[1], x[2]]
    for v in x:
        last = items.pop()
        first = items.pop(0)
        items.append(last * v)
        items.insert(0, first + v * v)
    return items[0] * items[1] * items[2]


def sorted_list(x):
    items = [v * v for v in x]
    items.sort()
    items.reverse()
    del items[0]
    return items[0] * 3 + items[1]


def filtered(x):
    return sum([v * v for v in x if v > 0])


def largest_pair(x):
    return max((v * v, i) for i, v in enumerate(x))[0]


def optional(x):
    best = None
    for v in x:
        if best is None or v > best:
            best = v * v
    return best if best is not None else x[0]


def optional_in_a_branch(x):
    found = None
    if x[0] > 0:
        found = x[0] * x[1]
    return x[2] if found is None else found * found


def updated_items(x):
    t = tl.zeros([3], tl.float64)
    for i in tl.range(3):
        t[i] = x[i] * x[i]
    t[1] = t[0] * x[2]
    return tl.reduce_sum(t * t)


def items_that_build_on_each_other(x):
    t = x * 1.0
    for i in tl.range(2):
        t[i + 1] = t[i] * x[i]
    return tl.reduce_sum(t)


def attribute(x):
    class Box:
        pass

    box = Box()
    box.total = x[0] * 0
    for v in x:
        if v > 0:
            box.total = box.total + v * v
        else:
            box.total = box.total * v
    return box.total


def dict_items(x):
    d = {"a": x[0], "b": x[1]}
    for v in x:
        d["a"], d["b"] = d["b"] * v, d["a"] + v
    return d["a"] * d["b"]


def generator(x):
    def squares():
        for v in x:
            if v > 0:
                yield v * v

    return sum(squares())


FUNCTIONS = [
    *(grown_list, list_in_branches, popped_list, sorted_list, filtered, largest_pair, optional),
    *(optional_in_a_branch, updated_items, items_that_build_on_each_other, attribute, dict_items),
    generator,
]


@pytest.mark.parametrize("x", [[1.0, -2.0, 3.0], [-0.5, 2.0, 1.5]])
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_is_that_of_finite_differences(f: Callable[[Any], Any], x: list[float]) -> None:
    values = np.array(x)
    traced = tl.function(f)
    given = tl.constant(values)
    with tl.GradientTape() as tape:
        tape.watch(given)
        y = traced(given)
    gradient = tl.convert_to_tensor(tape.gradient(y, given))
    np.testing.assert_allclose(gradient.numpy(), differences(traced, values), atol=1e-5)


class Box:
    value: Any = None


@pytest.fixture
def box() -> Box:
    made = Box()
    made.value = tl.constant(2.0)
    return made


def test_of_what_is_written_back(box: Box) -> None:
    @tl.function
    def scaled(x: Any) -> Any:
        if x > 0:
            box.value = box.value * x
        return box.value * x

    x = tl.constant(3.0)
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = scaled(x)  # 2 x^2
        z = box.value * 5 + y  # 10 x + 2 x^2
    assert float(tape.gradient(z, x)) == 10 + 4 * 3


def test_of_what_is_read_at_the_call(box: Box) -> None:
    @tl.function
    def scaled(x: Any) -> Any:
        if x > 0:
            box.value = box.value * x
        return box.value * x

    scaled(tl.constant(-1.0))
    box.value = start = tl.constant(4.0)
    with tl.GradientTape() as tape:
        tape.watch(start)
        y = scaled(tl.constant(3.0))
    assert float(tape.gradient(y, start)) == 9
