"""Branches and loops over tensors give what plain Python gives on NumPy values."""

# ruff: noqa: E731

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

CASES: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []


def case(*calls: Any) -> Callable[[Any], Any]:
    def register(f: Any) -> Any:
        CASES.extend((f, c if isinstance(c, tuple) else (c,)) for c in calls)
        return f

    return register


@case(3, -3)
def absolute(x):
    if x < 0:
        x = -x
    return x


@case(5, 1, -5)
def elif_chain(x):
    if x > 3:
        y = x * 2
    elif x > 0:
        y = x + 100
    else:
        y = -x
    return y


@case((1, 1), (1, -1), (-1, 1), (-1, -1))
def returns_on_some_paths(a, b):
    if a > 0:
        if b > 0:
            return a * 10
        y = 2
    else:
        y = 3
    return y + a


@case(0, 1, 2, 7)
def chain_of_returns(x):
    if x == 0:
        return x + 10
    x = x + 1
    if x == 2:
        return x
    return -x


@case(10, 0, 27)
def collatz(n):
    steps = 0
    while n > 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


@case(10, 0)
def while_break(n):
    i = 0
    total = 0
    while i < n:
        i += 1
        if i % 3 == 0:
            continue
        if total > 20:
            break
        total += i
    else:
        total = -total
    return i, total


@case((3, 2), (9, 100), (0, 1))
def for_break_else(n, stop):
    last = -1
    for i in tl.range(n):
        last = i
        if i == stop:
            break
    else:
        last = last * 100
    return last


@case(([3, 1, 8, 9], 2), ([3, 1, 8, 9], 5), ([3, 1, 8, 9], 50))
def first_above(xs, limit):
    for i in tl.range(len(xs)):
        if xs[i] > limit:
            return i
    return -1


@case(([[1, 2, 3], [4, 5, 6]], 5), ([[1, 2, 3], [4, 5, 6]], 9))
def return_from_nested_loops(rows, wanted):
    count = 0
    for row in rows:
        for x in row:
            if x == wanted:
                return count
            count += 1
    return -count


@case(4, 0)
def nested_loops(n):
    total = 0
    for i in tl.range(n):
        for j in tl.range(i):
            if j == 2:
                break
            if (i + j) % 2 == 1:
                continue
            total += i * j + 1
        else:
            total += 100
    return total


@case(4)
def python_range_of_tensor(n):
    total = 0
    for i in range(n):
        total += i
    for i in range(1, n + 1, 2):
        total += i * 10
    for i in range(n, 0, -1):
        total = total * 2 + i
    for i in range(10, n, -3):
        total = total * 2 + i
    return total


@case((3, 4), (0, 4), (3, 0), (0, 0))
def and_or_not(a, b):
    r = 0
    if a > 0 and b > 0:
        r += 1
    if a > 0 or b > 0:
        r += 10
    if not (a > 0 and not b > 0):
        r += 100
    if 0 < a <= b < 10:
        r += 1000
    return r


@case(([5, 6, 7], 1), ([5, 6, 7], 3), ([5, 6, 7], 17))
def short_circuit_guards_the_index(xs, i):
    r = 0
    if i < len(xs) and xs[i] > 5:
        r = xs[i]
    while i < len(xs) and xs[i] < 7:
        i += 1
    return r, i


@case(5, -5)
def ternary(x):
    y = x if x > 0 else -x
    return y * 2 if y > 3 else (1 if x < 0 else 0)


@case(2, -2)
def state_in_containers(x):
    pair = (x, 1)
    table = {"a": x, "b": [x, x]}
    if x > 0:
        pair = (x + 1, 2)
        table = {"b": [x, x * 3], "a": -x}
    return pair[0], pair[1], table["a"], table["b"][1]


@case(5)
def containers_in_loop(n):
    pair = (0, 1)
    i = 0
    while i < n:
        pair = (pair[1], pair[0] + pair[1])
        i += 1
    return pair


@case(3, -3)
def local_names_of_branches(x):
    if x > 0:
        t = x * 2
        y = t + 1
    else:
        u = x * 3
        y = u - 1
    return y


