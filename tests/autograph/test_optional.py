"""None on some path: what a traced function gives is what plain Python gives on eager tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import treadle as tl

CASES: list[tuple[Callable[..., Any], Any]] = []


def case(*calls: Any) -> Callable[[Any], Any]:
    """Run the function on each of `calls`, one tensor as its argument."""

    def register(f: Any) -> Any:
        CASES.extend((f, c) for c in calls)
        return f

    return register


def outcome(f: Callable[..., Any], argument: Any) -> Any:
    """The result as Python numbers, or the exception's class."""
    try:
        found = f(tl.constant(argument))
    except Exception as error:
        return type(error)
    return tl.nest.map_structure(lambda x: np.asarray(x).tolist(), found)


@case([3, 1, 5, 2], [7])
def largest(x):
    best = None
    for v in x:
        if best is None or v > best:
            best = v
    return best


@case([3, 1, 5, 2], [0, 0], [-1, -5])
def largest_by_truth(x):
    best = None
    for v in x:
        if not best or v > best:
            best = v
    return best


@case([3, 1, 5, 2])
def largest_and_its_place(x):
    best = None
    for i, v in enumerate(x):
        if best is None or v > best[0]:
            best = (v, i)
    return best[0] * 10 + best[1]


@case([3, 1, 5, 2])
def dict_from_a_loop(x):
    best = None
    for i in tl.range(4):
        if best is None or x[i] > best["value"]:
            best = {"value": x[i], "place": i}
    return best["value"], best["place"]


@case([3, 1, 5, 2], [1])
def previous_item(x):
    previous = None
    total = tl.constant(0)
    for v in x:
        if previous is not None:
            total = total + (v - previous) * (v - previous)
        previous = v
    return total


@case(3, -3)
def unwrapped_without_a_check_where_it_is_known(c):
    x = None
    if c > 0:
        x = c * 2
    if x is not None:
        y = x + 1
    else:
        y = c
    return y


@case(3, -3)
def none_is_used(c):
    x = None
    if c > 0:
        x = c * 2
    return x + 1


@case(3, -3)
def attribute_of_none(c):
    x = None
    if c > 0:
        x = tl.constant([1, 2]) * c
    return x.shape[0]


@case(3, -3, 12)
def default_for_none(c):
    x = None
    if c > 10:
        x = 1
    elif c > 0:
        x = c * 2
    if x is None:
        x = c - 100
    return x


@case(3, -3)
def compared_by_equality(c):
    x = c if c > 0 else None
    y = 1 if x == None else 2  # noqa: E711
    return y * 10 + (1 if x != None else 2)  # noqa: E711


@case(3, 12, 0)
def both_conditions(c):
    x = None
    if c > 0:
        x = c * 2
    if x is not None and x > 10:
        return x
    return c


@case(3, 0, -2)
def or_with_a_default(c):
    x = c if c >= 0 else None
    return x or 7


@case(3, -3, 7)
def nested_branches(a):
    x = None
    if a > 0:
        if a > 5:
            x = a
    else:
        x = -a
    if x is None:
        x = a * 1000
    return x


def positive(c):
    if c > 0:
        return c * 2


@case(3, -3)
def result_of_a_helper(c):
    found = positive(c)
    return tl.constant(-1) if found is None else found


def first_square_above(n):
    for i in tl.range(n):
        if i * i > 10:
            return i


@case(0, 2, 9)
def search_in_a_helper(n):
    found = first_square_above(n)
    if found is None:
        return -5
    return found * 2


def scaled(x, by=None):
    if by is None:
        by = x * 2
    return x * by


@case(3, -3)
def default_argument(x):
    if x > 0:
        return scaled(x)
    return scaled(x, x + 5)


@case(0, 1, 10)
def set_in_a_while(n):
    last = None
    i = 0
    while i < n:
        if i % 3 == 0:
            last = i
        i += 1
    if last is None:
        last = -1
    return last


@case(2, 5)
def back_to_none(n):
    x = n * 1
    for i in tl.range(n):
        if i == 3:
            x = None
    return -1 if x is None else x


@case(0, 1, 5)
def only_later_iterations_can_use_it(n):
    best = None
    for i in tl.range(n):
        if i > 0:
            best = best + i
        else:
            best = i
    return 0 if best is None else best


@case(0, 1, 5)
def condition_of_a_while(n):
    node = n * 1
    steps = 0
    while node is not None:
        steps += 1
        node = None if steps > n else node - 1
    return steps


