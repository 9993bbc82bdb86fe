"""A run that raises leaves objects as eager code leaves them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import treadle as tl
from treadle.graph import check

c = tl.constant
Made = tuple[Callable[..., Any], Callable[[], Any]]


def plain(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [plain(item) for item in x]
    return x.numpy().item() if hasattr(x, "numpy") else x


def outcomes(make: Callable[[Any], Made], calls: Any, decorate: Any) -> list[Any]:
    f, state = make(decorate)
    f = decorate(f)
    found = []
    for args in calls:
        try:
            result: Any = plain(f(*[c(a) for a in args]))
        except Exception as error:
            result = type(error)
        found.append((result, plain(state())))
    return found


def only_if_it_raises(decorate: Any) -> Made:
    o = SimpleNamespace(k=0)

    def f(x: Any) -> Any:
        if x < 0:
            o.k += 10
            raise ValueError("neg")
        return x

    return f, lambda: o.k


def in_a_loop(decorate: Any) -> Made:
    o = SimpleNamespace(k=0)

    def f(x: Any) -> Any:
        if x < 5:
            o.k += 10
        for i in tl.range(4):
            o.k += 1
            if x < 0 and i == 2:
                raise ValueError("neg")
        return x

    return f, lambda: o.k


def a_list(decorate: Any) -> Made:
    items: list[Any] = []

    def f(x: Any) -> Any:
        if x < 0:
            items.append(1)
            raise ValueError("neg")
        return x

    return f, lambda: items


def a_list_that_grows(decorate: Any) -> Made:
    items: list[Any] = []

    def f(n: Any) -> Any:
        for i in tl.range(n):
            items.append(i)
            if i > 2:
                raise ValueError("big")
        return n

    return f, lambda: items


def an_op(decorate: Any) -> Made:
    o = SimpleNamespace(k=0)
    values = c([1.0, 2.0, 3.0])

    def f(i: Any) -> Any:
        if i > 0:
            o.k = o.k + 1
        y = tl.gather(values, tl.cast(i, tl.int32))
        if i > 0:
            o.k = o.k + 1
        return y

    return f, lambda: o.k


def strings_and_tensors(decorate: Any) -> Made:
    o = SimpleNamespace(name="none", last=c(0.0))

    def f(x: Any) -> Any:
        if x > 0:
            o.name = "pos"
            o.last = x
            if x > 5:
                raise ValueError("big")
        return x

    return f, lambda: (o.name, o.last)


def an_argument(decorate: Any) -> Made:
    items = [c(1.0)]

    def f(x: Any, items: Any = items) -> Any:
        if x > 0:
            items[0] = items[0] + x
            if x > 5:
                raise ValueError("big")
        return x

    return f, lambda: items


def caught_and_not(decorate: Any) -> Made:
    o = SimpleNamespace(k=0)

    def f(x: Any) -> Any:
        try:
            if x > 0:
                o.k += 1
                raise ValueError("a")
        except ValueError:
            o.k += 10
            if x > 5:
                raise KeyError("b") from None
        o.k += 100
        return x

    return f, lambda: o.k


def a_function_called(decorate: Any) -> Made:
    o = SimpleNamespace(k=0)

    @decorate
    def inner(x: Any) -> Any:
        if x < 0:
            o.k += 1
            raise KeyError("in")
        o.k += 100
        return x

    def f(x: Any) -> Any:
        if x != 3:
            o.k += 10
        y = inner(x)
        if x != 3:
            o.k += 1000
        if x > 5:
            raise ValueError("late")
        return y

    return f, lambda: o.k


def beside_a_variable(decorate: Any) -> Made:
    o, v = SimpleNamespace(k=0), tl.Variable(2.0)

    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            y = x * v
        if x > 0:
            o.k += 1
            v.assign_add(tape.gradient(y, v))
            if x > 5:
                raise ValueError("big")
        return y

    return f, lambda: (o.k, v)


def not_caught_here(decorate: Any) -> Made:
    o = SimpleNamespace(k=0)

    def f(x: Any) -> Any:
        try:
            if x > 0:
                x += 1
            else:
                o.k += 1
                raise ValueError("neg")
        except ZeroDivisionError:
            o.k += 100
        return x

    return f, lambda: o.k


def raises_in_all_ways(decorate: Any) -> Made:
    o = SimpleNamespace(k=0)

    def f(x: Any) -> Any:
        try:
            o.k += 1
            if x > 5:
                o.k += 10
                raise KeyError("big")
            raise ValueError("small")
        except KeyError:
            o.k += 100
            raise

    return f, lambda: o.k


def on_the_way_out(decorate: Any) -> Made:
    o = SimpleNamespace(k=0)

    def f(x: Any) -> Any:
        try:
            if x > 0:
                o.k += 1
                raise KeyError("pos")
            raise ValueError("neg")
        finally:
            o.k += 10

    return f, lambda: o.k


@pytest.mark.parametrize(
    "make",
    [
        *(not_caught_here, raises_in_all_ways, on_the_way_out),
        *(only_if_it_raises, in_a_loop, a_list, a_list_that_grows, an_op, strings_and_tensors),
        *(an_argument, caught_and_not, a_function_called, beside_a_variable),
    ],
)
def test_objects_hold_what_eager_code_leaves(make: Any) -> None:
    calls = [(-3.0,), (3.0,), (7.0,), (1.0,), (-1.0,)]
    if make is an_op:
        calls = calls[1:]
    if make is a_list_that_grows:
        calls = [(2,), (7,), (1,)]
    expected = outcomes(make, calls, lambda f: f)
    assert any(isinstance(result, type) for result, _ in expected)
    assert outcomes(make, calls, tl.function) == expected
    assert outcomes(make, calls, tl.function(relaxed=True)) == expected


def test_under_a_tape_and_as_a_concrete_function() -> None:
    f, state = only_if_it_raises(None)
    traced = tl.function(f)
    x = c(-1.0)
    with tl.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(ValueError, match="neg"):
            traced(x)
        y = traced(-x) * 2.0
    assert state() == 10
    assert tape.gradient(y, x).numpy() == -2.0
    concrete = traced.get_concrete_function(x)
    with pytest.raises(ValueError, match="neg"):
        concrete(x)
    assert state() == 20
    check(concrete.graph)


def test_objects_that_the_call_makes_are_nobody_elses_business() -> None:
    @tl.function
    def f(x: Any) -> Any:
        o = SimpleNamespace(k=c(0.0))
        if x < 0:
            p = SimpleNamespace(k=0)
            p.k += 1
            o.k = o.k + 1.0
            raise ValueError("neg")
        return x + o.k

    for _ in range(2):
        with pytest.raises(ValueError, match="neg"):
            f(c(-1.0))
        assert f(c(1.0)).numpy() == 1.0
    assert f.experimental_get_tracing_count() == 1


class Box:
    def __init__(self, n: Any) -> None:
        self.n = n

    def put(self, n: Any) -> None:
        self.n = n


class Counted:
    def __init__(self, box: Box) -> None:
        self.box = box

    def __enter__(self) -> Box:
        self.box.n += 1
        return self.box

    def __exit__(self, *error: object) -> None:
        self.box.n += 10


def test_objects_that_the_call_makes_for_a_with() -> None:
    def program(x: Any, n: Any) -> Any:
        box = Box(0)
        with Counted(box) as box:
            for _ in range(n):
                if box.n < x:
                    box = Box(box.n * 2)
        return box.n

    f = tl.function(program)
    for x, n in ((5, 3), (5, 0), (0, 2), (5, 3)):
        assert f(c(x), c(n)).numpy() == program(x, n)
    assert f.experimental_get_tracing_count() == 1


def two_of_a_class(decorate: Any) -> Made:
    """What the second one holds is known to be state only as soon as the first one's is."""
    a, b = Box(5), Box(None)

    def f(x: Any) -> Any:
        if a.n > 3:
            b.put(x)
        if x > 0:
            a.put(a.n + 1)
        if x > 5:
            raise ValueError("big")
        return x

    return f, lambda: [a.n, b.n]


