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
        box.one[0] = box.one[0] + x
        return box.two[0]

    assert int(f(tl.constant(1))) == 2
    assert int(f(tl.constant(4))) == 4
    assert box.one is shared
    assert int(f(tl.constant(1))) == 4
    assert plain(shared) == [7]
