"""Containers whose items the graph writes: what Python changes of them between calls is seen."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import pytest

import treadle as tl

c = tl.constant
Made = tuple[Callable[[Any], Any], Callable[[], Any], Callable[[], Any]]
MADE: list[Callable[[], Made]] = []


def program(make: Callable[[], Made]) -> Callable[[], Made]:
    MADE.append(make)
    return make


@program
def keys_in_a_loop() -> Made:
    d = {"a": 1}

    def f(x):
        for k in d:
            if x > 3:
                d[k] += 1
        return x

    return f, lambda: d, lambda: d.update(b=5)


@program
def length_of_a_dict() -> Made:
    d = {"a": 1}

    def f(x):
        if x > 3:
            d["a"] += 1
        return x + len(d)

    return f, lambda: d, lambda: d.update(b=5)


@program
def values_of_a_dict() -> Made:
    d = {"a": 1}

    def f(x):
        if x > 3:
            d["a"] += 1
        return list(d.values())

    return f, lambda: d, lambda: d.update(b=5)


@program
def asks_for_a_key() -> Made:
    d = {"a": 1}

    def f(x):
        if x > 3:
            d["a"] += 1
        return x + (1 if "b" in d else 0)

    return f, lambda: d, lambda: d.update(b=5)


@program
def another_item_of_a_dict() -> Made:
    d = {"a": 1, "b": 2}

    def f(x):
        if x > 3:
            d["a"] += 1
        return x * 0 + (1 if d["b"] > 5 else 2)

    return f, lambda: d, lambda: d.update(b=9)


@program
def another_item_of_a_list() -> Made:
    s = [1, 2]

    def f(x):
        if x > 3:
            s[-2] += 1
        return x + s[1]

    return f, lambda: s, lambda: s.__setitem__(1, 9)


@program
def length_of_a_list() -> Made:
    s = [1, 2]

    def f(x):
        for i in range(len(s)):
            if x > 3:
                s[i] += 1
        return x

    return f, lambda: s, lambda: s.append(3)


@program
def length_of_a_deque() -> Made:
    s = collections.deque([1, 2])

    def f(x):
        if x > 3:
            s[0] += 1
        return x + len(s)

    return f, lambda: s, lambda: s.append(3)


@program
def counter() -> Made:
    d = collections.Counter("ab")

    def f(x):
        if x > 3:
            d["a"] += 1
        return x + d.total()

    return f, lambda: d, lambda: d.update(b=7)


@program
def set_beside_a_dict() -> Made:
    s, d = {1}, {"n": 0}

    def f(x):
        t = x
        for k in s:
            if x > 3:
                d["n"] += k
            t += k
        return t

    return f, lambda: (sorted(s), d), lambda: s.add(2)


@program
def by_a_name() -> Made:
    d = {"a": 1, "b": 2}
    n = "a"

    def f(x):
        k = n
        if x > 3:
            d[k] = 7
        return x + sum(d.values())

    return f, lambda: d, lambda: d.update(c=5)


@program
def attributes_by_vars() -> Made:
    o = type("O", (), {})()
    o.a = 1

    def f(x):
        t = 0
        for k in vars(o):
            if x > 3:
                t += getattr(o, k)
        return t + len([*vars(o)])

    return f, lambda: vars(o), lambda: setattr(o, "b", 5)


@program
def attributes_as_arguments() -> Made:
    o = type("O", (), {})()
    o.a = 1

    def f(x):
        return x + len(dict(**vars(o)))

    return f, lambda: vars(o), lambda: setattr(o, "b", 5)


@pytest.mark.parametrize("make", MADE, ids=lambda m: m.__name__)
def test_a_change_between_two_calls(make: Callable[[], Made]) -> None:
    def run(convert: Callable[[Any], Any]) -> list[Any]:
        f, state, change = make()
        g = convert(f)
        found = []
        for i, x in enumerate((5, 5, 1, 5)):
            if i == 1:
                change()
            result = g(c(x))
            shown = [int(v) for v in (result if isinstance(result, list) else [result])]
            found.append((shown, repr(state())))
        return found

    def plain(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: f(int(x))

    assert run(tl.function) == run(plain)


def test_what_is_not_read_causes_no_trace() -> None:
    stats: dict[str, Any] = {"n": 0, "time": 0.0}
    traces = []

    @tl.function
    def f(x: Any) -> Any:
        traces.append(1)
        if x > 0:
            stats["n"] += 1
        return x

    for i in range(4):
        stats["time"] = float(i)
        stats[f"call {i}"] = i
        f(c(1))
    assert len(traces) == 1
    assert stats["n"] == 4


def test_another_dict_in_its_place() -> None:
    holder = type("Holder", (), {})()
    holder.d = {"n": 0}

    @tl.function
    def f(x: Any) -> Any:
        if x > 0:
            holder.d["n"] = 5
        return x

    f(c(1))
    first, holder.d = holder.d, {"n": 1}
    f(c(1))
    f(c(-1))
    assert (first, holder.d) == ({"n": 5}, {"n": 5})


def test_what_each_trace_adds_causes_no_trace() -> None:
    count = [0]
    log: list[Any] = [0]
    table: dict[Any, Any] = {}
    traces = []

    @tl.function
    def f(x: Any) -> Any:
        traces.append(1)
        count[0] += 1
        log[0] = count[0]
        log.append(count[0])
        table[count[0]] = 1
        table["last"] = count[0]
        return x + len(log) + len(table) + len(count)

    for _ in range(3):
        for n in (1, 2):
            f(tl.ones([n]))
    assert len(traces) == 2