@case(3, -3)
def binding_tests(x):
    if (y := x * 2) > 0:
        z = y + 1
    else:
        z = y - 1
    while (y := y - 1) > 0:
        z += y
    if x > 0 and (w := x + 5) > 6:
        z += w
    return y, z


@case(3, -3)
def inner_functions(x):
    def double(v):
        if v > 0:
            return v * 2
        return v

    scale = lambda v: v + 1 if v > 0 else v - 1
    return double(x) + scale(x)


@case(4)
def captured_by_a_closure(n):
    total = 0

    def current():
        return total

    i = 0
    while i < n:
        total = current() + i
        i += 1
    if current() > 3:
        total = total + 1000
    return current()


@case(4, 0)
def nonlocal_in_branch(n):
    count = 0

    def bump():
        nonlocal count
        if n > 2:
            count += 1
        for _ in tl.range(n):
            count += 10

    bump()
    return count


@case(3)
def exception_region(n):
    total = 0
    try:
        for i in tl.range(n):
            total += i
    except ValueError:
        total = -1
    finally:
        total += 1
    return total


@case(4)
def in_with(n):
    with tl.GradientTape():
        total = 0
        while n > 0:
            total += n
            n -= 1
    return total


def helper(x):
    if x > 3:
        return x * 10
    return x


@case(2, 5)
def calls_other_functions(x):
    total = helper(x)
    for i in tl.range(x):
        total += helper(i)
    return total


@case(5, 0)
def recursion_over_python(x, n=3):
    if n == 0:
        return x
    if x > 2:
        x = x + n
    return recursion_over_python(x, n - 1)


class Machine:
    def __init__(self, start):
        self.value = start
        self.table = {"n": 0}

    def step(self, x):
        if x > self.value:
            self.value = x
            self.table["n"] = self.table["n"] + 1
        return self.value

    def run(self, n):
        for i in tl.range(n):
            self.value = self.value + i
            if self.value > 5:
                self.table["n"] += 1
        return self.value, self.table["n"]

    def __call__(self, x):
        while x > 10:
            x -= 10
        return x


@case(7, -1)
def attributes_and_items(x):
    m = Machine(0)
    a = m.step(x)
    b = m.step(x - 1)
    c, d = m.run(x)
    return a, b, c, d, m.value, m.table["n"], m(x * 5)


@case(5, 2)
def loop_variable_after(n):
    i = -1
    for i in tl.range(n):
        if i > 2:
            break
    return i


@case(4)
def known_to_run(n):
    for i in tl.range(3):
        x = i * n
    while True:
        y = n
        break
    return x, y, i


@case(3, 30)
def python_break_in_tensor_loop(n):
    total = 0
    for i in tl.range(n):
        total += i
        if isinstance(total, str):
            break
    return total


@case((2.5, 3), (0.5, 3))
def floats(x, n):
    y = 1.0
    while n > 0:
        y = y * x
        n -= 1
    return y if y > 1.0 else 0.0


@case(6, 3)
def flags_by_hand(n):
    found = False
    i = 0
    while not found and i < n:
        if i * i >= n:
            found = True
        else:
            i += 1
    return i, found


@case(3, 8)
def delete(x):
    t = x
    if x > 5:
        t = t + 1
    y = t
    del t
    return y


@case(5, -5)
def only_one_branch_defines(x):
    y = 0
    if x > 0:
        t = x
        y = t * 2
    return y


@case(5)
def unused_after_break(n):
    x = 0
    acc = 100
    while True if n is None else n > 0:
        acc += n
        if acc > 108:
            x = n
            break
        n -= 1
    return x, n


def plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return type(value)(plain(v) for v in value)
    return value.numpy().tolist() if isinstance(value, tl.Tensor) else value


@pytest.mark.parametrize(
    ("f", "args"), CASES, ids=[f"{f.__name__}-{i}" for i, (f, _) in enumerate(CASES)]
)
def test_traced_is_as_plain_python(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    on_numpy = [np.array(a) if isinstance(a, list) else a for a in args]
    expected = f(*on_numpy)
    tensors = [tl.constant(a) for a in args]
    np.testing.assert_allclose(flat(tl.function(f)(*tensors)), flat(expected), rtol=1e-6)


def flat(value: Any) -> list[Any]:
    return [np.asarray(plain(v)) for v in tl.nest.flatten(value)]