@case([1, 2, 0, 3, 4, 5], [0])
def to_and_fro(x):
    kept = None
    total = tl.constant(0)
    for v in x:
        if v == 0:
            kept = None
        elif kept is None:
            kept = v
        else:
            total += kept + v
            kept = None
    return total


@case(3, -3)
def inside_of_a_tuple(a):
    pair = (None, a)
    if a > 0:
        pair = (a, a + 1)
    u, v = pair
    return v if u is None else u + v


@case(3, -3)
def inside_of_a_dict(a):
    d = {"x": None, "n": 0}
    if a > 0:
        d = {"x": a, "n": 1}
    return d["n"] if d["x"] is None else d["x"]


@dataclass
class Pair:
    a: Any
    b: Any


@case(3, -3)
def inside_of_a_dataclass(a):
    p = Pair(None, a)
    if a > 0:
        p = Pair(a * 2, a)
    return p.b if p.a is None else p.a


@case(0, 1, 5)
def chained_in_a_loop(n):
    a = b = None
    for i in tl.range(n):
        a, b = i, a
    return -1 if b is None else b


@case(3, -3)
def text_or_none(c):
    mode = None
    if c > 0:
        mode = "up"
    return 0 if mode is None else 1


@case(9, 4)
def walrus(n):
    if (found := first_square_above(n)) is not None:
        return found
    return n


@pytest.mark.parametrize(("f", "argument"), CASES, ids=lambda x: getattr(x, "__name__", repr(x)))
def test_as_in_plain_python(f, argument):
    assert outcome(tl.function(f), argument) == outcome(f, argument)


def refused(f: Callable[..., Any], error: type[Exception], *args: Any) -> str:
    """The message, with lines counted from the function's first one: `:+2`."""
    with pytest.raises(error) as e:
        tl.function(f)(*args)
    text, first = str(e.value), inspect.getsourcelines(f)[1]
    for number in range(20, -1, -1):
        text = text.replace(f"{Path(__file__).name}:{first + number}", f":+{number}")
    return text


def test_none_may_not_leave_the_function() -> None:
    def f(c):
        x = None
        if c:
            x = tl.constant([1, 2])
        return x

    assert refused(f, tl.errors.BranchError, tl.constant(True)) == (
        "the function returns int32 of shape (2,) or None: which one depends on a tensor, in the "
        "`if` at :+2. None can't leave a tl.function then: return a tensor on each path, or a truth "
        "value beside it that says whether there is one"
    )


def test_message_where_none_is_used() -> None:
    def f(c):
        x = None
        if c > 0:
            x = c * 2
        return x + 1

    assert refused(f, TypeError, tl.constant(-1)) == (
        "'x' is None at :+4: return x + 1, where a value is needed: it was left without one by the "
        "`if` at :+2"
    )


def test_attribute_error_names_the_attribute() -> None:
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'shape': 'x' is"):
        tl.function(attribute_of_none)(tl.constant(-1))


def test_truth_value_in_code_that_is_not_converted() -> None:
    @tl.autograph.do_not_convert
    def plain(x):
        return 1 if x else 2

    def f(c):
        x = c if c > 0 else None
        return plain(x)

    with pytest.raises(tl.errors.OperatorNotAllowedInGraphError, match="has not converted"):
        tl.function(f)(tl.constant(3))


@pytest.mark.parametrize("value", [3.0, -3.0])
def test_gradient(value):
    def f(x):
        best = None
        for i in tl.range(4):
            if i > 1:
                best = x * x if best is None else best * x
        if best is None:
            return x
        scale = None
        if x > 0:
            scale = x * 3
        return best if scale is None else best * scale

    def gradient(g):
        x = tl.constant(value)
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = g(x)
        return tape.gradient(y, x).numpy()

    # x**3, times 3 x for positive x
    expected = 12 * value**3 if value > 0 else 3 * value**2
    np.testing.assert_allclose(gradient(tl.function(f)), expected, rtol=1e-6)


def test_no_check_is_left_where_none_is_excluded() -> None:
    def f(c):
        x = None
        if c > 0:
            x = c * 2
        return c if x is None else x + 1

    graph = tl.function(f).get_concrete_function(tl.constant(1)).graph
    assert "require" not in str(graph)
    used = tl.function(none_is_used).get_concrete_function(tl.constant(1)).graph
    assert "require" in str(used)
