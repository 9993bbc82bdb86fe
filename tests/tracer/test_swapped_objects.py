"""Places that get other lists, dicts or objects under a tensor's condition: these stay the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

import treadle as tl


class Box:
    def __init__(self, one: Any, two: Any) -> None:
        self.one = one
        self.two = two


@dataclasses.dataclass
class Record:
    value: Any
    items: Any


def swapped(box, x):
    if x > 3:
        box.one, box.two = box.two, box.one


def swapped_and_changed(box, x):
    swapped(box, x)
    box.one.append(x)


def made_anew(box, x):
    if x > 3:
        box.one = box.one + [2]  # noqa: RUF005
    else:
        box.one += [3]


def in_a_list(box, x):
    if x > 3:
        box.one[0], box.one[1] = box.one[1], box.one[0]
    box.one[0].append(x)


def records(box, x):
    swapped(box, x)
    box.one.value += x
    box.one.items.append(x)


CASES: list[tuple[Callable[..., Any], Callable[[], Box]]] = [
    (swapped, lambda: Box([1], [2])),
    (swapped, lambda: Box({"a": 1}, {"a": 2})),
    (swapped_and_changed, lambda: Box([1], [2])),
    (made_anew, lambda: Box([1], [2])),
    (in_a_list, lambda: Box([[1], [2]], [])),
    (records, lambda: Box(Record(1, [1]), Record(2, [2]))),
]


def plain(x: Any) -> Any:
    if isinstance(x, Record):
        return plain([x.value, x.items])
    return tl.nest.map_structure(lambda v: v.numpy().item() if isinstance(v, tl.Tensor) else v, x)


@pytest.mark.parametrize(("f", "make"), CASES)
def test_as_in_plain_python(f: Any, make: Any) -> None:
    runs = []
    for traced in (False, True):
        box = make()
        kept = [box.one, box.two]
        one = tl.function(lambda x, box=box: f(box, x)) if traced else lambda x, box=box: f(box, x)
        seen = []
        for x in (1, 5, 1, 7, 5):
            one(tl.constant(x) if traced else x)
            now = box.one, box.two
            same = [[a is b for b in kept] for a in now]
            seen.append(([plain(v) for v in (*now, *kept)], same))
        runs.append(seen)
    assert runs[1] == runs[0]


def test_two_places_with_one_list() -> None:
    shared = [1]
    box = Box(shared, shared)

    @tl.function
    def f(x):
        if x > 3:
            box.two = [x]
        if x > 0:
            box.one[0] = box.one[0] + x
        return box.two[0]

    assert int(f(tl.constant(1))) == 2
    assert int(f(tl.constant(4))) == 4
    assert box.one is shared
    assert int(f(tl.constant(1))) == 4
    assert plain(shared) == [7]


class Item:
    def __init__(self, n: Any) -> None:
        self.n = n


def made_in_a_branch(box, x):
    if x > 3:
        box.one = Item(x)
    return box.one.n


def record_made_in_a_branch(box, x):
    if x > 3:
        box.one = dataclasses.replace(box.one, value=x)
    return box.one.value


def emptied_and_filled(box, x):
    if x > 3:
        box.one = []
    box.one.append(x)


def chosen_at_the_top(box, x):
    box.one = box.two[0] if x > 3 else box.two[1]


def truth(box, x):
    if x > 3:
        box.one = not box.one


@pytest.mark.parametrize(
    ("f", "make", "show"),
    [
        (made_in_a_branch, lambda: Box(Item(1), 0), lambda b: b.one.n),
        (record_made_in_a_branch, lambda: Box(Record(1, []), 0), lambda b: b.one.value),
        (emptied_and_filled, lambda: Box([1], 0), lambda b: b.one),
        (chosen_at_the_top, lambda: Box(0, (Item(1), Item(2))), lambda b: b.two.index(b.one)),
        (truth, lambda: Box(False, 0), lambda b: (b.one, type(b.one))),
    ],
)
def test_objects_that_a_run_makes(f: Any, make: Any, show: Any) -> None:
    box, wanted = make(), make()
    traced = tl.function(lambda x: f(box, x))
    for x in (1, 5, 1, 7):
        traced(tl.constant(x))
        f(wanted, x)
        assert plain(show(box)) == show(wanted)
