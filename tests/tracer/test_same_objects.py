"""A run changes the caller's objects, and puts these into places, never copies of them."""

from __future__ import annotations

import dataclasses
import gc
import warnings
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

import treadle as tl


@dataclasses.dataclass
class Log:
    last: Any = 0
    items: Any = dataclasses.field(default_factory=list)


class Box:
    def __init__(self) -> None:
        self.one: Any = [1]
        self.two: Any = [2]
        self.three: Any = None


def plain(x: Any) -> Any:
    return tl.nest.map_structure(lambda v: v.numpy().item() if isinstance(v, tl.Tensor) else v, x)


def append(items, x):
    items.append(x)
    items.append(3)


def several(items, x):
    items.sort()
    items.reverse()
    items[0] = x
    items.insert(1, 5)
    items.extend([x + 1, x + 2])


def swap(items, x):
    items[0], items[-1] = items[-1], items[0]


def of_nested_dicts(table, x):
    table["in"]["k"] = x * 2
    table["out"] = x
    table.pop("old", None)


def of_a_dataclass(log, x):
    log.last = x
    log.items.append(x)


def on_both_sides(items, x):
    items.append(1)
    if x > 2:
        items.append(x)
    items.append(2)


CASES: list[tuple[Callable[..., Any], Callable[[], Any]]] = [
    (append, list),
    (append, lambda: [1]),
    (several, lambda: [1, 2]),
    (swap, lambda: [1, 2, 3]),
    (of_nested_dicts, lambda: {"in": {"k": 1}, "out": 2, "old": 3}),
    (of_a_dataclass, lambda: Log(1, [2])),
    (on_both_sides, lambda: [0]),
]


@pytest.mark.parametrize(("f", "make"), CASES)
def test_what_an_argument_holds_is_changed_at_each_call(f: Any, make: Any) -> None:
    traced = tl.function(f)
    mine, wanted = make(), make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in (4, 1, 5):
            traced(mine, tl.constant(number))
            f(wanted, number)
            assert plain(mine) == wanted


def test_a_caller_that_is_traced_sees_it_too() -> None:
    inner = tl.function(append)

    @tl.function
    def outer(x):
        items = [x]
        inner(items, x + 1)
        return items

    assert plain(outer(tl.constant(1))) == [1, 2, 3]


def test_nested_containers_stay_the_callers_own() -> None:
    inside = {"k": 1}
    table = {"in": inside, "out": 2, "old": 3}
    tl.function(of_nested_dicts)(table, tl.constant(1))
    assert table["in"] is inside
    assert plain(inside) == {"k": 2}


def test_an_attribute_gets_the_list_that_was_chosen() -> None:
    box = Box()

    @tl.function
    def f(x):
        if x > 0:
            box.three = box.one
            box.one.append(x)
        else:
            box.three = box.two

    f(tl.constant(7))
    assert box.three is box.one
    f(tl.constant(-7))
    assert box.three is box.two
    box.two = [5]
    f(tl.constant(-7))
    assert box.three is box.two
    assert plain(box.one) == [1, 7]


def test_an_attribute_gets_the_object_itself_or_keeps_what_it_has() -> None:
    box = Box()
    log = Log()

    @tl.function
    def f(x):
        if x > 0:
            box.three = log
            log.last = x

    f(tl.constant(-1))
    assert box.three is None
    f(tl.constant(2))
    assert box.three is log
    assert plain(log.last) == 2


def test_a_list_is_put_into_another_one() -> None:
    first: list[Any] = [1]
    pair: list[Any] = [first, 2]

    @tl.function
    def f(items, x):
        items[1] = items[0]
        items[0].append(x)

    f(pair, tl.constant(3))
    assert pair[0] is first
    assert pair[1] is first
    assert plain(first) == [1, 3]


def test_a_trace_keeps_no_object_alive_that_it_puts_somewhere() -> None:
    class Item:
        pass

    box, item = Box(), Item()
    box.one = item

    @tl.function
    def f(box, x):
        if x > 0:
            box.three = box.one

    f(box, tl.constant(1))
    assert box.three is item
    told = weakref.ref(item)
    del item
    box.one = box.three = None
    gc.collect()
    assert told() is None


def test_deques_too() -> None:
    @tl.function
    def f(x):
        if x > 0:
            box.three = box.one

    box = Box()
    box.one = deque([1, 2])
    f(tl.constant(1))
    assert box.three is box.one