def test_two_of_a_class() -> None:
    calls = [(7,), (1,), (9,)]
    eager = outcomes(two_of_a_class, calls, lambda f: f)
    assert eager[0] == (ValueError, [6, 7])
    assert outcomes(two_of_a_class, calls, tl.function) == eager


class Low(Exception):
    pass


class Account:
    def __init__(self) -> None:
        self.balance = 10
        self.log: list[Any] = []

    def withdraw(self, x):
        if x > self.balance:
            raise Low("low")
        self.balance -= x
        self.log.append(x)
        return self.balance


def after_an_assertion(account, x):
    assert x > 3
    account.log.append(x)
    return x


def after_a_loop_that_raises(account, x):
    for i in tl.range(x):
        if i > 5:
            raise Low("high")
    account.balance = x
    return x


def after_a_call_that_raises(account, x):
    checked(x)
    account.log.append(1)
    return x


@tl.function
def checked(x):
    if x > 20:
        raise Low("high")
    return x


@pytest.mark.parametrize(
    "f",
    [Account.withdraw, after_an_assertion, after_a_loop_that_raises, after_a_call_that_raises],
)
def test_what_comes_behind_a_raise_happens_if_that_did_not_run(f: Any) -> None:
    runs = []
    for traced in (False, True):
        account = Account()
        one = tl.function(lambda x, a=account: f(a, x)) if traced else lambda x, a=account: f(a, x)
        found: list[Any] = []
        for number in (4, 50, 3, 5):
            try:
                found.append(int(one(tl.constant(number))))
            except (Low, AssertionError) as error:
                found.append(type(error))
        log = [int(x) for x in account.log]
        runs.append((found, int(account.balance), log))
    assert runs[1] == runs[0]
