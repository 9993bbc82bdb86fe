"""What a function changes under a tensor condition is replaced by another between calls."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import treadle as tl

Made = tuple[Callable[[Any], Any], Callable[[], Any], Callable[[], Any]]
rows: list[Any] = []


def plain(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [plain(item) for item in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, SimpleNamespace):
        return plain(vars(x))
    return x.numpy().item() if hasattr(x, "numpy") else x


def a_global(decorate: Any) -> Made:
    def f(x: Any) -> Any:
        if x > 0:
            rows.append(x)
        return len(rows)

    def replace() -> None:
        global rows
        rows = [7]

    replace()
    return decorate(f), replace, lambda: rows


def a_cell(decorate: Any) -> Made:
    cell = [7]

    def f(x: Any) -> Any:
        if x > 0:
            cell[0] = cell[0] + x
        return cell[0]

    def replace() -> None:
        nonlocal cell
        cell = [7]

    return decorate(f), replace, lambda: cell


def a_list_of_an_object(decorate: Any) -> Made:
    class Model:
        def __init__(self) -> None:
            self.items: list[Any] = []
            self.total = 0

        @decorate
        def add(self, x: Any) -> Any:
            if x > 0:
                self.items.append(x)
                self.total += x
            return len(self.items)

    model = Model()
    return model.add, lambda: setattr(model, "items", []), lambda: [model.items, model.total]


def an_object_of_an_object(decorate: Any) -> Made:
    holder = SimpleNamespace(o=SimpleNamespace(n=1))

    def f(x: Any) -> Any:
        if x > 0:
            holder.o.n += x
        return holder.o.n

    return decorate(f), lambda: setattr(holder, "o", SimpleNamespace(n=50)), lambda: holder.o


def an_attribute_that_is_only_set(decorate: Any) -> Made:
    holder = SimpleNamespace(o=SimpleNamespace())

    def f(x: Any) -> Any:
        if x > 0:
            holder.o.n = x
        else:
            holder.o.n = 0
        return x

    return decorate(f), lambda: setattr(holder, "o", SimpleNamespace()), lambda: holder.o


def an_item(decorate: Any) -> Made:
    table: dict[str, Any] = {"a": [[1], 2]}

    def f(x: Any) -> Any:
        if x > 0:
            table["a"][0].append(x)
        return x

    return decorate(f), lambda: table["a"].__setitem__(0, [1]), lambda: table


def an_item_of_a_tuple(decorate: Any) -> Made:
    holder = SimpleNamespace(pair=([1], 2))

    def f(x: Any) -> Any:
        if x > 0:
            holder.pair[0].append(x)
        return x

    return decorate(f), lambda: setattr(holder, "pair", ([1], 2)), lambda: holder.pair


def in_a_function_called(decorate: Any) -> Made:
    holder = SimpleNamespace(rows=[], o=SimpleNamespace(n=0))

    @decorate
    def inner(x: Any) -> Any:
        if x > 0:
            holder.rows.append(x)
            holder.o.n += x
        return x

    def replace() -> None:
        holder.rows, holder.o = [], SimpleNamespace(n=0)

    return decorate(lambda x: inner(x) + 1), replace, lambda: holder


def of_an_argument(decorate: Any) -> Made:
    holder = SimpleNamespace(rows=[])

    @decorate
    def f(o: Any, x: Any) -> Any:
        if x > 0:
            o.rows.append(x)
        return x

    return lambda x: f(holder, x), lambda: setattr(holder, "rows", []), lambda: holder


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        a_global,
        a_cell,
        a_list_of_an_object,
        an_object_of_an_object,
        an_attribute_that_is_only_set,
        an_item,
        an_item_of_a_tuple,
        in_a_function_called,
        of_an_argument,
    ],
)
def test_the_new_one_is_changed(make: Callable[[Any], Made], keep: bool) -> None:
    decorators: list[Callable[[Any], Any]] = [lambda f: f, tl.function]
    found: list[Any] = []
    for decorate in decorators:
        f, replace, state = make(decorate)
        old: list[Any] = []
        seen: list[Any] = []
        for x in (1, 2, -1, 3):
            seen.append((plain(f(tl.constant(x))), plain(state())))
            if keep:
                old.append(state())
            replace()
            seen.append(plain([state(), old]))
        found.append(seen)
    assert found[0] == found[1]
