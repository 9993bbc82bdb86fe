"""Names that hold a variable on one path and a tensor on another, and assignments after that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import treadle as tl

Body = Callable[[Any, Any, Any, Any], Any]


def assigned_of_it(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    y = b * 2.0
    v.assign(y)
    return y


def assigned_of_it_in_a_branch(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    if n > 1:
        v.assign(b + 1.0)
    return v + 0.0


def another_one_assigned(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    w.assign(b)
    return b + w


def read_in_each_iteration(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = a
    for _ in tl.range(n):
        b = v
        v.assign_add(1.0)
        w.assign_add(b)
    return w + 0.0


def loop_until_it_is_large(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = a
    while b < 10.0:
        b = v
        v.assign_add(3.0)
    return v + 0.0


def used_behind(a: Any, n: Any, v: Any, w: Any) -> Any:
    if n > 0:
        b = v
    else:
        b = a * 2.0
    v.assign_add(1.0)
    return b + 1.0


def used_behind_a_loop(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = a
    for _ in tl.range(n):
        b = v
    v.assign_add(1.0)
    return b + 1.0


def used_in_the_next_iteration(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = a
    for _ in tl.range(n):
        v.assign_add(b)
        v.assign_add(b)
        b = v
    return v + 0.0


def used_behind_another_branch(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    c = b if n > 1 else a
    v.assign(9.0)
    return c + 1.0


def used_in_the_branch_that_assigns(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    if n > 1:
        v.assign(b + 1.0)
        return b + 1.0
    return b + 0.0


def one_of_two_used_behind(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = (v if n > 1 else w) if n > 0 else a
    w.assign(9.0)
    return b + 1.0


def in_a_list(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = [v] if n > 0 else [a]
    v.assign(9.0)
    return b[0] + 1.0


def given_back(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    v.assign(9.0)
    return b


def kept_where_it_raises(a: Any, n: Any, v: Any, w: Any) -> Any:
    try:
        b = v if n > 0 else a
        if n > 0:
            raise ValueError
        b = a
    except ValueError:
        pass
    v.assign(9.0)
    return b + 0.0


def grown_list(a: Any, n: Any, v: Any, w: Any) -> Any:
    items = []
    for _ in tl.range(n):
        items.append(v)
    v.assign(9.0)
    return sum(items)


def grown_list_of_an_earlier_iteration(a: Any, n: Any, v: Any, w: Any) -> Any:
    items = [a]
    for _ in tl.range(n):
        v.assign_add(1.0)
        items.append(v)
    return sum(items)


def list_and_another_one(a: Any, n: Any, v: Any, w: Any) -> Any:
    items = [a]
    v.assign(3.0)
    for _ in tl.range(n):
        items.append(v)
        w.assign_add(1.0)
    return sum(items)


def overwritten_in_a_loop(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    v.assign(9.0)
    for _ in tl.range(n - 1):
        b = w
    return b + 0.0


def used_again_after_each_iteration(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    for _ in tl.range(n):
        w.assign_add(b)
        v.assign_add(1.0)
    return w + 0.0


def used_in_each_iteration(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    for _ in tl.range(n):
        w.assign_add(b)
    v.assign_add(w)
    return v + 0.0


def list_that_grows_in_a_try(a: Any, n: Any, v: Any, w: Any) -> Any:
    items = [w, v]
    try:
        for _ in tl.range(n):
            items = [*items, a]
        if n > 0:
            raise ValueError
    except ValueError:
        v.assign_add(1.0)
    return items[1] + 0.0


def asked_for_its_class(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    return b if isinstance(b, tl.Variable) else b + 1.0


def asked_for_a_method(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    if hasattr(b, "assign"):
        w.assign(b)
    return w + 0.0


def asked_who_it_is(a: Any, n: Any, v: Any, w: Any) -> Any:
    b = v if n > 0 else a
    return a if b is v else b + 1.0


def asked_of_an_item(a: Any, n: Any, v: Any, w: Any) -> Any:
    items = [a]
    for _ in tl.range(n):
        items.append(v)
    return a if isinstance(items[-1], tl.Variable) else a + 1.0


def outcome(body: Body, n: int, wrap: Callable[[Any], Any]) -> list[float]:
    v, w = tl.Variable(2.0), tl.Variable(5.0)
    result = wrap(lambda a, n: body(a, n, v, w))(tl.constant(1.0), tl.constant(n))
    return [float(x) for x in (result, v, w)]


@pytest.mark.parametrize(
    "body",
    [
        assigned_of_it,
        assigned_of_it_in_a_branch,
        another_one_assigned,
        read_in_each_iteration,
        loop_until_it_is_large,
        list_and_another_one,
        used_in_each_iteration,
    ],
)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_used_before_the_assignment(body: Body, n: int) -> None:
    assert outcome(body, n, tl.function) == outcome(body, n, lambda f: f)


@pytest.mark.parametrize(
    "body",
    [
        used_behind,
        used_behind_a_loop,
        used_in_the_next_iteration,
        used_behind_another_branch,
        used_in_the_branch_that_assigns,
        one_of_two_used_behind,
        in_a_list,
        given_back,
        kept_where_it_raises,
        grown_list,
        grown_list_of_an_earlier_iteration,
        overwritten_in_a_loop,
        used_again_after_each_iteration,
        list_that_grows_in_a_try,
    ],
)
def test_used_after_the_assignment(body: Body) -> None:
    with pytest.raises(tl.errors.ConversionError, match=r"assigned (at|after that)"):
        outcome(body, 1, tl.function)


@pytest.mark.parametrize(
    "body", [asked_for_its_class, asked_for_a_method, asked_who_it_is, asked_of_an_item]
)
def test_questions(body: Body) -> None:
    with pytest.raises(tl.errors.ConversionError, match="on one path and of a tensor on another"):
        outcome(body, 1, tl.function)


def test_the_message() -> None:
    v = tl.Variable(2.0, name="v")

    @tl.function
    def f(n: Any) -> Any:
        if n > 0:
            b = v
        else:
            b = n * 2.0
        v.assign_add(1.0)
        return b + 1.0

    with pytest.raises(tl.errors.ConversionError) as caught:
        f(tl.constant(1.0))
    line = f.python_function.__code__.co_firstlineno
    file = "test_snapshots_of_variables.py"
    assert str(caught.value) == (
        "'b' is the variable 'v:0' or a tensor, depending on a tensor, and is used at "
        f"{file}:{line + 7}: return b + 1.0, after the variable was assigned at {file}:{line + 6}: "
        "v.assign_add(1.0): a graph only has what it held before. Take what the variable holds "
        "there (read_value()), or use it before the assignment"
    )
